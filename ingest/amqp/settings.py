"""Defines the settings of the AMQP bridge: `OGREWATCH_AMQP_<NAME>` in the environment, otherwise the default."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from topics.environment import EnvironmentSettings


class AmqpSettings(EnvironmentSettings):
    """Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        env_prefix="OGREWATCH_AMQP_", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    url: SecretStr = Field(
        SecretStr("amqp://guest@127.0.0.1:5672/"),
        description="The broker: amqp:// or amqps://, user, host, port, virtual host. A password in it is used.",
    )
    password: SecretStr | None = Field(None, description="Password of the URL's user.")
    password_file: Path | None = Field(None, description="File with the password; read for every connection.")
    external: bool = Field(False, description="Log in with the client certificate (SASL EXTERNAL), not a password.")
    ca: Path | None = Field(None, description="Who signs the broker's certificate, PEM; the system's when unset.")
    certificate: Path | None = Field(None, description="Certificate chain that we show, PEM.")
    private_key: Path | None = Field(None, description="Its key, PEM; looked for in the certificate's file when unset.")

    queue: str = Field("eventtask", min_length=1, max_length=255, description="Queue to read.")
    exchange: str = Field("eventtask", max_length=255, description="Direct exchange that it is bound to.")
    routing_key: str = Field("eventtask", max_length=255, description="Routing key that it is bound with.")
    prefetch: int = Field(2000, ge=1, le=65_535, description="Most messages taken and not yet acknowledged.")
    heartbeat: int = Field(30, ge=2, le=3600, description="A connection silent for three of these is given up.")
    remember: int = Field(
        50_000, ge=0, description="Accepted messages known again when they come once more after a lost connection."
    )

    events_topic: str = Field("raw.events", description="Topic of the events.")
    grace: float = Field(5.0, ge=0, description="How long a stop waits for what was accepted.")
    metrics_host: str = Field("127.0.0.1", description="Address of /metrics, /livez and /readyz.")
    metrics_port: int = Field(0, ge=0, le=65_535, description="Port of /metrics, /livez and /readyz; 0 for none.")
