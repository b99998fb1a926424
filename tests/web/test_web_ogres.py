"""Ogres in a real browser: The Wall, and a table of ten thousand addresses."""

import re

import pytest
from browser_kit import Opened
from playwright.async_api import expect
from standin import Scene, attacker, crowd

pytestmark = pytest.mark.asyncio(loop_scope="session")

BREACH = "198.51.100.20"
SCROLL = """async () => {
    const place = document.querySelector(".vtable");
    const begin = performance.now();
    for (let n = 1; n <= 60; n++) {
        place.scrollTop = n % 2 ? place.scrollHeight * n / 60 : 0;
        await new Promise(requestAnimationFrame);
    }
    return performance.now() - begin;
}"""
"""Scrolls through the whole table, and returns how many milliseconds sixty frames took."""


def busy(count: int = 10_000) -> Scene:
    """A planted breach among that many louder addresses."""
    quiet = attacker(BREACH, 6, 1, country="GB", users=["alice"], user_count=1, hosts=["mail-05"])
    return Scene([*crowd(count), quiet])


async def test_a_breach_among_ten_thousand_is_found_and_led_to_its_raw_line(opened: Opened) -> None:
    scene = busy()
    event = {"id": "raw.syslog-1-7", "@timestamp": "2026-10-01T10:00:00Z", "message": "Accepted password for alice"}
    after = {"id": "raw.syslog-1-7", "at": event["@timestamp"], "user": "alice", "host": "mail-05", "service": "sshd"}
    scene.about = {"after_success": [after | {"events": [event], "total": 1}]}
    async with opened(scene) as tab:
        await tab.locator(".breaches").get_by_role("link", name=BREACH).click()
        await expect(tab.locator("#detail-note")).to_contain_text("6 failures as alice on mail-05")
        await tab.locator(".after tbody a").click()
        await expect(tab).to_have_url(re.compile("#/event/raw.syslog-1-7"))


async def test_ten_thousand_rows_are_a_table_that_draws_only_what_is_seen(opened: Opened) -> None:
    async with opened(busy(), "#/ogres?show=table") as tab:
        table = tab.locator(".vtable")
        await expect(table.locator(".vbody .vrow").first).to_contain_text(BREACH)
        await expect(table).to_have_attribute("aria-rowcount", "10002")
        await expect(tab.locator("#extent")).to_have_text("10,001 addresses; 1 got in by guessing")
        many = await tab.evaluate(SCROLL)
        assert await table.locator(".vrow").count() < 80
        await table.evaluate("place => place.scrollTop = place.scrollHeight")
        await expect(table.locator("[aria-rowindex='10002']")).to_contain_text("2001:db8:")
    async with opened(busy(500), "#/ogres?show=table") as tab:
        await expect(tab.locator(".vbody .vrow").first).to_contain_text(BREACH)
        few = await tab.evaluate(SCROLL)
    assert many < 3 * few + 500, "scrolling costs what is seen, not what there is"  # milliseconds


async def test_rows_are_sorted_narrowed_and_refused_in_words(opened: Opened) -> None:
    scene = busy(300)
    async with opened(scene, "#/ogres?show=table") as tab:
        head = tab.get_by_role("columnheader", name="Failed")
        await head.get_by_role("button").click()
        await expect(head).to_have_attribute("aria-sort", "descending")
        await head.get_by_role("button").click()
        await expect(head).to_have_attribute("aria-sort", "ascending")
        await expect(tab.locator(".vbody .vrow .address").first).to_contain_text(BREACH)  # whatever it is sorted by
        await expect(tab.locator(".vbody .vrow .failed").nth(1)).to_have_text(re.compile(r"^\d{1,2}$"))
        await tab.locator("#narrow").fill("198.51")
        await expect(tab.locator("#extent")).to_have_text("1 address; 1 got in by guessing")
        await tab.locator("#narrow").fill("203.0")
        await expect(tab.locator(".addresses .empty")).to_contain_text("Nobody has failed to log in in this time")
        await tab.locator("#narrow").fill("")
        await tab.get_by_label("Only who got in").check()
        await expect(tab.locator(".vbody .vrow")).to_have_count(1)
        scene.answers["attackers"] = 400
        await tab.get_by_label("24h").check()
        await expect(tab.locator(".addresses .problem")).to_contain_text("refused with 400")


async def test_the_wall_is_drawn_quickly_and_read_by_keys(opened: Opened) -> None:
    async with opened(busy(1200), "#/ogres?show=picture") as tab:
        await expect(tab.locator(".wall .note")).to_have_text(
            "301 of 1,201 addresses as ogres, 699 smaller ones as dots, 201 not drawn, the quietest."
        )
        box = tab.get_by_role("listbox", name="1 inside")
        await box.focus()
        await expect(tab.locator(".plate")).to_contain_text(f"{BREACH} got in")
        await expect(box.get_by_role("option", selected=True)).to_have_text(
            f"{BREACH}, United Kingdom, 6 failures, got in"
        )
        await tab.keyboard.press("ArrowRight")
        await expect(tab.locator(".plate")).not_to_contain_text(BREACH)
        await tab.keyboard.press("Home")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#detail-title")).to_have_text(BREACH)
        await tab.keyboard.press("Escape")
        await expect(box).to_be_focused()
        colours = await tab.evaluate("""() => {
            const canvas = document.querySelector(".scene canvas");
            const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let n = 0; n < pixels.length; n += 4) seen.add(pixels[n] << 16 | pixels[n + 1] << 8 | pixels[n + 2]);
            return seen.size;
        }""")
        assert colours > 50
        drawn = await tab.evaluate("performance.getEntriesByName('wall').at(-1).duration")
        assert drawn < 40, f"{drawn} ms for a frame; 4 on an idle machine"


async def test_the_wall_stands_still_for_who_wants_no_motion(opened: Opened) -> None:
    count = """() => new Promise((done) => {
        const whole = CanvasRenderingContext2D.prototype.clearRect;
        let drawn = 0;
        CanvasRenderingContext2D.prototype.clearRect = function (...given) { drawn++; whole.apply(this, given); };
        setTimeout(() => done(drawn), 1000);
    })"""
    scene = busy(50)
    for row in scene.attackers:
        row["last_seen"] = "2099-01-01T00:00:00Z"  # just now
    async with opened(scene, "#/ogres?show=picture") as tab:
        await expect(tab.locator(".wall canvas")).to_be_visible()
        assert await tab.evaluate(count) > 2
    async with opened(scene, "#/ogres?show=picture", reduced_motion="reduce") as tab:
        await expect(tab.locator(".wall canvas")).to_be_visible()
        assert await tab.evaluate(count) <= 1
