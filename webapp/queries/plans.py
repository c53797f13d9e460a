"""Registers and plans as their pages show them: counted and cut into pages by the database, never in a loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Select, String, and_, case, cast, func, or_, select, text
from sqlalchemy.orm import aliased

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import (
    Baseline,
    BaselinePoint,
    Edition,
    Firing,
    Plan,
    PlanBudget,
    PlanSite,
    PlanUnit,
    ProgressReport,
    PublishedFigure,
    Register,
    RegisterEntry,
    Revision,
)
from webapp.periods import Period, last_day, month_before, month_of, parse, quarter_of
from webapp.queries.plan_facts import Point, money_counted
from webapp.rows import among

PAGE = 50
#: months and changes that a page names
MOST_MONTHS = 36
MOST_MONTHS_WITHOUT_REPORTS = 36
MOST_CHANGES = 20
#: months from one report to the next
STEPS = {"monthly": 1, "quarterly": 3, "half_yearly": 6}
#: the worst first
ORDER = ("red", "grey", "yellow", "green", "blue")


@dataclass(frozen=True)
class Line:
    """An entry of a register with what was reported for a month."""

    entry_id: int
    plan: str
    code: str
    title: str
    project_no: int | None
    project: str
    case_no: str
    supervisor: str
    lead_unit_id: int
    origin: str
    note: str
    budget: Decimal | None
    report_id: int | None
    planned: Decimal | None
    actual: Decimal | None
    lag: Decimal | None
    standing: str | None
    light: str | None
    published_class: str | None
    phase: str
    report_note: str
    budget_execution: Decimal | None
    before: str | None
    further_units: tuple[int, ...] = ()

    @property
    def units(self) -> tuple[int, ...]:
        return (self.lead_unit_id, *self.further_units)


@dataclass
class UnitRow:
    unit_id: int
    plans: int = 0
    lights: Counter[str] = field(default_factory=Counter)
    severe: int = 0
    budget: Decimal = Decimal(0)


@dataclass
class Overview:
    """A register in a month: everything counted once, by unit, light and what it was before."""

    plans: int = 0
    lights: Counter[str] = field(default_factory=Counter)
    standings: Counter[str] = field(default_factory=Counter)
    units: dict[int, UnitRow] = field(default_factory=dict)
    #: (standing before, now) of what stands otherwise
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    budget: Decimal = Decimal(0)
    due: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)

    @property
    def execution(self) -> Decimal | None:
        return percent(self.spent, self.due) if self.due else None


@dataclass(frozen=True)
class Filters:
    unit_id: int | None = None
    light: str = ""
    q: str = ""
    changed: bool = False


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """Rounded half up to two decimals, once."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP)


# --- registers --------------------------------------------------------------------------------------------


def registers() -> list[Register]:
    return list(
        db.session.scalars(select(Register).order_by(Register.roc_year.desc(), Register.kind, Register.key))
    )


