"""Looks whether everything works: servers, web role, count workers, lag, ledger. It answers within some seconds.

Servers are asked by a connection alone, so that one that is away is found out at once; what works behind it, the web
role says.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.settings import Settings
from operations.printable import plain
from operations.web_client import NoAnswer, WebClient

_TIMEOUT = 0.8  # seconds that a server has to take a connection

Json = dict[str, Any]


@dataclass(slots=True)
class Status:
    """What was found. `servers` maps a name to a sentence about what is wrong with it, "" for nothing."""

    servers: dict[str, str] = field(default_factory=dict)
    health: Json | None = None
    roles: Json | None = None
    ledger: Json | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def wrongs(self) -> list[str]:
        """A sentence for everything that is amiss."""
        found = [f"{name}: {why}" for name, why in self.servers.items() if why] + list(self.notes)
        if self.health is not None and self.health["status"] != "ok":
            missing = self.health.get("partitions", {}).get("missing", [])
            found.append(self.health.get("error") or f"partitions {missing} are not counted at present")
        return found + (list(self.ledger["wrongs"]) if self.ledger is not None else [])


def look(url: str | None = None) -> Status:
    """Ask everybody at the same time."""
    settings, client, seen = Settings(), WebClient(url), Status()
    with ThreadPoolExecutor() as pool:
        servers = {
            f"Kafka {settings.kafka}": pool.submit(_reached, settings.kafka, 9092),
            f"Elasticsearch {_hidden(settings.elasticsearch)}": pool.submit(_reached, settings.elasticsearch, 9200),
        }
        health = pool.submit(_asked, client, "/api/v1/health", seen)
        roles = pool.submit(_asked, client, "/api/v1/roles", seen)
        seen.servers = {name: found.result() for name, found in servers.items()}
        seen.health, seen.roles = health.result(), roles.result()
        if seen.health is not None and not any(seen.servers.values()):
            seen.ledger = _asked(client, "/api/v1/ledger", seen)
    return seen


def as_json(seen: Status) -> Json:
    """All of it."""
    return {
        "ok": not seen.wrongs, "wrongs": seen.wrongs, "servers": {name: not why for name, why in seen.servers.items()},
        "health": seen.health, "roles": seen.roles, "ledger": seen.ledger,
    }  # fmt: skip


def shown(seen: Status) -> RenderableType:
    """All of it on one screen."""
    parts: list[RenderableType] = [_servers(seen)]
    if seen.roles is not None and seen.roles.get("roles"):
        parts.append(_roles(seen.roles))
    if seen.ledger is not None:
        parts.append(Text(seen.ledger["verdict"], style="green" if seen.ledger["balanced"] else "bold red"))
    if seen.wrongs:
        parts += [plain(f"Amiss: {why}") for why in seen.wrongs]
    else:
        parts.append(Text("Everything works.", style="green"))
    return Group(*parts)


def _servers(seen: Status) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Server")
    table.add_column("State", overflow="fold")
    for name, why in seen.servers.items():
        table.add_row(plain(name), plain(why or "takes connections"))
    if seen.health is not None:
        for worker, numbers in seen.health.get("workers", {}).items():
            table.add_row(plain(f"count worker {worker}"), f"partitions {', '.join(map(str, numbers))}")
        table.add_row("Newest event counted", plain(str(seen.health.get("newest") or "none yet")))
    return table


def _roles(found: Json) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Role")
    for name in ("Workers", "Lag", "Records a second"):
        table.add_column(name, justify="right")
    for name, role in found["roles"].items():
        rate = "-" if role["per_second"] is None else f"{role['per_second']:,.0f}"
        table.add_row(name, f"{role['members']:,}", f"{role['lag']:,}", rate)
    return table


def _asked(client: WebClient, path: str, seen: Status) -> Json | None:
    """An answer of the web role, also one that says that something is amiss."""
    try:
        found: Json = client.json(path, accept=(503,))
    except NoAnswer as error:
        if str(error) not in seen.notes:
            seen.notes.append(str(error))
        return None
    if path.endswith("/ledger") and "verdict" not in found:
        seen.notes.append(str(found.get("error", "")))
        return None
    return found


def _reached(servers: str, port: int) -> str:
    """Why none of some servers, comma separated, takes a connection; "" when one does."""
    why = ""
    for server in servers.split(","):
        parts = urlsplit(server.strip() if "//" in server else f"//{server.strip()}")
        try:
            with socket.create_connection((parts.hostname or "", parts.port or port), _TIMEOUT):
                return ""
        except OSError as error:
            why = error.strerror or str(error)
    return f"does not answer ({why})"


def _hidden(urls: str) -> str:
    """URLs without user and password."""
    parts = [urlsplit(url.strip()) for url in urls.split(",")]
    return ",".join(f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts)
