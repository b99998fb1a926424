"""Text that strangers may have written in, what a terminal shows and does not obey out."""

import json
import logging
import traceback
from typing import Any


def printable(text: str, keep: str = "") -> str:
    """The text, with everything that is not printable escaped as in JSON; JSON stays JSON. `keep` is left alone."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else json.dumps(c)[1:-1] for c in text)


def guard_logs() -> None:
    """From now on every log record of the process is escaped, whoever writes and whoever prints it: one line each,
    and a traceback beneath.
    """
    logging.setLogRecordFactory(_Record)


class _Record(logging.LogRecord):
    """What is logged may quote input: a line could forge others, or steer the terminal that shows the log."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.exc_info and self.exc_info[0] is not None:  # formatters take this over their own
            self.exc_text = printable("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"), keep="\n")

    def getMessage(self) -> str:
        return printable(super().getMessage())
