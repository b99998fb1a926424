"""What answers make of names beyond the limit of their minute."""

import asyncio

import orjson
from count_kit import START, Attempt

from agents.counting import attackers, queries
from agents.counting.buckets import OTHER_SERVICES, SERVICES, Source
from agents.counting.cardinality import BUDGET
from agents.counting.partition_store import PartitionStore
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition

SPAN = queries.Span(START, START + 60)
OUTCOMES = ("failure", "success", "success")
"""Of somebody who mistypes."""


def crowded() -> list[ChangelogPartition[PartitionStore]]:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=600), 0, BUDGET // 2))
    counts = part.store.by_topic["events.authentication"]
    counts.resume()
    counts.count(Attempt(0, n, 0, n, address=f"2001:db8::{n}", user="").record(n) for n in range(9))
    return [part]


def test_others_are_in_the_sum_under_their_own_name() -> None:
    rows, truncated = asyncio.run(queries.attempts(crowded(), SPAN, "address", 100))
    assert rows.pop(queries.UNNAMED)["failure"] == 5
    assert (len(rows), truncated) == (4, False)
    assert sum(row["failure"] for row in rows.values()) == 4


def test_others_are_no_attacker() -> None:
    found = asyncio.run(attackers.attackers(crowded(), SPAN, attackers.Wanted(100)))
    assert {attacker["address"] for attacker in found["attackers"]} == {f"2001:db8::{n}" for n in range(4)}


def test_who_broke_in_is_first_among_ten_thousand_louder_ones() -> None:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=600), 0))
    counts = part.store.by_topic["events.authentication"]
    counts.resume()
    loud = [Attempt(0, n, n % 5, n % 60, address=f"2001:db8::{n:x}", number=7 + n % 3) for n in range(10_000)]
    guesses = [Attempt(0, 10_000 + n, n, 0, address="203.0.113.9") for n in range(3)]
    guesses += [Attempt(0, 10_003, 3, 0, address="203.0.113.9", number=3)]
    got_in = Attempt(0, 10_004, 4, 0, "success", address="203.0.113.9")
    clerk = [Attempt(0, 10_005 + n, 4, 0, outcome, address="203.0.113.8") for n, outcome in enumerate(OUTCOMES)]
    counts.count(attempt.record(n) for n, attempt in enumerate([*loud, *guesses, got_in, *clerk]))
    found = asyncio.run(attackers.attackers([part], queries.Span(START, START + 300), attackers.Wanted(50)))
    first, second = found["attackers"][:2]
    assert (first["address"], first["failures"], first["successes"]) == ("203.0.113.9", 6, 1)
    assert (second["failures"], len(found["attackers"])) == (9, 50)
    assert (found["total"], found["broke_in_total"]) == (10_002, 1)


def filled(*attempts: Attempt) -> list[ChangelogPartition[PartitionStore]]:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=7200), 0))
    counts = part.store.by_topic["events.authentication"]
    counts.resume()
    counts.count(attempt.record(n) for n, attempt in enumerate(attempts))
    return [part]


HOUR = queries.Span(START, START + 3600)
QUIET, LOUD, CLERK = "203.0.113.7", "203.0.113.9", "198.51.100.4"


def crowd() -> list[ChangelogPartition[PartitionStore]]:
    return filled(
        Attempt(0, 0, 0, 0, address=LOUD, number=9),
        Attempt(0, 1, 2, 120, address=LOUD, service="ldap", user="bob", host="dc1", number=3),
        Attempt(0, 2, 1, 120, address=QUIET, number=6),
        Attempt(0, 3, 3, 180, "success", address=QUIET, service="web"),
        Attempt(0, 4, 4, 240, address=CLERK, user="eve", number=2),
    )


def asked(**wanted: object) -> list[str]:
    found = asyncio.run(attackers.attackers(crowd(), HOUR, attackers.Wanted(10, **wanted)))  # type: ignore[arg-type]
    assert found["total"] == len(found["attackers"])
    return [row["address"] for row in found["attackers"]]


def test_whoever_got_in_is_first_in_every_order() -> None:
    assert asked() == asked(sort="failures") == asked(sort="users") == asked(sort="hosts") == [QUIET, LOUD, CLERK]
    assert asked(sort="last_seen") == asked(sort="failures", ascending=True) == [QUIET, CLERK, LOUD]
    assert asked(sort="address", ascending=True) == [QUIET, CLERK, LOUD]


def test_attackers_are_chosen_by_what_they_did() -> None:
    assert asked(service="ldap") == asked(user="bob") == asked(host="dc1") == [LOUD]
    assert asked(service="sshd", user="root") == [QUIET, LOUD]
    assert asked(prefix="203.0.113.") == [QUIET, LOUD]
    assert asked(country="NL") == asked(service="nothing") == asked(system=64500) == []
    assert attackers.SORTS[0] == attackers.Wanted(1).sort


def test_an_autonomous_system_is_looked_up() -> None:
    wanted = attackers.Wanted(10, system=64500)
    found = asyncio.run(attackers.attackers(crowd(), HOUR, wanted, lambda address: 64500 * (address == CLERK)))
    assert [row["address"] for row in found["attackers"]] == [CLERK]


def test_a_row_tells_services_the_last_success_and_the_last_hour() -> None:
    quiet, loud, clerk = asyncio.run(attackers.attackers(crowd(), HOUR, attackers.Wanted(10)))["attackers"]
    assert (loud["services"], loud["last_success"]) == ({"sshd": 9, "ldap": 3}, 0)
    assert (quiet["services"], quiet["last_success"]) == ({"sshd": 6, "web": 0}, START + 181)
    assert loud["minutes"] == [[START, 0, 9], [START + 120, 0, 3]]
    late = asyncio.run(attackers.attackers(crowd(), queries.Span(START, START + 3720), attackers.Wanted(10)))
    assert late["attackers"][1]["minutes"] == [[START + 120, 0, 3]]
    assert clerk["services"] == {"sshd": 2}


def test_services_are_counted_by_the_minute() -> None:
    rows, truncated = asyncio.run(queries.series(crowd(), HOUR, 10))
    assert rows["sshd"] == [[START, 0, 9, 0], [START + 60, 0, 6, 0], [START + 240, 0, 2, 0]]
    assert (rows["web"], truncated) == ([[START + 180, 1, 0, 0]], False)
    assert asyncio.run(queries.series(crowd(), HOUR, 1))[1]


def test_countries_are_added_up_and_what_has_none_is_kept() -> None:
    assert asyncio.run(attackers.countries(crowd(), HOUR)) == {
        "": {"success": 1, "failure": 20, "unknown": 0, "addresses": 3, "broke_in": 1}
    }


def test_an_entry_tells_services_apart_up_to_a_number_and_survives_its_payload() -> None:
    entry = Source()
    for number in range(SERVICES + 3):
        entry.failure += 2
        entry.tell(f"service{number}", 2)
    told = entry.by_service()
    assert (len(told), told[OTHER_SERVICES], sum(told.values())) == (SERVICES + 1, 6, entry.failure)
    assert Source.load(entry.payload()).by_service() == told


def test_entries_of_earlier_releases_are_read() -> None:
    before = orjson.dumps((0, 5, 0, "NL", 1, 2, ["root"], ["web1"], 0))
    for payload in (before, before[:-1] + b",7]"):
        entry = Source.load(payload)
        assert (entry.failure, entry.got_in, entry.by_service()) == (5, 0, {OTHER_SERVICES: 5})
        entry.failure += 1
        entry.tell("sshd", 1)
        assert entry.by_service() == {OTHER_SERVICES: 5, "sshd": 1}
