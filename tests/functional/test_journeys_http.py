"""The three services from the first click to the letter, without script, on the real web server and worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests import walks
from tests.functional.conftest import Record
from tests.programs import Counter
from tests.visitor import Visitor, over_http, plain
from webapp.demo.samples import SAMPLES, day, picture
from webapp.moments import taipei_day, utc_now
from workflows.calendar import WorkingCalendar

Look = Callable[[str], Record]
LETTER = "下載公文（PDF）"
RECEIPT = "下載送件收據（PDF）"


@pytest.fixture
def browser(counter: Counter) -> Callable[[], Visitor]:
    """A browser that never was here before."""
    return lambda: over_http(counter.address)


@pytest.fixture
def desk(browser: Callable[[], Visitor]) -> Callable[[str], Visitor]:
    """An officer at their desk."""

    def signed_in(login: str) -> Visitor:
        officer = browser()
        walks.sign_in(officer, login)
        return officer

    return signed_in


@pytest.mark.full  # the browser walks it always
def test_pet_subsidy_with_an_account(browser, desk, record: Look) -> None:
    citizen = browser()
    citizen.get("/")
    citizen.follow("犬貓絕育及寵物登記補助")
    citizen.follow("登入後申請")
    citizen.follow("用電子郵件註冊")
    whole = {"name": "林秋月", "email": "qiuyue@example.com", "password": "a walk on the beach"}
    page = citizen.press("註冊並登入", {**whole, "password": "short"})
    assert page.status == 422 and "密碼至少要 10 個字元" in page.text
    assert page.value("name") == "林秋月"
    page = citizen.press("註冊並登入", whole)
    assert page.heading == "犬貓絕育及寵物登記補助", page

    # a mistake is named beside its field and in the summary; what was typed stays, right or wrong
    raw = {**SAMPLES["EC09"], "applicant_name": ["林秋月"], "bank-holder": ["林秋月"]}
    raw |= {"email": [""], "phone": ["0911-000-111"]}
    citizen.press("開始申請")
    page = walks.fill_in_step(citizen, {**raw, "applicant_id": ["A123456788"], "birth_date-day": ["32"]})
    assert page.status == 422 and len(page.mistakes) == 2, page.mistakes
    assert page.soup.title.string.startswith("錯誤：")
    assert page.value("applicant_id") == "A123456788" and page.value("birth_date-day") == "32"
    page = walks.fill_in_step(citizen, raw)
    assert page.heading == "寵物資料", page

    # away in the middle of a step, back by password on another machine
    page = walks.fill_in_step(citizen, {"pet_name": ["阿福"], "species": ["dog"]}, "儲存，稍後再填")
    assert "草稿已儲存" in page.text
    page = citizen.press("登出")
    assert "您已登出" in page.text and page.links("登入")
    citizen = browser()
    citizen.get("/sign-in")
    page = walks.give_password(citizen, "qiuyue@example.com", "a walk on the beach")
    citizen.follow("我的申請")
    page = citizen.follow("犬貓絕育及寵物登記補助")
    assert page.heading == "寵物資料" and page.value("pet_name") == "阿福"

    walks.fill_in_the_rest(citizen, raw)
    assert "小黑" in citizen.page.text and "阿福" not in citizen.page.text
    number = walks.send(citizen)
    confirmation = citizen.page.path
    assert not citizen.page.soup.select(".app-follow"), "an account needs no code"
    text = walks.printed(citizen, RECEIPT, confirmation)
    assert number in text and "犬貓絕育及寵物登記補助" in text and "林秋月" in text
    citizen.get("/applications")
    tracking = citizen.follow(number).path
    assert "承辦人正在審查您的申請" in citizen.page.text

    # given to the officer with the fewest tasks, who hands it back; a colleague claims it
    first, second = _officers_of(number, desk, "lin.yahan", "xu.mingde")
    first.press("退回待分派")
    second.get("/staff/inbox?tab=pool")
    walks.turn_to(second, number)
    page = second.press("受理", within=f'tr:has(a:-soup-contains("{number}"))')
    assert f"已受理 {number}" in page.text
    walks.open_case(second, number)

    # only the named fields are open
    second.follow("請申請人補正")
    asked = {"fields": ["pet_name", "clinic"], "comment": "寵物名字與登記證明不符，\n動物醫院請寫全名。"}
    page = second.press("send", {"fields": asked["fields"]})
    assert page.status == 422 and page.mistakes, "a reason is required"
    page = second.press("預覽", asked)
    assert "寵物名字與登記證明不符" in page.text and "開放修改的欄位" in page.text
    page = second.press("send")
    assert second.trail[0].status == 302, page
    _answers_the_correction(citizen, tracking, asked["comment"])
    after = record(number)
    sample = {"amount": "3500", "applicant_name": "林秋月", "applicant_id": "A123456789"}
    assert {key: after.answers[key] for key in sample} == sample, "a closed field was changed"
    assert (after.answers["pet_name"], after.answers["clinic"]) == ("小黑皮", "金門縣金城動物醫院")
    assert after.submissions == 2

    walks.open_case(second, number)
    assert "已補正" in second.page.text and "小黑皮" in second.page.text
    walks.act(
        second,
        "擬予核准，送主管決行",
        {"amount-subsidy": "２，０００", "comment": "文件齊備。", "conditions": "補助款限本年度內請領。"},
    )
    head = desk("chen.shufen")
    walks.open_case(head, number)
    head.follow("核准並發文")
    assert "文件齊備。" in head.page.text
    head.press("send")
    assert head.trail[0].status == 302, head.page

    text = walks.printed(citizen, LETTER, tracking)
    _is_a_decision(
        text,
        number=r"府建農字第\d{10}號",
        subject="核定臺端申請之犬貓絕育及寵物登記補助，請查照。",
        addressee="林秋月",
        basis="動物保護法第19條；寵物登記管理辦法第3條、第12條",
        remedy="農業部",
    )
    assert "小黑皮" in text and "補助款限本年度內請領" in text and number in text
    assert "核定補助新臺幣2,000元" in text
    done = record(number)
    assert done.history == [
        "submitted", "released", "claimed", "request_correction", "resubmit", "propose_approval", "approve",
        "served",
    ]  # fmt: skip
    _is_closed_and_intact(done, 14, pauses=1)
    page = citizen.get(tracking)
    assert "您的申請已核准" in page.text and "撤回申請" not in page.text


def test_farm_use_certificate_without_an_account(browser, desk, record: Look) -> None:
    raw = SAMPLES["EC06"]
    citizen = browser()
    citizen.get("/?q=農地")
    citizen.follow("農業用地作農業使用證明書")
    citizen.press("不登入，直接申請")
    page = walks.fill_in_step(citizen, {**raw, "filed_by": ["agent"]})
    assert page.status == 422 and len(page.mistakes) == 5, (
        "who the agent is, how they come to act, how to reach them"
    )
    walks.fill_in_step(citizen, raw)
    page = citizen.press("儲存，稍後再填", {"current_crops": "高粱與花生"})
    page = citizen.follow("農業用地作農業使用證明書")
    assert page.value("current_crops") == "高粱與花生"
    walks.fill_in_the_rest(citizen, raw)
    assert "NT$ 800" in citizen.page.text, "500 for the first parcel, 300 for the second"
    number = walks.send(citizen)
    code = plain(citizen.page.soup.select_one(".app-follow .app-code"))
    text = walks.printed(citizen, RECEIPT, citizen.page.path)
    assert number in text and "農業用地作農業使用證明書" in text and code.replace(" ", "") in text

    # another browser knows nothing of it until it gets number and code
    citizen = browser()
    assert citizen.get(f"/applications/{record(number).public_id}").status == 404
    citizen.get("/track")
    page = citizen.press("查詢", {"number": number, "code": "2345678923"})
    assert page.status == 422 and page.mistakes
    typed = number.lower().replace("-", "")
    page = citizen.press("查詢", {"number": typed, "code": code.lower()})
    assert page.status == 200 and number in page.text, page
    tracking = page.path

    # the land lies in 金沙, which 歐怡君 looks after
    officer = desk("ou.yijun")
    walks.open_case(officer, number)
    reason = "請補上休耕的地號。"
    walks.act(officer, "請申請人補正", {"fields": ["current_crops", "cadastral_map"], "comment": reason})
    citizen.get(tracking)
    page = citizen.follow("開始補正")
    assert reason in page.text
    old = page.soup.select_one("#field-cadastral_map .app-file button")["value"]
    citizen.press(old)
    page = citizen.press("送出補正", {"current_crops": "高粱，124 地號休耕"}, smuggle={"land_township": "JC"})
    assert page.status == 422, "the map is required and was taken out"
    assert page.value("current_crops") == "高粱，124 地號休耕"
    page = citizen.press("送出補正", files={"cadastral_map-upload": [("新地籍圖.png", picture(9))]})
    assert "已收到您的補正" in page.text, page
    after = record(number)
    assert after.answers["land_township"] == "JS" and after.answers["current_crops"] == "高粱，124 地號休耕"
    assert len(after.answers["cadastral_map"]) == 1

    # papers, a visit that asks for an improvement, a second visit that is content
    walks.open_case(officer, number)
    walks.act(officer, "書面審查通過，排定勘查")
    _visit_is_announced(officer, number)
    assert "訂於" in _newest_message(officer, "現場勘查時間")
    # who knows the case and may inspect goes there, too
    inspector = officer
    walks.open_case(inspector, number)
    inspector.follow("通知改善後複查")
    seen = {
        **day("inspected_on", taipei_day(utc_now())),
        "use_matches": "no",
        "findings": "土地北側堆置建材，其餘種植高粱。",
        "position-point": "24.4867, 118.4312",
        "result": "improve",
        "improvements": "請移除北側堆置的建材。",
    }
    page = inspector.press("send", {**seen, "comment": "請移除建材後通知本府複查。"})
    assert page.status == 422 and any("照片" in mistake for mistake in page.mistakes), page.mistakes
    assert page.value("findings") == seen["findings"]
    photo = [("現場.png", picture(3))]
    inspector.press("send", files={"photos-upload": photo})
    assert inspector.trail[0].status == 302, inspector.page
    page = citizen.get(tracking)
    assert "請您改善" in page.text and "請移除建材後通知本府複查" in page.text
    citizen.follow("回覆已改善")
    page = citizen.press("已改善，請複查")
    assert "已收到您的補正" in page.text, page
    _visit_is_announced(officer, number)
    walks.open_case(inspector, number)
    seen |= {"findings": "建材已移除，全區作農業使用。", "result": "pass", "use_matches": "yes"}
    del seen["improvements"]
    walks.act(inspector, "勘查合格，送主管決行", seen, files={"photos-upload": photo})
    assert inspector.trail[0].status == 302, inspector.page

    head = desk("cai.wenxiong")
    page = walks.open_case(head, number)
    assert "建材已移除" in page.text and "土地北側堆置建材" in page.text, "both records"
    shown = page.soup.select_one(".app-photos a")["href"]
    assert head.get(shown).content == picture(3)
    walks.open_case(head, number)
    walks.act(head, "核准並發文")
    text = walks.printed(citizen, LETTER, tracking)
    _is_a_decision(
        text,
        number=r"府建農字第\d{10}號",
        subject="核發臺端申請之農業用地作農業使用證明書，請查照。",
        addressee="陳美玲",
        basis="農業用地作農業使用認定及核發證明辦法第13條",
        remedy="農業部",
    )
    assert "斗門段" in text and "0123-0001" in text and "六個月內有效" in text
    done = record(number)
    assert done.history == [
        "submitted", "request_correction", "resubmit", "pass_papers", "schedule", "improve",
        "improved", "schedule", "pass", "approve",
    ]  # fmt: skip
    _is_closed_and_intact(done, 20, pauses=2)
    assert citizen.get(shown).status == 404, "photographs of the office are not for the applicant"


@pytest.mark.full  # the browser walks it always
def test_road_permit_by_mobile_number(browser, desk, record: Look) -> None:
    raw = SAMPLES["PW01"]
    citizen = browser()
    citizen.get("/services/PW01")
    citizen.follow("用手機驗證碼")
    page = citizen.press("傳送驗證碼", {"mobile": "0911 222"})
    assert page.status == 422 and page.value("mobile") == "0911 222"
    page = citizen.press("傳送驗證碼", {"mobile": "０９１１－２２２－３３３"})
    assert "0911222333" in page.text
    page = citizen.press("登入", {"code": "000000"})
    assert page.status == 422 and page.mistakes
    second_window = browser()
    code = re.search(r"驗證碼是 (\d{6})", _newest_message(second_window, "登入驗證碼"))
    page = citizen.press("登入", {"code": code.group(1)})
    assert page.heading == "道路挖掘許可申請", page
    citizen.press("開始申請")
    page = walks.fill_in_step(citizen, {**raw, "company_number": ["12345678"]})
    assert page.status == 422 and len(page.mistakes) == 1, page.mistakes
    walks.fill_in_step(citizen, raw)
    citizen.press("儲存，稍後再填", walks.known(citizen.page, raw))
    citizen.follow("道路挖掘許可申請")
    walks.fill_in_the_rest(citizen, raw)
    number = walks.send(citizen)
    text = walks.printed(citizen, RECEIPT, citizen.page.path)
    assert number in text and "道路挖掘許可申請" in text and "永昌營造有限公司" in text
    citizen.follow("我的申請") if citizen.page.links("我的申請") else citizen.get("/applications")
    tracking = citizen.follow(number).path

    officer, colleague = _officers_of(number, desk, "yang.zhihao", "hong.peishan")
    colleague.get("/staff/inbox?tab=mine")
    assert not walks.finds(colleague, number)
    walks.act(
        officer, "請申請人補正", {"fields": ["traffic_plan", "depth_m"], "comment": "深度與施工計畫不符。"}
    )
    citizen.get(tracking)
    citizen.follow("開始補正")
    page = citizen.press("送出補正", {"depth_m": "1.5"}, smuggle={"length_m": "1", "road_name": "別的路"})
    assert "已收到您的補正" in page.text, page
    after = record(number)
    assert (after.answers["depth_m"], after.answers["length_m"]) == ("1.5", "85.5")
    assert after.answers["road_name"] == "環島北路二段"

    # two units at the same time, each within two working days
    walks.open_case(officer, number)
    walks.act(officer, "初審通過，分送會辦")
    today = taipei_day(utc_now())
    assert record(number).task_clocks == [WorkingCalendar().add_working_days(today, 2)] * 2
    assert "相關單位正在同時審查" in citizen.get(tracking).text
    police, environment = desk("dong.weilun"), desk("lv.xinyi")
    walks.open_case(police, number)
    assert walks.open_case(officer, number, "會辦中").text.count("辦理中") >= 2
    walks.act(police, "送出會辦意見", {"opinion": "agree"})
    assert record(number).state == "co_review", "one of two is not all"
    walks.open_case(environment, number)
    environment.follow("送出會辦意見")
    page = environment.press("send", {"opinion": "agree_with_conditions"})
    assert page.status == 422 and page.mistakes, "which conditions?"
    environment.press("send", {"conditions": "施工機具應加裝防塵網。"})
    assert environment.trail[0].status == 302, environment.page

    walks.open_case(officer, number)
    page = officer.follow("擬予核准，送主管決行")
    assert page.value("conditions") == "施工機具應加裝防塵網。（環境保護局）"
    officer.press("send", {"amount-permit": "1,200", "amount-repair": "30000"})
    head = desk("zhang.jianguo")
    walks.open_case(head, number)
    walks.act(head, "核准並發文")
    text = walks.printed(citizen, LETTER, tracking)
    _is_a_decision(
        text,
        number=r"府工養字第\d{10}號",
        subject="核准申請人永昌營造有限公司申請之環島北路二段道路挖掘，請查照。",
        addressee="永昌營造有限公司",
        basis="市區道路條例第27條",
        remedy="內政部",
    )
    assert "施工機具應加裝防塵網" in text and "深度1.5公尺" in text
    assert "許可費新臺幣1,200元、路面修復費或保證金新臺幣30,000元" in text
    done = record(number)
    assert done.history == [
        "submitted", "request_correction", "resubmit", "split", "give_opinion", "give_opinion",
        "propose_approval", "approve", "served",
    ]  # fmt: skip
    _is_closed_and_intact(done, 10, pauses=1)


# --- steps ------------------------------------------------------------------------------------------------


def _officers_of(number: str, desk: Callable[[str], Visitor], *logins: str) -> list[Visitor]:
    """The officer who was given the case, on its page; then the others."""
    officers = [desk(login) for login in logins]
    for officer in officers:
        officer.get("/staff/inbox")
    officers.sort(key=lambda officer: not walks.finds(officer, number))
    officers[0].follow(number)
    return officers


def _answers_the_correction(citizen: Visitor, tracking: str, asked: str) -> None:
    page = citizen.get(tracking)
    assert "請您補正" in page.text and asked.splitlines()[0] in page.text
    page = citizen.follow("開始補正")
    open_fields = {str(tag["id"]) for tag in page.soup.select("[id^=field-]")}
    assert open_fields == {"field-pet_name", "field-clinic"}
    page = citizen.press("送出補正", {"pet_name": "", "clinic": "金門縣金城動物醫院"})
    assert page.status == 422 and len(page.mistakes) == 1
    assert page.value("clinic") == "金門縣金城動物醫院"
    closed = {"amount": "49999", "applicant_name": "別人", "applicant_id": "F131104093"}
    page = citizen.press("送出補正", {"pet_name": "小黑皮"}, smuggle=closed)
    assert "已收到您的補正" in page.text, page


def _visit_is_announced(officer: Visitor, number: str) -> None:
    walks.open_case(officer, number)
    officer.follow("通知勘查日期")
    page = officer.press("send")
    assert page.status == 422 and page.mistakes, "on which date?"
    officer.press("send", day("date", taipei_day(utc_now()) + timedelta(days=3)))
    assert officer.trail[0].status == 302, officer.page


def _newest_message(visitor: Visitor, subject: str) -> str:
    """From the outbox of the demonstration, as soon as the worker has written it."""
    deadline = walks.deadline()
    while True:
        page = visitor.get("/outbox")
        for entry in page.soup.select(".app-entries li"):
            if subject in plain(entry.select_one("h2")):
                return plain(entry)
        walks.wait_a_little(deadline, f"no message about {subject}")


def _is_a_decision(text: str, *, number: str, subject: str, addressee: str, basis: str, remedy: str) -> None:
    """What 行政程序法 96 demands of a written decision."""
    assert re.search(number, text), text
    assert "主旨：" + subject in text, text
    assert "受文者：" + addressee in text, text
    assert "金門縣政府" in text and "縣長林永安" in text
    assert basis in text
    assert "三十日內" in text and f"訴願管轄機關（{remedy}）提起訴願" in text


def _is_closed_and_intact(done: Record, days: int, pauses: int) -> None:
    assert (done.status, done.outcome, done.clock_state) == ("closed", "granted", "stopped")
    assert done.broken_links == []
    # every pause began and ended on this very day, so none of them moves the due date
    today = done.filed_on
    assert done.movements == [("pause", today), ("resume", today)] * pauses
    assert done.due_on == WorkingCalendar().add_working_days(today, days)
