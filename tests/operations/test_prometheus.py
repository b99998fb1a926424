"""A real Prometheus scrapes every role: dashboards have data, no alert fires, and then each fires by its cause.

The rules are made impatient (see `prometheus_kit.impatient`). Alerts whose causes take minutes or a full disk are made
to fire by promtool only (tests/stack/test_prometheus_rules.py): Restarting, Rebalancing, LagGrows, LateAttempts,
ElasticsearchBusy, IngestRefuses and LedgerOff.
"""

import math
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from installation_kit import Place, place, until
from prometheus_kit import Door, Prometheus

from operations.grafana.contents import DASHBOARDS
from operations.grafana.panels import render
from stack.demo.corpus import generate
from stack.ports import HOST, free_port

ROLES = ("normalize", "count", "detect", "index", "web", "ingest")
QUERIES = [query for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries]
_JSON = Path(__file__).parents[2] / "stack" / "grafana"
_LINES = [line for _, _, line in generate(7, datetime.now(UTC), 10)][:5000]
BROKEN = """
from agents import pipeline
from topics.avro.codec import CodecError
def broken(kind, event):
    raise CodecError("a defect")
pipeline.encode = broken
"""


def test_the_files_are_what_is_listed() -> None:
    for one in DASHBOARDS:
        assert (_JSON / one.file).read_text() == render(one), "run scripts/write-dashboards"
    assert {path.name for path in _JSON.glob("*.json")} == {one.file for one in DASHBOARDS}


@dataclass
class Site:
    """An installation with a process of each role, and who sends to it."""

    here: Place
    door: Door
    folder: Path
    ports: dict[str, int]
    stack: ExitStack
    prometheus: Prometheus | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def start(self, role: str, defect: str = "", **environment: str) -> None:
        """Start a process of a role."""
        self.here.environment["OGREWATCH_METRICS_PORT"] = str(self.ports[role])
        kept = dict(self.here.environment)
        self.here.environment.update(environment)
        self.processes[role] = self.stack.enter_context(self.here.worker(role, defect))
        self.here.environment = kept

    def kill(self, role: str) -> None:
        """End the process of a role."""
        self.processes[role].kill()
        self.processes[role].wait()

    def ready(self, role: str) -> bool:
        """Whether the process of a role is ready."""
        return self.get(f"http://{HOST}:{self.ports[role]}/readyz")

    def get(self, url: str, body: bytes | None = None) -> bool:
        """Whether a request is answered well."""
        with suppress(OSError), urllib.request.urlopen(urllib.request.Request(url, body), timeout=10):
            return True
        return False

    def send(self) -> None:
        """Send some lines every second, ask the page and the way in, until it is stopped."""
        web, ingest = (self.here.environment[f"OGREWATCH_{name}_PORT"] for name in ("WEB", "INGEST"))
        for start in range(0, 10**9, 50):
            self.here.send((n % 2, _LINES[(start + n) % len(_LINES)]) for n in range(50))
            self.get(f"http://{HOST}:{web}/api/v1/auth/ratio?window=5m")
            self.get(f"http://{HOST}:{ingest}/events", b'{"category":"t","hostname":"h","summary":"s"}')
            if self.stopped.wait(0.5):
                return


@pytest.fixture(scope="module")
def site(kafka: str, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, door = tmp_path_factory.mktemp("site"), Door(elasticsearch_url)
    door.open()
    with place(kafka, door.url, f"t{folder.name.lower()}{free_port()}", folder) as here, ExitStack() as stack:
        for name in ("WEB", "INGEST"):
            here.environment[f"OGREWATCH_{name}_PORT"] = str(free_port())
        found = Site(here, door, folder, {role: free_port() for role in ROLES}, stack)
        for role in ROLES:
            found.start(role)
        until(lambda: all(found.ready(role) for role in ROLES), 200)
        found.prometheus = stack.enter_context(Prometheus(folder / "prometheus", list(found.ports.values())).running())
        sender = threading.Thread(target=found.send)
        sender.start()
        yield found
        found.stopped.set()
        sender.join()
        door.open()
    door.shut()


@pytest.mark.timeout(600)
def test_every_query_of_the_dashboards_finds_something_and_no_alert_fires(site: Site) -> None:
    prometheus = site.prometheus
    assert prometheus is not None

    def silent() -> list[str]:
        needed = [query.expression for query in QUERIES if not query.only_when_wrong]
        return [one for one in needed if not any(_is_number(found["value"][1]) for found in prometheus.query(one))]

    until(lambda: not silent(), 120, 3.0)
    for query in QUERIES:
        prometheus.query(query.expression)  # that it is an expression at all
    until(lambda: not prometheus.firing(), 120)


def _is_number(text: str) -> bool:
    return not math.isnan(float(text))


def test_alerts_fire_by_their_causes(site: Site) -> None:
    prometheus = site.prometheus
    assert prometheus is not None

    def fires(*alerts: str) -> None:
        until(lambda: set(alerts) <= prometheus.firing(), 120)

    site.here.send([(0, b"no event")], "events.web")
    site.kill("count")
    site.kill("ingest")
    site.start("ingest", OGREWATCH_KAFKA=f"{HOST}:{free_port()}")
    fires("OgrewatchDeadLetters index", "OgrewatchProcessDown", "OgrewatchRoleMissing count")
    fires("OgrewatchIngestKafkaDown http", "OgrewatchPageCannotAsk")

    site.door.shut()
    fires("OgrewatchElasticsearchRefuses", "OgrewatchRoleNotReady index", "OgrewatchRoleStuck index")
    fires("OgrewatchBehind index")
    site.door.open()
    until(lambda: "OgrewatchRoleNotReady index" not in prometheus.firing(), 120)

    site.kill("normalize")
    site.start("normalize", BROKEN, OGREWATCH_DEAD_LETTER_LIMIT="1")
    fires("OgrewatchPartitionPaused normalize")
