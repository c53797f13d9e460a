"""造冊撥款 on the pages: gathered, approved by a head, exported, paid, returned, checked again, stopped."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests import officers
from tests.journeys import NOW, account
from tests.journeys import officer as journey_officer
from tests.money import later
from tests.payouts import CASHIER, CODE, HEAD, OFFICER, OTHER, gathered, granted, open_service, paid
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect, Message, PayoutClaim, PayoutList
from webapp.services import payouts
from webapp.uow import unit_of_work

TODAY = {"year": "114", "month": "9", "day": "25"}


def day(name: str, **changes: str) -> dict[str, str]:
    return {f"{name}-{part}": text for part, text in {**TODAY, **changes}.items()}


@pytest.fixture
def number(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The number of a case whose subsidy waits for a list."""
    officers.at(app, monkeypatch, NOW)

    def make() -> str:
        open_service()
        return granted().number or ""

    return officers.made(app, make)


def at_the_list(app: Flask, login: str) -> Visitor:
    person = officers.signed_in(app, login)
    person.get("/staff/inbox")
    person.follow("造冊撥款")
    person.follow("犬貓絕育及寵物登記補助 第 1 號")
    return person


def test_a_list_goes_from_the_officer_to_the_treasury_and_back(app: Flask, number: str) -> None:
    officer, colleague = (officers.signed_in(app, login) for login in (OFFICER, OTHER))
    for person in (officer, colleague):
        person.get("/staff/payouts")
        page = person.follow(f"{CODE} 犬貓絕育及寵物登記補助")
        assert "可造冊 1 案，合計 NT$ 2,000" in page.text and number in page.text
    page = officer.press("造冊", {"period": " "})
    assert page.status == 422 and "期別" in page.mistakes[0]
    page = officer.press("造冊", {"period": "114年9月"})
    assert page.heading.endswith("第 1 號撥款清冊") and "造冊中" in page.text and number in page.text
    page = colleague.press("造冊")
    assert page.status == 409 and "林雅涵" in page.mistakes[0], "whoever is second is told who was first"
    stale = at_the_list(app, OFFICER)
    page = officer.press("陳核")
    assert "陳核中" in page.text and not page.offers("核定清冊"), "an officer approves nothing"
    assert stale.press("解散清冊").status == 409

    head = at_the_list(app, HEAD)
    page = head.press("退回", {"note": ""})
    assert page.status == 422 and "請填寫原因" in page.mistakes[0]
    page = head.press("退回", {"note": "期別有誤"})
    assert "期別有誤" in page.text and "造冊中" in page.text
    at_the_list(app, OFFICER).press("陳核")
    told = officers.made(app, lambda: notices_of(HEAD))
    assert len(told) == 2 and "撥款清冊待核定" in told[0].subject and "/staff/payouts/lists/" in told[0].body
    head = at_the_list(app, HEAD)
    page = head.press("核定清冊")
    assert page.status == 422 and "由您（或您代理的主管）決行核准" in page.mistakes[0]
    page = head.press("核定清冊", {"same": ["yes"]})
    assert "其中 1 件也由核定的人決行核准" in page.text
    assert "已核定，待撥款" in page.text and "陳淑芬" in page.text and not page.offers("登錄撥款")

    cashier = at_the_list(app, CASHIER)
    page = cashier.press("登錄撥款", day("paid", month="13"))
    assert page.status == 422 and page.value("paid-month") == "13"
    page = cashier.press("登錄撥款", day("paid", day="26"))
    assert page.status == 422 and "也不能晚於今天" in page.mistakes[0]
    assert "民國114年9月25日" in cashier.press("登錄撥款", day("paid")).text
    applicant = officers.signed_in(app, "chen.meiling")
    page = applicant.get(f"/applications/{case_id(app, number)}")
    assert "已撥款" in page.text and "NT$ 2,000" in page.text
    assert "2,000 元已於 民國114年9月25日 撥入" in told_last(app, number)
    line = cashier.page.soup.select("select[name=line] option")[1]["value"]
    page = cashier.press("登錄退匯", {"line": "", "reason": "", **day("returned", day="x")})
    assert page.status == 422 and len(page.mistakes) == 3
    page = cashier.press("登錄退匯", {"line": str(line), "reason": "帳戶已結清", **day("returned")})
    assert page.status == 200 and "帳戶已結清" in page.text and "扣除退匯後" in page.text
    page = applicant.get(f"/applications/{case_id(app, number)}")
    assert "已退匯" in page.text and "更正帳戶" in page.text
    assert "帳戶已結清" in told_last(app, number) and "不必重新申請" in told_last(app, number)

    officer.get("/staff/payouts")
    officer.follow("待複查或待確認帳戶的款項（1）")
    page = officer.follow(number)
    assert "第 1 號（114年9月）" in page.text
    wrong = {"account-bank": "70", "account-account": "1", "account-holder": ""}
    page = officer.press("確認繼續發給", wrong)
    assert page.status == 422 and len(page.mistakes) == 3 and page.value("account-bank") == "70"
    right = {"account-bank": "004", "account-account": "00099887766", "account-holder": "陳美玲"}
    page = officer.press("確認繼續發給", right)
    assert page.status == 200 and "00099887766" in page.text
    officer.get(f"/staff/payouts/services/{CODE}")
    page = officer.press("造冊")
    assert page.heading.endswith("第 2 號撥款清冊") and "00099887766" in page.text


