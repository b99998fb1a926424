"""Reads settings from the TOML file that `OGREWATCH_CONFIG` names; the environment goes before it.

A key is the rest of a variable's name in small letters, and tables are joined: `partitions = 12` is
OGREWATCH_PARTITIONS, and `port = 8090` in `[web]` is OGREWATCH_WEB_PORT. A list is joined by commas. https://toml.io
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from topics.errors import BadSettings

VARIABLE = "OGREWATCH_CONFIG"
"""Names the file."""
_PREFIX = "OGREWATCH_"


def file_variables() -> Mapping[str, str]:
    """The variables that the file stands for, by name; none without a file. Raises `BadSettings`."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return {}
    try:
        stamp = os.stat(named)
    except OSError as error:
        raise BadSettings(f"{VARIABLE}: {named} cannot be read ({error.strerror}).") from None
    return _read(Path(named), stamp.st_mtime_ns, stamp.st_size, stamp.st_ino)


@lru_cache(maxsize=1)
def _read(file: Path, *_: int) -> Mapping[str, str]:
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        raise BadSettings(f"{VARIABLE}: {file} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{VARIABLE}: {file} is no TOML ({error}).") from None
    except RecursionError:
        raise BadSettings(f"{VARIABLE}: {file} is nested too deeply.") from None
    return dict(_variables(file, content, ()))


def _variables(file: Path, content: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        path = (*above, key)
        if isinstance(value, dict):
            yield from _variables(file, value, path)
        else:
            yield _PREFIX + "_".join(path).upper(), _text(file, path, value)


def _text(file: Path, path: tuple[str, ...], value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    raise BadSettings(f"{file}: {'.'.join(path)} has to be a text, a number, true, false or a list of texts.")
