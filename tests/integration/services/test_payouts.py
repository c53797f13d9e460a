"""造冊撥款: granted, listed once, approved by another, exported, paid, returned and listed again, checked each year."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.journeys import NOW, account, officer
from tests.money import later
from tests.payouts import (
    CASHIER,
    CODE,
    HEAD,
    OFFICER,
    OTHER,
    UPPER,
    approved,
    gathered,
    granted,
    open_service,
    paid,
    waiting,
)
from webapp.errors import Conflict, DomainError, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, PayoutClaim, PayoutEntry, PayoutList
from webapp.moments import taipei_day
from webapp.permissions import PERMISSIONS
from webapp.queries import payouts as queries
from webapp.services import payout_files, payout_notices, payouts
from webapp.uow import unit_of_work

ACCOUNT = {"bank": "700", "account": "00012345678", "holder": "陳美玲"}


@pytest.fixture(autouse=True)
def _context(app: Flask, committed: None):
    with app.app_context():
        open_service()
        yield


def the_claim() -> PayoutClaim:
    return db.session.scalars(select(PayoutClaim)).one()


def refused(kind: type[DomainError], act: Callable[[], object]) -> str:
    with pytest.raises(kind) as refusal, unit_of_work():
        act()
    return refusal.value.text.zh


# --- from the grant to the bank and back ------------------------------------------------------------------


def test_a_grant_waits_and_is_listed_once() -> None:
    case, author = granted(), officer(OFFICER)
    claim = the_claim()
    assert (claim.case_id, claim.amount) == (case.id, 2000)
    assert claim.account is not None and claim.payee
    assert waiting(officer("yang.zhihao")) == [], "another unit's"
    made = gathered()
    assert (made.number, made.total, made.state) == (1, 2000, "draft")
    told = refused(Conflict, lambda: payouts.gather(author, CODE, "114年9月", {claim.public_id}, NOW))
    assert "林雅涵造入第 1 號清冊" in told
    refused(Refused, lambda: payouts.gather(author, CODE, "114年9月", set(), NOW))
    refused(Refused, lambda: payouts.gather(author, CODE, " ", {claim.public_id}, NOW))
    elsewhere = officer("yang.zhihao")
    refused(Conflict, lambda: payouts.gather(elsewhere, CODE, "114年9月", {claim.public_id}, NOW))


def test_each_step_has_its_own_person() -> None:
    granted()
    made, author, head, cashier = gathered(), officer(OFFICER), officer(HEAD), officer(CASHIER)
    refused(Conflict, lambda: payouts.approve(head, made, NOW, version=made.version))
    refused(Conflict, lambda: payouts.export(author, made, "csv", NOW))
    refused(Forbidden, lambda: payouts.propose(officer("yang.zhihao"), made, NOW, version=made.version))
    with unit_of_work():
        payouts.propose(author, made, NOW, version=made.version)
    refused(Forbidden, lambda: payouts.approve(author, made, NOW, version=made.version))
    refused(Forbidden, lambda: payouts.approve(officer("zhang.jianguo"), made, NOW, version=made.version))
    refused(Conflict, lambda: payouts.pay(cashier, made, taipei_day(NOW), NOW, version=made.version))
    refused(Refused, lambda: payouts.send_back(head, made, " ", NOW, version=made.version))
    with unit_of_work():
        payouts.send_back(head, made, "戶名請再核對", NOW, version=made.version)
    assert (made.state, made.note, made.proposed_by_id) == ("draft", "戶名請再核對", None)
    with unit_of_work():
        payouts.propose(author, made, NOW, version=made.version)
    with unit_of_work():
        payouts.approve(head, made, NOW, version=made.version, says_same=True)
    assert "陳淑芬" in refused(Conflict, lambda: payouts.approve(head, made, NOW, version=made.version - 1))
    refused(Conflict, lambda: payouts.dissolve(author, made, NOW, version=made.version))
    refused(Forbidden, lambda: payouts.pay(head, made, taipei_day(NOW), NOW, version=made.version))
    for day in (NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=1)):
        refused(Refused, lambda day=day: payouts.pay(cashier, made, day, NOW, version=made.version))
    with unit_of_work():
        payouts.pay(cashier, made, later(2).date(), later(3), version=made.version)
    assert (made.state, made.paid_on, made.paid_by_id) == ("paid", later(2).date(), account(CASHIER).id)
    refused(Conflict, lambda: payouts.pay(cashier, made, later(3).date(), later(3), version=made.version))
    refused(NotFound, lambda: payouts.export(officer("yang.zhihao"), made, "csv", NOW))
    steps = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == made.public_id).order_by(AuditEntry.id)
    ).all()
    done = ("gathered", "proposed", "sent_back", "proposed", "approved", "paid")
    assert steps == [f"payout_{step}" for step in done]


def test_nobody_approves_what_they_made_or_what_is_their_own() -> None:
    case = granted()
    made = gathered()
    with unit_of_work():
        payouts.propose(officer(OFFICER), made, NOW, version=made.version)
    with unit_of_work():
        made.created_by_id = account(HEAD).id
    refused(Refused, lambda: payouts.approve(officer(HEAD), made, NOW, version=made.version))
    case.account_id = account(UPPER).id
    db.session.commit()
    told = refused(Refused, lambda: payouts.approve(officer(UPPER), made, NOW, version=made.version))
    assert "您自己的申請" in told


def test_a_returned_payment_is_listed_again_once_confirmed() -> None:
    granted()
    first, author, cashier, claim = paid(), officer(OFFICER), officer(CASHIER), the_claim()
    for day, number in ((later(-1).date(), 1), (later(4).date(), 1), (later(3).date(), 2)):
        with pytest.raises(Refused), unit_of_work():
            payouts.give_back(cashier, first, number, day, "帳號錯誤", later(3))
    refused(Refused, lambda: payouts.give_back(cashier, first, 1, later(3).date(), "", later(3)))
    with unit_of_work():
        payouts.give_back(cashier, first, 1, later(3).date(), "帳號錯誤", later(3))
    refused(Conflict, lambda: payouts.give_back(author, first, 1, later(3).date(), "帳號錯誤", later(3)))
    refused(Conflict, lambda: payouts.gather(author, CODE, "114年10月", {claim.public_id}, later(3)))
    assert [each.public_id for each in queries.to_check(author)] == [claim.public_id]
    refused(Forbidden, lambda: payouts.confirm(cashier, claim, later(4), version=claim.version))
    with unit_of_work():
        payouts.confirm(author, claim, later(4), version=claim.version, account=ACCOUNT)
    refused(Conflict, lambda: payouts.confirm(author, claim, later(4), version=claim.version - 1))
    second = gathered(later(4))
    assert (second.number, second.total) == (2, 2000)
    old, new = (queries.lines(each)[0].entry for each in (first, second))
    assert new.account == ACCOUNT and old.account != ACCOUNT, "what was approved does not change afterwards"
    assert old.returned_reason == "帳號錯誤"


def test_a_dissolved_list_lets_its_amounts_wait_again() -> None:
    granted()
    made = gathered()
    with unit_of_work():
        payouts.dissolve(officer(OFFICER), made, NOW, version=made.version)
    assert made.state == "dissolved" and len(waiting(officer(OFFICER))) == 1
    assert gathered().number == 2


# --- every month, and the yearly look ---------------------------------------------------------------------


def test_what_is_paid_every_month_is_listed_month_by_month_until_it_is_stopped() -> None:
    open_service(monthly=True)
    granted()
    author, claim = officer(OFFICER), the_claim()
    assert claim.first_month == date(2025, 9, 1)
    first = paid()
    assert [line.entry.month for line in queries.lines(first)] == [date(2025, 9, 1)]
    assert waiting(author) == [], "September was listed"
    second = paid(later(70))
    months = [line.entry.month for line in queries.lines(second)]
    assert months == [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)] and second.total == 6000
    with unit_of_work():
        payouts.give_back(author, second, 2, later(71).date(), "帳戶已結清", later(71))
    assert [each.is_ready for each in queries.due(queries.seen(author), later(71).date())] == [False]
    with unit_of_work():
        payouts.confirm(author, claim, later(72), version=claim.version, account=ACCOUNT)
    third = gathered(later(110))
    months = [line.entry.month for line in queries.lines(third)]
    assert months == [date(2025, 11, 1), date(2026, 1, 1)], "the month that came back, and the present one"
    with unit_of_work():
        payouts.dissolve(author, third, later(110), version=third.version)
    refused(
        Refused,
        lambda: payouts.stop(author, claim, later(111).date(), "死亡", later(110), version=claim.version),
    )
    with unit_of_work():
        payouts.stop(author, claim, date(2025, 12, 20), "死亡", later(110), version=claim.version)
    left = queries.due(queries.seen(author), later(110).date())
    assert [each.month for each in left] == [date(2025, 11, 1)], "nothing after the month of the day"
    refused(Conflict, lambda: payouts.confirm(author, claim, later(110), version=claim.version))


def test_what_is_paid_every_month_is_looked_at_every_year() -> None:
    open_service(monthly=True)
    granted()
    paid()
    author, claim = officer(OFFICER), the_claim()
    with unit_of_work():
        assert [payouts.recheck(later(days)) for days in (365, 370, 371)] == [0, 1, 0]
    assert queries.to_check(author) and not queries.to_check(officer("yang.zhihao"))
    refused(Conflict, lambda: payouts.gather(author, CODE, "115年10月", {claim.public_id}, later(371)))
    db.session.refresh(claim)
    with unit_of_work():
        payouts.confirm(author, claim, later(371), version=claim.version)
    assert not queries.to_check(author) and len(queries.lines(gathered(later(371)))) == 13


def test_what_is_paid_once_is_looked_at_only_while_it_waits() -> None:
    granted()
    paid()
    granted()
    with unit_of_work():
        assert payouts.recheck(later(371)) == 1
    [claim] = queries.to_check(officer(OFFICER))
    with unit_of_work():
        payouts.stop(
            officer(OFFICER), claim, later(371).date(), "不符資格", later(371), version=claim.version
        )
    assert not queries.to_check(officer(OFFICER)) and not waiting(officer(OFFICER), later(371))


# --- at once ----------------------------------------------------------------------------------------------


def at_once(app: Flask, *acts: Callable[[], object]) -> list[str]:
    """What became of each, in threads that start together."""
    together = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        with app.app_context():
            db.session.execute(select(1))
            together.wait(30)
            try:
                with unit_of_work():
                    act()
            except DomainError as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(each.result() for each in [pool.submit(run, act) for act in acts])


def test_two_people_gather_the_same_claims(app: Flask) -> None:
    for _round in range(5):
        granted()
        chosen = {claim.public_id for claim in waiting(officer(OFFICER))}
        db.session.rollback()

        def gather(login: str, chosen: set[str] = chosen) -> object:
            return payouts.gather(officer(login), CODE, "114年9月", chosen, NOW)

        found = at_once(app, *(lambda login=login: gather(login) for login in (OFFICER, OTHER) * 3))
        assert found == ["Conflict"] * 5 + ["done"]
    assert db.session.scalars(select(PayoutList.number).order_by(PayoutList.id)).all() == [1, 2, 3, 4, 5]


def test_two_people_gather_different_claims_of_a_service(app: Flask) -> None:
    for _case in range(2):
        granted()
    one, two = (claim.public_id for claim in waiting(officer(OFFICER)))
    db.session.rollback()
    found = at_once(
        app,
        lambda: payouts.gather(officer(OFFICER), CODE, "甲", {one}, NOW),
        lambda: payouts.gather(officer(OTHER), CODE, "乙", {two}, NOW),
    )
    assert found == ["done", "done"]
    assert sorted(db.session.scalars(select(PayoutList.number))) == [1, 2]


def test_a_list_is_approved_or_dissolved_and_paid_once(app: Flask) -> None:
    granted()
    made = gathered()
    with unit_of_work():
        payouts.propose(officer(OFFICER), made, NOW, version=made.version)
    key, version = made.id, made.version
    db.session.rollback()

    def the_list() -> PayoutList:
        return db.session.get_one(PayoutList, key)

    def dissolve() -> None:
        payouts.dissolve(officer(OFFICER), the_list(), NOW, version=version)

    def approve() -> None:
        payouts.approve(officer(HEAD), the_list(), NOW, version=version, says_same=True)

    assert at_once(app, dissolve, approve) == ["Conflict", "done"]
    db.session.expire_all()
    if the_list().state == "dissolved":
        key = approved().id
    version = the_list().version
    db.session.rollback()

    def pay() -> None:
        payouts.pay(officer(CASHIER), the_list(), taipei_day(NOW), NOW, version=version)

    assert at_once(app, pay, pay) == ["Conflict", "done"]

    def give_back() -> None:
        payouts.give_back(officer(CASHIER), the_list(), 1, taipei_day(NOW), "帳號錯誤", NOW)

    assert at_once(app, give_back, give_back, give_back) == ["Conflict", "Conflict", "done"]


def test_an_account_does_not_change_while_it_is_listed(app: Flask) -> None:
    granted()
    claim = the_claim()
    key, chosen, version = claim.id, {claim.public_id}, claim.version
    db.session.rollback()

    def stop() -> None:
        held = db.session.get_one(PayoutClaim, key)
        payouts.stop(officer(OTHER), held, taipei_day(NOW), "重複申請", NOW, version=version)

    def gather() -> None:
        payouts.gather(officer(OFFICER), CODE, "114年9月", chosen, NOW)

    at_once(app, stop, gather)
    db.session.expire_all()
    on_a_list = db.session.scalars(select(PayoutEntry)).all()
    assert the_claim().stopped_on is not None or on_a_list, "one of them came first"


# --- files ------------------------------------------------------------------------------------------------


def test_the_files_open_again_with_the_same_figures_and_calculate_nothing() -> None:
    for holder in ("=1+1", "陳美玲"):
        name = "+1+1" if holder == "=1+1" else "陳美玲"  # the same name by its letters
        granted(**{"bank-holder": [holder], "applicant_name": [name]})
    made = approved()
    lines = queries.lines(made)
    rows = list(
        csv.reader(io.StringIO(payouts.export(officer(OFFICER), made, "csv", NOW).decode("utf-8-sig")))
    )
    assert rows[0] == ["EC09 撥款清冊第 1 號（114年9月）"] and tuple(rows[1]) == payout_files.HEAD
    assert [row[1] for row in rows[2:-1]] == [line.case.number for line in lines]
    assert rows[2][2] == "'+1+1" and "'=1+1" in rows[2], "a spreadsheet must not calculate it"
    assert rows[-1][:2] == ["合計", "2 筆"] and rows[-1][-1] == "4000.00"
    content = payouts.export(officer(OFFICER), made, "xlsx", NOW)
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0][0] == rows[0][0] and cells[1] == payout_files.HEAD
    for row, line in zip(cells[2:-1], lines, strict=True):
        to = line.entry.account
        assert row == (
            line.number,
            line.case.number,
            line.entry.payee,
            to["bank"],
            to["account"],
            to["holder"],
            row[6],
            line.entry.amount,
        )
    assert (cells[-1][0], cells[-1][1], cells[-1][-1]) == ("合計", "2 筆", 4000)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row}.isdisjoint({"f", "e"}), "no formula"
    assert sheet.cell(3, 6).quotePrefix
    taken = select(AuditEntry.action).where(AuditEntry.action.startswith("payout_exported"))
    assert db.session.scalars(taken.order_by(AuditEntry.id)).all() == [
        "payout_exported_csv",
        "payout_exported_xlsx",
    ]


# --- the database refuses ---------------------------------------------------------------------------------


def test_the_database_refuses_what_must_not_be() -> None:
    granted()
    made = gathered()
    twice = (
        "insert into payout_entry (list_id, claim_id, amount, payee, account) "
        "select list_id, claim_id, amount, payee, account from payout_entry"
    )

    def refused_with(statement: str) -> str:
        with pytest.raises(IntegrityError) as refusal:
            db.session.execute(text(statement))
        db.session.rollback()
        return str(refusal.value.orig)

    assert "uq_payout_entry_standing" in refused_with(twice)
    by = "proposed_by_id = created_by_id, proposed_at = created_at"
    mine = f"update payout_list set state = 'approved', {by}, approved_by_id = created_by_id, approved_at = created_at"
    assert "ck_payout_list_approved_by_another" in refused_with(mine)
    assert "ck_payout_list_paid_has_a_day" in refused_with(
        "update payout_list set paid_on = created_at::date"
    )
    assert "does not change" in refused_with("update payout_entry set amount = 1")
    with unit_of_work():
        payouts.propose(officer(OFFICER), made, NOW, version=made.version)
    assert "takes no more lines" in refused_with(twice)
    with unit_of_work():
        payouts.approve(officer(HEAD), made, NOW, version=made.version, says_same=True)
    assert "does not change" in refused_with("delete from payout_entry")


def test_whoever_may_approve_a_list_is_told_of_it_and_nobody_else() -> None:
    assert {f"function:{head}" for head in payout_notices.HEADS} == PERMISSIONS["approve_payouts"]
