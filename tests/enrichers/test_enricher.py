"""Tests how events are enriched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geoip2.database
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichers.database import PACKAGED, GeoDatabaseError
from enrichers.enricher import Enricher

LONDON_AS_SOURCE = {
    "source_geo_country_iso_code": "GB",
    "source_geo_country_name": "United Kingdom",
    "source_geo_continent_code": "EU",
    "source_geo_region_iso_code": "GB-ENG",
    "source_geo_region_name": "England",
    "source_geo_city_name": "London",
    "source_geo_postal_code": "EC1A",
    "source_geo_timezone": "Europe/London",
    "source_geo_lat": 51.5142,
    "source_geo_lon": -0.0931,
}
JAPAN = {"country": {"iso_code": "JP"}}
DEFAULT = Enricher(cache_size=8)


def enriched(enricher: Enricher, **event: Any) -> dict[str, Any]:
    enricher.enrich(event)
    return event


def test_a_nested_record_gives_every_column(nested: Path, asn: Path) -> None:
    expected = {**LONDON_AS_SOURCE, "source_as_number": 64496, "source_as_organization_name": "Example Networks"}
    assert Enricher(nested, asn).lookup("81.2.69.142") == expected


def test_a_flat_record_gives_the_same_names(flat: Path) -> None:
    assert Enricher(flat).lookup("81.2.69.142") == {
        "source_geo_country_iso_code": "GB",
        "source_geo_country_name": "United Kingdom",
        "source_geo_continent_code": "EU",
        "source_geo_region_name": "England",
        "source_geo_city_name": "London",
        "source_geo_lat": 51.5143,
        "source_geo_lon": -0.0912,
    }


def test_both_ends_are_enriched(nested: Path, asn: Path) -> None:
    event = enriched(Enricher(nested, asn), source_ip="2001:218::1", destination_ip="81.2.69.142", message="kept")
    assert event["source_geo_country_iso_code"] == "JP"
    assert event["source_as_number"] == 4_200_000_001
    assert event["destination_geo_city_name"] == "London"
    assert event["destination_as_number"] == 64496
    assert event["message"] == "kept"


def test_a_second_event_gets_the_same(nested: Path) -> None:
    enricher = Enricher(nested)
    first = enriched(enricher, source_ip="81.2.69.142", destination_ip="2.125.160.217")
    assert enriched(enricher, source_ip="81.2.69.142", destination_ip="2.125.160.217") == first
    assert first["destination_geo_region_iso_code"] == "GB-WBK"


def test_ipv4_in_ipv6_is_found(nested: Path) -> None:
    assert Enricher(nested).lookup("::ffff:81.2.69.142") == LONDON_AS_SOURCE


@pytest.mark.parametrize(
    "address", ["", "-", "192.0.2.1", "10.0.0.1", "2001:db8::1", "fe80::1%eth0", "host.example.com"]
)
def test_an_address_without_a_place_adds_nothing(nested: Path, address: str) -> None:
    assert enriched(Enricher(nested), source_ip=address, destination_ip=address) == {
        "source_ip": address,
        "destination_ip": address,
    }


def test_an_event_without_addresses_stays_as_it_is() -> None:
    assert enriched(DEFAULT, message="Started.") == {"message": "Started."}


@given(st.text() | st.ip_addresses().map(str))
def test_any_text_is_taken(address: str) -> None:
    event = enriched(DEFAULT, source_ip=address)
    assert event.pop("source_ip") == address
    assert event == DEFAULT.lookup(address)


def test_what_lookup_returns_is_the_callers(nested: Path) -> None:
    enricher = Enricher(nested)
    enricher.lookup("81.2.69.142").clear()
    assert enricher.lookup("81.2.69.142") == LONDON_AS_SOURCE


def test_the_cache_is_bounded_and_right() -> None:
    enricher = Enricher(cache_size=100)
    for host in range(1_000):
        address = f"81.2.{host % 250}.{host // 250}"
        assert enricher.lookup(address) == Enricher(cache_size=1).lookup(address)
    assert len(enricher._source) + len(enricher._source._old) <= 100


def test_what_is_asked_for_again_stays_in_the_cache(nested: Path) -> None:
    enricher = Enricher(nested, cache_size=10)
    kept = enricher._source["81.2.69.142"]
    for host in range(100):
        enricher.lookup(f"2.125.160.{host}")
        assert enricher._source["81.2.69.142"] is kept


def test_text_too_long_for_an_address_is_not_kept() -> None:
    enricher = Enricher()
    assert enricher.lookup("1" * 1_000_000) == {}
    assert not enricher._source


def test_a_new_file_drops_the_cache(nested: Path, write: Callable[..., Path]) -> None:
    enricher = Enricher(nested)
    assert enricher.lookup("81.2.69.142")["source_geo_country_iso_code"] == "GB"
    assert enricher.reload_if_changed() is False
    write(nested, "GeoLite2-City", {"81.2.69.0/24": JAPAN})
    assert enricher.reload_if_changed() is True
    assert enricher.lookup("81.2.69.142")["source_geo_country_iso_code"] == "JP"


def test_a_new_file_of_networks_drops_the_cache(nested: Path, asn: Path, write: Callable[..., Path]) -> None:
    enricher = Enricher(nested, asn)
    enricher.lookup("81.2.69.142")
    write(asn, "GeoLite2-ASN", {"81.2.69.0/24": {"autonomous_system_number": 64511}})
    assert enricher.reload_if_changed() is True
    assert enricher.lookup("81.2.69.142")["source_as_number"] == 64511


def test_a_torn_file_keeps_the_old_answers(nested: Path) -> None:
    enricher = Enricher(nested)
    nested.write_bytes(nested.read_bytes()[:200])
    assert enricher.reload_if_changed() is False
    assert enricher.lookup("81.2.69.142") == LONDON_AS_SOURCE


def test_a_missing_file_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(GeoDatabaseError):
        Enricher(tmp_path / "missing.mmdb")
    with pytest.raises(GeoDatabaseError):
        Enricher(asn=tmp_path / "missing.mmdb")


def test_describe_tells_the_makers(nested: Path, asn: Path) -> None:
    description = Enricher(nested, asn).describe()
    assert description["database"] == "GeoLite2-City"
    assert description["level"] == "city"
    assert "MaxMind" in description["attribution"]
    assert description["link"] == "https://www.maxmind.com"
    assert description["asn"]["database"] == "GeoLite2-ASN"


def test_describe_knows_a_flat_file_by_its_name(flat: Path) -> None:
    description = Enricher(flat).describe()
    assert description["level"] == "city"
    assert description["attribution"] == "IP Geolocation by DB-IP"


def test_describe_names_an_unknown_maker(tmp_path: Path, write: Callable[..., Path]) -> None:
    description = Enricher(write(tmp_path / "own.mmdb", "Example-Country", {"81.2.69.0/24": JAPAN})).describe()
    assert (description["attribution"], description["link"]) == ("Example-Country", "")


def test_the_default_is_at_country_level_and_names_db_ip() -> None:
    description = Enricher().describe()
    assert description["database"] == "DBIP-Country-Lite"
    assert description["level"] == "country"
    assert description["attribution"] == "IP Geolocation by DB-IP"
    assert description["link"] == "https://db-ip.com"
    assert description["asn"] is None


@pytest.mark.parametrize(("address", "country"), [("8.8.8.8", "US"), ("81.2.69.142", "GB"), ("2001:218::1", "JP")])
def test_the_default_knows_countries(address: str, country: str) -> None:
    columns = DEFAULT.lookup(address)
    assert columns["source_geo_country_iso_code"] == country
    assert set(columns) == {
        "source_geo_country_iso_code",
        "source_geo_country_name",
        "source_geo_continent_code",
        "source_geo_lat",
        "source_geo_lon",
    }


def test_the_default_can_be_read_with_geoip2() -> None:
    with geoip2.database.Reader(PACKAGED) as reader:
        assert reader.country("81.2.69.142").country.name == "United Kingdom"
