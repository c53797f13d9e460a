"""A draft is handed to a relative or a clerk by a one-time code, and taken back."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, citizen, draft, officer, open_tasks, take
from tests.officers import at, case_of, made, officer_of, signed_in
from tests.visitor import Visitor, in_process
from tests.walks import REVIEW, fill_in_step, fill_in_the_rest, give_password, send, sign_in
from webapp import demo
from webapp.crypto import keyed_hash
from webapp.demo.samples import SAMPLES
from webapp.errors import Refused
from webapp.extensions import db
from webapp.jobs.sweeps import drop_expired_drafts
from webapp.models import AuditEntry, Case, Document, Draft, Handover, Message
from webapp.permissions import Actor
from webapp.queries import handovers as handed
from webapp.services import applications, drafts, duties, handovers, steps
from webapp.services.accounts import LIMITS
from webapp.uow import unit_of_work

DOG = SAMPLES["EC09"]
CLERK = "huang.meilan"
RELATIVE = {"name": "李小華"}
COUNTER = {"channel": "counter"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def owner(app: Flask) -> Visitor:
    """Nobody in particular, at the second step of EC09."""
    somebody = in_process(app.test_client())
    somebody.get("/services/EC09")
    somebody.press("不登入，直接申請")
    fill_in_step(somebody, DOG)
    return somebody


@pytest.fixture
def relative(app: Flask) -> Visitor:
    return in_process(app.test_client())


def key_of(visitor: Visitor) -> str:
    return visitor.page.path.split("/")[2]


def code_for(visitor: Visitor, key: str) -> str:
    visitor.get(f"/apply/{key}/handover")
    page = visitor.press("重新取得代碼" if visitor.page.offers("重新取得代碼") else "取得協助代碼")
    return shown(page.text)


def shown(text: str) -> str:
    [code] = re.findall(r"\d{4} \d{4} \d{4}", text)
    return code


def enters(visitor: Visitor, code: str, name: str = "李小華") -> Visitor:
    visitor.get("/handover")
    visitor.press("開始協助", {"code": code, "name": name})
    return visitor


def takes_over(visitor: Visitor, code: str, **more: str) -> Visitor:
    visitor.get("/staff/intake")
    visitor.follow("民眾告訴您一組協助代碼？接手民眾填到一半的草稿")
    visitor.press("繼續", {"code": code})
    if visitor.page.status == 200:
        visitor.press("開始填寫表單", {**COUNTER, **more})
    return visitor


def audited(app: Flask) -> list[tuple[str, int | None]]:
    query = select(AuditEntry.action, AuditEntry.actor_id).order_by(AuditEntry.id)
    found = made(app, lambda: db.session.execute(query).all())
    return [(action, who) for action, who in found if action.startswith("handover")]


# --- a relative -------------------------------------------------------------------------------------------


def test_a_relative_goes_on_where_the_applicant_stopped_and_the_applicant_sends(
    app: Flask, owner: Visitor, relative: Visitor
) -> None:
    owner.press("handover", {"pet_name": "小黑"})
    key = key_of(owner)
    assert "可以看到並修改您在這份草稿填的個人資料" in owner.page.text
    code = shown(owner.press("取得協助代碼").text)
    assert "民國114年9月26日 10:00 以前有效，只能用一次" in owner.page.text

    relative.get("/help")
    relative.follow("有人請您協助填寫？輸入協助代碼")
    page = relative.press("開始協助", {"code": f" {code.replace(' ', '－')}", "name": " 李小華\n"})
    assert (page.heading, page.value("pet_name")) == ("寵物資料", "小黑")
    assert "這是申請人請您協助填寫的草稿" in page.text
    assert not page.offers("請人協助填寫")
    assert fill_in_the_rest(relative, DOG).heading == REVIEW
    assert not relative.page.offers("送出申請")

    page = owner.get("/applications")
    assert "李小華正在協助填寫" in page.text
    relative.press("交還申請人")
    assert "草稿已交還申請人" in relative.page.text
    assert relative.get(f"/apply/{key}").status == 404
    assert "您已把這份草稿交還申請人" in relative.page.text

    assert owner.get(f"/apply/{key}").heading == "聲明與同意"
    fill_in_the_rest(owner, DOG)
    send(owner)
    assert owner.page.heading == "已收到您的申請"
    page = owner.follow("查看進度")
    assert "協助填寫" in page.text and "李小華（親友）" in page.text
    pid = page.path.rpartition("/")[2]
    office = signed_in(app, made(app, lambda: officer_of(case_of(pid))))
    assert "李小華（親友）" in office.get(f"/staff/cases/{pid}").text
    assert [action for action, _who in audited(app)] == [
        "handover_made",
        "handover_used",
        "handover_given_back",
    ]
    assert made(app, lambda: case_of(pid).channel) == "web"


def test_a_relative_sends_deletes_and_hands_on_nothing(app: Flask, owner: Visitor, relative: Visitor) -> None:
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    enters(relative, code_for(owner, key))
    assert relative.post(f"/apply/{key}/review").status == 403
    assert "不能代替申請人送出" in relative.page.text
    assert relative.post(f"/apply/{key}/discard").status == 404
    assert relative.get(f"/apply/{key}/handover").status == 403
    assert relative.post(f"/apply/{key}/handover").status == 403
    assert made(app, lambda: db.session.query(Case).count()) == 0
    assert made(app, lambda: db.session.query(Draft).count()) == 1


def test_consent_and_truth_are_the_applicants_own_word(app: Flask, owner: Visitor, relative: Visitor) -> None:
    """Neither the page nor a request made by hand takes them from a helper; ticked before, they are asked anew."""
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    enters(relative, code_for(owner, key))
    assert relative.page.heading == REVIEW and "由申請人自己同意或簽名" in relative.page.text
    page = relative.get(f"/apply/{key}/declaration")
    assert "您不能代替" in page.text and "均屬實" in page.text
    assert not page.form_with("version").names & {"agree_privacy", "agree_truth"}
    version = page.value("version")
    for way in ("", "/autosave"):
        relative.post(f"/apply/{key}/declaration{way}", {"version": version, "agree_truth": "yes"})
    assert _agreed(app, key) == []
    assert "請閱讀後勾選" not in relative.get(f"/apply/{key}/review").text
    relative.press("交還申請人")
    owner.get(f"/apply/{key}/review")
    assert owner.press("送出申請").status == 422
    assert len([mistake for mistake in owner.page.mistakes if "請閱讀後勾選" in mistake]) == 2


def test_what_a_clerk_ticked_for_a_spoken_application_is_asked_of_who_takes_it_back(
    app: Flask, owner: Visitor
) -> None:
    key = key_of(owner)
    clerk = takes_over(signed_in(app, CLERK), code_for(owner, key))
    fill_in_the_rest(clerk, DOG)
    assert _agreed(app, key) == ["agree_privacy", "agree_truth"]
    owner.post(f"/apply/{key}/handover/end")
    assert _agreed(app, key) == []


def _agreed(app: Flask, key: str) -> list[str]:
    raw = made(app, lambda: db.session.scalars(select(Draft.raw).where(Draft.public_id == key)).one())
    return sorted(name for name in raw if name.startswith("agree_") and raw[name])


def test_the_applicant_takes_the_draft_back_with_everything_that_was_filled_in(
    app: Flask, owner: Visitor, relative: Visitor
) -> None:
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    enters(relative, code_for(owner, key))
    relative.get(f"/apply/{key}/pet")
    relative.press("儲存並繼續", {"pet_name": "小花"})
    open_page = relative.page
    files = made(app, lambda: [d.public_id for d in db.session.query(Document).filter_by(draft_key=key)])
    assert relative.get(f"/documents/{files[0]}").status == 200, "uploads come along"
    owner.get(f"/apply/{key}/pet")
    assert owner.page.value("pet_name") == "小花"
    relative.get(f"/apply/{key}/pet")
    relative.press("儲存，稍後再填", {"pet_name": "小白"})
    assert "我協助填寫的草稿" in relative.page.text
    page = owner.press("儲存並繼續", {"pet_name": "小黑"})
    assert page.status == 409, "of two who write at once nobody overwrites the other"
    assert "這一頁：小黑" in page.text and "已儲存：小白" in page.text

    owner.get("/applications")
    owner.follow("收回草稿")
    assert "李小華正在協助填寫" in owner.page.text and "身分：親友" in owner.page.text
    assert "草稿現在只有您自己能看、能改" in owner.press("收回草稿").text
    assert "李小華，114.09.25" in owner.page.text

    relative.page = open_page
    relative.press("儲存並繼續", {"clinic": "不見了"})
    assert relative.page.status == 404
    assert "申請人已經收回這份草稿" in relative.page.text
    assert relative.get(f"/documents/{files[0]}").status == 404
    assert owner.get(f"/apply/{key}/pet").value("pet_name") == "小白"


def test_who_has_an_account_is_told_at_once_that_somebody_helps(app: Flask) -> None:
    owner, relative = signed_in(app, "chen.meiling"), signed_in(app, "wang.daming")
    key = made(app, lambda: _draft_of("chen.meiling"))
    code = code_for(owner, key)
    relative.get("/handover")
    assert relative.page.value("name") == made(app, lambda: account("wang.daming").name)
    relative.press("開始協助", {"code": code})
    assert relative.page.path.startswith(f"/apply/{key}")
    [told] = made(app, lambda: db.session.query(Message).all())
    assert "開始協助填寫" in told.body and told.account_id == made(app, lambda: account("chen.meiling").id)
    assert [who for _action, who in audited(app)] == made(
        app, lambda: [account("chen.meiling").id, account("wang.daming").id]
    )


def _draft_of(login: str) -> str:
    with unit_of_work():
        return draft("EC09", citizen(login)).public_id


def test_whoever_signs_in_meanwhile_goes_on_helping(app: Flask, owner: Visitor, relative: Visitor) -> None:
    key = key_of(owner)
    enters(relative, code_for(owner, key))
    sign_in(relative, "chen.meiling")
    assert relative.get(f"/apply/{key}/pet").status == 200
    assert not relative.page.offers("請人協助填寫")
    sign_in(owner, "chen.meiling")  # both were the same person all along
    assert owner.get(f"/apply/{key}/pet").offers("請人協助填寫")
    assert "協助填寫的草稿" not in owner.get("/applications").text


def test_a_helper_whose_sign_in_ended_signs_in_again_and_loses_nothing(
    app: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the applicant has no account, whose draft asks nobody to sign in."""
    key, helper = key_of(owner), signed_in(app, "chen.meiling")
    enters(helper, code_for(owner, key))
    helper.get(f"/apply/{key}/pet")
    at(app, monkeypatch, NOW + timedelta(hours=3))
    helper.press("儲存並繼續", {"pet_name": "小黑"})
    assert "登入" in helper.page.heading
    give_password(helper, demo.login("chen.meiling"))
    assert helper.page.path.startswith(f"/apply/{key}/pet")
    assert owner.get(f"/apply/{key}/pet").value("pet_name") == "小黑"


