"""Makes the records that save a state at one position, in the order in which they must become durable.

1. `first`: the pieces, which hold all groups that changed and all alerts that were decided; and forwarded matches.
2. `row`: the row, which names the positions of all logs and the number of pieces. With it the checkpoint is valid, as a
   whole. Then the batches up to these positions may be acknowledged.
3. `last`: the groups, one record each; the alerts; and erasures. It is sent only after the broker has confirmed, after
   the second step, that the writer is still the owner.

The pieces of a checkpoint are replaced by those of the next but one of the same owner, which begins after the third
step is durable. So whoever recovers takes the groups as their records say, and over them what the pieces of the newest
row say, and sends the alerts of these pieces again, word for word. Other pieces are of checkpoints whose third step is
durable, or which were never valid.

Rows and pieces are numbered as those of the count role (`agents.counting.checkpoint`), for the same reasons: an owner
that the broker did not confirm leaves pieces and one row behind, which lose against those of its successor, or are what
the successor went by.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.detection.forwards import outgoing
from agents.detection.logs import Log
from agents.detection.rulebook import RuleBook
from agents.detection.state import DetectionState
from agents.state.changelog import UNWRITTEN, ChangelogPartition
from agents.transport import Outgoing
from alerts.alert import OpenAlert
from alerts.correlation.judge import Change
from alerts.correlation.limits import Key
from alerts.document import document, group_of
from topics.catalogue import ALERTS, MATCHES

_ROW, _PIECE, _GROUP = b"R", b"J", b"G"
_NAME = struct.Struct(">BII")
_LARGEST = 400 << 10
"""Bytes of a piece, about: brokers take a MiB unless told otherwise."""


@dataclass(eq=False, slots=True)
class Stored:
    """A record of the changelog as it is in memory."""

    data: bytes
    position: int = -1
    generation: int = UNWRITTEN

    def payload(self) -> bytes:
        """What the record holds."""
        return self.data


@dataclass(eq=False, slots=True)
class DetectionStore:
    """What was recovered of one partition; `state` is made of it when it is opened."""

    partition: int
    partitions: int = 1
    row: Stored | None = None
    pieces: dict[bytes, Stored] = field(default_factory=dict)
    groups: dict[bytes, Stored] = field(default_factory=dict)
    state: DetectionState | None = None

    @property
    def by_topic(self) -> dict[str, Log]:
        """The logs, once it was opened."""
        return self.state.logs if self.state is not None else {}

    def find(self, name: bytes) -> Any:
        """The record of a name, or None."""
        if name == _ROW:
            return self.row
        return (self.pieces if name[:1] == _PIECE else self.groups).get(name)

    def put(self, name: bytes, payload: bytes) -> Any:
        """Keep a record."""
        made = Stored(payload)
        if name == _ROW:
            self.row = made
        else:
            (self.pieces if name[:1] == _PIECE else self.groups)[name] = made
        return made

    def remove(self, name: bytes) -> None:
        """Forget a record. It must exist."""
        if name == _ROW:
            self.row = None
        else:
            del (self.pieces if name[:1] == _PIECE else self.groups)[name]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What to write of one partition at one position, in three steps."""

    part: ChangelogPartition[DetectionStore]
    first: list[Outgoing]
    row: list[Outgoing]
    last: list[Outgoing]
    alerts: int


def resume(store: DetectionStore, prefix: str, book: RuleBook) -> DetectionState:
    """The state that was recovered; its logs are to be resumed. What the pieces hold is to be written again."""
    state = store.state = DetectionState(prefix, store.partition, store.partitions, book)
    told = orjson.loads(store.row.data) if store.row is not None else None
    groups = {_key(name): (orjson.loads(one.data), one.position, one.generation) for name, one in store.groups.items()}
    changed = set[Key]()
    for kind, name, content in _pieces(store, told):
        if kind == "a":
            state.inherited.append((name, orjson.dumps(content)))
            continue
        key = tuple(name)
        _, position, generation = groups.pop(key, (None, -1, UNWRITTEN))
        if content is None:
            state.lost[key] = position, generation
        else:
            groups[key] = content, position, generation
            changed.add(key)
    state.resume(told, groups)
    state.judge.dirty = changed & state.judge.groups.keys()
    store.groups = {}
    return state


def _pieces(store: DetectionStore, told: dict[str, Any] | None) -> Iterator[Any]:
    if told is None or store.row is None:
        return
    number = store.row.position
    found = [store.pieces.get(_piece(number, place)) for place in range(told["pieces"])]
    for one in found:
        if one is None or one.position != number:
            return  # it was replaced: the groups are durable
    for one in found:
        assert one is not None
        yield from orjson.loads(one.data)


