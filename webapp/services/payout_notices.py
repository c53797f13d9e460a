"""Who is told of a payment list: its heads when it waits for them, the applicants when it is paid or came back."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

from flask import current_app
from sqlalchemy import select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Account, Case, PayoutEntry, PayoutList
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries import payouts as queries
from webapp.queries.org import chart
from webapp.services import duties, effects, notices

#: who may approve a list, the nearest first
HEADS = ("section_head", "department_head", "township_head")
_SUBJECT = Text(zh="撥款清冊待核定：{service} 第 {n} 號", en="A payment list to approve: {service}, list {n}")
_BODY = Text(
    zh="{by}陳核{period}的撥款清冊，{lines} 筆，合計新臺幣 {total} 元。\n{url}",
    en="{by} proposes the payment list of {period}: {lines} payments, NT$ {total} in all.\n{url}",
)


def proposed(of: PayoutList, now: datetime) -> None:
    """In the system, and by e-mail where there is an address."""
    lines = queries.lines(of)
    title = definitions.current_service(of.service_code, taipei_day(now)).title
    url = f"{current_app.config['BASE_URL']}/staff/payouts/lists/{of.public_id}"
    people = _heads([line.case for line in lines], {of.created_by_id, of.proposed_by_id or 0}, now)
    for account in db.session.scalars(select(Account).where(Account.id.in_(people)).order_by(Account.id)):
        lang = account.language
        words = {
            "service": title.in_(lang),
            "n": of.number,
            "by": chart().names.get(of.proposed_by_id or 0, ""),
            "period": of.period,
            "lines": len(lines),
            "total": dollars(of.total),
            "url": url,
        }
        for channel in ("inbox", *(("email",) if account.email else ())):
            notices.post(
                f"payout_proposed:{of.public_id}:{of.version}:{account.id}:{channel}",
                channel,
                account.email or account.name,
                _SUBJECT.in_(lang).format_map(words),
                _BODY.in_(lang).format_map(words),
                now,
                account_id=account.id,
            )


def _heads(cases: list[Case], makers: set[int], now: datetime) -> set[int]:
    """The nearest heads, and their deputies, who may approve: whoever made the list is none of them."""
    if not cases:
        return set()
    today = taipei_day(now)
    for head in HEADS:
        for unit in (cases[0].handling_unit_id, cases[0].owner_unit_id):
            people = {
                person
                for person, acting_for in duties.hands(unit, head, today)
                if makers.isdisjoint({person, acting_for})
            }
            if people:
                return people
    return set()


def paid(of: PayoutList, on: date, now: datetime) -> None:
    """Each applicant once, with all that was paid of the case."""
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    cases: dict[int, Case] = {}
    for line in queries.lines(of):
        amounts[line.case.id] += line.entry.amount
        cases[line.case.id] = line.case
    effects.enqueue(
        *(
            notices.effect(
                case,
                "paid_out",
                now,
                on_date=on,
                occasion=of.public_id,
                words={"amount": dollars(amounts[case.id])},
            )
            for case in cases.values()
        )
    )


def came_back(entry: PayoutEntry, case: Case, on: date, now: datetime) -> None:
    """What the bank said, and what to do about it."""
    unit = chart().units[case.handling_unit_id]
    notices.notify(
        case,
        "payment_came_back",
        now,
        on_date=on,
        comment=entry.returned_reason or "",
        occasion=f"{entry.id}",
        words={"amount": dollars(entry.amount), "unit": unit.name(case.language), "phone": unit.phone},
    )


def dollars(amount: Decimal) -> str:
    return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
