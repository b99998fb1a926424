"""Defines how long documents are kept, by kind, and when a data stream begins a new backing index.

A server that knows data stream life cycles acts on it by itself, for the templates tell it. For one that does not,
`ogrewatch retention` does the same.
https://www.elastic.co/docs/manage-data/lifecycle/data-stream
"""

from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from topics.environment import EnvironmentSettings
from topics.fields import TYPES

ATTEMPTS, ALERTS = "attempts", "alerts"
KINDS = (*TYPES, ATTEMPTS)
"""The kinds of documents that are in data streams."""


def _days(of: str) -> Any:
    return Field(None, ge=0, description=f"Days for which {of} are kept; `DAYS` when unset.")


class RetentionSettings(EnvironmentSettings):
    """How long documents are kept. The variables are `OGREWATCH_RETENTION_<NAME>`; 0 days are for ever."""

    model_config = SettingsConfigDict(env_prefix="OGREWATCH_RETENTION_", frozen=True)

    days: int = Field(0, ge=0, description="Days for which documents are kept in Elasticsearch; 0: for ever.")
    authentication: int | None = _days("events of authentication")
    network: int | None = _days("events of networks")
    process: int | None = _days("events of processes")
    web: int | None = _days("events of web servers")
    audit: int | None = _days("events of auditing")
    system: int | None = _days("all other events")
    attempts: int | None = _days("the counted minutes of attempts")
    alerts: int | None = _days("alerts, from their last change on,")
    rollover_days: int = Field(
        7, ge=1, description="Days after which `ogrewatch retention` begins a new backing index of a data stream."
    )
    rollover_gib: int = Field(30, ge=1, description="GiB of a backing index's primary shard after which it does.")

    def of(self, kind: str) -> int:
        """Days for which documents of a kind are kept; 0 is for ever."""
        own: int | None = getattr(self, kind)
        return self.days if own is None else own

    def lifecycle(self, kind: str) -> dict[str, Any]:
        """The life cycle of a kind's data streams, as templates and the server have it."""
        days = self.of(kind)
        return {"enabled": True, **({"data_retention": f"{days}d"} if days else {})}

    def conditions(self) -> dict[str, Any]:
        """When a data stream rolls over: any of the maxima, but never while it is empty."""
        return {
            "max_age": f"{self.rollover_days}d",
            "max_primary_shard_size": f"{self.rollover_gib}gb",
            "min_docs": 1,
        }
