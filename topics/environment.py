"""Reads settings from environment variables or a file of them, and reports wrong ones in sentences.

Every class of settings derives from `EnvironmentSettings`. Kubernetes sets variables for each Service, such as
`OGREWATCH_WEB_PORT=tcp://10.0.0.1:8090` for a Service `ogrewatch-web`. These are never taken for a setting.
https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""

import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from topics.config_file import file_variables
from topics.errors import BadSettings

__all__ = ["PREFIX", "BadSettings", "EnvironmentSettings", "FileSettings", "is_service_link", "variables_of"]

PREFIX = "OGREWATCH_"

_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://[^/?#]+:[0-9]{1,5}")
_SERVICE = re.compile(r"\w+_(?:PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_\w+)?)?|SERVICE_HOST|SERVICE_PORT(?:_\w+)?)")
_SHOWN = 100  # characters of a wrong value that a message repeats


class FileSettings(BaseSettings):
    """The settings whose variables have one prefix, from the environment, else from the file of settings."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Prefer what the program passes to what the environment and the file say; there are no other sources."""
        return init_settings, _Variables(settings_cls)


class EnvironmentSettings(FileSettings):
    """Settings whose instances are created without errors but `BadSettings`."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise BadSettings("\n".join(_sentences(type(self), error))) from None


class _Variables(EnvSettingsSource):
    """Reads the environment, else the file, and skips the variables of Kubernetes Services."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        named = super()._load_env_vars()
        ours = {key: value for key, value in named.items() if not is_service_link(key.upper(), value or "")}
        return {name.lower(): value for name, value in file_variables().items()} | ours


def is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes set a variable for a Service. Names that end with `_PORT` may be settings of ours, too: there
    the value decides.
    """
    if not _SERVICE.fullmatch(name):
        return False
    return not name.endswith("_PORT") or _ADDRESS.fullmatch(value) is not None


def variables_of(kind: type[BaseSettings]) -> list[str]:
    """The names of the variables that a class of settings reads."""
    prefix = str(kind.model_config.get("env_prefix", ""))
    return [prefix + name.upper() for name in kind.model_fields]


def _sentences(kind: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False):
        name = str(found["loc"][0]) if found["loc"] else ""
        field = kind.model_fields.get(name)
        said = str(found.get("ctx", {}).get("error", found["msg"])).partition(", unable to")[0].rstrip(".")
        said = said.replace("Input should be", "must be")
        if field is None:
            yield f"{said[:1].upper()}{said[1:]}."
            continue
        variable = f"{kind.model_config.get('env_prefix', '')}{name.upper()}"
        shown = f" {str(found['input'])[:_SHOWN]!r}" if _is_open(field.annotation) else ""
        yield f"{variable}:{shown} {said}. It is: {field.description}" if field.description else f"{variable}: {said}."


def _is_open(annotation: Any) -> bool:
    """Whether values of a type may be shown: numbers, literals and paths may, a text could be a password."""
    if get_origin(annotation) in (Union, types.UnionType):
        return all(_is_open(one) for one in get_args(annotation) if one is not type(None))
    return annotation in (int, float, bool, Path) or get_origin(annotation) is Literal
