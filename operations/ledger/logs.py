"""Finds logs of which Kafka has lost the end, by comparing them with what the groups have committed."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from agents.settings import Settings
from agents.state.log_identity import differences, position_of
from topics.catalogue import READ_BY, group_of, read_by
from topics.kafka.reader import Reader


def truncated(reader: Reader, settings: Settings) -> list[str]:
    """Return a sentence for each log that lost records which a role has processed; blocks.

    Raises `KafkaException`.
    """
    positions = {
        role: {
            at: position_of(offset, metadata)
            for at, (offset, metadata) in reader.commits(
                group_of(role, settings.prefix), read_by(role, settings.prefix)
            ).items()
            if offset > 0
        }
        for role in READ_BY
    }
    with ThreadPoolExecutor(len(positions)) as pool:
        found = pool.map(lambda role: differences(settings.kafka, positions[role]), positions)
    roles = defaultdict[str, list[str]](list)
    for role, sentences in zip(positions, found, strict=True):
        for sentence in sentences.values():
            roles[sentence].append(role)
    return [f"{', '.join(named)}: {sentence}." for sentence, named in roles.items()]
