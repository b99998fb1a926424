"""Records of several owners: which one is true, and which may be erased."""

from itertools import permutations

import pytest
from count_kit import Stored

from agents.state.changelog import UNWRITTEN, ChangelogPartition, Entry
from agents.transport import Outgoing


class Text:
    """An entry that holds some bytes."""

    def __init__(self, text: bytes) -> None:
        self.text, self.position, self.generation = text, -1, UNWRITTEN

    def payload(self) -> bytes:
        return self.text


class Texts:
    """A store of texts."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Text] = {}

    def find(self, name: bytes) -> Entry | None:
        return self.kept.get(name)

    def put(self, name: bytes, payload: bytes) -> Text:
        self.kept[name] = Text(payload)
        return self.kept[name]

    def remove(self, name: bytes) -> None:
        del self.kept[name]


def owner(generation: int) -> ChangelogPartition[Texts]:
    part = ChangelogPartition("log", 0, Texts())
    part.generation = generation
    return part


def written(generation: int, position: int) -> Stored:
    """The record that an owner of that generation writes of the entry `name` at a position."""
    return stored(owner(generation).write(b"name", Text(b"%d@%d" % (generation, position)), position))


def stored(record: Outgoing) -> Stored:
    return Stored(0, 0, record.key or b"", record.value)


def read(*records: Stored) -> ChangelogPartition[Texts]:
    part = ChangelogPartition("log", 0, Texts())
    part.apply(records)
    return part


OWNERS = (written(5, 110), written(6, 105), written(7, 90))


@pytest.mark.parametrize("order", list(permutations(OWNERS)))
def test_the_furthest_record_is_true_in_any_order(order: tuple[Stored, ...]) -> None:
    part = read(*order)
    assert part.store.kept[b"name"].text == b"5@110"
    assert (part.store.kept[b"name"].position, part.store.kept[b"name"].generation) == (110, 5)


@pytest.mark.parametrize("order", list(permutations(OWNERS)))
def test_an_erased_record_is_replaced_by_the_next_best(order: tuple[Stored, ...]) -> None:
    gone = Stored(0, 0, OWNERS[0].key, None)
    assert read(*order, gone).store.kept[b"name"].text == b"6@105"
    assert read(*order, gone, *(Stored(0, 0, record.key, None) for record in OWNERS)).store.kept == {}


def test_the_later_of_two_owners_wins_at_one_position() -> None:
    assert read(written(5, 9), written(6, 9)).store.kept[b"name"].text == b"6@9"
    assert read(written(6, 9), written(5, 9)).store.kept[b"name"].text == b"6@9"


def test_a_new_owner_erases_what_it_overtakes_and_only_then() -> None:
    part = read(*OWNERS)
    part.generation = 8
    assert part.stale_records() == []
    ours = part.write(b"name", part.store.kept[b"name"], 120)
    erased = part.stale_records()
    assert {record.key for record in erased} == {record.key for record in OWNERS}
    assert all(record.value is None for record in erased)
    assert read(*OWNERS, stored(ours), *map(stored, erased)).store.kept[b"name"].position == 120
    part.write(b"name", part.store.kept[b"name"], 130)
    assert part.stale_records() == []


def test_an_entry_is_erased_under_every_owner() -> None:
    part = read(*OWNERS)
    erased = part.erasures(b"name", part.store.kept[b"name"])
    assert {record.key for record in erased} == {record.key for record in OWNERS}
    assert owner(5).erasures(b"name", Text(b"never written")) == []
