"""Registers schemas at a Schema Registry and asks it for unknown ones; without one, the package's own ids are used."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agents.settings import Settings
from agents.transport import abort_process
from topics.avro.registry import Registry, pauses, register_all
from topics.avro.wire import UnknownSchema
from topics.errors import RegistryRefused, RegistryUnavailable

T = TypeVar("T")

logger = logging.getLogger("ogrewatch.schemas")


class Schemas:
    """Registers our schemas when it is made, if there is a registry: waits for it, blocking.

    Ends the process when the registry refuses one.
    """

    def __init__(self, settings: Settings) -> None:
        self._registry: Registry | None = None
        if settings.schema_registry:
            try:
                self._registry = Registry(settings.schema_registry)
                _register(self._registry, settings.prefix)
            except RegistryRefused as error:
                abort_process(error)

    async def known(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something, and again after each schema that has to be asked for at the registry."""
        while True:
            try:
                return await work()
            except UnknownSchema as unknown:
                await self.learn(unknown)

    async def learn(self, unknown: UnknownSchema) -> None:
        """Ask the registry for a schema and remember it. Waits while the registry is away."""
        assert self._registry is not None, "only a registry's numbers are asked for"
        for pause in pauses():
            try:
                text = await asyncio.to_thread(self._registry.text, unknown.number)
            except RegistryUnavailable as error:
                logger.warning("waiting for the Schema Registry to say what schema %d is: %s", unknown.number, error)
                await asyncio.sleep(pause)
            else:
                unknown.numbers.learn(unknown.number, text)
                return


def _register(registry: Registry, prefix: str) -> None:
    for pause in pauses():
        try:
            register_all(registry, prefix)
        except RegistryUnavailable as error:
            logger.warning("waiting for the Schema Registry: %s", error)
            time.sleep(pause)
        else:
            return
