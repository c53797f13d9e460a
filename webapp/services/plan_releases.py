"""解除列管: a plan that is accepted, or given up, leaves a register once the rules allow it.

The conditions stand in the ruleset plan_reporting (set_control: released). A plan that is completed waits for what its
verification left open; of one that is given up, what is open is withdrawn with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rules.values import Text
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.models import Case, Plan, RegisterEntry
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import submissions, verifications
from webapp.services import plan_audit, plan_changes, plan_progress, plan_requests, review_withdrawals

FORM = "plan_release"
#: the fact by which a refusal finds its rule
TELLING = {"completed": "plan.accepted", "withdrawn": "plan.given_up"}
REASONS = {
    "completed": Text(zh="完工並驗收", en="Completed and accepted"),
    "withdrawn": Text(zh="撤案", en="Given up"),
}
#: why the verifications of a plan that is given up end with it
NO_CONTROL = "計畫已解除列管"
#: said of a field that is empty
WANTED = {
    "completed_on": Text(zh="請填寫完工日期", en="Give the day of completion"),
    "accepted_on": Text(zh="請填寫驗收日期", en="Give the day of acceptance"),
    "note": Text(zh="請在說明寫明撤案的原因", en="Say why it is given up"),
}


def known(case: Case) -> dict[str, Any]:
    """The form begins with what is known of the plan."""
    plan = _plan(_entry(case))
    days = {"completed_on": plan.completed_on, "accepted_on": plan.accepted_on}
    return {name: day.isoformat() for name, day in days.items() if day is not None}


def propose(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    request, entry = plan_changes.of(case), _entry(case)
    plan_requests.require_live(entry)
    said = _sent(case)
    completed, accepted = _days(said)
    if completed is not None and accepted is not None and accepted < completed:
        raise AnswersInvalid(
            {
                "accepted_on": [
                    Text(zh="驗收不會早於完工。", en="It is not accepted before it is completed.").in_(
                        actor.language
                    )
                ]
            }
        )
    decision = plan_requests.decide(_facts(entry, said, now), now)
    if not plan_requests.releases(decision.outcomes):
        why = plan_requests.why_not(decision, TELLING[said["release_as"]])
        raise AnswersInvalid(
            {
                field: [Text(zh=f"{asked.zh}（{why.zh}）", en=f"{asked.en} ({why.en})").in_(actor.language)]
                for field, asked in _wanted(said).items()
            }
        )
    request.approver = plan_requests.named(decision)
    db.session.flush()


def apply(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The plan-control office releases it, today."""
    request = plan_changes.of(case)
    entry = plan_progress.hold_entry(request.entry_id)
    plan_requests.require_live(entry)
    said, plan = _sent(case), _plan(entry)
    decision = plan_requests.keep(case, _facts(entry, said, now), now)
    if not plan_requests.releases(decision.outcomes):
        raise Refused(plan_requests.why_not(decision, TELLING[said["release_as"]]))
    if said["release_as"] == "completed":
        before = _ended(plan)
        plan.completed_on, plan.accepted_on = _days(said)
        plan_audit.write(actor, "plan_completed", plan, before, _ended(plan), now)
    else:
        review_withdrawals.of_entry(actor, entry, NO_CONTROL, now)
    note = str(said.get("note") or "").strip()
    entry.released_on, entry.released_as = max(taipei_day(now), entry.since), said["release_as"]
    entry.release_reason = REASONS[said["release_as"]].zh + (f"：{note}" if note else "")
    request.state = "granted"
    after = {"released_on": entry.released_on, "released_as": entry.released_as}
    plan_audit.write(actor, "entry_released", entry, {}, after, now)


def _ended(plan: Plan) -> dict[str, date | None]:
    return {"completed_on": plan.completed_on, "accepted_on": plan.accepted_on}


def _facts(entry: RegisterEntry, said: Mapping[str, Any], now: datetime) -> dict[str, object]:
    given_up = said["release_as"] == "withdrawn"
    completed, accepted = _days(said)
    return {
        **plan_changes.facts(_plan(entry), now),
        "plan.completed": completed is not None and not given_up,
        "plan.accepted": accepted is not None and not given_up,
        "plan.verification_open": bool(verifications.left_of(entry.id)),
        "plan.given_up": given_up,
        "plan.reason_given": bool(str(said.get("note") or "").strip()),
    }


def _wanted(said: Mapping[str, Any]) -> dict[str, Text]:
    """The fields that are empty; where none is, the choice that the rules refuse."""
    fields = ("note",) if said["release_as"] == "withdrawn" else ("completed_on", "accepted_on")
    empty = [name for name in fields if not str(said.get(name) or "").strip()]
    if not empty:
        return {
            "release_as": Text(zh="依現行規則還不能解除列管", en="The rules in force do not release it yet")
        }
    return {name: WANTED[name] for name in empty}


def _days(said: Mapping[str, Any]) -> tuple[date | None, date | None]:
    completed, accepted = (
        date.fromisoformat(said[name]) if said.get(name) else None for name in ("completed_on", "accepted_on")
    )
    return completed, accepted


def _entry(case: Case) -> RegisterEntry:
    return db.session.get_one(RegisterEntry, plan_changes.of(case).entry_id)


def _plan(entry: RegisterEntry) -> Plan:
    return db.session.get_one(Plan, entry.plan_id)


def _sent(case: Case) -> Mapping[str, Any]:
    found = submissions.newest(case.id, FORM)
    assert found is not None, "the transition requires the form"
    return found.all_answers
