"""The staged engine gives the answers of the plain one, and the answers are Sigma's."""

import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from rule_kit import encoded, events, rule, rules
from sigma.exceptions import SigmaError

from alerts.engine import scanner
from alerts.engine.engines import PlainEngine, StagedEngine
from alerts.rules.condition import FieldTest, all_tests
from alerts.rules.errors import RuleError
from alerts.rules.model import Rule
from topics.avro.codec import encode
from topics.event import Event

RULE = """
title: A title
id: 00000000-0000-0000-0000-000000000001
logsource: {{product: ogrewatch, category: {category}}}
detection:
    selection:
        {selection}
    condition: {condition}
"""


def made(selection: str, condition: str = "selection", category: str = "process") -> Rule:
    return rule(RULE.format(selection=selection, condition=condition, category=category))


def both(found: list[Rule], kind: str, *values: bytes) -> list[tuple[int, str]]:
    """The matches of both engines, which agree."""
    plain = [(match.place, match.rule.id) for match in PlainEngine(kind, found).match(values)]
    assert [(match.place, match.rule.id) for match in StagedEngine(kind, found).match(values)] == plain
    return plain


@pytest.mark.parametrize("hyperscan", [True, False])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=rules(),
    given_events=events().map(lambda one: [one]) | events().flatmap(lambda a: events().map(lambda b: [a, b])),
)
def test_both_engines_agree_on_anything(
    monkeypatch: pytest.MonkeyPatch, hyperscan: bool, found: list[Rule], given_events: list[tuple[str, Event]]
) -> None:
    monkeypatch.setattr(scanner, "HAS_HYPERSCAN", hyperscan)
    for kind in {kind for kind, _ in given_events}:
        both(found, kind, *(encode(kind, event) for of, event in given_events if of == kind))


@pytest.mark.parametrize(
    ("selection", "column", "yes", "no"),
    [
        ("process.command_line: 'id -u'", "process_command_line", "ID -U", "id -un"),
        ("process.command_line|contains: passwd", "process_command_line", "cat /etc/PASSWD", "cat /etc/shadow"),
        ("process.command_line|startswith: 'curl '", "process_command_line", "curl x", "xcurl x"),
        ("process.command_line|endswith: '.sh'", "process_command_line", "run.SH", "run.sh "),
        ("process.command_line: 'a*b?c'", "process_command_line", "a--b-c", "a--bc"),
        ("process.command_line|cased: Root", "process_command_line", "Root", "root"),
        ("process.command_line|re: 'ba?sh -[ic]'", "process_command_line", "x bash -i", "BASH -I"),
        ("process.command_line|re|i: 'ba?sh -[ic]'", "process_command_line", "BASH -I", "bash"),
        ("process.command_line|contains|all: [one, two]", "process_command_line", "two one", "two"),
        ("process.command_line|windash|contains: ' -x '", "process_command_line", "run /x now", "run x now"),
        ("process.command_line|base64offset|contains: secret", "process_command_line", "eHNlY3JldA==", "secret"),
        ("source.ip|cidr: 192.0.2.0/24", "source_ip", "192.0.2.200", "198.51.100.1"),
        ("process.pid: 4711", "process_pid", 4711, 471),
        ("process.pid|gt: 1000", "process_pid", 1001, 1000),
        ("user.name|exists: true", "user_name", "bob", ""),
        ("user.name: null", "user_name", "", "bob"),
        ("user.name|fieldref: host.hostname", "user_name", "web1", "web2"),
        ("event.category: iam", "event_category", ["process", "iam"], ["process"]),
    ],
)  # fmt: skip
def test_a_test_holds_for_what_sigma_says(selection: str, column: str, yes: Any, no: Any) -> None:
    values = [encoded("process", host_hostname="web1", **{column: value}) for value in (yes, no)]
    assert both([made(selection)], "process", *values) == [(0, "00000000-0000-0000-0000-000000000001")]


def test_keywords_are_looked_for_in_the_line_as_it_came() -> None:
    found = rule(
        "title: t\nid: 00000000-0000-0000-0000-000000000001\nlogsource: {product: linux, service: syslog}\n"
        "detection: {keywords: ['segfault at', 'a*z'], condition: keywords}"
    )
    lines = ["x Segfault AT 0", "--abcz--", "quiet"]
    assert [
        place for place, _ in both([found], "system", *(encoded("system", event_original=one) for one in lines))
    ] == [0, 1]


def test_conditions_of_rules_are_trees() -> None:
    text = RULE.format(
        category="process",
        selection="user.name: root\n    other:\n        process.pid: 1\n"
        "    more_1:\n        event.action: a\n    more_2:\n        event.action: b",
        condition="selection and not other and 1 of more_*",
    )
    values = [
        encoded("process", user_name="root", event_action="b"),
        encoded("process", user_name="root", event_action="b", process_pid=1),
        encoded("process", user_name="root"),
    ]
    assert [place for place, _ in both([rule(text)], "process", *values)] == [0]


def test_a_pattern_that_would_go_back_and_forth_is_linear() -> None:
    found = made("process.command_line|re: '(a+)+$'")
    assert both([found], "process", encoded("process", process_command_line="a" * 50_000 + "b")) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RULE.format(category="process", selection="nonsense: 1", condition="selection"), "has no field nonsense"),
        (RULE.format(category="process", selection="usr.name: bob", condition="selection"), "is user.name meant"),
        (RULE.format(category="nothing", selection="user.name: bob", condition="selection"), "is none of"),
        (
            RULE.format(category="process", selection="user.name|re: '(?<!a)b'", condition="selection"),
            "invalid perl operator",
        ),
        (
            RULE.format(category="process", selection="user.name|expand: '%admins%'", condition="selection"),
            "has no values",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises((RuleError, SigmaError), match=says):
        rule(text)


def test_log_sources_that_no_stream_is_are_refused() -> None:
    with pytest.raises(RuleError, match="windows/process_creation"):
        rule(
            "title: t\nlogsource: {product: windows, category: process_creation}\n"
            "detection: {s: {Image: x}, condition: s}"
        )


def test_rules_about_attempts_are_judged_by_their_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded for them."""
    failed = made(
        "ogrewatch.attempt|gte: 1\n        event.outcome: failure\n        ogrewatch.service: sshd",
        category="authentication",
    )
    by_name = made("ogrewatch.attempt|gte: 1\n        user.name: ROOT", category="authentication")
    values = [
        encoded("authentication", ogrewatch_attempt=1, event_outcome=outcome, ogrewatch_service="sshd", user_name=user)
        for outcome, user in (("failure", "root"), ("success", "bob"), ("failure", "x" * 300))
    ]
    engine = StagedEngine("authentication", [failed])
    module = sys.modules["alerts.engine.view"]
    monkeypatch.setattr(module, "decode", lambda value: pytest.fail("was decoded"))
    assert [match.place for match in engine.match(values)] == [0, 2]
    monkeypatch.undo()
    long = made("ogrewatch.attempt|gte: 1\n        user.name|endswith: '" + "x" * 290 + "'", category="authentication")
    assert [place for place, _ in both([by_name], "authentication", *values)] == [0]
    assert [place for place, _ in both([long], "authentication", *values)] == [2]


def test_a_rule_without_a_literal_is_named() -> None:
    slow = made("process.pid|gt: 1000")
    assert StagedEngine("process", [slow, made("user.name: root")]).always == [slow]
    assert [test.operator for test in all_tests(slow.condition)] == ["compare"]
    assert FieldTest("process.pid", "compare", ("gt", 1000)) == slow.condition
