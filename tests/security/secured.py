"""Runs servers that talk to nobody without a certificate: Kafka with TLS and SCRAM, Elasticsearch with TLS."""

import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificates import Pem

from stack.elasticsearch import Elasticsearch
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


class SecuredElasticsearch(Elasticsearch):
    """Elasticsearch that speaks TLS to users of its own file, who may do what `docs/security.md` says is needed."""

    def __init__(self, data_dir: Path, server: Pem) -> None:
        super().__init__(data_dir, heap="512m", quick=True)
        self._server = server

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    def answers(self) -> bool:
        return self.ask("GET", "/_cluster/health")[0] == 200

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Status and content of the answer to one who says who he is; 0 without an answer."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"{self.address}{path}", headers={"Authorization": f"Basic {login}"}, method=method
        )
        try:
            context = ssl.create_default_context(cafile=self._server.chain)
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, {}
        except OSError:
            return 0, {}

    def _launch(self) -> None:
        config = self.data_dir / "config"
        config.mkdir(parents=True)
        shutil.copy(self._server.key, config / "node.key")
        shutil.copy(self._server.chain, config / "node.crt")
        (config / "users").write_text(f"{USER}:{_hashed(PASSWORD)}\n")
        (config / "users_roles").write_text(f"{USER}:{USER}\n")
        (config / "roles.yml").write_text(_documented_role())
        super()._launch()

    def _settings(self) -> str:
        plain = super()._settings().replace("xpack.security.enabled: false\n", "")
        return f"{plain}resource.reload.interval.high: 1s\n" + "".join(
            f"xpack.security.{name}: {value}\n"
            for name, value in {
                "enabled": "true",
                "http.ssl.enabled": "true",
                "http.ssl.key": "node.key",
                "http.ssl.certificate": "node.crt",
            }.items()
        )


@dataclass(frozen=True, slots=True)
class Site:
    """Both servers, who signs for them, a client they know, and an authority that nobody knows."""

    folder: Path
    kafka: SecuredKafka
    elasticsearch: SecuredElasticsearch
    authority: Pem
    server: Pem
    client: Pem
    stranger: Pem

    @property
    def environment(self) -> dict[str, str]:
        """Settings with which all is well; secrets are in files."""
        secret = self.folder / "secret"
        secret.write_text(f"{PASSWORD}\n")
        return {
            "OGREWATCH_KAFKA": self.kafka.servers(),
            "OGREWATCH_KAFKA_PROTOCOL": "SASL_SSL",
            "OGREWATCH_KAFKA_USER": USER,
            "OGREWATCH_KAFKA_PASSWORD_FILE": str(secret),
            "OGREWATCH_KAFKA_CA": str(self.authority.certificate),
            "OGREWATCH_ELASTICSEARCH": self.elasticsearch.address,
            "OGREWATCH_ELASTICSEARCH_USER": USER,
            "OGREWATCH_ELASTICSEARCH_PASSWORD_FILE": str(secret),
            "OGREWATCH_ELASTICSEARCH_CA": str(self.authority.certificate),
        }


def _hashed(password: str) -> str:
    """As Elasticsearch's `elasticsearch-users` would write it, with few rounds."""
    salt, rounds = os.urandom(32), 1000
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    return "$".join((f"{{PBKDF2}}{rounds}", *(base64.b64encode(part).decode() for part in (salt, digest))))


def _documented_role() -> str:
    """The role that the manual tells people to make, as a file of roles."""
    manual = Path(__file__).parents[2] / "docs" / "security.md"
    found = re.search(r"POST /_security/role/ogrewatch\n    (\{.*?\n    \})\n", manual.read_text(), re.DOTALL)
    assert found, "docs/security.md has no role"
    return json.dumps({USER: json.loads(found[1])})
