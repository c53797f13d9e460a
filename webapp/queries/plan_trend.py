"""A register over its months: lights, what is severe, money. Each picture is one statement over the covering index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from webapp.extensions import db
from webapp.models import Plan, ProgressReport, PublishedFigure, Register, RegisterEntry
from webapp.periods import last_day, month_before, parse
from webapp.queries.plans import STEPS, percent, registers

YEAR, TWO_YEARS = 12, 24
LATE = ("severe", "behind")


@dataclass
class Month:
    """What stood in a register at the end of a month, counted by light."""

    month: date
    #: the register that it stood in: that of the year before, where the months go back so far
    register: str
    lights: Counter[str] = field(default_factory=Counter)
    severe: int = 0
    due: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    #: plans, as the county published them, where not every one is named here
    stated: int | None = None

    @property
    def plans(self) -> int:
        return sum(self.lights.values())

    @property
    def rate(self) -> Decimal | None:
        """Of all plans, what is severe."""
        whole = self.stated or self.plans
        return percent(self.severe, whole) if whole else None

    @property
    def execution(self) -> Decimal | None:
        return percent(self.spent, self.due) if self.due else None


#: reports by month and light, less those of entries that were released by its end: these are few; money that is due
#: counts where somebody has reported what was spent of it
_REGISTER = text(
    """
    select register_id, month, light, standing, count(*),
        sum(budget_due) filter (where budget_spent is not null), sum(budget_spent)
    from progress_report where register_id = any(:registers) and month between :first and :last
    group by register_id, month, light, standing
    union all
    select r.register_id, r.month, r.light, r.standing, -count(*),
        -sum(r.budget_due) filter (where r.budget_spent is not null), -sum(r.budget_spent)
    from register_entry as e join progress_report as r on r.entry_id = e.id
    where e.register_id = any(:registers) and r.month between :first and :last
        and e.released_on is not null and e.released_on < r.month + interval '1 month'
    group by r.register_id, r.month, r.light, r.standing
    """
)
_UNIT = text(
    """
    select r.register_id, r.month, r.light, r.standing, count(*),
        sum(r.budget_due) filter (where r.budget_spent is not null), sum(r.budget_spent)
    from plan as p join register_entry as e on e.plan_id = p.id join progress_report as r on r.entry_id = e.id
    where p.lead_unit_id = :unit and e.register_id = any(:registers) and r.month between :first and :last
        and e.since < r.month + interval '1 month'
        and (e.released_on is null or e.released_on >= r.month + interval '1 month')
    group by r.register_id, r.month, r.light, r.standing
    """
)


def by_month(of: Register, until: date, months: int = YEAR, unit_id: int | None = None) -> list[Month]:
    """The months of the cycle up to `until`, from the first that was reported on; before the year of the register,
    those of the register of the same kind."""
    first = month_before(until, months - 1)
    kept = {of.id: of, **{each.id: each for each in _before(of, first)}}
    asked = {"registers": list(kept), "first": first, "last": until, "unit": unit_id}
    found: dict[tuple[int, date], Month] = {}
    rows = db.session.execute(_REGISTER if unit_id is None else _UNIT, asked)
    for register_id, month, light, standing, count, due, spent in rows:
        of_month = found.setdefault((register_id, month), Month(month, kept[register_id].key))
        of_month.lights[light or "none"] += count
        of_month.severe += count if standing == "severe" else 0
        of_month.due += due or 0
        of_month.spent += spent or 0
    if not found:
        return []
    by_year = {register.roc_year: id_ for id_, register in reversed(kept.items())}
    earliest, spans = min(month for _register, month in found), _spans(list(kept), unit_id)
    shown = []
    for month in _cycle(earliest, until, STEPS[of.cycle]):
        held = of.id if (of.id, month) in found else by_year.get(month.year - 1911, of.id)
        of_month = found.get((held, month), Month(month, kept[held].key))
        standing = sum(
            count
            for since, released, count in spans.get(held, ())
            if _stood(since, released, last_day(month))
        )
        of_month.lights["none"] += max(standing - of_month.plans, 0)
        shown.append(of_month)
    if unit_id is None:
        _as_published(shown, kept.values())
    return shown


def _before(of: Register, first: date) -> Sequence[Register]:
    """Of each earlier year, one register of the kind."""
    return db.session.scalars(
        select(Register)
        .ext(distinct_on(Register.roc_year))
        .where(
            Register.kind == of.kind,
            Register.roc_year < of.roc_year,
            Register.roc_year >= first.year - 1911,
        )
        .order_by(Register.roc_year, Register.id)
    ).all()


def _cycle(first: date, until: date, step: int) -> Iterator[date]:
    month = first
    while month <= until:
        if month.month % step == 0:
            yield month
        month = month_before(month, -1)


def _spans(keys: Sequence[int], unit_id: int | None) -> dict[int, list[tuple[date, date | None, int]]]:
    """Since when and until when how many entries stood."""
    statement = (
        select(RegisterEntry.register_id, RegisterEntry.since, RegisterEntry.released_on, func.count())
        .where(RegisterEntry.register_id.in_(keys))
        .group_by(RegisterEntry.register_id, RegisterEntry.since, RegisterEntry.released_on)
    )
    if unit_id is not None:
        statement = statement.join(Plan, Plan.id == RegisterEntry.plan_id).where(Plan.lead_unit_id == unit_id)
    found: dict[int, list[tuple[date, date | None, int]]] = {}
    for register_id, since, released, count in db.session.execute(statement):
        found.setdefault(register_id, []).append((since, released, count))
    return found


def _stood(since: date, released: date | None, day: date) -> bool:
    return since <= day and (released is None or released > day)


def _as_published(shown: Sequence[Month], kept: Iterable[Register]) -> None:
    keys = {each.id: each.key for each in kept}
    rows = db.session.execute(
        select(PublishedFigure.register_id, PublishedFigure.period, PublishedFigure.value)
        .where(PublishedFigure.register_id.in_(keys), PublishedFigure.name == "plans")
        .order_by(PublishedFigure.id)
    )
    stated = {(keys[register], parse(period).last_month): int(value) for register, period, value in rows}
    for of_month in shown:
        of_month.stated = stated.get((of_month.register, of_month.month))


# --- why plans are behind ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reason:
    """None: behind, and no class of a reason was given."""

    key: str | None
    behind: int
    severe: int

    @property
    def plans(self) -> int:
        return self.behind + self.severe


def by_reason(of: Register, month: date, unit_id: int | None = None) -> list[Reason]:
    """Plans behind in a month by the class of the reason that was given, the most frequent first."""
    severe = func.count().filter(ProgressReport.standing == "severe")
    statement = (
        select(ProgressReport.reason_class, func.count() - severe, severe)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(
            ProgressReport.register_id == of.id,
            ProgressReport.month == month,
            ProgressReport.standing.in_(LATE),
            RegisterEntry.since <= last_day(month),
            or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > last_day(month)),
        )
        .group_by(ProgressReport.reason_class)
    )
    if unit_id is not None:
        statement = statement.join(Plan, Plan.id == RegisterEntry.plan_id).where(Plan.lead_unit_id == unit_id)
    found = [Reason(*row) for row in db.session.execute(statement)]
    return sorted(found, key=lambda each: (each.key is None, -each.plans, each.key or ""))


# --- all registers ----------------------------------------------------------------------------------------


@dataclass
class Glance:
    """A register in its newest month, and the report before."""

    register: Register
    month: date | None
    lights: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    severe: int = 0

    @property
    def plans(self) -> int:
        return sum(self.lights.values())

    def change(self, light: str) -> int | None:
        """Against the report before; none where nothing was reported then."""
        return self.lights[light] - self.before[light] if self.before else None


_GLANCES = text(
    """
    with newest as (
        select r.id, m.month, (m.month - make_interval(
            months => case r.cycle when 'quarterly' then 3 when 'half_yearly' then 6 else 1 end
        ))::date as before
        from register as r cross join lateral (
            select coalesce(
                (select max(month) from progress_report where register_id = r.id), cast(:month as date)
            ) as month
        ) as m
    )
    select n.id, p.month, p.month = n.month, p.light, p.standing, count(*)
    from newest as n
    join progress_report as p on p.register_id = n.id and p.month in (n.month, n.before)
    join register_entry as e on e.id = p.entry_id
    where e.since < p.month + interval '1 month'
        and (e.released_on is null or e.released_on >= p.month + interval '1 month')
    group by n.id, n.month, p.month, p.light, p.standing
    union all
    select n.id, null, null, null, null, count(*)
    from newest as n join register_entry as e on e.register_id = n.id
    where e.since < n.month + interval '1 month'
        and (e.released_on is null or e.released_on >= n.month + interval '1 month')
    group by n.id
    """
)


def glances(today: date) -> list[Glance]:
    """Every register, the newest year first."""
    found = {each.id: Glance(each, None) for each in registers()}
    standing: Counter[int] = Counter()
    rows = db.session.execute(_GLANCES, {"month": today.replace(day=1)})
    for register_id, month, is_newest, light, how, count in rows:
        glance = found[register_id]
        if month is None:
            standing[register_id] = count
        elif is_newest:
            glance.month = month
            glance.lights[light or "none"] += count
            glance.severe += count if how == "severe" else 0
        else:
            glance.before[light or "none"] += count
    for register_id, count in standing.items():
        found[register_id].lights["none"] += max(count - found[register_id].plans, 0)
    return list(found.values())


def newest_of_kind(all_of_them: Sequence[Glance]) -> list[Glance]:
    """Those of the newest year in which each kind was reported on."""
    newest: dict[str, int] = {}
    for each in all_of_them:
        if each.month is not None:
            newest[each.register.kind] = max(newest.get(each.register.kind, 0), each.register.roc_year)
    return [
        each
        for each in all_of_them
        if each.month is not None and newest[each.register.kind] == each.register.roc_year
    ]


@dataclass(frozen=True)
class Alarm:
    """An entry to look after, with its report of the newest month."""

    register: Register
    month: date
    plan: str
    title: str
    unit_id: int
    light: str | None
    standing: str | None
    lag: Decimal | None


def alarms(among_them: Sequence[Glance], standing: str, most: int) -> tuple[list[Alarm], int]:
    """Entries that stand so in the newest months of the registers, the worst first, and how many there are."""
    newest = {each.register.id: each for each in among_them if each.month is not None}
    if not newest:
        return [], 0
    asked = or_(
        *(
            (ProgressReport.register_id == key) & (ProgressReport.month == each.month)
            for key, each in sorted(newest.items())
        )
    )
    statement = _alarms().where(ProgressReport.standing == standing, asked)
    whole = db.session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    rows = db.session.execute(
        statement.order_by(ProgressReport.lag.desc().nulls_last(), ProgressReport.id).limit(most)
    )
    return [Alarm(newest[row[0]].register, row[1], *row[2:]) for row in rows], whole


def _alarms() -> Any:
    return (
        select(
            ProgressReport.register_id,
            ProgressReport.month,
            Plan.public_id,
            func.coalesce(RegisterEntry.title, Plan.title).label("title"),
            Plan.lead_unit_id,
            ProgressReport.light,
            ProgressReport.standing,
            ProgressReport.lag,
        )
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(
            RegisterEntry.since < ProgressReport.month + text("interval '1 month'"),
            or_(
                RegisterEntry.released_on.is_(None),
                RegisterEntry.released_on >= ProgressReport.month + text("interval '1 month'"),
            ),
        )
    )
