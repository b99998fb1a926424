"""Reads Kafka's record batches with bounded memory, because a batch of some kilobytes may decompress to gigabytes.

aiokafka decompresses whole batches, and never reads on in a partition after a header whose name is not UTF-8. Any
producer can cause both: brokers limit the compressed size of a batch, and accept headers as they are. Here at most
`LARGEST` bytes of a batch are decompressed. Records within that limit are returned as they are, but for a value that
is larger than any record may be, which is `Cut`. So is the record that crosses the limit, and those behind it are cut
to no bytes at all. No offset is skipped. Header names that are not UTF-8 get backslash escapes; a record of a large
batch that has very many headers is cut, too. Transaction markers and formats before v2 are left to aiokafka.

https://kafka.apache.org/documentation/#recordbatch
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from topics.catalogue import MAX_RECORD
from topics.cut import Cut

LARGEST = 32 << 20
"""Most bytes that are decompressed of a batch: twice what brokers accept for our topics without compression."""
_BEGINNING = 64 << 10  # bytes that are kept of a value that is cut
_USUAL = 2 << 20  # bytes of a batch that aiokafka may parse: parsed headers need thirty times their memory
_GUESS, _GUESSED_RATIO = 4096, 16  # first guess of the decompressed size: so many bytes, and so many per byte
_HEADERS = 1000  # most headers of a record of a larger batch
_HEADER = 61  # bytes of a batch before its records
_LENGTH_AT, _OVERHEAD = 8, 12  # where a batch's length stands, and what it does not include
_ATTRIBUTES_AT, _MAGIC_AT, _CODEC = 21, 16, 0b111
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_RATIOS = {_GZIP: 1040, _SNAPPY: 32, _LZ4: 256, _ZSTD: 1 << 15}  # bytes that one byte can become, at most
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16  # bytes


class Batches:
    """The batches of one fetch of a partition, in place of aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._records: Any = MemoryRecords(data)
        self._data, self._at = data, 0

    def size_in_bytes(self) -> int:
        """Return the bytes of all batches."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Tell whether there is a complete batch left."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """Return the next batch, None at the end."""
        found = self._records.next_batch()
        begin = self._at
        self._at += _OVERHEAD + int.from_bytes(self._data[begin + _LENGTH_AT : begin + _OVERHEAD])
        if found is None or self._data[begin + _MAGIC_AT] < 2 or found.is_control_batch:
            return found
        return _Batch(found, memoryview(self._data)[begin : self._at])


class _Batch:
    """A batch that is decompressed when it is iterated over, and no further than `LARGEST`."""

    __slots__ = ("_batch", "_data")

    def __init__(self, batch: DefaultRecordBatch, data: memoryview) -> None:
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        codec, size = self._data[_ATTRIBUTES_AT + 1] & _CODEC, len(self._data)
        records, body, whole = self._batch, None, True
        if codec and size * _RATIOS[codec] > _USUAL:
            body, whole = _decompress(codec, self._data[_HEADER:])
            size = len(body)
            records = DefaultRecordBatch(_decompressed(self._data) + body) if whole and size <= _USUAL else records
        if whole and size <= _USUAL:
            try:
                yield from records
                return
            except UnicodeDecodeError:  # in the name of a header; those before it come again, and are passed over
                pass
        if body is None:
            body = _decompress(codec, self._data[_HEADER:])[0]
        yield from _read(self._batch, body)


def install() -> None:
    """Make aiokafka's fetcher read batches with this module."""
    fetcher.MemoryRecords = Batches


def _decompressed(data: memoryview) -> bytes:
    """Return the header of a batch, changed to say that its records are not compressed."""
    header = bytearray(data[:_HEADER])
    header[_ATTRIBUTES_AT + 1] &= ~_CODEC & 0xFF
    return bytes(header)


