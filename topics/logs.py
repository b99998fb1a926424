"""Prints the log of a process to standard error: as lines to read, or as one JSON object a line for collectors.

A JSON object has `time` (RFC 3339, UTC), `level`, `logger`, `role`, `message`, and `exception` with a traceback.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """Formats records as JSON objects of a role."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        shown = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "role": self._role,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            shown["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(shown, ensure_ascii=False)


def print_logs(role: str, level: str, style: Literal["text", "json"], *filters: logging.Filter) -> None:
    """Print records of at least this level; those that a filter refuses are left out."""
    printer = logging.StreamHandler(sys.stderr)
    printer.setFormatter(JsonFormatter(role) if style == "json" else logging.Formatter(_TEXT))
    for one in filters:
        printer.addFilter(one)
    logging.basicConfig(level=level, handlers=[printer], force=True)
