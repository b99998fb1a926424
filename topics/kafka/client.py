"""Makes the configuration of every Kafka client from the settings of access, and checks that Kafka takes it.

https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
"""

import re
import ssl
import time
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from topics.environment import FileSettings
from topics.errors import AccessRefused, KafkaUnavailable
from topics.plaintext import readable_by_others

_TIMEOUT, _POLL = 5.0, 0.1  # seconds that Kafka has to answer, and between looks at the errors that came
_WORDS = re.compile(r"(?:\w+://)?[^ ]*: (.*?)(?:, verify that ssl.*)?(?: \(after \d+ms .*\))?", re.DOTALL)
_WRAPPED = re.compile(
    r"(?:SSL handshake failed: )?(?:error:[0-9A-F]+:[^:]*:[^:]*:)?(.*?)(?:: broker certificate could not be .*)?",
    re.DOTALL,
)
_TELLING = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._TRANSPORT)

S = TypeVar("S", bound=BaseSettings)


class KafkaSecurity(FileSettings):
    """How clients connect to Kafka. The variables are `OGREWATCH_KAFKA_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="OGREWATCH_KAFKA_", frozen=True, hide_input_in_errors=True)

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="SSL: encrypted, certificates are verified. SASL: user and password are shown."
    )
    mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How user and password are shown."
    )
    user: str = Field("", description="Who we are, with SASL.")
    password: SecretStr | None = Field(None, description="The user's password.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca: Path | None = Field(None, description="Who signs the brokers' certificates, PEM; the system's when unset.")
    certificate: Path | None = Field(None, description="Certificate chain that we show, PEM.")
    private_key: Path | None = Field(None, description="Its key, PEM; looked for in the certificate's file when unset.")

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.protocol.endswith("SSL")

    @property
    def asked(self) -> bool:
        """Whether clients log in with user and password."""
        return self.protocol.startswith("SASL")

    def secret(self) -> str:
        """The password. If it is in a file, that is read at each call. Raises `AccessRefused`."""
        return secret(self.password, self.password_file, "OGREWATCH_KAFKA_PASSWORD_FILE")

    def context(self) -> ssl.SSLContext:
        """For clients with Python's TLS: 1.2 or newer, and the broker's name is verified. Raises `AccessRefused`."""
        context = context_of(self.ca, "OGREWATCH_KAFKA_CA")
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.private_key, password="")  # else it would ask for one
            except OSError as error:
                raise AccessRefused(
                    f"OGREWATCH_KAFKA_CERTIFICATE and _PRIVATE_KEY cannot be used: {_cause(error)}; they need to be"
                    " PEM files that belong together, the key without a password."
                ) from None
        return context

    @model_validator(mode="after")
    def _agree(self) -> Self:
        known = self.password is not None or self.password_file is not None
        if self.asked and not (self.user and known):
            raise ValueError(f"{self.protocol} needs OGREWATCH_KAFKA_USER, and a _PASSWORD or a _PASSWORD_FILE.")
        if self.password is not None and self.password_file is not None:
            raise ValueError("OGREWATCH_KAFKA_PASSWORD and _PASSWORD_FILE are both set: one of them is meant.")
        if not self.asked and (self.user or known):
            raise ValueError("a user or a password needs OGREWATCH_KAFKA_PROTOCOL to be SASL_SSL.")
        if not self.encrypted and (self.ca or self.certificate):
            raise ValueError("certificates need OGREWATCH_KAFKA_PROTOCOL to be SASL_SSL or SSL.")
        return self


def client_conf(servers: str) -> dict[str, Any]:
    """Configuration of every librdkafka client of `servers` (host:port, comma separated). Raises `AccessRefused`."""
    security = settings_of(KafkaSecurity)
    conf: dict[str, Any] = {"bootstrap.servers": servers, "security.protocol": security.protocol}
    if security.asked:
        _require_private(servers, security)
        conf["sasl.mechanism"] = security.mechanism
        conf["sasl.username"], conf["sasl.password"] = security.user, security.secret()
    if security.encrypted:
        certificate = security.certificate
        files = {"ca": security.ca, "certificate": certificate, "key": security.private_key or certificate}
        conf |= {f"ssl.{name}.location": str(path) for name, path in files.items() if path is not None}
    return conf


def answers(servers: str) -> bool:
    """Whether Kafka answers. Blocks for five seconds at most. Raises `AccessRefused` when waiting would not help."""
    security, heard = settings_of(KafkaSecurity), list[KafkaError]()
    if security.encrypted:
        security.context()  # raises for wrong files of ours, before Kafka is asked
    conf = client_conf(servers) | {"log_level": 0, "error_cb": heard.append}
    client = AdminClient(conf)
    until = time.monotonic() + _TIMEOUT
    while time.monotonic() < until:
        try:
            return bool(client.list_topics(timeout=_POLL).brokers)
        except KafkaException:
            client.poll(0)
        _judge_all(heard, servers, security)
        if any(error.code() == KafkaError._RESOLVE or "in state CONNECT)" in error.str() for error in heard):
            return False
    if heard:
        raise AccessRefused(
            f"Kafka at {servers} hangs up: OGREWATCH_KAFKA_PROTOCOL {security.protocol} may not be its own."
        )
    return False


def require(servers: str) -> None:
    """Raise `KafkaUnavailable` if Kafka does not answer, and `AccessRefused` as `answers` does."""
    if not answers(servers):
        raise KafkaUnavailable(f"Kafka at {servers} does not answer. Is it running? `ogrewatch up` starts one.")


def settings_of(kind: type[S]) -> S:
    """Read settings of a class from the environment. Raises `AccessRefused`, whose text holds nothing secret."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        found = error.errors(include_input=False, include_url=False)
        raise AccessRefused("; ".join(_complaint(prefix, one) for one in found)) from None


