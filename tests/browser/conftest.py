"""A real browser in front of the real programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.fonts import fontconfig_environment
from tests.programs import Counter

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: nothing that a browser does of its own accord may leave the machine
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
]


def chromium() -> str:
    named = os.environ.get("CHROMIUM")
    for program in [named] if named else PROGRAMS:
        if path := shutil.which(program):
            return path
    pytest.fail(
        f"{named or 'Chromium'} is not there: sudo apt-get install chromium, or set CHROMIUM to a browser",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium()
    fonts = fontconfig_environment(tmp_path_factory.mktemp("fonts"))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=QUIET, env={**os.environ, **fonts}
        )
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, counter: Counter) -> Iterator[BrowserContext]:
    """A visitor with no history. Scripts that fail, and whatever the security policy stops, fail the test."""
    visitor = browser.new_context(base_url=counter.address, locale="zh-TW", timezone_id="Asia/Taipei")
    visitor.set_default_timeout(15_000)
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # a page that answers 4xx is reported here too; that is for the test to judge
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    visitor.on("console", listen)
    visitor.on("weberror", lambda failure: complaints.append(str(failure.error)))
    yield visitor
    visitor.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
