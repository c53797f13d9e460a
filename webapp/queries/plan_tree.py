"""Vision -> indicator -> mid-term plan -> what is carried out: who serves what, its lights and mean progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.orm import aliased

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import AuditEntry, Plan, ScoreHeading, ScoreYear
from webapp.periods import Period, month_before
from webapp.queries.plan_averages import mean
from webapp.queries.plans import PAGE, like

VISION, INDICATOR, MID_TERM = "pledge_vision", "pledge_indicator", "mid_term"
#: what has plans below it
UPPER = (VISION, INDICATOR, MID_TERM)
#: what is carried out, and reported
CARRIED_OUT = ("yearly", "project", "subsidy")
#: below what a plan of each kind may stand
ABOVE: Mapping[str, tuple[str, ...]] = {
    VISION: (),
    INDICATOR: (VISION,),
    MID_TERM: (INDICATOR,),
} | dict.fromkeys(CARRIED_OUT, (INDICATOR, MID_TERM))
#: changes that the page of the pledges tells
CHANGES = "tree_"
MOST_CHANGES = 50


@dataclass(frozen=True)
class Served:
    """A plan with its newest report up to a day; of several registers, the one in which it lags most."""

    id: int
    plan: str
    title: str
    unit_id: int
    roc_year: int
    origin: str
    #: what it stands below, and the indicator that it serves thereby
    parent_id: int | None
    indicator_id: int | None
    month: date | None
    planned: Decimal | None
    lag: Decimal | None
    light: str | None
    standing: str | None
    #: newest actual progress that was reported, and that of half a year before
    actual: Decimal | None
    before: Decimal | None


@dataclass
class Upper:
    """A vision, an indicator or a mid-term plan, with what serves it."""

    plan: Plan
    served: list[Served] = field(default_factory=list)
    below: list[Upper] = field(default_factory=list)

    @property
    def lights(self) -> Counter[str]:
        found = Counter(each.light or "none" for each in self.served)
        return sum((each.lights for each in self.below), found)

    @property
    def plans(self) -> int:
        return len(self.served) + sum(each.plans for each in self.below)

    @property
    def mean(self) -> Decimal | None:
        """Of its plans; a vision has the mean of its indicators. Not rounded."""
        return mean([each.mean for each in self.below] if self.below else [s.actual for s in self.served])

    @property
    def mean_before(self) -> Decimal | None:
        return mean(
            [each.mean_before for each in self.below] if self.below else [s.before for s in self.served]
        )


_SERVED = text(
    """
    select p.id, p.public_id, p.title, p.lead_unit_id, p.roc_year, p.origin, p.parent_id,
        case a.kind when 'pledge_indicator' then a.id else a.parent_id end,
        r.month, r.planned, r.lag, r.light, r.standing, d.actual, b.actual
    from plan as p join plan as a on a.id = p.parent_id
    left join lateral (
        select s.month, s.planned, s.lag, s.light, s.standing
        from register_entry as e join progress_report as s on s.entry_id = e.id
        where e.plan_id = p.id and s.month <= :last and s.light is not null
        order by s.month desc, s.lag desc nulls last, s.id limit 1
    ) as r on true
    left join lateral (
        select s.actual from register_entry as e join progress_report as s on s.entry_id = e.id
        where e.plan_id = p.id and s.month <= :last and s.actual is not null
        order by s.month desc, s.lag desc nulls last, s.id limit 1
    ) as d on true
    left join lateral (
        select s.actual from register_entry as e join progress_report as s on s.entry_id = e.id
        where e.plan_id = p.id and s.month <= :before and s.actual is not null
        order by s.month desc, s.lag desc nulls last, s.id limit 1
    ) as b on true
    where p.kind = any(:kinds) and p.roc_year <= :year
        and (a.id = any(:uppers) or a.kind = 'mid_term' and a.parent_id = any(:uppers))
    order by p.roc_year desc, p.title, p.id
    """
)


def served(uppers: Sequence[Plan], period: Period) -> list[Served]:
    """Plans below these, or below a mid-term plan below these, as they stood at the end of the period."""
    asked = {
        "uppers": [each.id for each in uppers],
        "kinds": list(CARRIED_OUT),
        "year": period.last_month.year - 1911,
        "last": period.last_month,
        "before": month_before(period.first_month),
    }
    return [Served(*row) for row in db.session.execute(_SERVED, asked)]


def pledges(period: Period) -> list[Upper]:
    """The visions with their indicators, each with the plans that serve it."""
    plans = db.session.scalars(
        select(Plan)
        .where(Plan.kind.in_((VISION, INDICATOR)), Plan.roc_year <= period.last_month.year - 1911)
        .order_by(Plan.code)
    ).all()
    uppers = {each.id: Upper(each) for each in plans}
    for row in served(plans, period):
        if row.indicator_id in uppers:
            uppers[row.indicator_id].served.append(row)
    for upper in uppers.values():
        if upper.plan.kind == INDICATOR and upper.plan.parent_id in uppers:
            uppers[upper.plan.parent_id].below.append(upper)
    return [each for each in uppers.values() if each.plan.kind == VISION]


def mid_terms(period: Period) -> list[Upper]:
    """The mid-term plans, the newest first, each with its yearly plans."""
    plans = db.session.scalars(
        select(Plan).where(Plan.kind == MID_TERM).order_by(Plan.roc_year.desc(), Plan.code)
    ).all()
    uppers = {each.id: Upper(each) for each in plans}
    for row in served(plans, period):
        if row.parent_id in uppers:
            uppers[row.parent_id].served.append(row)
    return list(uppers.values())


def upper(public_id: str) -> Plan:
    found = db.session.scalars(
        select(Plan).where(Plan.public_id == public_id, Plan.kind.in_(UPPER))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def below(of: Plan) -> list[Plan]:
    """Indicators of a vision, mid-term plans of an indicator."""
    return list(
        db.session.scalars(
            select(Plan).where(Plan.parent_id == of.id, Plan.kind.in_(UPPER)).order_by(Plan.code)
        )
    )


def of_kind(kind: str) -> list[Plan]:
    return list(db.session.scalars(select(Plan).where(Plan.kind == kind).order_by(Plan.code)))


# --- what is not linked -----------------------------------------------------------------------------------


def _unlinked(year: int, q: str) -> Any:
    """Plans of a year that serve no indicator, neither by themselves nor by a mid-term plan."""
    above = aliased(Plan)
    serves = exists().where(
        above.id == Plan.parent_id, or_(above.kind == INDICATOR, above.parent_id.is_not(None))
    )
    statement = select(Plan).where(Plan.kind.in_(CARRIED_OUT), Plan.roc_year == year, ~serves)
    return statement.where(_named(q)) if q else statement


def _named(q: str) -> Any:
    return or_(Plan.title.ilike(like(q), escape="!"), Plan.code == q)


def unlinked(year: int, q: str = "", page: int = 1) -> tuple[list[Plan], int]:
    """A page of them, and how many there are."""
    statement = _unlinked(year, q)
    count = db.session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    rows = db.session.scalars(statement.order_by(Plan.code).limit(PAGE).offset((page - 1) * PAGE))
    return list(rows), count


def to_link(of: Plan, q: str) -> list[Plan]:
    """Plans of that name that may stand below it and do not yet."""
    kinds = [kind for kind, above in ABOVE.items() if of.kind in above and kind != INDICATOR]
    statement = select(Plan).where(
        Plan.kind.in_(kinds), or_(Plan.parent_id.is_(None), Plan.parent_id != of.id), _named(q)
    )
    if of.kind == MID_TERM:
        statement = statement.where(Plan.roc_year.between(of.roc_year, of.last_year or of.roc_year))
    return list(db.session.scalars(statement.order_by(Plan.roc_year.desc(), Plan.code).limit(PAGE)))


# --- who changed what -------------------------------------------------------------------------------------


def subject(of: Plan) -> str:
    return f"plan {of.public_id}"


def version(of: Plan) -> int:
    """Of what was changed above it or below it last; a page that is older is told so."""
    newest = select(func.max(AuditEntry.id)).where(
        AuditEntry.subject == subject(of), AuditEntry.action.startswith(CHANGES, autoescape=True)
    )
    return db.session.scalars(newest).one() or 0


def changes(of: Sequence[Plan]) -> list[AuditEntry]:
    """Rolling changes of these, the newest first."""
    return list(
        db.session.scalars(
            select(AuditEntry)
            .where(
                AuditEntry.subject.in_([subject(each) for each in of]),
                AuditEntry.action.startswith(CHANGES, autoescape=True),
            )
            .order_by(AuditEntry.id.desc())
            .limit(MOST_CHANGES)
        )
    )


# --- goals of score tables --------------------------------------------------------------------------------


def goals(of: Plan) -> list[tuple[ScoreHeading, ScoreYear]]:
    """Goals of score tables that name the mid-term plan, the newest year first."""
    rows = db.session.execute(
        select(ScoreHeading, ScoreYear)
        .join(ScoreYear, ScoreYear.id == ScoreHeading.year_id)
        .where(ScoreHeading.mid_term_id == of.id)
        .order_by(ScoreYear.year.desc(), ScoreYear.unit_id, ScoreYear.edition.desc(), ScoreHeading.position)
    )
    return [(heading, year) for heading, year in rows]


def goals_to_name(of: Plan) -> list[tuple[ScoreHeading, ScoreYear]]:
    """Goals of tables that are being drafted for one of its years, and name no mid-term plan yet."""
    rows = db.session.execute(
        select(ScoreHeading, ScoreYear)
        .join(ScoreYear, ScoreYear.id == ScoreHeading.year_id)
        .where(
            ScoreHeading.level == "goal",
            ScoreHeading.mid_term_id.is_(None),
            ScoreYear.state == "drafting",
            ScoreYear.year.between(of.roc_year, of.last_year or of.roc_year),
        )
        .order_by(ScoreYear.year, ScoreYear.unit_id, ScoreHeading.position, ScoreHeading.id)
    )
    return [(heading, year) for heading, year in rows]


def mid_terms_of_goals(year_id: int) -> dict[int, Plan]:
    """By goal, the mid-term plan that it comes from."""
    rows = db.session.execute(
        select(ScoreHeading.id, Plan)
        .join(Plan, Plan.id == ScoreHeading.mid_term_id)
        .where(ScoreHeading.year_id == year_id)
        .order_by(ScoreHeading.id)
    )
    return dict(rows.all())


def covers(mid_term_id: int, year: int) -> bool:
    of = db.session.get_one(Plan, mid_term_id)
    return of.roc_year <= year <= (of.last_year or of.roc_year)
