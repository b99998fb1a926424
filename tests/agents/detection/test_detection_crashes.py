"""Detection in memory: workers that are stopped at any record, beside successors and zombies, raise the same alerts."""

import random
from collections import Counter

import pytest
from detection_kit import MATCHES, START, TYPED, Kafka, Owner, book, event

from topics.avro.codec import decode

BOOK = book()
END = (START + 10_000) * 1_000_000
PARTITIONS = 2
OF_USER = "Failures of a user"


def corpus(seed: int) -> list[tuple[str, bytes]]:
    """Addresses and events: guessing of some, few failures of others, in any order of time within seconds."""
    rng, found, second = random.Random(seed), list[tuple[str, bytes]](), 0.0
    for number in range(400):
        second += rng.choice((0.5, 1, 2, 40 if number % 50 == 0 else 1))
        address = f"192.0.2.{rng.choice((1, 1, 2, 3, 4, 5, 6))}"
        outcome = "success" if rng.random() < 0.05 else "failure"
        user = f"user{rng.randrange(4)}"
        found.append((address, event(number, second, outcome, address, user)))
        if rng.random() < 0.05 and number:  # normalize was killed, and writes some again
            again = max(0, len(found) - rng.randrange(1, 5))
            found += found[again:]
    return found


def failures(seed: int) -> dict[tuple[str, str], int]:
    """How often each user failed, by a count of its own."""
    events = {value: decode(value)[1] for _, value in corpus(seed)}.values()
    return Counter((OF_USER, one["user_name"]) for one in events if one["event_outcome"] == "failure")


def fed(seed: int) -> Kafka:
    kafka = Kafka(PARTITIONS)
    for address, value in corpus(seed):
        kafka.feed(address, value)
    return kafka


def drain(kafka: Kafka, owners: dict[int, Owner]) -> None:
    """Read all that is left, and close all alerts."""
    going = True
    while going:
        going = False
        for owner in owners.values():
            going |= owner.read(TYPED, 50) | owner.read(MATCHES, 50)
            owner.save(0)
    for owner in owners.values():
        owner.save(END)


def local(kafka: Kafka) -> dict[str, int]:
    """The counts of alerts about addresses, by id: their events are in one partition."""
    return {
        identity: one["ogrewatch"]["alert"]["count"] for identity, one in kafka.published().items() if "source" in one
    }


def crossing(kafka: Kafka) -> Counter[tuple[str, str]]:
    """The counts of alerts about users, by title and user: their ids depend on which partition is read first."""
    found = Counter[tuple[str, str]]()
    for one in kafka.published().values():
        if "user" in one:
            found[one["rule"]["name"], one["user"]["name"]] += one["ogrewatch"]["alert"]["count"]
    return found


def untouched(seed: int) -> Kafka:
    """What becomes of it when nobody is stopped."""
    kafka = fed(seed)
    drain(kafka, {number: Owner(kafka, number, 1, BOOK) for number in range(PARTITIONS)})
    titles = {one["rule"]["name"] for one in kafka.published().values()}
    assert titles == {"A login succeeded", "Guessing", "Guessed", OF_USER, "A user is tried from many addresses"}
    return kafka


@pytest.mark.parametrize("seed", range(25))
def test_the_alerts_are_the_same_whoever_is_stopped_where(seed: int) -> None:
    expected = untouched(seed)
    kafka, rng, generation = fed(seed), random.Random(seed), 1
    owners = {number: Owner(kafka, number, generation, BOOK) for number in range(PARTITIONS)}
    for _ in range(60):
        owner = owners[rng.randrange(PARTITIONS)]
        for _ in range(rng.randrange(1, 4)):
            owner.read(rng.choice((TYPED, MATCHES)), rng.randrange(1, 30))
        made = owner.checkpoint(0)
        steps = [*made.first, *made.row], made.last
        if rng.random() < 0.5:
            for outgoing in (*steps[0], *steps[1]):
                kafka.write(outgoing)
            continue
        # It is stopped: before the broker confirms it, or after. What it had sent may arrive late.
        confirmed = rng.random() < 0.5
        sent = steps[0] + steps[1] if confirmed else steps[0]
        durable = rng.randrange(len(steps[0]), len(sent) + 1) if confirmed else rng.randrange(len(sent) + 1)
        for outgoing in sent[:durable]:
            kafka.write(outgoing)
        generation += 1
        number = owner.partition
        owners[number] = Owner(kafka, number, generation, BOOK)
        if rng.random() < 0.5:  # its successor works meanwhile
            owners[number].read(TYPED, rng.randrange(1, 30))
            owners[number].save(0)
        for outgoing in sent[durable:]:
            kafka.write(outgoing)
    generation += 1
    owners = {number: Owner(kafka, number, generation, BOOK) for number in range(PARTITIONS)}
    drain(kafka, owners)
    assert local(kafka) == local(expected)
    found, wanted = crossing(kafka), crossing(expected)
    assert found.keys() == wanted.keys()
    assert {name: n for name, n in found.items() if name[0] == OF_USER} == failures(seed)
