"""Picking plans for verification: the ruleset verification_picking proposes, the control office opens or passes over.

Once for an entry and the month whose report is read: a quarter and its last month are the same. What the rules said is
kept with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from rules.decision import Decision
from rules.values import Text, format_day
from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Case,
    Plan,
    ProgressReport,
    Register,
    RegisterEntry,
    Verification,
)
from webapp.models.verifications import VERIFICATION_KINDS
from webapp.moments import taipei_day
from webapp.periods import Period, parse
from webapp.permissions import Actor
from webapp.queries import definitions, plan_control, plan_facts, plan_lists, verifications
from webapp.queries.org import chart
from webapp.services import evaluation, internal_cases, meetings, plan_progress
from webapp.services.plan_control import require
from webapp.services.plan_progress import said

RULESET = "verification_picking"
SERVICE = "KM05"
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Pick:
    """What the rules say of an entry for a period."""

    entry_id: int
    report: ProgressReport | None
    #: none: the rules do not pick it
    kind: str | None
    points: int
    decision: Decision = field(repr=False)
    revision: int

    @property
    def why(self) -> list[dict[str, Any]]:
        """The rules that picked it or weighed its risk, with their sentences."""
        said_so = {o.rule for o in self.decision.outcomes if o.action in ("pick_verification", "add_points")}
        return [
            {key: entry[key] for key in ("rule", "label", "sentence")}
            for entry in self.decision.explanation
            if entry["status"] == "fired" and not said_so.isdisjoint({entry["rule"], _table(entry["rule"])})
        ]


def _table(rule: str) -> str:
    """Points that a table adds up are told of the table, not of its rows."""
    return rule.partition(".")[0]


def picked(register: Register, period: Period, now: datetime) -> list[Pick]:
    """Every entry that the rules pick, by kind and then by risk."""
    found = [pick for pick in _decided(register, period, now) if pick.kind is not None]
    return sorted(
        found, key=lambda pick: (VERIFICATION_KINDS.index(pick.kind or ""), -pick.points, pick.entry_id)
    )


def _decided(
    register: Register, period: Period, now: datetime, more: frozenset[int] = frozenset()
) -> list[Pick]:
    """Equal facts are decided once. `more`: entries of public concern besides those known."""
    reports = verifications.reports(register.id, period.last_month)
    entries = [report.entry_id for report in reports]
    missing = frozenset(report.id for report in reports if report.state == "open")
    facts = plan_facts.of_reports(reports, missing, verifications.concerns(entries) | more)
    day = taipei_day(now)
    used = definitions.ruleset(definitions.revision_id("ruleset", RULESET, day)).ruleset.used
    decided: dict[tuple[object, ...], tuple[Decision, int]] = {}
    found = []
    for report in reports:
        # progress_lag alone says who is severe; where only a class was published, that class
        whole = facts[report.id] | {"plan.standing": report.standing}
        known = {n: value for n, value in whole.items() if n in used and value is not None}
        key = tuple(sorted(known.items()))
        if key not in decided:
            decided[key] = evaluation.decide(RULESET, known, day)
        found.append(_pick(report.entry_id, report, *decided[key]))
    return found


def _pick(entry_id: int, report: ProgressReport | None, decision: Decision, revision: int) -> Pick:
    points = sum(int(o.params["points"]) for o in decision.outcomes if o.action == "add_points")
    return Pick(entry_id, report, said(decision, "pick_verification"), points, decision, revision)


def open_ticked(
    actor: Actor, register: Register, period: Period, entries: Sequence[str], now: datetime
) -> list[Verification]:
    """The picks that were ticked, all or none; entries by their public ids."""
    require(actor)
    if not entries:
        raise Misfit("pick", Text(zh="請至少勾選一個計畫。", en="Tick at least one plan."))
    picks = {pick.entry_id: pick for pick in picked(register, period, now)}
    held = sorted((_hold(register, entry) for entry in sorted(set(entries))), key=lambda entry: entry.id)
    gone = [entry for entry in held if entry.id not in picks]
    if gone:
        raise Conflict(
            Text(
                zh="勾選的計畫有的已經不在選案清單（填報或規則剛有變動），請重新查看。",
                en="A ticked plan is no longer picked (a report or a rule has just changed): look again.",
            )
        )
    return [
        _open(actor, entry, period, picks[entry.id], picks[entry.id].kind or "", now, picked_by="rule")
        for entry in held
    ]


def pick_by_hand(
    actor: Actor,
    register: Register,
    period: Period,
    entry: str,
    kind: str,
    reason: str,
    now: datetime,
    *,
    public_concern: bool = False,
) -> Verification:
    """By the control office with a reason, whatever the rules say."""
    require(actor)
    if kind not in VERIFICATION_KINDS:
        raise Misfit("kind", Text(zh="請選擇查證方式。", en="Choose how it is verified."))
    reason = reason_of(reason, "reason")
    held = _hold(register, entry)
    concern = frozenset({held.id}) if public_concern else frozenset[int]()
    found = next((p for p in _decided(register, period, now, concern) if p.entry_id == held.id), None)
    if found is None:
        facts = {"plan.public_concern": True} if public_concern else {}
        found = _pick(held.id, None, *evaluation.decide(RULESET, facts, taipei_day(now)))
    return _open(
        actor, held, period, found, kind, now, picked_by="hand", reason=reason, public_concern=public_concern
    )


def pass_over(
    actor: Actor, register: Register, period: Period, entry: str, reason: str, now: datetime
) -> Verification:
    """A plan that the rules pick is not verified this time; why is kept."""
    require(actor)
    reason = reason_of(reason, "reason")
    held = _hold(register, entry)
    pick = next((pick for pick in picked(register, period, now) if pick.entry_id == held.id), None)
    if pick is None:
        raise Refused(
            Text(
                zh="規則沒有選到這個計畫，不必略過。",
                en="The rules do not pick this plan: nothing to pass over.",
            )
        )
    _not_yet(held, period, passing=True)
    made = _made(actor, held, period, pick, pick.kind or "", now, reason=reason, state="passed_over")
    _note(actor, "verification_passed_over", made, held, now, reason)
    return made


def reason_of(typed: str, field_name: str) -> str:
    reason = typed.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Misfit(
            field_name,
            Text(
                zh=f"請寫明理由，最多 {LONGEST_REASON} 字。",
                en=f"Give the reason, in at most {LONGEST_REASON} characters.",
            ),
        )
    return reason


def _hold(register: Register, entry: str) -> RegisterEntry:
    """One decision about an entry at a time; whoever releases it holds it, too."""
    found = db.session.scalar(
        select(RegisterEntry.id).where(
            RegisterEntry.public_id == entry, RegisterEntry.register_id == register.id
        )
    )
    if found is None:
        raise NotFound()
    return plan_progress.hold_entry(found)


def _not_yet(entry: RegisterEntry, period: Period, *, passing: bool = False) -> None:
    held = verifications.by_entry([entry.id], period.last_month).get(entry.id)
    if held is None or (held.state == "passed_over" and not passing):
        return
    who, on = chart().names.get(held.by_id or 0, ""), taipei_day(held.at)
    title, label = entry.title or db.session.get_one(Plan, entry.plan_id).title, parse(held.period).label
    done = (
        Text(zh="略過", en="passed over") if held.state == "passed_over" else Text(zh="列入查證", en="picked")
    )
    raise Conflict(
        Text(
            zh=f"「{title}」{label.zh}已由{who}於{format_day(on, 'zh')}{done.zh}，請重新查看。",
            en=f"“{title}” was {done.en} for {label.en} by {who} on {format_day(on, 'en')}: look again.",
        )
    )


def _open(
    actor: Actor,
    entry: RegisterEntry,
    period: Period,
    pick: Pick,
    kind: str,
    now: datetime,
    *,
    picked_by: str,
    reason: str = "",
    public_concern: bool = False,
) -> Verification:
    if entry.released_on is not None:
        raise Refused(
            Text(zh="已解除列管的計畫不再查證。", en="A plan that was released is not verified any more.")
        )
    _not_yet(entry, period)
    case = None if kind == "heads_meeting" else _case(actor, entry, period, pick, kind, reason, now)
    made = _made(
        actor,
        entry,
        period,
        pick,
        kind,
        now,
        picked_by=picked_by,
        reason=reason,
        public_concern=public_concern,
        case_id=case.id if case is not None else None,
    )
    if case is None:
        meetings.put_on_next(made, entry, now)
    _note(actor, "verification_opened", made, entry, now, reason)
    return made


def _made(
    actor: Actor, entry: RegisterEntry, period: Period, pick: Pick, kind: str, now: datetime, **more: Any
) -> Verification:
    made = Verification(
        entry_id=entry.id,
        period=period.key,
        last_month=period.last_month,
        kind=kind,
        points=pick.points,
        ruleset_revision_id=pick.revision,
        why=pick.why,
        reported=pick.report.actual if pick.report is not None else None,
        by_id=actor.account_id,
        at=now,
        **{"picked_by": "rule", **more},
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        _not_yet(entry, period)
        raise
    return made


def _case(
    actor: Actor, entry: RegisterEntry, period: Period, pick: Pick, kind: str, reason: str, now: datetime
) -> Case:
    plan, register = db.session.get_one(Plan, entry.plan_id), db.session.get_one(Register, entry.register_id)
    why = [f"{each['label']['zh']}：{each['sentence']['zh']}" for each in pick.why]
    report = pick.report
    case = internal_cases.open_case(
        actor,
        SERVICE,
        {
            "plan": entry.title or plan.title,
            "register": register.name_zh,
            "case_no": entry.case_no or "",
            "period": period.label.zh,
            "way": kind,
            "why": "\n".join([reason, *why] if reason else why)[:4000],
            "planned": plan_lists.written(report.planned if report else None) or None,
            "reported": plan_lists.written(report.actual if report else None) or None,
        },
        plan_control.works_on(plan),
        taipei_day(now),
        now,
        way="ask" if kind == "written" else None,
    )
    db.session.add(evaluation.firing(case.id, pick.decision, pick.revision, now))
    return case


def _note(
    actor: Actor, action: str, made: Verification, entry: RegisterEntry, now: datetime, detail: str
) -> None:
    subject = f"{entry.public_id} {made.period}"
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject, detail=detail)
    )
    db.session.flush()
