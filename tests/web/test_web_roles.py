"""Partitions that a role does not get on with."""

from web.roles import STALLED, Look, Progress

PLACE = ("events.web", 1)


def _look(at: float, committed: int, end: int) -> Look:
    return Look(at, {PLACE: end}, {"index": {PLACE: committed}})


def test_a_partition_is_stalled_when_its_commit_does_not_move_for_a_minute() -> None:
    progress = Progress()
    progress.note(_look(1000, 5, 9))
    assert progress.stalled(1000 + STALLED - 1) == {}
    progress.note(_look(1000 + STALLED, 5, 12))
    assert progress.stalled(1000 + STALLED) == {"index": ["events.web-1"]}
    progress.note(_look(1001 + STALLED, 6, 12))
    assert progress.stalled(1001 + STALLED) == {}


def test_a_partition_without_records_left_or_without_a_commit() -> None:
    progress = Progress()
    progress.note(_look(1000, 9, 9))
    progress.note(_look(2000, 9, 10))
    assert progress.stalled(2000) == {}  # the record has just come
    progress.note(_look(3000, -1, 0))
    assert progress.stalled(4000) == {}
    progress.note(_look(5000, -1, 1))
    assert progress.stalled(5000 + STALLED) == {"index": ["events.web-1"]}
