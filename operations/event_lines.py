"""Shows events as one line each, for a terminal."""

from typing import Any

from operations.printable import printable

_LONGEST = 300  # characters of a message


def of_row(row: dict[str, Any]) -> str:
    """A row of the tail: time, dataset, host, and the message."""
    return _line(row["@timestamp"], row["dataset"], row["host"], row["outcome"], row["message"])


def of_document(event: dict[str, Any]) -> str:
    """An event as a search answers it, with its id."""
    about = event.get("event", {})
    host, outcome = event.get("host", {}).get("hostname", ""), about.get("outcome", "")
    shown = _line(event["@timestamp"], about.get("dataset", ""), host, outcome, event.get("message", ""))
    return f"{shown}  [{printable(event['id'])}]"


def extent(found: dict[str, Any]) -> str:
    """How many events there are of those that are shown."""
    least = "at least " if found["total_is"] != "exact" else ""
    text = f"{len(found['events']):,} of {least}{found['total']:,} events, {found['took_ms']} ms"
    text += "" if found["complete"] else ", not complete: Elasticsearch did not finish in time"
    drops = [f"{printable(one['term'])} ({one['total']:,})" for one in found.get("without", ()) if one["total"]]
    return f"{text}. There are some without one of: {', '.join(drops)}." if drops else f"{text}."


def _line(time: str, dataset: str, host: str, outcome: str, message: str) -> str:
    mark = {"failure": "x", "success": "+"}.get(outcome, " ")
    text = f"{time[:23]} {mark} {dataset:12} {host:12} {message[:_LONGEST]}"
    return printable(text)
