"""An invented review and a visit on the invented plans of this year, and what the rules put before the heads."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account, Plan, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import month_of
from webapp.permissions import staff_actor
from webapp.queries import plans
from webapp.services import meetings
from webapp.services import verifications as picking
from webapp.services.meetings import Entered

MARK = "（示範）"
MINUTES = "一、落後計畫請主辦單位檢討工序，並依所填日期趕上。\n二、下次會議追蹤辦理情形。"


def load(control: Account, register: Register, now: datetime) -> None:
    actor, today = staff_actor(control.id, control.name, now), taipei_day(now)
    for kind, title, ago, chair, agenda, minutes in (
        ("visit", "環湖步道照明改善實地訪視", 24, "", (), ""),
        ("quarterly_review", "選項列管季檢討會", 20, "縣長", ("上次會議追蹤", "落後計畫檢討"), MINUTES),
    ):
        said = Entered(
            kind,
            title + MARK,
            today - timedelta(days=ago),
            place="第一會議室" if chair else "工地",
            chair=chair,
            minutes=minutes,
        )
        meetings.enter(actor, register, said, agenda, now, origin="demonstration")
    month = plans.months(register.id)[0]
    for_heads = [
        pick.entry_id
        for pick in picking.picked(register, month_of(month), now)
        if pick.kind == "heads_meeting"
    ]
    keys = db.session.scalars(
        select(RegisterEntry.public_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(RegisterEntry.id.in_(for_heads))
        .order_by(Plan.code)
    ).all()
    picking.open_ticked(actor, register, month_of(month), keys[:1], now)
