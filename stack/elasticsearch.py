"""Runs Elasticsearch as one node on loopback, without security.

The server is Elastic's own build for integration tests. It lacks the ingest processors, scripts and life cycles, which
Ogrewatch does not need. https://www.elastic.co/guide/en/elasticsearch/reference/8.19/settings.html
"""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

from stack.cache import ELASTICSEARCH, ensure
from stack.errors import StackError
from stack.java import find_java
from stack.ports import HOST, is_open
from stack.server import Server

_HEALTH = "/_cluster/health?wait_for_status=yellow&timeout=1s"
_NAMESPACE = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
_OTHER_USER = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]
_OTHER_USER += ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


class Elasticsearch(Server):
    """Elasticsearch. `quick` uses only the JVM's first compiler: a faster start, a slower long run."""

    name = "elasticsearch"
    setting = "OGREWATCH_ELASTICSEARCH"

    def __init__(self, data_dir: Path, port: int = 0, heap: str = "1g", quick: bool = False) -> None:
        super().__init__(data_dir, port)
        self.heap = heap
        self.quick = quick

    @property
    def address(self) -> str:
        """The URL of the HTTP interface."""
        return f"http://{HOST}:{self.port}"

    def answers(self) -> bool:
        """Whether the cluster has status yellow or green: it answers, and all primary shards are there."""
        if not is_open(self.port):
            return False
        try:
            with urllib.request.urlopen(f"{self.address}{_HEALTH}", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _fetch(self) -> None:
        ensure(ELASTICSEARCH)

    def _launch(self) -> None:
        home, java = ensure(ELASTICSEARCH), find_java()
        config = self.data_dir / "config"
        (config / "jvm.options.d").mkdir(parents=True, exist_ok=True)
        for name in ("log4j2.properties", "jvm.options"):
            shutil.copyfile(home / "config" / name, config / name)
        options = config / "jvm.options"
        options.write_text(options.read_text().replace("-XX:+UseG1GC", "") + self._jvm_options())
        (config / "elasticsearch.yml").write_text(self._settings())
        env = {**os.environ, "ES_JAVA_HOME": str(java.home), "ES_PATH_CONF": str(config)}
        env.pop("ES_JAVA_OPTS", None)
        self.daemon.spawn([*_unprivileged(), str(home / "bin" / "elasticsearch")], env, port=self.port)

    def _jvm_options(self) -> str:
        """The serial garbage collector costs least on two cores. Its log files are turned off."""
        options = [
            f"-Xms{self.heap}",
            f"-Xmx{self.heap}",
            "-XX:+UseSerialGC",
            "-Xlog:disable",
            "-Xlog:all=warning:stderr",
        ]
        if self.quick:
            options.append("-XX:TieredStopAtLevel=1")
        return "\n" + "\n".join(options) + "\n"

    def _settings(self) -> str:
        """`transport.port` 0 means any free port. A nearly full disk must not stop a demonstration."""
        settings = {
            "cluster.name": "ogrewatch",
            "node.name": "ogrewatch",
            "discovery.type": "single-node",
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": 0,
            "path.data": self.data_dir / "data",
            "path.logs": self.data_dir / "logs",
            "xpack.security.enabled": "false",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        return "".join(f"{key}: {value}\n" for key, value in settings.items())


def _unprivileged() -> list[str]:
    """The prefix of the command that changes the user, since Elasticsearch refuses to run as root; else empty.

    In a user namespace root only has another name, and owners of files stay. Where namespaces are forbidden (most
    containers), `setpriv` changes the user but keeps root's access to files, so that the cache stays readable.
    """
    if os.geteuid() != 0:
        return []
    for prefix in (_NAMESPACE, _OTHER_USER):
        if (
            shutil.which(prefix[0])
            and not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
        ):
            return prefix
    raise StackError(
        "Elasticsearch does not run as root: use another user, or install util-linux (unshare or setpriv)."
    )
