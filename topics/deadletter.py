"""What could not be processed: a record of the dead-letter topic, original key and bytes, the reason in headers."""

from importlib.metadata import version

Header = tuple[str, str | bytes | None]


def headers(component: str, topic: str, partition: int, offset: int, reason: str, text: str) -> list[Header]:
    """The headers of a dead letter: who gave up, where the record stood, the class of the reason and its text."""
    return [
        ("component", component),
        ("version", version("ogrewatch")),
        ("topic", topic),
        ("partition", str(partition)),
        ("offset", str(offset)),
        ("reason", reason),
        ("error", text[:2000]),
    ]
