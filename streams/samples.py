"""Writes what the parsers make of each stream's `samples/*.log` to `samples/*.expected.json`, one event a line.

`python -m streams.samples [FOLDER...]` writes the expected events anew; read the difference before you keep it.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.event import Event

RECEIVED = 1_795_521_600_000_000
"""When all samples were received: 2026-11-24 12:00 UTC."""

_HERE = Path(__file__).parent


def logs(folders: Iterable[str] = ()) -> list[Path]:
    """The sample files of the named streams, of all when none is named."""
    wanted = set(folders)
    found = sorted(_HERE.glob("*/samples/*.log"))
    return [path for path in found if not wanted or path.parent.parent.name in wanted]


def expected_path(log: Path) -> Path:
    """Where the expected events of a sample file stand."""
    return log.with_suffix(".expected.json")


def lines(log: Path) -> list[bytes]:
    """The lines of a sample file."""
    return log.read_bytes().split(b"\n")[:-1]


def events(log: Path) -> list[Event]:
    """The events of a sample file, its zone being UTC and nothing known from other files."""
    dispatcher, state = Dispatcher(), MemoryState()
    return [dispatcher.parse(line, RECEIVED, state) for line in lines(log)]


def render(event: Event) -> str:
    """One line of an expected file."""
    return json.dumps(event, ensure_ascii=False, sort_keys=True)


def main(folders: list[str]) -> None:
    """Write the expected events of the named streams."""
    for log in logs(folders):
        expected_path(log).write_text("".join(render(event) + "\n" for event in events(log)))


if __name__ == "__main__":
    main(sys.argv[1:])
