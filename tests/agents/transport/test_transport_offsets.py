"""One partition's accounts, without Kafka."""

from faust.types import TP, ConsumerMessage

from agents.state.log_identity import LastRecord
from agents.transport.offsets import OffsetTracker


def message(offset: int) -> ConsumerMessage:
    return at(offset, 0.0)


def at(offset: int, timestamp: float) -> ConsumerMessage:
    return ConsumerMessage("t", 0, offset, timestamp, 0, [], None, None, None, tp=TP("t", 0))


def acknowledge(tracker: OffsetTracker, done: ConsumerMessage) -> bool:
    done.acked = True
    return tracker.release(done)


def test_only_the_prefix_is_done() -> None:
    tracker = OffsetTracker(10)
    first, second, third = message(10), message(20), message(30)
    for one, last, end in ((first, 19, 20), (second, 29, 30), (third, 38, 40)):
        tracker.hand_out(one, last, end, 100)
    assert (tracker.at, tracker.handed, tracker.load, tracker.done()) == (40, 38, 300, 10)
    assert acknowledge(tracker, third)
    assert acknowledge(tracker, second)
    assert (tracker.load, tracker.done()) == (100, 10)
    assert acknowledge(tracker, first)
    assert (tracker.load, tracker.done()) == (0, 40)


def test_messages_of_others_count_for_nothing() -> None:
    tracker = OffsetTracker(0)
    tracker.hand_out(message(0), 9, 10, 1)
    assert not acknowledge(tracker, message(0))  # the same offset, handed out by older tracker
    assert (tracker.load, tracker.done()) == (1, 0)


def test_the_oldest_record_that_is_not_done_says_since_when_something_waits() -> None:
    tracker = OffsetTracker(0, record=LastRecord(9, 5_000, 0))
    assert [tracker.waiting_since(lag) for lag in (0, 1)] == [0, 5.0]
    early, late = at(0, 7.0), at(10, 8.0)
    tracker.hand_out(early, 9, 10, 1, LastRecord(9, 7_500, 0))
    tracker.hand_out(late, 19, 20, 1, LastRecord(19, 8_500, 0))
    assert tracker.waiting_since(1) == 7.0
    acknowledge(tracker, early)
    assert tracker.waiting_since(0) == 8.0
    acknowledge(tracker, late)
    assert [tracker.waiting_since(lag) for lag in (0, 3)] == [0, 8.5]


def test_an_empty_stretch_waits_for_what_is_before_it() -> None:
    tracker, first = OffsetTracker(0), message(0)
    tracker.skip_to(3)
    assert tracker.done() == 3
    tracker.hand_out(first, 4, 5, 1)
    tracker.skip_to(9)
    assert (tracker.at, tracker.done()) == (9, 3)
    acknowledge(tracker, first)
    assert tracker.done() == 9


def test_what_is_taken_back_is_handed_out_again() -> None:
    tracker, first = OffsetTracker(5), message(5)
    tracker.hand_out(first, 7, 8, 10)
    tracker.take_back(first)
    assert (tracker.at, tracker.handed, tracker.load, tracker.done()) == (5, 4, 0, 5)
    assert not acknowledge(tracker, first)


def test_what_is_acknowledged_cannot_be_taken_back() -> None:
    tracker, first = OffsetTracker(5), message(5)
    tracker.hand_out(first, 7, 8, 10)
    acknowledge(tracker, first)
    tracker.take_back(first)
    assert (tracker.at, tracker.done()) == (8, 8)


def test_a_message_that_faust_acknowledged_by_itself_frees_its_memory() -> None:
    tracker, first = OffsetTracker(0), message(0)
    tracker.hand_out(first, 0, 1, 10)
    first.acked = True
    assert (tracker.done(), tracker.load) == (1, 0)
