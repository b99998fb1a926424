"""Tests the parts of the AMQP bridge without servers: repeats, records, the broker's URL, unusual properties."""

import datetime
from pathlib import Path

import pytest
from aiormq.abc import DeliveredMessage
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands, decode
from pamqp.header import ContentHeader

from ingest.amqp.broker import BadBroker, name_of, tls_of, url_of
from ingest.amqp.deduplication import Deduplicator
from ingest.amqp.properties import accept_any_properties
from ingest.amqp.records import MessageConverter, can_repeat, identity
from ingest.amqp.settings import AmqpSettings
from topics.catalogue import MAX_RECORD

MAKER = MessageConverter("raw.events", "p.raw.events", "eventtask", "amqp://192.0.2.1:5672/")


@given(
    st.lists(st.integers(0, 3), max_size=30).flatmap(
        lambda sent: st.tuples(st.just(sent), st.integers(0, len(sent)), st.integers(0, 8))
    )
)
def test_repeats_are_dropped_whatever_came_before(given: tuple[list[int], int, int]) -> None:
    """All that was accepted since the last acknowledgement comes again, then what is new, unlike what came last."""
    sent, acknowledged, size = given
    repeats = Deduplicator(1000)
    repeats.accepted(sent)
    repeats.reconnected()
    again = [*sent[acknowledged:], 99, *sent]
    dropped = 0
    while dropped < len(again):
        batch = again[dropped : dropped + size + 1]
        known = repeats.drop(batch, [True] * len(batch))
        dropped += known
        if known < len(batch):
            break
    assert dropped == len(sent) - acknowledged


def test_equal_messages_are_two() -> None:
    repeats = Deduplicator(10)
    repeats.accepted([1, 2])
    assert repeats.drop([1, 2], [True, True]) == 0  # the connection is the same
    repeats.reconnected()
    assert repeats.drop([2, 1, 2], [True] * 3) == 1  # 1 was acknowledged, so this 1 is another
    repeats.reconnected()
    assert repeats.drop([1, 2], [False, True]) == 0  # the broker says that it never sent it


def test_memory_is_bounded() -> None:
    repeats = Deduplicator(3)
    repeats.accepted(list(range(10)))
    repeats.reconnected()
    assert repeats.drop([7, 8, 9], [True] * 3) == 3
    repeats.reconnected()
    assert repeats.drop([6], [True]) == 0


def message(body: bytes, redelivered: bool = False, **properties: object) -> DeliveredMessage:
    """A message as it arrives."""
    header = ContentHeader(body_size=len(body), properties=commands.Basic.Properties(**properties))  # type: ignore[arg-type]
    deliver = commands.Basic.Deliver("c", 1, redelivered, "eventtask", "eventtask")
    return DeliveredMessage(delivery=deliver, header=header, body=body, channel=None)  # type: ignore[arg-type]


def test_an_event_is_kept_as_it_came() -> None:
    body = b' {"hostname" : "web-1", "summary": "\xc3\xa9"}\n'
    moment = datetime.datetime(2026, 8, 4, tzinfo=datetime.UTC)
    topic, key, value, partition, _, headers = MAKER.record(message(body, user_id="shipper", timestamp=moment))
    assert (topic, key, value, partition) == ("raw.events", b"web-1", body, None)
    assert headers == [
        ("ogrewatch.sender", b"amqp://192.0.2.1:5672/"),
        ("ogrewatch.identity", b"shipper"),
        ("ogrewatch.endpoint", b"eventtask"),
        ("ogrewatch.timestamp", b"1785801600000"),
    ]
    assert MAKER.record(message(b"{}", user_id="shipper"))[1] == b"shipper"
    assert MAKER.record(message(b"{}"))[1] == b"eventtask"


@pytest.mark.parametrize(
    ("body", "kept", "reason"),
    [
        (b"", b"", b"json"),
        (b"{", b"{", b"json"),
        (b"[{}]", b"[{}]", b"json"),
        (b"\xff", b"\xff", b"json"),
        (b'{"a":"' + b"x" * MAX_RECORD + b'"}', b'{"a":"' + b"x" * ((512 << 10) - 6), b"size"),
        (b'{"a":"' + b"x" * (MAX_RECORD - 8) + b'"}', b'{"a":"' + b"x" * ((512 << 10) - 6), b"size"),
    ],
)
def test_what_is_no_event_is_a_dead_letter(body: bytes, kept: bytes, reason: bytes) -> None:
    topic, _, value, _, _, headers = MAKER.record(message(body))
    assert (topic, value) == ("deadletter", kept)
    told = {name: text.encode() if isinstance(text, str) else text for name, text in headers or []}
    assert (told["reason"], told["topic"], told["partition"]) == (reason, b"p.raw.events", b"-1")
    assert told["original.ogrewatch.endpoint"] == b"eventtask"
    assert told["original.ogrewatch.sender"] == b"amqp://192.0.2.1:5672/"


def test_no_two_dead_letters_have_a_place() -> None:
    letters = [dict(MAKER.record(message(b""))[5] or []) for _ in range(100)]
    assert len({letter["offset"] for letter in letters}) == 100


def test_what_tells_messages_apart() -> None:
    one = message(b"{}", message_id="1")
    assert identity(one) == identity(message(b"{}", redelivered=True, message_id="1"))
    assert len({identity(other) for other in (one, message(b"{}"), message(b"{}", message_id="2"))}) == 3
    assert [can_repeat(each) for each in (one, message(b"{}"), message(b"{}", redelivered=True))] == [True, False, True]


def test_the_password_is_in_the_url_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret/@\n")
    base = "amqps://bridge@rabbitmq.example.com/logs%2Fall"
    for settings in (
        AmqpSettings(url=base, password="s3cret/@"),
        AmqpSettings(url=base, password_file=file),
        AmqpSettings(url=base.replace("@", ":s3cret%2F%40@")),
    ):
        assert (url_of(settings).user, url_of(settings).password) == ("bridge", "s3cret/@")
        assert name_of(settings) == "amqps://rabbitmq.example.com:5671/logs%2Fall"
        assert "s3cret" not in f"{settings!r}{settings}{name_of(settings)}"
    assert name_of(AmqpSettings(url="amqp://[2001:db8::1]:5673")) == "amqp://[2001:db8::1]:5673/"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://192.0.2.1/s3cret"},
        {"url": "amqp://u:s3cret@192.0.2.1:99999/"},
        {"url": "s3cret"},
        {"password_file": "absent-s3cret-file"},
        {"external": True},
        {"ca": "ca.pem"},
        {"url": "amqps://u:s3cret@192.0.2.1/", "ca": "absent.pem"},
    ],
)
def test_what_cannot_work_is_said_without_secrets(given: dict[str, object]) -> None:
    settings = AmqpSettings(**given)  # type: ignore[arg-type]
    with pytest.raises(BadBroker) as raised:
        url_of(settings), tls_of(settings)
    if "password_file" not in given:
        assert "s3cret" not in str(raised.value)


@given(st.binary(max_size=255), st.integers(0, 2**64 - 1))
def test_properties_of_any_kind_are_read(text: bytes, seconds: int) -> None:
    accept_any_properties()
    flags = commands.Basic.Properties.flags
    data = bytes([len(text)]) + text + seconds.to_bytes(8, "big")
    properties = commands.Basic.Properties()
    properties.unmarshal(flags["message_id"] | flags["timestamp"], data)
    assert isinstance(properties.message_id, str)
    assert decode.METHODS["table"](b"\0\0\0\3\1a?")[0] == 7  # a value of a kind that there is not