def take(
    state: DetectionState, part: ChangelogPartition[DetectionStore], prefix: str, book: RuleBook, now: int
) -> Checkpoint:
    """Take a checkpoint at `now`, the time that all logs have passed, microseconds since 1970."""
    store = part.store
    alerts = [*state.inherited, *_decided(state, book, now)]
    state.inherited = []
    changed, erased = _changed(state)
    number = ((store.row.position if store.row is not None else 0) >> 32) + 1 << 32 | part.generation
    items = [orjson.dumps(["a", identity, orjson.Fragment(content)]) for identity, content in alerts]
    items += [orjson.dumps(["g", key, orjson.Fragment(payload)]) for key, payload in changed]
    items += [orjson.dumps(["g", key, None]) for key in erased]
    pieces = [part.write(_piece(number, n), Stored(data), number) for n, data in enumerate(_packed(items))]
    first = [*pieces, *outgoing(prefix + MATCHES.name, state.forwards)]
    state.forwards = []
    if store.row is None:
        store.row = Stored(b"")
    store.row.data = orjson.dumps(_row(state, len(pieces)))
    row = [part.write(_ROW, store.row, number)]
    last = [_group(state, part, key, payload, number) for key, payload in changed]
    last += [Outgoing(prefix + ALERTS.name, identity.encode(), content) for identity, content in alerts]
    last += part.stale_records()
    for name, tracked in ({_name(key): one for key, one in erased.items()} | store.pieces).items():
        last += part.erasures(name, tracked)
    store.pieces = {}
    return Checkpoint(part, first, row, last, len(alerts))


def _decided(state: DetectionState, book: RuleBook, now: int) -> list[tuple[str, bytes]]:
    """The revisions of alerts to publish now. Their groups count as changed."""
    found = []
    for identity, change in list(state.news.items()):
        alert, moment = change.alert, max(now, change.alert.seen)
        if change.closed or alert.due(moment, change.rule.suppress):
            del state.news[identity]
            found.append((identity, _published(change, alert, book, moment)))
            key = (change.rule.id, change.rule.revision, *change.key)
            if key in state.judge.groups:
                state.judge.dirty.add(key)
    return found


def _published(change: Change, alert: OpenAlert, book: RuleBook, now: int) -> bytes:
    alert.publish(now)
    silenced = book.silenced(change.rule.id, group_of(change.rule, change.key), now // 1000)
    return orjson.dumps(document(change.rule, change.key, alert, now, silenced), option=orjson.OPT_NON_STR_KEYS)


def _changed(state: DetectionState) -> tuple[list[tuple[Key, bytes]], dict[Key, Stored]]:
    """The groups that changed, with what their records are to hold; and those that are gone."""
    judge = state.judge
    dirty, judge.dirty = judge.dirty, set()
    gone, judge.gone = judge.gone, {}
    lost, state.lost = state.lost, {}
    erased = {key: Stored(b"", *tracked) for key, tracked in lost.items()}
    erased |= {key: Stored(b"", group.position, group.generation) for key, group in gone.items()}
    changed = [(key, orjson.dumps(group.dump())) for key in dirty if (group := judge.groups.get(key)) is not None]
    return changed, {key: one for key, one in erased.items() if one.generation != UNWRITTEN}


def _group(
    state: DetectionState, part: ChangelogPartition[DetectionStore], key: Key, payload: bytes, number: int
) -> Outgoing:
    group = state.judge.groups[key]
    written = Stored(payload, group.position, group.generation)
    record = part.write(_name(key), written, number)
    group.position, group.generation = written.position, written.generation
    return record


def _packed(items: list[bytes]) -> Iterator[bytes]:
    piece: list[bytes] = []
    size = 0
    for item in items:
        if piece and size + len(item) > _LARGEST:
            yield b"[" + b",".join(piece) + b"]"
            piece, size = [], 0
        piece.append(item)
        size += len(item)
    if piece:
        yield b"[" + b",".join(piece) + b"]"


def _row(state: DetectionState, pieces: int) -> dict[str, Any]:
    return {
        "logs": {topic: log.row() for topic, log in state.logs.items()},
        "marks": state.marks, "looked": state.judge.looked, "late": state.judge.late, "evicted": state.judge.evicted,
        "pieces": pieces, "rules": state.rules.version,
    }  # fmt: skip


def _piece(number: int, place: int) -> bytes:
    """The name of a piece: owners' are apart, and those of two checkpoints in a row."""
    return _PIECE + _NAME.pack(number >> 32 & 1, number & 0xFFFF_FFFF, place)


def _name(key: Key) -> bytes:
    return _GROUP + orjson.dumps(key)


def _key(name: bytes) -> Key:
    return tuple(orjson.loads(name[1:]))
