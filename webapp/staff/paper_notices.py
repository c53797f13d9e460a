"""Notices on paper: listed for whoever posts them, printed a page each, and noted as posted."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.places import with_postal_code
from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.models import Party
from webapp.queries import letters as found
from webapp.security import actor, now
from webapp.services import by_hand, parties
from webapp.staff import bp
from webapp.uow import unit_of_work


@bp.get("/paper-notices")
def paper_notices() -> ResponseReturnValue:
    """As a page to choose from; in print each notice has a sheet of its own."""
    return _page()


@bp.post("/paper-notices")
def notices_posted() -> ResponseReturnValue:
    try:
        count = _note(request.form.getlist("notice"))
    except (Conflict, Refused) as refusal:
        return _page(refusal.text), refusal.status
    flash(_("已登記 %(n)s 件通知交寄。", n=count), "success")
    return redirect(url_for("staff.paper_notices"))


def _note(public_ids: list[str]) -> int:
    with unit_of_work():
        chosen = found.notices_chosen(actor(), request.form.getlist("notice"))
        if not chosen:
            raise Refused(Text(zh="請勾選已交寄的通知。", en="Choose the notices that were posted."))
        for message, case in chosen:
            by_hand.note(actor(), case, message.public_id, "post", now())
    return len(chosen)


def _page(refusal: Text | None = None) -> str:
    listed = found.notices_to_post(actor())
    everybody = parties.of_cases([case.id for _message, case in listed])
    return render_template(
        "staff/paper_notices.html",
        listed=[(message, case, _addressee(everybody[case.id])) for message, case in listed],
        postal=with_postal_code,
        most=found.MOST_LISTED,
        refusal=refusal,
        has_errors=refusal is not None,
    )


def _addressee(people: list[Party]) -> str:
    """The agent, to whom paper goes, else the applicant."""
    applicant, agent = parties.names_of(people)
    return agent or applicant
