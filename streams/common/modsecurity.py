"""Parses ModSecurity's alerts in a web server's error log: the rule that matched, and whether it denied.

`ModSecurity: Access denied with code 403 (phase 2). ... [id "942100"] [msg "..."] [uri "/x"] [unique_id "..."]`.
Sources: ModSecurity 2.9 apache2/re.c (msre_format_metadata), apache2/apache2_util.c.
https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-(v2.x)
"""

import re

from streams.common.text import extra, number
from topics.event import Event

_FIELD = re.compile(r'\[([a-z_]{2,16}) "([^"\\]*(?:\\.[^"\\]*)*)"\]', re.DOTALL)
_DENIED = re.compile(r"ModSecurity: Access denied with code ([0-9]{3})")
_NAMES = {"id": "rule.id", "rev": "rule.version", "hostname": "url.domain"}
_MOST_FIELDS = 64
_LONGEST = 16384


def find_alert(said: str, event: Event, stream: str) -> None:
    """Add the columns of an alert; what ModSecurity says of itself adds nothing. `stream` names the server's stream."""
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(said[:_LONGEST])[:_MOST_FIELDS]:
        fields.setdefault(name, []).append(value)
    if "id" not in fields:
        return
    denied = _DENIED.match(said)
    event.update(event_category=["web", "intrusion_detection"], event_action="modsecurity_alert")
    event["event_type"] = ["denied"] if denied else ["info"]
    if denied:
        event["event_outcome"] = "failure"
        event["http_response_status_code"] = number(denied[1]) or 403
    _keep(fields, event, stream)


def _keep(fields: dict[str, list[str]], event: Event, stream: str) -> None:
    kept = extra(event)
    if message := fields.pop("msg", None):
        event["rule_name"] = message[0] or "-"
    for name, values in fields.items():
        if name == "uri":
            event["url_path"] = values[0] or "/"
        elif name in _NAMES:
            kept[_NAMES[name]] = values[0]
        else:
            kept[f"{stream}.modsecurity.{name}"] = values if len(values) > 1 else values[0]
