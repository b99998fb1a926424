"""The page in a real browser: what it shows, what it marks, and that everybody can use it.

Needs a chromium of the system's own.
"""

import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from lacking import lacking
from playwright.async_api import Browser, Page, async_playwright, expect
from workers_kit import Client, Worker, attacker, page

from ingest.tokens import LOOK, TokenFile

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = int(time.time()) // 60 * 60
EVIL = "<img src=x onerror=document.title='bad'>"
OGRE, OTHER = "203.0.113.9", "2001:db8:1:2:3:4:5:6"
CLERK = attacker("10.50.0.10", 3, 40)
_EXPECTED = re.compile("status of (401|404|503)")  # which browsers report although the page has an answer to it


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A chromium for all tests of this file."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        lacking("chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        await running.close()


@asynccontextmanager
async def opened(browser: Browser, client: Client, path: str = "/", **options: Any) -> AsyncIterator[Page]:
    """A tab with the page in it, in which nothing may go wrong unseen."""
    tab = await browser.new_page(**options)
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda said: None if _EXPECTED.search(said.text) else wrong.append(said.text))
    await tab.goto(str(client.make_url("/")).rstrip("/") + path)
    yield tab
    await tab.close()
    assert wrong == []


def workers() -> tuple[Worker, Worker]:
    seen: dict[str, Any] = {"first_seen": NOW - 900.5, "last_seen": NOW - 60.25}
    ogre = attacker(OGRE, 1340, 2, users=["root", EVIL], user_count=57, users_more=True, **seen)
    minutes = {OGRE: [[NOW - 900, 0, 1300], [NOW - 60, 2, 40]]}
    return (
        Worker([0, 1], rows={"sshd": (12, 1340, 0), "web": (500, 0, 3)}, attackers=[ogre], minutes=minutes),
        Worker([2, 3], rows={"sshd": (0, 10, 0)}, attackers=[attacker(OTHER, 10, country="", **seen), CLERK | seen]),
    )


async def test_it_shows_services_and_attackers_and_who_got_in(browser: Browser) -> None:
    async with page(*workers()) as client, opened(browser, client) as tab:
        await expect(tab.locator("#logins tbody tr")).to_have_text(
            ["sshd121,35000.9%", "web50003100%", "All5121,350327.5%"]
        )
        await expect(tab.locator("#extent")).to_have_text("3 of 3 addresses; 1 got in by guessing, listed first.")
        first, second, third = (tab.locator("#attackers tbody tr").nth(number) for number in range(3))
        await expect(first.locator("th")).to_have_text(f"{OGRE}got in")
        await expect(first.locator("td")).to_contain_text(["Netherlands", "1,340", "2", "at least 55 more", "web1"])
        await expect(second.locator("td")).to_contain_text(["Unknown", "10", "0", "root, admin", "web1"])
        await expect(second.locator(".badge")).to_be_hidden()
        await expect(third.locator(".badge")).to_be_visible()
        painted = [
            await row.evaluate("row => getComputedStyle(row.cells[0]).backgroundColor")
            for row in (first, second, third)
        ]
        assert painted[0] != painted[1] == painted[2]
        await expect(tab.locator("#attribution a")).to_have_attribute("href", "https://db-ip.com")
        await expect(tab.locator("#notice")).to_be_hidden()


