"""A register in a month as the national system for plan control (GPMnet, LGPMnet) asks for it: one row a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, func, or_, select

from webapp.extensions import db
from webapp.models import Plan, PlanBudget, PlanUnit, ProgressReport, Register, RegisterEntry
from webapp.periods import last_day
from webapp.queries.plan_facts import money_counted
from webapp.rows import among

#: entries that are read at once: memory does not grow with the register
AT_ONCE = 500


@dataclass(frozen=True)
class Exported:
    entry: RegisterEntry
    plan: Plan
    #: the leading one first
    units: tuple[int, ...]
    #: by source, over all years of the plan
    budget: Mapping[str, Decimal]
    #: of the month; none: nothing was asked or reported
    report: ProgressReport | None


def rows(of: Register, month: date) -> Iterator[Exported]:
    """What stood in the register at the end of the month, by code of the plan."""
    end = last_day(month)
    ids = db.session.scalars(
        select(RegisterEntry.id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(
            RegisterEntry.register_id == of.id,
            RegisterEntry.since <= end,
            or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > end),
        )
        .order_by(Plan.code, RegisterEntry.id)
    ).all()
    for start in range(0, len(ids), AT_ONCE):
        yield from _some(of, month, ids[start : start + AT_ONCE])


def _some(of: Register, month: date, ids: Sequence[int]) -> Iterator[Exported]:
    found = db.session.execute(
        select(RegisterEntry, Plan, ProgressReport)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .outerjoin(
            ProgressReport,
            and_(
                ProgressReport.entry_id == RegisterEntry.id,
                ProgressReport.register_id == of.id,
                ProgressReport.month == month,
            ),
        )
        .where(among(RegisterEntry.id, ids))
        .order_by(Plan.code, RegisterEntry.id)
    ).all()
    plans = [plan.id for _entry, plan, _report in found]
    units, budgets = _units(plans), _budgets(plans)
    for entry, plan, report in found:
        yield Exported(entry, plan, (plan.lead_unit_id, *units[plan.id]), budgets[plan.id], report)


def _units(plans: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for plan, unit in db.session.execute(
        select(PlanUnit.plan_id, PlanUnit.unit_id)
        .where(among(PlanUnit.plan_id, plans))
        .order_by(PlanUnit.plan_id, PlanUnit.position)
    ):
        found[plan].append(unit)
    return found


def _budgets(plans: Sequence[int]) -> dict[int, dict[str, Decimal]]:
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for plan, source, amount in db.session.execute(
        select(PlanBudget.plan_id, PlanBudget.source, func.sum(PlanBudget.amount))
        .where(among(PlanBudget.plan_id, plans), money_counted())
        .group_by(PlanBudget.plan_id, PlanBudget.source)
    ):
        found[plan][source] = amount
    return found
