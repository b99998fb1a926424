"""Tests how records of both layouts become columns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichers.geoip import COLUMNS, geo_columns

LOCATION = {"latitude": 51.5142, "longitude": -0.0931}
KEYS = [
    "country",
    "country_code",
    "names",
    "en",
    "iso_code",
    "subdivisions",
    "location",
    "latitude",
    "longitude",
    "city",
]
RECORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
)


def test_a_country_record_gives_what_it_has() -> None:
    record = {"country": {"iso_code": "JP", "names": {"en": "Japan"}}, "continent": {"code": "AS"}}
    expected = {"geo_country_iso_code": "JP", "geo_country_name": "Japan", "geo_continent_code": "AS"}
    assert geo_columns(record) == expected


def test_a_flat_country_record_gets_name_and_continent() -> None:
    expected = {"geo_country_iso_code": "JP", "geo_country_name": "Japan", "geo_continent_code": "AS"}
    assert geo_columns({"country_code": "JP"}) == expected


def test_an_unknown_country_keeps_its_code() -> None:
    assert geo_columns({"country_code": "ZZ"}) == {"geo_country_iso_code": "ZZ"}


def test_the_smallest_subdivision_is_the_region() -> None:
    subdivisions = [
        {"iso_code": "ENG", "names": {"en": "England"}},
        {"iso_code": "WBK", "names": {"en": "West Berkshire"}},
    ]
    columns = geo_columns({"country": {"iso_code": "GB"}, "subdivisions": subdivisions})
    assert columns["geo_region_iso_code"] == "GB-WBK"
    assert columns["geo_region_name"] == "West Berkshire"


def test_a_region_without_its_country_has_no_code() -> None:
    assert geo_columns({"subdivisions": [{"iso_code": "ENG"}]}) == {}


@pytest.mark.parametrize(
    "location",
    [
        {"latitude": 51.5},
        {"longitude": 0.1},
        {"latitude": 91.0, "longitude": 0.0},
        {"latitude": 0.0, "longitude": -180.5},
        {"latitude": float("nan"), "longitude": 0.0},
        {"latitude": "51.5", "longitude": "0.1"},
        [51.5, 0.1],
    ],
)
def test_half_a_point_or_a_wrong_one_is_none(location: Any) -> None:
    assert geo_columns({"location": location}) == {}


def test_a_point_is_whole() -> None:
    assert geo_columns({"location": LOCATION}) == {"geo_lat": 51.5142, "geo_lon": -0.0931}


@pytest.mark.parametrize("record", [None, "GB", 7, [], ["GB"], {}, {"country": "GB"}, {"country": {"names": ["GB"]}}])
def test_other_shapes_give_nothing(record: object) -> None:
    assert geo_columns(record) == {}


@given(RECORDS)
def test_any_record_gives_columns_of_the_right_types(record: object) -> None:
    for column, content in geo_columns(record).items():
        assert column in COLUMNS
        assert isinstance(content, float if column in ("geo_lat", "geo_lon") else str)
