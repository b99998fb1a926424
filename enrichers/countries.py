"""Reads the table of countries: English name, continent and centre by ISO 3166-1 alpha-2 code (and XK for Kosovo).

The centres are rough figures for a map: the middle of the mainland, or of the largest island.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Country:
    """A row of `data/countries.csv`. The continent is one of AF AN AS EU NA OC SA."""

    code: str
    continent: str
    name: str
    latitude: float
    longitude: float


@cache
def countries() -> dict[str, Country]:
    """Return every country by its code; the file is read once, on the first call."""
    text = resources.files("enrichers").joinpath("data", "countries.csv").read_text("utf-8")
    return {row["code"]: _country(row) for row in csv.DictReader(text.splitlines())}


def _country(row: dict[str, str]) -> Country:
    return Country(row["code"], row["continent"], row["name"], float(row["latitude"]), float(row["longitude"]))
