"""Correcting, revoking or withdrawing a letter that was sent: proposed by an officer, approved by a head."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.models import Case, Letter, LetterChange
from webapp.moments import taipei_day
from webapp.queries import letters as found
from webapp.security import actor, now
from webapp.services import letter_changes as service
from webapp.staff import bp, shown
from webapp.staff.typed import DATE_PARTS, day_in, posted_day
from webapp.uow import unit_of_work
from workflows.answers import OTHER_LETTERS

NOTHING: Mapping[str, Text] = MappingProxyType({})


@bp.get("/letters/<pid>/change")
def change_letter(pid: str) -> ResponseReturnValue:
    letter, case = _mine(pid)
    return _form(letter, case)


@bp.post("/letters/<pid>/change")
def propose_change(pid: str) -> ResponseReturnValue:
    letter, case = _mine(pid)
    result, reason = (request.form.get(name, "").replace("\r\n", "\n") for name in ("result", "reason"))
    asked = service.Asked(
        request.form.get("kind", ""),
        result,
        reason,
        request.form.get("ground", ""),
        day_in(posted_day("since")),
    )
    if mistakes := service.mistakes(letter, asked, taipei_day(now())):
        return _form(letter, case, mistakes), 422
    try:
        with unit_of_work():
            service.propose(actor(), letter, case, asked, now())
    except (Conflict, Refused) as refusal:
        return _form(letter, case, {"": refusal.text}), refusal.status
    flash(_("已送主管決行。"), "success")
    return redirect(url_for("staff.letter", pid=pid))


@bp.get("/letter-changes")
def letter_changes() -> ResponseReturnValue:
    return render_template(
        "staff/letter_changes.html",
        waiting=service.waiting_for(actor()),
        kinds=OTHER_LETTERS,
        names=shown.staff_name,
    )


@bp.get("/letter-changes/<pid>")
def letter_change(pid: str) -> ResponseReturnValue:
    return _decision(*service.visible(actor(), pid))


@bp.post("/letter-changes/<pid>")
def decide_change(pid: str) -> ResponseReturnValue:
    change, old, case = service.visible(actor(), pid)
    try:
        with unit_of_work():
            if request.form.get("action") == "approve":
                service.approve(actor(), change, now())
            else:
                service.decline(actor(), change, request.form.get("answer", ""), now())
    except (Conflict, Forbidden, Refused) as refusal:
        return _decision(change, old, case, refusal.text), refusal.status
    flash(_("已發文。") if change.state == "issued" else _("已退回。"), "success")
    return redirect(url_for("staff.case", pid=case.public_id))


def _mine(pid: str) -> tuple[Letter, Case]:
    letter, case = found.visible(actor(), pid)
    if not service.may_propose(actor(), letter, case):
        raise Forbidden(
            Text(zh="只有承辦單位可以提出公文的變更。", en="Only the unit of the case may propose this.")
        )
    return letter, case


def _form(letter: Letter, case: Case, mistakes: Mapping[str, Text] = NOTHING) -> str:
    mandate = service.proposer(actor(), letter, case)
    return render_template(
        "staff/change_letter.html",
        acts_for=shown.staff_name(mandate.acting_for_id) if mandate else "",
        letter=letter,
        case=case,
        kinds=[(name, kind.label) for name, kind in service.KINDS.items()],
        favourable=letter.kind == "grant",
        grounds=list(service.GROUNDS.items()),
        typed=request.form,
        day={part: request.form.get(f"since-{part}", "") for part in DATE_PARTS},
        mistakes=mistakes,
        has_errors=bool(mistakes),
    )


def _decision(change: LetterChange, old: Letter, case: Case, refusal: Text | None = None) -> str:
    mandate = service.decider(actor(), change, case) if change.state == "open" else None
    return render_template(
        "staff/letter_change.html",
        acts_for=shown.staff_name(mandate.acting_for_id) if mandate else "",
        change=change,
        old=old,
        case=case,
        kind=OTHER_LETTERS[change.kind],
        proposer=shown.staff_name(change.proposed_by_id),
        proposed_for=shown.staff_name(change.proposed_for_id),
        answer=request.form.get("answer", ""),
        may_decide=mandate is not None,
        too_late_for=service.paid_all_the_same(change, old),
        refusal=refusal,
        has_errors=refusal is not None,
    )
