"""`ogrewatch bench detect`: rules are made up to a number, and their cost is measured beside no rules."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cli.bench import app
from operations.bench.detect import measure
from operations.bench.errors import BenchError
from operations.bench.made_rules import made_rules

LINE = "<38>Oct  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.7 port 50 ssh2\n"


@pytest.mark.parametrize("number", [5, 200, 464])
def test_as_many_rules_are_made_as_wanted_and_always_the_same(number: int) -> None:
    found = made_rules(number)
    assert len(found.rules) == number
    assert found.rules == made_rules(number).rules
    assert bool(found.correlations) == (number > 100)


def test_what_rules_cost_is_printed(tmp_path: Path) -> None:
    (corpus := tmp_path / "corpus.log").write_text(LINE * 20)
    result = CliRunner().invoke(app, ["detect", "--rules", "60", "--corpus", str(corpus), "--json"])
    found = orjson.loads(result.output)
    assert (found["events"], found["rules"], found["matches"]) == (20, 60, 40)
    assert 0 < found["us_an_event"]["no_rules"] < found["us_an_event"]["rules"]
    assert not found["always_decoded"]


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="has no rule that can be used"):
        measure(1, None, tmp_path)
