"""Every setting of a running Ogrewatch, defined once: `OGREWATCH_<NAME>` in the environment, else the default.

How Kafka and Elasticsearch are spoken to, `topics/connection.py` and `sinks/elasticsearch/connection.py` define.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a worker needs to know. Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="OGREWATCH_", frozen=True, hide_input_in_errors=True)

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
    zone: str = Field("UTC", description="IANA time zone of log lines that name none.")
    geoip: Path | None = Field(None, description="MaxMind City or Country database; the packaged one when unset.")
    asn: Path | None = Field(None, description="MaxMind ASN database; no ASN when unset.")
    schema_registry: str = Field(
        "", description="Confluent Schema Registry URL; without one, ids come with the package."
    )
    keep: float = Field(86_400.0, gt=0, description="How long a window of counts is kept after its minute ended.")
    dead_letter_limit: int = Field(
        500,
        ge=0,
        le=1000,
        description="A worker stops when most of a partition's last 1,000 records failed, at least so many; 0: never.",
    )
    web_host: str = Field("127.0.0.1", description="Address of the live page and the query API.")
    web_port: int = Field(8090, description="Port of the live page and the query API.")
    query_url: str = Field(
        "", description="URLs of count workers to begin with, comma separated; the one on this machine when unset."
    )
    count_port: int = Field(
        6066, description="First port for the queries a count worker answers; the n-th takes n more."
    )
    metrics_port: int = Field(
        0, description="Prometheus port of the first worker process, 0 for none; the n-th takes n more."
    )
    data_dir: Path = Field(
        Path.home() / ".local" / "share" / "ogrewatch", description="Where servers and workers keep data."
    )
    log_level: str = Field("WARNING", description="Least severe of our own log records that is printed.")

    @property
    def query_urls(self) -> list[str]:
        """Where to ask which count workers there are."""
        return self.query_url.split(",") if self.query_url else [f"http://127.0.0.1:{self.count_port}"]
