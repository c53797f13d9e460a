"""The officers' pages in a real browser: readable for everybody, on desk and phone, and fresh without a reload."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.journeys import citizen, officer, open_tasks, submitted, take
from tests.officers import case_of, corrected, made, officer_of
from webapp.demo.samples import picture
from webapp.models import Case
from webapp.moments import taipei_day, utc_now
from webapp.queries import definitions
from webapp.services import cases, documents
from webapp.uow import unit_of_work

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 900}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def barriers(page: Page) -> list[str]:
    """What axe finds on a phone, and whether the page must be scrolled sideways there or on a desk."""
    page.set_viewport_size(DESK)
    wide = page.evaluate(OVERFLOW)
    page.set_viewport_size(PHONE)
    wide = max(wide, page.evaluate(OVERFLOW))
    found = Axe().run(page, options=RULES).response["violations"]
    told = [f"{page.url}: {v['id']} {[n['target'] for n in v['nodes']]}" for v in found]
    return [*told, f"{page.url}: {wide} px too wide"] if wide else told


@pytest.fixture
def cases_of_each_kind(office: Flask) -> dict[str, tuple[str, str]]:
    """Name to the login of an officer and the case: corrected, in co-review, inspected, decided."""
    now = utc_now()

    def new(code: str) -> Case:
        return submitted(code, now, citizen("wang.daming"))

    def corrected_pet() -> tuple[str, str]:
        case = new("EC09")
        take(case, "request_correction", now=now, fields=("amount",), comment="請確認金額")
        corrected(case, now, citizen("wang.daming"), amount=["3200"])
        return officer_of(case), case.public_id

    def reviewed_road() -> tuple[str, str]:
        case = new("PW01")
        who = officer_of(case)
        take(case, "split", now=now)
        take(case, "give_opinion", "dong.weilun", now, raw={"opinion": ["agree"]})
        return who, case.public_id

    def inspected_farm() -> tuple[str, str]:
        case = new("EC06")
        who = officer_of(case)
        take(case, "pass_papers", now=now)
        take(case, "schedule", now=now, on_date=taipei_day(now))
        photograph(case, who)
        day = {
            f"inspected_on-{part}": [str(getattr(taipei_day(now), part))] for part in ("year", "month", "day")
        }
        record = {**day, "use_matches": ["yes"], "findings": ["現場種植高粱"], "result": ["pass"]}
        take(case, "pass", who, now, raw=record, comment="合格")
        return "cai.wenxiong", case.public_id

    def photograph(case: Case, who: str) -> None:
        wanted = definitions.current_form("inspection_record", taipei_day(now)).field("photos")
        with unit_of_work():
            key = cases.upload_key(open_tasks(case)[0])
            documents.upload(officer(who, now), key, wanted, "東側.png", picture(), now)

    def decided_pet() -> tuple[str, str]:
        case = new("EC09")
        take(case, "propose_approval", now=now, comment="資料齊全")
        take(case, "approve", now=now)
        return "chen.shufen", case.public_id

    make: dict[str, Callable[[], tuple[str, str]]] = {
        "corrected": corrected_pet,
        "reviewed": reviewed_road,
        "inspected": inspected_farm,
        "decided": decided_pet,
    }
    return {name: made(office, maker) for name, maker in make.items()}


def test_every_page_is_readable_for_everybody(
    new_context: NewContext, cases_of_each_kind: dict[str, tuple[str, str]]
) -> None:
    pages = [(who, f"/staff/cases/{case}") for who, case in cases_of_each_kind.values()]
    vet, pet = cases_of_each_kind["corrected"]
    pages += [(vet, f"/staff/inbox?tab={tab}") for tab in ("mine", "pool", "correction", "deputy", "done")]
    pages += [(vet, f"/staff/cases/{pet}/act/{name}") for name in ("request_correction", "propose_rejection")]
    pages += [("lv.xinyi", f"/staff/cases/{cases_of_each_kind['reviewed'][1]}/act/give_opinion")]
    pages += [("cai.wenxiong", f"/staff/cases/{cases_of_each_kind['inspected'][1]}/act/approve")]
    pages += [("huang.meilan", path) for path in ("/staff/intake", "/staff/intake?service=EC06")]
    pages += [("huang.meilan", "/staff/search?q=EC99-114-1")]
    windows: dict[str, Page] = {}
    found: list[str] = []
    for who, path in pages:
        if who not in windows:
            windows[who] = new_context().new_page()
            hands.sign_in(windows[who], who)
        answer = windows[who].goto(path)
        assert answer is not None and answer.status == 200, path
        found += barriers(windows[who])
    assert found == []


def test_mistakes_and_the_preview_are_readable_too(
    new_context: NewContext, cases_of_each_kind: dict[str, tuple[str, str]]
) -> None:
    who, case = cases_of_each_kind["corrected"]
    page = new_context().new_page()
    hands.sign_in(page, who)
    page.goto(f"/staff/cases/{case}/act/request_correction")
    hands.press(page, "請申請人補正")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    found = barriers(page)
    page.get_by_label("收據金額").check()
    page.get_by_label("理由").fill("請重拍收據")
    hands.press(page, "預覽")
    expect(page.locator("#preview")).to_contain_text("請重拍收據")
    assert found + barriers(page) == []


def test_the_counts_follow_what_others_do(new_context: NewContext, office: Flask) -> None:
    page = new_context().new_page()
    hands.sign_in(page, "weng.guoliang")
    page.clock.install()
    page.goto("/staff/inbox")
    tab = page.get_by_role("navigation", name="待辦").get_by_role("link").first
    before = int(tab.locator(".app-side__count").inner_text().split()[0])
    sender = made(office, lambda: citizen("wang.daming"))

    def arrives() -> str:
        return submitted("EC06", utc_now(), sender, land_township=["JC"]).public_id

    case = made(office, arrives)
    assert made(office, lambda: officer_of(case_of(case))) == "weng.guoliang"
    page.clock.run_for(timedelta(seconds=31) // timedelta(milliseconds=1))
    expect(tab.locator(".app-side__count")).to_contain_text(str(before + 1))
