"""Compares the manual of the settings with the classes that define them."""

from pathlib import Path

import pytest

from agents.settings import Settings
from operations.configuration import manual

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text() == manual(), "run scripts/write-configuration"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means(name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"`OGREWATCH_{name.upper()}`" in manual()
