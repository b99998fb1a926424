"""Gives the tests of the page one browser for all of them. It is a chromium of the system's own."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browser_kit import Opened, opener
from lacking import lacking
from playwright.async_api import Browser, async_playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A chromium for all tests."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        lacking("chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        await running.close()


@pytest.fixture
def opened(browser: Browser) -> Opened:
    """Opens a page of a stand-in server that answers a scene."""
    return opener(browser)