def register(key: str) -> Register:
    found = db.session.scalars(select(Register).where(Register.key == key)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def months(register_id: int) -> list[date]:
    """Months for which something was reported, the newest first: one look into the index a month."""
    rows = db.session.execute(
        text(
            """
            with recursive found(month) as (
                (select max(month) from progress_report where register_id = :register)
                union all
                select (select max(month) from progress_report where register_id = :register and month < found.month)
                from found where found.month is not null
            )
            select month from found where month is not null limit :most
            """
        ),
        {"register": register_id, "most": MOST_MONTHS},
    )
    return list(rows.scalars())


def months_of(of: Register, today: date) -> list[date]:
    """Those; of a year that is over and for which nothing was reported, the months that its entries stood in it."""
    found, end = months(of.id), date(of.roc_year + 1911, 12, 1)
    if found or last_day(end) >= today:
        return found
    since = db.session.execute(
        select(func.min(RegisterEntry.since)).where(RegisterEntry.register_id == of.id)
    ).scalar_one()
    first = min(since.replace(day=1), end) if since is not None else end
    return [month for n in range(MOST_MONTHS_WITHOUT_REPORTS) if (month := month_before(end, n)) >= first]


def periods_ending(month: date) -> list[Period]:
    """The month itself, and what ends with it: quarter, half, year."""
    found = [month_of(month)]
    if month.month % 3 == 0:
        found.append(quarter_of(month))
    if month.month % 6 == 0:
        found.append(parse(f"{month.year - 1911}H{month.month // 6}"))
    if month.month == 12:
        found.append(parse(str(month.year - 1911)))
    return found


def published(register_id: int, month: date) -> list[PublishedFigure]:
    """Figures that the county printed for a period that ends with the month."""
    keys = [period.key for period in periods_ending(month)]
    return list(
        db.session.scalars(
            select(PublishedFigure)
            .where(PublishedFigure.register_id == register_id, PublishedFigure.period.in_(keys))
            .order_by(PublishedFigure.id)
        )
    )


def editions(register_id: int) -> list[Edition]:
    return list(
        db.session.scalars(
            select(Edition)
            .where(Edition.register_id == register_id)
            .order_by(Edition.last_month.desc(), Edition.id)
        )
    )


def edition(register_id: int, period: str) -> Edition | None:
    return db.session.scalars(
        select(Edition).where(Edition.register_id == register_id, Edition.period == period)
    ).one_or_none()


def closed_around(register_id: int, period: Period) -> Edition | None:
    """The edition of a longer period that it lies in: nothing of it changes any more."""
    return db.session.scalars(
        select(Edition)
        .where(
            Edition.register_id == register_id,
            Edition.first_month <= period.first_month,
            Edition.last_month >= period.last_month,
            Edition.period != period.key,
        )
        .order_by(Edition.closed_at, Edition.id)
        .limit(1)
    ).one_or_none()


# --- a register in a month --------------------------------------------------------------------------------


def overview(of: Register, month: date) -> Overview:
    now, before = aliased(ProgressReport), aliased(ProgressReport)
    rows = db.session.execute(
        select(
            Plan.lead_unit_id,
            now.light,
            now.standing,
            before.standing,
            func.count(),
            # what nobody has reported spending on is not compared
            func.sum(now.budget_due).filter(now.budget_spent.is_not(None)),
            func.sum(now.budget_spent),
        )
        .select_from(RegisterEntry)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .outerjoin(now, _of(of, now, month))
        .outerjoin(before, _before(of, before, month))
        .where(_standing_in(of, month))
        .group_by(Plan.lead_unit_id, now.light, now.standing, before.standing)
    )
    found = Overview()
    for unit_id, light, standing, earlier, count, due, spent in rows:
        shown = light or "none"
        found.plans += count
        found.lights[shown] += count
        found.standings[standing or "none"] += count
        if earlier is not None and standing is not None and earlier != standing:
            found.changes[earlier, standing] += count
        unit = found.units.setdefault(unit_id, UnitRow(unit_id))
        unit.plans += count
        unit.lights[shown] += count
        unit.severe += count if standing == "severe" else 0
        found.due += due or 0
        found.spent += spent or 0
    budgets = db.session.execute(
        select(Plan.lead_unit_id, func.sum(PlanBudget.amount))
        .select_from(RegisterEntry)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .join(PlanBudget, PlanBudget.plan_id == Plan.id)
        .where(_standing_in(of, month), money_counted())
        .group_by(Plan.lead_unit_id)
    )
    for unit_id, budget in budgets:
        found.units[unit_id].budget = budget
        found.budget += budget
    return found


def projects(of: Register, month: date) -> int:
    """專案 that group the plans of the register."""
    grouped = func.coalesce(cast(RegisterEntry.project_no, String), RegisterEntry.project)
    return db.session.execute(
        select(func.count(grouped.distinct())).where(_standing_in(of, month), RegisterEntry.project != "")
    ).scalar_one()


def lines(
    of: Register, month: date, filters: Filters = Filters(), page: int | None = 1, *, by_number: bool = False
) -> list[Line]:
    """A page of entries, the worst first, or all of them (page None) by project and number."""
    now, statement = _found(of, month, filters)
    if by_number:
        number = cast(func.substring(RegisterEntry.case_no, r"^[0-9]{1,9}"), Numeric)
        statement = statement.order_by(
            RegisterEntry.project_no.nulls_last(),
            number.nulls_last(),
            RegisterEntry.case_no,
            RegisterEntry.id,
        )
    else:
        rank = case({light: n for n, light in enumerate(ORDER)}, value=now.light, else_=len(ORDER))
        statement = statement.order_by(rank, now.lag.desc().nulls_last(), RegisterEntry.id)
    if page is not None:
        statement = statement.limit(PAGE).offset((page - 1) * PAGE)
    return lines_of(of, month, db.session.scalars(statement).all())


def count(of: Register, month: date, filters: Filters) -> int:
    _now, statement = _found(of, month, filters)
    return db.session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()


def changed(of: Register, month: date) -> list[Line]:
    """What stands otherwise than at the report before, the worst first."""
    return lines(of, month, Filters(changed=True))[:MOST_CHANGES]


def _found(of: Register, month: date, filters: Filters) -> tuple[Any, Select[tuple[int]]]:
    """The report of the month, to sort by, and the ids of what passes the filters: no table is read in vain."""
    now, before = aliased(ProgressReport), aliased(ProgressReport)
    statement = select(RegisterEntry.id).outerjoin(now, _of(of, now, month)).where(_standing_in(of, month))
    if filters.unit_id is not None or filters.q:
        statement = statement.join(Plan, Plan.id == RegisterEntry.plan_id)
    if filters.unit_id is not None:
        statement = statement.where(Plan.lead_unit_id == filters.unit_id)
    if filters.light == "none":
        statement = statement.where(now.light.is_(None))
    elif filters.light:
        statement = statement.where(now.light == filters.light)
    if filters.q:
        words = like(filters.q)
        statement = statement.where(
            or_(
                Plan.title.ilike(words, escape="!"),
                RegisterEntry.title.ilike(words, escape="!"),
                RegisterEntry.project.ilike(words, escape="!"),
                RegisterEntry.case_no == filters.q,
            )
        )
    if filters.changed:
        statement = statement.join(before, _before(of, before, month)).where(before.standing != now.standing)
    return now, statement


def like(words: str) -> str:
    return "%" + words.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def lines_of(of: Register, month: date, ids: Sequence[int]) -> list[Line]:
    """Everything that a row says of these entries, in their order."""
    now, before = aliased(ProgressReport), aliased(ProgressReport)
    rows = db.session.execute(
        select(
            RegisterEntry.id,
            Plan.public_id,
            Plan.code,
            func.coalesce(RegisterEntry.title, Plan.title),
            RegisterEntry.project_no,
            RegisterEntry.project,
            func.coalesce(RegisterEntry.case_no, ""),
            RegisterEntry.supervisor,
            Plan.lead_unit_id,
            RegisterEntry.origin,
            RegisterEntry.note,
            _budget(),
            now.id,
            now.planned,
            now.actual,
            now.lag,
            now.standing,
            now.light,
            now.published_class,
            func.coalesce(now.phase, ""),
            func.coalesce(now.note, ""),
            now.budget_execution,
            before.standing,
        )
        .select_from(RegisterEntry)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .outerjoin(now, _of(of, now, month))
        .outerjoin(before, _before(of, before, month))
        .where(among(RegisterEntry.id, ids))
    )
    found = {row[0]: row for row in rows}
    more: dict[int, list[int]] = {}
    units = db.session.execute(
        select(RegisterEntry.id, PlanUnit.unit_id)
        .join(PlanUnit, PlanUnit.plan_id == RegisterEntry.plan_id)
        .where(among(RegisterEntry.id, ids))
        .order_by(PlanUnit.position)
    )
    for entry_id, unit_id in units:
        more.setdefault(entry_id, []).append(unit_id)
    return [Line(*found[key], further_units=tuple(more.get(key, ()))) for key in ids]


def _of(of: Register, report: Any, month: date) -> ColumnElement[bool]:
    return and_(report.entry_id == RegisterEntry.id, report.register_id == of.id, report.month == month)


def _before(of: Register, report: Any, month: date) -> ColumnElement[bool]:
    return as_reported(of, report, month_before(month, STEPS[of.cycle]))


def as_reported(of: Register, report: Any, month: date) -> ColumnElement[bool]:
    """What was reported of an entry's plan for a month: before the year of the register, in that of its kind then."""
    year = month.year - 1911
    if year == of.roc_year:
        return _of(of, report, month)
    then, held = aliased(RegisterEntry), aliased(Register)
    held_in = select(held.id).where(held.kind == of.kind, held.roc_year == year).order_by(held.id).limit(1)
    former = select(then.id).where(
        then.plan_id == RegisterEntry.plan_id, then.register_id == held_in.scalar_subquery()
    )
    return and_(
        report.entry_id == former.correlate(RegisterEntry).scalar_subquery(),
        report.month == month,
    )


def _standing_in(of: Register, month: date) -> ColumnElement[bool]:
    """Entries that stood in the register at the end of the month."""
    end = last_day(month)
    return and_(
        RegisterEntry.register_id == of.id,
        RegisterEntry.since <= end,
        or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > end),
    )


