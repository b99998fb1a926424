"""Decides on the letters that are wanted. They are read twice, so that only some are in memory at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence

from agents.settings import Settings
from operations.dead_letters.mailbox import CUT, PRESENT, REPLAYED, Place, Wanted, letters, search
from operations.dead_letters.replay import Decider
from operations.ledger.store import Store
from topics.avro.codec import CodecError, decode_head
from topics.catalogue import RAW, STATS
from topics.event import id_of
from topics.kafka.reader import Reader
from topics.records.deadletter import DeadLetter

_SOME, _SIZE = 5000, 32 << 20  # the most letters and bytes in memory; one letter may be larger

Plan = dict[str, list[Place]]
Decision = tuple[str, DeadLetter, Sequence[Place]]


def plan(reader: Reader, settings: Settings, wanted: Wanted) -> Plan:
    """Find the letters that are wanted and undecided, by id; blocks."""
    found: Plan = {}
    for letter, _ in search(reader, settings, wanted):
        found.setdefault(letter.id, []).append(letter.place)
    return found


def carry_out(reader: Reader, settings: Settings, decider: Decider, what: str, planned: Plan) -> dict[str, int]:
    """Decide as planned; blocks. Returns the number of letters by decision.

    Letters whose events are stored are not sent again. Letters that were cut cannot be: they stay undecided.
    """
    done: Counter[str] = Counter()

    def decisions() -> Iterator[Decision]:
        with Store(settings) as store:
            for some in _some(reader, settings, planned):
                there = _stored(settings, store, some) if what == REPLAYED else set()
                for letter in some:
                    decided = PRESENT if letter.id in there else what
                    if decided == REPLAYED and letter.cut is not None:
                        done[CUT] += 1
                        continue
                    done[decided] += 1
                    yield decided, letter, planned[letter.id]

    decider.decide(decisions())
    return dict(done)


def event_id(settings: Settings, letter: DeadLetter) -> str:
    """The identity of the event that a letter is about; "" when there is none, or it cannot be read."""
    if letter.topic in {settings.prefix + topic.name for topic in RAW}:
        return f"{letter.topic}-{letter.partition}-{letter.offset}"
    if letter.topic == settings.prefix + STATS.name:
        return ""
    try:
        return id_of(decode_head(letter.value or b""))
    except CodecError:
        return ""


def _some(reader: Reader, settings: Settings, planned: Plan) -> Iterator[list[DeadLetter]]:
    """Read the first letter of each id, in batches."""
    firsts = {(identity, places[0]) for identity, places in planned.items()}
    some: list[DeadLetter] = []
    size = 0
    for letter in letters(reader, settings):
        if (letter.id, letter.place) not in firsts:
            continue
        some.append(letter)
        size += len(letter.value or b"")
        if len(some) >= _SOME or size >= _SIZE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _stored(settings: Settings, store: Store, some: list[DeadLetter]) -> set[str]:
    """Ids of letters whose events are stored. Letters of count are not among them: their events have to be counted."""
    events = {letter.id: event_id(settings, letter) for letter in some if letter.component != "count"}
    there = store.stored(sorted({event for event in events.values() if event}))
    return {identity for identity, event in events.items() if event in there}
