"""Tests the parser of CloudTrail: forms of records, who did what, attempts, records that keep to no schema."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from records_kit import RECEIVED, attempt_of, deep, event_of, leaves, of_samples, spoilt

from streams.cloudtrail.actions import meaning
from streams.cloudtrail.parser import parse_json, sniff_json
from streams.common.ecs_values import TYPES

_RECORDS = of_samples("cloudtrail")
_ALICE = {"type": "IAMUser", "principalId": "AIDA1", "accountId": "1", "userName": "alice"}


def record(name: str = "CreateUser", source: str = "iam", **members: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.10",
        "eventID": "e1",
        "eventTime": "2026-11-24T04:05:06Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "203.0.113.66",
        "userIdentity": _ALICE,
        **members,
    }


def assumed(role: str, session: str = "carol") -> dict[str, Any]:
    issuer = {"sessionIssuer": {"type": "Role", "userName": role}}
    return {"type": "AssumedRole", "principalId": f"AROA1:{session}", "accountId": "1", "sessionContext": issuer}


def signin(name: str, said: Any, identity: Any = _ALICE, **members: Any) -> dict[str, Any]:
    return record(name, "signin", userIdentity=identity, responseElements={name: said}, **members)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (signin("ConsoleLogin", "Success"), (1, "success")),
        (signin("ConsoleLogin", "Failure", errorMessage="Failed authentication"), (1, "failure")),
        (signin("ConsoleLogin", None, errorMessage="Failed authentication"), (1, "failure")),
        (signin("ConsoleLogin", "Success", {"type": "Root", "accountId": "1"}), (1, "success")),
        (signin("ConsoleLogin", "Success", assumed("Deployer")), (1, "success")),
        (signin("ConsoleLogin", "Success", assumed("AWSReservedSSO_Admins_0")), (0, "success")),
        (signin("CheckMfa", "Success"), (0, "success")),
        (signin("SwitchRole", "Failure"), (0, "failure")),
        (signin("CredentialVerification", "Failure"), (1, "failure")),
        (signin("CredentialVerification", "Success"), (0, "success")),
        (record("UserAuthentication", "signin", serviceEventDetails={"UserAuthentication": "Success"}), (1, "success")),
        (record("ConsoleLogin", "example"), (0, "success")),
        (record("AssumeRole", "sts"), (0, "success")),
        (record("AssumeRole", "sts", errorCode="AccessDenied"), (0, "failure")),
        (record("GetSessionToken", "sts"), (0, "success")),
        (record(errorCode="AccessDenied"), (0, "failure")),
        (record(errorMessage="no"), (0, "failure")),
        (record(errorCode=None, errorMessage=""), (0, "success")),
    ],
)
def test_what_is_an_attempt(sample: dict[str, Any], expected: tuple[int, str]) -> None:
    assert attempt_of(sample) == expected


@pytest.mark.parametrize(
    ("identity", "user", "identifier", "others"),
    [
        (_ALICE, "alice", "AIDA1", None),
        ({"type": "Root", "principalId": "1"}, "root", "1", None),
        (assumed("Deployer"), "Deployer", "AROA1:carol", ["carol"]),
        ({"type": "FederatedUser", "principalId": "1:frank"}, None, "1:frank", ["frank"]),
        ({"type": "SAMLUser", "principalId": "x:erin", "userName": "erin"}, "erin", "x:erin", None),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, None, None, None),
        ({"type": ["Root"], "userName": 5, "principalId": {}}, None, None, None),
        ("alice", None, None, None), (None, None, None, None),
    ],
)  # fmt: skip
def test_who_did_it(identity: Any, user: str | None, identifier: str | None, others: list[str] | None) -> None:
    event = event_of(record(userIdentity=identity))
    assert (event.get("user_name"), event.get("user_id")) == (user, identifier)
    assert event["extra"].get("related.user") == others


@pytest.mark.parametrize(
    ("source", "name", "category", "types"),
    [
        ("iam", "CreateUser", "iam", ["user", "creation"]), ("iam", "DeleteUser", "iam", ["user", "deletion"]),
        ("iam", "UpdateUser", "iam", ["user", "change"]), ("iam", "CreateAccessKey", "iam", ["user", "change"]),
        ("iam", "DeleteAccessKey", "iam", ["user", "change"]), ("iam", "ChangePassword", "iam", ["user", "change"]),
        ("iam", "CreateVirtualMFADevice", "iam", ["user", "change"]), ("iam", "ListUsers", "iam", ["user", "info"]),
        ("iam", "CreateGroup", "iam", ["group", "creation"]), ("iam", "DeleteGroup", "iam", ["group", "deletion"]),
        ("iam", "DeleteGroupPolicy", "iam", ["group", "change"]), ("iam", "GetGroup", "iam", ["group", "info"]),
        ("iam", "AddUserToGroup", "iam", ["group", "change"]), ("iam", "ListGroupsForUser", "iam", ["user", "info"]),
        ("iam", "CreateRole", "iam", ["admin", "creation"]), ("iam", "AttachRolePolicy", "iam", ["admin", "change"]),
        ("iam", "UpdateAccountPasswordPolicy", "iam", ["admin", "change"]),
        ("iam", "GenerateCredentialReport", "iam", ["admin", "info"]),
        ("cognito-idp", "AdminCreateUser", "iam", ["user", "creation"]),
        ("sts", "AssumeRole", "authentication", ["info"]), ("sts", "GetCallerIdentity", "iam", ["user", "info"]),
        ("signin", "ConsoleLogin", "authentication", ["start"]), ("signin", "CheckMfa", "authentication", ["info"]),
        ("s3", "CreateBucket", "file", ["creation"]), ("s3", "DeleteObject", "file", ["deletion"]),
        ("s3", "GetObject", "file", ["access"]), ("s3", "PutBucketPolicy", "configuration", ["change"]),
        ("s3", "DeleteBucketPolicy", "configuration", ["deletion"]),
        ("ec2", "CreateKeyPair", "iam", ["admin", "creation"]),
        ("ec2", "RunInstances", "configuration", ["creation"]), ("ec2", "StopInstances", "configuration", ["change"]),
        ("ec2", "TerminateInstances", "configuration", ["deletion"]),
        ("ec2", "DescribeInstances", "configuration", ["access"]),
        ("dynamodb", "BatchGetItem", "configuration", ["access"]), ("x", "", "configuration", ["change"]),
        ("x", "lower", "configuration", ["change"]), ("iam", "C" * 1000, "configuration", ["change"]),
    ],
)  # fmt: skip
def test_what_it_means(source: str, name: str, category: str, types: list[str]) -> None:
    assert meaning(f"{source}.amazonaws.com", name) == ([category], types)
    assert set(types) <= TYPES[category]


def test_targets() -> None:
    asked = {"userName": "bob", "newUserName": "robert", "groupName": "admins"}
    answered = {"user": {"userId": "AIDA2"}, "group": {"groupId": "AGPA1"}}
    event = event_of(record("UpdateUser", requestParameters=asked, responseElements=answered))
    extra = event["extra"]
    assert (event["user_target_name"], event["group_name"]) == ("bob", "admins")
    assert (extra["user.target.id"], extra["group.id"], extra["user.changes.name"]) == ("AIDA2", "AGPA1", "robert")
    assert extra["related.user"] == ["robert"]


def test_the_name_of_a_security_group_is_no_group_of_users() -> None:
    event = event_of(record("CreateSecurityGroup", "ec2", requestParameters={"groupName": "web"}))
    assert "group_name" not in event


@pytest.mark.parametrize(
    ("address", "ip", "name"),
    [
        ("203.0.113.66", "203.0.113.66", None), ("2001:db8::1", "2001:db8::1", None),
        ("ec2.amazonaws.com", None, "ec2.amazonaws.com"), ("AWS Internal", None, "AWS Internal"),
        (["203.0.113.66"], None, None), (None, None, None),
    ],
)  # fmt: skip
def test_where_it_came_from(address: Any, ip: str | None, name: str | None) -> None:
    event = event_of(record(sourceIPAddress=address))
    assert (event.get("source_ip"), event["extra"].get("source.address")) == (ip, name)


def test_the_cloud() -> None:
    extra = event_of(record(recipientAccountId="2"))["extra"]
    cloud = {name: value for name, value in extra.items() if name.startswith("cloud.")}
    assert cloud == {
        "cloud.provider": "aws",
        "cloud.region": "eu-central-1",
        "cloud.account.id": "1",
        "cloud.service.name": "iam",
    }
    assert extra["aws.cloudtrail"]["recipientAccountId"] == "2"
    assert event_of(record(recipientAccountId="2", userIdentity={}))["extra"]["cloud.account.id"] == "2"


def test_the_envelope_of_eventbridge_is_kept() -> None:
    plain, event = event_of(record()), event_of({"detail-type": "x", "account": "1", "detail": record()})
    assert event["extra"]["aws.cloudtrail"].pop("eventbridge") == {"detail-type": "x", "account": "1"}
    for found in (plain, event):
        del found["message"], found["event_original"]
    assert event == plain


def test_a_file_of_one_record_is_that_record() -> None:
    plain, event = event_of(record()), event_of({"Records": [record()]})
    for found in (plain, event):
        del found["message"], found["event_original"]
    assert event == plain


def test_a_file_of_several_records_is_one_event_that_keeps_them() -> None:
    records = [record(eventTime="2026-11-24T04:05:07Z"), record("PutObject", "s3", userIdentity=assumed("R")), record()]
    event = event_of({"Records": records})
    assert event["extra"]["aws.cloudtrail"] == {"Records": records}
    assert (event["extra"]["related.ip"], event["extra"]["related.user"]) == (["203.0.113.66"], ["alice", "R"])
    assert (event["timestamp"], event["event_action"]) == (1_795_493_107_000_000, "records")
    assert not {"event_category", "event_outcome", "ogrewatch_attempt"} & event.keys()


def test_an_insight_is_an_alert() -> None:
    details = {"state": "Start", "eventSource": "ssm.amazonaws.com", "eventName": "X", "insightType": "Y"}
    event = event_of({"eventVersion": "1.08", "eventTime": "2026-11-24T04:05:06Z", "insightDetails": details})
    assert (event["event_kind"], event["event_action"], event["timestamp"]) == ("alert", "X", 1_795_493_106_000_000)
    assert event["extra"]["aws.cloudtrail"]["insightDetails"] == {"state": "Start", "insightType": "Y"}


_NOTIFICATION = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}


@pytest.mark.parametrize(
    "other",
    [
        _NOTIFICATION, {"Records": [_NOTIFICATION]}, {"Records": []}, {"Records": "x"}, {"Records": [record(), 5]},
        {"detail": {}}, {"detail": [1]}, {"eventVersion": 1}, {"digestS3Object": "x"}, {},
    ],
)  # fmt: skip
def test_records_of_others_are_left_alone(other: dict[str, Any]) -> None:
    event = {"message": "x"}
    assert not sniff_json(other)
    assert not parse_json(other, event, None)  # type: ignore[arg-type]
    assert event == {"message": "x"}


def test_a_time_of_no_use_is_kept_and_that_of_receipt_stands() -> None:
    event = event_of(record(eventTime="soon"))
    assert event["timestamp"] == RECEIVED
    assert event["extra"]["aws.cloudtrail"]["eventTime"] == "soon"


@settings(max_examples=400, deadline=None)
@given(spoilt(_RECORDS))
def test_records_that_keep_to_no_schema_make_one_event(spoilt: dict[str, Any]) -> None:
    event_of(spoilt)


@pytest.mark.parametrize("member", [*record(), "requestParameters", "errorCode", "tlsDetails", "resources"])
@pytest.mark.parametrize("value", [["marker"], {"a": "marker"}, [{"a": ["marker"]}]])
def test_values_of_another_kind_are_kept(member: str, value: Any) -> None:
    event = event_of(record(**{member: value}) if member != "eventSource" else record() | {member: value})
    del event["message"], event["event_original"]
    assert "marker" in leaves(event)


@pytest.mark.parametrize("member", ["userIdentity", "requestParameters", "responseElements", "eventName", "more"])
def test_what_lies_deep_is_kept_as_text(member: str) -> None:
    event = event_of(record() | {member: deep(100)})
    del event["message"], event["event_original"]
    texts = [leaf for leaf in leaves(event) if "bottom" in leaf]
    assert texts
    assert all(json.loads(text) for text in texts)
