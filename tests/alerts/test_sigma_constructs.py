"""Every construct of Sigma's specification does what it says, in both engines, or is refused by name.

https://sigmahq.io/sigma-specification/specification/sigma-appendix-modifiers.html
"""

import base64
from typing import Any

import pytest
from rule_kit import encoded, rule
from sigma.exceptions import SigmaError

from alerts.engine.engines import PlainEngine, StagedEngine
from alerts.rules.errors import RuleError
from alerts.rules.load import RuleSet, add_file

DOCUMENT = """
title: A title
id: 00000000-0000-0000-0000-000000000001
logsource: {{product: ogrewatch, category: process}}
detection:
{detection}
"""
WIDE = base64.b64encode("whoami".encode("utf-16-le")).decode()


def holds(detection: str, **columns: Any) -> bool:
    """Whether a rule of this detection holds for an event; both engines must agree."""
    lines = "\n".join(f"    {line}" for line in detection.strip().splitlines())
    found = rule(DOCUMENT.format(detection=lines))
    value = encoded("process", host_hostname="web1", **columns)
    plain, staged = (
        [match.place for match in engine.match([value])]
        for engine in (PlainEngine("process", [found]), StagedEngine("process", [found]))
    )
    assert plain == staged
    return plain == [0]


def of_line(selection: str, line: str) -> bool:
    return holds(f"s:\n    process.command_line{selection}\ncondition: s", process_command_line=line)


