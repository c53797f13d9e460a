"""Asking somebody to help with filling in, and helping: by a one-time code."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.citizen import bp
from webapp.citizen.apply import journey_or_case, the_journey
from webapp.citizen.journey import Journey
from webapp.errors import DomainError, Misfit
from webapp.presentation import language
from webapp.queries import handovers as handed
from webapp.security import actor, device_token, now
from webapp.services import accounts, handovers
from webapp.uow import unit_of_work


@bp.get("/apply/<key>/handover")
def handover(key: str) -> ResponseReturnValue:
    journey = journey_or_case(key)
    return _page(journey) if isinstance(journey, Journey) else journey


@bp.post("/apply/<key>/handover")
def make_code(key: str) -> ResponseReturnValue:
    """The code is on this answer alone: only its digest is kept."""
    journey = the_journey(key)
    with unit_of_work():
        code = handovers.make(actor(), journey.draft, now())
    return _page(journey, code)


@bp.post("/apply/<key>/handover/end")
def end_handover(key: str) -> ResponseReturnValue:
    journey = the_journey(key)
    with unit_of_work():
        handovers.end(actor(), journey.draft, now())
    if journey.is_mine:
        flash(_("草稿現在只有您自己能看、能改。"), "success")
        return redirect(url_for("citizen.handover", key=key))
    flash(_("草稿已交還申請人，您不再看得到內容。謝謝您的協助。"), "success")
    return redirect(url_for("staff.intake" if actor().is_staff else "citizen.mine"))


def _page(journey: Journey, code: str = "") -> ResponseReturnValue:
    handovers.require_applicant(actor(), journey.draft)
    return render_template(
        "citizen/handover.html",
        journey=journey,
        code=" ".join(code[i : i + 4] for i in range(0, len(code), 4)),
        present=handed.live(journey.key),
        before=[each for each in handed.helpers(journey.key) if each.ended_at is not None],
        now=now(),
    )


@bp.get("/handover")
def help_out() -> ResponseReturnValue:
    if actor().is_staff:
        return redirect(url_for("staff.handover"))
    return _entry("", actor().name)


@bp.post("/handover")
def begin_to_help() -> ResponseReturnValue:
    code, name, source = request.form.get("code", ""), request.form.get("name", ""), request.remote_addr or ""
    if actor().kind == "anonymous":
        device_token()
        g.pop("actor", None)
    try:
        accounts.count_attempt("handover", source, now())
        with unit_of_work():
            key = handovers.help_out(actor(), code, name, now()).public_id
    except DomainError as error:
        return _entry(code[:40], name[:200], error)
    accounts.forget_attempts("handover", source, "")
    return redirect(url_for("citizen.resume", key=key))


def _entry(code: str, name: str, error: DomainError | None = None) -> ResponseReturnValue:
    wrong = {handovers.CODE: error.text} if error else {}
    if isinstance(error, Misfit):
        wrong = {misfit.field: misfit.text for misfit in (error, *error.others)}
    page = render_template(
        "citizen/help_out.html",
        code=code,
        name=name,
        mistakes={field: [text.in_(language())] for field, text in wrong.items()},
        mistake_links=[(f"#{field}", text.in_(language())) for field, text in wrong.items()],
        has_errors=error is not None,
    )
    return page, error.status if error else 200
