"""Certificates in, servers out that talk to nobody without them: Kafka with TLS and SCRAM, Elasticsearch with TLS."""

import base64
import subprocess
import uuid
from pathlib import Path

from certificates import Pem

from stack.kafka import Kafka, reachable
from stack.ports import HOST, free_port

USER, PASSWORD = "ogrewatch", "correct horse; battery%41staple"
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_LISTENERS = ("SASL_SSL", "SASL_PLAINTEXT", "SSL")


class SecuredKafka(Kafka):
    """Kafka with a listener for each way to be secured; `ports` has them by protocol. It speaks plainly to itself."""

    def __init__(self, data_dir: Path, server: Pem, clients: Pem) -> None:
        super().__init__(data_dir, heap="256m")
        self.ports = {protocol: free_port() for protocol in _LISTENERS}
        self._server, self._clients = server, clients

    def servers(self, protocol: str = "SASL_SSL") -> str:
        """Bootstrap servers for one protocol."""
        return f"{HOST}:{self.ports[protocol]}"

    def answers(self) -> bool:
        return reachable(self.address)

    def _format(self, tool: list[str], properties: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        users = [f"--add-scram={one}=[name={USER},password={PASSWORD}]" for one in _SCRAM]
        command = [*tool, "format", f"--cluster-id={cluster}", "-c", str(properties), *users]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def _properties(self) -> str:
        said = dict(line.split("=", 1) for line in super()._properties().splitlines())
        extra = "".join(f",{protocol}://{HOST}:{port}" for protocol, port in self.ports.items())
        more = {
            "listeners": said["listeners"] + extra,
            "advertised.listeners": said["advertised.listeners"] + extra,
            "listener.security.protocol.map": ",".join(
                ("CONTROLLER:PLAINTEXT", *(f"{one}:{one}" for one in ("PLAINTEXT", *_LISTENERS)))
            ),
            "sasl.enabled.mechanisms": ",".join((*_SCRAM, "PLAIN")),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._server.both,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._clients.certificate,
            "listener.name.ssl.ssl.client.auth": "required",
            **_logins(),
        }
        return "".join(f"{key}={value}\n" for key, value in {**said, **more}.items())


def _logins() -> dict[str, str]:
    """For each listener and mechanism, who checks passwords: Kafka's own records, or for PLAIN a list."""
    modules = dict.fromkeys(_SCRAM, "scram.ScramLoginModule required;")
    modules["PLAIN"] = f'plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return {
        f"listener.name.{protocol.lower()}.{mechanism.lower()}.sasl.jaas.config": (
            f"org.apache.kafka.common.security.{module}"
        )
        for protocol in ("SASL_SSL", "SASL_PLAINTEXT")
        for mechanism, module in modules.items()
    }
