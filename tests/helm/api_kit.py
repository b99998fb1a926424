"""A real Kubernetes API on loopback (etcd, API server, controller manager, scheduler), and a kubelet that only reports.

Nothing runs in its pods: the kubelet says that servers are ready and that Jobs have succeeded, and removes what is
deleted. What is tested with it is what the API decides: whether documents are taken, Pod Security, owners, roll-outs.
"""

import base64
import json
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helm_kit import CACHE, HELM, KUBECTL, require_helm

from stack.ports import HOST, free_port

PROGRAMS = CACHE / "kubernetes-1.36.3" / "bin"
NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_TOKEN = "token-of-a-test"
_NODE: dict[str, Any] = {
    "capacity": {"cpu": "64", "memory": "64Gi", "pods": "100"},
    "allocatable": {"cpu": "64", "memory": "64Gi", "pods": "100"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": ""}],
}


def require_programs() -> None:
    """Skip a test where Kubernetes was not built: that takes 20 minutes of a core, and no run of the tests does it."""
    require_helm()
    if missing := [name for name in NEEDED if not (PROGRAMS / name).exists()]:
        pytest.skip(f"{', '.join(missing)}: scripts/build-kubernetes builds them")


class ControlPlane:
    """The servers of a cluster, and its API as a client that may do everything."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.kubeconfig = folder / "kubeconfig"
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE

    def ask(self, path: str, method: str = "GET", body: Any = None, kind: str = "application/json") -> Any:
        """Send a request to the API, and return the answer. Raises `HTTPError`."""
        headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": kind}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"https://{HOST}:{self.port}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
            content = answer.read()
        return json.loads(content) if content.startswith(b"{") else content.decode()

    def refusal(self, path: str, body: Any) -> tuple[int, str]:
        """The status and the message that a POST gets; 200 and "" if it is not refused."""
        try:
            self.ask(path, "POST", body)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["message"]
        return 200, ""

    def helm(self, *arguments: str) -> str:
        """Run helm in the namespace of the tests. Fails with what it says."""
        return self._run(str(HELM), "--kubeconfig", str(self.kubeconfig), "-n", "logs", *arguments)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl. Fails with what it says."""
        return self._run(str(KUBECTL), "--kubeconfig", str(self.kubeconfig), *arguments)

    def objects(self, path: str) -> list[dict[str, Any]]:
        """The objects below a path."""
        found: list[dict[str, Any]] = self.ask(path)["items"]
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the servers."""
        self._write_files()
        processes: list[subprocess.Popen[bytes]] = []
        try:
            for name, arguments in self._commands():
                with (self.folder / f"{name}.log").open("ab") as log:
                    processes.append(subprocess.Popen([str(PROGRAMS / name), *arguments], stdout=log, stderr=log))
                if name == "kube-apiserver":
                    self._await_answer()
            yield
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()

    def _await_answer(self) -> None:
        until = time.monotonic() + 240
        while True:
            try:
                self.ask("/readyz")
                return
            except OSError:
                assert time.monotonic() < until, (self.folder / "kube-apiserver.log").read_text()[-2000:]
                time.sleep(0.3)

    def _write_files(self) -> None:
        key, public = self.folder / "sa.key", self.folder / "sa.pub"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        subprocess.run(
            ["openssl", "rsa", "-in", str(key), "-pubout", "-out", str(public)], check=True, capture_output=True
        )
        (self.folder / "tokens.csv").write_text(f'{_TOKEN},admin,admin,"system:masters"\n')
        cluster = {"server": f"https://{HOST}:{self.port}", "insecure-skip-tls-verify": True}
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": _TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }))  # fmt: skip
        self.kubeconfig.chmod(0o600)

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        folder, client, peer = self.folder, f"http://{HOST}:{free_port()}", f"http://{HOST}:{free_port()}"
        yield "etcd", [
            "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync", "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--logger", "zap",
        ]  # fmt: skip
        yield "kube-apiserver", [
            f"--etcd-servers={client}", f"--bind-address={HOST}", f"--secure-port={self.port}",
            f"--cert-dir={folder / 'certs'}", "--service-cluster-ip-range=10.250.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC",
            f"--service-account-key-file={folder / 'sa.pub'}", f"--token-auth-file={folder / 'tokens.csv'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
        ]  # fmt: skip
        common = [f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", f"--bind-address={HOST}"]
        yield "kube-controller-manager", [
            *common, f"--secure-port={free_port()}", f"--cert-dir={folder / 'certs-manager'}",
            f"--service-account-private-key-file={folder / 'sa.key'}", "--controllers=*,-node-lifecycle-controller",
        ]  # fmt: skip
        yield "kube-scheduler", [*common, f"--secure-port={free_port()}", f"--cert-dir={folder / 'certs-scheduler'}"]

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=280)
        if done.returncode:
            pytest.fail(f"{' '.join(command[3:])}: {done.stderr}{self._pods()}")
        return done.stdout

    def _pods(self) -> str:
        found = self.objects("/api/v1/namespaces/logs/pods")
        return "\n".join(f"{one['metadata']['name']}: {one['status'].get('phase')}" for one in found)


class Kubelet(threading.Thread):
    """Two nodes whose pods do nothing and are well."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(name="kubelet", daemon=True)
        self._plane, self._over = plane, threading.Event()
        for number in range(2):
            self._add_node(f"node-{number}")

    def run(self) -> None:
        """Report until `end`."""
        while not self._over.wait(0.2):
            for pod in self._plane.objects("/api/v1/pods"):
                if pod["spec"].get("nodeName"):
                    self._report(pod)

    def end(self) -> None:
        """Stop reporting."""
        self._over.set()
        self.join()

    def _add_node(self, name: str) -> None:
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{name[-1]}"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        self._plane.ask("/api/v1/nodes", "POST", node)
        self._patch(f"/api/v1/nodes/{name}/status", {"status": _NODE})
        self._patch(f"/api/v1/nodes/{name}", {"spec": {"taints": None}})  # it is new, so that nothing may run on it

    def _report(self, pod: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        try:
            if "deletionTimestamp" in pod["metadata"]:
                self._plane.ask(path, "DELETE", {"gracePeriodSeconds": 0})
            elif pod["status"].get("phase") == "Pending":
                self._patch(f"{path}/status", {"status": _status_of(pod)})
        except urllib.error.HTTPError as error:
            if error.code not in (404, 409):
                raise

    def _patch(self, path: str, body: Any) -> None:
        self._plane.ask(path, "PATCH", body, "application/merge-patch+json")


def _status_of(pod: dict[str, Any]) -> dict[str, Any]:
    ends = pod["spec"]["restartPolicy"] != "Always"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    state = {"terminated": {"exitCode": 0, "finishedAt": now}} if ends else {"running": {"startedAt": now}}
    container = {
        "name": pod["spec"]["containers"][0]["name"], "ready": not ends, "restartCount": 0, "state": state, "image": "",
        "imageID": "", "started": not ends,
    }  # fmt: skip
    ready = "False" if ends else "True"
    conditions = [{"type": kind, "status": ready} for kind in ("Ready", "ContainersReady")]
    conditions += [{"type": kind, "status": "True"} for kind in ("Initialized", "PodScheduled")]
    return {
        "phase": "Succeeded" if ends else "Running", "conditions": conditions, "containerStatuses": [container],
        "podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}], "startTime": now,
    }  # fmt: skip


def secret(**values: str) -> dict[str, Any]:
    """A Secret with these values."""
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ogrewatch"}, "data": data}
