"""Detection in memory: time that lies, orders that differ, strangers without number, and rules that change."""

import random

import pytest
from detection_kit import MATCHES, RULES, START, TYPED, Kafka, Owner, book, event

from agents.detection.state import DetectionState
from alerts.correlation.limits import ALL_GROUPS, MOST_GROUPS

END = (START + 100_000) * 1_000_000
BOOK = book()


def judged(values: list[tuple[str, bytes]], partitions: int = 1) -> Kafka:
    """What becomes of events that are read in their order."""
    kafka = Kafka(partitions)
    for address, value in values:
        kafka.feed(address, value)
    owner = Owner(kafka, 0, 1, BOOK)
    while owner.read(TYPED, 100):
        owner.save(0)
    owner.save(END)
    return kafka


def guessing(kafka: Kafka) -> dict[str, int]:
    """The count of each alert of guessing, by address."""
    return {
        one["source"]["ip"]: one["ogrewatch"]["alert"]["count"]
        for one in kafka.published().values()
        if one["rule"]["name"] == "Guessing"
    }


def burst(address: str, begin: float, number: int, first: int = 0, step: int = 1) -> list[tuple[str, bytes]]:
    return [(address, event(first + step * n, begin + n * 5, "failure", address, "root")) for n in range(number)]


def test_an_alert_says_who_what_and_why() -> None:
    kafka = judged(burst("192.0.2.7", 58, 12))
    (alert,) = [one for one in kafka.published().values() if one["rule"]["name"] == "Guessing"]
    assert alert["message"] == "Guessing: 192.0.2.7 (12 events)"
    assert alert["event"]["kind"] == "alert"
    assert alert["event"]["reason"] == "5 events within 120 s, and the rule asks for at least 5"
    about = alert["ogrewatch"]["alert"]
    assert (about["count"], about["over"], about["limit"], about["kind"]) == (12, True, 5, "event_count")
    assert [one["id"] for one in about["evidence"]] == [f"raw.syslog-0-{n}" for n in range(10)]
    assert about["evidence"][5]["line"] == "line 5"
    assert alert["source"] == {"ip": "192.0.2.7"}
    assert alert["related"] == {"ip": ["192.0.2.7"]}


def test_who_guesses_for_an_hour_and_gets_in_was_guessing() -> None:
    values = burst("192.0.2.7", 0, 720)
    values.append(("192.0.2.7", event(720, 3_605, "success", "192.0.2.7", "root")))
    assert "Guessed" in {one["rule"]["name"] for one in judged(values).published().values()}
    values[-1] = ("192.0.2.7", event(720, 4_400, "success", "192.0.2.7", "root"))
    assert "Guessed" not in {one["rule"]["name"] for one in judged(values).published().values()}


def test_a_burst_is_few_records() -> None:
    kafka = judged([("192.0.2.7", event(n, n / 100, "failure", "192.0.2.7", "root")) for n in range(5_000)])
    mine = [one for _, one in kafka.alerts if one["rule"]["name"] == "Guessing"]
    assert [one["ogrewatch"]["alert"]["count"] for one in mine] == [100, 1000, 5000]


def test_one_clock_a_day_ahead_closes_nobody_elses_windows() -> None:
    wrong = [("192.0.2.9", event(2 * n + 1, n * 5, "failure", "192.0.2.9", "x", at=n * 5 + 86_400)) for n in range(30)]
    mixed = [one for pair in zip(burst("192.0.2.7", 0, 12, step=2), wrong, strict=False) for one in pair]
    kafka = Kafka(1)
    for address, value in mixed:
        kafka.feed(address, value)
    owner = Owner(kafka, 0, 1, BOOK)
    owner.read(TYPED, 100)
    owner.save(END)
    assert guessing(kafka) == {"192.0.2.7": 12}
    assert owner.state.judge.late.total() == 12


@pytest.mark.parametrize("seed", range(5))
def test_the_same_events_in_another_order_give_the_same_counts(seed: int) -> None:
    rng, base = random.Random(seed), [*burst("192.0.2.7", 0, 20), *burst("192.0.2.8", 7, 30, 100)]
    arrived = [
        (address, event(n, 300 + n, "failure", address, "root", at=at))
        for n, (address, at) in enumerate(
            sorted([("192.0.2.7", n * 5.0) for n in range(20)] + [("192.0.2.8", n * 5.0) for n in range(30)],
                   key=lambda _: rng.random())
        )
    ]  # fmt: skip
    assert len(arrived) == len(base)
    assert guessing(judged(arrived)) == guessing(judged(base)) == {"192.0.2.7": 20, "192.0.2.8": 30}


