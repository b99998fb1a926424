"""Turns a City or Country record into the `geo_*` columns, whose names lack the end (`source_` or `destination_`).

Two layouts are known. Nested: https://dev.maxmind.com/geoip/docs/databases/city-and-country/, which DB-IP writes, too.
Flat: https://github.com/sapics/ip-location-db, with one text or number for each name.
"""

from collections.abc import Iterator
from typing import Any

from enrichers.countries import countries
from enrichers.records import value

COLUMNS = (
    "geo_country_iso_code",
    "geo_country_name",
    "geo_continent_code",
    "geo_region_iso_code",
    "geo_region_name",
    "geo_city_name",
    "geo_postal_code",
    "geo_timezone",
    "geo_lat",
    "geo_lon",
)

Fields = tuple[tuple[str, tuple[str | int, ...]], ...]

_NESTED: Fields = (
    ("geo_country_iso_code", ("country", "iso_code")),
    ("geo_country_name", ("country", "names", "en")),
    ("geo_continent_code", ("continent", "code")),
    # The last subdivision is the smallest, as Elasticsearch's own geoip processor has it.
    ("geo_region_name", ("subdivisions", -1, "names", "en")),
    ("geo_city_name", ("city", "names", "en")),
    ("geo_postal_code", ("postal", "code")),
    ("geo_timezone", ("location", "time_zone")),
)
_FLAT: Fields = (
    ("geo_country_iso_code", ("country_code",)),
    ("geo_region_name", ("state1",)),
    ("geo_city_name", ("city",)),
    ("geo_postal_code", ("postcode",)),
    ("geo_timezone", ("timezone",)),
)


def geo_columns(record: object) -> dict[str, Any]:
    """Return the columns of a record. What is absent, empty or of a wrong type is left out; never raises."""
    if not isinstance(record, dict):
        return {}
    return _flat(record) if "country_code" in record else _nested(record)


def _nested(record: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(_texts(record, _NESTED))
    country = columns.get("geo_country_iso_code")
    region = value(record, str, "subdivisions", -1, "iso_code")
    if country and region:
        columns["geo_region_iso_code"] = f"{country}-{region}"
    location = record.get("location")
    columns.update(_point(value(location, float, "latitude"), value(location, float, "longitude")))
    return columns


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(_texts(record, _FLAT))
    country = countries().get(columns.get("geo_country_iso_code", ""))
    if country:
        columns["geo_country_name"] = country.name
        columns["geo_continent_code"] = country.continent
    columns.update(_point(value(record, float, "latitude"), value(record, float, "longitude")))
    return columns


def _texts(record: dict[str, Any], fields: Fields) -> Iterator[tuple[str, str]]:
    for column, path in fields:
        text = value(record, str, *path)
        if text is not None:
            yield column, text


def _point(latitude: float | None, longitude: float | None) -> dict[str, float]:
    """Return a whole point or none: Elasticsearch refuses an event that has half of one, or one off the globe."""
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return {}
    # The flat files hold single-precision floats: 37.422 comes out as 37.422000885009766. Four decimals are 11 m.
    return {"geo_lat": round(latitude, 4), "geo_lon": round(longitude, 4)}
