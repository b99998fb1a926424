"""How values of events are compared: as text, folded, or as numbers.

Everything here must agree with what `alerts.engine.literals` looks for in encoded events: a text that a test finds must
stand in the encoding, too, once both are in small letters.
"""

from collections.abc import Iterable
from typing import Any

import orjson

_KELVIN, _DOTTED = "\u212a", "\u0130"
_KEPT = str.maketrans({_KELVIN: "\ue000", _DOTTED: "\ue001"})
"""Two letters beyond ASCII whose small letters are ASCII: in the encoding they are not, so they stay what they are."""


def fold(text: str) -> str:
    """A text as it is compared without regard to case: in small letters; ASCII letters come from ASCII letters only."""
    if text.isascii():
        return text.lower()
    return text.translate(_KEPT).lower()


def texts_of(value: Any) -> tuple[str, ...]:
    """A value as texts, none of them empty: one for a plain value, one for each item of a list, none if it is absent.

    Absent are None, "", an empty list, and -1 in a column of numbers (`topics.fields.ABSENT`).
    """
    if type(value) is str:
        return (value,) if value else ()
    if value is None or value == -1:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(text for item in value for text in texts_of(item))
    return (_text(value),)


def _text(value: Any) -> str:
    """A value as JSON writes it: what stands in the encoded event."""
    return orjson.dumps(value, default=str).decode()


def numbers_of(texts: Iterable[str]) -> list[float]:
    """The texts that are numbers, as numbers."""
    found = []
    for text in texts:
        try:
            found.append(float(text))
        except ValueError:
            continue
    return found
