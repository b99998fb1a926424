"""The page in a real browser: what surrounds the views, Live, and one address."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import workers_kit
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from browser_kit import Opened
from playwright.async_api import Browser, expect
from standin import Scene, attacker, counts, iso

from ingest.tokens import LOOK, TokenFile

pytestmark = pytest.mark.asyncio(loop_scope="session")

OGRE, OTHER, CLERK = "203.0.113.9", "2001:db8:1:2:3:4:5:6", "10.50.0.10"


def scene(**changes: Any) -> Scene:
    """One address that got in, one that is louder, one that mistypes."""
    rows = [attacker(OTHER, 1340, country=""), attacker(OGRE, 6, 1), attacker(CLERK, 3, 40, broke_in=False)]
    return Scene(rows, **changes)


async def test_who_got_in_comes_first_everywhere_and_what_is_left_out_is_said(opened: Opened) -> None:
    async with opened(scene()) as tab:
        await expect(tab.locator("#breach-sentence")).to_have_text("1 address guessed and got in")
        await expect(tab.locator(".breaches li a")).to_have_text([OGRE])
        await expect(tab).to_have_title("(1) Ogrewatch")
        first, second = tab.locator("#first tbody tr").nth(0), tab.locator("#first tbody tr").nth(1)
        await expect(first.locator("th")).to_have_text(f"{OGRE}! got in")
        await expect(second.locator("td")).to_contain_text(["Unknown", "1,340", "0", "root, admin"])
        await expect(tab.locator("#extent")).to_have_text("3 of 3 addresses; 1 got in by guessing, listed first.")
        await expect(tab.locator("#logins tbody tr").first.locator("td").nth(2)).to_have_text("3.4%")
        painted = [
            await row.evaluate("row => getComputedStyle(row.cells[0]).backgroundColor") for row in (first, second)
        ]
        assert painted[0] != painted[1]
        await expect(tab.locator("#attribution a")).to_have_attribute("href", "https://db-ip.com")
        for view in ("Ogres", "Map", "Search", "Alerts", "Health"):
            await tab.get_by_role("link", name=view, exact=True).click()
            await expect(tab.locator(".breaches li a")).to_have_text([OGRE])


async def test_who_is_asked_logs_in_and_out(opened: Opened, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    _, secret = tokens.create("alice", [], LOOK)
    shown = scene(answers={"about": {"version": "0", "geoip": None, "you": {"name": "alice", "role": "look"}}})
    async with opened(shown, settings={"data_dir": tmp_path}) as tab:
        assert tab.url.endswith("/login")
        await tab.get_by_label("Token").fill("ogw_no")
        await tab.get_by_role("button", name="Log in").click()
        await expect(tab.get_by_role("alert")).to_have_text("This is no valid token to look with.")
        assert await tab.evaluate(f"{AXE_SCRIPT}; axe.run().then(found => found.violations.map(one => one.id))") == []
        await tab.get_by_label("Token").fill(secret)
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#first")).to_contain_text(OGRE)
        assert await tab.evaluate("document.cookie") == ""
        await expect(tab.locator("#you")).to_have_text("alice")
        await tab.get_by_role("button", name="Log out").click()
        await expect(tab.get_by_label("Token")).to_be_visible()


async def test_a_keyboard_opens_and_closes_one_address(opened: Opened) -> None:
    async with opened(scene(), "#/live?window=1h") as tab:
        link = tab.locator("#first").get_by_role("link", name=OGRE)
        await link.focus()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#detail-title")).to_be_focused()
        await expect(tab.locator("#detail-note")).to_contain_text(
            "6 failures as 2 users on web1 in 14 min, and 1 success, the last at"
        )
        await expect(tab.get_by_role("img", name=f"Attempts of {OGRE}: 6 failures, 1 successes")).to_be_visible()
        assert f"address={OGRE}" in tab.url
        for close in ("Escape", "Tab+Tab+Enter"):
            for key in close.split("+"):
                await tab.keyboard.press(key)
            await expect(tab.locator("#detail-title")).to_be_hidden()
            await expect(link).to_be_focused()
            await tab.keyboard.press("Enter")
            await expect(tab.locator("#detail-title")).to_be_focused()


async def test_keys_go_everywhere_and_can_be_switched_off(opened: Opened) -> None:
    async with opened(scene()) as tab:
        await expect(tab.locator("#first")).to_contain_text(OGRE)
        await tab.keyboard.press("g")
        await tab.keyboard.press("o")
        await expect(tab.locator(".vtable")).to_contain_text(OGRE)
        await tab.keyboard.press("5")
        await expect(tab).to_have_url(re.compile("#/ogres.window=24h"))
        await tab.keyboard.press("j")
        await expect(tab.get_by_role("rowheader").get_by_role("link", name=OGRE)).to_be_focused()
        await tab.keyboard.press("/")
        await expect(tab.locator("#find")).to_be_focused()
        await tab.keyboard.type("5")  # is text here
        await tab.keyboard.press("Escape")
        await tab.keyboard.press("?")
        await tab.get_by_label("Keys without a modifier work").uncheck()
        await tab.keyboard.press("Escape")
        await tab.keyboard.press("1")
        await expect(tab).to_have_url(re.compile("window=24h"))


async def test_times_are_utc_until_the_reader_chooses_and_bear_their_zone(opened: Opened) -> None:
    seen = datetime.now(UTC).replace(microsecond=0)
    shown = Scene([attacker(OGRE, 9, last_seen=iso(seen.timestamp()))])
    async with opened(shown, f"#/live?address={OGRE}", timezone_id="Asia/Kathmandu") as tab:
        await expect(tab.locator("#first time").first).to_have_text(f"{seen:%H:%M:%S}")
        await expect(tab.locator("#first thead")).to_contain_text("Last (UTC)")
        await expect(tab.locator("#facts")).to_contain_text(f"{seen:%H:%M:%S} UTC")
        await tab.get_by_role("button", name="Times are in UTC").click()
        await expect(tab.locator("#facts")).to_contain_text("Asia/Kat")
        await expect(tab.locator("#first time").first).not_to_have_text(f"{seen:%H:%M:%S}")


async def test_a_link_holds_the_whole_state_and_is_corrected_where_it_is_wrong(opened: Opened) -> None:
    shown = scene()
    link = "#/ogres?window=24h&service=sshd&q=2001&sort=failures&order=asc"
    async with opened(shown, link) as tab:
        await expect(tab.locator(".vtable")).to_contain_text(OTHER)
        await expect(tab.get_by_label("24h")).to_be_checked()
        await expect(tab.locator("#narrow")).to_have_value("2001")
        await expect(tab.get_by_role("columnheader", name="Failed")).to_have_attribute("aria-sort", "ascending")
        asked = next(path for path in shown.asked if "offset=" in path)
        for part in ("window=24h", "service=sshd", "q=2001", "sort=failures", "order=asc"):
            assert part in asked
        await tab.get_by_role("button", name="Remove filter service sshd").click()
        await expect(tab).not_to_have_url(re.compile("service"))
        await tab.go_back()
        await expect(tab.locator(".chips")).to_have_text("service:sshd×")
        await tab.evaluate("location.hash = '#/live?window=30d'")
        await expect(tab.locator(".note-bar")).to_contain_text("“30d” is none of 5m, 15m, 1h, 6h, 24h; this is 1h.")
        await expect(tab).to_have_url(re.compile("window=1h"))


async def test_links_of_earlier_versions_still_lead_there(opened: Opened) -> None:
    async with opened(scene(), f"#window=24h&address={OGRE}") as tab:
        await expect(tab.locator("#detail-title")).to_have_text(OGRE)
        await expect(tab).to_have_url(re.compile(f"#/live.window=24h&address={OGRE}"))


async def test_a_value_can_be_narrowed_to_excluded_and_copied(opened: Opened) -> None:
    async with opened(scene()) as tab:
        value = tab.locator("#logins").get_by_role("button", name="sshd")
        await value.click()
        await expect(tab.get_by_role("menuitem", name="Only this")).to_be_focused()
        await tab.keyboard.press("Escape")
        await expect(value).to_be_focused()
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("menuitem", name="Only this")).to_be_focused()
        await tab.keyboard.press("Enter")
        await expect(tab).to_have_url(re.compile("service=sshd"))
        await tab.locator("#logins").get_by_role("button", name="ldap").focus()
        await tab.keyboard.press("x")
        await expect(tab).to_have_url(re.compile(r"#/search.*q=service%3Asshd\+-service%3Aldap"))


async def test_it_renews_itself_and_keeps_the_focus_where_it_is(opened: Opened) -> None:
    shown = scene()
    async with opened(shown) as tab:
        link = tab.locator("#first").get_by_role("link", name=OTHER)
        await link.focus()
        shown.attackers[0] |= {"failures": 5000, "successes": 1, "broke_in": True}
        await expect(tab.locator("#first tbody tr").first).to_contain_text("5,000", timeout=20_000)
        await expect(link).to_be_focused()
        await expect(tab).to_have_title("(2) Ogrewatch")


async def test_it_rests_while_nobody_looks(opened: Opened) -> None:
    shown = scene()
    async with opened(shown) as tab:
        await expect(tab.locator("#first")).to_contain_text(OGRE)
        await tab.evaluate("""() => {
            Object.defineProperty(document, 'hidden', { get: () => window.away ?? true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
        await tab.wait_for_timeout(300)
        asked = len(shown.asked)
        await tab.wait_for_timeout(2500)
        assert len(shown.asked) == asked
        await tab.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        await tab.wait_for_timeout(500)
        assert len(shown.asked) > asked


async def test_missing_partitions_ill_health_and_silence_are_told(opened: Opened) -> None:
    async with opened(scene(missing=[2, 3])) as tab:
        await expect(tab.locator(".services .partial")).to_have_text(
            "The numbers are too low: partitions 2, 3 of 4 do not answer."
        )
        await expect(tab.locator("#health")).to_contain_text("Degraded: some counts are missing.")
    async with opened(scene(newest=time.time() - 23 * 60 - 5)) as tab:
        await expect(tab.locator("#health")).to_contain_text("Quiet: newest event 23 min ago.")


async def test_one_panel_in_trouble_holds_up_no_other(opened: Opened) -> None:
    shown = scene(delay={"auth/series": 60}, answers={"auth/ratio": 503})
    async with opened(shown) as tab:
        await expect(tab.locator("#first")).to_contain_text(OGRE)
        await expect(tab.locator(".services .problem")).to_have_text("refused with 503 Try again")
        await expect(tab.locator(".logins .skeleton")).to_be_visible()
        del shown.answers["auth/ratio"]
        await tab.locator(".services").get_by_role("button", name="Try again").click()
        await expect(tab.locator("#logins")).to_contain_text("sshd")
        shown.answers["attackers"] = 503
        await expect(tab.locator(".first-ogres .problem")).to_contain_text("refused with 503", timeout=20_000)
        await expect(tab.locator("#first")).to_contain_text(OGRE)  # what was known stays


async def test_nothing_to_show_is_said_with_what_to_do(opened: Opened) -> None:
    async with opened(Scene(services={}, newest=None)) as tab:
        await expect(tab.get_by_text("Nothing has arrived yet. Send something:").first).to_be_visible()
        await expect(tab.locator(".services code").first).to_contain_text(
            re.compile(r"^curl http://127.0.0.1:8080/lines -d '<38>1 .* web1 sshd")
        )
    async with opened(Scene(services={}, newest=time.time() - 7200), f"#/live?address={OGRE}") as tab:
        await expect(tab.locator(".services .empty")).to_contain_text("No login in this time. The newest event is of ")
        await expect(tab.locator("#detail-note")).to_have_text("Nothing is known of it in this time.")
        await tab.locator(".services").get_by_role("button", name="Show 6h").click()
        await expect(tab).to_have_url(re.compile("window=6h"))


async def test_the_event_stream_brings_what_is_new_and_its_loss_is_told(opened: Opened) -> None:
    row = {"id": "raw.syslog-0-7", "@timestamp": iso(time.time()), "dataset": "sshd", "host": "web1", "user": "root",
           "ip": OGRE, "outcome": "failure", "message": "Failed password for root"}  # fmt: skip
    shown = scene()
    shown.events = [("hello", {"version": "0"}), ("tail", {"rows": [row], "seen": 4870, "shown": 1})]
    async with opened(shown) as tab:
        await expect(tab.locator(".tail tbody tr")).to_contain_text(["Failed password for root"])
        await expect(tab.locator(".tail")).to_contain_text("1 of 4,870 lines of the last second")
        put = attacker("198.51.100.7", 8, 1)
        shown.events.append(("attackers", {"put": [put], "gone": [OTHER], "total": 3, "broke_in_total": 2}))
        await expect(tab.locator(".breaches li a")).to_have_text(["198.51.100.7", OGRE])
        await expect(tab.locator("#first")).not_to_contain_text(OTHER)
        total = counts("", 1, 99)
        shown.events.append(
            ("ratio", {"by": "service", "rows": [counts("vpn", 1, 99)], "total": total, "truncated": False})
        )
        await expect(tab.locator("#logins tbody")).to_contain_text("vpn")
        await tab.context.set_offline(True)
        shown.events.append(("end", None))
        await expect(tab.locator("#health")).to_contain_text("Not connected, trying again in", timeout=20_000)


async def test_it_understands_the_real_role_and_its_event_stream(browser: Browser) -> None:
    """What the stand-in says elsewhere is what the real role says; Kafka and Elasticsearch are away here."""
    now = int(time.time()) // 60 * 60
    seen = {"first_seen": now - 900.5, "last_seen": now - 60.25}
    row = workers_kit.attacker(OGRE, 6, 1, **seen)
    rows, minutes = {"sshd": (1, 6, 0)}, {OGRE: [[now - 120, 0, 6], [now - 60, 1, 0]]}
    worker = workers_kit.Worker([0, 1, 2, 3], rows=rows, attackers=[row], minutes=minutes, newest=float(now))
    async with workers_kit.page(worker) as client:
        tab = await browser.new_page()
        await tab.goto(str(client.make_url("/")), wait_until="domcontentloaded")
        await expect(tab.locator(".breaches li a")).to_have_text([OGRE])
        await expect(tab.locator("#logins tbody tr").first).to_contain_text("sshd")
        await expect(tab.locator("#health")).to_contain_text("Degraded: Kafka does not answer.", timeout=20_000)
        await expect(tab.locator("#health")).not_to_contain_text("stream")
        worker.attackers.append(workers_kit.attacker("198.51.100.7", 9, 1, **seen))
        await expect(tab.locator(".breaches li a")).to_have_text(["198.51.100.7", OGRE], timeout=15_000)
        await tab.get_by_role("link", name="Map").click()
        await expect(tab.locator(".map")).to_be_visible()
        await tab.locator(".breaches").get_by_role("link", name=OGRE).click()
        await expect(tab.locator("#detail-note")).to_contain_text("6 failures as 2 users on web1")
        await expect(tab.locator(".address-panel .problem")).to_contain_text("Its events are not shown", timeout=20_000)
        await tab.close()
