"""Uploads by script, downloads, and the stylesheet of a form."""

from __future__ import annotations

import io

from flask import jsonify, make_response, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from forms import visibility
from webapp.citizen import bp, sheet
from webapp.citizen.apply import the_journey
from webapp.citizen.journey import DraftSheet
from webapp.errors import NotFound
from webapp.queries import definitions, papers
from webapp.security import actor, now
from webapp.services import dispatch, printing
from webapp.uow import unit_of_work

FOR_A_YEAR = "public, max-age=31536000, immutable"


@bp.post("/apply/<key>/files/<field>")
def upload(key: str, field: str) -> ResponseReturnValue:
    document = sheet.store_one(_page_of(key, field), field)
    return jsonify(id=document.public_id, name=document.filename, size=document.size), 201


@bp.post("/apply/<key>/files/<field>/<doc>/remove")
def remove(key: str, field: str, doc: str) -> ResponseReturnValue:
    page = _page_of(key, field)
    sheet.remove_one(page, field, doc)
    if request.accept_mimetypes.best == "application/json":
        return "", 204
    return redirect(url_for("citizen.step", key=key, section=page.section.key, _anchor=f"field-{field}"))


def _page_of(key: str, field: str) -> DraftSheet:
    journey = the_journey(key)
    if field not in journey.form:
        raise NotFound()
    return DraftSheet(journey, journey.form.section_of(field))


@bp.get("/documents/<pid>")
def document(pid: str) -> ResponseReturnValue:
    """Always to be saved, never opened on our own address: what a stranger uploaded is not shown as ours."""
    found = papers.visible(actor(), pid, now())
    issued = papers.letter_of(found)
    if issued is not None:
        with unit_of_work():
            dispatch.opened(actor(), *issued, now())
    return send_file(
        io.BytesIO(printing.handed_out(found)),
        mimetype=found.media_type,
        as_attachment=True,
        download_name=found.filename,
    )


@bp.get("/forms/<int:revision>.css")
def form_style(revision: int) -> ResponseReturnValue:
    """A revision never changes, so neither does its stylesheet."""
    answer = make_response(visibility.css(definitions.form(revision)))
    answer.mimetype = "text/css"
    answer.headers["Cache-Control"] = FOR_A_YEAR
    return answer
