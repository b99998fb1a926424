"""Which servers are ours to start, and what of a data directory is ours to remove."""

import socket
import sys
import time
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.installation import Installation
from stack.ports import HOST


@pytest.mark.parametrize(
    ("kafka", "elasticsearch", "names"),
    [
        ("127.0.0.1:9092", "http://localhost:9200", ["kafka", "elasticsearch"]),
        ("kafka.example.com:9092", "http://[::1]:9200", ["elasticsearch"]),
        ("127.0.0.1:9092,127.0.0.1:9093", "https://user:secret@search.example.com", []),
    ],
)
def test_only_single_loopback_addresses_are_served(
    tmp_path: Path, kafka: str, elasticsearch: str, names: list[str]
) -> None:
    assert [server.name for server in Installation.of(tmp_path, kafka, elasticsearch).servers()] == names


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        here = Installation(tmp_path, kafka_port=other.getsockname()[1])
        with pytest.raises(StackError, match="is taken: end the program on it, or move kafka with OGREWATCH_KAFKA"):
            here.servers()[0].start()


def test_stop_names_what_ran(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.worker.spawn([sys.executable, "-c", "import time; time.sleep(60)"])
    assert here.stop() == ["worker"]
    assert here.stop() == []


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    data = Installation(tmp_path / "above" / "data")
    data.create()
    data.worker.folder.joinpath("worker.log").touch(0o644)  # of an earlier version
    data.worker.spawn([sys.executable, "-c", f"open({str(data.data_dir / 'made')!r}, 'w')"])
    until = time.monotonic() + 60
    while not (data.data_dir / "made").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    names = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "above").rglob("*")}
    files = dict.fromkeys((".ogrewatch", "worker.log", "worker.pid", "made"), 0o600)
    assert names == {"data": 0o700, **files}
    assert (tmp_path / "above").stat().st_mode & 0o777 == 0o700
    data.stop()


def test_a_directory_of_somebody_else_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Installation(tmp_path).create()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_only_a_directory_of_ours_is_removed(tmp_path: Path) -> None:
    data = Installation(tmp_path / "data")
    assert not data.remove()
    data.create()
    assert data.remove()
    assert not data.data_dir.exists()
    with pytest.raises(StackError, match="was not made by `ogrewatch up`"):
        Installation(tmp_path).remove()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="set OGREWATCH_DATA_DIR"):
        Installation(tmp_path / "file" / "data").create()
