"""Shows dead letters as text for a terminal, with control characters escaped, or as JSON for programs."""

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from topics.records.deadletter import DeadLetter

Fate = dict[str, Any] | None
_BEGINNING = 200  # bytes of a record that a table shows


def safe(text: str | bytes | None) -> str:
    """Return one line in which everything that is not printable, and the backslash, is escaped as in Python."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return "".join(c if c.isprintable() and c != "\\" else _escaped(c) for c in text or "")


def clock(millis: int) -> str:
    """Write a time in milliseconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def table(letters: Iterable[tuple[DeadLetter, Fate]], more: int) -> Table:
    """A table with a line for each letter. `more` is the number of letters that are left out."""
    found = Table(box=box.SIMPLE_HEAD, caption=f"{more:,} earlier ones: --limit." if more else None)
    for name in ("Given up", "Id", "Reason", "Record", "Fate"):
        found.add_column(name, overflow="fold", no_wrap=name == "Given up")
    for letter, fate in letters:
        start = safe((letter.value or b"")[:_BEGINNING])
        cells = clock(letter.time)[:19], safe(letter.id), safe(letter.reason), start, fate["fate"] if fate else ""
        found.add_row(*map(Text, cells))
    return found


def page(letter: DeadLetter, fate: Fate) -> str:
    """Return everything about one letter, one line for each field."""
    return "\n".join(f"{name + ':':10} {text}" for name, text in _lines(letter, fate))


def as_json(letter: DeadLetter, fate: Fate) -> dict[str, Any]:
    """Return everything about one letter. `value` is readable text, `value_base64` is exact."""
    return {
        "id": letter.id,
        "component": letter.component,
        "version": letter.version,
        "time": clock(letter.time),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "received": clock(letter.timestamp),
        "reason": letter.reason,
        "error": letter.error,
        "key": _text(letter.key),
        "value": _text(letter.value),
        "value_base64": None if letter.value is None else base64.b64encode(letter.value).decode(),
        "cut": letter.cut,
        "headers": {name: _text(value) for name, value in letter.headers},
        "letter": {"partition": letter.place[0], "offset": letter.place[1]},
        "fate": None if fate is None else {"fate": fate["fate"], "at": clock(fate["at"]), "by": fate["by"]},
    }


def _lines(letter: DeadLetter, fate: Fate) -> Iterator[tuple[str, str]]:
    yield "Id", safe(letter.id)
    yield "Given up", f"{clock(letter.time)} by {safe(letter.component)} {safe(letter.version)}"
    yield "Reason", f"{safe(letter.reason)}: {safe(letter.error)}"
    yield "Received", clock(letter.timestamp)
    yield "Key", safe(letter.key)
    for name, value in letter.headers:
        yield "Header", f"{safe(name)} = {safe(value)}"
    yield "Letter", f"partition {letter.place[0]}, offset {letter.place[1]}"
    yield "Fate", f"{fate['fate']} {clock(fate['at'])} by {safe(fate['by'])}" if fate else "none yet"
    if letter.cut is not None:
        size = f"{letter.cut:,}" if letter.cut >= 0 else "too many"
        yield "Cut", f"the first {len(letter.value or b''):,} of {size} bytes; this letter cannot be sent again"
    yield "Record", safe(letter.value)


def _text(text: bytes | None) -> str | None:
    return None if text is None else text.decode("utf-8", "backslashreplace")


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
