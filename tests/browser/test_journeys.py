"""The three services from the first click to the letter, in a real browser, on the real web server and worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from sqlalchemy import select

from rules.values import parse_roc_date
from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.browser.hands import follow, heading, main, press
from tests.journeys import login_of, open_tasks
from webapp.demo.samples import SAMPLES, day
from webapp.extensions import db
from webapp.models import Case
from webapp.moments import taipei_day, utc_now
from workflows.calendar import WorkingCalendar
from workflows.clock import Movement, explain, run

SAVED = re.compile(r"^已於 \d\d:\d\d 自動儲存$")
RECEIPT, LETTER = "下載送件收據（PDF）", "下載公文（PDF）"
PAUSES, RESUMES = {"請申請人補正", "通知改善後複查"}, {"送出補正", "已改善，請複查"}

Desk = Callable[[str], Page]


@pytest.fixture
def desk(new_context: NewContext) -> Desk:
    """An officer at their desk."""

    def signed_in(login: str) -> Page:
        officer = new_context(viewport={"width": 1280, "height": 1000}).new_page()
        hands.sign_in(officer, login)
        return officer

    return signed_in


@pytest.fixture
def officer_of(office: Flask) -> Callable[[str], str]:
    """The login of whoever was given the case."""

    def look(number: str) -> str:
        with office.app_context():
            case = db.session.scalars(select(Case).where(Case.number == number)).one()
            return login_of(open_tasks(case)[0].assignee_id or 0)

    return look


def test_pet_subsidy_with_an_account(
    page: Page, context: BrowserContext, desk: Desk, officer_of: Callable[[str], str]
) -> None:
    raw = {**SAMPLES["EC09"], "applicant_name": ["許春華"], "bank-holder": ["許春華"]}
    raw |= {"email": [""], "phone": ["0911-000-333"]}
    page.goto("/")
    page.get_by_role("searchbox", name="搜尋申辦項目").fill("狗結紮")
    page.get_by_role("searchbox").press("Enter")
    follow(page, "犬貓絕育及寵物登記補助")
    follow(page, "還沒有帳號？註冊")
    page.get_by_label("姓名").fill("許春華")
    page.get_by_label("電子郵件").fill("chunhua@example.com")
    page.get_by_label("密碼").fill("a dog in the morning")
    press(page, "註冊並登入")
    press(page, "開始申請")

    # a mistake takes the focus, leads to its field, and keeps what was typed
    expect(heading(page)).to_have_text("申請人資料")
    hands.fill_in(page, {**raw, "applicant_id": ["A123456788"], "birth_date-day": ["32"]})
    press(page, "儲存並繼續")
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^錯誤：申請人資料"))
    expect(summary.get_by_role("link")).to_have_count(2)
    summary.get_by_role("link", name=re.compile("身分證統一編號")).click()
    wrong = page.get_by_label("身分證統一編號")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value("A123456788")
    wrong.fill("Ａ１２３-456-789")
    page.get_by_role("group", name="出生日期").get_by_label("日", exact=True).fill("9")
    hands.go_on(page)

    # saved while typing, left, and taken up again in another window
    expect(heading(page)).to_have_text("寵物資料")
    expect(page).to_have_title(re.compile("^寵物資料（步驟 2／"))
    page.get_by_label("寵物名字").fill("阿福")
    page.get_by_role("radio", name="犬").check()
    status = page.get_by_role("complementary").get_by_role("status")
    expect(status).to_have_text(SAVED)
    page.close()
    page = context.new_page()
    page.goto("/applications")
    follow(page, re.compile("^犬貓絕育及寵物登記補助.*繼續填寫$"))
    expect(page.get_by_label("寵物名字")).to_have_value("阿福")
    expect(page.get_by_role("radio", name="犬")).to_be_checked()
    press(page, "上一步")
    expect(page.get_by_label("身分證統一編號")).to_have_value("Ａ１２３-456-789")
    expect(page.get_by_label("申請人姓名")).to_have_value("許春華")
    hands.go_on(page)
    hands.fill_in(page, {**raw, "pet_name": ["阿福"]})
    hands.go_on(page)
    hands.fill_in(page, raw)
    hands.go_on(page)
    _upload_shows_its_progress(page, "surgery_proof")
    hands.fill_in_the_rest(page, raw)

    # a row of the review leads to its question, and back
    follow(page, "修改 寵物名字")
    expect(page.get_by_label("寵物名字")).to_be_focused()
    page.get_by_label("寵物名字").fill("小黑")
    press(page, "儲存並回到檢查頁")
    expect(heading(page)).to_have_text(hands.REVIEW)
    expect(page.locator("#row-pet_name")).to_contain_text("小黑")
    number = hands.send(page)
    _qr_is_shown(page)
    hands.reload_until(page, _printed(page))
    text = hands.paper(page, RECEIPT)
    assert number in text and "許春華" in text and "犬貓絕育及寵物登記補助" in text
    follow(page, "查看進度")
    expect(_steps(page)).to_have_text(
        ["已完成：已收到您的申請", "目前：承辦人正在審查您的申請", "接下來：完成"]
    )

    # given back to the pool, claimed from there
    officer = desk(officer_of(number))
    hands.open_case(officer, number)
    officer.get_by_role("button", name="退回待分派").click()
    expect(officer.get_by_text(f"{number} 已退回科內待分派")).to_be_visible()
    officer.get_by_role("link", name="科內待分派").click()
    officer.get_by_role("button", name=f"受理 {number}").click()
    expect(officer.get_by_text(f"已受理 {number}")).to_be_visible()
    hands.open_case(officer, number)
    _ask_for_a_correction(officer, number, ["寵物名字", "動物醫院名稱"], "寵物名字與登記證明不符。")

    # the citizen is told on the page that is open, and only the named fields are
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # comes back to the tab
    expect(page.get_by_role("region", name="請您補正")).to_contain_text("寵物名字與登記證明不符。")
    expect(_steps(page).nth(-2)).to_have_text("目前：請您補正資料，補正後會繼續審查")
    follow(page, "開始補正")
    expect(_open_fields(page)).to_have_count(2)
    page.get_by_label("寵物名字").fill("")
    press(page, "送出補正")
    expect(summary_of(page)).to_be_focused()
    page.get_by_label("寵物名字").fill("小黑皮")
    page.get_by_label("動物醫院名稱").fill("金門縣金城動物醫院")
    _send_the_correction(page)

    hands.open_case(officer, number)
    changed = officer.locator(".app-answers__changed")
    expect(changed).to_have_count(2)
    expect(changed.first).to_contain_text("小黑皮")
    hands.begin(officer, "擬予核准，送主管決行")
    officer.get_by_label("核定補助").fill("2,000")
    officer.get_by_label("意見").fill("文件齊備。")
    officer.get_by_label("附款").fill("補助款限本年度內請領。")
    hands.confirm(officer, number, "擬予核准，送主管決行")
    head = desk("chen.shufen")
    hands.open_case(head, number)
    hands.begin(head, "核准並發文")
    expect(head.get_by_role("region", name="申請人會讀到的內容")).to_contain_text("補助款限本年度內請領")
    expect(main(head)).to_contain_text("文件齊備。")
    hands.confirm(head, number, "核准並發文")

    text = _letter(page)
    assert "核定臺端申請之犬貓絕育及寵物登記補助" in text and "受文者：許春華" in text
    assert "核定補助新臺幣2,000元" in text
    assert "小黑皮" in text and "補助款限本年度內請領" in text and "動物保護法第19條" in text
    expect(_steps(page).last).to_have_text("已完成：您的申請已核准，可以下載公文")
    _history_is(
        head,
        number,
        [
            "送出申請",
            "退回待分派",
            "受理",
            "請申請人補正",
            "送出補正",
            "擬予核准，送主管決行",
            "核准並發文",
            "送達",
        ],
    )
    _ledger_follows_from_the_history(head, 14)


def test_farm_use_certificate_without_an_account(page: Page, new_context: NewContext, desk: Desk) -> None:
    raw = SAMPLES["EC06"]
    page.goto("/services/EC06")
    press(page, "不登入，直接申請")

    # a choice calls for more questions; they are asked, and forgotten when it is taken back
    expect(heading(page)).to_have_text("申請人資料")
    agent = page.get_by_label("代理人姓名")
    expect(agent).to_be_hidden()
    hands.fill_in(page, {**raw, "filed_by": ["agent"]})
    expect(agent).to_be_visible()
    press(page, "儲存並繼續")
    expect(summary_of(page)).to_be_focused()
    expect(page).to_have_title(re.compile("^錯誤："))
    expect(summary_of(page).get_by_role("link")).to_have_count(5)
    page.get_by_role("radio", name="本人").check()
    expect(agent).to_be_hidden()
    hands.go_on(page)

    hands.add_rows(page, raw, "parcels")
    hands.fill_in(page, {**raw, "current_crops": ["高粱與花生"]})
    expect(page.get_by_role("complementary").get_by_role("status")).to_have_text(SAVED)
    page.goto("/")
    page.get_by_role("link", name="我的申請").click()
    follow(page, re.compile("^農業用地作農業使用證明書.*繼續填寫$"))
    expect(heading(page)).to_have_text("用途與現場勘查")
    press(page, "上一步")
    expect(page.get_by_label("目前種植或使用情形")).to_have_value("高粱與花生")
    expect(page.locator("#field-parcels .app-row")).to_have_count(2)
    hands.fill_in_the_rest(page, raw)
    expect(page.get_by_text("NT$ 800")).to_be_visible()
    follow(page, "修改 現場勘查聯絡人")
    page.get_by_label("現場勘查聯絡人").fill("陳大文 0953-803-516")
    press(page, "儲存並回到檢查頁")
    expect(page.locator("#row-inspection_contact")).to_contain_text("陳大文")
    number = hands.send(page)
    code = page.locator(".app-follow .app-code").inner_text()
    _qr_is_shown(page)
    hands.reload_until(page, _printed(page))
    text = hands.paper(page, RECEIPT)
    assert number in text and "農業用地作農業使用證明書" in text and code.replace(" ", "") in text

    # another browser follows it by number and code
    page = new_context().new_page()
    page.goto("/track")
    page.get_by_label("案件編號").fill(number.lower().replace("-", ""))
    page.get_by_label("查詢碼").fill("2345678923")
    press(page, "查詢")
    expect(summary_of(page)).to_be_focused()
    page.get_by_label("查詢碼").fill(code.lower())
    press(page, "查詢")
    expect(_steps(page).first).to_have_text("已完成：已收到您的申請")
    tracking = page.url

    # the land lies in 金沙, which 歐怡君 looks after
    officer = desk("ou.yijun")
    hands.open_case(officer, number)
    _ask_for_a_correction(officer, number, ["目前種植或使用情形", "地籍圖謄本"], "請補上休耕的地號。")
    page.reload()
    follow(page, "開始補正")
    expect(_open_fields(page)).to_have_count(2)
    page.get_by_label("目前種植或使用情形").fill("高粱，124 地號休耕")
    hands.upload(page, "cadastral_map", hands.a_file("新地籍圖.png", 7))
    _send_the_correction(page)

    # a visit on a day that the citizen is told, and its record with photographs
    hands.open_case(officer, number)
    hands.act(officer, number, "書面審查通過，排定勘查")
    hands.begin(officer, "通知勘查日期")
    visit = taipei_day(utc_now()) + timedelta(days=3)
    hands.fill_in(officer, day("date", visit))
    hands.confirm(officer, number, "通知勘查日期")
    page.goto(tracking)
    expect(page.locator(".app-timeline__item--current")).to_contain_text(_roc(visit))
    inspector = officer  # who knows the case and may inspect goes there, too
    hands.open_case(inspector, number)
    hands.begin(inspector, "勘查合格，送主管決行")
    improvements = inspector.get_by_label("應改善事項")
    inspector.get_by_role("radio", name="須改善後複查").check()
    expect(improvements).to_be_visible()
    seen = {
        **day("inspected_on", taipei_day(utc_now())),
        "use_matches": ["yes"],
        "findings": ["全區種植高粱，未見違規使用。"],
        "position-point": ["24.4867, 118.4312"],
        "result": ["pass"],
    }
    hands.fill_in(inspector, seen)
    expect(improvements).to_be_hidden()
    press(inspector, "勘查合格，送主管決行")
    expect(summary_of(inspector)).to_be_focused()
    expect(summary_of(inspector)).to_contain_text("照片")
    hands.upload(inspector, "photos", hands.a_file("現場一.png", 3), hands.a_file("現場二.png", 5))
    hands.confirm(inspector, number, "勘查合格，送主管決行")

    head = desk("cai.wenxiong")
    hands.open_case(head, number)
    photos = head.locator(".app-photos img")
    expect(photos).to_have_count(2)
    photos.first.scroll_into_view_if_needed()
    expect(photos.first).to_have_js_property("naturalWidth", 64)
    expect(main(head)).to_contain_text("全區種植高粱，未見違規使用。")
    hands.act(head, number, "核准並發文")
    text = _letter(page)
    assert "核發臺端申請之農業用地作農業使用證明書" in text and "受文者：陳美玲" in text
    assert "斗門段" in text and "0123-0001" in text and "六個月內有效" in text
    _history_is(
        head,
        number,
        [
            "送出申請", "請申請人補正", "送出補正", "書面審查通過，排定勘查", "通知勘查日期",
            "勘查合格，送主管決行", "核准並發文",
        ],
    )  # fmt: skip
    _ledger_follows_from_the_history(head, 20)


def test_road_permit_by_mobile_number(page: Page, new_context: NewContext, desk: Desk, officer_of) -> None:
    raw = SAMPLES["PW01"]
    page.goto("/services/PW01")
    follow(page, "用手機驗證碼")
    page.get_by_label("手機號碼").fill("０９１１－４４４－５５５")
    press(page, "傳送驗證碼")
    expect(main(page)).to_contain_text("0911444555")
    outbox = new_context().new_page()
    outbox.goto("/outbox")
    message = outbox.locator(".app-entries li").filter(has_text="0911444555")
    hands.reload_until(outbox, message)
    page.get_by_label("驗證碼").fill(re.findall(r"驗證碼是 (\d{6})", message.first.inner_text())[0])
    press(page, "登入")
    press(page, "開始申請")

    expect(heading(page)).to_have_text("申請人資料")
    person, company = page.get_by_label("身分證統一編號"), page.get_by_label("統一編號", exact=True)
    page.get_by_role("radio", name="個人").check()
    expect(person).to_be_visible()
    expect(company).to_be_hidden()
    hands.fill_in(page, {**raw, "company_number": ["12345678"]})
    expect(person).to_be_hidden()
    press(page, "儲存並繼續")
    expect(summary_of(page)).to_be_focused()
    expect(page).to_have_title(re.compile("^錯誤："))
    expect(company).to_have_value("12345678")
    company.fill("04595257")
    hands.go_on(page)
    hands.fill_in(page, raw)
    expect(page.get_by_role("complementary").get_by_role("status")).to_have_text(SAVED)
    page.goto("/applications")
    follow(page, re.compile("^道路挖掘許可申請.*繼續填寫$"))
    hands.fill_in_the_rest(page, raw)
    follow(page, "修改 挖掘長度")
    page.get_by_label("挖掘長度").fill("85.5")
    press(page, "儲存並回到檢查頁")
    number = hands.send(page)
    _qr_is_shown(page)
    hands.reload_until(page, _printed(page))
    text = hands.paper(page, RECEIPT)
    assert number in text and "道路挖掘許可申請" in text and "永昌營造有限公司" in text
    follow(page, "查看進度")
    tracking = page.url

    officer = desk(officer_of(number))
    hands.open_case(officer, number)
    _ask_for_a_correction(officer, number, ["挖掘深度"], "深度與施工計畫不符。")
    page.reload()
    follow(page, "開始補正")
    expect(_open_fields(page)).to_have_count(1)
    page.get_by_label("挖掘深度").fill("１.５")
    _send_the_correction(page)

    # two units at the same time; the officer takes the case up when both have answered
    hands.open_case(officer, number)
    hands.act(officer, number, "初審通過，分送會辦")
    page.goto(tracking)
    expect(page.locator(".app-timeline__item--current")).to_contain_text("相關單位正在同時審查您的申請")
    police, environment = desk("dong.weilun"), desk("lv.xinyi")
    _give_opinion(police, number, "同意")
    hands.open_case(officer, number, "會辦中")
    branches = officer.get_by_role("region", name="會辦").get_by_role("row")
    expect(branches.filter(has_text="警察局")).to_contain_text("同意")
    expect(branches.filter(has_text="環境保護局")).to_contain_text("剩 2 個工作天")
    _give_opinion(environment, number, "附條件同意", "施工機具應加裝防塵網。")
    hands.open_case(officer, number)
    hands.begin(officer, "擬予核准，送主管決行")
    expect(officer.get_by_label("附款")).to_have_value("施工機具應加裝防塵網。（環境保護局）")
    officer.get_by_label("許可費").fill("1200")
    officer.get_by_label("路面修復費或保證金").fill("30000")
    hands.confirm(officer, number, "擬予核准，送主管決行")
    head = desk("zhang.jianguo")
    hands.open_case(head, number)
    hands.act(head, number, "核准並發文")
    text = _letter(page)
    assert "核准申請人永昌營造有限公司申請之環島北路二段道路挖掘" in text
    assert "施工機具應加裝防塵網" in text and "深度1.5公尺" in text
    assert "許可費新臺幣1,200元、路面修復費或保證金新臺幣30,000元" in text
    _history_is(
        head,
        number,
        [
            "送出申請", "請申請人補正", "送出補正", "初審通過，分送會辦", "送出會辦意見（警察局）",
            "送出會辦意見（環境保護局）", "擬予核准，送主管決行", "核准並發文", "送達",
        ],
    )  # fmt: skip
    _ledger_follows_from_the_history(head, 10)


def test_detail_07_autosave_confirms_with_a_time_within_two_seconds(page: Page) -> None:
    """Two seconds by the clock of the page, so that a busy machine changes nothing."""
    page.clock.install()
    page.goto("/services/EC09")
    press(page, "不登入，直接申請")
    status = page.get_by_role("complementary").get_by_role("status")
    expect(page.locator("form[data-autosave-url]")).to_have_count(1)
    page.wait_for_load_state("networkidle")  # its modules have come
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.get_by_label("申請人姓名").fill("許春華")
    expect(status).to_be_empty()
    page.clock.run_for(2_000)
    expect(status).to_have_text(SAVED)


# --- steps ------------------------------------------------------------------------------------------------


def summary_of(page: Page) -> Locator:
    return page.locator("[data-error-summary]")


def _steps(page: Page) -> Locator:
    """The titles of the timeline, as a screen reader says them."""
    return page.locator(".app-timeline__title")


def _open_fields(page: Page) -> Locator:
    return page.locator("main form .govuk-form-group[id^=field-]")


def _printed(page: Page) -> Locator:
    """The receipt's link, once nothing beside it asks to wait."""
    return main(page).get_by_role("listitem").filter(has_text=RECEIPT).filter(has_not_text="正在製作")


