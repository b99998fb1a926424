"""Runs rsyslog and syslog-ng as Debian ships them with a relay's configuration, and sends lines to them."""

import os
import platform
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lacking import lacking

from stack.cache import cache_dir
from stack.ports import HOST, free_port

CONFIGURATIONS = Path(__file__).parents[2] / "ingest" / "relays"
PORTS = ("UDP_PORT", "TCP_PORT", "FRAMES_PORT", "TLS_PORT")
_GRACE = {"rsyslog": 20.0, "syslog-ng": 5.0}  # seconds to end in; all that syslog-ng took is in its buffer at once


def unpacked(name: str) -> Path:
    """Where `scripts/fetch-relays` put a relay."""
    folder = cache_dir() / "relays" / name
    if not (folder / "complete").exists():
        lacking(f"{name} is missing: scripts/fetch-relays unpacks it (Debian)")
    return folder


def make_certificates(folder: Path) -> None:
    """An authority (ca.pem) and a certificate with its key (relay.pem, relay.key), good for both ends."""
    make, sign = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"], ["openssl", "x509", "-req", "-days", "2"]
    commands = [
        [*make, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority"],
        [*make, "-keyout", "relay.key", "-out", "relay.csr", "-subj", "/CN=relay.example.com"],
        [*sign, "-in", "relay.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "relay.pem"],
    ]
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


@dataclass(slots=True)
class Relay:
    """One relay, started from its file under ingest/relays/, with a spool and ports of its own."""

    name: str
    folder: Path
    kafka: str
    topic: str
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    process: subprocess.Popen[bytes] | None = None
    local: Path | None = None
    """A socket to take local logs from, as /dev/log; none when None."""

    def start(self) -> None:
        """Start it, and wait until it takes connections. Raises AssertionError when it does not."""
        root, spool = unpacked(self.name), self.folder / "spool"
        spool.mkdir(exist_ok=True)
        machine = f"{platform.machine()}-linux-gnu"
        library = root / "usr" / "lib" / machine
        paths = f"{library}:{root / 'lib' / machine}:{root / 'usr' / 'lib' / 'syslog-ng'}"
        environment = {**os.environ, **self._settings(spool), "LD_LIBRARY_PATH": paths}
        with (self.folder / "log").open("ab") as log:
            command = self._command(root, library)
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + 20
        while not self._listens():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end, as an init system would, and kill it after its grace: syslog-ng waits for Kafka for ever."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_GRACE[self.name])
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.ports["TCP_PORT"])) == 0

    def _command(self, root: Path, library: Path) -> list[str]:
        if self.name == "rsyslog":
            names = ["rsyslog.conf", "rsyslog-tls.conf", *(["rsyslog-local.conf"] if self.local else [])]
            main = "".join(f'include(file="{CONFIGURATIONS / name}")\n' for name in names)
            if self.local:
                main += f'module(load="imuxsock" sysSock.use="off")\ninput(type="imuxsock" socket="{self.local}")\n'
            (self.folder / "main.conf").write_text(main)
            return [
                f"{root}/usr/sbin/rsyslogd",
                "-n",
                "-M",
                f"{library}/rsyslog",
                "-f",
                "main.conf",
                "-i",
                f"{self.folder}/pid",
            ]
        modules = next((root / "usr" / "lib" / "syslog-ng").glob("[0-9]*"))
        return [
            *(f"{root}/usr/sbin/syslog-ng", "--foreground", "--no-caps", f"--module-path={modules}"),
            *("-f", str(self._syslog_ng())),
            *(f"--{file}={self.folder / file}" for file in ("persist-file", "pidfile", "control")),
        ]

    def _syslog_ng(self) -> Path:
        """The configuration, with a socket of the test's own in place of the system's."""
        own = f'unix-dgram("{self.local or self.folder / "unused"}");'
        text = (CONFIGURATIONS / "syslog-ng.conf").read_text()
        assert text.count("system();") == text.count("internal();") == 1
        path = self.folder / "syslog-ng.conf"
        path.write_text(text.replace("system();", own).replace("internal();", ""))
        return path

    def send_local(self, lines: Iterable[bytes]) -> None:
        """As programs of the same machine do, by syslog(3)."""
        assert self.local is not None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            for line in lines:
                sender.sendto(line, str(self.local))

    def _settings(self, spool: Path) -> dict[str, str]:
        values = {name: str(port) for name, port in self.ports.items()}
        values |= {"KAFKA": self.kafka, "TOPIC": self.topic, "LISTEN": HOST, "RELAY": "relay1"}
        values |= {"SPOOL": str(spool), "SPOOL_MAX": "1g", "SPOOL_BYTES": str(1 << 30)}
        files = {"CA": "ca.pem", "CERT": "relay.pem", "KEY": "relay.key"}
        values |= {f"TLS_{name}": str(self.folder / file) for name, file in files.items()}
        return {f"OGREWATCH_{name}": value for name, value in values.items()}

    def send_udp(self, lines: Iterable[bytes]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number, line in enumerate(lines):
                sender.sendto(line, (HOST, self.ports["UDP_PORT"]))
                if number % 50 == 49:  # nothing tells a sender of UDP that it is too fast
                    time.sleep(0.01)

    def send_tcp(self, lines: Iterable[bytes]) -> None:
        with socket.create_connection((HOST, self.ports["TCP_PORT"])) as sender:
            sender.sendall(b"".join(line + b"\n" for line in lines))

    def send_frames(self, lines: Iterable[bytes]) -> None:
        """Counted frames over TCP; rsyslog tells them from lines on one port."""
        port = self.ports["TCP_PORT" if self.name == "rsyslog" else "FRAMES_PORT"]
        with socket.create_connection((HOST, port)) as sender:
            sender.sendall(_frames(lines))

    def send_tls(self, lines: Iterable[bytes]) -> None:
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        context.check_hostname = False
        context.load_cert_chain(self.folder / "relay.pem", self.folder / "relay.key")
        with (
            socket.create_connection((HOST, self.ports["TLS_PORT"])) as plain,
            context.wrap_socket(plain) as sender,
        ):
            sender.sendall(_frames(lines))
            with suppress(ssl.SSLEOFError):  # a server that just hangs up has read what there was
                sender.unwrap()


def _frames(lines: Iterable[bytes]) -> bytes:
    return b"".join(b"%d %s" % (len(line), line) for line in lines)
