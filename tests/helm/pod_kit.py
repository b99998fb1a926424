"""A small kubelet: runs the pods of rendered documents as processes of this machine, against real servers.

Each pod has an address of its own on loopback, only its own variables, its volumes as folders, and a root file system
that it cannot write where this process may say so. Names of Services are resolved as by a cluster's DNS: that of a
headless one to all its pods. Probes, restarts and the time to stop are those of the specification. What differs from a
cluster: paths of volumes are replaced in the variables, and all pods run as the user of the test.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from helm_kit import Doc

ANY = "0.0.0.0"
_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind / && shift && exec "$@"'
_RESOLVER = '''
"""Resolves the names of Services from a file, as a cluster's DNS would."""
import os, socket
_real = socket.getaddrinfo
def _resolve(host, port, *args, **options):
    name = host.decode() if isinstance(host, bytes) else host
    with open(os.environ["OGREWATCH_TEST_HOSTS"]) as file:
        found = [line.split()[1:] for line in file if line.split()[0] == name]
    if not found:
        return _real(host, port, *args, **options)
    return [answer for address in found[0] for answer in _real(address, port, *args, **options)]
socket.getaddrinfo = _resolve
'''


@cache
def can_be_read_only() -> bool:
    """Whether this process may give others a root file system that they cannot write."""
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", "mount -o remount,ro,bind /"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


class Pod:
    """One pod, on a node, with an address. `process` is None while it does not run."""

    def __init__(self, cluster: "Cluster", name: str, role: str, spec: Doc, node: int, address: str) -> None:
        self.cluster, self.name, self.role, self.spec, self.node, self.address = (
            cluster,
            name,
            role,
            spec,
            node,
            address,
        )
        self.container: Doc = spec["containers"][0]
        self.folder = cluster.folder / name
        self.grace = float(spec["terminationGracePeriodSeconds"])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start its process with empty volumes."""
        self.folder.mkdir(exist_ok=True)
        paths = {mount["mountPath"]: self._volume(mount["name"]) for mount in self.container["volumeMounts"]}
        command = [str(Path(sys.executable).parent / self.container["command"][0]), *self.container["args"]]
        if can_be_read_only():
            wrap = ["unshare", "-m", "--propagation", "private", "sh", "-c", _READ_ONLY, "sh", str(self.folder)]
            command = [*wrap, *command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment(paths), cwd="/", stdout=log, stderr=log)

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.cluster.folder / f"{self.name}.log"

    def port(self, name: str) -> int:
        """The number of a port."""
        return next(int(one["containerPort"]) for one in self.container["ports"] if one["name"] == name)

    def probe(self, kind: str) -> int:
        """The status that its probe gets now, 0 without an answer."""
        ask = self.container[f"{kind}Probe"]["httpGet"]
        try:
            with urllib.request.urlopen(
                f"http://{self.address}:{self.port(ask['port'])}{ask['path']}", timeout=5
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """End it as Kubernetes does; returns its status. Fails if it needs more than its time."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self.grace)

    def _environment(self, paths: Mapping[str, Path]) -> dict[str, str]:
        said = {"PYTHONPATH": str(self.cluster.resolver), "OGREWATCH_TEST_HOSTS": str(self.cluster.hosts)}
        for one in self.container["env"]:
            value = one.get("value", self.address)  # of the one field that is referred to
            for path, folder in paths.items():
                if value == path or value.startswith(f"{path}/"):
                    value = f"{folder}{value.removeprefix(path)}"
            said[one["name"]] = self.address if value == ANY else value
        return said

    def _volume(self, name: str) -> Path:
        volume = next(one for one in self.spec["volumes"] if one["name"] == name)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if "secret" in volume:
            for key, content in self.cluster.secrets[volume["secret"]["secretName"]].items():
                file = folder / key
                file.unlink(missing_ok=True)
                file.write_bytes(content)
                file.chmod(0o400)
        return folder


class Cluster:
    """The pods of some documents, on two nodes in turn. The addresses of node n are 127.`network`.n.*."""

    def __init__(self, docs: list[Doc], secrets: Mapping[str, Mapping[str, bytes]], folder: Path, network: int) -> None:
        self.secrets, self.folder = secrets, folder
        self.hosts, self.resolver = folder / "hosts", folder / "resolver"
        self.resolver.mkdir()
        (self.resolver / "sitecustomize.py").write_text(_RESOLVER)
        self.docs, self.network = docs, network
        self.pods = list(self._pods())
        self._write_hosts()

    def of(self, *roles: str) -> list[Pod]:
        """The pods of roles."""
        return [pod for pod in self.pods if pod.role in roles]

    def run_to_completion(self, kind: str) -> str:
        """Run the pod of a Job or test to its end, and return what it printed. Fails with that if it failed."""
        (doc,) = (doc for doc in self.docs if doc["kind"] == kind)
        spec = doc["spec"]["template"]["spec"] if "template" in doc["spec"] else doc["spec"]
        pod = Pod(self, doc["metadata"]["name"], kind.lower(), spec, 9, f"127.{self.network}.9.1")
        pod.start()
        assert pod.process is not None
        status = pod.process.wait(240)
        assert status == 0, pod.log.read_text()
        return pod.log.read_text()

    def start(self) -> None:
        """Start all pods."""
        for pod in self.pods:
            pod.start()

    def await_ready(self, pods: list[Pod] | None = None, seconds: float = 240) -> None:
        """Wait until pods are ready. One that ends meanwhile is started again, as a kubelet would."""
        waiting = list(self.pods if pods is None else pods)
        until = time.monotonic() + seconds
        while waiting := [pod for pod in waiting if pod.probe("readiness") != 200]:
            assert time.monotonic() < until, self.report(waiting)
            for pod in waiting:
                if pod.process is not None and pod.process.poll() is not None:
                    pod.start()
            time.sleep(0.2)

    def until(self, holds: Callable[[], bool], seconds: float = 180) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.report(self.pods)
            time.sleep(0.2)

    def end(self) -> None:
        """Kill what still runs."""
        for pod in self.pods:
            pod.kill()

    def report(self, pods: list[Pod]) -> str:
        """The last lines of logs of pods."""
        return "\n".join(f"{pod.name}: {pod.log.read_text()[-600:] if pod.log.exists() else ''}" for pod in pods)

    def _pods(self) -> Iterator[Pod]:
        number = 0
        for doc in self.docs:
            if doc["kind"] not in ("Deployment", "StatefulSet"):
                continue
            template = doc["spec"]["template"]
            role = template["metadata"]["labels"]["app.kubernetes.io/component"]
            for ordinal in range(doc["spec"]["replicas"]):
                number += 1
                node = ordinal % 2
                address = f"127.{self.network}.{node}.{number}"
                yield Pod(self, f"{doc['metadata']['name']}-{ordinal}", role, template["spec"], node, address)

    def _write_hosts(self) -> None:
        lines = []
        for doc in self.docs:
            if doc["kind"] == "Service":
                role = doc["spec"]["selector"]["app.kubernetes.io/component"]
                name, addresses = doc["metadata"]["name"], " ".join(pod.address for pod in self.of(role))
                lines += [f"{name}{end} {addresses}" for end in ("", ".logs", ".logs.svc", ".logs.svc.cluster.local")]
        self.hosts.write_text("\n".join(lines) + "\n")


def environment_of(pid: int) -> dict[str, str]:
    """The variables that a process was started with."""
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(one.split("=", 1) for one in raw if "=" in one)


def own_network() -> int:
    """A second number for loopback addresses that other test processes do not use."""
    return 16 + os.getpid() % 200
