"""Parses JSON records of AWS CloudTrail: who did what from where, and whether it was allowed.

It reads management, data, network and Insights events, one a line; the event that EventBridge makes of one (`detail`);
the digests of log files. A file's `{"Records": [...]}` is one record's event when it holds one; of several, one event
keeps them all, without categories: split such files before they are sent (`jq -c '.Records[]'`).
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

The caller chooses names, parameters and user agent. They are values of their own members here.
"""

from typing import Any

from streams.base import StateStore, Stream
from streams.cloudtrail.actions import meaning
from streams.cloudtrail.forms import FIELD, is_digest, is_record, keep_several, several, single
from streams.cloudtrail.people import role, set_targets, set_user, text
from streams.common.text import extra
from streams.mapping import converters
from streams.mapping.json_fields import FieldMap
from topics.event import Event

Record = dict[str, Any]

_BASE: Event = {"event_kind": "event", "event_dataset": FIELD, "ogrewatch_service": "aws"}
_VERDICTS = {"success": "success", "failure": "failure", "failed": "failure"}
_PORTAL = "AWSReservedSSO_"
"""How the roles begin that the portal of IAM Identity Center signs its users in to."""


def _recipient(event: Event, value: Any) -> bool:
    """Set the account that received the event, unless the caller's own is set; it is kept as well."""
    if type(value) is str and value:
        extra(event).setdefault("cloud.account.id", value)
    return False


_FIELD_MAP = FieldMap(
    FIELD,
    {
        "eventTime": "timestamp",
        "eventSource": "event.provider",
        "eventName": "event_action",
        "eventID": "event.id",
        "awsRegion": "cloud.region",
        "recipientAccountId": _recipient,
        "userIdentity.accountId": "cloud.account.id",
        "sourceIPAddress": "source_ip",
        "userAgent": "user_agent_original",
        "errorCode": "error.code",
        "tlsDetails.tlsVersion": converters.version,
        "tlsDetails.cipherSuite": "tls.cipher",
        "tlsDetails.clientProvidedHostHeader": "tls.client.server_name",
        "insightDetails.eventSource": "event.provider",
        "insightDetails.eventName": "event_action",
        "awsAccountId": "cloud.account.id",
        "digestEndTime": "timestamp",
        "digestS3Object": "file.path",
    },
)


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record is one of CloudTrail's, in any of its forms."""
    if "eventVersion" in record:
        return is_record(record)
    if "detail" in record:
        return is_record(record["detail"])
    return bool(several(record)) if "Records" in record else is_digest(record)


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Set the columns of one record; False, and `event` untouched, for what CloudTrail does not write."""
    found = single(record)
    if found is None and len(records := several(record)) > 1:
        keep_several(records, event)
        return True
    if found is None and not is_digest(record):
        return False
    event.update(_BASE)
    _FIELD_MAP.apply(found or record, event)
    extra(event)["cloud.provider"] = "aws"
    if found is None:
        event.setdefault("event_action", "digest")
    elif "insightDetails" in found:
        event["event_kind"] = "alert"
    else:
        _set_call(event, found)
    return True


def _set_call(event: Event, record: Record) -> None:
    """Set what was called, by whom, and with which outcome."""
    source, name = text(record, "eventSource"), event.get("event_action", "")
    event["event_category"], event["event_type"] = meaning(source, name)
    event["event_outcome"] = verdict = _verdict(record, name)
    if service := source.removesuffix(".amazonaws.com"):
        extra(event)["cloud.service.name"] = service
    identity = record.get("userIdentity")
    set_user(event, identity)
    set_targets(event, record)
    if source == "signin.amazonaws.com" and _is_attempt(name, verdict, identity):
        event["ogrewatch_attempt"] = 1


def _verdict(record: Record, name: str) -> str:
    """What the service says of a login; of anything else, whether there was an error."""
    said = text(record, "responseElements", name) or text(record, "serviceEventDetails", name)
    if found := _VERDICTS.get(said.lower()):
        return found
    return "failure" if record.get("errorCode") or record.get("errorMessage") else "success"


def _is_attempt(name: str, verdict: str, identity: Any) -> bool:
    """A login to the console; of the portal, each wrong credential, and the login that came of right ones."""
    if name == "ConsoleLogin":
        return not role(identity).startswith(_PORTAL)
    return (name, verdict) in (("CredentialVerification", "failure"), ("UserAuthentication", "success"))


STREAM = Stream(name="aws.cloudtrail", parse_json=parse_json, sniff_json=sniff_json)
