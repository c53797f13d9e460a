"""Acting on a case: what the page asks for, what it shows before it sends, and who was faster."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import absent, at, case_of, corrected, made, officer_of, signed_in
from tests.visitor import Visitor
from webapp import demo
from webapp.demo.samples import picture
from webapp.extensions import db
from webapp.models import Account, Case, CaseEvent, CorrectionRequest, Letter, Submission, Task
from webapp.queries import identity
from webapp.queries.org import chart

TODAY = NOW.date()
SUBSIDY = {"amount-subsidy": "2000"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def desk(app: Flask, code: str = "EC09", *actions: str) -> tuple[Visitor, str]:
    """The officer of a new case, before its page."""

    def prepare() -> tuple[str, str]:
        case = submitted(code)
        for name in actions:
            take(case, name)
        return case.public_id, officer_of(case)

    case, who = made(app, prepare)
    visitor = signed_in(app, who)
    visitor.get(f"/staff/cases/{case}")
    return visitor, case


def state(app: Flask, case: str) -> str:
    return made(app, lambda: case_of(case).state)


def buttons(visitor: Visitor) -> list[str]:
    return [a.text for a in visitor.page.soup.select(".app-case__actions a.govuk-button")]


def test_the_page_offers_what_the_workflow_allows_and_what_ends_a_case_last(app: Flask) -> None:
    visitor, _case = desk(app)
    assert buttons(visitor) == ["擬予核准，送主管決行", "請申請人補正", "擬予駁回，送主管決行", "退件"]


def test_a_colleague_may_look_but_not_act(app: Flask) -> None:
    _officer, case = desk(app)
    task = made(app, lambda: open_tasks(case_of(case))[0].public_id)
    head = signed_in(app, "chen.shufen")
    assert head.get(f"/staff/cases/{case}").status == 200
    assert buttons(head) == []
    head.get(f"/staff/cases/{case}/act/propose_approval?task={task}")
    assert head.page.path == f"/staff/cases/{case}"
    answer = head.post(
        f"/staff/cases/{case}/act/propose_approval?task={task}",
        {"action": "send", "version": version(app, case)},
    )
    assert answer.status == 403
    assert state(app, case) == "review"


def version(app: Flask, case: str) -> str:
    return str(made(app, lambda: case_of(case).version))


# --- correction ---------------------------------------------------------------------------------------------


def test_a_correction_needs_fields_and_a_reason_and_keeps_what_was_typed(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("請申請人補正")
    visitor.press("請申請人補正")
    assert visitor.page.status == 422
    assert set(visitor.page.mistakes) == {"請勾選要補正的項目", "請寫明理由"}
    assert visitor.page.soup.title.text.startswith("錯誤：")
    visitor.press("請申請人補正", {"fields": ["amount", "receipt"], "comment": ""})
    assert visitor.page.mistakes == ["請寫明理由"]
    assert visitor.page.form_with("comment").values.getlist("fields") == ["amount", "receipt"]
    visitor.press("請申請人補正", {"fields": [], "comment": "收據看不清楚"})
    assert visitor.page.mistakes == ["請勾選要補正的項目"]
    assert visitor.page.value("comment") == "收據看不清楚"
    assert state(app, case) == "review"


def test_the_officer_reads_what_the_applicant_will_read_before_it_is_sent(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("請申請人補正")
    visitor.press("預覽", {"fields": ["amount", "receipt"], "comment": "收據看不清楚，請重拍。"})
    preview = visitor.page.soup.select_one("#preview").text
    assert "請補正您的申請：犬貓絕育及寵物登記補助" in preview
    assert "收據看不清楚，請重拍。" in preview
    assert "收據金額" in preview and "收據" in preview
    assert "民國114年10月13日" in preview  # 15 days, moved off the National Day weekend
    assert state(app, case) == "review"
    visitor.press("請申請人補正")
    assert state(app, case) == "correction"

    def sent() -> tuple[str, str]:
        request = db.session.query(CorrectionRequest).one()
        return request.message, request.due_on.isoformat()

    assert made(app, sent) == ("收據看不清楚，請重拍。", "2025-10-13")


def test_a_field_that_the_form_does_not_have_is_refused(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("請申請人補正")
    visitor.press("請申請人補正", {"comment": "請補正"}, smuggle={"fields": ["salary"]})
    assert visitor.page.status == 422
    assert state(app, case) == "review"


# --- deciding -----------------------------------------------------------------------------------------------


def test_a_rejection_needs_a_reason_which_stands_in_the_letter(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("擬予駁回，送主管決行")
    visitor.press("擬予駁回，送主管決行")
    assert visitor.page.mistakes == ["請寫明理由"]
    visitor.press("預覽", {"comment": "手術日在申請期限之前"})
    assert "手術日在申請期限之前" in visitor.page.soup.select_one("#preview").text
    assert "訴願" in visitor.page.soup.select_one("#preview").text
    visitor.press("擬予駁回，送主管決行")
    assert state(app, case) == "approve"


def test_the_next_case_opens_and_at_last_the_inbox(app: Flask) -> None:
    first, case = desk(app)
    who = made(app, lambda: officer_of(case_of(case)))

    def another() -> str:
        following = submitted("EC09")
        task = open_tasks(following)[0]
        task.assignee_id = open_tasks(case_of(case))[0].assignee_id
        db.session.commit()
        return following.public_id

    following = made(app, another)
    assert made(app, lambda: officer_of(case_of(following))) == who
    first.follow("擬予核准，送主管決行")
    first.press("擬予核准，送主管決行", SUBSIDY)
    assert first.page.path == f"/staff/cases/{following}"
    assert "這是您的下一件待辦" in first.page.text
    first.follow("擬予核准，送主管決行")
    first.press("擬予核准，送主管決行", SUBSIDY)
    assert first.page.path == "/staff/inbox"
    assert "您的待辦都辦完了" in first.page.text


def test_the_decider_adopts_the_proposal_or_writes_their_own(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("擬予核准，送主管決行")
    visitor.press("擬予核准，送主管決行", SUBSIDY | {"comment": "資料齊全", "conditions": "限匯入本人帳戶"})
    head = signed_in(app, "chen.shufen")
    head.get(f"/staff/cases/{case}")
    head.follow("核准並發文")
    assert "資料齊全" in head.page.text
    assert "附款： 限匯入本人帳戶" in " ".join(head.page.soup.select_one("#preview").text.split())
    head.press("預覽", {"conditions": "一年內不得轉讓"})
    preview = head.page.soup.select_one("#preview").text
    assert "一年內不得轉讓" in preview and "限匯入本人帳戶" not in preview
    head.press("核准並發文", {"conditions": ""})
    assert state(app, case) == "granted"
    content = made(app, lambda: db.session.query(Letter).one().content)
    assert (content["reason"], content["conditions"]) == ("資料齊全", "限匯入本人帳戶")
    head.get(f"/staff/cases/{case}")
    assert "核准函" in head.page.text
    assert buttons(head) == []


def test_nobody_decides_what_they_proposed(app: Flask) -> None:
    visitor, case = desk(app)
    made(app, lambda: absent("chen.shufen", officer_of(case_of(case)), TODAY, TODAY))
    visitor.follow("擬予核准，送主管決行")
    visitor.press("擬予核准，送主管決行", SUBSIDY)
    assert visitor.page.path == f"/staff/cases/{case}", "the deputy of the head has more to do in this case"
    assert "代 陳淑芬" in visitor.page.text
    assert visitor.page.links("退回承辦人重擬")
    assert not visitor.page.links("核准並發文"), "the page offers only what would be accepted"
    why = "這個案件由您擬辦，不能再由您決行"
    assert f"「核准並發文」：{why}" in visitor.page.text, "and says why the rest is not"
    assert why in visitor.get(f"/staff/cases/{case}/act/approve").text
    assert state(app, case) == "approve"


def test_a_deputy_is_named_in_the_history(app: Flask) -> None:
    def prepare() -> tuple[str, str]:
        case = submitted("EC09")
        who = officer_of(case)
        other = "xu.mingde" if who == "lin.yahan" else "lin.yahan"
        absent(who, other, TODAY, TODAY)
        return case.public_id, other

    case, other = made(app, prepare)
    visitor = signed_in(app, other)
    visitor.get(f"/staff/cases/{case}")
    assert "您以職務代理人身分辦理" in visitor.page.text
    visitor.follow("擬予核准，送主管決行")
    visitor.press("擬予核准，送主管決行", SUBSIDY)
    visitor.get(f"/staff/cases/{case}")
    names = {"lin.yahan": "林雅涵", "xu.mingde": "許明德"}
    absent_name = next(name for login, name in names.items() if login != other)
    first = visitor.page.soup.select_one(".app-timeline__item").text
    assert names[other] in first and f"代 {absent_name}" in first


# --- somebody was faster ------------------------------------------------------------------------------------


def test_a_stale_page_is_refused_and_says_who_acted(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("請申請人補正")
    name = made(app, lambda: act_elsewhere(case))
    visitor.press("請申請人補正", {"fields": ["amount"], "comment": "我打了很久的理由"})
    assert visitor.page.status == 409
    assert f"已由{name}處理" in visitor.page.text
    assert "我打了很久的理由" in visitor.page.text
    assert "收據金額" in visitor.page.text
    assert state(app, case) == "approve"
    visitor.follow("看案件現在的情形")
    assert visitor.page.path == f"/staff/cases/{case}"


def act_elsewhere(pid: str) -> str:
    case = case_of(pid)
    name = chart().names[open_tasks(case)[0].assignee_id or 0]
    take(case, "propose_approval")
    return name


def test_a_case_that_came_back_meanwhile_is_stale_too(app: Flask) -> None:
    """The same action is offered again, but on another state of things."""
    visitor, case = desk(app)
    visitor.follow("退件")

    def there_and_back() -> None:
        found = case_of(case)
        take(found, "request_correction", fields=("amount",), comment="請確認")
        corrected(found, amount=["3200"])

    made(app, there_and_back)
    visitor.press("退件", {"comment": "資料不符"})
    assert visitor.page.status == 409
    assert "資料不符" in visitor.page.text
    assert state(app, case) == "review"


def test_an_action_that_is_over_leads_to_the_case(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("退件")
    address = visitor.page.path
    made(app, lambda: act_elsewhere(case))
    visitor.get(address)
    assert visitor.page.path == f"/staff/cases/{case}"
    assert "現在不能執行" in visitor.page.text


@pytest.fixture
def guarded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)


def test_a_page_that_expired_shows_again_what_was_typed(app: Flask, guarded: None) -> None:
    visitor, case = desk(app)
    visitor.follow("請申請人補正")
    visitor.press(
        "請申請人補正", {"fields": ["amount"], "comment": "寫到一半"}, smuggle={"csrf_token": "of yesterday"}
    )
    assert visitor.page.status == 400
    assert visitor.page.value("comment") == "寫到一半"
    assert visitor.page.form_with("comment").values.getlist("fields") == ["amount"]
    assert state(app, case) == "review"
    visitor.press("請申請人補正")
    assert state(app, case) == "correction"


# --- forms of tasks -----------------------------------------------------------------------------------------


def test_an_opinion_is_given_and_its_condition_becomes_part_of_the_permit(app: Flask) -> None:
    case = made(app, lambda: submitted("PW01").public_id)
    made(app, lambda: take(case_of(case), "split"))
    police = signed_in(app, "dong.weilun")
    police.get(f"/staff/cases/{case}")
    police.follow("送出會辦意見")
    police.press("送出會辦意見", {"opinion": "disagree"})
    assert police.page.status == 422
    assert police.page.mistakes, "a unit that disagrees says why"
    police.press(
        "送出會辦意見", {"opinion": "agree_with_conditions", "conditions": "夜間須設警示燈", "comment": ""}
    )
    assert state(app, case) == "co_review"
    made(app, lambda: take(case_of(case), "give_opinion", "lv.xinyi", raw={"opinion": ["agree"]}))
    officer = signed_in(app, made(app, lambda: officer_of(case_of(case))))
    officer.get(f"/staff/cases/{case}")
    table = [
        [" ".join(td.text.split()) for td in tr.select("td")] for tr in officer.page.soup.select("tbody tr")
    ]
    opinions = {row[0]: (row[1], row[3]) for row in table}
    assert opinions == {"警察局": ("董偉倫", "附條件同意"), "環境保護局": ("呂欣怡", "同意")}
    officer.follow("擬予核准，送主管決行")
    assert officer.page.value("conditions") == "夜間須設警示燈（警察局）"


def inspection(app: Flask) -> tuple[Visitor, str]:
    visitor, case = desk(app, "EC06", "pass_papers")
    visitor.follow("通知勘查日期")
    return visitor, case


def test_the_day_of_the_visit_is_asked_for_and_lies_ahead(app: Flask) -> None:
    visitor, case = inspection(app)
    visitor.press("通知勘查日期")
    assert visitor.page.mistakes == ["請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    visitor.press("通知勘查日期", {"date-year": "114", "date-month": "2", "date-day": "30"})
    assert visitor.page.mistakes == ["請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    assert visitor.page.value("date-day") == "30"
    visitor.press("通知勘查日期", {"date-year": "114", "date-month": "9", "date-day": "24"})
    assert visitor.page.mistakes == ["日期不能早於今天。"]
    visitor.press("預覽", {"date-year": "114", "date-month": "9", "date-day": "30"})
    assert "訂於 民國114年9月30日 現場勘查" in visitor.page.text
    visitor.press("通知勘查日期")
    assert visitor.page.path == f"/staff/cases/{case}", "the same person makes the visit"
    task = made(app, lambda: open_tasks(case_of(case))[0].due_on)
    assert task is not None and task.isoformat() == "2025-09-30"


def test_an_inspection_is_recorded_with_its_photographs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, case = inspection(app)
    visitor.press("通知勘查日期", {"date-year": "2025", "date-month": "9", "date-day": "30"})
    at(app, monkeypatch, NOW + timedelta(days=5))
    visitor = signed_in(app, "ou.yijun")
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("勘查合格，送主管決行")
    visitor.press(
        "upload:photos", {"findings": "現場種植高粱"}, files={"photos-upload": [("a.jpg", b"no picture")]}
    )
    assert visitor.page.status == 422
    assert "「a.jpg」的內容不是" in visitor.page.mistakes[0]
    assert visitor.page.value("findings") == "現場種植高粱"
    two = [("東側.png", picture(1)), ("西側.png", picture(2))]
    visitor.press("upload:photos", files={"photos-upload": two})
    assert visitor.page.status == 200
    assert "東側.png" in visitor.page.text and "西側.png" in visitor.page.text
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("勘查合格，送主管決行")
    assert "東側.png" in visitor.page.text, (
        "what was uploaded is there to be seen when the page is opened again"
    )
    second = visitor.page.form_with("photos").values.getlist("photos")[1]
    visitor.press(f"remove-file:photos:{second}")
    assert "西側.png" not in visitor.page.text
    visitor.press(
        "勘查合格，送主管決行",
        {"findings": "現場種植高粱，打了很久"},
        smuggle={"action": f"remove-file:photos:{second}"},
    )
    assert visitor.page.status == 200, "removed twice is removed"
    assert visitor.page.value("findings") == "現場種植高粱，打了很久"
    visitor.press("勘查合格，送主管決行")
    assert visitor.page.status == 422
    assert "東側.png" in visitor.page.text, "nothing is lost by a mistake elsewhere"
    visitor.press(
        "勘查合格，送主管決行",
        {
            "inspected_on-year": "114",
            "inspected_on-month": "9",
            "inspected_on-day": "30",
            "use_matches": "yes",
            "result": "pass",
        },
    )
    assert state(app, case) == "approve"
    head = signed_in(app, "cai.wenxiong")
    head.get(f"/staff/cases/{case}")
    photos = head.page.soup.select(".app-photos img")
    assert [img["alt"] for img in photos] == ["東側.png"]
    assert head.get(str(photos[0]["src"])).content == picture(1)

    def stored() -> tuple[int, int]:
        return db.session.query(Submission).filter_by(kind="inspection_record").count(), db.session.query(
            Task
        ).count()

    assert made(app, stored) == (1, 4)


def test_a_visit_on_a_day_off_is_pointed_out_before_it_is_announced(app: Flask) -> None:
    visitor, case = inspection(app)
    saturday = {"date-year": "114", "date-month": "9", "date-day": "27"}
    visitor.press("預覽", saturday)
    assert "民國114年9月27日是放假日" in visitor.page.text
    visitor.press("通知勘查日期")
    assert visitor.page.mistakes == ["這一天是放假日，請改選日期，或確認仍要排在這一天。"]
    assert state(app, case) == "schedule"
    visitor.press("通知勘查日期", {"sure": "yes"})
    assert state(app, case) == "inspect"


def test_a_record_before_the_appointed_day_says_so_and_may_say_failed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, case = inspection(app)
    visitor.press("通知勘查日期", {"date-year": "114", "date-month": "9", "date-day": "30"})
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("勘查不合格，擬予駁回")
    assert "通知申請人的日期是民國114年9月30日，還沒有到" in visitor.page.text
    at(app, monkeypatch, NOW + timedelta(days=5))
    visitor = signed_in(app, "ou.yijun")
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("勘查不合格，擬予駁回")
    assert "還沒有到" not in visitor.page.text
    assert "例如 115 年" in visitor.page.text and "47 年" not in visitor.page.text
    visitor.press("upload:photos", files={"photos-upload": [("東側.png", picture(1))]})
    answers = {
        "inspected_on-year": "114",
        "inspected_on-month": "9",
        "inspected_on-day": "30",
        "use_matches": "no",
        "findings": "現場為鐵皮工廠，沒有耕作。",
        "comment": "現場作工廠使用。",
    }
    visitor.press("勘查不合格，擬予駁回", answers | {"result": "pass"})
    assert visitor.page.status == 422
    visitor.press("勘查不合格，擬予駁回", {"result": "fail"})
    assert state(app, case) == "approve"
    visitor.get(f"/staff/cases/{case}")
    assert "不合格" in visitor.page.text and "須改善後複查" not in visitor.page.text


def test_a_photograph_sent_by_script_needs_the_task(app: Flask) -> None:
    visitor, case = inspection(app)
    visitor.press("通知勘查日期", {"date-year": "114", "date-month": "9", "date-day": "30"})
    task = made(app, lambda: open_tasks(case_of(case))[0].public_id)
    assert visitor.post(f"/staff/tasks/{task}/files/photos").status == 404
    assert visitor.post(f"/staff/tasks/{task}/files/findings").status == 404
    assert signed_in(app, "cai.wenxiong").post(f"/staff/tasks/{task}/files/photos").status == 403


def test_huge_input_gets_an_error_and_is_not_sent(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("退件")
    visitor.press("退件", {"comment": "很" * 200_000})
    assert visitor.page.status == 422
    assert visitor.page.mistakes == ["最多 4000 字，目前 200000 字。"]
    assert state(app, case) == "review"

    def written() -> tuple[int, int]:
        return db.session.query(Case).count(), db.session.query(CaseEvent).count()

    assert made(app, written) == (1, 1)


def test_a_button_of_a_page_that_expired_says_so(app: Flask, guarded: None) -> None:
    visitor, case = desk(app)
    visitor.press("退回待分派", smuggle={"csrf_token": "of yesterday"})
    assert visitor.page.status == 400
    assert "頁面已逾時" in visitor.page.text
    assert state(app, case) == "review"


def test_who_was_signed_out_meanwhile_signs_in_and_finds_what_they_typed(app: Flask, guarded: None) -> None:
    visitor, case = desk(app)
    who = made(app, lambda: officer_of(case_of(case)))
    visitor.follow("請申請人補正")
    page = visitor.page
    visitor.press("登出", within="header")
    visitor.page = page
    visitor.press("請申請人補正", {"fields": ["amount"], "comment": "寫到一半"})
    assert visitor.page.status == 401
    password = demo.password(str(app.config["SECRET_KEY"]))
    visitor.press("登入", {"email": demo.login(who), "password": password}, within="main")
    assert visitor.page.value("comment") == "寫到一半"
    assert visitor.page.form_with("comment").values.getlist("fields") == ["amount"]
    assert state(app, case) == "review"
    visitor.press("請申請人補正")
    assert state(app, case) == "correction"


# --- amounts that the review fixes ----------------------------------------------------------------------------


def test_a_proposal_to_grant_asks_for_every_open_amount(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("擬予駁回，送主管決行")
    assert "amount-subsidy" not in visitor.page.form_with("comment").names
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("擬予核准，送主管決行")
    visitor.press("擬予核准，送主管決行", {"comment": "資料齊全"})
    assert visitor.page.status == 422
    assert visitor.page.mistakes == ["請填寫核定補助"]
    assert visitor.page.soup.select_one("[data-error-summary] a")["href"] == "#amount-subsidy"
    for typed, told in (
        ("兩千", "核定補助須為數字，您輸入了「兩千」，例如 10"),
        ("99.5", "核定補助須為整數，您輸入了「99.5」，例如 10"),
        ("-1", "核定補助須介於 0 元 至 99,999,999 元"),
        ("9" * 30, "核定補助須介於 0 元 至 99,999,999 元"),
    ):
        visitor.press("擬予核准，送主管決行", {"amount-subsidy": typed})
        assert (visitor.page.status, visitor.page.mistakes) == (422, [told])
        assert visitor.page.value("amount-subsidy") == typed
        assert visitor.page.value("comment") == "資料齊全"
    assert state(app, case) == "review"
    visitor.press("預覽", {"amount-subsidy": "ＮＴ$ ２，０００ 元"})
    assert "核定補助新臺幣 2,000 元" in visitor.page.soup.select_one("#preview").text
    visitor.press("擬予核准，送主管決行")
    assert state(app, case) == "approve"


def test_the_amount_goes_before_the_decider_back_to_the_officer_and_to_the_applicant(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("擬予核准，送主管決行")
    visitor.press("擬予核准，送主管決行", SUBSIDY)
    owner = signed_in(app, "chen.meiling")
    assert "核定補助" not in owner.get(f"/applications/{case}").text, "nothing is granted yet"
    head = signed_in(app, "chen.shufen")
    head.get(f"/staff/cases/{case}")
    head.follow("退回承辦人重擬")
    head.press("退回承辦人重擬", {"comment": "請依基準重算"})
    visitor.get(f"/staff/cases/{case}")
    visitor.follow("擬予核准，送主管決行")
    assert visitor.page.value("amount-subsidy") == "2000"
    visitor.press("擬予核准，送主管決行", {"amount-subsidy": "1,500"})
    page = head.get(f"/staff/cases/{case}")
    assert "核定補助金額：核定補助 NT$ 1,500" in page.text
    head.follow("核准並發文")
    assert "核定補助金額：核定補助 NT$ 1,500" in head.page.text
    preview = head.page.soup.select_one("#preview").text
    assert preview.count("核定補助新臺幣 1,500 元") == 2, "in the letter and in the message"
    head.press("核准並發文")
    page = owner.get(f"/applications/{case}")
    assert "核定補助" in page.text and "1,500" in page.text and "2,000" not in page.text


def test_a_stale_page_shows_the_amounts_that_were_typed(app: Flask) -> None:
    visitor, case = desk(app)
    visitor.follow("擬予核准，送主管決行")
    made(app, lambda: act_elsewhere(case))
    visitor.press("擬予核准，送主管決行", {"amount-subsidy": "4321"})
    assert visitor.page.status == 409
    assert "核定補助" in visitor.page.text and "4321" in visitor.page.text


@pytest.mark.parametrize(
    ("code", "needed", "to_have"),
    [
        ("EC09", "決定前須以申請人留的電話確認身分", "承辦人會打您留的電話"),
        ("EC06", "決定前須核對文件正本", "請備妥您上傳文件的正本"),
    ],
)
def test_officer_and_applicant_read_how_identity_is_made_sure_of(
    app: Flask, code: str, needed: str, to_have: str
) -> None:
    officer, pid = desk(app, code)
    assert f"{needed}（以電子郵件帳號送件，手機未經驗證）" in officer.page.text
    assert to_have in signed_in(app, "chen.meiling").get(f"/applications/{pid}/confirmation").text


def test_how_an_application_came_in_is_told_apart(app: Flask) -> None:
    def said() -> list[str]:
        case = submitted("EC09")
        owner = db.session.get_one(Account, case.account_id)
        found = []
        for channel, mobile, email in (
            ("web", "a" * 64, None),
            ("web", "a" * 64, "b" * 64),
            ("counter", None, "b" * 64),
            ("post", None, "b" * 64),
        ):
            case.channel, owner.mobile_hash, owner.email_hash = channel, mobile, email
            with db.session.no_autoflush:
                found.append(identity.known(case).zh)
        case.channel, case.account_id = "web", None
        with db.session.no_autoflush:
            found.append(identity.known(case).zh)
        db.session.rollback()
        return found

    assert made(app, said) == [
        "以手機驗證碼登入的帳號送件",
        "以電子郵件帳號送件，手機未經驗證",
        "臨櫃送件",
        "郵寄送件，未核對證件",
        "未登入送件，未經確認",
    ]
