"""Batches as hostile producers compress them, and headers as they name them: nothing costs more than it may."""

import tracemalloc
from collections.abc import Iterable
from typing import Any

import cramjam
import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from agents.transport.record_batches import LARGEST, Batches
from topics.catalogue import MAX_RECORD
from topics.cut import Cut

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
HUGE = LARGEST + (8 << 20)

Headers = list[tuple[str, bytes | None]]


def _batch(values: Iterable[bytes | None], codec: int = NONE, headers: Headers | None = None) -> bytes:
    """Records of one batch; all of them have the headers, and the key k."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 62)
    for offset, value in enumerate(values):
        assert builder.append(offset, 1000 + offset, b"k", value, headers or []) is not None
    return bytes(builder.build())


def _records(batches: Any) -> list[Any]:
    found = []
    while batches.has_next():
        found += list(batches.next_batch())
    return found


def _plain(records: Iterable[Any]) -> list[Any]:
    return [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, list(r.headers)) for r in records]


@pytest.mark.parametrize("codec", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_what_is_not_too_large_is_read_as_ever(codec: int, size: int) -> None:
    headers: Headers = [("name", b"value"), ("none", None)]
    data = _batch([b"first", b"x" * size, None, b"", b"last"], codec, headers) + _batch([b"next"], codec)
    assert _plain(_records(Batches(data))) == _plain(_records(MemoryRecords(data)))


@given(
    values=st.lists(st.none() | st.binary(max_size=300), min_size=1, max_size=20),
    codec=st.sampled_from([NONE, GZIP, SNAPPY, LZ4, ZSTD]),
    headers=st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=3),
)
def test_records_are_read_as_aiokafka_reads_them(values: list[bytes | None], codec: int, headers: Headers) -> None:
    data = _batch(values, codec, headers)
    assert _plain(_records(Batches(data))) == _plain(_records(MemoryRecords(data)))


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_the_rest_of_a_batch_that_decompresses_to_too_much_is_cut(codec: int) -> None:
    data = _batch([b"good", b"x" * HUGE, b"behind", None], codec)
    records = _records(Batches(data))
    assert [record.offset for record in records] == [0, 1, 2, 3]
    assert records[0].value == b"good"
    assert [type(record.value) for record in records[1:]] == [Cut] * 3
    assert records[1].key == b"k"
    assert b"x" * len(records[1].value) == records[1].value
    assert records[1].value.size == HUGE
    assert (records[2].value, records[2].value.size) == (b"", None)


def test_memory_stays_bounded_whatever_a_batch_becomes() -> None:
    builder = DefaultRecordBatchBuilder(2, NONE, 0, -1, -1, -1, 1 << 62)
    builder.append(0, 0, None, b"x", [])
    header = bytearray(builder.build()[:61])
    header[22] = ZSTD
    length, gib = b"\x80\x80\x80\x80\x08", bytes(1 << 30)
    body = bytes(cramjam.zstd.compress(length + gib))
    del gib
    header[8:12] = (len(header) + len(body) - 12).to_bytes(4)
    tracemalloc.start()
    [record] = _records(Batches(bytes(header) + body))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert type(record.value) is Cut
    assert len(header) + len(body) < 200_000
    assert peak < 1.5 * LARGEST


@pytest.mark.parametrize("codec", [NONE, LZ4])
def test_a_value_that_no_record_may_have_is_cut_and_its_headers_are_kept(codec: int) -> None:
    headers: Headers = [("name", b"value")]
    size = MAX_RECORD + 1
    data = _batch([b"good", b"x" * size, b"behind"], codec, headers)
    tracemalloc.start()
    _, large, behind = _records(Batches(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (type(large.value), large.value.size, len(large.value)) == (Cut, size, 64 << 10)
    assert (large.headers, behind.value) == (headers, b"behind")
    assert peak < 1.5 * (LARGEST if codec else size)


def test_a_framed_snappy_body_is_cut_between_its_blocks() -> None:
    plain = _batch([b"good", bytes(range(256)) * (HUGE >> 8), b"behind"])
    blocks = [plain[at : at + (32 << 10)] for at in range(61, len(plain), 32 << 10)]
    packed = [bytes(cramjam.snappy.compress_raw(block)) for block in blocks]
    body = b"\x82SNAPPY\x00" + bytes(8) + b"".join(len(block).to_bytes(4) + block for block in packed)
    header = bytearray(plain[:61])
    header[22] = SNAPPY
    header[8:12] = (len(header) + len(body) - 12).to_bytes(4)
    records = _records(Batches(bytes(header) + body))
    assert [record.offset for record in records] == [0, 1, 2]
    assert (records[0].value, type(records[1].value)) == (b"good", Cut)


@pytest.mark.parametrize("codec", [NONE, ZSTD])
def test_a_header_whose_name_is_not_utf_8_is_escaped(codec: int) -> None:
    plain = _batch([b"one", b"two"], NONE, [("abcd", b"x")]).replace(b"abcd", b"a\xff\xfed")
    if codec:
        body = bytes(cramjam.zstd.compress(plain[61:]))
        header = bytearray(plain[:61])
        header[22] = codec
        header[8:12] = (len(header) + len(body) - 12).to_bytes(4)
        plain = bytes(header) + body
    with pytest.raises(UnicodeDecodeError):
        _records(MemoryRecords(plain))
    records = _records(Batches(plain + _batch([b"good"])))
    assert [record.value for record in records] == [b"one", b"two", b"good"]
    assert records[0].headers == [("a\\xff\\xfed", b"x")]


def test_very_many_headers_do_not_fill_the_memory() -> None:
    data = _batch([b"many", b"few"], ZSTD, [("", None)] * 2_000_000)
    tracemalloc.start()
    records = _records(Batches(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(record.value, type(record.value), record.headers) for record in records] == [
        (b"many", Cut, []),
        (b"few", Cut, []),
    ]
    assert peak < 3 * LARGEST


def test_batches_say_of_themselves_what_the_fetcher_asks() -> None:
    data = _batch([b"a", b"b"], ZSTD)
    batches = Batches(data)
    assert batches.size_in_bytes() == len(data)
    batch, plain = batches.next_batch(), DefaultRecordBatch(data)
    for name in ("base_offset", "next_offset", "is_control_batch", "is_transactional", "producer_id"):
        assert getattr(batch, name) == getattr(plain, name)
    assert batch.validate_crc()
    assert not batches.has_next()
    assert batches.next_batch() is None
