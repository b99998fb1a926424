"""Stores the records of the topics `alerts` and `alerts.acts`, for the index role."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson

from agents.transport import Outgoing
from sinks.elasticsearch.alerts import AlertSink, News
from topics.catalogue import ACTS, ALERTS
from topics.documents.alert import PlacedAct, about
from topics.records.acts import decode
from topics.records.deadletter import letter, reason_of


class AlertRecords:
    """Writes revisions of alerts, and what people did with them. `prefix` is put before topic names."""

    def __init__(self, sink: AlertSink, prefix: str, role: str) -> None:
        self._sink, self._prefix, self._role = sink, prefix, role
        self._acts = prefix + ACTS.name
        self.topics = frozenset((prefix + ALERTS.name, self._acts))

    async def store(self, records: Sequence[Any]) -> list[tuple[Any, Outgoing]]:
        """Store records. Returns each record that cannot be stored with a dead letter about it."""
        news, sources, dead = defaultdict[str, News](News), defaultdict[str, list[Any]](list), []
        for record in records:
            try:
                sources[self._add(news, record)].append(record)
            except Exception as error:  # one record must not stop the others
                dead.append((record, self._letter(record, "decoding", reason_of(error))))
        for identity, why in (await self._sink.write(news)).items():
            dead += [(record, self._letter(record, "refused", why)) for record in sources[identity]]
        if records:
            await self._sink.refresh()
        return dead

    def _letter(self, record: Any, reason: str, text: str) -> Outgoing:
        made: Outgoing = letter(self._prefix, self._role, record, reason, text)
        return made

    def _add(self, news: dict[str, News], record: Any) -> str:
        """Add a record to the news of its alert, and return the alert's id. Raises what is wrong with it."""
        if record.topic == self._acts:
            act = decode(record.value)
            news[act.alert].acts.append(PlacedAct(record.offset, act))
            return act.alert
        document = orjson.loads(record.value or b"")
        identity = document["event"]["id"]
        if type(identity) is not str or type(about(document)["revision"]) is not int:
            raise ValueError("no revision of an alert")
        news[identity].revisions.append(document)
        return identity
