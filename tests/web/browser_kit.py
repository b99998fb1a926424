"""Opens the page of a stand-in server in a browser tab, in which nothing may go wrong unseen."""

import gc
import re
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page
from standin import Scene, standin

Opened = Callable[..., AbstractAsyncContextManager[Page]]
"""`opened(scene, "#/ogres", width=390)`; other names are those of Playwright's contexts, and `settings` of the role."""
_EXPECTED = re.compile("status of (4|5)|net::ERR_")  # which browsers report although the page has an answer to it


def opener(browser: Browser) -> Opened:
    """Return what opens pages in this browser."""

    @asynccontextmanager
    async def open_page(scene: Scene, path: str = "", width: int = 1440, **options: Any) -> AsyncIterator[Page]:
        changes = options.pop("settings", {})
        async with standin(scene, **changes) as client:
            context = await browser.new_context(viewport={"width": width, "height": 900}, **options)
            tab = await context.new_page()
            wrong: list[str] = []
            tab.on("pageerror", lambda error: wrong.append(str(error)))
            tab.on("console", lambda said: wrong.extend(_complaint(said)))
            await tab.goto(str(client.make_url("/")) + path, wait_until="domcontentloaded")
            yield tab
            await context.close()
            assert wrong == []
        _forget_unused_connections()

    return open_page


def _forget_unused_connections() -> None:
    """Chromium connects ahead of need. A connection that comes just as the server closes is closed by nobody."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _complaint(said: ConsoleMessage) -> list[str]:
    return [said.text] if said.type == "error" and not _EXPECTED.search(said.text) else []
