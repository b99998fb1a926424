"""Collects which records and events are accounted for by dead letters."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agents.settings import Settings
from operations.dead_letters.mailbox import REPLAYED, decisions, letters
from operations.ledger.counts import At
from topics.catalogue import RAW, STATS
from topics.kafka.reader import Reader
from topics.records.deadletter import DeadLetter

Origin = tuple[str, int, int]
"""Raw topic, partition and offset: the identity of an event."""
OriginOf = Callable[[bytes], Origin | None]
"""Reads the origin of an encoded event; None when it cannot be read."""


@dataclass(slots=True)
class Given:
    """The offsets of dead letters by raw partition: `records` are those of normalize, `events` those of index.

    Offsets that were sent again are in `again` only: they should be stored by now, or be letters again. `unread` counts
    letters of index whose event cannot be identified. `number` counts letters by the partition of their records.
    """

    records: dict[At, set[int]] = field(default_factory=lambda: defaultdict(set))
    events: dict[At, set[int]] = field(default_factory=lambda: defaultdict(set))
    again: dict[At, set[int]] = field(default_factory=lambda: defaultdict(set))
    unread: Counter[At] = field(default_factory=Counter)
    number: Counter[At] = field(default_factory=Counter)


def given_up(reader: Reader, settings: Settings, since: int, origin_of: OriginOf) -> Given:
    """Read the letters about records since a time; blocks. A letter that was written several times counts once."""
    found, decided = Given(), decisions(reader, settings)
    raw = {settings.prefix + topic.name for topic in RAW}
    origins: dict[str, Origin | None] = {}
    standing: dict[str, DeadLetter] = {}
    for letter in letters(reader, settings, since):
        if letter.component != "count" and letter.topic != settings.prefix + STATS.name:
            origins[letter.id] = _origin(letter, raw, origin_of)
            fate = decided.of(letter)
            if fate is None or fate["fate"] != REPLAYED:
                standing[letter.id] = _stripped(letter)
    for identity, origin in origins.items():
        _note(found, standing.get(identity), origin)
    for at, offsets in found.again.items():
        offsets -= found.records[at] | found.events[at]
    return found


def _origin(letter: DeadLetter, raw: set[str], origin_of: OriginOf) -> Origin | None:
    if letter.topic in raw:
        return letter.topic, letter.partition, letter.offset
    return origin_of(letter.value or b"")


def _stripped(letter: DeadLetter) -> DeadLetter:
    """Drop the content of a letter, because there may be many and large ones."""
    return replace(letter, key=None, value=None, headers=[], error="")


def _note(found: Given, letter: DeadLetter | None, origin: Origin | None) -> None:
    """Note a letter that was not sent again or, for None, that the record of `origin` was sent again."""
    if letter is None:
        if origin is not None:
            found.again[origin[0], origin[1]].add(origin[2])
        return
    found.number[letter.topic, letter.partition] += 1
    if origin is None:
        found.unread[letter.topic, letter.partition] += 1
    else:
        where = found.records if letter.component == "normalize" else found.events
        where[origin[0], origin[1]].add(origin[2])
