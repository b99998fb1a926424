"""Makes text fit for a terminal: escapes what strangers may have written, and removes credentials from addresses."""

import json
import logging
import re
import traceback
from typing import Any

from rich.text import Text

_CREDENTIALS = re.compile(r"//[^@/,]*@")


def printable(text: str, keep: str = "") -> str:
    """Escape everything that is not printable as JSON does, so JSON stays JSON. Characters of `keep` are left alone."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else json.dumps(c)[1:-1] for c in text)


def plain(text: str) -> Text:
    """Return the text as a cell of a table: without markup, and with control characters replaced."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def without_credentials(address: str) -> str:
    """Return the address without user name and password."""
    return _CREDENTIALS.sub("//", address)


def guard_logs() -> None:
    """Escape every log record of the process from now on, whichever logger and handler it has.

    A record is one line, and a traceback below it.
    """
    logging.setLogRecordFactory(_Record)


class _Record(logging.LogRecord):
    """A log record that is escaped, because quoted input could forge lines or steer the terminal that shows them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.exc_info and self.exc_info[0] is not None:  # formatters take this over their own
            self.exc_text = printable("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"), keep="\n")

    def getMessage(self) -> str:
        return printable(super().getMessage())
