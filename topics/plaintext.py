"""Refuses to send passwords and tokens over connections that anybody on the network can read."""

from collections.abc import Iterable

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from topics.environment import EnvironmentSettings
from topics.network import is_loopback


class PlaintextSettings(EnvironmentSettings):
    """Names the hosts to which secrets may be sent without TLS nevertheless."""

    model_config = SettingsConfigDict(env_prefix="OGREWATCH_", frozen=True)

    plaintext_hosts: str = Field(
        "", description="Hosts, comma separated, to which passwords may be sent without TLS; loopback always is one."
    )


def readable_by_others(hosts: Iterable[str | None], what: str) -> str | None:
    """A sentence that says why `what` must not be sent to these hosts without TLS; None if it may.

    Raises `BadSettings`.
    """
    named = PlaintextSettings().plaintext_hosts.lower().split(",")
    allowed = {name.strip().strip("[]") for name in named}
    for host in hosts:
        if host and not is_loopback(host) and host.lower().strip("[]") not in allowed:
            return (
                f"{what} would go to {host} where anybody on the network can read it: use TLS, or name {host} in"
                " OGREWATCH_PLAINTEXT_HOSTS."
            )
    return None
