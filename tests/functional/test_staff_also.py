"""The page of the actions that no workflow repeats: as links on the case page, filled in without any script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.journeys import NOW, login_of, open_tasks, submitted
from tests.officers import at, made, signed_in
from tests.visitor import Page, plain

OTHER = {"lin.yahan": "xu.mingde", "xu.mingde": "lin.yahan"}
NAMES = {"lin.yahan": "林雅涵", "xu.mingde": "許明德"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def a_case(app: Flask) -> tuple[str, str]:
    """Its address, and the login of its officer."""

    def make() -> tuple[str, str]:
        case = submitted("EC09")
        return f"/staff/cases/{case.public_id}", login_of(open_tasks(case)[0].assignee_id)

    return made(app, make)


def first_event(page: Page) -> str:
    return plain(page.soup.select_one(".app-timeline__item"))


def test_a_head_reassigns_on_a_page(app: Flask) -> None:
    path, holder = a_case(app)
    head = signed_in(app, "chen.shufen")
    page = head.get(path)
    page = head.follow("改分")
    assert page.heading.endswith("改分")
    again = head.press("改分", {"reason": ""})
    assert again.status == 422 and len(again.mistakes) == 2
    (option,) = [
        o["value"] for o in again.soup.select("#desk option") if plain(o).endswith(NAMES[OTHER[holder]])
    ]
    page = head.press("改分", {"desk": option, "reason": "專長不同"})
    assert "已完成「改分」" in page.text
    assert f"由{NAMES[holder]}改分給動植物防疫所{NAMES[OTHER[holder]]}" in first_event(page)
    assert "專長不同" in first_event(page)
    assert "改分" not in signed_in(app, OTHER[holder]).get(path).links("改分")


def test_a_page_that_is_out_of_date_keeps_what_was_typed(app: Flask) -> None:
    path, _holder = a_case(app)
    head, other = signed_in(app, "chen.shufen"), signed_in(app, "li.zhengnan")
    for visitor in (head, other):
        visitor.get(path)
        visitor.follow("催辦")
    assert head.press("催辦", {"reason": "請先看"}).status == 200
    late = other.press("催辦", {"reason": "也請先看"})
    assert late.status == 409
    assert "已由陳淑芬處理" in late.text and "也請先看" in late.text
    other.get(path)
    other.follow("催辦")
    refused = other.press("催辦", {"reason": "也請先看"})
    assert refused.status == 422 and "今天已經催辦過" in refused.text


def test_a_page_says_in_english_what_it_asks(app: Flask) -> None:
    path, _holder = a_case(app)
    head = signed_in(app, "chen.shufen")
    head.get("/language/en")
    head.get(path)
    page = head.follow("Remind")
    assert page.soup.select_one("label[for=reason]") is not None and "Once a day for each task." in page.text