async def test_who_is_asked_logs_in_and_out(browser: Browser, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    _, secret = tokens.create("alice", [], LOOK)
    async with page(*workers(), data_dir=tmp_path) as client, opened(browser, client) as tab:
        assert tab.url.endswith("/login")
        await tab.get_by_label("Token").fill("ogw_no")
        await tab.get_by_role("button", name="Log in").click()
        await expect(tab.get_by_role("alert")).to_have_text("This is no valid token to look with.")
        assert await tab.evaluate(f"{AXE_SCRIPT}; axe.run().then(found => found.violations.map(one => one.id))") == []
        await tab.get_by_label("Token").fill(secret)
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#attackers")).to_contain_text(OGRE)
        assert await tab.evaluate("document.cookie") == ""
        await expect(tab.locator("#you")).to_have_text("alice")
        await tab.get_by_role("button", name="Log out").click()
        await expect(tab.get_by_label("Token")).to_be_visible()
        await tab.goto(str(client.make_url("/")))
        assert tab.url.endswith("/login")


async def test_what_a_log_says_is_text_and_never_markup(browser: Browser) -> None:
    async with page(*workers()) as client, opened(browser, client, f"/#address={OGRE}") as tab:
        await expect(tab.locator("#facts")).to_contain_text(EVIL)
        await expect(tab.locator("#attackers")).to_contain_text(EVIL)
        assert await tab.locator("img").count() == 0
        assert await tab.title() == "Ogrewatch"


async def test_a_keyboard_opens_and_closes_one_address(browser: Browser) -> None:
    async with page(*workers()) as client, opened(browser, client, "/#window=1h") as tab:
        link = tab.get_by_role("link", name=OGRE)
        await link.focus()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#detail-title")).to_be_focused()
        await expect(tab.locator("#detail-note")).to_contain_text("It got in: 2 successful")
        await expect(tab.get_by_role("img", name="1340 failures, 2 successes")).to_be_visible()
        assert await tab.locator("#chart rect.failure").count() == 2
        await tab.get_by_role("link", name="Close").press("Enter")
        await expect(tab.locator("#detail")).to_be_hidden()
        await expect(link).to_be_focused()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#detail-title")).to_be_focused()
        await tab.keyboard.press("Escape")
        await expect(tab.locator("#detail")).to_be_hidden()
        await expect(link).to_be_focused()


async def test_times_are_utc_wherever_the_reader_is_and_do_not_wrap(browser: Browser) -> None:
    look = {"timezone_id": "Asia/Kathmandu", "viewport": {"width": 1280, "height": 900}}
    async with page(*workers()) as client, opened(browser, client, f"/#address={OGRE}", **look) as tab:
        seen = datetime.fromtimestamp(NOW - 60.25, UTC)
        last = tab.locator("#attackers tbody tr").first.locator("time").last
        await expect(last).to_contain_text(f"{seen:%H:%M:%S}")
        await expect(tab.locator("#attackers thead")).to_contain_text("Last seen (UTC)")
        await expect(tab.locator("#facts")).to_contain_text(f"{seen:%H:%M:%S} UTC")
        await expect(tab.locator("#chart-caption")).to_contain_text(" UTC; a bar")
        await expect(tab.locator("#refreshed")).to_contain_text(" UTC")
        lines = "cells => cells.map(cell => cell.getClientRects().length)"
        for cells in ("time", ".whole a"):
            found = await tab.locator(f"#attackers tbody {cells}").evaluate_all(lines)
            assert set(found) == {1}
        assert await tab.evaluate("document.documentElement.scrollWidth") == 1280


async def test_it_refreshes_itself_and_keeps_the_focus_where_it_is(browser: Browser) -> None:
    one, other = workers()
    async with page(one, other) as client, opened(browser, client) as tab:
        await tab.get_by_role("link", name=OTHER).focus()
        other.attackers[0] |= {"failures": 5000, "successes": 1}
        await expect(tab.locator("#attackers tbody tr").first).to_contain_text("5,000", timeout=10_000)
        await expect(tab.get_by_role("link", name=OTHER)).to_be_focused()


async def test_a_window_is_chosen_and_asked_for(browser: Browser) -> None:
    one, other = workers()
    async with page(one, other) as client, opened(browser, client) as tab:
        await tab.get_by_label("24 hours").check()
        await expect(tab).to_have_url(str(client.make_url("/#window=24h")))
        await tab.get_by_label("5 minutes").check()
        await expect(tab).to_have_url(str(client.make_url("/#window=5m")))
        await tab.wait_for_timeout(300)
    spans = [span(path) for path in one.asked if path.startswith("/v1/attackers?")]
    assert {3660, 86_460, 360} <= set(spans)
    assert spans[-1] == 360


def span(path: str) -> int:
    """How many seconds a question to a worker is about."""
    asked = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
    return int(asked["until"]) - int(asked["since"])


async def test_it_rests_while_nobody_looks(browser: Browser) -> None:
    one, other = workers()
    async with page(one, other) as client, opened(browser, client) as tab:
        await expect(tab.locator("#health")).to_contain_text("Degraded")  # the last answer of a round, without Kafka
        await tab.evaluate("""() => {
            Object.defineProperty(document, 'hidden', { get: () => window.away ?? true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
        await tab.wait_for_timeout(300)
        asked = len(one.asked)
        await tab.wait_for_timeout(2500)
        assert len(one.asked) == asked
        await tab.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        await tab.wait_for_timeout(300)
        assert len(one.asked) > asked


async def test_missing_partitions_and_ill_health_are_told(browser: Browser) -> None:
    one, _ = workers()
    async with page(one) as client, opened(browser, client) as tab:
        await expect(tab.locator("#notice")).to_have_text(
            "The numbers are too low: partitions 2, 3 of 4 do not answer."
        )
        await expect(tab.locator("#health")).to_have_text(
            "Degraded: Kafka does not answer, some counts are missing", timeout=10_000
        )
        await expect(tab.locator("#attackers tbody tr")).to_have_count(1)


async def test_numbers_that_cannot_be_renewed_are_marked(browser: Browser) -> None:
    one, other = workers()
    async with page(one, other) as client, opened(browser, client) as tab:
        await expect(tab.locator("#attackers tbody tr")).to_have_count(3)
        one.bodies = other.bodies = {"owners": 503}
        await expect(tab.locator("#notice")).to_contain_text("No count worker can be asked", timeout=10_000)
        await expect(tab.locator("#notice")).to_contain_text("What is shown may be out of date.")
        await expect(tab.locator("#attackers tbody tr")).to_have_count(3)


async def test_nothing_to_show_is_said(browser: Browser) -> None:
    async with page(Worker([0, 1, 2, 3])) as client, opened(browser, client, f"/#address={OGRE}") as tab:
        await expect(tab.get_by_text("No login in this window.")).to_be_visible()
        await expect(tab.get_by_text("Nobody has failed to log in in this window.")).to_be_visible()
        await expect(tab.locator("#detail-note")).to_have_text("Nothing is known of it in this window.")


@pytest.mark.parametrize("colors", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
async def test_everybody_can_use_it(browser: Browser, colors: str, width: int) -> None:
    one, _ = workers()
    look = {"color_scheme": colors, "viewport": {"width": width, "height": 900}}
    async with page(one) as client, opened(browser, client, f"/#address={OGRE}", **look) as tab:
        await expect(tab.locator("svg.minutes")).to_be_visible()
        await expect(tab.locator("#notice")).to_be_visible()
        await tab.evaluate(AXE_SCRIPT)
        found = await tab.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
        assert await tab.evaluate("document.documentElement.scrollWidth") == width
