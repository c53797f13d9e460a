"""Evaluations of a register as its page lists them: cut into pages and counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import aliased

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Plan, PlanGrade, Register, RegisterEntry
from webapp.periods import Period
from webapp.permissions import Actor, visible_to
from webapp.queries import plans


@dataclass(frozen=True)
class Row:
    """An entry with its evaluation, where one was opened."""

    entry: RegisterEntry
    plan: Plan
    grade: PlanGrade | None
    #: of its case: the id, where the reader may open it, and the state that it is in
    case: str | None
    case_state: str | None

    @property
    def title(self) -> str:
        return self.entry.title or self.plan.title

    @property
    def state(self) -> str:
        return self.grade.state if self.grade is not None else "none"


def in_year(of: Register, year: Period) -> Select[tuple[RegisterEntry]]:
    """What stood in the register during the year. What was only taken over as published is not evaluated here."""
    january = year.first_month.replace(day=31)
    return select(RegisterEntry).where(
        RegisterEntry.register_id == of.id,
        RegisterEntry.origin != "published",
        RegisterEntry.since <= year.last_day,
        or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > january),
    )


def rows(actor: Actor, of: Register, year: Period, page: int | None = 1) -> list[Row]:
    """A page of them, or all (page None), by number."""
    found = in_year(of, year).subquery()
    entry = aliased(RegisterEntry, found)
    statement = (
        select(entry, Plan, PlanGrade, case((visible_to(actor), Case.public_id)), Case.state)
        .join(Plan, Plan.id == entry.plan_id)
        .outerjoin(PlanGrade, PlanGrade.entry_id == entry.id)
        .outerjoin(Case, Case.id == PlanGrade.case_id)
        .order_by(func.length(entry.case_no).nulls_last(), entry.case_no, entry.id)
    )
    if page is not None:
        statement = statement.limit(plans.PAGE).offset((page - 1) * plans.PAGE)
    return [Row(*each) for each in db.session.execute(statement)]


def row(actor: Actor, of: Register, year: Period, pid: str) -> Row:
    statement = (
        select(RegisterEntry, Plan, PlanGrade, case((visible_to(actor), Case.public_id)), Case.state)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .outerjoin(PlanGrade, PlanGrade.entry_id == RegisterEntry.id)
        .outerjoin(Case, Case.id == PlanGrade.case_id)
        .where(
            RegisterEntry.public_id == pid,
            RegisterEntry.id.in_(in_year(of, year).with_only_columns(RegisterEntry.id)),
        )
    )
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound()
    return Row(*found)


def counts(of: Register, year: Period) -> tuple[Counter[str], Counter[str]]:
    """Entries by state, and published grades."""
    entries = in_year(of, year).with_only_columns(RegisterEntry.id).subquery()
    states, grades = Counter[str](), Counter[str]()
    for state, grade, count in db.session.execute(
        select(PlanGrade.state, PlanGrade.grade, func.count())
        .select_from(entries)
        .outerjoin(PlanGrade, PlanGrade.entry_id == entries.c.id)
        .group_by(PlanGrade.state, PlanGrade.grade)
    ):
        states[state or "none"] += count
        if state == "published":
            grades[grade] += count
    return states, grades


def others(of: Register) -> Sequence[Register]:
    """The same kind of register in every year, the newest first."""
    return db.session.scalars(
        select(Register).where(Register.kind == of.kind).order_by(Register.roc_year.desc(), Register.key)
    ).all()
