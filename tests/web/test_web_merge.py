"""Answers of several workers become one: added up, ranked, and no partition twice."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workers_kit import attacker

from web import answers
from web.answers import Answer, Attempts
from web.merge import Counts, add_attacker, add_attempts, disputed, rank_attackers, settle

Plain = Answer[None]


def answer(worker: str, *partitions: int) -> Plain:
    return Answer(worker, frozenset(partitions), 4, None)


def test_names_of_several_partitions_are_added_up_and_most_attempts_come_first() -> None:
    parts = [
        Attempts({"sshd": (1, 10, 0), "web": (5, 0, 0)}, False),
        Attempts({"sshd": (2, 20, 3), "ldap": (5, 0, 0)}, False),
    ]
    assert add_attempts(parts) == [("sshd", Counts(3, 30, 3)), ("ldap", Counts(5)), ("web", Counts(5))]


def test_the_ratio_leaves_out_what_is_unknown() -> None:
    assert Counts(12, 340, 100).ratio == round(12 / 352, 6)
    assert Counts(0, 0, 7).ratio is None
    assert Counts(0, 3, 0).ratio == 0


def test_attackers_are_ranked_by_failures_then_by_who_was_seen_last() -> None:
    rows = [
        [attacker("203.0.113.1", 5, last_seen=100), attacker("203.0.113.2", 5, last_seen=300)],
        [attacker("203.0.113.3", 9, last_seen=1), attacker("203.0.113.4", 5, last_seen=200)],
    ]
    parts = [answers.attackers({"attackers": part}) for part in rows]
    assert [row.address[-1] for row in rank_attackers(parts, slice(3)).rows] == ["3", "2", "4"]


def test_who_broke_in_is_first_however_many_are_louder() -> None:
    loud = [attacker(f"2001:db8::{n:x}", 100 + n) for n in range(10_000)]
    quiet = attacker("203.0.113.9", 6, 1)
    one = {"attackers": loud[:1000], "total": 5_000, "broke_in_total": 0}
    other = {"attackers": [quiet, *loud[5_000:5_999]], "total": 5_001, "broke_in_total": 1}
    found = rank_attackers([answers.attackers(one), answers.attackers(other)], slice(50))
    assert (found.rows[0].address, found.rows[0].broke_in, len(found.rows)) == ("203.0.113.9", True, 50)
    assert (found.total, found.broke_in_total) == (10_001, 1)


def test_an_address_that_two_workers_list_is_one_in_the_totals() -> None:
    one = {"attackers": [attacker("203.0.113.1", 3)], "total": 7, "broke_in_total": 0}
    other = {"attackers": [attacker("203.0.113.1", 3, 1)], "total": 2, "broke_in_total": 0}
    found = rank_attackers([answers.attackers(one), answers.attackers(other)], slice(50))
    assert (found.total, found.broke_in_total) == (8, 1)


def test_an_address_of_several_partitions_is_one_attacker() -> None:
    one = attacker("203.0.113.1", 5, 1, users=["a", "b"], user_count=2, first_seen=50, last_seen=100, country="")
    other = attacker("203.0.113.1", 6, users=["b", "c"], user_count=2, first_seen=10, last_seen=90, country="NL")
    bigger = attacker("203.0.113.2", 10)
    parts = [answers.attackers({"attackers": part}) for part in ([one], [bigger, other])]
    first, second = rank_attackers(parts, slice(2)).rows
    assert (first.address, first.failures, first.successes, second.failures) == ("203.0.113.1", 11, 1, 10)
    assert (first.users, first.user_count, first.users_more) == (("a", "b", "c"), 3, False)
    assert (first.first_seen, first.last_seen, first.country, first.broke_in) == (10, 100, "NL", True)
    many = [replace(row, user_count=30, minutes=((60, 1, 2),)) for row in (first, first)]
    assert (add_attacker(many).user_count, add_attacker(many).users_more) == (30, True)
    assert add_attacker(many).minutes == ((60, 2, 4),)


@pytest.mark.parametrize(
    ("failures", "successes", "stands_out"),
    [(5, 1, True), (340, 339, True), (340, 0, False), (4, 1, False), (14, 69, False), (5, 5, False)],
)
def test_who_guesses_and_gets_in_is_told_from_who_mistypes(failures: int, successes: int, stands_out: bool) -> None:
    [row] = answers.attackers({"attackers": [attacker("203.0.113.1", failures, successes)]}).rows
    assert row.broke_in is stands_out


def test_answers_about_different_partitions_are_all_kept() -> None:
    found = [answer("a", 0, 2), answer("b", 1, 3), answer("c")]
    assert disputed(found) == set()
    assert {kept.worker for kept in settle(found, {})} == {"a", "b", "c"}


def test_of_two_that_claim_a_partition_the_one_that_counted_further_is_kept() -> None:
    """A sleeper that wakes still claims what it owned; what was moved to its successor went on without it."""
    sleeper, successor = answer("a", 0, 1), answer("b", 0, 1, 2, 3)
    offsets = {("a", 0): 100, ("a", 1): 100, ("b", 0): 150, ("b", 1): 100}
    assert settle([sleeper, successor], offsets) == [successor]
    newer = {("a", 0): 200, ("a", 1): 200, ("b", 0): 150, ("b", 1): 100}
    assert settle([sleeper, successor], newer) == [sleeper]


def test_a_claimant_that_says_nothing_of_its_state_loses() -> None:
    assert settle([answer("a", 0, 1, 2), answer("b", 0)], {("b", 0): 0}) == [answer("b", 0)]


@given(
    st.lists(st.sets(st.integers(0, 5)), max_size=6),
    st.dictionaries(st.tuples(st.sampled_from("012345"), st.integers(0, 5)), st.integers(0, 3)),
)
def test_no_partition_is_ever_counted_twice_and_nobody_is_dropped_without_cause(
    claims: list[set[int]], offsets: dict[tuple[str, int], int]
) -> None:
    found = [answer(str(number), *partitions) for number, partitions in enumerate(claims)]
    kept = settle(found, offsets)
    assert disputed(kept) == set()
    taken = frozenset[int]().union(*(one.partitions for one in kept))
    assert all(not one.partitions.isdisjoint(taken) for one in found if one not in kept)
