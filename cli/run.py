"""Runs one role in this process, for a supervisor such as Kubernetes or systemd that starts it again when it ends."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agents.settings import Settings

PANEL = "Run"
ROLES = ("normalize", "count", "detect", "index", "web", "ingest")


def command(
    role: Annotated[str, typer.Argument(help=f"{', '.join(ROLES)}.")],
    number: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run one role in this process, without a supervisor: for Kubernetes, systemd and others that start it again.

    SIGTERM ends it within OGREWATCH_GRACE seconds. The exit code is 0 then, 1 after a crash and 70 when it ended itself
    so that no record is skipped: start it again. 2 means invalid settings and 77 that a server refuses us: mend that
    first. /livez, /readyz and /metrics are on OGREWATCH_METRICS_PORT.

    Example: OGREWATCH_METRICS_PORT=9464 ogrewatch run count
    """
    if role not in ROLES:
        raise typer.BadParameter(f"no such role: {role}; one of {', '.join(ROLES)}")
    require_settings([role])
    run_role(role, number)


def require_settings(roles: list[str]) -> None:
    """Raise `BadSettings` for invalid settings, before processes are started that would fail again and again."""
    from agents.counting.peers import advertised
    from agents.settings import Settings
    from cli.token import token_file
    from ingest.base import InvalidSettings
    from ingest.http.tls import require_safety
    from ingest.settings import IngestSettings
    from ingest.tokens import SEND
    from topics.environment import BadSettings
    from web.access import Access

    settings, ours = Settings(), IngestSettings()
    if "ingest" in roles:
        try:
            require_safety(ours, ours.client_ca is not None or token_file(None).asked(SEND))
        except InvalidSettings as error:
            raise BadSettings(f"{error}") from None
    if "count" in roles:
        advertised(settings)
    if "web" in roles:
        Access(settings)


def run_role(role: str, number: int) -> None:
    """Run a role in this process. `number` counts processes over all roles, and decides on the port of metrics."""
    from agents.settings import Settings

    settings = Settings()
    os.umask(0o077)  # files hold logs of other people
    if role == "ingest":
        from cli.ingest import run_http
        from ingest.settings import IngestSettings

        run_http(IngestSettings(), number)
    elif role == "web":
        _run_web(settings, number)
    else:
        _run_agents(role, settings, number)


def _run_web(settings: "Settings", number: int) -> None:
    from agents.metrics import REGISTRY
    from operations.page_looks import PageLooks
    from topics.health import Health, serve
    from topics.logs import print_logs
    from web.application import run

    print_logs("web", settings.log_level, settings.log_format)
    _check_servers("web", settings)
    health = Health()
    serve(settings.metrics_host, _port(settings, number), health, REGISTRY)
    run(settings, health, PageLooks(settings))


def _run_agents(role: str, settings: "Settings", number: int) -> None:
    from agents.metrics import REGISTRY
    from agents.transport import RateLimitFilter, run
    from topics.health import Health, serve
    from topics.logs import print_logs

    print_logs(role, settings.log_level, settings.log_format, RateLimitFilter())
    _check_servers(role, settings)
    health = Health()
    app = import_module(f"agents.{role}").make_app(settings)
    health.require(role, app.missing)
    serve(settings.metrics_host, _port(settings, number), health, REGISTRY)
    run(app, health=health, grace=settings.grace)


def _port(settings: "Settings", number: int) -> int:
    """The port of health and metrics of the process, 0 for none."""
    return settings.metrics_port + number if settings.metrics_port else 0


def _check_servers(role: str, settings: "Settings") -> None:
    """Raise `AccessRefused` when a server refuses the connection: clients would only log it, and try again for ever."""
    from topics.kafka import client

    client.answers(settings.kafka)
    if role == "index":
        from sinks.elasticsearch.connection import answers

        answers(settings.elasticsearch)
