"""Counts which share of a file of logs each stream understood, and the commonest shapes of lines that none did."""

import re
from collections import Counter
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from operations.printable import plain
from streams.common.text import is_ip
from streams.dispatch import UNPARSED, UNPARSED_JSON
from streams.registry import Registry, discover
from topics.event import Event

_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}")
_HEX = re.compile(r"\b(?:0x[0-9A-Fa-f]{1,64}|(?=[a-f]{0,64}[0-9])(?=[0-9]{0,64}[a-f])[0-9a-f]{6,64})\b", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+")
_LOOKED_AT = 400
_SHOWN = 160
_REMEMBERED = 50_000

Shape = tuple[str, str]
"""Program and masked message."""


class Coverage:
    """Counts events by stream. Memory is bounded: of very many different shapes the rare ones are forgotten."""

    def __init__(self) -> None:
        self._registry = Registry(discover())
        self._lines: Counter[str] = Counter()
        self._understood: Counter[str] = Counter()
        self._shapes: Counter[Shape] = Counter()
        self._examples: dict[Shape, str] = {}
        self._errors = 0

    def add(self, event: Event) -> None:
        """Count the event of one line."""
        self._errors += event.get("event_kind") == "pipeline_error"
        dataset = event["event_dataset"]
        if dataset not in (UNPARSED, UNPARSED_JSON):
            name = dataset.partition(".")[0]
            self._understood[name] += 1
        else:
            name = self._stream_of(event)
            self._remember(event)
        self._lines[name] += 1

    def _stream_of(self, event: Event) -> str:
        """The stream that should have understood it: "" when no stream names the program, or several do."""
        found = {stream.name.partition(".")[0] for stream in self._registry.known(event.get("process_name", ""))}
        return found.pop() if len(found) == 1 else ""

    def _remember(self, event: Event) -> None:
        if len(self._shapes) >= _REMEMBERED:
            self._shapes = Counter(dict(self._shapes.most_common(_REMEMBERED // 2)))
            self._examples = {shape: self._examples[shape] for shape in self._shapes}
        shape = (event.get("process_name", ""), masked(event["message"]))
        self._shapes[shape] += 1
        self._examples.setdefault(shape, event["event_original"][:_LOOKED_AT])

    def report(self, limit: int) -> dict[str, Any]:
        """Return all counts as JSON values, with at most `limit` shapes."""
        lines, understood = self._lines.total(), self._understood.total()
        return {
            "lines": lines,
            "understood": understood,
            "share": _share(understood, lines),
            "errors": self._errors,
            "streams": [self._row(name) for name, _ in self._lines.most_common() if name],
            "of_no_stream": self._lines[""],
            "shapes": [
                {"lines": count, "program": shape[0], "shape": shape[1], "example": self._examples[shape]}
                for shape, count in self._shapes.most_common(limit)
            ],
        }

    def _row(self, name: str) -> dict[str, Any]:
        lines, understood = self._lines[name], self._understood[name]
        return {"stream": name, "lines": lines, "understood": understood, "share": _share(understood, lines)}


def masked(message: str) -> str:
    """Return a message in which addresses, hexadecimal numbers and numbers are replaced by ADDRESS, HEX and N."""
    text = _ADDRESS.sub(_mask_address, message[:_LOOKED_AT])
    return _NUMBER.sub("N", _HEX.sub("HEX", text))[:_SHOWN]


def _mask_address(found: re.Match[str]) -> str:
    bare = found[0].rstrip(".:")
    address = next((part for part in (found[0], bare, bare.rpartition(":")[0]) if is_ip(part)), None)
    return "ADDRESS" + found[0][len(address) :] if address else found[0]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def shown(report: dict[str, Any]) -> RenderableType:
    """The report for a terminal."""
    streams = Table(box=box.SIMPLE_HEAD, title="Understood")
    streams.add_column("Stream")
    for name in ("Lines", "Understood", "Share"):
        streams.add_column(name, justify="right")
    for row in report["streams"]:
        streams.add_row(row["stream"], *_figures(row))
    if report["of_no_stream"]:
        streams.add_row("(no stream)", f"{report['of_no_stream']:,}", "0", "0.0%")
    streams.add_section()
    streams.add_row("All", *_figures(report))
    return Group(streams, _shapes(report)) if report["shapes"] else streams


def _shapes(report: dict[str, Any]) -> Table:
    shapes = Table(box=box.SIMPLE_HEAD, title="Not understood")
    shapes.add_column("Lines", justify="right")
    shapes.add_column("Program")
    shapes.add_column("Shape", overflow="fold")
    for row in report["shapes"]:
        shapes.add_row(f"{row['lines']:,}", plain(row["program"]), plain(row["shape"]))
    return shapes


def _figures(row: dict[str, Any]) -> tuple[str, str, str]:
    return f"{row['lines']:,}", f"{row['understood']:,}", f"{row['share']:.1%}"
