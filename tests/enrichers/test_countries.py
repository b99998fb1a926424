"""Tests the table of countries."""

from enrichers.countries import countries


def test_every_country_has_a_name_a_continent_and_a_point() -> None:
    assert len(countries()) == 250
    for code, country in countries().items():
        assert country.code == code
        assert len(code) == 2
        assert country.name
        assert country.continent in {"AF", "AN", "AS", "EU", "NA", "OC", "SA"}
        assert -90 <= country.latitude <= 90
        assert -180 <= country.longitude <= 180


def test_codes_that_look_like_something_else_are_read() -> None:
    assert countries()["NA"].name == "Namibia"
    assert countries()["NO"].name == "Norway"
    assert countries()["BQ"].name == "Bonaire, Sint Eustatius and Saba"
