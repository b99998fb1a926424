"""Sets who acted, and on whom, from `userIdentity` and the parameters of a request.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from typing import Any

from streams.common.text import extra
from streams.mapping.converters import relate
from topics.event import Event

Record = dict[str, Any]


def member(record: Any, *names: str) -> Any:
    """The value at a path of members, None when there is none."""
    for name in names:
        record = record.get(name) if type(record) is dict else None
    return record


def text(record: Any, *names: str) -> str:
    """The text at a path of members, "" for any other value."""
    found = member(record, *names)
    return found if type(found) is str else ""


def role(identity: Any) -> str:
    """The role that a session took on, or the user it was given to."""
    return text(identity, "sessionContext", "sessionIssuer", "userName")


def set_user(event: Event, identity: Any) -> None:
    """The user: a session is called by its role, its own name is related. The root user has no name in records."""
    issuer, kind = role(identity), text(identity, "type")
    name = issuer or text(identity, "userName") or ("root" if kind == "Root" else "")
    if name:
        event["user_name"] = name
    if identifier := text(identity, "principalId"):
        event["user_id"] = identifier
    if kind in ("AssumedRole", "FederatedUser"):
        session = text(identity, "principalId").partition(":")[2]
        if session:
            relate(event, "user", [session])
        if issuer and kind == "AssumedRole":
            extra(event)["user.roles"] = [issuer]


def set_targets(event: Event, record: Record) -> None:
    """The user and the group that the request names."""
    asked, answered = record.get("requestParameters"), record.get("responseElements")
    if name := text(asked, "userName") or text(asked, "username"):
        event["user_target_name"] = name
    if new := text(asked, "newUserName"):
        extra(event)["user.changes.name"] = new
        relate(event, "user", [new])
    if identifier := text(answered, "user", "userId"):
        extra(event)["user.target.id"] = identifier
    if event["event_category"] == ["iam"]:
        if group := text(asked, "groupName"):
            event["group_name"] = group
        if identifier := text(answered, "group", "groupId"):
            extra(event)["group.id"] = identifier
