"""What could not be processed: a record of the dead-letter topic, original key and bytes, the reason in headers."""

from functools import cache
from importlib.metadata import version
from typing import Any

from topics.catalogue import DEADLETTER


def letter(prefix: str, component: str, record: Any, reason: str, text: str) -> Any:
    """A dead letter, ready to be delivered: key, value and time of the consumed record that `component` gave up on.

    Its headers say who gave up, where the record stood, the class of the reason and its text.
    """
    return (
        prefix + DEADLETTER.name,
        record.key,
        record.value,
        None,
        record.timestamp,
        [
            ("component", component),
            ("version", _version()),
            ("topic", record.topic),
            ("partition", str(record.partition)),
            ("offset", str(record.offset)),
            ("reason", reason),
            ("error", text[:2000]),
        ],
    )


@cache
def _version() -> str:
    """Read once: the metadata is a file."""
    return version("ogrewatch")
