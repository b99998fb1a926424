"""Tests that text which would steer a terminal is escaped wherever it is shown."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.printable import printable
from operations.process import command_line

_NASTY = "b\x1b[31mo\x9b2Jb\u202e"
_LINE = f"<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user {_NASTY} from 81.2.69.142 port 40022"
_LOG = """
import logging
from operations.printable import guard_logs
guard_logs()
log = logging.getLogger("ogrewatch.test")
log.warning("not understood: %s", {line!r})
try:
    raise ValueError({line!r})
except ValueError:
    log.exception("failed")
"""


@given(st.text())
def test_nothing_is_left_that_is_not_printable(text: str) -> None:
    assert printable(text).isprintable()


@given(st.dictionaries(st.text(), st.text()))
def test_json_stays_what_it_is(found: dict[str, str]) -> None:
    assert json.loads(printable(json.dumps(found, ensure_ascii=False, indent=1), keep="\n")) == found


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_explain_shows_a_line_that_a_terminal_would_obey(options: tuple[str, ...]) -> None:
    done = subprocess.run(command_line("explain", *options, _LINE), capture_output=True, text=True, check=True)
    assert "".join(done.stdout.splitlines()).isprintable()
    assert "\\u001b[31mo\\u009b2Jb\\u202e" in done.stdout


def test_logs_show_input_on_one_line() -> None:
    line = f"{_NASTY}\nCRITICAL:root:forged"
    code = _LOG.format(line=line)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = done.stderr.splitlines()
    assert "".join(told).isprintable()
    assert told[0] == "not understood: b\\u001b[31mo\\u009b2Jb\\u202e\\nCRITICAL:root:forged"
    assert told[1:3] == ["failed", "Traceback (most recent call last):"]
