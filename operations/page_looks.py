"""Looks at the whole installation for the page: the ledger's sums, and the shapes of what no stream understood."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException

from agents.settings import Settings
from operations.coverage import masked
from operations.ledger.balance import look
from operations.ledger.render import as_json, verdict
from operations.ledger.store import Store, StoreError
from sinks.elasticsearch.connection import words
from topics.errors import OgrewatchError
from topics.kafka.reader import Reader
from web.looks import LookFailed

_LONGEST = 400  # characters of an example


class PageLooks:
    """Implements `web.looks.Looks`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def ledger(self, since: int) -> dict[str, Any]:
        """Compare sums; blocks for about a second, for some seconds when a server is away."""
        try:
            with Reader(self._settings.kafka) as reader, Store(self._settings) as store:
                seen, _ = look(reader, store, self._settings, since)
        except KafkaException as error:
            raise LookFailed(f"Kafka: {error.args[0].str()}.") from None
        except StoreError as error:
            raise LookFailed(words(error)) from None
        except OgrewatchError as error:
            raise LookFailed(str(error)) from None
        return as_json(seen) | {"verdict": verdict(seen)}

    def shapes(self, messages: Iterable[tuple[str, str]], limit: int) -> list[dict[str, Any]]:
        """Count messages by program and shape; does not block."""
        counts: Counter[tuple[str, str]] = Counter()
        examples: dict[tuple[str, str], str] = {}
        for program, text in messages:
            shape = (program, masked(text))
            counts[shape] += 1
            examples.setdefault(shape, text[:_LONGEST])
        return [
            {"count": count, "program": shape[0], "shape": shape[1], "example": examples[shape]}
            for shape, count in counts.most_common(limit)
        ]
