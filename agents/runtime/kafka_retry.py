"""Repeats questions to Kafka until it answers, and logs a warning after each failure."""

import asyncio
from collections.abc import Callable
from logging import Logger
from typing import TypeVar

from confluent_kafka import KafkaException

PAUSE = 2.0
"""Seconds before Kafka is asked again."""

T = TypeVar("T")


async def retry_until_answered(logger: Logger, what: str, question: Callable[[], T]) -> T:
    """Ask in a thread until there is an answer. `what` says in warnings what waits for it, as "look at the topics".

    Raises what the question raises besides `KafkaException`.
    """
    while True:
        try:
            return await asyncio.to_thread(question)
        except KafkaException as error:
            logger.warning("cannot %s yet: %s", what, error)
            await asyncio.sleep(PAUSE)
