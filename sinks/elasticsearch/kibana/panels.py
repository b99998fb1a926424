"""Defines what a dashboard is made of: panels with their searches, in words of ours.

Queries are Lucene's: the same text is a search in Kibana and in Elasticsearch, where the tests run it.
"""

from dataclasses import dataclass
from typing import Literal

COLUMNS = 48
"""The width of a dashboard in Kibana's grid."""

Chart = Literal["metric", "bar", "line", "table", "map"]
Operation = Literal["count", "unique_count", "sum", "max", "share"]
View = Literal["logs", "attempts", "alerts"]


@dataclass(frozen=True, slots=True)
class Value:
    """A number that a panel shows. A share is the sum of `field` where `part` matches, divided by the whole sum."""

    label: str
    operation: Operation = "count"
    field: str = ""
    part: str = ""


EVENTS = Value("Events")


@dataclass(frozen=True, slots=True)
class Top:
    """Splits by the values of a field: those `size` values that come first when ordered by the panel's first value."""

    field: str
    size: int
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `at` is its column, row, width and height; charts over time have their time axis besides `by`.

    `only_when_wrong` says that a healthy installation finds nothing here.
    """

    chart: Chart
    title: str
    at: tuple[int, int, int, int]
    query: str = ""
    view: View = "logs"
    by: tuple[Top, ...] = ()
    values: tuple[Value, ...] = (EVENTS,)
    only_when_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    name: str
    about: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A saved search: documents, newest first, with these columns."""

    name: str
    query: str
    columns: tuple[str, ...]
    view: View = "logs"
