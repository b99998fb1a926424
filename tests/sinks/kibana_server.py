"""Stands in for Kibana's import of saved objects: what it is known to refuse, it refuses. It is not Kibana.

What it knows: the header against forged requests, one file in a form whose name ends with .ndjson, versions of types no
newer than its own, attributes that a type has, and references to objects that exist.
"""

import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_META = {"kibanaSavedObjectMeta"}
ATTRIBUTES: dict[str, set[str]] = {
    "dashboard": _META
    | {"title", "description", "version", "hits", "panelsJSON", "optionsJSON", "controlGroupInput", "timeRestore"}
    | {"timeFrom", "timeTo", "refreshInterval"},
    "search": _META
    | {"title", "description", "columns", "sort", "grid", "hideChart", "isTextBasedQuery", "usesAdHocDataView"}
    | {"timeRestore", "timeRange", "refreshInterval", "rowHeight", "rowsPerPage", "viewMode", "breakdownField"},
    "index-pattern": {"title", "name", "timeFieldName", "allowNoIndex", "fields", "fieldFormatMap"}
    | {"runtimeFieldMap", "sourceFilters", "typeMeta", "fieldAttrs", "type", "intervalName"},
}
NEWEST = {"dashboard": (8, 9, 0), "search": (7, 9, 3), "index-pattern": (8, 0, 0)}
"""The newest versions of types that a Kibana 8.9 knows."""


class KibanaServer(ThreadingHTTPServer):
    """Keeps what is imported in `saved`, by type and id. `users` are the values of Authorization it admits."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}
        self.users: set[str] = set()
        self.number, self.is_ready, self.base = "8.9.0", True, "/kibana/s/soc"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}{self.base}"


@contextmanager
def kibana() -> Iterator[KibanaServer]:
    """A stand-in on a port of its own."""
    with KibanaServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: KibanaServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self._admitted() and self.path == f"{self.server.base}/api/status":
            self._answer(200, {"version": {"number": self.server.number}, "status": {}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._admitted():
            return
        if "kbn-xsrf" not in self.headers:
            self._answer(400, {"message": "Request must contain a kbn-xsrf header."})
        elif self.path != f"{self.server.base}/api/saved_objects/_import?overwrite=true":
            self._answer(404, {"message": "Not Found"})
        elif (file := self._file(body)) is None:
            self._answer(400, {"message": "Invalid file extension"})
        else:
            self._import([json.loads(line) for line in file.splitlines()])

    def _file(self, body: bytes) -> bytes | None:
        """What is in the part `file` of the form, if its name is that of newline-delimited JSON."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        for part in form.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if name == "file" and (part.get_filename() or "").endswith(".ndjson"):
                return bytes(part.get_payload(decode=True))
        return None

    def _admitted(self) -> bool:
        if self.server.users and self.headers["Authorization"] not in self.server.users:
            self._answer(401, {"message": "Unauthorized"})
            return False
        if not self.server.is_ready:
            self._answer(503, {"message": "License is not available."})
        return self.server.is_ready

    def _import(self, objects: list[dict[str, Any]]) -> None:
        known = {(one["type"], one["id"]) for one in objects} | set(self.server.saved)
        errors = [{**error, "type": one["type"], "id": one["id"]} for one in objects for error in _errors(one, known)]
        if not errors:
            self.server.saved |= {(one["type"], one["id"]): one for one in objects}
        good = len(objects) - len(errors)
        self._answer(200, {"success": not errors, "successCount": good, **({"errors": errors} if errors else {})})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _errors(one: dict[str, Any], known: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    if one["type"] not in NEWEST:
        yield {"error": {"type": "unsupported_type"}}
        return
    version = tuple(int(part) for part in one["typeMigrationVersion"].split("."))
    if version > NEWEST[one["type"]]:
        yield {"error": {"type": "unknown", "message": f"it belongs to a more recent version of Kibana {version}"}}
    if extra := one["attributes"].keys() - ATTRIBUTES[one["type"]]:
        yield {"error": {"type": "unknown", "message": f"[attributes]: definition for {extra} is missing"}}
    if missing := [ref for ref in one["references"] if (ref["type"], ref["id"]) not in known]:
        yield {"error": {"type": "missing_references", "references": missing}}
