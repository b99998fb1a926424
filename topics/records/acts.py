"""Encodes what people do with alerts: acknowledge, close, reopen, note. JSON in the topic `alerts.acts`, by alert id.

Whoever writes an act has checked that the alert exists. Acts of one alert count in the order of their offsets, whatever
times they claim; the index role adds them to the alert's document (`topics.documents.alert`).
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import orjson

from topics.errors import OgrewatchError

Kind = Literal["acknowledge", "close", "reopen", "note"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VERDICTS = ("", "true_positive", "false_positive", "benign")
"""What a person found, when an alert is closed; "" when nothing is said."""
LONGEST = {"by": 256, "assignee": 256, "comment": 4096}
"""Most characters of what people write."""
_ID = re.compile(r"[0-9a-f]{32}")


class InvalidAct(OgrewatchError, ValueError):
    """A record is not an act, or an act says what it may not."""


@dataclass(frozen=True, slots=True)
class Act:
    """What `by` did with an alert at `at`, milliseconds since 1970. Raises `InvalidAct`."""

    alert: str
    kind: Kind
    by: str
    at: int
    comment: str = ""
    verdict: str = ""
    assignee: str = ""

    def __post_init__(self) -> None:
        texts = (self.alert, self.kind, self.by, self.comment, self.verdict, self.assignee)
        if not all(type(text) is str for text in texts) or type(self.at) is not int:
            raise InvalidAct("an act is made of texts, and a time")
        if not _ID.fullmatch(self.alert):
            raise InvalidAct("an alert's id is 32 hexadecimal digits")
        if self.kind not in KINDS:
            raise InvalidAct(f"what is done with an alert is one of {', '.join(KINDS)}")
        if self.verdict not in VERDICTS or (self.verdict and self.kind != "close"):
            raise InvalidAct(f"a verdict goes with `close`, and is one of {', '.join(VERDICTS[1:])}")
        if self.kind == "note" and not self.comment:
            raise InvalidAct("a note has a comment")
        for name, most in LONGEST.items():
            if len(getattr(self, name)) > most:
                raise InvalidAct(f"`{name}` is longer than {most} characters")


def is_id(text: str) -> bool:
    """Whether a text can be the id of an alert."""
    return _ID.fullmatch(text) is not None


def encode(act: Act) -> bytes:
    """Encode an act. Its key is the alert's id."""
    return orjson.dumps(asdict(act))


def decode(value: bytes | None) -> Act:
    """Decode an act. Raises `InvalidAct`."""
    try:
        found: Any = orjson.loads(value or b"")
        return Act(**found)
    except (orjson.JSONDecodeError, TypeError) as error:
        raise InvalidAct(f"no act: {error}") from None
