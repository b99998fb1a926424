"""Tests what `scripts/audit` finds in lock files."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

_SCRIPT = Path(__file__).parents[2] / "scripts" / "audit"
_HASH = "a" * 64


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, with an empty folder for its lock files."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader = SourceFileLoader("audit", str(_SCRIPT))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def _faults(audit: ModuleType, text: str) -> list[str]:
    lock = audit.ROOT / "requirements.lock"
    lock.write_text(f"# how it was made\n{text}    # via something\n")
    return list(audit.faults(lock.name, audit.pins(lock)))


def test_ours_are_pinned_with_hashes(audit: ModuleType) -> None:
    for name in audit.LOCKS:
        lock = _SCRIPT.parents[1] / name
        assert _faults(audit, lock.read_text()) == []
        assert len(audit.pins(lock)) > 30


@pytest.mark.parametrize("line", ["aiokafka>=0.14", "aiokafka==0.14.0", "git+https://example.com/aiokafka"])
def test_what_is_not_pinned_with_a_hash_is_named(audit: ModuleType, line: str) -> None:
    good = f"faust-streaming==0.15.3 ; python_version >= '3.11' \\\n    --hash=sha256:{_HASH}\n"
    assert _faults(audit, good) == []
    assert _faults(audit, f"{good}{line}\n") == [f"requirements.lock: not pinned with hashes: {line}"]


def test_what_is_installed_otherwise_is_named(audit: ModuleType) -> None:
    installed = set(audit.installed_otherwise({"pytest": "0.1"}))
    assert any(line.startswith("pytest ") and line.endswith("is installed, locked is 0.1") for line in installed)
    assert any(line.startswith("orjson ") and line.endswith("is installed and not locked") for line in installed)


def test_withdrawn_and_foreign_files_are_named(audit: ModuleType) -> None:
    index = {"files": [{"filename": "a-1.tar.gz", "hashes": {"sha256": _HASH}, "yanked": "broken"}]}
    found = list(audit.withdrawn("a", {_HASH, "b" * 64}, index))
    assert found == [f"a: the index has no file with the locked hash {'b' * 64}", "a-1.tar.gz was withdrawn: broken"]
