"""The fee on the pages: slip, payment, cashier, differences, refunds, and the fee back when the decision is late."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests import money, officers
from tests.journeys import NOW, account, officer, take
from tests.money import TOTAL, asked_to_pay, later, payment
from tests.visitor import Visitor
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect, Invoice, Refund
from webapp.payments import Notification, bank_transfer
from webapp.permissions import SYSTEM
from webapp.services import invoices, payments, refunds
from webapp.uow import unit_of_work

APPLICANT, OFFICER, HEAD, CASHIER = "chen.meiling", "yang.zhihao", "zhang.jianguo", "su.jiaqi"


@pytest.fixture
def case(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Public id of a case that waits for its fee, and the account to pay to."""
    officers.at(app, monkeypatch, NOW)

    def make() -> tuple[str, str]:
        money.open_service()
        case, invoice = asked_to_pay()
        for order in db.session.scalars(
            select(Effect.id).where(Effect.case_id == case.id).order_by(Effect.id)
        ).all():
            perform_effect(order)
        return case.public_id, invoice.account

    return officers.made(app, make)


def invoice_of(pid: str) -> Invoice:
    return db.session.scalars(select(Invoice).join(Case).where(Case.public_id == pid)).one()


def invoice_page(app: Flask, login: str, pid: str) -> Visitor:
    person = officers.signed_in(app, login)
    person.get(f"/staff/invoices/{officers.made(app, lambda: invoice_of(pid).public_id)}")
    assert person.page.heading.endswith("繳費單"), person.page
    return person


def paid(app: Flask, pid: str, amount: Decimal = TOTAL) -> None:
    def pay() -> None:
        with unit_of_work():
            payments.record(SYSTEM, payment(invoice_of(pid), amount), NOW)

    officers.made(app, pay)


def test_the_applicant_sees_how_to_pay_and_that_it_was_paid(app: Flask, case: tuple[str, str]) -> None:
    pid, number = case
    citizen = officers.signed_in(app, APPLICANT)
    page = citizen.get(f"/applications/{pid}")
    for words in ("請在民國114年10月7日前繳納 NT$ 31,200", "009 示範銀行", f"{number[:5]} {number[5:9]}"):
        assert words in page.text, page.text
    slip = citizen.follow("下載繳費單（PDF）")
    assert "繳費期限" in slip.pdf_text and number[:5] in slip.pdf_text
    body, headers = bank_transfer.signed(
        app.config["PAYMENT_SECRET"], officers.made(app, lambda: payment(invoice_of(pid))), NOW
    )
    assert (
        app.test_client().post("/api/payments/bank-transfer", data=body, headers=headers).status_code == 200
    )
    page = citizen.get(f"/applications/{pid}")
    assert "規費已繳清" in page.text and "主管正在做最後決定" in page.text
    assert not page.links("下載規費收據（PDF）")
    officers.made(app, lambda: _print_all(pid))
    citizen.get(f"/applications/{pid}")
    assert "31,200" in citizen.follow("下載規費收據（PDF）").pdf_text


def _print_all(pid: str) -> None:
    case = officers.case_of(pid)
    for order in db.session.scalars(
        select(Effect.id).where(Effect.case_id == case.id).order_by(Effect.id)
    ).all():
        perform_effect(order)


def test_the_polled_part_changes_with_a_part_of_the_fee(app: Flask, case: tuple[str, str]) -> None:
    pid, _account = case
    client = app.test_client()
    with app.app_context(), client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = account(APPLICANT).get_id(), True
    first = client.get(f"/applications/{pid}?part=progress").headers["ETag"]
    paid(app, pid, Decimal(200))
    again = client.get(f"/applications/{pid}?part=progress", headers={"If-None-Match": first})
    assert again.status_code == 200 and "請補足差額" in again.text and "31,000" in again.text


