"""Tests the script that makes the databases, with a small source."""

from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import geoip2.database
import maxminddb
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "build-geoip"
LONDON = {
    "city": "London",
    "country_code": "GB",
    "latitude": 51.51430130004883,
    "longitude": -0.09122440218925476,
    "state1": "England",
}
COUNTRIES = {
    "2.125.160.0/25": "GB",
    "2.125.160.128/25": "GB",
    "81.2.69.0/24": "GB",
    "81.2.71.0/24": "GB",
    "89.160.20.112/28": "SE",
    "2001:218::/32": "JP",
    "2a02:d100::/29": "NL",
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_loader("build_geoip", SourceFileLoader("build_geoip", str(SCRIPT)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path, write: Callable[..., Path]) -> Path:
    networks = {network: {"country_code": code} for network, code in COUNTRIES.items()}
    return write(tmp_path / "dbip-country.mmdb", "country ipvAll", networks)


def test_every_network_keeps_its_country(script: ModuleType, source: Path, tmp_path: Path) -> None:
    script.build([source], "Country", script.country_record, tmp_path / "out.mmdb")
    with maxminddb.open_database(source) as old, geoip2.database.Reader(tmp_path / "out.mmdb") as new:
        for network, record in old:
            for address in (network[0], network[-1]):
                assert isinstance(record, dict)
                assert new.country(address).country.iso_code == record["country_code"]


def test_no_network_is_added(script: ModuleType, source: Path, tmp_path: Path) -> None:
    script.build([source], "Country", script.country_record, tmp_path / "out.mmdb")
    with maxminddb.open_database(tmp_path / "out.mmdb") as reader:
        for address in ("2.125.161.0", "2.125.159.255", "81.2.70.0", "81.2.68.255", "2001:219::", "::1", "ffff::"):
            assert reader.get(address) is None
        assert len(list(reader)) == len(COUNTRIES) - 1  # the halves of one network have become one


def test_the_same_source_gives_the_same_bytes(script: ModuleType, source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mmdb", tmp_path / "second.mmdb"
    for out in (first, second):
        script.build([source], "Country", script.country_record, out)
    assert first.read_bytes() == second.read_bytes()


def test_cities_of_two_files_become_one(script: ModuleType, tmp_path: Path, write: Callable[..., Path]) -> None:
    v4 = write(tmp_path / "v4.mmdb", "city ipv4", {"81.2.69.0/24": LONDON}, version=4)
    tokyo = {**LONDON, "city": "Tokyo", "country_code": "JP", "state1": ""}
    v6 = write(tmp_path / "v6.mmdb", "city ipv6", {"2001:218::/32": tokyo})
    script.build([v4, v6], "City", script.city_record, tmp_path / "out.mmdb")
    with geoip2.database.Reader(tmp_path / "out.mmdb") as reader:
        london = reader.city("81.2.69.142")
        assert (london.city.name, london.subdivisions[0].name, london.country.name) == (
            "London",
            "England",
            "United Kingdom",
        )
        assert (london.location.latitude, london.location.longitude) == (51.5143, -0.0912)
        assert reader.city("2001:218::1").city.name == "Tokyo"
