"""A package comes into the cache once, whole and checked, or not at all."""

import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stack import cache, maven
from stack.errors import StackError

ARCHIVE = "kafka-9.zip"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cache.Package:
    """A package whose pins fit the archive that `bring` brings."""
    monkeypatch.setenv("OGREWATCH_CACHE", str(tmp_path / "cache"))
    pins = tmp_path / "pins"
    pins.write_text(f"{cache.checksum(archive(tmp_path))}  kafka/{ARCHIVE}\n")
    monkeypatch.setattr(cache, "CHECKSUMS", pins)
    return cache.KAFKA


def archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / ARCHIVE, "w") as made:
        made.writestr(member("kafka-9/bin/run", 0o755), "#!/bin/sh\n")
        made.writestr(member("kafka-9/notes", 0o644), "text")
    return folder / ARCHIVE


def member(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def bring(monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object] = archive) -> list[Path]:
    """Put `make` in the place of the network; returns the folders it was called for."""
    calls: list[Path] = []

    def fetch(_: Path, into: Path, report: maven.Report) -> None:
        calls.append(into)
        into.mkdir()
        report("1/2 MB")
        make(into)

    monkeypatch.setattr(maven, "fetch", fetch)
    return calls


def test_an_archive_is_unpacked_with_its_modes(package: cache.Package, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch)
    home = cache.ensure(package)
    assert (home / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (home / "notes").stat().st_mode & 0o777 == 0o644


def test_many_at_the_same_time_fetch_one_time(package: cache.Package, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = bring(monkeypatch)
    threads = [threading.Thread(target=cache.ensure, args=(package,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_a_file_that_differs_is_refused_and_leaves_nothing(
    package: cache.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(monkeypatch, lambda into: (into / ARCHIVE).write_bytes(b"something else"))
    with pytest.raises(StackError, match=f"{ARCHIVE} of Apache Kafka is not the file it should be"):
        cache.ensure(package)
    assert [left.name for left in cache.cache_dir().iterdir()] == ["kafka.lock"]


@pytest.mark.parametrize("extra", [True, False])
def test_a_file_too_many_or_too_few_is_refused(
    package: cache.Package, monkeypatch: pytest.MonkeyPatch, extra: bool
) -> None:
    def make(into: Path) -> None:
        if extra:
            archive(into)
            (into / "extra.jar").write_bytes(b"")

    bring(monkeypatch, make)
    with pytest.raises(StackError, match=r"extra\.jar" if extra else "SHA-256 missing"):
        cache.ensure(package)


def test_what_a_killed_run_left_is_removed(package: cache.Package, monkeypatch: pytest.MonkeyPatch) -> None:
    left = cache.cache_dir() / "kafka.part-1234" / "files"
    left.mkdir(parents=True)
    bring(monkeypatch)
    home = cache.ensure(package)
    assert sorted(found.name for found in cache.cache_dir().iterdir()) == [home.name, "kafka.lock"]


def test_new_pins_never_meet_old_files(package: cache.Package, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch)
    before = cache.ensure(package)
    cache.CHECKSUMS.write_text(f"{'0' * 64}  kafka/{ARCHIVE}\n")
    assert cache.location(package) != before


def test_both_servers_are_pinned() -> None:
    assert "kafka_2.13-4.3.1.jar" in cache.KAFKA.checksums()
    assert list(cache.ELASTICSEARCH.checksums()) == ["elasticsearch-8.19.21.zip"]


def test_maven_tells_what_is_amiss(tmp_path: Path) -> None:
    pom = Path(shutil.copy(cache.KAFKA.pom, tmp_path))
    pom.write_text(pom.read_text().replace("4.3.1", "4.3.1-no-such-version"))
    with pytest.raises(StackError, match="Maven could not fetch kafka"):
        maven.fetch(pom, tmp_path / "files", lambda _: None)
