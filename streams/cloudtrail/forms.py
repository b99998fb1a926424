"""Recognises the forms in which records of CloudTrail come: alone, from EventBridge, in a file of several.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from typing import Any, TypeGuard

from streams.cloudtrail.people import role, text
from streams.common.text import extra, is_ip
from streams.mapping.converters import relate
from streams.mapping.json_record import kept
from streams.syslog.timestamps import set_instant
from topics.event import Event

Record = dict[str, Any]

FIELD = "aws.cloudtrail"
"""Where an event keeps what no column and no field of ECS takes."""


_NAMES = frozenset(("eventSource", "eventName", "eventTime", "userIdentity"))


def is_record(record: Any) -> TypeGuard[Record]:
    """Whether it is one of CloudTrail's: S3's notifications have an `eventVersion` too, but not all of `_NAMES`.

    Old records, and those of some event buses, have no `eventID`.
    """
    return (
        type(record) is dict
        and "eventVersion" in record
        and ("eventID" in record or "insightDetails" in record or record.keys() >= _NAMES)
    )


def is_digest(record: Record) -> bool:
    """Whether it is the digest of log files that CloudTrail signs."""
    return "digestS3Object" in record and "logFiles" in record


def several(record: Record) -> list[Record]:
    """The records of a file, [] for another object."""
    found = record.get("Records")
    if type(found) is not list or not found or not all(map(is_record, found)):
        return []
    return found


def single(record: Record) -> Record | None:
    """The one record that an object is or holds, with what stood around it in `eventbridge`; None for another."""
    if is_record(record):
        return record
    detail = record.get("detail")
    if is_record(detail):
        around = {name: value for name, value in record.items() if name != "detail"}
        return {**detail, "eventbridge": around}
    found = several(record)
    return found[0] if len(found) == 1 else None


def keep_several(records: list[Record], event: Event) -> None:
    """Make one event of all records, since a raw record makes one: its time is the first's, its users and addresses are
    related, and the records are kept."""
    event.update(event_kind="event", event_action="records", event_dataset=FIELD)
    set_instant(event, records[0].get("eventTime"))
    relate(event, "ip", filter(is_ip, (text(record, "sourceIPAddress") for record in records)))
    identities = [record.get("userIdentity") for record in records]
    relate(event, "user", filter(None, (role(found) or text(found, "userName") for found in identities)))
    extra(event).update({"cloud.provider": "aws", FIELD: kept({"Records": records})})