def secret(value: SecretStr | None, file: Path | None, name: str) -> str:
    """A secret from its setting, or from its file without the last line break, or "". Raises `AccessRefused`."""
    if value is not None or file is None:
        return value.get_secret_value() if value is not None else ""
    try:
        found = file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AccessRefused(f"{name}: {file} cannot be read ({_cause(error)}).") from None
    if not found:
        raise AccessRefused(f"{name}: {file} is empty.")
    return found


def context_of(ca: Path | None, name: str) -> ssl.SSLContext:
    """A TLS context that trusts the authorities in the file alone, or those of the system if there is no file."""
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise AccessRefused(
            f"{name}: {ca} cannot be used ({_cause(error)}); it needs to hold certificates, PEM."
        ) from None


def _require_private(servers: str, security: KafkaSecurity) -> None:
    """Refuse to send a password in plain text, as PLAIN does and SCRAM does not. Raises `AccessRefused`."""
    if security.encrypted or security.mechanism != "PLAIN":
        return
    hosts = [server.strip().rpartition("://")[2].rpartition(":")[0] for server in servers.split(",")]
    if said := readable_by_others(hosts, "The password of OGREWATCH_KAFKA_USER"):
        raise AccessRefused(said)


def _rank(error: KafkaError) -> int:
    """The position of an error: the most telling come first, whatever order librdkafka reports them in."""
    return _TELLING.index(error.code()) if error.code() in _TELLING else len(_TELLING)


def _judge_all(heard: list[KafkaError], servers: str, security: KafkaSecurity) -> None:
    for error in sorted(heard, key=_rank):
        _judge(error, servers, security)


def _judge(error: KafkaError, servers: str, security: KafkaSecurity) -> None:
    """Raise `AccessRefused` if an error of librdkafka will not pass by waiting."""
    code, found = error.code(), _WORDS.fullmatch(error.str())
    words = found[1] if found else error.str()
    if code == KafkaError._AUTHENTICATION:
        names = "OGREWATCH_KAFKA_USER, _PASSWORD and _MECHANISM"
        raise AccessRefused(f"Kafka at {servers} refuses user {security.user!r} ({words}): see {names}.")
    if code == KafkaError._SSL:
        raise AccessRefused(
            f"Kafka at {servers} cannot be trusted ({_plain(words)}): OGREWATCH_KAFKA_CA says who signs for it."
        )
    if code == KafkaError._TRANSPORT and "SSL" in words:
        names = "OGREWATCH_KAFKA_PROTOCOL and _CERTIFICATE"
        raise AccessRefused(f"Kafka at {servers} does not take our {security.protocol} ({words}): see {names}.")


def _plain(words: str) -> str:
    """OpenSSL's reason, without the text that librdkafka puts around it."""
    return _WRAPPED.fullmatch(words)[1] or words  # type: ignore[index]  # it matches whatever there is


def _complaint(prefix: str, found: Any) -> str:
    """Say what is wrong with one setting, or with several together."""
    name = "".join(f"{prefix}{str(part).upper()}: " for part in found["loc"][:1])
    return name + str(found.get("ctx", {}).get("error", found["msg"]))


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