def notices_of(login: str) -> list[Message]:
    """What somebody of the staff finds under 通知."""
    mine = select(Message).where(Message.account_id == account(login).id, Message.channel == "inbox")
    return [each for each in db.session.scalars(mine.order_by(Message.id)) if "清冊" in each.subject]


def case_id(app: Flask, number: str) -> str:
    found = select(Case.public_id).where(Case.number == number)
    return officers.made(app, lambda: db.session.scalars(found).one())


def told_last(app: Flask, number: str) -> str:
    """The last message to the applicant of a case."""

    def read() -> str:
        pending = (
            select(Effect.id).where(Effect.kind == "notice", Effect.state == "pending").order_by(Effect.id)
        )
        for key in db.session.scalars(pending).all():
            perform_effect(key)
        found = select(Message).join(Case, Case.id == Message.case_id).where(Case.number == number)
        return db.session.scalars(found.order_by(Message.id.desc())).first().body

    return officers.made(app, read)


def test_a_deputy_approves_in_the_place_of_the_head(app: Flask, number: str) -> None:
    def proposed() -> str:
        officers.absent(HEAD, OTHER, NOW.date(), NOW.date())
        made = gathered()
        with unit_of_work():
            payouts.propose(journey_officer(OFFICER), made, NOW, version=made.version)
        return made.public_id

    pid = officers.made(app, proposed)
    assert officers.made(app, lambda: [m.subject for m in notices_of(OTHER) if "待核定" in m.subject])
    deputy = officers.signed_in(app, OTHER)
    page = deputy.get(f"/staff/payouts/lists/{pid}")
    assert "代 陳淑芬" in page.text
    page = deputy.press("核定清冊")
    assert page.status == 422, "the head for whom they stand in decided the grant"
    page = deputy.press("核定清冊", {"same": ["yes"]})
    assert "（代 陳淑芬）" in page.text
    with app.app_context():
        kept = db.session.scalars(select(PayoutList)).one()
        assert (kept.approved_by_id, kept.approved_for_id) == (account(OTHER).id, account(HEAD).id)


