"""迴避: whoever is a party of a case, by account, e-mail or telephone, themselves or through a deputy, takes no part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests import fixture_services, money
from tests import payouts as lists
from tests.integration.services import test_committees as board
from tests.integration.services.test_reassigning import names
from tests.journeys import NOW, account, officer, open_tasks, submitted, take
from tests.money import asked_to_pay, payment
from tests.officers import absent
from webapp import crypto
from webapp.errors import Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, Letter, LetterChange, PayoutClaim, Refund
from webapp.permissions import SYSTEM
from webapp.services import (
    ballots,
    case_actions,
    committees,
    deliberation,
    dispatch,
    duties,
    extensions,
    file_reviews,
    letter_changes,
    payments,
    payouts,
    refunds,
    suspensions,
    tasks,
)
from webapp.uow import unit_of_work

HEAD, OFFICER, DEPUTY, CASHIER = "chen.shufen", "lin.yahan", "weng.guoliang", "su.jiaqi"
PHONE = "0933222111"


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def of(login: str, code: str = "EC09") -> Case:
    """A case in which somebody of the staff stands by their e-mail address."""
    return submitted(code, email=[f"{login.title()}@ecounter.example"])


def with_phone(login: str) -> Case:
    with unit_of_work():
        account(login).mobile_hash = crypto.keyed_hash(PHONE, "mobile")
    return submitted("EC09", phone=["0933-222-111"])


def with_account(login: str) -> Case:
    case = submitted("EC09")
    with unit_of_work():
        case.account_id = account(login).id
    return case


def refused(do: Callable[[], object]) -> None:
    with pytest.raises(Refused, match="迴避"), unit_of_work():
        do()
    db.session.rollback()


@pytest.mark.parametrize("known_by", [of, with_phone, with_account])
def test_a_head_takes_no_action_on_their_own_case(known_by: Callable[[str], Case]) -> None:
    case = known_by(HEAD)
    assert duties.party_of(case) >= {account(HEAD).id}
    assert names(case, HEAD) == set()
    # another head over the unit may
    assert {"reassign", "move", "transfer_out"} <= names(case, "li.zhengnan")
    with pytest.raises(Forbidden), unit_of_work():
        asked = case_actions.Asked(agency="農業部", reason="不屬本府")
        case_actions.take(officer(HEAD), case, "transfer_out", "", asked, NOW, version=case.version)
    assert suspensions.head(officer(HEAD), case) is None
    refused(lambda: suspensions.suspend(officer(HEAD), case, "颱風", NOW, version=case.version))
    assert not file_reviews.may_write(officer(HEAD), case)
    refused(lambda: file_reviews.write(officer(HEAD), case, "無人應負責。", NOW))


def test_nor_does_who_stands_in_for_them() -> None:
    case = of(HEAD)
    absent(HEAD, DEPUTY, NOW.date(), NOW.date())
    assert names(case, DEPUTY) == set()
    assert suspensions.head(officer(DEPUTY), case) is None
    refused(lambda: suspensions.suspend(officer(DEPUTY), case, "颱風", NOW, version=case.version))


def test_an_officer_neither_claims_nor_asks_for_more_time_but_gives_it_back() -> None:
    case = of(OFFICER)
    (task,) = open_tasks(case)
    with unit_of_work():
        task.assignee_id = None
    refused(lambda: tasks.claim(officer(OFFICER), task, NOW))
    assert task.assignee_id is None
    assert not extensions.may_ask(officer(OFFICER), case)
    refused(lambda: extensions.ask(officer(OFFICER), case, 5, "查證", NOW, version=case.version))
    with unit_of_work():
        task.assignee_id = account(OFFICER).id
    with unit_of_work():
        tasks.release(officer(OFFICER), task, NOW)
    assert open_tasks(case)[0].assignee_id is None


def test_an_extension_goes_past_the_head_who_is_a_party() -> None:
    case = of(HEAD)
    with unit_of_work():
        request = extensions.ask(officer("xu.mingde"), case, 5, "查證", NOW, version=case.version)
    assert request.function == "department_head"
    with unit_of_work():
        request.function, request.unit_id = "section_head", case.handling_unit_id
    assert extensions.decider(officer(HEAD), request, case) is None
    refused(lambda: extensions.decide(officer(HEAD), request, case, NOW, approve=True, answer=""))


def granted(login: str) -> tuple[Case, Letter]:
    """The application names somebody only after it was decided."""
    case = submitted("EC09")
    take(case, "propose_approval")
    take(case, "approve")
    with unit_of_work():
        case.account_id = account(login).id
    return case, db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()


def test_nobody_proposes_a_change_of_their_own_letter() -> None:
    case, letter = granted(OFFICER)
    assert not letter_changes.may_propose(officer(OFFICER), letter, case)
    refused(
        lambda: letter_changes.propose(
            officer(OFFICER), letter, case, letter_changes.Asked("correction_of", "改為三千元", "誤算"), NOW
        )
    )
    assert not dispatch.may_send(officer(OFFICER), case)


def test_nobody_approves_a_change_of_their_own_letter() -> None:
    case, letter = granted(HEAD)
    with unit_of_work():
        letter_changes.propose(
            officer(OFFICER), letter, case, letter_changes.Asked("correction_of", "改為三千元", "誤算"), NOW
        )
    change = db.session.scalars(select(LetterChange)).one()
    assert not letter_changes.may_decide(officer(HEAD), change, case)
    with pytest.raises(Forbidden, match="迴避"), unit_of_work():
        letter_changes.approve(officer(HEAD), change, NOW)


# --- money ---------------------------------------------------------------------------------------------------


def paid_too_much(login: str) -> tuple[Case, Refund]:
    money.open_service()
    case, invoice = asked_to_pay()
    with unit_of_work():
        payments.record(SYSTEM, payment(invoice, invoice.total + 100), NOW)
    with unit_of_work():
        refund = refunds.propose(officer("yang.zhihao"), invoice, Decimal(100), "溢繳", NOW)
    with unit_of_work():
        case.account_id = account(login).id
    return case, refund


def test_a_head_does_not_decide_the_refund_to_themselves() -> None:
    case, refund = paid_too_much("zhang.jianguo")
    assert not refunds.may_decide(officer("zhang.jianguo"), refund, case)
    refused(lambda: refunds.decide(officer("zhang.jianguo"), refund, True, NOW, version=refund.version))
    with unit_of_work():
        refunds.decide(officer("wu.qingyun"), refund, True, NOW, version=refund.version)
    assert refund.state == "approved"


def test_a_cashier_neither_takes_in_nor_pays_out_their_own_money() -> None:
    case, refund = paid_too_much(CASHIER)
    invoice, cashier = refund.invoice, officer(CASHIER)
    assert not refunds.may_propose(cashier, case) and not refunds.may_pay(cashier, case)
    refused(lambda: refunds.propose(cashier, invoice, Decimal(10), "溢繳", NOW))
    refused(lambda: payments.at_counter(cashier, invoice, payment(invoice, 10), NOW))
    with unit_of_work():
        refunds.decide(officer("zhang.jianguo"), refund, True, NOW, version=refund.version)
    refused(lambda: refunds.pay_out(cashier, refund, NOW.date(), NOW, version=refund.version))


def test_a_payee_known_by_address_has_no_hand_in_the_list() -> None:
    for login, phone in (("li.zhengnan", PHONE), (lists.OTHER, "0933222112")):
        lists.granted(phone=[phone])
        with unit_of_work():
            account(login).mobile_hash = crypto.keyed_hash(phone, "mobile")
    claims = [claim.public_id for claim in lists.waiting(officer(lists.OFFICER))]
    with pytest.raises(Refused, match="您自己的申請"), unit_of_work():
        payouts.gather(officer(lists.OTHER), lists.CODE, "114年9月", claims, NOW)
    made = lists.gathered()
    with unit_of_work():
        payouts.propose(officer(lists.OFFICER), made, NOW, version=made.version)
    with pytest.raises(Refused, match="您自己的申請"), unit_of_work():
        payouts.approve(officer("li.zhengnan"), made, NOW, version=made.version)
    with unit_of_work():
        payouts.approve(officer(HEAD), made, NOW, version=made.version, says_same=True)
    own = db.session.scalars(select(PayoutClaim).order_by(PayoutClaim.id.desc())).first()
    refused(lambda: payouts.confirm(officer(lists.OTHER), own, NOW, version=own.version))


# --- refunds: a head over the handling unit ----------------------------------------------------------------


def test_a_refund_is_decided_by_a_head_over_the_handling_unit() -> None:
    case, refund = paid_too_much("chen.meiling")
    for stranger in ("chen.shufen", "li.zhengnan"):
        assert not refunds.may_decide(officer(stranger), refund, case)
        with pytest.raises(Forbidden, match="承辦單位的主管"), unit_of_work():
            refunds.decide(officer(stranger), refund, True, NOW, version=refund.version)
    with pytest.raises(Forbidden, match="承辦單位"), unit_of_work():
        refunds.propose(officer(OFFICER), refund.invoice, Decimal(10), "溢繳", NOW)


def test_the_deputy_who_decides_is_written_down() -> None:
    _case, refund = paid_too_much("chen.meiling")
    absent("zhang.jianguo", "hong.peishan", NOW.date(), NOW.date())
    with unit_of_work():
        refunds.decide(officer("hong.peishan"), refund, True, NOW, version=refund.version)
    assert (refund.decided_by_id, refund.decided_for_id) == (
        account("hong.peishan").id,
        account("zhang.jianguo").id,
    )


def test_neither_the_proposer_nor_whom_they_stood_in_for_decides_it() -> None:
    case, refund = paid_too_much("chen.meiling")
    absent("zhang.jianguo", "yang.zhihao", NOW.date(), NOW.date())
    # the proposer stands in for the head
    assert not refunds.may_decide(officer("yang.zhihao"), refund, case)
    with pytest.raises(Refused, match="由您提出"), unit_of_work():
        refunds.decide(officer("yang.zhihao"), refund, True, NOW, version=refund.version)
    with unit_of_work():
        refund.proposed_for_id = account("wu.qingyun").id
    with pytest.raises(Refused, match="由您提出"), unit_of_work():
        refunds.decide(officer("wu.qingyun"), refund, True, NOW, version=refund.version)


# --- committees ----------------------------------------------------------------------------------------------


def session(monkeypatch: pytest.MonkeyPatch, party: str) -> tuple[Case, board.CommitteeSession]:
    """One case in which somebody stands by their address."""
    fixture_services.publish("committee", monkeypatch)
    made = board.committee()
    (case,) = board.put_forward(email=[f"{party}@ecounter.example"])
    return case, board.meet(made)


def test_a_member_known_by_address_neither_votes_nor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    case, held = session(monkeypatch, board.MEMBERS[0])
    with pytest.raises(Forbidden, match="迴避"):
        ballots.item_of(officer(board.MEMBERS[0]), board.item_of(case))
    (decided,) = deliberation.deciding(held)
    assert decided.count.eligible == len(board.MEMBERS) - 1


def test_neither_secretary_nor_head_decide_a_session_with_their_own_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, held = session(monkeypatch, "li.zhengnan")
    secretary, results = officer("xie.wanru"), {board.item_of(case): ("pass", "")}
    board.cast(case, "yes", "yes", "yes")
    with unit_of_work():
        committees.record(secretary, held, results, board.AFTER, version=held.version)
    refused(lambda: committees.approve(officer("li.zhengnan"), held, board.AFTER, version=held.version))
    with unit_of_work():
        case.account_id = secretary.account_id
    refused(lambda: committees.record(secretary, held, results, board.AFTER, version=held.version))
