"""axe on every page of the product, in both languages, and on the pages that answer a mistake."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.browser import hands, pages
from tests.browser.conftest import NOBODY, Visitors
from tests.browser.hands import press
from tests.browser.pages import Look
from tests.browser.town import Town
from webapp.demo.samples import SAMPLES
from workflows import loader, paths, service

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
LANGUAGES = {"zh": "zh-Hant-TW", "en": "en"}
AXE = Axe()

#: services that stand for their workflow, with every state in which an officer acts
STATES = {
    f"{code}_{state}"
    for code, body in service.read_all().items()
    if code in SAMPLES
    for state, content in paths.of_service(
        loader.load(loader.read_all()[body["workflow"]]),
        body["decision_level"],
        body.get("parameters", {}).get("stages", ()),
    ).states.items()
    if content.tasks
}


def violations(page: Page) -> list[str]:
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [f"{v['id']}: {[node['html'][:160] for node in v['nodes'][:3]]}" for v in found]


def speak(page: Page, town: Town, language: str) -> None:
    page.context.add_cookies([{"name": "lang", "value": language, "url": town.address}])


def endpoint(app: Flask, path: str) -> str | None:
    try:
        return app.url_map.bind("").match(path.partition("?")[0])[0]
    except RequestRedirect:
        raise AssertionError(f"{path} lacks a slash") from None
    except HTTPException:
        return None


def test_every_page_is_looked_at(town: Town) -> None:
    routes = {rule.endpoint for rule in town.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    looked_at = {endpoint(town.app, town.path(look.path)) for look in pages.LOOKS}
    assert routes - pages.NO_PAGES - looked_at == set()


@pytest.mark.parametrize("look", pages.some(pages.LOOKS, every=3), ids=pages.named)
def test_page(look: Look, visitors: Visitors, town: Town) -> None:
    page = visitors(look.who)
    speak(page, town, "zh")
    answer = page.goto(town.path(look.path))
    assert answer is not None and answer.status == look.status
    assert violations(page) == []


@pytest.mark.parametrize("look", pages.some(pages.IN_ENGLISH), ids=pages.named)
def test_page_in_english(look: Look, visitors: Visitors, town: Town) -> None:
    page = visitors(look.who)
    speak(page, town, "en")
    page.goto(town.path(look.path))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert violations(page) == []


@pytest.mark.parametrize("case", pages.some(sorted(STATES | {"EC09_approve_rejection"}), every=2))
def test_actions(case: str, visitors: Visitors, town: Town) -> None:
    """The case page, and the page of everything that can be done there."""
    page = visitors(pages.officer_of(case))
    speak(page, town, "zh")
    page.goto(town.path(f"/staff/cases/{{{case}}}"))
    assert violations(page) == []
    links = page.locator(".app-case__actions a.govuk-button")
    actions = [str(link.get_attribute("href")) for link in links.all()]
    assert actions
    for action in actions:
        page.goto(action)
        assert violations(page) == [], action


def test_preview(visitors: Visitors, town: Town) -> None:
    page = visitors(pages.PET_OFFICER)
    speak(page, town, "zh")
    page.goto(town.path("/staff/cases/{EC09_review}"))
    hands.begin(page, "請申請人補正")
    page.get_by_role("checkbox", name="寵物名字").check()
    page.get_by_label("理由").fill("寵物名字與登記證明不符。")
    press(page, "預覽")
    preview = page.get_by_role("region", name="申請人會讀到的內容")
    expect(preview).to_contain_text("寵物名字與登記證明不符。")
    assert violations(page) == []


# --- answers to a mistake ---------------------------------------------------------------------------------


def _send_empty(button: str) -> Callable[[Page], None]:
    return lambda page: press(page, button)


def _wrong_code(page: Page) -> None:
    page.get_by_label("手機號碼").fill("0911-000-999")
    press(page, "傳送驗證碼")
    page.get_by_label("驗證碼").fill("000000")
    press(page, "登入")


def _overtaken(page: Page) -> None:
    """Another tab was faster."""
    page.evaluate("document.querySelector('main [name=version]').value = '0'")
    page.get_by_label("寵物名字").fill("阿福")
    press(page, "儲存並繼續")
    expect(page.get_by_text("已儲存：小黑")).to_be_visible()


def _expired(page: Page) -> None:
    page.evaluate("document.querySelector('main [name=csrf_token]').value = 'old'")
    press(page, "儲存並繼續")
    expect(page.get_by_text("這個頁面放太久了")).to_be_visible()


def _stale(page: Page) -> None:
    """A colleague was faster."""
    hands.begin(page, "退件")
    page.evaluate("document.querySelector('main [name=version]').value = '0'")
    page.get_by_label("理由").fill("這不是本縣的案件。")
    press(page, "退件")
    expect(hands.heading(page)).to_have_text("已有人先處理")
    expect(page.get_by_text("這不是本縣的案件。")).to_be_visible()


def _wrong_file(page: Page) -> None:
    box = page.locator("#field-cadastral_map")
    box.locator("input[type=file]").set_input_files(
        [{"name": "地籍圖.pdf", "mimeType": "application/pdf", "buffer": b"no paper at all"}]
    )
    expect(box.locator(".app-file--failed")).to_be_visible()


def _bad_rows(page: Page) -> None:
    page.get_by_label("或貼上表格").fill("計畫名稱\t月份\t實際進度\n開瑄國小校舍及運動場新建\t109/9\t101\n")
    press(page, "預覽")
    expect(page.get_by_role("table", name="要修正的地方")).to_contain_text("101 不在 0 到 100 之間")


def _act(action: str) -> Callable[[Page], None]:
    def send(page: Page) -> None:
        hands.follow(page, action)
        press(page, action)

    return send


MISTAKES = {
    "sign in": (Look(NOBODY, "/sign-in"), _send_empty("登入")),
    "mobile number": (Look(NOBODY, "/sign-in/mobile"), _send_empty("傳送驗證碼")),
    "one-time code": (Look(NOBODY, "/sign-in/mobile"), _wrong_code),
    "register": (Look(NOBODY, "/register"), _send_empty("註冊並登入")),
    "number and code": (Look(NOBODY, "/track"), _send_empty("查詢")),
    "questions": (Look(pages.CITIZEN, "/apply/{empty}/applicant"), _send_empty("儲存並繼續")),
    "rows of a table": (Look(pages.CITIZEN, "/apply/{empty}/land"), _send_empty("儲存並繼續")),
    "choices": (Look(pages.CITIZEN, "/apply/{empty}/purpose"), _send_empty("儲存並繼續")),
    "files": (Look(pages.CITIZEN, "/apply/{empty}/documents"), _send_empty("儲存並繼續")),
    "a file that is none": (Look(pages.CITIZEN, "/apply/{empty}/documents"), _wrong_file),
    "agreements": (Look(pages.CITIZEN, "/apply/{empty}/declaration"), _send_empty("儲存並繼續")),
    "the whole": (Look(pages.CITIZEN, "/apply/{empty}/review"), _send_empty("送出申請")),
    "overtaken": (Look(pages.CITIZEN, "/apply/{ready}/pet"), _overtaken),
    "expired": (Look(pages.CITIZEN, "/apply/{ready}/pet"), _expired),
    "correction reason": (Look(pages.PET_OFFICER, "/staff/cases/{EC09_review}"), _act("請申請人補正")),
    "inspection record": (Look(pages.LAND_OFFICER, "/staff/cases/{EC06_inspect}"), _act("通知改善後複查")),
    "day of the visit": (Look(pages.LAND_OFFICER, "/staff/cases/{EC06_schedule}"), _act("通知勘查日期")),
    "amount": (Look(pages.PET_OFFICER, "/staff/cases/{EC09_review}"), _act("擬予核准，送主管決行")),
    "opinion": (Look("lv.xinyi", "/staff/cases/{PW01_co_review}"), _act("送出會辦意見")),
    "somebody was faster": (Look(pages.PET_OFFICER, "/staff/cases/{EC09_review}"), _stale),
    "bad rows": (Look(pages.RESEARCH, "/plans/registers/major_policy-109/import/reports"), _bad_rows),
    "intake": (Look(pages.CLERK, "/staff/intake?service=EC09"), _send_empty("開始填寫表單")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(mistake: str, visitors: Visitors, town: Town) -> None:
    look, make = MISTAKES[mistake]
    page = visitors(look.who)
    speak(page, town, "zh")
    page.goto(town.path(look.path))
    make(page)
    told = page.locator("[data-error-summary], .app-file--failed, h1:text-is('已有人先處理')")
    expect(told.first).to_be_visible()
    if page.locator("[data-error-summary]").count():
        expect(page).to_have_title(re.compile("^錯誤："))
    assert violations(page) == []
