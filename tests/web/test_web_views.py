"""All views in a real browser: everybody can use them, and nothing that a log holds breaks them."""

import re
import time
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from browser_kit import Opened
from playwright.async_api import Page, expect
from standin import HOSTILE, Body, Scene, attacker, counts, crowd, iso, reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

BREACH = "198.51.100.20"
ID = "raw.syslog-1-14369"
VIEWS = {
    "#/live": ".tail",
    "#/ogres": ".vbody .vrow",
    "#/map": "#places tr",
    "#/search?q=root": ".results tbody tr",
    "#/alerts": ".alert",
    "#/health": "#roles",
    f"#/event/{ID}": ".steps li",
    "#/try": "#line",
    f"#/address/{BREACH}": ".facts",
    f"#/live?address={BREACH}": ".address-panel .facts",
}
"""Each view, and what is there when it has its answers."""
LEDGER = {"balanced": False, "received": 100, "stored": 98, "dead_lettered": 1, "missing": 1, "under_way": 0}


def full(text: str = "") -> Scene:
    """A scene with something in every view; with `text` in every field that a log can fill."""
    name, host, now = text or "deploy", text or "app-01", iso(time.time())
    about: Body = {"users": [name], "user_count": 1, "hosts": [host], "host_count": 1}
    rows = [*crowd(15), attacker(BREACH, 6, 1, **about)]
    if text:
        network = {"number": 1, "name": text}
        rows.append(attacker(text, 9, 1, **about, country=text, services={text: 9}, **{"as": network}))
    event = {
        "id": ID,
        "@timestamp": now,
        "message": text or "Failed password for root",
        "host": {"hostname": host},
        "event": {"dataset": text or "sshd", "outcome": "failure"},
        "user": {"name": name},
        "source": {"ip": BREACH},
    }
    buckets = [{"time": iso(time.time() - 60 * n), "count": n, "failures": n // 2} for n in range(60, 0, -1)]
    values = [{"value": host, "count": 9}]
    after = {"id": ID, "at": now, "user": name, "host": host, "service": name, "events": [event], "total": 2}
    answers = {
        "events": {"total": 1, "total_is": "exact", "events": [event], "after": None, "took_ms": 3},
        "events/histogram": {"step": 60, "buckets": buckets},
        "events/facets": {"fields": {"host.hostname": {"values": values, "other": 0, "distinct": 1}}},
        f"events/{ID}": _lineage(event, text),
        "explain": _lineage(event, text),
        "auth/places": _places(text),
        "alerts": {"alerts": [_alert(text)], "total": 1},
        "rules": {"rules": [1, 2], "refused": [{"where": "x", "reason": name}], "silences": []},
        "roles": _roles(),
        "ledger": LEDGER | {"wrongs": [name]},
        "deadletters": _dead_letters(name),
        "coverage": {
            "lines": 100,
            "unparsed": 3,
            "datasets": [{"value": text or "sshd", "count": 97}],
            "programs": [{"value": name, "count": 3}],
            "shapes": [{"count": 3, "program": name, "shape": name, "example": name}],
        },
    }
    about_address = {
        "by_user": [counts(name, 1, 6)],
        "by_host": [counts(host, 1, 6)],
        "events": [event],
        "after_success": [after],
        "network": {"prefix": "198.51.100.", "total": 1, "attackers": [rows[0]]},
    }
    return Scene(rows, about=about_address, services={text or "sshd": (12, 340), "ldap": (440, 60)}, answers=answers)


def _lineage(event: Body, text: str) -> Body:
    now = iso(time.time())
    line = text or "<38>Nov 24 16:35:09 web1 sshd[77]: Failed password for root"
    place = {"topic": "raw.syslog", "partition": 1, "offset": 14369, "key": text or "web1"}
    return {
        "event": event,
        "raw": {**place, "timestamp": now, "text": line, "base64": ""},
        "steps": [{"step": "header", "says": text or "RFC 3164"}, {"step": "index", "at": now, "says": "stored"}],
        "spans": [
            {"from": 4, "to": 19, "field": "@timestamp"},
            {"from": 20, "to": 24, "field": text or "host.hostname"},
        ],
        "before": [event | {"id": "raw.syslog-1-14368"}],
        "after": [],
    }


def _places(text: str) -> Body:
    numbers = {"addresses": 9, "failures": 90, "successes": 1, "broke_in": 1}
    place = {"country": text or "CN", "city": None, "lon": 103.8, "lat": 36.6, **numbers}
    return {"by": "country", "places": [place], "unknown": numbers | {"broke_in": 0}, "truncated": False}


def _alert(text: str) -> Body:
    now = iso(time.time())
    about = {
        "level": "high",
        "status": "open",
        "count": 12,
        "group": [f"source.ip={BREACH}", f"user.name={text or 'root'}"],
        "samples": [text or "root"],
        "window": {"start": now},
        "evidence": [{"id": ID, "at": now, "line": text or "Failed password for root"}],
        "acts": [{"offset": 1, "kind": "note", "by": text or "alice", "at": now, "comment": text or "looks bad"}],
    }
    return {
        "id": "a" * 32,
        "@timestamp": now,
        "event": {"end": now, "reason": text or "12 events within 60 s"},
        "rule": {"name": text or "SSH brute force", "description": text or "Many failures"},
        "source": {"ip": BREACH},
        "ogrewatch": {"alert": about},
    }


def _roles() -> Body:
    rows = [{"topic": "raw.syslog", "partition": n, "committed": 9, "end": 10, "lag": 1} for n in range(4)]
    normalize = {"members": 1, "lag": 4, "per_second": 12.0, "partitions": rows}
    count: Body = {"members": 0, "lag": 0, "per_second": None, "partitions": []}
    return {"looked": iso(time.time()), "received_per_second": 12.5, "roles": {"normalize": normalize, "count": count}}


def _dead_letters(reason: str) -> Body:
    said = {"component": "normalize", "reason": reason}
    return {"total": 1, "reasons": [said | {"count": 1}], "deadletters": [said | {"id": ID}]}


async def violations(tab: Page) -> list[tuple[str, Any]]:
    """What axe finds wrong."""
    found = await tab.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]


async def shown(tab: Page, view: str) -> None:
    """Go to a view, and wait for what it shows."""
    await tab.evaluate("view => { location.hash = view }", view)
    await expect(tab.locator(VIEWS[view]).first).to_be_visible(timeout=30_000)


SIZES: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1440, "light"),
    (768, "dark"),
    (390, "light"),
    (320, "dark"),
)


