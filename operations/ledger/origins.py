"""Reads from which raw record an encoded event was made."""

import time

from agents.settings import Settings
from operations.ledger.dead_letters import Origin
from topics.avro.codec import EVENTS, decode_head
from topics.avro.registry import Registry
from topics.avro.wire import CodecError, UnknownSchema
from topics.errors import RegistryUnavailable

_PAUSE = 1.0  # seconds before a registry is asked again
_TIMES = 5


class Origins:
    """Reads origins of events, also of those whose schemas only a registry knows.

    Raises `RegistryUnavailable` when the registry does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._registry = Registry(settings.schema_registry) if settings.schema_registry else None
        EVENTS.asks = self._registry is not None

    def __call__(self, value: bytes) -> Origin | None:
        """Return topic, partition and offset of the raw record, None for no event. Blocks only for a registry."""
        while True:
            try:
                event = decode_head(value)
            except UnknownSchema as unknown:
                EVENTS.learn(unknown.number, self._text(unknown.number))
            except CodecError:
                return None
            else:
                return event["ogrewatch_raw_topic"], event["ogrewatch_raw_partition"], event["ogrewatch_raw_offset"]

    def _text(self, number: int) -> str | None:
        assert self._registry is not None, "only a registry's numbers are asked for"
        for _ in range(_TIMES):
            try:
                return self._registry.text(number)
            except RegistryUnavailable as error:
                away = error
                time.sleep(_PAUSE)
        raise away
