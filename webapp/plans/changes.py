"""What changes a plan in a register: its curves side by side, and what its unit asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.models import Plan
from webapp.plans import bp
from webapp.presentation import in_language
from webapp.queries import plan_requests, plans
from webapp.queries.plan_requests import Asked
from webapp.queries.plans import Standing
from webapp.security import actor, now
from webapp.services import plan_requests as asking
from webapp.uow import unit_of_work

KINDS: Mapping[str, Text] = {
    "change": Text(zh="計畫修正", en="Change of the planned curve"),
    "release": Text(zh="解除列管", en="Release"),
}
BUTTONS: Mapping[str, Text] = {
    "change": Text(zh="申請修正預定進度", en="Ask for another curve"),
    "release": Text(zh="申請解除列管", en="Ask for the release"),
}
#: why a plan is controlled
ORIGINS: Mapping[str, Text] = {
    "pledge": Text(zh="縣長政見", en="Pledge of the magistrate"),
    "directive": Text(zh="指裁示事項", en="Directive"),
    "central_subsidy": Text(zh="中央補助", en="Central subsidy"),
}
STATES: Mapping[str, Text] = {
    "open": Text(zh="申請中", en="under way"),
    "granted": Text(zh="已核定", en="approved"),
    "rejected": Text(zh="不同意，維持原狀", en="refused; all stays as it was"),
    "withdrawn": Text(zh="單位撤回", en="taken back by the unit"),
}
ENDED = Text(zh="已結案，維持原狀", en="closed; all stays as it was")


@dataclass(frozen=True)
class Version:
    number: int
    effective_month: date
    shares: Mapping[date, Decimal]


def of_plan(plan: Plan, standings: Sequence[Standing]) -> dict[str, Any]:
    """For `plans/_changes.html`."""
    curves = {each.entry.id: _versions(each) for each in standings}
    asked = plan_requests.of_entries(actor(), [each.entry.id for each in standings])
    may_ask = {
        each.entry.id
        for each in standings
        if plan_requests.may_ask(actor(), plan)
        and each.entry.released_on is None
        and each.entry.origin != "published"
        and all(held.state != "open" for held in asked.get(each.entry.id, ()))
    }
    return {
        "curves": curves,
        "months": {
            entry: sorted({month for version in of_entry for month in version.shares})
            for entry, of_entry in curves.items()
        },
        "asked": asked,
        "may_ask": may_ask,
        "rules": {kind: asking.quoted(kind, now()) for kind in KINDS} if may_ask else {},
        "kinds": KINDS,
        "buttons": BUTTONS,
        "state_of": _state_of,
        "origins": ORIGINS,
        "may_control": actor().may("control_plans"),
    }


def _versions(standing: Standing) -> list[Version]:
    """The approved ones, the oldest first."""
    return [
        Version(baseline.number, baseline.effective_month, {p.month: p.planned for p in points})
        for baseline, points in reversed(standing.baselines)
        if baseline.approved_at
    ]


def _state_of(asked: Asked) -> Text:
    return STATES.get(asked.outcome or "", ENDED) if asked.state == "ended" else STATES[asked.state]


@bp.post("/entries/<pid>/ask")
def ask(pid: str) -> ResponseReturnValue:
    """The unit begins a request; it goes on with the form of its case."""
    entry = plans.entry(pid)
    kind = request.form.get("kind", "")
    try:
        with unit_of_work():
            case = asking.ask(actor(), entry.id, kind, now())
    except (Refused, Conflict) as refusal:
        flash(in_language(refusal.text), "error")
        return redirect(
            url_for("plans.plan", pid=plans.plan_of(entry).public_id, _anchor=f"entry-{entry.id}")
        )
    flash(_("%(number)s 已開立，請填寫申請內容後送主管覆核。", number=case.number), "success")
    return redirect(url_for("staff.case", pid=case.public_id))