async def test_everybody_can_use_every_view(opened: Opened) -> None:
    async with opened(full()) as tab:
        await tab.evaluate(AXE_SCRIPT)
        for view in VIEWS:
            await shown(tab, view)
            for width, colours in SIZES:
                await tab.set_viewport_size({"width": width, "height": 900})
                await tab.emulate_media(color_scheme=colours)
                await tab.wait_for_timeout(100)
                assert await violations(tab) == [], (view, width, colours)
                assert await tab.evaluate("document.documentElement.scrollWidth") <= width, view


async def test_colours_that_the_system_forces_and_print_are_usable(opened: Opened) -> None:
    async with opened(full(), "#/live") as tab:
        await expect(tab.locator("#first tr").first).to_be_visible()
        await tab.evaluate(AXE_SCRIPT)
        await tab.emulate_media(forced_colors="active")
        assert await violations(tab) == []
        await tab.emulate_media(forced_colors="none", media="print")
        await expect(tab.locator("nav")).to_be_hidden()
        await expect(tab.locator(".breaches")).to_be_visible()


async def test_nothing_that_a_log_holds_becomes_markup_or_breaks_the_layout(opened: Opened) -> None:
    async with opened(full(HOSTILE), width=1280) as tab:
        for view in VIEWS:
            await shown(tab, view)
            if view == "#/alerts":
                await tab.locator(".alert-title").click()
            for width in (1280, 390):
                await tab.set_viewport_size({"width": width, "height": 900})
                await tab.wait_for_timeout(100)
                assert await tab.evaluate("document.documentElement.scrollWidth") <= width, view
            assert await tab.locator("main img, main script, aside img").count() == 0, view
            text = await tab.evaluate("document.body.textContent")
            assert ("\u202e" in text, "\x1b" in text, "‹U+202E›" in text) == (False, False, True), view
            height = await tab.locator(".breaches").evaluate("bar => bar.offsetHeight")
            assert height < 200, "a name of somebody's choice pushes nothing off the screen"
            assert "bad" not in await tab.title()


