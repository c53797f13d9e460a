"""Chromium as the tests and the screenshots use it, and windows of people who never were here before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, sync_playwright

from tests.browser.fonts import fontconfig_environment

PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
#: nothing that a browser does of its own accord may leave the machine
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
]
PATIENCE_MS = 15_000


class NoBrowser(RuntimeError):
    """The message says how to get one."""


def chromium() -> str:
    named = os.environ.get("CHROMIUM")
    for program in [named] if named else PROGRAMS:
        if path := shutil.which(program):
            return path
    raise NoBrowser(
        f"{named or 'Chromium'} is not there: sudo apt-get install chromium, or set CHROMIUM to a browser"
    )


@contextmanager
def launched(folder: Path) -> Iterator[Browser]:
    """The browser, with the Chinese font of the letters; `folder` is for the font cache."""
    program = chromium()
    environment = {**os.environ, **fontconfig_environment(folder), "LANGUAGE": "zh_TW"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*QUIET, "--lang=zh-TW"], env=environment
        )
        yield browser
        browser.close()


def open_context(
    browser: Browser, address: str, complaints: list[str] | None = None, **options: Any
) -> BrowserContext:
    """`complaints` receives scripts that fail, and whatever the security policy stops."""
    visitor = browser.new_context(
        base_url=address, locale="zh-TW", timezone_id="Asia/Taipei", reduced_motion="reduce", **options
    )
    visitor.set_default_timeout(PATIENCE_MS)
    if complaints is not None:
        _listen(visitor, complaints)
    return visitor


def _listen(visitor: BrowserContext, complaints: list[str]) -> None:
    def listen(message: ConsoleMessage) -> None:
        # a page that answers 4xx is reported here too; that is for the test to judge
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    visitor.on("console", listen)
    visitor.on("weberror", lambda failure: complaints.append(str(failure.error)))
