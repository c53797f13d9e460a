"""先期作業: the control office opens a call, units propose while it is open, and may withdraw until the meeting.

By when subsidised plans are handed in stands in the ruleset plan_reporting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, select

from rules.values import Text, format_day
from webapp.errors import Conflict, Forbidden, Misfit
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Case,
    Clock,
    Plan,
    Proposal,
    ProposalCall,
    ProposalLetIn,
    ProposalSitting,
)
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions, proposals
from webapp.queries.org import chart
from webapp.services import (
    cases,
    clocks,
    evaluation,
    internal_cases,
    plan_imports,
    plan_progress,
    plan_proposals,
)
from webapp.services.plan_control import require
from webapp.services.steps import Given
from workflows.model import WITHDRAW

SERVICE = "KM02"
RULESET = "plan_reporting"
LONGEST_TITLE, LONGEST_NOTE, LONGEST_REASON = 120, 4000, 400
LONGEST_PLAN = 200
#: plans of so many years ahead may be asked for
MOST_AHEAD = 2


@dataclass(frozen=True)
class Asked:
    """What the control office says of a call."""

    title: str
    opens_on: date
    #: none: by the rule, where the call names a subsidy
    closes_on: date | None
    subsidy: str | None = None
    note: str = ""


@dataclass(frozen=True)
class SubsidyDay:
    """The day by which a subsidy asks for proposals, and the rule that says so."""

    day: date
    revision: int


def subsidy_day(subsidy: str, year: int, today: date) -> SubsidyDay | None:
    """For plans of a ROC year the subsidy asks in the year before."""
    decision, revision = evaluation.decide(RULESET, {"plan.subsidy": subsidy}, today)
    for outcome in decision.outcomes:
        if outcome.action == "due_on" and outcome.params["what"] == "submission":
            month, day = map(int, str(outcome.params["day"]).split("-"))
            return SubsidyDay(date(year + 1910, month, day), definitions.name_of(revision)[1])
    return None


def create(actor: Actor, kind: str, year: int, asked: Asked, now: datetime) -> ProposalCall:
    """One a register; the register is opened if it is not there yet."""
    require(actor)
    today = taipei_day(now)
    if not 0 <= year - (today.year - 1911) <= MOST_AHEAD:
        first = today.year - 1911
        raise Misfit(
            "year",
            Text(
                zh=f"年度須為 {first} 至 {first + MOST_AHEAD} 年。",
                en=f"The ROC year must be {first} to {first + MOST_AHEAD}.",
            ),
        )
    if kind not in plan_imports.KINDS:
        raise Misfit("kind", Text(zh="請選擇列管別。", en="Choose the register."))
    register = plan_imports.register_for(f"{kind}-{year}")
    # two people at once: the second sees the first one's
    plan_progress.hold(register.id, alone=True)
    held = db.session.scalars(
        select(ProposalCall).where(ProposalCall.register_id == register.id)
    ).one_or_none()
    if held is not None:
        raise Misfit(
            "kind",
            Text(
                zh=f"{register.name_zh}已經有先期作業「{held.title}」，一個列管別一年一次。",
                en=f"{register.name_en} has its call already, “{held.title}”: one a register and year.",
            ),
        )
    made = ProposalCall(
        register_id=register.id, changed_by_id=actor.account_id, changed_at=now, **_said(asked, year, today)
    )
    db.session.add(made)
    db.session.flush()
    audit(actor, "call_opened", f"{register.key} {made.title}", now)
    return made


def change(actor: Actor, of: ProposalCall, asked: Asked, now: datetime, *, version: int) -> None:
    require(actor)
    _hold(of, version)
    year = proposals.register_of(of).roc_year
    for name, value in _said(asked, year, taipei_day(now)).items():
        setattr(of, name, value)
    of.changed_by_id, of.changed_at = actor.account_id, now
    db.session.flush()
    _follow(actor, of, now)
    audit(actor, "call_changed", f"{of.public_id} {of.title}", now, f"{of.opens_on}–{of.closes_on}")


def _said(asked: Asked, year: int, today: date) -> dict[str, object]:
    if not 0 < len(asked.title) <= LONGEST_TITLE:
        raise Misfit(
            "title",
            Text(
                zh=f"請填寫名稱，最多 {LONGEST_TITLE} 字。",
                en=f"Give it a title of at most {LONGEST_TITLE} characters.",
            ),
        )
    if len(asked.note) > LONGEST_NOTE:
        raise Misfit("note", Text(zh=f"最多 {LONGEST_NOTE} 字。", en=f"{LONGEST_NOTE} characters at most."))
    latest = subsidy_day(asked.subsidy, year, today) if asked.subsidy else None
    closes_on = asked.closes_on or (latest.day if latest else None)
    if closes_on is None:
        raise Misfit("closes_on", Text(zh="請填寫截止日。", en="Say by when to propose."))
    if latest is not None and closes_on > latest.day:
        raise Misfit(
            "closes_on",
            Text(
                zh=f"依規則「計畫填報、修正與解除列管」第 {latest.revision} 版，這項補助須在"
                f"{format_day(latest.day, 'zh')}前提報，截止日不能更晚。",
                en=f"By version {latest.revision} of “Reports, changes and release of plans” this subsidy is asked for "
                f"by {format_day(latest.day, 'en')}; the call cannot close later.",
            ),
        )
    if asked.opens_on < (earliest := date(year + 1911 - MOST_AHEAD, 1, 1)):
        raise Misfit(
            "opens_on",
            Text(
                zh=f"開始日不能早於 {format_day(earliest, 'zh')}。",
                en=f"It opens on {format_day(earliest, 'en')} at the earliest.",
            ),
        )
    _within_the_year(closes_on, year, "closes_on")
    if closes_on <= asked.opens_on:
        raise Misfit(
            "closes_on", Text(zh="截止日須晚於開始日。", en="It closes after the day on which it opens.")
        )
    return {
        "title": asked.title,
        "opens_on": asked.opens_on,
        "closes_on": closes_on,
        "subsidy": asked.subsidy,
        "note": asked.note,
    }


def _within_the_year(day: date, year: int, field: str) -> None:
    """Nothing is proposed for a ROC year that is over."""
    if day > (latest := date(year + 1911, 12, 31)):
        raise Misfit(
            field,
            Text(
                zh=f"期限不能晚於計畫年度的最後一天（{format_day(latest, 'zh')}）。",
                en=f"The day cannot lie after the year of the plans, which ends on {format_day(latest, 'en')}.",
            ),
        )


def _hold(of: ProposalCall, version: int) -> None:
    db.session.refresh(of, with_for_update=True)
    if of.version != version:
        raise stale(of)


def stale(of: ProposalCall) -> Conflict:
    who = chart().names.get(of.changed_by_id or 0, "")
    return Conflict(
        Text(
            zh=f"這次先期作業剛剛由{who}修改過，您的內容沒有存入，請重新載入後再決定。",
            en=f"This call was changed by {who} meanwhile. Nothing of yours was stored: reload and decide again.",
        )
    )


def let_in(actor: Actor, of: ProposalCall, unit: str, until: date, reason: str, now: datetime) -> None:
    """One unit may propose until a day after the call has closed."""
    require(actor)
    found = chart().by_code.get(unit)
    if found is None:
        raise Misfit("late_unit", Text(zh="請選擇單位。", en="Choose a unit."))
    if until <= of.closes_on or until < taipei_day(now):
        raise Misfit(
            "until",
            Text(
                zh="放寬的期限須晚於截止日，也不能是過去的日子。",
                en="The day lies after the close, and not in the past.",
            ),
        )
    _within_the_year(until, proposals.register_of(of).roc_year, "until")
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Misfit(
            "reason",
            Text(
                zh=f"請寫明理由，最多 {LONGEST_REASON} 字。",
                en=f"Give a reason of at most {LONGEST_REASON} characters.",
            ),
        )
    db.session.merge(
        ProposalLetIn(
            call_id=of.id, unit_id=found.id, until=until, reason=reason, by_id=actor.account_id, at=now
        )
    )
    db.session.flush()
    _follow(actor, of, now, Proposal.unit_id == found.id)
    audit(actor, "unit_let_in", f"{of.public_id} {found.code} {until}", now, reason)


def _follow(actor: Actor, of: ProposalCall, now: datetime, *where: ColumnElement[bool]) -> None:
    """What is being written, or comes back to be, is due by the day until which its unit may propose."""
    rows = db.session.execute(
        select(Case, Clock, Proposal.unit_id)
        .join(Proposal, Proposal.case_id == Case.id)
        .join(Clock, and_(Clock.case_id == Case.id, Clock.task_id.is_(None), Clock.state != "stopped"))
        .where(Proposal.call_id == of.id, *where)
        .order_by(Case.id)
        .with_for_update(of=Case)
    ).all()
    for case, clock, unit_id in rows:
        days = (proposals.closes_for(of, unit_id) - of.opens_on).days
        clocks.set_period(actor, clock, case, of.opens_on, days, now, "提報期限變更")


# --- the unit -------------------------------------------------------------------------------------------------


def propose(actor: Actor, of: ProposalCall, unit: str, title: str, now: datetime) -> Case:
    """提報計畫: the case in which it is written. Its limit runs from the day the call opened to the day it closes."""
    today = taipei_day(now)
    lead = next((each for each in proposals.units_of(actor, today) if each.code == unit), None)
    if lead is None:
        if not actor.may("report_plans"):
            raise Forbidden(
                Text(zh="只有計畫主辦單位可以提報計畫。", en="Only units that lead plans propose them.")
            )
        raise Misfit("unit", Text(zh="請選擇您的單位。", en="Choose a unit of yours."))
    proposals.require_open(of, lead.id, today)
    if not 0 < len(title) <= LONGEST_PLAN:
        raise Misfit(
            "plan",
            Text(
                zh=f"請填寫計畫名稱，最多 {LONGEST_PLAN} 字。",
                en=f"Give the plan a title of at most {LONGEST_PLAN} characters.",
            ),
        )
    # pressed twice, or by two people: one after the other
    db.session.refresh(of, with_for_update=True)
    other = proposals.of_same_title(of.id, lead.id, title)
    if other is not None:
        raise Misfit("plan", plan_proposals.taken(other))
    until, register = proposals.closes_for(of, lead.id), proposals.register_of(of)
    about = {
        "title": title,
        "call": of.title,
        "register": register.name_zh,
        "unit": lead.zh,
    }
    days = (until - of.opens_on).days
    case = internal_cases.open_case(actor, SERVICE, about, lead.id, of.opens_on, now, period=days)
    db.session.add(Proposal(case_id=case.id, call_id=of.id, unit_id=lead.id, title=title))
    db.session.flush()
    return case


def may_withdraw(actor: Actor, of: Proposal, case: Case, now: datetime) -> bool:
    """Of the unit that leads it, until the meeting has decided."""
    mine = {unit.id for unit in proposals.units_of(actor, taipei_day(now))}
    if of.unit_id not in mine or case.status == "closed":
        return False
    return WITHDRAW in definitions.workflow_of(case).state(case.state).transitions


@dataclass(frozen=True)
class Proposed:
    """What a case proposes, for its page."""

    row: Proposal
    call: ProposalCall
    #: the last day on which it is proposed
    until: date
    sitting: ProposalSitting | None
    #: public id of what it became
    plan: str | None
    may_withdraw: bool


def proposed(actor: Actor, case: Case, now: datetime) -> Proposed | None:
    """None for every other case."""
    of = proposals.of_case(case.id) if case.service_code == SERVICE else None
    if of is None:
        return None
    call = db.session.get_one(ProposalCall, of.call_id)
    return Proposed(
        of,
        call,
        proposals.closes_for(call, of.unit_id),
        db.session.get(ProposalSitting, of.sitting_id) if of.sitting_id is not None else None,
        db.session.scalars(select(Plan.public_id).where(Plan.case_id == case.id)).one_or_none(),
        may_withdraw(actor, of, case, now),
    )


def withdraw(actor: Actor, case: Case, reason: str, now: datetime, *, version: int) -> None:
    """撤案: the unit takes its proposal back."""
    of = db.session.scalars(select(Proposal).where(Proposal.case_id == case.id)).one()
    if of.unit_id not in {unit.id for unit in proposals.units_of(actor, taipei_day(now))}:
        raise Forbidden(
            Text(zh="只有提報單位可以撤案。", en="Only the unit that proposed it may withdraw it.")
        )
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Misfit(
            "reason",
            Text(
                zh=f"請寫明理由，最多 {LONGEST_REASON} 字。",
                en=f"Give a reason of at most {LONGEST_REASON} characters.",
            ),
        )
    cases.take_as_citizen(actor, case, WITHDRAW, now, version=version, given=Given(reason))
    plan_proposals.put_back(of)


def audit(actor: Actor, action: str, subject: str, now: datetime, detail: str = "") -> None:
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject[:200], detail=detail)
    )
    db.session.flush()
