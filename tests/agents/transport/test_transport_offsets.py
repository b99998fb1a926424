"""One partition's accounts, without Kafka."""

from faust.types import TP, ConsumerMessage

from agents.transport.offsets import OffsetTracker


def message(offset: int) -> ConsumerMessage:
    return ConsumerMessage("t", 0, offset, 0.0, 0, [], None, None, None, tp=TP("t", 0))


def acknowledge(books: OffsetTracker, done: ConsumerMessage) -> bool:
    done.acked = True
    return books.release(done)


def test_only_the_prefix_is_done() -> None:
    books = OffsetTracker(10)
    first, second, third = message(10), message(20), message(30)
    for one, last, end in ((first, 19, 20), (second, 29, 30), (third, 38, 40)):
        books.hand_out(one, last, end, 100)
    assert (books.at, books.handed, books.load, books.done()) == (40, 38, 300, 10)
    assert acknowledge(books, third)
    assert acknowledge(books, second)
    assert (books.load, books.done()) == (100, 10)
    assert acknowledge(books, first)
    assert (books.load, books.done()) == (0, 40)


def test_messages_of_others_count_for_nothing() -> None:
    books = OffsetTracker(0)
    books.hand_out(message(0), 9, 10, 1)
    assert not acknowledge(books, message(0))  # the same offset, handed out by older books
    assert (books.load, books.done()) == (1, 0)


def test_an_empty_stretch_waits_for_what_is_before_it() -> None:
    books, first = OffsetTracker(0), message(0)
    books.skip_to(3)
    assert books.done() == 3
    books.hand_out(first, 4, 5, 1)
    books.skip_to(9)
    assert (books.at, books.done()) == (9, 3)
    acknowledge(books, first)
    assert books.done() == 9


def test_what_is_taken_back_is_handed_out_again() -> None:
    books, first = OffsetTracker(5), message(5)
    books.hand_out(first, 7, 8, 10)
    books.take_back(first)
    assert (books.at, books.handed, books.load, books.done()) == (5, 4, 0, 5)
    assert not acknowledge(books, first)


def test_what_is_acknowledged_cannot_be_taken_back() -> None:
    books, first = OffsetTracker(5), message(5)
    books.hand_out(first, 7, 8, 10)
    acknowledge(books, first)
    books.take_back(first)
    assert (books.at, books.done()) == (8, 8)


def test_a_message_that_faust_acknowledged_by_itself_frees_its_room() -> None:
    books, first = OffsetTracker(0), message(0)
    books.hand_out(first, 0, 1, 10)
    first.acked = True
    assert (books.done(), books.load) == (1, 0)
