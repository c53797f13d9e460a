"""抽查: the cases that were drawn for a check by the head, and the check itself."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Refused
from webapp.presentation import in_language
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import sample_audits
from webapp.staff import bp
from webapp.uow import unit_of_work


@bp.get("/audits")
def audits() -> ResponseReturnValue:
    return render_template(
        "staff/audits.html", audits=sample_audits.drawn(actor()), results=sample_audits.RESULTS
    )


@bp.get("/audits/<pid>")
def audit(pid: str) -> ResponseReturnValue:
    return _page(pid)


@bp.post("/audits/<pid>")
def check_audit(pid: str) -> ResponseReturnValue:
    typed = request.form
    comment = typed.get("comment", "").replace("\r\n", "\n")
    found = sample_audits.visible(actor(), pid)
    try:
        with unit_of_work():
            sample_audits.check(actor(), found, typed.get("result", ""), comment, now())
    except Refused as refusal:
        return _page(pid, in_language(refusal.text)), refusal.status
    flash(_("已記錄抽查結果。"), "success")
    return redirect(url_for("staff.audits"))


def _page(pid: str, mistake: str = "") -> str:
    found = sample_audits.visible(actor(), pid)
    return render_template(
        "staff/audit.html",
        audit=found,
        service=definitions.service(found.case.service_revision_id),
        results=sample_audits.RESULTS,
        checked_by=chart().names.get(found.checked_by_id or 0, ""),
        typed=request.form,
        mistake=mistake,
        about="comment" if request.form.get("result") in sample_audits.RESULTS else "result",
        longest=sample_audits.LONGEST,
    )
