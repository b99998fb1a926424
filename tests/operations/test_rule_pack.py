"""Every packaged rule raises alerts for the lines that it should, and none for those that it should not."""

from pathlib import Path

import pytest

import alerts
from alerts.engine.engines import StagedEngine
from alerts.rules.correlation import Correlation
from alerts.rules.errors import RuleError
from alerts.rules.load import Example, RuleSet, load_folder
from alerts.rules.model import Rule
from operations.rules.examples import Examples
from topics.fields import TYPES

FOLDER = Path(alerts.__file__).parent / "pack"
PACK = load_folder(FOLDER)
EXAMPLES = Examples(PACK)


def test_all_of_it_can_be_used() -> None:
    assert not PACK.refused
    assert not [rule.name for kind in TYPES for rule in StagedEngine(kind, PACK.rules.values()).always]


@pytest.mark.parametrize("example", PACK.examples, ids=lambda example: example.rule)
def test_a_rule_says_what_it_should(example: Example) -> None:
    outcome = EXAMPLES.run(example)
    assert outcome.found == outcome.expected


def test_each_rule_that_alerts_has_a_line_for_and_one_against_it_and_says_what_to_do() -> None:
    expected: dict[str, set[bool]] = {}
    for example in PACK.examples:
        expected.setdefault(example.rule, set()).add(example.content["expect"] > 0)
    judged: list[Rule | Correlation] = [*PACK.rules.values(), *PACK.correlations.values()]
    for rule in judged:
        if not rule.silent:
            assert expected.get(rule.id) == {True, False}, rule.name
            assert rule.about.runbook, rule.name
            assert rule.about.description, rule.name
            assert rule.about.author == "Ogrewatch"


@pytest.mark.parametrize("content", [{}, {"expect": 1, "lines": "x"}, {"expect": 1, "lines": [{"lien": "x"}]}])
def test_a_test_that_is_none_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        Examples(RuleSet()).run(Example("r", content))