def _budget() -> Any:
    return (
        select(func.sum(PlanBudget.amount))
        .where(PlanBudget.plan_id == Plan.id, money_counted())
        .correlate(Plan)
        .scalar_subquery()
    )


# --- a plan -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fired:
    title: Any
    revision: int
    at: Any
    explanation: Sequence[dict[str, Any]]
    outcomes: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Standing:
    """A plan in one register: its curve versions, its reports, and why the newest stands where it stands."""

    register: Register
    entry: RegisterEntry
    baselines: Sequence[tuple[Baseline, Sequence[Point]]]
    reports: Sequence[ProgressReport]
    fired: Fired | None
    closed: frozenset[date]


def plan(pid: str) -> Plan:
    found = db.session.scalars(select(Plan).where(Plan.public_id == pid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def entry(pid: str) -> RegisterEntry:
    found = db.session.scalars(select(RegisterEntry).where(RegisterEntry.public_id == pid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def plan_of(entry: RegisterEntry) -> Plan:
    return db.session.get_one(Plan, entry.plan_id)


def units_of(of: Plan) -> list[tuple[int, str]]:
    """The leading unit, then the others with their roles."""
    rows = db.session.execute(
        select(PlanUnit.unit_id, PlanUnit.role).where(PlanUnit.plan_id == of.id).order_by(PlanUnit.position)
    )
    return [(of.lead_unit_id, "lead"), *((unit, role) for unit, role in rows)]


def sites_of(of: Plan) -> list[str]:
    return list(
        db.session.scalars(select(PlanSite.name).where(PlanSite.plan_id == of.id).order_by(PlanSite.position))
    )


def budget_of(of: Plan) -> list[PlanBudget]:
    return list(
        db.session.scalars(
            select(PlanBudget)
            .where(PlanBudget.plan_id == of.id)
            .order_by(PlanBudget.roc_year.nulls_first(), PlanBudget.source)
        )
    )


def above_and_below(of: Plan) -> tuple[list[Plan], list[Plan]]:
    """The vision and indicator that a plan serves, the topmost first, and what serves it."""
    above: list[Plan] = []
    parent = of.parent_id
    while parent is not None and len(above) < 5:
        above.insert(0, db.session.get_one(Plan, parent))
        parent = above[0].parent_id
    below = db.session.scalars(select(Plan).where(Plan.parent_id == of.id).order_by(Plan.code).limit(PAGE))
    return above, list(below)


def standings(of: Plan) -> list[Standing]:
    rows = db.session.execute(
        select(RegisterEntry, Register)
        .join(Register, Register.id == RegisterEntry.register_id)
        .where(RegisterEntry.plan_id == of.id)
        .order_by(RegisterEntry.released_on.nulls_first(), Register.kind, RegisterEntry.id)
    )
    return [_standing(entry, register_) for entry, register_ in rows]


def _standing(entry: RegisterEntry, of: Register) -> Standing:
    reports = db.session.scalars(
        select(ProgressReport).where(ProgressReport.entry_id == entry.id).order_by(ProgressReport.month)
    ).all()
    baselines = db.session.scalars(
        select(Baseline).where(Baseline.entry_id == entry.id).order_by(Baseline.number.desc())
    ).all()
    points: dict[int, list[Point]] = {}
    for point in db.session.scalars(
        select(BaselinePoint)
        .where(among(BaselinePoint.baseline_id, [each.id for each in baselines]))
        .order_by(BaselinePoint.month)
    ):
        points.setdefault(point.baseline_id, []).append(Point(point.month, point.planned, point.budget))
    spans = db.session.execute(
        select(Edition.first_month, Edition.last_month).where(Edition.register_id == of.id)
    ).all()
    closed = frozenset(
        report.month for report in reports for first, last in spans if first <= report.month <= last
    )
    return Standing(
        of,
        entry,
        [(each, points.get(each.id, [])) for each in baselines],
        reports,
        fired(reports[-1].id) if reports else None,
        closed,
    )


def fired(report_id: int) -> Fired | None:
    row = db.session.execute(
        select(Revision.body, Revision.number, Firing.at, Firing.explanation, Firing.outcomes)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Firing.progress_report_id == report_id)
        .order_by(Firing.id.desc())
        .limit(1)
    ).one_or_none()
    return Fired(row[0]["title"], *row[1:]) if row is not None else None
