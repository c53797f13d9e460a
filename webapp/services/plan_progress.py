"""Progress of plans: a report is taken in, the rules say where it stands, and a closed period keeps what they said.

落後＝預定進度－實際進度, for each entry of a register by itself. What counts as severe stands in the ruleset alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.exc import IntegrityError

from rules.decision import Decision
from rules.values import Text
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import Edition, Firing, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import last_day, month_before, month_label
from webapp.queries import definitions, plan_facts
from webapp.services import evaluation

RULESET = "progress_lag"
#: the light of a class that was published without percentages
LIGHTS = {"severe": "red", "behind": "yellow", "on_track": "green", "ahead": "green", "no_report": "grey"}
_AT_ONCE = 1000


@dataclass(frozen=True)
class Figures:
    """What a report says."""

    planned: Decimal | None = None
    actual: Decimal | None = None
    published_class: str | None = None
    budget_due: Decimal | None = None
    budget_spent: Decimal | None = None
    phase: str = ""
    reason_class: str | None = None
    reason: str = ""
    countermeasure: str = ""
    catch_up_date: date | None = None
    note: str = ""


def record(
    entry: RegisterEntry,
    month: date,
    figures: Figures,
    now: datetime,
    *,
    origin: str,
    version: int | None = None,
) -> tuple[ProgressReport, bool]:
    """The report of an entry for a month, and whether anything is new. `version`: of the report that is corrected.

    Refused for a month that is closed or not the register's, for a share that is none, for progress that falls, and for
    a second report.
    """
    _check(figures, origin)
    hold(entry.register_id)
    held = db.session.scalars(
        select(ProgressReport)
        .where(ProgressReport.entry_id == entry.id, ProgressReport.month == month)
        .with_for_update()
    ).one_or_none()
    said = asdict(figures)
    if held is not None and all(getattr(held, name) == value for name, value in said.items()):
        return held, False
    require_open(entry.register_id, month)
    if origin == "entered":
        _belongs(entry, month)
        _never_falls(entry, month, figures)
        _is_affordable(entry, figures)
    if held is None:
        held = ProgressReport(
            entry_id=entry.id, register_id=entry.register_id, month=month, origin=origin, version=1, **said
        )
        _add(held, month)
    elif held.state != "open" and version is None:
        raise Refused(
            Text(
                zh=f"{month_label(month).zh}已經填報過了；要改，請研考單位在計畫頁「開放更正」。",
                en=f"{month_label(month).en} is reported already. The plan-control office opens it for "
                "correction on the page of the plan.",
            )
        )
    elif version is not None and version != held.version:
        raise Conflict(
            Text(
                zh="這份填報已經被更正過，請重新開啟。",
                en="This report was corrected meanwhile: open it again.",
            )
        )
    else:
        for name, value in said.items():
            setattr(held, name, value)
        held.origin, held.version = origin, held.version + 1
    held.state, held.reported_at = "reported", now
    db.session.flush()
    db.session.refresh(held)  # the database computes lag and execution
    evaluate([held], now)
    return held, True


def hold(register_id: int, *, alone: bool = False) -> None:
    """Until the transaction ends nobody closes the register while it takes reports, nor the other way round."""
    lock = {"read": not alone}
    db.session.execute(select(Register.id).where(Register.id == register_id).with_for_update(**lock))


def hold_registers_of(plan_id: int) -> None:
    """All that a plan stands in, before anything else of it: the earlier year first, as who carries over holds them."""
    standing = select(RegisterEntry.register_id).where(RegisterEntry.plan_id == plan_id)
    ordered = select(Register.id).where(Register.id.in_(standing)).order_by(Register.roc_year, Register.id)
    for register_id in db.session.scalars(ordered).all():
        hold(register_id)


def hold_entry(entry_id: int) -> RegisterEntry:
    """An entry to be changed, as whoever held it before left it.

    First its register, always: who carries a whole register over holds that first too.
    """
    hold(db.session.get_one(RegisterEntry, entry_id).register_id)
    return db.session.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.id == entry_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _add(report: ProgressReport, month: date) -> None:
    """Of two people who send the first report of a month at once, the second hears of it."""
    try:
        with db.session.begin_nested():
            db.session.add(report)
    except IntegrityError:
        raise Conflict(
            Text(
                zh=f"{month_label(month).zh}剛剛已經有人填報，請重新開啟。",
                en=f"Somebody has just reported {month_label(month).en}: open it again.",
            )
        ) from None


def _check(figures: Figures, origin: str) -> None:
    for name, label in (("planned", "預定進度"), ("actual", "實際進度")):
        value = getattr(figures, name)
        if value is not None and not 0 <= value <= 100:
            raise Misfit(
                name,
                Text(
                    zh=f"{label}是 0 到 100 之間的百分比。",
                    en=f"{name.capitalize()} progress lies between 0 and 100.",
                ),
            )
    if figures.published_class is None and (figures.planned is None or figures.actual is None):
        raise Misfit(
            "actual", Text(zh="請填寫預定與實際進度。", en="Give the planned and the actual progress.")
        )
    if figures.published_class is not None and origin != "published":
        raise Misfit(
            "published_class",
            Text(zh="只有已公布的資料可以不填百分比。", en="Only published data goes without percentages."),
        )


#: what is counted from the beginning of the plan: its name, and how it is written
CUMULATIVE: Mapping[str, tuple[Text, str]] = {
    "actual": (Text(zh="累計實際進度", en="Cumulative progress"), "{:f}%"),
    "budget_spent": (Text(zh="累計支用經費", en="Cumulative spending"), "NT$ {:,f}"),
}


def _belongs(entry: RegisterEntry, month: date) -> None:
    """A register takes reports of its own year, from the month on in which it controls the plan."""
    year = db.session.get_one(Register, entry.register_id).roc_year
    if month.year != year + 1911:
        raise Misfit(
            "month",
            Text(
                zh=f"{month_label(month).zh}不在這個列管別的年度（{year} 年）。",
                en=f"{month_label(month).en} is no month of the register’s year, {year + 1911}.",
            ),
        )
    if last_day(month) < entry.since:
        since = month_label(entry.since)
        raise Misfit(
            "month",
            Text(
                zh=f"{since.zh}才開始列管，{month_label(month).zh}不必填報。",
                en=f"It is controlled from {since.en} on; {month_label(month).en} takes no report.",
            ),
        )


def _never_falls(entry: RegisterEntry, month: date, figures: Figures) -> None:
    """Cumulative figures: not below an earlier month, not above a later one."""
    whole = [entry.id, *plan_facts.forerunners([entry.id]).get(entry.id, ())]
    for name, (label, shown) in CUMULATIVE.items():
        column, value = getattr(ProgressReport, name), getattr(figures, name)
        reported = select(ProgressReport.month, column).where(
            ProgressReport.entry_id.in_(whole), column.is_not(None)
        )
        earlier = reported.where(ProgressReport.month < month).order_by(ProgressReport.month.desc())
        later = reported.where(ProgressReport.month > month).order_by(ProgressReport.month)
        before, after = (db.session.execute(each.limit(1)).first() for each in (earlier, later))
        for held, falls, reached in (
            (before, before is not None and value is not None and value < before[1], "已達"),
            (after, after is not None and value is not None and value > after[1], "只到"),
        ):
            if held is not None and falls:
                at, figure = month_label(held[0]), shown.format(held[1].normalize())
                raise Misfit(
                    name,
                    Text(
                        zh=f"{label.zh}不會倒退：{at.zh}{reached} {figure}。",
                        en=f"{label.en} does not fall: {at.en} was {figure}.",
                    ),
                )


def _is_affordable(entry: RegisterEntry, figures: Figures) -> None:
    """Nobody has spent more than the whole money of the plan, where it is known, or more than its curve foresees."""
    spent, most = figures.budget_spent, plan_facts.money_of(entry.id)
    if spent is not None and most is not None and spent > most:
        raise Misfit(
            "budget_spent",
            Text(
                zh=f"累計支用經費 {spent:,f} 元超過計畫經費 {most:,f} 元；經費增加時，請研考單位先更正計畫經費。",
                en=f"NT$ {spent:,f} is more than the plan has, NT$ {most:,f}. If it was given more, the plan-control "
                "office enters that first.",
            ),
        )


def is_closed(register_id: int, month: date) -> bool:
    """Whether an edition was printed that covers the month."""
    return db.session.query(
        exists().where(
            Edition.register_id == register_id, Edition.first_month <= month, Edition.last_month >= month
        )
    ).scalar()


def require_open(register_id: int, month: date) -> None:
    if is_closed(register_id, month):
        raise Refused(
            Text(
                zh=f"{month_label(month).zh}已經結算，不能再填報或更正。",
                en=f"{month_label(month).en} is closed; it takes no report and no correction.",
            )
        )


def in_closed_month() -> ColumnElement[bool]:
    """Of reports: whether an edition was printed that covers the month of each."""
    return exists().where(
        Edition.register_id == ProgressReport.register_id,
        Edition.first_month <= ProgressReport.month,
        Edition.last_month >= ProgressReport.month,
    )


def evaluate(reports: Sequence[ProgressReport], now: datetime) -> None:
    """Where each report stands by the rules of its month; the firing is kept. Equal facts are decided once.

    A report of which the class alone was published stands as published.
    """
    for report in reports:
        if report.published_class is not None:
            report.standing, report.light = report.published_class, LIGHTS[report.published_class]
    figured = [report for report in reports if report.published_class is None]
    missing = frozenset(report.id for report in figured if report.state == "open")
    facts = plan_facts.of_reports(figured, missing) if figured else {}
    decided: dict[tuple[object, ...], tuple[Decision, int]] = {}
    for report in figured:
        known = _read(facts[report.id], report.month)
        key = (report.month, *sorted(known.items()))
        if key not in decided:
            decided[key] = evaluation.decide(RULESET, known, last_day(report.month))
        decision, revision = decided[key]
        report.light, report.standing = said(decision, "set_light"), said(decision, "set_progress")
        db.session.add(
            evaluation.firing(None, decision, revision, now, progress_report_id=report.id),
        )
    db.session.flush()


def _read(facts: Mapping[str, Any], month: date) -> dict[str, Any]:
    """What the rules of the month read: other facts tell no decisions apart."""
    used = definitions.ruleset(definitions.revision_id("ruleset", RULESET, last_day(month))).ruleset.used
    return {name: value for name, value in facts.items() if name in used and value is not None}


def said(decision: Decision, action: str) -> Any:
    """The one word that an action of the decision says."""
    return next((next(iter(o.params.values())) for o in decision.outcomes if o.action == action), None)


def decide_again(plan_id: int, now: datetime, besides: int | None = None) -> None:
    """The reports of a plan, in whatever register, of months that are not closed: something of the plan is otherwise.

    Who has not reported yet is decided when the report comes, or when its day has passed. Its registers are held
    already.
    """
    reports = db.session.scalars(
        select(ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(
            RegisterEntry.plan_id == plan_id,
            ProgressReport.id.is_distinct_from(besides),
            ProgressReport.published_class.is_(None),
            ProgressReport.origin != "published",
            or_(ProgressReport.state != "open", ProgressReport.light.is_not(None)),
            ~in_closed_month(),
        )
        .order_by(ProgressReport.id)
        .with_for_update(of=ProgressReport)
        .execution_options(populate_existing=True)
    ).all()
    evaluate(reports, now)


def refresh(now: datetime) -> int:
    """Decides anew what stands otherwise since the rules were changed or a cut-off day has passed; closed months stay.

    Returns how many reports were decided.
    """
    done = 0
    for month in db.session.scalars(
        select(ProgressReport.month).distinct().order_by(ProgressReport.month)
    ).all():
        stale = _stale(month, now)
        for start in range(0, len(stale), _AT_ONCE):
            evaluate(stale[start : start + _AT_ONCE], now)
        done += len(stale)
    return done


def _stale(month: date, now: datetime) -> list[ProgressReport]:
    """Reports of an open month that the rules in force have not decided, and those that were not sent in time."""
    revision = definitions.revision_id("ruleset", RULESET, last_day(month))
    newest = (
        select(Firing.ruleset_revision_id)
        .where(Firing.progress_report_id == ProgressReport.id)
        .order_by(Firing.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = db.session.execute(
        select(ProgressReport, Register)
        .join(Register, Register.id == ProgressReport.register_id)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(
            ProgressReport.month == month,
            ProgressReport.published_class.is_(None),
            or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > last_day(month)),
            newest.is_distinct_from(revision),
            ~in_closed_month(),
        )
        .order_by(ProgressReport.id)
    ).all()
    today, days = taipei_day(now), dict[int, date]()
    stale = []
    for report, register in found:
        if report.state == "open":
            if register.id not in days:
                days[register.id] = cut_off(register, month)
            if today <= days[register.id]:
                continue
        stale.append(report)
    return stale


def cut_off(register: Register, month: date) -> date:
    """The last day for the report of a month: the register's own day of the month after, else that of the rules."""
    following = month_before(month, -1)
    day = register.report_day
    if day is None:
        decision, _revision = evaluation.decide("plan_reporting", {"plan.completed": False}, last_day(month))
        day = next(
            int(o.params["day"])
            for o in decision.outcomes
            if o.action == "due_monthly" and o.params["what"] == "report"
        )
    return following.replace(day=day)
