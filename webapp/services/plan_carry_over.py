"""跨年度續列管: at the end of a year the control office carries what is not finished into the next year's register.

Who is carried over stands in the ruleset plan_reporting (set_control: carried_over).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Baseline, Plan, Register, RegisterEntry
from webapp.permissions import Actor
from webapp.queries import plan_control, plan_facts, plan_requests
from webapp.services import evaluation, plan_audit, plan_changes, plan_curves, plan_imports, plan_progress
from webapp.services.plan_control import require
from webapp.services.plan_requests import RULESET

REASON = "跨年度續列管"


@dataclass(frozen=True)
class Candidate:
    entry: RegisterEntry
    plan: Plan
    #: the case of what is asked of it now; it goes on with the entry
    asked: str | None = None


@dataclass(frozen=True)
class Ending:
    """A register whose year is over: what the rules carry over, and by which revision."""

    candidates: Sequence[Candidate]
    #: the rule by its name
    rule: Text | None
    revision: int


def ending(of: Register, now: datetime) -> Ending:
    """What stands in the register and is to be carried over, by the rules in force at the end of its year."""
    found: list[Candidate] = []
    rule, revision = None, 0
    day = date(of.roc_year + 1911, 12, 31)
    decided: dict[tuple[object, ...], tuple[bool, Text | None, int]] = {}
    asked = plan_requests.open_numbers(of)
    ended = {"plan.year_ended": plan_control.year_ended(of, now)}
    for entry, plan in plan_control.live(of):
        facts = plan_changes.facts(plan, now) | ended
        key = tuple(sorted((name, str(value)) for name, value in facts.items()))
        if key not in decided:
            decided[key] = _decided(facts, day)
        carried, label, number = decided[key]
        if carried:
            found.append(Candidate(entry, plan, asked.get(entry.id)))
            rule, revision = label, number
    return Ending(found, rule, revision)


def _decided(facts: dict[str, object], day: date) -> tuple[bool, Text | None, int]:
    decision, revision = evaluation.decide(RULESET, facts, day)
    for outcome in decision.outcomes:
        if outcome.action == "set_control" and outcome.params["status"] == plan_control.CARRIED:
            label = next(each["label"] for each in decision.explanation if each["rule"] == outcome.rule)
            return True, Text(**label), revision
    return False, None, revision


def following(of: Register) -> str:
    return f"{of.kind}-{of.roc_year + 1}"


def carry_over(actor: Actor, of: Register, wanted: Collection[str] | None, now: datetime) -> int:
    """Carries those entries (public ids; None: all) that the rules carry over; what is there already stays as it is.

    All or nothing. Returns how many were carried.
    """
    require(actor)
    plan_progress.hold(of.id, alone=True)
    chosen = [each for each in ending(of, now).candidates if wanted is None or each.entry.public_id in wanted]
    if not chosen:
        return 0
    into = _next(of)
    plan_progress.hold(into.id, alone=True)
    standing = {
        entry.plan_id: entry
        for entry in db.session.scalars(
            select(RegisterEntry).where(
                RegisterEntry.register_id == into.id, RegisterEntry.released_on.is_(None)
            )
        )
    }
    _numbers_free(into, [each for each in chosen if each.plan.id not in standing])
    january = date(into.roc_year + 1911, 1, 1)
    for each in chosen:
        goes_on = standing.get(each.plan.id) or _continue(actor, each.entry, of, into, january, now)
        _ask_there(each, goes_on)
        each.entry.released_on = max(january, each.entry.since)
        each.entry.release_reason, each.entry.released_as = REASON, plan_control.CARRIED
        after = {"released_on": each.entry.released_on, "released_as": plan_control.CARRIED, "into": into.key}
        plan_audit.write(actor, "entry_carried_over", each.entry, {}, after, now)
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action="plans_carried_over",
            subject=f"{of.key} {into.key}",
            detail=f"{len(chosen)} plans: " + ", ".join(each.plan.code for each in chosen),
        )
    )
    db.session.flush()
    return len(chosen)


def _next(of: Register) -> Register:
    """The register of the same kind of the year after; one that is not there yet goes on as this one does."""
    key = following(of)
    held = db.session.scalars(select(Register).where(Register.key == key)).one_or_none()
    if held is not None:
        return held
    made = plan_imports.register_for(key)
    made.cycle, made.report_day = of.cycle, of.report_day
    db.session.flush()
    return made


def _numbers_free(into: Register, chosen: Sequence[Candidate]) -> None:
    """A case number belongs to one entry of a register for good, also to one that was released there."""
    taken = set(
        db.session.scalars(
            select(RegisterEntry.case_no).where(
                RegisterEntry.register_id == into.id, RegisterEntry.case_no.is_not(None)
            )
        )
    )
    clash = [each for each in chosen if each.entry.case_no in taken]
    if clash:
        named = "、".join(f"{each.entry.case_no} {each.entry.title or each.plan.title}" for each in clash)
        raise Refused(
            Text(
                zh=f"「{into.name_zh}」已用過這些案號（別的計畫，或已在那裡解除列管的同一計畫），請先改號或不要勾選：{named}。",
                en=f"These numbers of {into.name_en} are taken, by other plans or by one that was released there; "
                f"change them or leave the plans out: {named}.",
            )
        )


def _continue(
    actor: Actor, entry: RegisterEntry, of: Register, into: Register, january: date, now: datetime
) -> RegisterEntry:
    """The plan in the next register; its curve in force goes on, former years with it."""
    made = RegisterEntry(
        register_id=into.id,
        plan_id=entry.plan_id,
        project_no=entry.project_no,
        project=entry.project,
        case_no=entry.case_no,
        title=entry.title,
        supervisor=entry.supervisor,
        since=january,
        carried_over_from=of.roc_year,
        origin="demonstration" if entry.origin == "demonstration" else "entered",
        note=entry.note,
    )
    db.session.add(made)
    db.session.flush()
    curve = plan_facts.curves([entry.id]).get(entry.id)
    if curve:
        baseline = Baseline(
            entry_id=made.id,
            number=1,
            reason=REASON,
            effective_month=january,
            approved_by_id=actor.account_id,
            approved_at=now,
            origin=made.origin,
        )
        plan_curves.approve(baseline, curve)
    return made


def _ask_there(each: Candidate, goes_on: RegisterEntry) -> None:
    """What is asked of the plan, and not granted yet, is asked of the entry that goes on."""
    request = plan_requests.open_request(each.entry.id)
    if request is None:
        return
    if plan_requests.open_request(goes_on.id) is not None:
        name = f"{each.asked} {each.entry.title or each.plan.title}"
        raise Refused(
            Text(
                zh=f"這個計畫在兩個年度都有申請中的案件，請先辦完本年度的，或不要勾選：{name}。",
                en=f"Requests are open in both years; finish that of this year or leave it out: {name}.",
            )
        )
    request.entry_id = goes_on.id
    db.session.flush()
