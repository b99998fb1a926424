"""Logs of a process: lines to read, or a JSON object a line whatever was logged."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from topics.logs import JsonFormatter

ROOT = Path(__file__).parents[2]


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("ogrewatch.transport", logging.WARNING, "", 1, message, args, told)


def test_a_record_is_one_line_of_json() -> None:
    line = JsonFormatter("count").format(record("Kafka at %s\n does not \u0007 answer \u2028", "h:1"))
    assert "\n" not in line
    found = json.loads(line)
    when = found.pop("time")
    assert found == {
        "level": "WARNING",
        "logger": "ogrewatch.transport",
        "role": "count",
        "message": "Kafka at h:1\n does not \u0007 answer \u2028",
    }
    assert when.endswith("Z")
    assert len(when) == len("2026-01-02T03:04:05.678Z")


def test_a_traceback_is_part_of_its_line() -> None:
    try:
        raise ValueError("wrong")
    except ValueError as error:
        line = JsonFormatter("index").format(record("failed", error=error))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: wrong")


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_process_prints_what_is_severe_enough(style: str) -> None:
    program = (
        "import logging; from topics.logs import print_logs; "
        f"print_logs('web', 'WARNING', {style!r}); logging.info('no'); logging.warning('yes')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    if style == "json":
        assert json.loads(line)["message"] == "yes"
    else:
        assert line.endswith(" WARNING root: yes")
