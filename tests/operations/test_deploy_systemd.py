"""The manual of systemd: its unit is one that systemd understands, and its settings are ones we have."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from lacking import lacking

from agents.settings import Settings
from topics.config_file import VARIABLE, file_variables
from topics.errors import AccessRefused

MANUAL = Path(__file__).parents[2] / "docs" / "deploy-systemd.md"


def _block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    return str(found)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        lacking("systemd-analyze, of the package systemd")
    program = tmp_path / "ogrewatch"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "ogrewatch@normalize.service"
    unit.write_text(_block("ini").replace("/opt/ogrewatch/bin/ogrewatch", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    broken = tmp_path / "ogrewatch@broken.service"
    broken.write_text(unit.read_text().replace("Restart=on-failure", "Restart=sometimes"))
    done = subprocess.run(["systemd-analyze", "verify", str(broken)], capture_output=True, text=True, timeout=60)
    assert "restart specifier" in done.stderr


def test_the_time_to_stop_is_longer_than_the_roles_own() -> None:
    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)", _block("ini"))
    assert int(seconds) >= Settings().grace + 10
    assert f"RestartPreventExitStatus=2 {AccessRefused.STATUS}" in _block("ini")


def test_the_settings_are_ones_we_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ogrewatch.toml"
    path.write_text(_block("toml"))
    monkeypatch.setenv(VARIABLE, str(path))
    assert file_variables().keys() <= {f"OGREWATCH_{name.upper()}" for name in Settings.model_fields}
    assert Settings().partitions == tomllib.loads(path.read_text())["partitions"] == 12
