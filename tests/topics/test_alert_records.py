"""Tests that acts, rules in force and documents of alerts are what they say, however records come."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.documents.alert import MOST_ACTS, PlacedAct, about, merge, operation
from topics.records import acts, rules
from topics.records.acts import Act, InvalidAct

ID = "0123456789abcdef" * 2


def revision(number: int, count: int = 1) -> dict[str, Any]:
    return {"event": {"kind": "alert", "id": ID}, "ogrewatch": {"alert": {"revision": number, "count": count}}}


def act(offset: int, kind: Any, **more: Any) -> PlacedAct:
    return PlacedAct(offset, Act(ID, kind, "ann", 1_790_000_000_000 + offset, **more))


def test_an_alert_is_open_until_somebody_acts_and_revisions_do_not_undo_that() -> None:
    document = merge(None, [revision(1, 10)], [])
    assert about(document) == {"revision": 1, "count": 10, "status": "open"}
    document = merge(document, [], [act(4, "close", verdict="benign", comment="a scan of ours")])
    found = about(document)
    assert (found["status"], found["verdict"], found["acted_by"]) == ("closed", "benign", "ann")
    found = about(merge(document, [revision(2, 100)], []))
    assert (found["status"], found["count"], found["comment"]) == ("closed", 100, "a scan of ours")
    found = about(merge(document, [], [act(5, "reopen")]))
    assert (found["status"], "verdict" in found, len(found["acts"])) == ("open", False, 2)


def test_what_was_merged_before_changes_nothing() -> None:
    document = merge(None, [revision(2)], [act(4, "acknowledge")])
    assert merge(document, [revision(1), revision(2)], [act(4, "acknowledge")]) is None
    assert merge(None, [], []) is None


def test_the_order_does_not_matter() -> None:
    steps: list[tuple[str, Any]] = [
        ("r", revision(1)),
        ("r", revision(2, 7)),
        ("a", act(1, "acknowledge")),
        ("a", act(2, "note", comment="?")),
    ]
    found = set()
    for order in permutations(steps):
        document = None
        for what, step in order:
            document = merge(document, [step] if what == "r" else [], [step] if what == "a" else []) or document
        found.add(repr(sorted(about(document).items())))
    assert len(found) == 1


def test_of_many_acts_the_oldest_notes_go_first() -> None:
    acts = [act(0, "close"), *(act(offset, "note", comment=f"{offset}") for offset in range(1, MOST_ACTS + 5))]
    found = about(merge(None, [], acts))
    assert (found["status"], len(found["acts"]), found["acts"][1]["offset"]) == ("closed", MOST_ACTS, 6)


def test_an_operation_names_the_version() -> None:
    line, _, document = operation("alerts-ogrewatch-default", ID, 3, {"a": 1}).partition(b"\n")
    assert b'"version":3,"version_type":"external"' in line
    assert document == b'{"a":1}\n'


@given(st.binary(max_size=200) | st.none())
def test_no_bytes_are_worse_than_an_error(value: bytes | None) -> None:
    with pytest.raises(InvalidAct):
        acts.decode(value)
    for decode in (rules.decode_files, rules.decode_silence):
        with pytest.raises(rules.InvalidRules):
            decode(value or b"")


@pytest.mark.parametrize(
    "wrong",
    [
        {"alert": "x"},
        {"kind": "delete"},
        {"verdict": "benign"},
        {"kind": "note"},
        {"comment": "x" * 5000},
        {"at": "now"},
        {"by": 7},
    ],
)
def test_an_act_that_says_what_it_may_not_is_refused(wrong: dict[str, Any]) -> None:
    known: dict[str, Any] = {"alert": ID, "kind": "acknowledge", "by": "ann", "at": 7}
    with pytest.raises(InvalidAct):
        Act(**(known | wrong))


def test_acts_and_rules_are_read_as_they_were_written() -> None:
    done = Act(ID, "close", "ann", 7, "x", "benign", "bob")
    assert acts.decode(acts.encode(done)) == done
    files = rules.RuleFiles({"a.yml": "title: x"}, False, "ann", 7)
    assert rules.decode_files(rules.encode(files)) == files
    assert files.version == rules.RuleFiles({"a.yml": "title: x"}, False).version != rules.RuleFiles({}).version
    silence = rules.Silence("s1", "r1", 100, {"source.ip": "192.0.2.7"})
    assert rules.decode_silence(rules.encode(silence)) == silence
    assert silence.covers("r1", {"source.ip": "192.0.2.7", "user.name": "x"}, 99)
    assert not silence.covers("r1", {"source.ip": "192.0.2.7"}, 100)
    assert not silence.covers("r1", {"source.ip": "192.0.2.8"}, 99)
    with pytest.raises(rules.InvalidRules, match="at most"):
        rules.encode(rules.RuleFiles({"a": "x" * (9 << 20)}))
