"""Every setting of a running Ogrewatch, defined once: `OGREWATCH_<NAME>` in the environment, else the default.

How Kafka and Elasticsearch are spoken to, `topics/kafka/client.py` and `sinks/elasticsearch/connection.py` define.
"""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from topics.environment import BadSettings, EnvironmentSettings
from topics.kafka.client import secret

_SHORTEST = 32  # characters of a secret


class Settings(EnvironmentSettings):
    """What a worker needs to know. Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        env_prefix="OGREWATCH_", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, comma separated.")
    elasticsearch: str = Field("http://127.0.0.1:9200", description="Elasticsearch URLs, comma separated.")
    prefix: str = Field(
        "", description="Put before every topic and consumer group name: several installations, one Kafka."
    )
    namespace: str = Field("default", description="Last part of the data streams' names.")
    partitions: int = Field(
        4, ge=1, description="Partitions of new topics: the most workers of a role that can share one."
    )
    replication: int = Field(1, ge=1, description="Replicas of new topics.")
    raw_retention: float | None = Field(
        None, ge=3600, description="How long raw topics keep records, enforced by `ogrewatch setup`; 7 days when new."
    )
    zone: str = Field("UTC", description="IANA time zone of log lines that name none.")
    geoip: Path | None = Field(None, description="MaxMind City or Country database; the packaged one when unset.")
    asn: Path | None = Field(None, description="MaxMind ASN database; no ASN when unset.")
    schema_registry: str = Field(
        "", description="Confluent Schema Registry URL; without one, ids come with the package."
    )
    rules: Path | None = Field(
        None, description="Folder of rule files until rules are applied; the packaged rules when unset."
    )
    keep: float = Field(86_400.0, gt=0, description="How long a window of counts is kept after its minute ended.")
    dead_letter_limit: int = Field(
        500,
        ge=0,
        le=1000,
        description="A partition is paused when most of its last 1,000 records failed, at least so many, and our own "
        "samples fail, too; 0: never.",
    )
    web_host: str = Field("127.0.0.1", description="Address of the live page and the query API.")
    web_port: int = Field(8090, ge=0, le=65_535, description="Port of the live page and the query API.")
    web_hosts: str = Field(
        "",
        description="Host names, comma separated, that requests may be for, besides `web_host` and addresses; *: any.",
    )
    web_insecure: bool = Field(False, description="Serve the page beyond loopback, asking nobody who looks.")
    web_trust_header: str = Field("", description="Header in which a trusted proxy names its user, as X-Remote-User.")
    web_trusted_proxies: str = Field(
        "", description="Networks, comma separated, whose X-Forwarded-For and -Proto and trusted header are believed."
    )
    web_act: str = Field("", description="Users of the trusted header, comma separated, that may act, not look only.")
    web_certificate: Path | None = Field(None, description="Certificate chain of the page, PEM; TLS when set.")
    web_private_key: Path | None = Field(
        None, description="Its key, PEM; looked for in the certificate's file when unset."
    )
    token: SecretStr | None = Field(None, description="Token that `ogrewatch stats` shows to the web role.")
    token_file: Path | None = Field(None, description="File with that token.")
    secret: SecretStr | None = Field(
        None, description="What our own processes know each other by; 32 characters or more."
    )
    secret_file: Path | None = Field(None, description="File with that secret.")
    query_url: str = Field(
        "", description="URLs of count workers to begin with, comma separated; the one on this machine when unset."
    )
    count_port: int = Field(
        6066, ge=0, le=65_535, description="First port for the queries a count worker answers; the n-th takes n more."
    )
    count_host: str = Field("127.0.0.1", min_length=1, description="Address a count worker listens on for queries.")
    count_advertise: str = Field(
        "", description="Name or address by which others reach it, such as a pod's; `count_host` when unset."
    )
    metrics_host: str = Field(
        "127.0.0.1", min_length=1, description="Address of /metrics, /livez and /readyz; they ask nobody who comes."
    )
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="Their port in the first process, 0 for none; the n-th takes n more."
    )
    grace: float = Field(
        30.0, ge=5, description="How long a normalize, count or index process may take to stop, before it is ended."
    )
    data_dir: Path = Field(
        Path.home() / ".local" / "share" / "ogrewatch", description="Where servers and workers keep data."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "WARNING", description="Least severe of our own log records that is printed."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How a process of a role prints its log: lines to read, or a JSON object a line."
    )

    @property
    def query_urls(self) -> list[str]:
        """Where to ask which count workers there are."""
        if self.query_url:
            return self.query_url.split(",")
        host = (self.count_advertise or self.count_host).strip("[]")
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        return [f"http://{f'[{host}]' if ':' in host else host}:{self.count_port}"]

    def key(self, purpose: str) -> bytes | None:
        """A key for a purpose, the same in all processes that share `secret`; None when there is no secret.

        Raises `Refused` for a file that cannot be read, `BadSettings` for a secret that could be guessed.
        """
        shared = secret(self.secret, self.secret_file, "OGREWATCH_SECRET_FILE")
        if shared and len(shared) < _SHORTEST:
            raise BadSettings(
                f"OGREWATCH_SECRET is shorter than {_SHORTEST} characters: `openssl rand -hex 32` makes one."
            )
        return hmac.new(shared.encode(), f"ogrewatch {purpose}".encode(), hashlib.sha256).digest() if shared else None

    @model_validator(mode="after")
    def _one_is_meant(self) -> Self:
        for name in ("token", "secret"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                variable = name.upper()
                raise ValueError(f"OGREWATCH_{variable} and _{variable}_FILE are both set: one of them is meant")
        return self

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, said: str) -> str:
        return said.upper()

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, said: str) -> str:
        try:
            ZoneInfo(said)
        except (OSError, ValueError, KeyError):
            raise ValueError("there is no such time zone") from None
        return said

    @field_validator("prefix")
    @classmethod
    def _fits_topics(cls, said: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", said):
            raise ValueError("Kafka's names have letters, digits, '.', '_' and '-', and a prefix at most 100 of them")
        return said

    @field_validator("namespace")
    @classmethod
    def _fits_data_streams(cls, said: str) -> str:
        if not re.fullmatch(r"[^-A-Z\\/*?\"<>|\s,#:]{1,100}", said):
            raise ValueError("data streams' names have no capitals, no spaces, and none of - \\ / * ? \" < > | , # :")
        return said

    @field_validator("kafka")
    @classmethod
    def _are_servers(cls, said: str) -> str:
        if not all(
            re.fullmatch(r"[^\s/@]+", server.strip()) and _port_fits(f"//{server}") for server in said.split(",")
        ):
            raise ValueError("servers are host:port, comma separated")
        return said

    @field_validator("elasticsearch", "query_url")
    @classmethod
    def _are_urls(cls, said: str) -> str:
        if said and not all(map(_is_url, said.split(","))):  # never shown: it may hold a password
            raise ValueError("URLs are http://host:port or https://host:port, comma separated")
        return said


def _is_url(text: str) -> bool:
    """An empty one among others is passed over, as ever."""
    text = text.strip()
    return not text or (_port_fits(text) and bool(re.match("https?://[^/]", text)) and bool(urlsplit(text).hostname))


def _port_fits(url: str) -> bool:
    try:
        return urlsplit(url.strip()).port != 0
    except ValueError:
        return False
