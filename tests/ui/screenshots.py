"""The screenshots of the README, at desktop and phone size: python -m tests.ui.screenshots."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

import rag
from tests.ui.conftest import BROWSERS, FLAGS, serving, visiting
from tests.ui.test_page import asked

DOCS = Path(__file__).parents[2] / "docs"
QUESTION = "Who disagrees with him about scaling, and why?"


def main() -> None:
    """Ask one question, open its first citation, look at the map, and take pictures at each size."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("no Chromium here; get one with: apt-get install -y chromium")
    with rag.open_engine() as engine, sync_playwright() as playwright, serving(engine) as address:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for name, width, height in (("desktop", 1280, 800), ("phone", 390, 844)):
            with visiting(browser, address, width=width, height=height) as page:
                asked(page, QUESTION)
                if name == "desktop":
                    page.locator(".exchange .mark").first.click()
                    page.wait_for_selector(".sheet mark")
                page.locator(".asked").first.scroll_into_view_if_needed()
                page.wait_for_timeout(500)
                page.screenshot(path=str(DOCS / f"chat-{name}.png"))
                click.echo(DOCS / f"chat-{name}.png")
                page.get_by_role("link", name="Sources").click()
                page.locator("#map .point").first.wait_for()
                page.wait_for_timeout(1000)
                page.screenshot(path=str(DOCS / f"sources-{name}.png"))
                click.echo(DOCS / f"sources-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
