"""Rule files: rules, correlations, filters, what is ours in them, and how files of strangers are refused."""

from pathlib import Path

import pytest

from alerts.rules import load
from alerts.rules.load import LARGEST, RuleSet, add_file, load_folder

FAILED = """
title: A login failed
name: failed
id: 11111111-0000-0000-0000-000000000001
author: A. Author
license: DRL-1.1
references: [https://example.com/rule]
logsource: {product: ogrewatch, category: authentication}
detection:
    failed: {ogrewatch.attempt|gte: 1, event.outcome: failure}
    condition: failed
"""
GUESSING = """
---
title: Somebody guesses passwords
id: 11111111-0000-0000-0000-000000000002
level: high
correlation:
    type: event_count
    rules: [failed]
    group-by: [source.ip]
    timespan: 2m
    condition: {gte: 10}
"""


def read(text: str) -> RuleSet:
    found = RuleSet()
    add_file(found, text.encode(), "file.yml")
    return found


def reasons(found: RuleSet) -> str:
    return "\n".join(map(str, found.refused))


def test_a_rule_says_who_wrote_it_and_only_feeds_its_correlation() -> None:
    found = read(FAILED + GUESSING)
    assert not found.refused
    (rule,), (correlation,) = found.rules.values(), found.correlations.values()
    assert (rule.about.author, rule.about.license, rule.about.references) == (
        "A. Author",
        "DRL-1.1",
        ("https://example.com/rule",),
    )
    assert rule.silent
    assert not correlation.silent
    assert correlation.local
    assert correlation.about.level == "high"
    assert [(stage.rule, stage.group) for stage in correlation.stages] == [(rule.id, ("source.ip",))]
    assert (correlation.span, correlation.threshold.operator, correlation.threshold.limit) == (120.0, "gte", 10)


def test_what_is_ours_is_about_the_rule_that_alerts() -> None:
    ours = "---\nogrewatch: {suppress: 10m, runbook: Block it., tests: [{lines: [a], expect: none}]}"
    found = read(FAILED + GUESSING + ours)
    (correlation,) = found.correlations.values()
    assert (correlation.suppress, correlation.about.runbook) == (600.0, "Block it.")
    assert [example.rule for example in found.examples] == [correlation.id]


def test_a_filter_narrows_its_rules() -> None:
    narrow = """
---
title: Not our scanner
logsource: {product: ogrewatch, category: authentication}
filter:
    rules: [failed]
    ours: {source.ip: 192.0.2.9}
    condition: not ours
"""
    with_filter, without = read(FAILED + narrow), read(FAILED)
    (narrowed,), (plain,) = with_filter.rules.values(), without.rules.values()
    assert narrowed.condition != plain.condition
    assert "192.0.2.9" in repr(narrowed.condition)
    assert narrowed.revision != plain.revision


def test_words_about_a_rule_do_not_change_its_revision_and_logic_does() -> None:
    (rule,) = read(FAILED).rules.values()
    (same,) = read(FAILED.replace("A login failed", "Another title")).rules.values()
    (other,) = read(FAILED.replace("failure", "success")).rules.values()
    assert rule.revision == same.revision != other.revision


def test_aliases_name_a_group_by_other_fields() -> None:
    text = FAILED + GUESSING.replace(
        "group-by: [source.ip]", "group-by: [who]\n    aliases: {who: {failed: user.name}}"
    )
    (correlation,) = read(text).correlations.values()
    assert correlation.stages[0].group == ("user.name",)
    assert not correlation.local


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FAILED.replace("id: 1", "x-id: 1"), "no id"),
        (FAILED + "---" + FAILED, "there already"),
        (FAILED.replace("event.outcome", "event.outcme"), "is event.outcome meant"),
        (GUESSING, "failed"),
        (FAILED + GUESSING.replace("timespan: 2m", "timespan: 9w"), "7 days"),
        (FAILED + GUESSING.replace("event_count", "value_median").replace("10}", "10, field: x}"), "value_median"),
        (FAILED + "---\nogrewatch: {supress: 5m}", "knows no supress"),
        (FAILED + "---\nogrewatch: {suppress: soon}", "no time span"),
        ("just text", "no mapping"),
        ("a: [", "file.yml"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: *b", "file.yml"),
        ("[" * 5000, "file.yml"),
        ("!!python/object/apply:os.system [id]", "file.yml"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(text: str, says: str) -> None:
    found = read(text)
    assert says in reasons(found)


def test_one_bad_rule_does_not_cost_the_others() -> None:
    bad = FAILED.replace("0001", "0009").replace("name: failed", "name: bad").replace("event.outcome", "nothing")
    found = read(FAILED + "---" + bad)
    assert len(found.rules) == 1
    assert "nothing" in reasons(found)


def test_correlations_of_correlations_have_three_levels_at_most() -> None:
    def level(number: int) -> str:
        inner = f"level{number - 1}" if number else "failed"
        return f"""
---
title: Level {number}
name: level{number}
id: 11111111-0000-0000-0000-00000000010{number}
correlation: {{type: event_count, rules: [{inner}], group-by: [source.ip], timespan: 1h, condition: {{gte: 2}}}}
"""

    found = read(FAILED + "".join(map(level, range(3))))
    assert len(found.correlations) == 3
    assert not found.refused
    assert "3 levels" in reasons(read(FAILED + "".join(map(level, range(4)))))


def test_a_folder_is_read_and_what_is_too_large_is_not(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.yml").write_text(FAILED)
    (tmp_path / "huge.yaml").write_bytes(b"#" * (LARGEST + 1))
    (tmp_path / "other.txt").write_text("nothing")
    found = load_folder(tmp_path)
    assert len(found) == 1
    assert "huge.yaml" in reasons(found)


def test_slow_rules_need_a_word() -> None:
    slow = FAILED.replace("{ogrewatch.attempt|gte: 1, event.outcome: failure}", "{process.pid|gt: 1}")
    for text, left in ((slow, 0), (slow + "---\nogrewatch: {allow_slow: true}", 1)):
        found = read(text)
        load.without_slow(found, list(found.rules.values()))
        assert len(found.rules) == left


def test_a_document_of_ours_about_no_rule_of_its_file_is_an_error() -> None:
    found = read(FAILED + "---\nogrewatch: {rule: faild, suppress: 1m}\n")
    assert "about the rule 'faild', which is not in this file; is 'failed' meant?" in reasons(found)
    assert len(found.rules) == 1
    assert "no name" in reasons(read(FAILED + "---\nogrewatch: {rule: [x]}\n"))


def test_a_condition_from_above_is_refused_by_name() -> None:
    assert "gt and gte" in reasons(read(FAILED + GUESSING.replace("gte: 10", "lt: 10")))


def test_a_mounted_config_map_is_read_one_time(tmp_path: Path) -> None:
    """https://kubernetes.io/docs/concepts/configuration/configmap/: each file is a link by way of ..data."""
    version = tmp_path / "..2026_11_24"
    version.mkdir()
    (version / "failed.yml").write_text(FAILED)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "failed.yml").symlink_to("..data/failed.yml")
    found = load_folder(tmp_path)
    assert (len(found), found.refused) == (1, [])
