"""滿意度調查: one page, opened by the link in the message; nobody need sign in."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.citizen import bp
from webapp.errors import Refused
from webapp.models import Case, Survey
from webapp.presentation import in_language
from webapp.queries import definitions
from webapp.security import now
from webapp.services import surveys
from webapp.uow import unit_of_work


@bp.get("/survey/<pid>")
def survey(pid: str) -> ResponseReturnValue:
    return _page(surveys.by_link(pid))


@bp.post("/survey/<pid>")
def answer_survey(pid: str) -> ResponseReturnValue:
    found, typed = surveys.by_link(pid), request.form
    comment = typed.get("comment", "").replace("\r\n", "\n")
    try:
        with unit_of_work():
            surveys.answer(found, typed.get("grade", type=int), comment, now())
    except Refused as refusal:
        return _page(surveys.by_link(pid), in_language(refusal.text)), refusal.status
    return redirect(url_for("citizen.survey", pid=pid))


def _page(found: Survey, mistake: str = "") -> str:
    case: Case = found.case
    return render_template(
        "citizen/survey.html",
        survey=found,
        is_open=surveys.is_open(found, now()),
        number=case.number,
        service=definitions.service(case.service_revision_id),
        grades=[(grade, in_language(label)) for grade, label in surveys.GRADES.items()],
        typed=request.form,
        mistake=mistake,
        about="comment" if len(request.form.get("comment", "")) > surveys.LONGEST else "grade",
        longest=surveys.LONGEST,
    )
