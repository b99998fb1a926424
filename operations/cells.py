"""Text of somebody's choice in, a cell of a table out."""

from rich.text import Text


def plain(text: str) -> Text:
    """The text without markup, and without anything that a terminal would obey."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
