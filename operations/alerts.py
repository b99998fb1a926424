"""Reads alerts from Elasticsearch for commands, and writes down what people do with them. Functions block.

All raise `NoAlerts` with a sentence when there is no answer: within a second or two when nobody listens.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from agents.settings import Settings
from operations.process import who
from topics.catalogue import ACTS
from topics.errors import OgrewatchError
from topics.kafka.publish import publish
from topics.records import acts
from topics.records.acts import Act, InvalidAct, Kind
from web.store.alerts import StoredAlerts, WantedAlerts
from web.store.client import Store, StoreAway

SHORTEST = 6
"""Characters of the beginning of an id that may stand for it."""
_PAGE = 500

Alert = dict[str, Any]
T = TypeVar("T")


class NoAlerts(OgrewatchError):
    """There is no answer, or no such alert."""


def listed(settings: Settings, wanted: WantedAlerts, limit: int) -> dict[str, Any]:
    """The alerts that changed last, as `StoredAlerts.page` answers."""
    return _asked(settings, lambda alerts: alerts.page(wanted, limit))


def called(settings: Settings, texts: list[str]) -> list[Alert]:
    """The alerts with these ids, or beginnings of ids. Each must mean one alert."""
    for text in texts:
        if not (SHORTEST <= len(text) <= 32 and set(text) <= set("0123456789abcdef")):
            raise NoAlerts(f"{text!r} is no id of an alert, nor at least {SHORTEST} of its first characters.")

    async def find(alerts: StoredAlerts) -> list[Alert]:
        return [_single(text, await alerts.called(text)) for text in texts]

    return _asked(settings, find)


def exported(settings: Settings, wanted: WantedAlerts, write: Callable[[Alert], object]) -> int:
    """Write all alerts, the newest first; returns how many."""

    async def export(alerts: StoredAlerts) -> int:
        number = 0
        async for one in _all(alerts, wanted):
            write(one)
            number += 1
        return number

    return _asked(settings, export)


def act(
    settings: Settings, ids: list[str], kind: Kind, comment: str, verdict: str = "", assignee: str = ""
) -> list[str]:
    """Do something with alerts; returns their whole ids. Raises `KafkaUnavailable` when Kafka does not take it."""
    found, name, now = [one["id"] for one in called(settings, ids)], who(), time.time_ns() // 1_000_000
    try:
        done = [Act(identity, kind, name, now, comment, verdict, assignee) for identity in found]
    except InvalidAct as error:
        raise NoAlerts(f"{error}.") from None
    for one in done:
        publish(settings.kafka, settings.prefix + ACTS.name, one.alert.encode(), acts.encode(one))
    return found


def _single(text: str, found: list[Alert]) -> Alert:
    if len(found) != 1:
        which = "Several alerts have ids that begin" if found else "No alert has an id that begins"
        raise NoAlerts(f"{which} with {text}.")
    return found[0]


async def _all(alerts: StoredAlerts, wanted: WantedAlerts) -> AsyncIterator[Alert]:
    after: list[Any] | None = None
    while True:
        page = await alerts.page(wanted, _PAGE, after)
        for one in page["alerts"]:
            yield one
        if (after := page["after"]) is None:
            return


def _asked(settings: Settings, ask: Callable[[StoredAlerts], Awaitable[T]]) -> T:
    async def inside() -> T:
        store = Store(settings)
        async with store.connected():
            return await ask(StoredAlerts(store, settings.namespace))

    try:
        return asyncio.run(inside())
    except StoreAway as error:
        raise NoAlerts(f"{error}") from None