@pytest.mark.parametrize(
    ("selection", "yes", "no"),
    [
        (": curl", ("curl", "CURL"), ("curl x", "")),
        (": [curl, wget]", ("curl", "wget"), ("nc",)),
        (": ''", ("",), ("curl",)),
        (": null", ("",), ("curl",)),
        (": 'a*'", ("a", "abc"), ("ba",)),
        (": 'a?c'", ("abc",), ("ac", "abbc")),
        (r": 'a\*c'", ("a*c",), ("abc",)),
        (r": 'a\?c'", ("a?c",), ("abc",)),
        (r": 'C:\\temp\\x'", (r"C:\temp\x",), (r"C:\temp",)),
        (": '*'", ("x",), ("",)),
        (": 7", ("7", "7.0"), ("17",)),
        (": true", ("true", "True"), ("false",)),
        ("|contains: ell", ("hello",), ("hallo",)),
        ("|startswith: hel", ("hello",), ("shell",)),
        ("|endswith: ell", ("shell",), ("hello",)),
        ("|contains|all: [one, two]", ("two one",), ("one", "two")),
        ("|startswith|cased: Hel", ("Hello",), ("hello",)),
        ("|cased: Hello", ("Hello",), ("hello",)),
        ("|re: 'h.l+o$'", ("say hello", "hallo"), ("HELLO", "hello x")),
        ("|re|i: 'h.l+o$'", ("HELLO",), ("hell",)),
        ("|re|s: 'a.b'", ("a\nb",), ("ab",)),
        ("|re|m: '^b$'", ("a\nb",), ("ab",)),
        ("|re: ['^a', 'b$']", ("ax", "xb"), ("xax",)),
        ("|gt: 5", ("6", "5.5"), ("5", "x")),
        ("|gte: 5", ("5",), ("4.9",)),
        ("|lt: 5", ("4", "-7"), ("5", "")),
        ("|lte: 5", ("5",), ("6",)),
        ("|exists: true", ("x",), ("",)),
        ("|exists: false", ("",), ("x",)),
        ("|windash|contains: ' -exec '", ("x -exec y", "x /exec y"), ("x exec y",)),
        ("|base64|contains: whoami", ("x " + base64.b64encode(b"whoami").decode(),), ("whoami",)),
        ("|base64offset|contains: whoami", tuple(base64.b64encode(b"x" * n + b"whoami;").decode() for n in range(3)),
         ("whoami",)),
        ("|wide|base64|contains: whoami", (WIDE,), (base64.b64encode(b"whoami").decode(),)),
        ("|re|ignorecase: ABC", ("xabc",), ("ab",)),
        ("|re|dotall: 'a.b'", ("a\nb",), ("ab",)),
        ("|re|multiline: '^b$'", ("a\nb",), ("ab",)),
        ("|neq: 5", ("6",), ("5",)),
        ("|fieldref: host.hostname", ("web1", "WEB1"), ("web2", "")),
        ("|fieldref|startswith: host.hostname", ("web1.example",), ("xweb1",)),
        ("|fieldref|endswith: host.hostname", ("at web1",), ("web1 x",)),
    ],
)  # fmt: skip
def test_a_modifier_does_what_it_says(selection: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    assert [of_line(selection, text) for text in yes] == [True] * len(yes)
    assert [of_line(selection, text) for text in no] == [False] * len(no)


@pytest.mark.parametrize(
    ("network", "yes", "no"),
    [
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("2001:db8::/32", "2001:db8:1::7", "2001:db9::7"),
        ("[10.0.0.0/8, 192.0.2.7/32]", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.0/24", "192.0.2.1", "2001:db8::7"),
    ],
)
def test_networks(network: str, yes: str, no: str) -> None:
    detection = f"s: {{source.ip|cidr: {network}}}\ncondition: s"
    assert holds(detection, source_ip=yes)
    assert not holds(detection, source_ip=no)
    assert not holds(detection)


SEARCHES = """
selection_a: {user.name: root}
selection_b: {event.action: run}
filter_a: {process.name: cron}
filter_b: {process.name: sudo}
condition: """
ROOT, RUN = {"user_name": "root"}, {"event_action": "run"}


@pytest.mark.parametrize(
    ("condition", "columns", "expected"),
    [
        ("1 of selection_*", ROOT, True),
        ("1 of selection_*", {}, False),
        ("any of selection_*", RUN, True),
        ("all of selection_*", ROOT, False),
        ("all of selection_*", ROOT | RUN, True),
        ("all of selection*", ROOT | RUN, True),
        ("1 of them", {"process_name": "cron"}, True),
        ("all of them", ROOT | RUN, False),
        ("all of selection_* and not 1 of filter_*", ROOT | RUN | {"process_name": "cron"}, False),
        ("all of selection_* and not 1 of filter_*", ROOT | RUN | {"process_name": "bash"}, True),
        ("selection_a and (filter_a or filter_b)", ROOT | {"process_name": "sudo"}, True),
        ("selection_a or filter_a and filter_b", ROOT, True),
        ("not selection_a", {}, True),
        ("not selection_a", ROOT, False),
    ],
)
def test_conditions(condition: str, columns: dict[str, str], expected: bool) -> None:
    assert holds(SEARCHES + condition, **columns) is expected


def test_several_conditions_are_alternatives() -> None:
    detection = "a: {user.name: root}\nb: {event.action: run}\ncondition: [a, b]"
    assert [holds(detection, **columns) for columns in (ROOT, RUN, {})] == [True, True, False]


def test_a_list_of_maps_is_an_alternative_and_a_map_is_not() -> None:
    several = "s:\n    - {user.name: root, event.action: run}\n    - {process.name: cron}\ncondition: s"
    assert [holds(several, **columns) for columns in (ROOT | RUN, ROOT, {"process_name": "cron"})] == [
        True, False, True,
    ]  # fmt: skip


def test_keywords_are_looked_for_in_the_line() -> None:
    assert holds("k: ['segfault at']\ncondition: k", event_original="x SEGFAULT AT y")
    assert holds("k:\n    '|all': [one, two]\ncondition: k", event_original="two and one")
    assert not holds("k:\n    '|all': [one, two]\ncondition: k", event_original="one")
    assert holds("k: [4711]\ncondition: k", event_original="port 4711")


def test_a_field_with_several_values_meets_a_test_when_one_does() -> None:
    assert holds("s: {event.category: iam}\ncondition: s", event_category=["process", "iam"])


@pytest.mark.parametrize(
    ("detection", "says"),
    [
        ("s: {user.name|expand: '%admins%'}\ncondition: s", "placeholder|expand"),
        ("s: {user.name|nonsense: x}\ncondition: s", "nonsense"),
        ("s: {user.name|utf16le|base64: x}\ncondition: s", "utf16le"),
        ("s: {user.name|re: '(?<!a)b'}\ncondition: s", "perl operator"),
        ("s: {user.name|re: '(a)\\1'}\ncondition: s", "invalid"),
        ("s: {user.name|re: '('}\ncondition: s", "missing"),
        ("s: {source.ip|cidr: x}\ncondition: s", "x"),
        ("s: {'@timestamp|minute': 5}\ncondition: s", "parts of times"),
        ("s: {user.name|fieldref: user.nmae}\ncondition: s", "user.nmae"),
        ("s: {user.name: x}\ncondition: t", "t"),
        ("s: {user.name: x}\ncondition: s | count() > 5", "count|aggregation|pipe|parse"),
        ("s: {user.name: x}\ncondition: ''", "expected"),
        ("s: {user.name: x}", "condition"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(detection: str, says: str) -> None:
    with pytest.raises((RuleError, SigmaError), match=f"(?i){says}"):
        holds(detection)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}", "(x+x+)+y"]
)
def test_no_pattern_hangs_a_worker(pattern: str) -> None:
    """RE2 takes time linear in the text; `re` would take years for some of these."""
    holds(f"s: {{process.command_line|re: '{pattern}'}}\ncondition: s", process_command_line="a" * 20_000 + "!x")


@pytest.mark.parametrize("text", ["a*" * 500, "?*" * 500, "*a" * 1000])
def test_no_wildcard_hangs_a_worker(text: str) -> None:
    of_line(f": '{text}b'", "a" * 20_000)


def test_a_file_of_hostile_yaml_is_refused_at_once() -> None:
    """Anchors that grow, nesting, and types that mean code."""
    grown = "".join(f"b{n + 1}: &b{n + 1} [*b{n}, *b{n}]\n" for n in range(25))
    bomb = f"b0: &b0 [x, x]\n{grown}"
    for text in (f"title: x\n{bomb}", "[" * 50_000, "title: !!python/object/apply:os.system ['id']", "- x", "\0"):
        found = RuleSet()
        add_file(found, text.encode(), "hostile.yml")
        assert found.refused
        assert not len(found)
