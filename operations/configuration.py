"""Writes the manual of all settings from the classes that define them, so that it cannot say anything else.

`docs/configuration.md` is what `manual` returns; a test compares them. `scripts/write-configuration` writes it anew.
"""

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from agents.settings import Settings
from ingest.amqp.settings import AmqpSettings
from ingest.settings import IngestSettings
from sinks.elasticsearch.connection import ElasticsearchSecurity
from sinks.elasticsearch.retention import RetentionSettings
from topics.kafka.client import KafkaSecurity

_GROUPS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Every process", Settings),
    ("Kafka: how it is spoken to", KafkaSecurity),
    ("Elasticsearch: how it is spoken to", ElasticsearchSecurity),
    ("Elasticsearch: how long documents are kept", RetentionSettings),
    ("The HTTP proxy", IngestSettings),
    ("The AMQP bridge", AmqpSettings),
)

_HEAD = """# Configuration

Settings are environment variables. They may also be in a TOML file that `ogrewatch --config FILE` or `OGREWATCH_CONFIG`
names; the environment goes before it. A key is the rest of a variable's name in small letters, and tables are joined:

    partitions = 12                    # OGREWATCH_PARTITIONS
    elasticsearch = "https://es:9200"  # OGREWATCH_ELASTICSEARCH
    [web]
    port = 8090                        # OGREWATCH_WEB_PORT

`ogrewatch config show` says which settings are in force and where each comes from; `ogrewatch config check` checks them
without asking any server. A secret is better in a file of its own: each has a setting that ends with `_FILE`.

Durations are seconds and sizes are bytes unless a setting says otherwise. This page is written from the classes that
define the settings (`scripts/write-configuration`); do not edit it.
"""


def manual() -> str:
    """The whole page, Markdown, with a newline at its end."""
    return _HEAD + "".join(f"\n## {title}\n\n{_table(settings)}" for title, settings in _GROUPS)


def _table(settings: type[BaseSettings]) -> str:
    prefix = settings.model_config.get("env_prefix", "")
    rows = [f"| `{prefix}{name.upper()}` | {_default(field)} | {_meaning(field)} |"
            for name, field in settings.model_fields.items()]  # fmt: skip
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]) + "\n"


def _default(field: FieldInfo) -> str:
    """How the default is written in the environment; a home directory is `~`, so that all write the same page."""
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "":
        return ""
    if isinstance(value, SecretStr):
        return f"`{value.get_secret_value()}`"
    if isinstance(value, Path):
        return f"`{str(value).replace(str(Path.home()), '~')}`"
    if isinstance(value, bool):
        return "`1`" if value else "`0`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    text = (field.description or "").replace("|", "\\|")
    return f"{text} One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else text
