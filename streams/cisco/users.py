r"""Sets users from the identities beside an address: `(LOCAL\alice)`, `(EXAMPLE\alice, 7:staff)`, `(7:staff)`.

https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html (idfw_user and security group tags)
"""

import re

from streams.common.packets import relate
from streams.common.text import extra
from topics.event import Event

_TAG = re.compile(r"([0-9]{1,10})(?::(.{1,64}))?", re.DOTALL)
_MASKED = "*****"


def set_users(found: dict[str, str], order: tuple[str, str], event: Event) -> None:
    """Set the users at both ends, which `order` names; `user.name` is the source's, else the destination's, else the
    one on whose behalf a connection was closed."""
    ends = ((order[0], "source"), (order[1], "destination"))
    names = [_set_user(found[end + "_user"], side, event) for end, side in ends if end + "_user" in found]
    names.append(_split(found.pop("closed_by", ""))[1])
    names = [name for name in names if name]
    if names:
        event["user_name"] = names[0]
    for name in names[1:]:
        if name != names[0]:
            relate(event, "user", name)


def _set_user(text: str, side: str, event: Event) -> str:
    """Set the fields of one end; the user's name, "" when there is none."""
    name, _, tag = text.rpartition(",")
    group = _TAG.fullmatch(tag.strip())
    if group is None:
        name = text
    else:
        extra(event)[f"cisco.{side}_security_group_tag"] = int(group[1])
        if group[2]:
            extra(event)[f"cisco.{side}_security_group_name"] = group[2]
    domain, user = _split(name)
    for field, value in (("user.name", user), ("user.domain", domain)):
        if value:
            extra(event)[f"{side}.{field}"] = value
    if domain:
        relate(event, "hosts", domain)
    return user


def _split(name: str) -> tuple[str, str]:
    r"""Domain and user of `DOMAIN\user`, `LOCAL\user`, `LOCAL\user@domain` or `user`; a masked name is none."""
    name = name.strip().removeprefix("LOCAL\\")
    domain, backslash, user = name.rpartition("\\")
    if not backslash:
        user, _, domain = name.partition("@")
    return ("", "") if _MASKED in user else (domain, user)
