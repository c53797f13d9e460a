"""A grant that was revoked or withdrawn is not paid; where a list was approved before, whoever pays is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from tests import payouts as lists
from tests.journeys import NOW, account, login_of, officer
from tests.money import later
from tests.officers import made, signed_in
from tests.payouts import CASHIER, CODE, HEAD, OFFICER, granted
from webapp.extensions import db
from webapp.models import Case, Letter, LetterChange, Message, PayoutClaim, PayoutList
from webapp.services import letter_changes, payouts
from webapp.uow import unit_of_work


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def proposed(case: Case, kind: str) -> LetterChange:
    letter = db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    with unit_of_work():
        return letter_changes.propose(
            officer(OFFICER),
            letter,
            case,
            letter_changes.Asked(kind, "原核准不再維持", "資格不符", "4", NOW.date()),
            NOW,
        )


def changed(case: Case, kind: str = "revocation") -> None:
    change = proposed(case, kind)
    with unit_of_work():
        letter_changes.approve(officer(HEAD), change, NOW)
    db.session.expire_all()


@pytest.mark.parametrize("kind", ["revocation", "withdrawal"])
def test_what_waits_is_not_listed_any_more(kind: str) -> None:
    case, other = granted(), granted()
    changed(case, kind)
    assert [claim.case_id for claim in lists.waiting(officer(OFFICER))] == [other.id]
    claim = db.session.scalars(select(PayoutClaim).where(PayoutClaim.case_id == case.id)).one()
    assert (claim.stopped_on, claim.stopped_by_id) == (NOW.date(), account(HEAD).id)
    assert db.session.scalars(select(Message).where(Message.subject.contains("清冊"))).all() == []


def test_a_correction_changes_nothing_of_the_payment() -> None:
    case = granted()
    changed(case, "correction_of")
    assert len(lists.waiting(officer(OFFICER))) == 1


def test_it_comes_off_a_list_that_nobody_has_approved() -> None:
    case, other = granted(), granted()
    made_list = lists.gathered()
    with unit_of_work():
        payouts.propose(officer(OFFICER), made_list, NOW, version=made_list.version)
    seen = made_list.version
    changed(case)
    assert (made_list.state, made_list.total) == ("proposed", 2000) and made_list.version > seen
    assert [entry.claim.case_id for entry in made_list.entries] == [other.id]
    changed(other)
    assert (made_list.state, made_list.total, made_list.entries) == ("dissolved", 0, [])


def test_an_approved_list_stays_and_whoever_pays_is_told(app: Flask) -> None:
    case = granted()
    late = lists.approved()
    change = proposed(case, "revocation")
    page = made(app, lambda: signed_in(app, HEAD).get(f"/staff/letter-changes/{change.public_id}").text)
    assert "款項在第 1 號清冊上，清冊已核定" in page
    with unit_of_work():
        letter_changes.approve(officer(HEAD), change, NOW)
    db.session.expire_all()
    assert (late.state, late.total, len(late.entries)) == ("approved", 2000, 1)
    told = db.session.scalars(select(Message).where(Message.channel == "inbox")).all()
    warned = {login_of(m.account_id) for m in told if "款項在第 1 號清冊上" in m.subject}
    assert {OFFICER, HEAD, CASHIER} <= warned


@pytest.mark.parametrize(("kind", "months"), [("revocation", []), ("withdrawal", [date(2025, 9, 1)])])
def test_a_monthly_grant_ends_from_the_start_or_from_now_on(kind: str, months: list[date]) -> None:
    lists.open_service(monthly=True)
    case = granted()
    drafted = lists.gathered()
    changed(case, kind)
    assert [entry.month for entry in drafted.entries] == months
    assert lists.waiting(officer(OFFICER, later(70)), later(70)) == []
    assert db.session.scalars(select(PayoutList.service_code)).one() == CODE