def _upload_shows_its_progress(page: Page, key: str) -> None:
    held: list[Route] = []
    page.route(f"**/files/{key}", lambda route: held.append(route))
    box = page.locator(f"#field-{key}")
    with page.expect_request(f"**/files/{key}"):
        box.locator("input[type=file]").set_input_files([hands.a_file("手術證明.png")])
    expect(box.get_by_role("progressbar", name="上傳進度")).to_be_visible()
    held[0].continue_()
    expect(box.locator("[data-document]")).to_contain_text("手術證明.png")
    expect(box.get_by_role("progressbar")).to_have_count(0)
    page.unroute(f"**/files/{key}")


def _qr_is_shown(page: Page) -> None:
    picture = page.get_by_role("img", name=re.compile("^QR 碼"))
    expect(picture).to_be_visible()
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def _ask_for_a_correction(officer: Page, number: str, fields: list[str], reason: str) -> None:
    hands.begin(officer, "請申請人補正")
    for label in fields:
        officer.get_by_role("checkbox", name=label).check()
    officer.get_by_label("理由").fill(reason)
    press(officer, "預覽")
    preview = officer.get_by_role("region", name="申請人會讀到的內容")
    expect(preview).to_contain_text(reason)
    for label in fields:
        expect(preview).to_contain_text(label)
    hands.confirm(officer, number, "請申請人補正")