def _decompress(codec: int, packed: memoryview) -> tuple[bytes | bytearray, bool]:
    """Return the decompressed beginning of a body, and whether that is all of it."""
    data = bytes(packed)
    if not codec:
        return data, True
    if codec == _SNAPPY:
        return _decompress_snappy(data)
    into: Callable[[bytes, bytearray], int] = {
        _GZIP: cramjam.gzip.decompress_into, _LZ4: cramjam.lz4.decompress_into, _ZSTD: cramjam.zstd.decompress_into,
    }[codec]  # fmt: skip
    for size in _sizes(len(data)):
        target = bytearray(size)
        try:
            del target[into(data, target) :]  # copies nothing
            return target, True
        except cramjam.DecompressionError:  # too small; the broker has checked that it can be decompressed
            continue
    return target, False


def _sizes(packed: int) -> tuple[int, ...]:
    """Return the sizes to try: what logs usually become, what batches usually have, and the limit."""
    guess = _GUESS + _GUESSED_RATIO * packed
    return (guess, _USUAL, LARGEST) if guess < _USUAL else (LARGEST,)


def _decompress_snappy(data: bytes) -> tuple[bytes, bool]:
    """Decompress the blocks of the Java library's framing, or one block; each states its decompressed size."""
    found, left = bytearray(), LARGEST
    for block in _snappy_blocks(data):
        size = _Reader(block).unsigned()
        if size > left:
            return bytes(found), False
        found += bytes(cramjam.snappy.decompress_raw(block))
        left -= size
    return bytes(found), True


def _snappy_blocks(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_XERIAL):
        yield data
        return
    at = _XERIAL_HEADER
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : end]
        at = end


@dataclass(slots=True)
class _Record:
    """A record as aiokafka's consumer expects it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


class _Reader:
    """Reads numbers and strings of a body. Raises `IndexError` beyond its end."""

    def __init__(self, data: bytes | bytearray, at: int = 0) -> None:
        self.data, self.at = data, at
        self._view = memoryview(data)

    def unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def signed(self) -> int:
        number = self.unsigned()
        return (number >> 1) ^ -(number & 1)

    def string(self) -> bytes | None:
        """Read a string; None for a negative length."""
        size = self.signed()
        if size < 0:
            return None
        if self.at + size > len(self.data):
            raise IndexError("a string that reaches beyond the end")
        self.at += size
        return bytes(self._view[self.at - size : self.at])

    def value(self) -> bytes | None:
        """Read the value of a record; only the beginning of one that is larger than any record may be."""
        start = self.at
        size = self.signed()
        if size <= MAX_RECORD or self.at + size > len(self.data):
            self.at = start
            return self.string()
        self.at += size
        return self.cut(self.at - size, size)

    def cut(self, at: int, size: int) -> Cut:
        """Return the beginning of a value of that size."""
        return Cut(bytes(self._view[at : at + min(size, _BEGINNING)]), size)


def _read(batch: DefaultRecordBatch, body: bytes | bytearray) -> Iterator[_Record]:
    """Yield the records of a body that may end too early, one for every offset of the batch."""
    reader, next_offset = _Reader(body), batch.base_offset
    try:
        while next_offset < batch.next_offset:
            record = _record(batch, reader)
            next_offset = record.offset + 1
            yield record
    except IndexError:
        pass
    for offset in range(next_offset, batch.next_offset):
        yield _Record(offset, batch.max_timestamp, batch.timestamp_type, None, Cut(b"", None), [])


def _record(batch: DefaultRecordBatch, reader: _Reader) -> _Record:
    """Read the next record, cut if the body ends within or after its value. Raises `IndexError` if it ends before."""
    size = reader.signed()
    end = reader.at + size
    reader.at += 1  # attributes, which mean nothing
    delta = reader.signed()
    timestamp = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + delta
    offset = batch.base_offset + reader.signed()
    found = _Record(offset, timestamp, batch.timestamp_type, reader.string(), None, [])
    if end > len(reader.data):
        size = max(0, reader.signed())
        found.value = reader.cut(reader.at, size)
        reader.at = end
        return found
    found.value, headers = reader.value(), reader.signed()
    if headers > _HEADERS and type(found.value) is not Cut:
        found.value = Cut((found.value or b"")[:_BEGINNING], len(found.value or b""))
    elif headers <= _HEADERS:
        found.headers = [_header(reader) for _ in range(headers)]
    reader.at = end
    return found


def _header(reader: _Reader) -> tuple[str, bytes | None]:
    name = reader.string() or b""
    return name.decode("utf-8", "backslashreplace"), reader.string()
