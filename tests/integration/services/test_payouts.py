"""造冊撥款: granted, listed once, approved by another, exported, returned and listed again, confirmed each year."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.journeys import NOW, officer, submitted, take
from tests.money import later
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, PayoutClaim, PayoutEntry
from webapp.services import payouts
from webapp.uow import unit_of_work

OFFICER, HEAD = "lin.yahan", "chen.shufen"


@pytest.fixture(autouse=True)
def _context(app: Flask, committed: None):
    with app.app_context():
        yield


def granted() -> Case:
    case = submitted("EC09")
    take(case, "propose_approval")
    take(case, "approve")
    return case


def test_from_the_grant_to_the_bank_and_back() -> None:
    case = granted()
    author, head = officer(OFFICER), officer(HEAD)
    claim = db.session.scalars(select(PayoutClaim)).one()
    assert (claim.case_id, claim.amount) == (case.id, 2000)
    assert claim.account is not None and claim.payee
    assert payouts.waiting(officer("yang.zhihao"), "EC09") == [], "another unit's"
    with unit_of_work():
        made = payouts.gather(author, "EC09", "114年9月", NOW)
    assert (made.number, made.total, made.state) == (1, 2000, "draft")
    with pytest.raises(Refused):
        payouts.gather(author, "EC09", "114年9月", NOW)
    with pytest.raises(Conflict):
        payouts.export(author, made)
    with pytest.raises(Forbidden):
        payouts.approve(author, made, NOW, version=made.version)
    with pytest.raises(Forbidden):
        payouts.approve(officer("zhang.jianguo"), made, NOW, version=made.version)
    with unit_of_work():
        payouts.approve(head, made, NOW, version=made.version)
    with pytest.raises(Conflict):
        payouts.approve(head, made, NOW, version=made.version - 1)
    lines = payouts.export(author, made).decode("utf-8-sig").splitlines()
    assert lines[0] == ",".join(payouts.HEAD) and len(lines) == 2
    assert case.number in lines[1] and claim.account["account"] in lines[1] and lines[1].endswith(",2000.00")
    entry = db.session.scalars(select(PayoutEntry)).one()
    with unit_of_work():
        payouts.give_back(author, entry, later(3).date(), "帳號錯誤", later(3))
    with pytest.raises(Conflict):
        payouts.give_back(author, entry, later(3).date(), "帳號錯誤", later(3))
    with pytest.raises(Refused):
        payouts.gather(author, "EC09", "114年10月", later(3))
    with unit_of_work():
        payouts.confirm(author, claim, later(4), {"bank": "700", "account": "=1+1", "holder": "陳美玲"})
        second = payouts.gather(author, "EC09", "114年10月", later(4))
        payouts.approve(head, second, later(4), version=second.version)
    assert second.number == 2
    assert ",'=1+1," in payouts.export(author, second).decode(), "a spreadsheet must not calculate it"


def test_a_dissolved_list_lets_its_amounts_wait_again() -> None:
    granted()
    with unit_of_work():
        made = payouts.gather(officer(OFFICER), "EC09", "114年9月", NOW)
        payouts.dissolve(officer(OFFICER), made, version=made.version)
    assert made.state == "dissolved" and len(payouts.waiting(officer(OFFICER), "EC09")) == 1


def test_the_database_refuses_one_claim_on_two_lists() -> None:
    granted()
    with unit_of_work():
        made = payouts.gather(officer(OFFICER), "EC09", "114年9月", NOW)
    claim = db.session.scalars(select(PayoutClaim.id)).one()
    db.session.add(PayoutEntry(list_id=made.id, claim_id=claim, amount=2000))
    with pytest.raises(IntegrityError, match="uq_payout_entry_standing"):
        db.session.flush()
    db.session.rollback()


def test_what_waits_for_a_year_is_looked_at_before_it_is_paid() -> None:
    granted()
    with unit_of_work():
        assert (payouts.recheck(later(365)), payouts.recheck(later(370)), payouts.recheck(later(371))) == (
            0,
            1,
            0,
        )
    with pytest.raises(Refused):
        payouts.gather(officer(OFFICER), "EC09", "115年10月", later(371))
    claim = db.session.scalars(select(PayoutClaim)).one()
    with unit_of_work():
        payouts.confirm(officer(OFFICER), claim, later(371))
        assert payouts.gather(officer(OFFICER), "EC09", "115年10月", later(371)).total == 2000
