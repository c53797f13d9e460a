"""A real browser in front of the real programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import town as towns
from tests.browser.hands import sign_in
from tests.browser.town import Town
from tests.browser.windows import PATIENCE_MS, NoBrowser, launched, open_context
from tests.conftest import TEMPLATE
from tests.databases import Databases
from tests.journeys import NOW
from tests.programs import Counter

NewContext: TypeAlias = Callable[..., BrowserContext]
#: the window of a login, or of nobody
Visitors: TypeAlias = Callable[[str], Page]
NOBODY = ""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with launched(tmp_path_factory.mktemp("fonts")) as browser:
            yield browser
    except NoBrowser as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def new_context(browser: Browser, counter: Counter) -> Iterator[NewContext]:
    """Windows of people who know nothing of each other. Scripts that fail, and whatever the security policy
    stops, fail the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> BrowserContext:
        opened.append(open_context(browser, counter.address, complaints, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
    assert complaints == []


@pytest.fixture
def context(new_context: NewContext) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def town(databases: Databases) -> Iterator[Town]:
    """A counter with a case in every state. Tests look at it and change nothing."""
    with towns.opened(databases.create("town", TEMPLATE), NOW, towns.settle) as settled:
        yield settled


@pytest.fixture(scope="module")
def visitors(browser: Browser, town: Town) -> Iterator[Visitors]:
    """The window of somebody in the town: a login, or nobody. Opened and signed in once."""
    complaints: list[str] = []
    pages: dict[str, Page] = {}

    def window(login: str) -> Page:
        if login not in pages:
            pages[login] = open_context(browser, town.address, complaints).new_page()
            if login != NOBODY:
                sign_in(pages[login], login)
        return pages[login]

    yield window
    for page in pages.values():
        page.context.close()
    assert complaints == []