STORED = ("events", "events/histogram", "events/facets", "auth/places", "alerts", "roles", "ledger", "coverage")


@pytest.mark.parametrize("status", [404, 503])
async def test_a_view_without_answers_says_so_and_the_shell_lives_on(opened: Opened, status: int) -> None:
    def refused(request: Any) -> Any:
        text = f"GET {request.path}: Not Found" if status == 404 else "Elasticsearch does not answer."
        return reply({"error": text}, status)

    scene = full()
    for path in (*STORED, f"events/{ID}"):
        scene.answers[path] = refused
    async with opened(scene) as tab:
        for view in ("map", "search", "alerts", "health", f"event/{ID}"):
            await tab.evaluate(f"location.hash = '#/{view}'")
            words = "This server|no event|yet" if status == 404 else "does not answer"
            await expect(tab.locator("main").get_by_text(re.compile(words)).first).to_be_visible()
            await expect(tab.locator(".breaches li a")).to_have_text([BREACH])


async def test_a_mistake_in_a_search_is_shown_under_its_column(opened: Opened) -> None:
    scene = full()

    def answered(request: Any) -> Any:
        if "usr" in request.query["q"]:
            return reply({"error": "q, column 6: there is no field 'usr'", "column": 6, "length": 3}, 400)
        return {"total": 0, "events": [], "without": [{"term": "user:bob", "total": 310}], "after": None}

    scene.answers["events"] = answered
    async with opened(scene, "#/search") as tab:
        await tab.locator("#find").fill("root usr:x")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#query-error")).to_contain_text("there is no field 'usr'")
        assert await tab.locator("#query-error pre").text_content() == "     ^^^"
        await tab.locator("#find").fill("root user:bob")
        await tab.keyboard.press("Enter")
        await expect(tab.locator(".results .empty")).to_contain_text("without user:bob: 310")


async def test_the_raw_line_of_an_event_shows_what_became_of_its_parts(opened: Opened) -> None:
    async with opened(full(), f"#/event/{ID}") as tab:
        await expect(tab.locator(".raw-line mark")).to_have_text(["Nov 24 16:35:09", "web1"])
        await expect(tab.locator(".span-legend")).to_contain_text("host.hostname")
        await tab.get_by_role("link", name="Try this line").click()
        await tab.get_by_role("button", name="What becomes of it?").click()
        await expect(tab.locator(".steps")).to_contain_text("RFC 3164")


async def test_an_alert_is_acknowledged_with_a_note(opened: Opened) -> None:
    scene, said = full(), list[Any]()

    async def written(request: Any) -> Any:
        said.append(await request.json())
        return {"id": "a" * 32, "act": "acknowledge", "by": "alice", "at": 1}

    scene.answers[f"alerts/{'a' * 32}/ack"] = written
    async with opened(scene, "#/alerts") as tab:
        await expect(tab.locator("nav .open-alerts")).to_have_text("1 open")
        await tab.get_by_role("button", name="SSH brute force").press("Enter")
        await expect(tab.locator(".alert-detail")).to_contain_text("12 events within 60 s")
        await tab.get_by_label("Note").fill("mine")
        await tab.get_by_role("button", name="Acknowledge").click()
        await expect(tab.locator(".act")).to_contain_text("Written down")
    assert said == [{"note": "mine"}]


async def test_the_page_is_small_and_quick(opened: Opened) -> None:
    async with opened(full(), "#/live") as tab:
        await expect(tab.locator("#first tr").first).to_be_visible()
        sizes = await tab.evaluate(
            "performance.getEntriesByType('resource').map((one) => [one.name, one.encodedBodySize])"
        )
        script = sum(size for name, size in sizes if name.endswith(".js"))
        assert script < 60 * 1024, sizes
        numbers = await tab.evaluate("performance.getEntriesByName('numbers')[0].startTime")
        paint = await tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        assert (paint, numbers) < (3000, 6000), "0.3 s and 0.6 s on an idle machine"
