"""Makes cells of tables from text that strangers may have chosen."""

from rich.text import Text


def plain(text: str) -> Text:
    """Return the text without markup and with control characters replaced."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