def test_the_file_has_what_the_page_shows(app: Flask, number: str) -> None:
    officers.made(app, paid)
    officer = at_the_list(app, OFFICER)
    page = officer.press("匯出 XLSX")
    assert "payout-EC09-1.xlsx" in page.headers["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(page.content)).worksheets[0]
    assert [sheet.cell(3, 2).value, sheet.cell(3, 8).value, sheet.cell(4, 8).value] == [number, 2000, 2000]
    page = at_the_list(app, CASHIER).press("匯出 CSV")
    assert number in page.content.decode("utf-8-sig") and page.headers["Content-Type"].startswith("text/csv")


def test_the_months_that_a_list_pays_stand_beside_their_claim(
    app: Flask, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> None:
        open_service(monthly=True)
        granted()

    officers.made(app, make)
    officers.at(app, monkeypatch, later(70))
    officer = officers.signed_in(app, OFFICER)
    page = officer.get(f"/staff/payouts/services/{CODE}")
    assert "114年9月、114年10月、114年11月、114年12月" in page.text and "NT$ 8,000" in page.text
    assert "可造冊 2 案，合計 NT$ 10,000" in page.text
    page = officer.press("造冊", {"claims": []})
    assert page.status == 422 and "請勾選" in page.mistakes[0]
    page = officer.press("造冊", {"claims": [str(page.soup.select("input[name=claims]")[1]["value"])]})
    assert "4 筆，NT$ 8,000" in page.text


def test_accounts_are_for_whoever_works_on_the_list(app: Flask, number: str) -> None:
    officers.made(app, paid)
    account = officers.made(app, lambda: db.session.scalars(select(PayoutClaim)).one().account or {})
    research = at_the_list(app, "guo.shiming")
    assert account["account"] not in research.page.text and account["account"][-4:] in research.page.text
    assert not research.page.offers("匯出 CSV") and not research.page.offers("登錄退匯")
    assert account["account"] in at_the_list(app, OFFICER).page.text
    pid = officers.made(app, lambda: db.session.scalars(select(PayoutList)).one().public_id)
    path = f"/staff/payouts/lists/{pid}"
    assert officers.signed_in(app, "yang.zhihao").get(path).status == 404, "another unit's"
    assert officers.signed_in(app, "yang.zhihao").post(f"{path}/export", {"kind": "csv"}).status == 404
    assert research.post(f"{path}/export", {"kind": "csv"}).status == 403
    assert officers.signed_in(app, "huang.meilan").get("/staff/payouts").status == 403


def test_what_is_paid_every_month_is_checked_after_a_year_and_stopped(
    app: Flask, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> None:
        open_service(monthly=True)
        granted()
        with unit_of_work():
            assert payouts.recheck(later(371)) == 2

    officers.made(app, make)
    officers.at(app, monkeypatch, later(371))
    officer = officers.signed_in(app, OFFICER)
    page = officer.get(f"/staff/payouts/services/{CODE}")
    assert "目前沒有可以造冊的款項" in page.text and "待複查或退匯" in page.text
    page = officer.get(f"/staff/payouts?q={number}")
    assert page.heading.endswith("的款項") and "一次發給" not in page.text and "待確認" in page.text
    officer.get("/staff/payouts/checks")
    monthly = next(
        str(row.select_one("a")["href"])
        for row in officer.page.soup.select("tbody tr")
        if "每月" in row.get_text()
    )
    page = officer.get(monthly)
    assert "每月 NT$ 2,000" in page.text and "114年9月" in page.text
    stale = officers.signed_in(app, OTHER)
    stale.get(monthly)
    page = officer.press("停發", {"reason": "", **day("stopped")})
    assert page.status == 422 and page.mistakes == ["請填寫停發原因。"]
    page = officer.press("停發", {"reason": "遷出本縣", **day("stopped", year="115", month="9", day="2")})
    assert page.status == 200 and "遷出本縣" in page.text and not page.offers("停發")
    assert stale.press("確認繼續發給").status == 409


def test_the_pages_speak_english(app: Flask, number: str) -> None:
    officers.made(app, paid)
    officer = officers.signed_in(app, OFFICER)
    officer.get("/language/en")
    page = officer.get("/staff/payouts")
    assert "Payment lists" in page.text and "Paid" in page.text and "撥款" not in page.text