def test_the_cashier_finds_the_invoice_and_takes_the_money(app: Flask, case: tuple[str, str]) -> None:
    pid, number = case
    cashier = officers.signed_in(app, CASHIER)
    cashier.get("/staff/inbox")
    page = cashier.follow("出納")
    assert "沒有金額不符的款項" in page.text
    page = cashier.get(f"/staff/cashier?q={number[:5]}+{number[5:]}")
    assert page.heading.endswith("繳費單"), page
    case_number = officers.made(app, lambda: officers.case_of(pid).number)
    assert cashier.get(f"/staff/cashier?q={case_number}").heading.endswith("繳費單")
    page = cashier.press("登錄收款", {"amount": "12.5", "reference": "收據一", "day-day": "32"})
    assert page.status == 422 and len(page.mistakes) == 3, page.mistakes
    assert page.value("reference") == "收據一"
    today = {"day-year": "114", "day-month": "9", "day-day": "25"}
    page = cashier.press("登錄收款", {"amount": "31200", "reference": "C-1", **today})
    assert page.status == 200 and "已繳清" in page.text and "蘇嘉琪" in page.text
    page = cashier.press("登錄收款", {"amount": "31200", "reference": "C-1", **today})
    assert page.status == 409 and "已經登錄過" in page.text
    page = cashier.press("登錄收款", {"amount": "1", "reference": "C-2", **today, "day-day": "26"})
    assert page.status == 422 and "不能晚於今天" in page.text


def test_the_officer_sees_until_when_the_fee_can_be_paid_and_has_the_slip(
    app: Flask, case: tuple[str, str]
) -> None:
    page = officers.signed_in(app, OFFICER).get(f"/staff/cases/{case[0]}")
    assert "等候申請人繳費" in page.text and "最後一天是民國114年10月7日" in page.text
    slip = officers.signed_in(app, OFFICER).get(f"/applications/{case[0]}/payment-slip.pdf")
    assert page.links("下載繳費單（PDF）") and case[1][:5] in slip.pdf_text


TODAY = {"day-year": "114", "day-month": "9", "day-day": "25"}


def test_an_amount_that_is_much_too_large_is_asked_about_with_both_numbers(
    app: Flask, case: tuple[str, str]
) -> None:
    cashier = invoice_page(app, CASHIER, case[0])
    page = cashier.press("登錄收款", {"amount": "3120000", "reference": "C-1", **TODAY})
    assert page.status == 422, page
    assert "金額 NT$ 3,120,000 比應繳的 NT$ 31,200 多出許多" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    page = cashier.press("登錄收款", {"amount": "31200000", "sure": "3120000"})
    assert page.status == 422, "what was confirmed is another amount"
    assert cashier.press("登錄收款", {"amount": "3120000"}).status == 422
    page = cashier.press("登錄收款", {"amount": "3120000", "sure": "3120000"})
    assert page.status == 200 and "已繳清" in page.text


