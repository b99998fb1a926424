"""Cuts the last records off a partition of a stopped Kafka, to test what a loss of power may do.

A log consists of files named by their first offset, with batches of records; each batch begins with its first offset
and its length (https://kafka.apache.org/documentation/#recordbatch). Kafka rebuilds all other files when it starts.
"""

import struct
from pathlib import Path

_BATCH = struct.Struct(">qi")  # base offset, and the length of what follows
_DELTA = struct.Struct(">i")  # offset of the last record less that of the first, in the format of today
_DELTA_AT = 23  # bytes from the beginning of a batch
_DERIVED = ("*.index", "*.timeindex", "*.txnindex", "*.snapshot")
_CHECKPOINTS = ("recovery-point-offset-checkpoint", "replication-offset-checkpoint", ".kafka_cleanshutdown")


def cut_tail(data_dir: Path, topic: str, partition: int, keep: int) -> int:
    """Cut a log of the Kafka in `data_dir` so that no record at or after offset `keep` is left; return its new end.

    A batch that contains `keep` is removed as a whole. Kafka must not run.
    """
    logs = data_dir / "log"
    folder = logs / f"{topic}-{partition}"
    end = 0
    for segment in sorted(folder.glob("*.log")):
        size, end = _prefix(segment, keep, end)
        with segment.open("r+b") as file:
            file.truncate(size)
        if not size and int(segment.stem) > 0 and int(segment.stem) >= keep:
            segment.unlink()
    for pattern in _DERIVED:
        for file_name in folder.glob(pattern):
            file_name.unlink()
    for name in _CHECKPOINTS:
        (logs / name).unlink(missing_ok=True)
    return end


def _prefix(segment: Path, keep: int, end: int) -> tuple[int, int]:
    """The size in bytes of the leading batches that end before offset `keep`, and the offset after them, else `end`."""
    data, at = segment.read_bytes(), 0
    while at + _DELTA_AT + _DELTA.size <= len(data):
        base, length = _BATCH.unpack_from(data, at)
        after = base + _DELTA.unpack_from(data, at + _DELTA_AT)[0] + 1
        if not length or after > keep:
            break
        at, end = at + _BATCH.size + length, after
    return at, end
