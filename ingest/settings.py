"""Defines the settings of the HTTP receiver: `OGREWATCH_INGEST_<NAME>` in the environment, otherwise the default."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from topics.environment import EnvironmentSettings


class IngestSettings(EnvironmentSettings):
    """Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="OGREWATCH_INGEST_", frozen=True, allow_inf_nan=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    hosts: str = Field(
        "", description="Host names, comma separated, that requests may be for, besides `host` and addresses; *: any."
    )
    events_topic: str = Field("raw.events", description="Topic of JSON events.")
    lines_topic: str = Field("raw.syslog", description="Topic of plain lines.")
    elasticsearch_version: str = Field("8.19.0", description="Version of Elasticsearch that log shippers are told.")
    wait: float = Field(10.0, gt=0, description="How long a sender waits for Kafka before it is told to try again.")
    grace: float = Field(5.0, ge=0, description="How long a stop waits for what was accepted.")

    certificate: Path | None = Field(None, description="Certificate chain, PEM; TLS when set.")
    private_key: Path | None = Field(None, description="Its key, PEM; looked for in the certificate's file when unset.")
    client_ca: Path | None = Field(None, description="Certificates of clients must be signed by one of these, PEM.")
    tokens: Path | None = Field(None, description="File of tokens; `tokens.json` in the data directory when unset.")
    insecure: bool = Field(False, description="Listen beyond loopback without asking who sends.")
    trusted_proxies: str = Field(
        "", description="Networks, comma separated, whose X-Forwarded-For tells the sender's address."
    )

    max_body: int = Field(16 << 20, gt=0, description="Largest body as it comes.")
    max_unpacked: int = Field(64 << 20, gt=0, description="Largest body after unpacking.")
    max_records: int = Field(50_000, gt=0, description="Most records of one request.")
    max_held: int = Field(256 << 20, gt=0, description="Most bytes of all requests in memory.")
    max_connections: int = Field(1000, gt=0, description="Most open connections.")
    body_timeout: float = Field(30.0, gt=0, description="How long a body may take to arrive, and to be read.")
    idle_timeout: float = Field(60.0, gt=0, description="How long a connection may stay without a whole request.")
    rate: float = Field(0.0, ge=0, description="Records a second that one client may send in the long run; 0: any.")
    burst: float = Field(0.0, ge=0, description="Records a client may send at once; ten seconds' worth when 0.")
    remember: float = Field(3600.0, ge=0, description="How long the answer to an Idempotency-Key is remembered.")
    max_remembered: int = Field(16 << 20, ge=0, description="Most bytes of remembered answers.")
