"""Sets `source.domain` and `related.hosts` of an event whose source is a name instead of an address.

Programs that look addresses up (`UseDNS yes`, PAM's `rhost`) write a name where others write an address.
https://www.elastic.co/docs/reference/ecs/ecs-source
"""

import re

from streams.common.packets import relate
from topics.event import Event

_NAME = re.compile(r"(?=[^\s]{1,255}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBERS = re.compile(r"[0-9.]+")


def name_source(event: Event) -> None:
    """Set `source.domain`, and add it to `related.hosts`, when `source.address` is the name of a host."""
    fields = event.get("extra") or {}
    name = fields.get("source.address") if "source_ip" not in event else None
    if name and _NAME.fullmatch(name) and not _NUMBERS.fullmatch(name):
        fields["source.domain"] = name
        relate(event, "hosts", name)
