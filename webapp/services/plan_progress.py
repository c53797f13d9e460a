"""Progress of plans: a report is taken in, the rules say where it stands, and a closed period keeps what they said.

落後＝預定進度－實際進度, for each entry of a register by itself. What counts as severe stands in the ruleset alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from rules.decision import Decision
from rules.values import Text
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import Edition, Firing, PlanBudget, ProgressReport, Register, RegisterEntry
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

    Refused for a month that is closed, for a share that is none, for progress that falls, and for a second report.
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
    if is_closed(entry.register_id, month):
        raise Refused(
            Text(
                zh=f"{month_label(month).zh}已經結算，不能再填報或更正。",
                en=f"{month_label(month).en} is closed; it takes no report and no correction.",
            )
        )
    if origin == "entered":
        _within_the_budget(entry, figures)
        _never_falls(entry, month, figures)
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


def _never_falls(entry: RegisterEntry, month: date, figures: Figures) -> None:
    """Cumulative progress and spending: not below an earlier month, not above a later one."""
    whole = [entry.id, *plan_facts.forerunners([entry.id]).get(entry.id, ())]
    for name, label, written in (
        ("actual", Text(zh="累計實際進度", en="Cumulative progress"), lambda n: f"{n.normalize():f}%"),
        ("budget_spent", Text(zh="累計支用經費", en="Cumulative spending"), lambda n: f"{n:,.0f} 元"),
    ):
        said, column = getattr(figures, name), getattr(ProgressReport, name)
        if said is None:
            continue
        others = select(ProgressReport.month, column).where(
            ProgressReport.entry_id.in_(whole), column.is_not(None)
        )
        before = db.session.execute(
            others.where(ProgressReport.month < month).order_by(ProgressReport.month.desc()).limit(1)
        ).first()
        after = db.session.execute(
            others.where(ProgressReport.month > month).order_by(ProgressReport.month).limit(1)
        ).first()
        for held, falls, zh in (
            (before, before is not None and said < before[1], "已達"),
            (after, after is not None and said > after[1], "只到"),
        ):
            if held is not None and falls:
                at, amount = month_label(held[0]), written(held[1])
                raise Misfit(
                    name,
                    Text(
                        zh=f"{label.zh}不會倒退：{at.zh}{zh} {amount}。",
                        en=f"{label.en} does not fall: {at.en} is {amount.replace('%', ' %').replace(' 元', ' NTD')}.",
                    ),
                )


def _within_the_budget(entry: RegisterEntry, figures: Figures) -> None:
    """A plan spends no more than all of its money, where that is known."""
    whole = db.session.execute(
        select(func.sum(PlanBudget.amount)).where(PlanBudget.plan_id == entry.plan_id)
    ).scalar_one()
    if whole is not None and figures.budget_spent is not None and figures.budget_spent > whole:
        raise Misfit(
            "budget_spent",
            Text(
                zh=f"累計支用經費不會超過計畫的全部預算 {whole:,.0f} 元；單位是元。",
                en=f"The plan cannot spend more than all of its budget, NT${whole:,.0f}. Amounts are in dollars.",
            ),
        )


def is_closed(register_id: int, month: date) -> bool:
    """Whether an edition was printed that covers the month."""
    return db.session.query(
        exists().where(
            Edition.register_id == register_id, Edition.first_month <= month, Edition.last_month >= month
        )
    ).scalar()


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
    closed = exists().where(
        Edition.register_id == ProgressReport.register_id,
        Edition.first_month <= month,
        Edition.last_month >= month,
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
            ~closed,
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