# --- codes that open nothing ------------------------------------------------------------------------------


def test_a_wrong_code_and_a_missing_name_are_said_and_what_was_typed_stays(
    owner: Visitor, relative: Visitor
) -> None:
    for wrong in ("", "１２３", "電話", "9" * 5000, "\0", "1234 5678 9012 3"):
        page = enters(relative, wrong).page
        assert page.status == 422 and page.value("name") == "李小華"
        assert "代碼不正確" in page.mistakes[0]
    page = enters(relative, "0000 0000", "").page
    assert page.status == 422 and len(page.mistakes) == 2, "both at once"
    assert "代碼不正確" in page.mistakes[0] and "請輸入您的姓名" in page.mistakes[1]
    code = code_for(owner, key_of(owner))
    for nobody in ("", "  \n", "名" * 81):
        page = enters(relative, code, nobody).page
        assert page.status == 422 and page.value("code") == code
        assert page.mistakes == ["請輸入您的姓名（80 字以內），申請人會看到是誰協助。"]


def test_a_code_works_once_and_not_for_the_applicant(app: Flask, owner: Visitor, relative: Visitor) -> None:
    key = key_of(owner)
    code = code_for(owner, key)
    assert "這是您自己的草稿" in enters(owner, code).page.mistakes[0]
    assert enters(relative, code).page.status == 200
    second = in_process(app.test_client())
    assert "這個代碼已經用過了" in enters(second, code).page.mistakes[0]
    assert second.get(relative.page.path).status == 404
    assert not owner.get(f"/apply/{key}/handover").offers("取得協助代碼")
    assert owner.post(f"/apply/{key}/handover").status == 409
    assert "要換人協助，請先收回" in owner.page.text