def _send_the_correction(page: Page) -> None:
    press(page, "送出補正")
    expect(page.get_by_text("已收到您的補正，審查會繼續進行。")).to_be_visible()


def _give_opinion(reviewer: Page, number: str, opinion: str, conditions: str = "") -> None:
    hands.open_case(reviewer, number)
    hands.begin(reviewer, "送出會辦意見")
    reviewer.get_by_role("radio", name=opinion, exact=True).check()
    if conditions:
        reviewer.get_by_label("同意的條件").fill(conditions)
    hands.confirm(reviewer, number, "送出會辦意見")


def _letter(page: Page) -> str:
    hands.reload_until(page, page.get_by_role("link", name=LETTER))
    text = hands.paper(page, LETTER)
    assert "三十日內" in text and "提起訴願" in text and "縣長林永安" in text
    return text


def _history_is(officer: Page, number: str, expected: list[str]) -> None:
    officer.goto(f"/staff/search?q={number}")
    titles = officer.locator(".app-timeline--history .app-timeline__title")
    expect(titles).to_have_text(list(reversed(expected)))


def _ledger_follows_from_the_history(officer: Page, days: int) -> None:
    """What the case page says about the time limit is what the days of its own history make of it."""
    entries = officer.locator(".app-timeline--history li")
    history = [(title, _day_in(text)) for title, text in reversed(_titled(entries))]
    movements = [
        Movement("pause" if title in PAUSES else "resume", on)
        for title, on in history
        if title in PAUSES | RESUMES
    ]
    (_sent, start), (_decided, end) = history[0], history[-1]
    ledger = run("WD", days, start, movements, calendar=WorkingCalendar(), today=end)
    panel = officer.locator(".app-panel").filter(has=officer.get_by_role("heading", name="期限計算"))
    shown = panel.get_by_role("listitem").all_inner_texts()
    assert [_bare(line) for line in shown] == [_bare(line) for line in explain(ledger)]
    assert any("暫停計算" in line for line in shown) and any("恢復計算" in line for line in shown)
    assert shown[-1].startswith(f"到期日：{_roc(ledger.due)}")


def _bare(line: str) -> str:
    """Without the reasons and asides in brackets."""
    return re.sub("（[^）]*）", "", line)


def _titled(entries: Locator) -> list[tuple[str, str]]:
    return [
        (entry.locator(".app-timeline__title").inner_text(), entry.inner_text()) for entry in entries.all()
    ]


def _day_in(text: str) -> date:
    found = re.search(r"民國\d+年\d+月\d+日", text)
    assert found, text
    return parse_roc_date(found.group())


def _roc(value: date) -> str:
    return f"民國{value.year - 1911}年{value.month}月{value.day}日"
