"""Converts lines of PostgreSQL's CSV log to the records that its JSON log would have.

https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG
"""

import csv
from typing import Any

_NAMES = (
    *("timestamp", "user", "dbname", "pid", "remote", "session_id", "line_num", "ps", "session_start", "vxid", "txid"),
    *("error_severity", "state_code", "message", "detail", "hint", "internal_query", "internal_position", "context"),
    *("statement", "cursor_position", "func_name", "application_name", "backend_type", "leader_pid", "query_id"),
)
_FEWEST = 23
_LONGEST = 65536


def of_csv(line: str) -> dict[str, Any] | None:
    """The record of a line, without its empty fields; None when the line is not of this log."""
    if len(line) > _LONGEST:
        return None
    try:
        row = next(csv.reader([line]), [])
    except csv.Error:
        return None
    if len(row) < _FEWEST or not row[3].isdigit():
        return None
    record: dict[str, Any] = {name: value for name, value in zip(_NAMES, row, strict=False) if value}
    if remote := record.pop("remote", ""):
        host, colon, port = remote.rpartition(":")
        record.update({"remote_host": host, "remote_port": port} if colon else {"remote_host": remote})
    return record