def test_of_the_newest_code_only_a_digest_is_kept_and_older_ones_open_nothing(
    app: Flask, owner: Visitor, relative: Visitor
) -> None:
    key = key_of(owner)
    first, second = code_for(owner, key), code_for(owner, key)
    assert "換了新的" in enters(relative, first).page.mistakes[0]
    [kept] = made(app, lambda: db.session.query(Handover).all())
    assert kept.code_hash == made(app, lambda: keyed_hash(second.replace(" ", ""), "handover"))
    assert second not in owner.get(f"/apply/{key}/handover").text
    owner.press("取消這個代碼")
    assert "已取消" in enters(relative, second).page.mistakes[0]
    assert made(app, lambda: db.session.query(Handover).count()) == 0


def test_a_late_code_is_told_so(
    app: Flask, owner: Visitor, relative: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(owner)
    code = code_for(owner, key)
    at(app, monkeypatch, NOW + handovers.LIFETIME)
    assert "這個代碼已過期" in enters(relative, code).page.mistakes[0]
    assert "上一個代碼沒有人使用，已經過期" in owner.get(f"/apply/{key}/handover").text
    assert enters(relative, code_for(owner, key)).page.status == 200


def test_a_draft_that_was_sent_or_deleted_meanwhile(app: Flask, owner: Visitor, relative: Visitor) -> None:
    key, second = key_of(owner), in_process(app.test_client())
    code = code_for(owner, key)
    enters(relative, code)
    owner.get(f"/apply/{key}")
    fill_in_the_rest(owner, DOG)
    send(owner)
    assert "已經送出" in enters(second, code).page.mistakes[0]
    assert relative.press("儲存並繼續").status == 404
    assert "這份申請已經送出" in relative.page.text

    owner.get("/services/EC09")
    owner.press("不登入，直接申請")
    code = code_for(owner, key_of(owner))
    owner.get("/applications")
    owner.press("確定刪除草稿")
    assert "已經刪除或過期" in enters(relative, code).page.mistakes[0]
    made(app, lambda: drop_expired_drafts(NOW + drafts.LIFETIME))
    assert made(app, lambda: db.session.query(Handover).count()) == 2
    made(app, lambda: drop_expired_drafts(NOW + drafts.LIFETIME + timedelta(days=1)))
    assert made(app, lambda: db.session.query(Handover).count()) == 0, "nothing is kept of either"


def test_guessing_is_stopped_and_the_right_code_starts_the_count_anew(
    owner: Visitor, relative: Visitor
) -> None:
    key = key_of(owner)
    for _guess in range(LIMITS["handover"] - 1):
        assert enters(relative, "1").page.status == 422
    assert enters(relative, code_for(owner, key)).page.status == 200
    for _guess in range(LIMITS["handover"]):
        assert enters(relative, "1").page.status == 422
    assert enters(relative, "1").page.status == 429


def test_somebody_elses_draft_has_no_code_to_give(app: Flask, owner: Visitor, relative: Visitor) -> None:
    key = key_of(owner)
    for way in ("handover", "handover/end"):
        assert relative.post(f"/apply/{key}/{way}").status == 404
        assert signed_in(app, "chen.meiling").post(f"/apply/{key}/{way}").status == 404
        assert signed_in(app, CLERK).post(f"/apply/{key}/{way}").status == 404


def test_who_helps_no_more_ends_nothing(app: Flask) -> None:
    def ended() -> bool:
        owner, first = citizen(), citizen("wang.daming")
        second = Actor("anonymous", device_hash="a browser")
        with unit_of_work():
            kept = draft("EC09", owner)
            handovers.help_out(first, handovers.make(owner, kept, NOW), "李小華", NOW)
            handovers.end(owner, kept, NOW)
            code = handovers.make(owner, kept, NOW)
            handovers.end(first, kept, NOW)  # pressed a moment too late
            handovers.help_out(second, code, "王小明", NOW)
        return not handed.helps(first, kept.public_id) and handed.helps(second, kept.public_id)

    assert made(app, ended)


def test_of_two_at_once_one_helps(app: Flask, owner: Visitor) -> None:
    code = code_for(owner, key_of(owner))
    helped: list[str] = []

    def enter(login: str) -> None:
        with app.app_context():
            try:
                with unit_of_work():
                    helped.append(handovers.help_out(citizen(login), code, login, NOW).public_id)
            except Refused as refusal:
                helped.append(refusal.text.zh)
            finally:
                db.session.remove()

    people = [threading.Thread(target=enter, args=(login,)) for login in ("chen.meiling", "wang.daming")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(text.startswith("這個代碼已經用過了") for text in helped) == [False, True]


# --- a clerk ----------------------------------------------------------------------------------------------


def test_a_clerk_takes_the_application_in_for_the_citizen_who_sees_it_in_their_account(app: Flask) -> None:
    owner, clerk = signed_in(app, "chen.meiling"), signed_in(app, CLERK)
    key = made(app, lambda: _draft_of("chen.meiling"))
    name = made(app, lambda: account(CLERK).name)
    takes_over(clerk, code_for(owner, key), note="電話中行動不便")
    assert clerk.page.heading == REVIEW
    assert "臨櫃收件" in clerk.page.text and "朗讀" in clerk.page.text
    page = owner.get(f"/apply/{key}/handover")
    assert f"{name}正在協助填寫" in page.text and "身分：櫃檯人員" in page.text
    assert "電話中行動不便" not in owner.get(f"/apply/{key}/review").text, "notes are for the office"

    clerk.press("送出申請")
    assert clerk.page.heading == "已收到您的申請"
    pid = clerk.page.path.split("/")[2]
    assert owner.get(f"/apply/{key}/review").path == f"/applications/{pid}/confirmation"
    page = owner.get(f"/applications/{pid}")
    assert page.status == 200 and f"{name}（櫃檯人員）" in page.text
    case = made(app, lambda: case_of(pid))
    assert (case.channel, case.account_id) == ("counter", made(app, lambda: account("chen.meiling").id))
    assert case.intake["note"] == "電話中行動不便"
    clerk.post(f"/apply/{key}/review")
    assert clerk.page.path == f"/applications/{pid}/confirmation", "a second click finds the case"


def test_a_clerk_sends_for_somebody_without_an_account_whose_browser_sees_the_case(
    app: Flask, owner: Visitor
) -> None:
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    clerk = takes_over(signed_in(app, CLERK), code_for(owner, key))
    clerk.press("送出申請")
    assert owner.get(f"/apply/{key}").heading == "已收到您的申請"
    assert "查詢碼" in owner.page.text
    stranger = in_process(app.test_client())
    assert stranger.get(f"/apply/{key}").status == 404


def test_a_clerk_is_no_longer_in_it_once_the_applicant_takes_the_draft_back(
    app: Flask, owner: Visitor
) -> None:
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    clerk = takes_over(signed_in(app, CLERK), code_for(owner, key))
    owner.get(f"/apply/{key}/handover")
    owner.press("收回草稿")
    clerk.press("送出申請")
    assert clerk.page.status == 404 and "申請人已經收回這份草稿" in clerk.page.text
    owner.get(f"/apply/{key}")
    fill_in_the_rest(owner, DOG)
    send(owner)
    case = made(app, lambda: db.session.query(Case).one())
    assert (case.channel, case.intake) == ("web", None)


def test_a_clerk_sees_nothing_of_what_the_applicant_sent_without_them(app: Flask, owner: Visitor) -> None:
    """The review page that they were shown is worth nothing any more."""
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    clerk = takes_over(signed_in(app, CLERK), code_for(owner, key))
    assert clerk.page.offers("送出申請")
    owner.get(f"/apply/{key}/review")
    send(owner)
    pid = made(app, lambda: db.session.query(Case.public_id).scalar())
    assert clerk.press("送出申請").status == 404
    assert clerk.get(f"/apply/{key}").status == 404
    assert clerk.get(f"/applications/{pid}").status == 404


def test_an_applicant_who_sends_while_a_clerk_helps_files_by_web_today(app: Flask, owner: Visitor) -> None:
    key = key_of(owner)
    fill_in_the_rest(owner, DOG)
    takes_over(signed_in(app, CLERK), code_for(owner, key), **{"received-day": "24"})
    owner.get(f"/apply/{key}/review")
    send(owner)
    case = made(app, lambda: db.session.query(Case).one())
    assert (case.channel, case.intake, case.filed_on) == ("web", None, NOW.date())


def test_a_code_stays_good_while_the_clerk_corrects_the_form_of_the_intake(
    app: Flask, owner: Visitor
) -> None:
    code = code_for(owner, key_of(owner))
    clerk = signed_in(app, CLERK)
    clerk.get("/staff/intake/handover")
    assert "代碼不正確" in clerk.press("繼續", {"code": "1"}).mistakes[0]
    clerk.press("繼續", {"code": code})
    assert clerk.page.heading == "犬貓絕育及寵物登記補助"
    assert clerk.press("開始填寫表單").mistakes == ["請選擇收件方式。"]
    assert "郵寄" not in clerk.page.text and "郵戳日" not in clerk.page.text
    assert made(app, lambda: db.session.query(Handover.used_at).scalar()) is None
    page = clerk.press("開始填寫表單", {"channel": "telephone"})
    assert page.path.startswith("/apply/") and "電話收件" in page.text


def test_staff_help_at_the_counter_and_nowhere_else(app: Flask, owner: Visitor) -> None:
    code = code_for(owner, key_of(owner))
    assert signed_in(app, CLERK).get("/handover").path == "/staff/intake/handover"
    refused = signed_in(app, CLERK)
    refused.post("/handover", {"code": code, **RELATIVE})
    assert refused.page.status == 403 and "這是公務帳號" in refused.page.text
    nobody = signed_in(app, "dong.weilun")
    assert nobody.get("/staff/intake/handover").status == 403
    assert nobody.post("/staff/intake/handover", {"code": code}).status == 403
    assert made(app, lambda: db.session.query(Handover.used_at).scalar()) is None


def test_the_clerk_who_helped_may_propose_and_not_decide(app: Flask) -> None:
    """行政程序法 32: whoever assisted a party keeps away from the decision."""

    def refusals() -> None:
        applicant, helper, head = citizen(), officer("lin.yahan"), officer("chen.shufen")
        intake = {"channel": "counter", "received_on": NOW.date().isoformat(), "clerk": helper.account_id}
        with unit_of_work():
            code = handovers.make(applicant, draft("EC09", applicant), NOW)
            key = handovers.take_in(helper, code, intake, NOW).public_id
        with unit_of_work():
            case = applications.submit(helper, key, NOW)
        with unit_of_work():
            open_tasks(case)[0].assignee_id = helper.account_id
        take(case, "propose_approval", "lin.yahan")
        ctx = steps.context(case)
        separation, approve = duties.of(ctx), ctx.workflow.state(case.state).transition("approve")
        assert approve is not None
        assert separation.helpers == {helper.account_id}
        assert separation.bars(account("xu.mingde").id, case.state, for_id=helper.account_id)
        assert not separation.bars(account("xu.mingde").id, case.state)
        no_other_reason = replace(separation, proposers=frozenset())
        assert no_other_reason.refusal({helper.account_id}, approve) == duties.HELPED
        assert separation.refusal({head.account_id}, approve) is None

    made(app, refusals)