def test_old_lines_are_judged_by_their_own_times() -> None:
    old = [("192.0.2.7", event(n, 5_000 + n, "failure", "192.0.2.7", "root", at=n * 5)) for n in range(12)]
    assert guessing(judged(old)) == {"192.0.2.7": 12}
    late = event(12, 5_100, "failure", "192.0.2.7", "root", at=-800)
    assert guessing(judged([*old, ("192.0.2.7", late)])) == {"192.0.2.7": 12}


def test_invented_users_are_bounded_and_hide_no_attack() -> None:
    """A hundredth of the limits and of a million users, so that the test is short."""
    most = MOST_GROUPS // 100
    state = DetectionState("", 0, 1, BOOK)
    state.judge._recency._most = most
    position = 0
    for number in range(12_000):
        at = number / 100  # 100 a second
        values = [event(position, at, "failure", f"2001:db8::{number:x}", f"invented{number}")]
        if number % 200 == 0:  # once in two seconds
            values.append(event(position + 1, at, "failure", "192.0.2.7", "root"))
        for value in values:
            state.take(TYPED, [_Read(position, value)])
            position += 1
        if number % 1_000 == 0:  # as a checkpoint does
            state.judge.gone.clear()
            state.judge.dirty.clear()
    assert len(state.judge.groups) <= most * ALL_GROUPS
    assert sum(map(len, state.judge._calendar.values())) == len(state.judge.groups)
    assert state.judge.evicted.total() > 12_000
    assert any("192.0.2.7" in change.key for change in state.news.values())


class _Read:
    headers = ()

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.value = offset, value


def test_changed_logic_begins_anew_and_other_texts_do_not() -> None:
    kafka = Kafka(1)
    for address, value in burst("192.0.2.7", 0, 9):
        kafka.feed(address, value)
    rules = book()
    owner = Owner(kafka, 0, 1, rules)
    owner.read(TYPED, 4)
    rules.current = book(RULES.replace(b"title: Guessing", b"title: Guesses")).current
    owner.read(TYPED, 1)
    owner.save(0)
    assert "Guesses" in {one["rule"]["name"] for _, one in kafka.alerts}
    rules.current = book(RULES.replace(b"condition: {gte: 5}", b"condition: {gte: 3}")).current
    owner.read(TYPED, 2)
    owner.save(0)
    ended = [one for _, one in kafka.alerts if one["rule"]["name"] == "Guesses"]
    assert [one["ogrewatch"]["alert"]["over"] for one in ended] == [False, True]
    owner.read(TYPED, 1)
    owner.save(0)
    assert "Guessing" in {one["rule"]["name"] for _, one in kafka.alerts}
    again = Owner(kafka, 0, 2, rules)
    assert again.state.judge.groups.keys() == owner.state.judge.groups.keys()


def test_bytes_that_are_no_event_stop_nothing() -> None:
    kafka = Kafka(1)
    kafka.feed("192.0.2.7", b"\x00\x00\x00\x00\x01\xff\xff")
    for address, value in burst("192.0.2.7", 0, 5):
        kafka.feed(address, value)
    owner = Owner(kafka, 0, 1, BOOK)
    assert kafka.log(TYPED, 0)
    torn = event(7, 0, "failure", "192.0.2.7", "root")[:30]
    kafka.feed("192.0.2.7", torn)
    owner.read(TYPED, 100)
    owner.save(END)
    assert guessing(kafka) == {"192.0.2.7": 5}
    assert owner.state.logs[TYPED].undecodable >= 1


def test_forwarded_bytes_of_strangers_stop_nothing() -> None:
    owner = Owner(Kafka(1), 0, 1, BOOK)
    owner.state.take(MATCHES, [_Read(0, b"[[1]]"), _Read(1, b"x"), _Read(2, b"[]")])
    assert owner.state.logs[MATCHES].undecodable == 2
