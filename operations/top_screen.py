"""Puts the events of the event stream together to one screen of logins, attackers and health."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from operations import stats_tables

Json = dict[str, Any]


class Screen:
    """What is known so far. `limit` is the most addresses that are shown."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[str, Json] = {}
        self._about: Json | None = None
        self._ratio: Json | None = None
        self._health: Json | None = None
        self._trouble = ""

    @property
    def complete(self) -> bool:
        """Whether everything has come that is shown."""
        return None not in (self._about, self._ratio, self._health)

    def take(self, name: str, data: Json) -> bool:
        """Take an event; True when the screen has changed."""
        if name == "attackers":
            self._rows = {} if "all" in data else self._rows
            for row in data.get("all") or data.get("put") or ():
                self._rows[row["address"]] = row
            for address in data.get("gone", ()):
                self._rows.pop(address, None)
            self._about, self._trouble = data, ""
        elif name == "ratio":
            self._ratio = data
        elif name == "health":
            self._health = data
        elif name == "trouble":
            self._trouble = data["error"]
        else:
            return False
        return True

    def shown(self) -> RenderableType:
        """The screen."""
        parts: list[RenderableType] = [self._state()]
        if self._ratio is not None:
            parts.append(stats_tables.ratio(self._ratio))
        if self._about is not None:
            rows = sorted(self._rows.values(), key=lambda row: (not row["broke_in"], -row["failures"]))
            parts.append(stats_tables.attackers({**self._about, "attackers": rows[: self._limit]}))
        return Group(*parts)

    def _state(self) -> Text:
        if self._trouble:
            return Text(self._trouble, style="bold red")
        if self._health is None:
            return Text("Waiting for the first answer.")
        received = self._health.get("received_per_second")
        roles = [f"{name} lag {role['lag']:,}" for name, role in self._health.get("roles", {}).items()]
        text = [f"{self._health['status']}, {self._health.get('counted', 0):,} attempts counted"]
        text += [f"{received:,.0f} lines a second"] if received is not None else []
        return Text(", ".join([*text, *roles]) + ".", style="" if self._health["status"] == "ok" else "yellow")
