"""Tests databases whose files are missing, damaged, replaced or overwritten."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enrichers.database import PACKAGED, Database, GeoDatabaseError, MissingExtensionError

TOKYO = {"81.2.69.0/24": {"country": {"iso_code": "JP"}}}


def country(database: Database) -> str:
    return str(database.get("81.2.69.142")["country"]["iso_code"])


def warnings(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "GeoLite2-City.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GeoDatabaseError, match=r"GeoLite2-City\.mmdb"):
        Database(path)


def test_a_file_from_beyond_time_is_refused(nested: Path) -> None:
    content = nested.read_bytes()
    at = content.index(b"build_epoch") + len(b"build_epoch")
    size = content[at] & 0x1F  # of a uint64: two bytes of type, then the number
    nested.write_bytes(content[:at] + b"\x08\x02" + b"\xff" * 8 + content[at + 2 + size :])
    with pytest.raises(GeoDatabaseError):
        Database(nested)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeoDatabaseError):
        Database(tmp_path)


def test_a_missing_extension_is_named(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb.extension", None)
    with pytest.raises(MissingExtensionError, match="C extension"):
        Database(nested)


def test_an_unchanged_file_is_not_opened_again(nested: Path) -> None:
    assert Database(nested).renew() is False


def test_a_replaced_file_is_opened(nested: Path, write: Callable[..., Path]) -> None:
    database = Database(nested)
    write(nested, "GeoLite2-City", TOKYO)
    assert country(database) == "GB"
    assert database.renew() is True
    assert country(database) == "JP"


def test_a_file_shortened_in_place_is_read_on(nested: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(nested)
    os.truncate(nested, 0)
    assert country(database) == "GB"
    assert database.renew() is False
    assert country(database) == "GB"
    assert warnings(caplog) == 1


def test_trouble_is_reported_once_until_it_is_over(
    nested: Path, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(nested)
    whole = nested.read_bytes()
    nested.unlink()
    assert database.renew() is False
    for length in (10, 100, len(whole) - 1):
        nested.write_bytes(whole[:length])
        database.renew()
    assert country(database) == "GB"
    assert warnings(caplog) == 1
    write(nested, "GeoLite2-City", TOKYO)
    assert database.renew() is True
    nested.unlink()
    assert database.renew() is False
    assert country(database) == "JP"
    assert warnings(caplog) == 2


def test_a_file_that_was_away_is_opened_again(nested: Path) -> None:
    database = Database(nested)
    away = nested.rename(nested.with_suffix(".away"))
    assert database.renew() is False
    away.rename(nested)
    assert database.renew() is True
    assert country(database) == "GB"


def test_a_damaged_record_is_none_and_reported_once(nested: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = nested.read_bytes()
    start = content.index(b"London") - 100
    end = content.index(b"\xab\xcd\xefMaxMind.com")
    nested.write_bytes(content[:start] + b"\xff" * (end - start) + content[end:])
    database = Database(nested)
    for address in ("81.2.69.142", "2.125.160.217", "2001:218::1") * 2:
        database.get(address)
    assert warnings(caplog) == 1


def test_ipv6_in_a_file_of_ipv4_is_none(flat: Path) -> None:
    assert Database(flat).get("2001:218::1") is None


def test_no_copy_is_left_behind(nested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setenv("TMPDIR", str(copies))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert country(Database(nested)) == "GB"
    assert list(copies.iterdir()) == []


def test_the_metadata_are_those_of_the_file(nested: Path) -> None:
    metadata = Database(nested).metadata
    assert metadata["database"] == "GeoLite2-City"
    assert metadata["file"] == "GeoLite2-City.mmdb"
    assert len(metadata["built"]) == len("2026-01-01")


def test_the_packaged_file_is_a_database() -> None:
    assert Database(PACKAGED).metadata["database"] == "DBIP-Country-Lite"


def test_records_come_as_they_were_written(nested: Path, networks: dict[str, dict[str, Any]]) -> None:
    database = Database(nested)
    for network, record in networks.items():
        assert database.get(network.partition("/")[0]) == record
