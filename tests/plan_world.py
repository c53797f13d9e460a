"""Plans, registers and curves for tests. The county's own lists of 109Q3 are in the demonstration county already."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from webapp.extensions import db
from webapp.models import Baseline, BaselinePoint, Plan, Register, RegisterEntry
from webapp.periods import parse
from webapp.queries.org import chart
from webapp.services import plan_imports

#: after the quarter, before the ministry asks for it
NOW = datetime(2020, 10, 12, 2, 0, tzinfo=UTC)
Q3 = parse("109Q3")


def entry(register: Register, title: str = "虛構計畫", unit: str = "PW") -> RegisterEntry:
    """An invented plan in a register."""
    plan = Plan(
        code=plan_imports.next_code(register.roc_year),
        title=title,
        kind="yearly",
        roc_year=register.roc_year,
        level="county",
        lead_unit_id=chart().by_code[unit].id,
        origin="entered",
    )
    db.session.add(plan)
    db.session.flush()
    made = RegisterEntry(
        register_id=register.id, plan_id=plan.id, since=date(register.roc_year + 1911, 1, 1), origin="entered"
    )
    db.session.add(made)
    db.session.flush()
    return made


def baseline(
    of: RegisterEntry,
    *planned: int | Decimal,
    number: int = 1,
    approved: bool = True,
    budget: int | None = None,
) -> Baseline:
    """A curve of so many months from January of 109 on; the budget, if there is one, is due as the progress is."""
    made = Baseline(
        entry_id=of.id, number=number, reason="核定", effective_month=date(2020, 1, 1), origin="demonstration"
    )
    db.session.add(made)
    db.session.flush()
    db.session.add_all(
        BaselinePoint(
            baseline_id=made.id,
            month=date(2020 + n // 12, n % 12 + 1, 1),
            planned=Decimal(share),
            budget=None if budget is None else budget * Decimal(share) / 100,
        )
        for n, share in enumerate(planned)
    )
    db.session.flush()
    if approved:
        made.approved_at = NOW
        db.session.flush()
    return made
