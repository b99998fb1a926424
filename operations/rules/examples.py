"""Runs the tests that rules bring along: raw lines in a row, and how many alerts they must raise.

The lines are parsed, enriched, encoded and judged as in production, so a test fails when a parser changes. It stands in
the file of its rule:

    ogrewatch:
        tests:
            - expect: 1                      # alerts of the rule
              lines:
                - {times: 10, every: 5, line: "sshd[7]: Failed password for root from 192.0.2.7 port 50{n} ssh2"}
                - {wait: 60, host: web2, line: "..."}

`{n}` becomes 1, 2, ...; `every` and `wait` are seconds; a `raw` line is taken as it stands, headers and all, else one
of RFC 3164 is put before it. Lines that are JSON objects need no header.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.settings import Settings
from alerts.correlation.groups import Place
from alerts.correlation.judge import Judge
from alerts.engine.engines import staged_engines
from alerts.rules.errors import RuleError
from alerts.rules.load import Example, RuleSet
from operations.rules.lines import LineEncoder
from topics.fields import TYPES

_BEGIN = datetime(2026, 11, 24, 10, tzinfo=UTC)
_KEYS = {"line", "raw", "times", "every", "wait", "host", "priority"}
_MOST_LINES = 100_000
_LARGEST = 1_000_000
"""Seconds between two lines, and repetitions of one; with 100,000 lines the time stays within datetime's years."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many alerts the rule of a test raised, and how many it should have."""

    rule: str
    expected: int
    found: int

    @property
    def passed(self) -> bool:
        """Whether both numbers are equal."""
        return self.expected == self.found


class Examples:
    """Runs tests of the rules of one set. Databases of GeoIP are those of the settings."""

    def __init__(self, rules: RuleSet, settings: Settings | None = None) -> None:
        self._rules, self._encoder = rules, LineEncoder(settings or Settings())
        self._engines = staged_engines(rules.rules.values())

    def run(self, example: Example) -> Outcome:
        """Run a test. Raises `RuleError` when its content is not one."""
        expected = example.content.get("expect")
        if not isinstance(expected, int) or not isinstance(example.content.get("lines"), list):
            raise RuleError("a test has `expect`, a number of alerts, and `lines`")
        raised, judge = set(), Judge(self._rules)
        self._encoder.restart()
        for offset, (at, line) in enumerate(_lines(example.content["lines"])):
            kind, value, _, _ = self._encoder.encode(line, at)
            for match in self._engines[kind].match([value]):
                changes = judge.see(match, Place(TYPES.index(kind), offset, at))
                raised |= {change.alert.id for change in changes if change.rule.id == example.rule}
            for _ in judge.expire(at):
                pass
        return Outcome(example.rule, expected, len(raised))


def _lines(entries: list[Any]) -> Iterator[tuple[int, bytes]]:
    """Times in microseconds since 1970, and lines."""
    at, number = _BEGIN, 0
    for entry in entries:
        if isinstance(entry, str):
            entry = {"line": entry}
        if not isinstance(entry, dict) or entry.keys() - _KEYS:
            raise RuleError(f"a line of a test has {', '.join(sorted(_KEYS))}, and nothing else")
        wait, every, times = (_number(entry, name) for name in ("wait", "every", "times"))
        at += timedelta(seconds=wait)
        for n in range(1, int(times) + 1):
            if n > 1:
                at += timedelta(seconds=every)
            if (number := number + 1) > _MOST_LINES:
                raise RuleError(f"a test has more than {_MOST_LINES} lines")
            yield int(at.timestamp()) * 1_000_000, _line(entry, n, at)


def _number(entry: dict[str, Any], name: str) -> float:
    value = entry.get(name, 1)
    if isinstance(value, int | float) and 0 <= value <= _LARGEST:
        return float(value)
    raise RuleError(f"`{name}` of a line of a test is no number from 0 to {_LARGEST}")


def _line(entry: dict[str, Any], n: int, at: datetime) -> bytes:
    text = str(entry.get("raw") or entry.get("line", "")).replace("{n}", str(n))
    if "raw" in entry or text.startswith("{"):
        return text.encode("utf-8", "backslashreplace")
    return f"<{entry.get('priority', 38)}>{at:%b %e %H:%M:%S} {entry.get('host', 'web1')} {text}".encode(
        "utf-8", "backslashreplace"
    )