def test_what_was_mistyped_is_taken_back_on_the_same_day_and_counts_no_more(
    app: Flask, case: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _number = case
    cashier = invoice_page(app, CASHIER, pid)
    cashier.press("登錄收款", {"amount": "300", "reference": "C-1", **TODAY})
    assert not invoice_page(app, OFFICER, pid).page.offers("收回這筆登錄")
    page = cashier.press("收回這筆登錄")
    assert page.status == 422 and page.mistakes == ["請寫明收回的理由。"]
    first = officers.made(app, lambda: invoice_of(pid).payments[0].id)
    page = cashier.press("收回這筆登錄", {f"reason-{first}": "登錄到別的繳費單"})
    assert page.status == 200 and "已收回" in page.text and "登錄到別的繳費單" in page.text
    assert officers.made(app, lambda: invoices.balance(invoice_of(pid)).received) == 0
    # the same receipt, with too much: the fee is paid and the case goes on
    cashier.press("登錄收款", {"amount": "32100", "reference": "C-1", **TODAY})
    second = officers.made(app, lambda: invoice_of(pid).payments[-1].id)
    officers.made(app, lambda: _print_all(pid))
    page = cashier.press("收回這筆登錄", {f"reason-{second}": "金額打錯"})
    assert page.status == 422 and "案件已因這筆收款續行" in page.text
    page = cashier.press("收回這筆登錄", {f"correct-{second}": "31200", f"reason-{second}": "金額打錯"})
    assert page.status == 200, page
    balance = officers.made(app, lambda: invoices.balance(invoice_of(pid)))
    assert (balance.received, balance.too_much) == (TOTAL, 0)
    officers.made(app, lambda: _print_all(pid))
    receipt = officers.signed_in(app, APPLICANT).get(f"/applications/{pid}/payment-receipt.pdf")
    assert "31,200" in receipt.pdf_text and "32,100" not in receipt.pdf_text
    messages = officers.signed_in(app, OFFICER).get(f"/staff/cases/{pid}").text
    assert "收款登錄已更正" in messages and "收回收款登錄" in messages
    officers.at(app, monkeypatch, later(1))
    assert not invoice_page(app, CASHIER, pid).page.offers("收回這筆登錄")


def test_a_payment_typed_too_small_and_corrected_pays_the_fee(app: Flask, case: tuple[str, str]) -> None:
    pid, _number = case
    cashier = invoice_page(app, CASHIER, pid)
    waits = officers.made(app, lambda: officers.case_of(pid).state)
    cashier.press("登錄收款", {"amount": "300", "reference": "C-1", **TODAY})
    mistyped = officers.made(app, lambda: invoice_of(pid).payments[0].id)
    page = cashier.press("收回這筆登錄", {f"correct-{mistyped}": "31000", f"reason-{mistyped}": "漏打二個零"})
    assert page.status == 200 and "已繳清" not in page.text
    again = officers.made(app, lambda: invoice_of(pid).payments[-1].id)
    page = cashier.press("收回這筆登錄", {f"correct-{again}": "31200", f"reason-{again}": "又打錯"})
    assert page.status == 200 and "已繳清" in page.text
    assert officers.made(app, lambda: (invoice_of(pid).state, officers.case_of(pid).state == waits)) == (
        "paid",
        False,
    )
    officers.made(app, lambda: _print_all(pid))
    messages = officers.signed_in(app, OFFICER).get(f"/staff/cases/{pid}").text
    assert messages.count("收款登錄已更正") == 2 and "已收到您的繳費" in messages


def test_the_database_keeps_what_an_invoice_rests_on(app: Flask, case: tuple[str, str]) -> None:
    pid, _number = case
    cashier = invoice_page(app, CASHIER, pid)
    cashier.press("登錄收款", {"amount": "31200", "reference": "C-1", **TODAY})

    def forced() -> None:
        payment = invoice_of(pid).payments[0]
        payment.taken_back_at, payment.taken_back_by_id = NOW, account(CASHIER).id
        payment.taken_back_reason = "不合規則"
        db.session.commit()

    with pytest.raises(IntegrityError, match="rests on payment"):
        officers.made(app, forced)


def test_what_does_not_fit_is_listed_until_it_goes_back(
    app: Flask, case: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _account = case
    paid(app, pid, TOTAL + 80)
    cashier = officers.signed_in(app, CASHIER)
    assert "NT$ 80" in cashier.get("/staff/cashier").text
    officer = invoice_page(app, OFFICER, pid)
    page = officer.press("提出退費", {"refund-amount": "40000", "refund-reason": ""})
    assert page.status == 422 and "請寫明退費理由" in page.text
    page = officer.press("提出退費", {"refund-amount": "40000", "refund-reason": "溢繳"})
    assert page.status == 422 and "31,280 元" in page.text
    page = officer.press("提出退費", {"refund-amount": "80", "refund-reason": "溢繳"})
    assert page.status == 200 and "等候核定" in page.text and not page.offers("同意退費")
    page = cashier.get("/staff/cashier")
    assert "沒有金額不符的款項" in page.text and "等候核定" in page.text
    head = invoice_page(app, HEAD, pid)
    slow = invoice_page(app, HEAD, pid)
    assert head.press("同意退費").status == 200
    assert slow.press("不同意").status == 409
    cashier = invoice_page(app, CASHIER, pid)
    page = cashier.press("今天已退費")
    assert page.status == 200 and "民國114年9月25日 退費" in page.text
    citizen = officers.signed_in(app, APPLICANT)
    assert "已於民國114年9月25日退還" in citizen.get(f"/applications/{pid}").text
    # each step stands in the history of the case
    page = officers.signed_in(app, OFFICER).get(f"/staff/cases/{pid}")
    for words in ("開立繳費單", "收到繳費", "提出退費", "核定退費", "已退費", "看繳費單"):
        assert words in page.text


def test_the_cashier_finds_out_whose_money_it_is(app: Flask, case: tuple[str, str]) -> None:
    pid, number = case
    made = (("T-1", TOTAL), ("T-2", Decimal(50)))

    def arrive() -> None:
        with unit_of_work():
            for reference, amount in made:
                payments.record(SYSTEM, Notification(reference, "99371000000000", amount, NOW), NOW)

    officers.made(app, arrive)
    cashier, slow = (officers.signed_in(app, login) for login in (CASHIER, "xu.yaqi"))
    for person in (cashier, slow):
        person.get("/staff/cashier")
        person.follow("T-1")
        page = person.get(f"{person.page.path}?q=EC06-114-000001")
        assert "找不到「EC06-114-000001」的繳費單" in page.text
        page = person.get(f"{person.page.path.partition('?')[0]}?q={number}")
        assert page.offers("歸入這張繳費單") and "NT$ 31,200" in page.text
    page = cashier.press("歸入這張繳費單", {"reason": ""})
    assert page.status == 422 and page.mistakes == ["請寫明怎麼查到的。"]
    page = cashier.press("歸入這張繳費單", {"reason": "銀行回覆匯款人同名"})
    assert page.status == 200 and "已繳清" in page.text
    assert "蘇嘉琪 歸入：銀行回覆匯款人同名" in page.text
    assert officers.made(app, lambda: officers.case_of(pid).state) == "approve"
    page = slow.press("歸入這張繳費單", {"reason": "也查到了"})
    assert page.status == 409 and "蘇嘉琪" in page.mistakes[0]
    cashier.get("/staff/cashier")
    cashier.follow("T-2")
    today = {"back-year": "114", "back-month": "9", "back-day": "25"}
    page = cashier.press("登錄退回", {"why": "", **today, "back-day": "0"})
    assert page.status == 422 and len(page.mistakes) == 2
    page = cashier.press("登錄退回", {"why": "匯款人已更正重匯", **today})
    assert page.status == 200 and "已退回匯款人" in page.text and not page.offers("登錄退回")
    page = cashier.get("/staff/cashier")
    assert "請向銀行查詢匯款人" not in page.text and "T-2" in page.text


def test_the_applicant_ends_a_late_case_and_gets_the_fee_back_with_interest(
    app: Flask, case: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _account = case
    paid(app, pid)
    citizen = officers.signed_in(app, APPLICANT)
    assert not citizen.get(f"/applications/{pid}").links("終止申請並退費")
    assert citizen.get(f"/applications/{pid}/refund").heading != "終止申請並退費"
    # ten working days from 2025-09-25 end before November
    officers.at(app, monkeypatch, later(40))
    citizen = officers.signed_in(app, APPLICANT)
    citizen.get(f"/applications/{pid}")
    page = citizen.follow("終止申請並退費")
    # 31,200 * 1.725 % * 40 / 365 = 58.98
    assert "NT$ 59" in page.text and "NT$ 31,200" in page.text
    page = citizen.press("確定終止並退費")
    assert page.status == 200 and "審核中" in page.text and "NT$ 31,259" in page.text, page.text
    refund = officers.made(app, lambda: db.session.scalars(select(Refund)).one())
    assert (refund.kind, refund.amount, refund.interest) == ("late_decision", TOTAL, Decimal(59))

    def again() -> None:
        found = officers.case_of(pid)
        assert found.outcome == "withdrawn"
        with pytest.raises(Refused):
            refunds.end_late_case(SYSTEM, found, later(41), version=found.version)

    officers.made(app, again)


def test_nobody_decides_their_own_refund_and_no_more_goes_back_than_came(
    app: Flask, case: tuple[str, str]
) -> None:
    pid, _account = case
    paid(app, pid)

    def try_it() -> None:
        invoice = invoice_of(pid)
        with unit_of_work():
            refund = refunds.propose(officer(OFFICER), invoice, Decimal(200), "少算一項", NOW)
        refund.proposed_by_id = account(HEAD).id
        db.session.commit()
        with pytest.raises(Refused):
            refunds.decide(officer(HEAD), refund, True, NOW, version=refund.version)
        db.session.rollback()
        with pytest.raises(Refused):
            refunds.propose(officer(OFFICER), invoice, TOTAL, "全部", NOW)
        db.session.rollback()
        with pytest.raises(Conflict):
            refunds.pay_out(officer(CASHIER), refund, date(2025, 9, 25), NOW, version=refund.version)
        db.session.rollback()

    officers.made(app, try_it)


def test_the_english_page_has_no_chinese_words_for_the_fee(app: Flask, case: tuple[str, str]) -> None:
    pid, _account = case
    citizen = officers.signed_in(app, APPLICANT)
    citizen.get("/language/en")
    page = citizen.get(f"/applications/{pid}")
    assert "Please pay" in page.text and "Account number" in page.text and "請繳費" not in page.text


def test_the_officer_can_take_it_back(app: Flask, case: tuple[str, str]) -> None:
    pid, _account = case

    def back() -> None:
        take(officers.case_of(pid), "take_back", OFFICER)

    officers.made(app, back)
    citizen = officers.signed_in(app, APPLICANT)
    page = citizen.get(f"/applications/{pid}")
    assert "繳費單已取消" in page.text and not page.links("下載繳費單（PDF）")
    assert citizen.get(f"/applications/{pid}/payment-slip.pdf").status == 404
