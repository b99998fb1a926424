"""Chooses partitions by the murmur2 hash of keys, as Kafka's Java client and aiokafka do.

https://kafka.apache.org/documentation/#producerconfigs_partitioner.class
"""

import struct
from functools import lru_cache

_SEED, _MULTIPLIER, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


_LONGEST = 128
"""Bytes of a key whose partition is cached: senders choose names of hosts, and long ones would fill the memory."""


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key in a topic of so many partitions."""
    return (_cached_murmur2(key) if len(key) <= _LONGEST else murmur2(key) & 0x7FFFFFFF) % partitions


@lru_cache(65_536)
def _cached_murmur2(key: bytes) -> int:
    return murmur2(key) & 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of `data`, unsigned, with Kafka's seed."""
    whole = len(data) & ~3
    state = _SEED ^ len(data)
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        word = word * _MULTIPLIER & _MASK
        state = (state * _MULTIPLIER & _MASK) ^ ((word ^ word >> 24) * _MULTIPLIER & _MASK)
    if tail := data[whole:]:
        state = (state ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _MASK
    state = (state ^ state >> 13) * _MULTIPLIER & _MASK
    return state ^ state >> 15
