"""Says which settings are in force, and where each comes from. Secrets are never shown."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from agents.settings import Settings
from ingest.amqp.settings import AmqpSettings
from ingest.settings import IngestSettings
from sinks.elasticsearch.connection import ElasticsearchSecurity
from sinks.elasticsearch.retention import RetentionSettings
from topics.config_file import VARIABLE, file_variables
from topics.environment import is_service_link, variables_of
from topics.kafka.client import KafkaSecurity, settings_of
from topics.plaintext import PlaintextSettings

KINDS: tuple[type[BaseSettings], ...] = (
    Settings, KafkaSecurity, ElasticsearchSecurity, RetentionSettings, IngestSettings, AmqpSettings, PlaintextSettings,
)  # fmt: skip
HIDDEN = "(hidden)"
ENVIRONMENT, FILE, DEFAULT = "environment", "file", "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable, its value as text, "" for none, and where that comes from."""

    variable: str
    value: str
    origin: str


def settings_in_force() -> list[Setting]:
    """Every setting, in the order of the manual. Raises `BadSettings` and `AccessRefused` for invalid ones."""
    said = file_variables()
    return [setting for kind in KINDS for setting in _settings(kind, said)]


def complaints() -> Iterator[str]:
    """Yield what is dangerous about valid settings."""
    named, said = os.environ.get(VARIABLE, ""), file_variables()
    secret = [name for kind in KINDS for name, field in _fields(kind) if name in said and _is_secret(field)]
    if secret and stat.S_IMODE(Path(named).stat().st_mode) & 0o077:
        yield f"{named} holds {', '.join(secret)} and can be read by others: chmod 600 it."


def _settings(kind: type[BaseSettings], said: Mapping[str, str]) -> Iterator[Setting]:
    found = settings_of(kind)
    for (variable, field), name in zip(_fields(kind), kind.model_fields, strict=True):
        yield Setting(variable, _shown(field, getattr(found, name)), _origin(variable, said))


def _fields(kind: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    yield from zip(variables_of(kind), kind.model_fields.values(), strict=True)


def _origin(variable: str, said: Mapping[str, str]) -> str:
    value = os.environ.get(variable)
    if value is not None and not is_service_link(variable, value):
        return ENVIRONMENT
    return FILE if variable in said else DEFAULT


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


def _shown(field: FieldInfo, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr) or _is_secret(field):
        return HIDDEN
    return ",".join(_without_password(url) for url in str(value).split(","))


def _without_password(text: str) -> str:
    """A URL without the password that may be in it, any other text as it is."""
    try:
        parts = urlsplit(text)
        if parts.password is None:
            return text
    except ValueError:
        return HIDDEN
    return parts._replace(netloc=f"{parts.username}:{HIDDEN}@{parts.netloc.rpartition('@')[2]}").geturl()
