"""Sets the users and groups of a record: who acted, as whom, on whom.

`auid` is who logged in, `uid` whose the process is, `acct` and `id` the account that a trusted program speaks of. Names
of numbers are there when the daemon added them (`UID="root"`). Numbers of nobody are left out.
"""

from collections.abc import Callable

from streams.auditd.records import GROUPS, LOGINS, USERS
from streams.auditd.values import Fields, text_of
from streams.common.text import extra, put
from topics.event import Event


def name_people(record: str, fields: Fields, event: Event) -> None:
    """Set the columns of users and groups, and remove their fields."""
    _HANDLERS.get(record, _act)(fields, event)


def _name(value: str) -> str:
    return value.strip('"')


def _account(fields: Fields) -> str:
    return text_of(fields.pop("acct", "")) or _name(fields.pop("ID", ""))


def _log_in(fields: Fields, event: Event) -> None:
    """Set the account of a login. Who logged in is only known when there was a session before."""
    if account := _account(fields):
        event["user_name"] = event["user_effective_name"] = account
    put(event, "user_id", fields.pop("id", ""))


def _change(fields: Fields, event: Event) -> None:
    """Set an account that is changed, and who changed it: who is logged in, else the account itself."""
    operation = fields.get("op", "")
    if "group" in operation and "user" not in operation:
        event["event_type"] = ["group", "change"]
        _change_group(fields, event)
        return
    target = _account(fields)
    put(event, "user_target_name", target)
    put(event, "user_name", _name(fields.get("AUID", "")) or target)
    _put_extra(event, "user.target.id", fields.pop("id", ""))
    put(event, "group_name", text_of(fields.pop("grp", "")))


def _change_group(fields: Fields, event: Event) -> None:
    put(event, "group_name", text_of(fields.pop("acct", "") or fields.pop("grp", "")) or _name(fields.pop("ID", "")))
    put(event, "user_name", _name(fields.get("AUID", "")))
    _put_extra(event, "group.id", fields.pop("id", ""))


def _become(fields: Fields, event: Event) -> None:
    """Set the user whose login the process belongs to from now on."""
    put(event, "user_name", _name(fields.pop("AUID", "")))
    put(event, "user_id", fields.pop("auid", ""))


def _act(fields: Fields, event: Event) -> None:
    """Set the user of a process, and the user whose rights it has when they differ."""
    if "uid" not in fields and "acct" not in fields:
        return
    put(event, "user_name", text_of(fields.pop("acct", "")) or _name(fields.pop("UID", "")))
    put(event, "user_id", fields.pop("uid", ""))
    effective, euid = _name(fields.pop("EUID", "")), fields.pop("euid", "")
    if euid != event.get("user_id"):
        put(event, "user_effective_name", effective)
        _put_extra(event, "user.effective.id", euid)


def _put_extra(event: Event, name: str, value: str) -> None:
    if value:
        extra(event)[name] = value


_HANDLERS: dict[str, Callable[[Fields, Event], None]] = {
    **dict.fromkeys(LOGINS, _log_in),
    **dict.fromkeys(USERS, _change),
    **dict.fromkeys(GROUPS, _change_group),
    "LOGIN": _become,
}
