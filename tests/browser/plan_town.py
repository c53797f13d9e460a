"""The plans of the town: one with two curves, what plans serve, and a year that was graded."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from tests.journeys import NOW
from webapp.extensions import db
from webapp.models import Baseline, BaselinePoint, Plan, PlanGrade, Register, RegisterEntry
from webapp.uow import unit_of_work


def settle() -> dict[str, str]:
    found: dict[str, str] = {}
    school = select(Plan.public_id).where(Plan.title == "開瑄國小校舍及運動場新建")
    found["plan"] = db.session.scalars(school).one()
    mid_term = select(Plan.public_id).where(Plan.kind == "mid_term").order_by(Plan.code)
    found["mid_term"] = db.session.scalars(mid_term).first() or ""
    years = select(Register.roc_year).where(Register.kind == "selected").order_by(Register.roc_year.desc())
    found["plan_year"] = str(db.session.scalars(years).first())
    graded = (
        select(Register.key, RegisterEntry.public_id)
        .join(RegisterEntry, RegisterEntry.register_id == Register.id)
        .join(PlanGrade, PlanGrade.entry_id == RegisterEntry.id)
    )
    found["year_over"], found["graded"] = db.session.execute(graded.order_by(PlanGrade.id).limit(1)).one()
    annex = select(RegisterEntry.public_id).join(Plan).where(Plan.public_id == found["plan"])
    found["plan_entry"] = db.session.scalars(annex.order_by(RegisterEntry.id).limit(1)).one()
    with unit_of_work():
        return found | _curved()


def _curved() -> dict[str, str]:
    """The selected plans of this year, and one of them whose curve was changed."""
    entry, plan, register = db.session.execute(
        select(RegisterEntry, Plan, Register)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .join(Register, Register.id == RegisterEntry.register_id)
        .where(Plan.title == "環湖步道照明改善（示範）", Register.kind == "selected")
    ).one()
    january = date(register.roc_year + 1911, 1, 1)
    changed = Baseline(
        entry_id=entry.id,
        number=2,
        reason="管線遷移，展延期程",
        effective_month=january,
        origin="demonstration",
    )
    db.session.add(changed)
    db.session.flush()
    db.session.add_all(
        BaselinePoint(baseline_id=changed.id, month=january.replace(month=month), planned=planned)
        for month, planned in ((1, 5), (6, 40), (10, 80), (12, 100))
    )
    db.session.flush()
    changed.approved_at = NOW
    return {"this_year": register.key, "curved": plan.public_id}
