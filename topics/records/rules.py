"""Encodes the rules in force, and silences: JSON in the compacted topic `rules`, which every detect worker reads.

The record of key `KEY` is the whole set of rule files, so that workers never judge by half of a change. It is the text
of the files as they were applied; `alerts.rules.load` reads them. A record whose key is the id of a silence says that a
rule is expected to raise alerts for a while; a tombstone ends it.
"""

from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from topics.catalogue import MAX_RECORD
from topics.errors import OgrewatchError

KEY = b"rules"
"""Key of the set of rules."""
SILENCE = b"silence/"
"""How keys of silences begin."""


class InvalidRules(OgrewatchError, ValueError):
    """A record of the topic is not what its key says, or a set is too large for one record."""


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """Rule files by name, their text, applied by `by` at `at`, milliseconds since 1970. `pack`: the packaged rules are
    judged, too.
    """

    files: dict[str, str]
    pack: bool = True
    by: str = ""
    at: int = 0

    @property
    def version(self) -> str:
        """Names the content: sets with equal files have equal versions."""
        return blake2b(orjson.dumps([sorted(self.files.items()), self.pack]), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts of `rule` (an id) whose group has these fields are expected until `until`, milliseconds since 1970."""

    id: str
    rule: str
    until: int
    group: dict[str, str] = field(default_factory=dict)
    by: str = ""
    reason: str = ""
    at: int = 0

    @property
    def key(self) -> bytes:
        """The key of its record."""
        return SILENCE + self.id.encode()

    def covers(self, rule: str, group: dict[str, str], now: int) -> bool:
        """Whether an alert of a rule, about a group, is expected at `now`, milliseconds since 1970."""
        return rule == self.rule and now < self.until and self.group.items() <= group.items()


def encode(record: RuleFiles | Silence) -> bytes:
    """Encode a set of rules or a silence. Raises `InvalidRules` when it is too large for one record."""
    value = orjson.dumps(asdict(record))
    if len(value) > MAX_RECORD:
        raise InvalidRules(f"the rules take {len(value):,} bytes, and at most {MAX_RECORD:,} can be applied")
    return value


def decode_files(value: bytes) -> RuleFiles:
    """Decode a set of rules. Raises `InvalidRules`."""
    found: RuleFiles = _decoded(RuleFiles, value)
    if not isinstance(found.files, dict) or not all(isinstance(text, str) for text in found.files.values()):
        raise InvalidRules("rule files are texts by name")
    return found


def decode_silence(value: bytes) -> Silence:
    """Decode a silence. Raises `InvalidRules`."""
    found: Silence = _decoded(Silence, value)
    if not isinstance(found.group, dict) or type(found.until) is not int:
        raise InvalidRules("a silence has a group, and a time when it ends")
    return found


def _decoded(kind: Any, value: bytes) -> Any:
    try:
        return kind(**orjson.loads(value))
    except (orjson.JSONDecodeError, TypeError) as error:
        raise InvalidRules(f"no {kind.__name__}: {error}") from None
