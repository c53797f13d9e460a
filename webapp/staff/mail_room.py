"""The mail room: letters to be sent, chosen and printed as one PDF with a registered-mail list."""

from __future__ import annotations

import io
from datetime import date

from flask import flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.places import with_postal_code
from rules.values import Text, parse_roc_date, roc_year
from webapp.errors import Conflict, Refused
from webapp.models import Letter, LetterBatch
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.queries import letters as found
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import dispatch, documents, mailings
from webapp.staff import bp
from webapp.staff.typed import DATE_PARTS, day_in, posted_day
from webapp.uow import unit_of_work


@bp.get("/letters")
def letters() -> ResponseReturnValue:
    return _page()


@bp.post("/letters/print")
def print_letters() -> ResponseReturnValue:
    try:
        with unit_of_work():
            batch = mailings.order(actor(), request.form.getlist("letter"), now())
    except Refused as refusal:
        return _page(refusal.text), refusal.status
    return redirect(url_for("staff.letter_batch", pid=batch.public_id))


@bp.get("/letter-batches/<pid>")
def letter_batch(pid: str) -> ResponseReturnValue:
    """Asks again by itself until the worker has printed it."""
    batch = mailings.visible(actor(), pid)
    answer = make_response(_batch(batch))
    if batch.document_id is None:
        answer.headers["Refresh"] = "5"
    return answer


@bp.post("/letter-batches/<pid>")
def hand_over_batch(pid: str) -> ResponseReturnValue:
    batch = mailings.visible(actor(), pid)
    prefix = "number-"
    given = {
        name.removeprefix(prefix): value for name, value in request.form.items() if name.startswith(prefix)
    }
    try:
        with unit_of_work():
            count = mailings.hand_over(actor(), batch, day_in(posted_day("date")), given, now())
    except (Conflict, Refused) as refusal:
        field = getattr(refusal, "field", "posting")
        return _batch(batch, field, in_language(refusal.text)), refusal.status
    flash(_("已登記 %(n)s 件公文交寄。", n=count), "success")
    return redirect(url_for("staff.letter_batch", pid=pid))


def _batch(batch: LetterBatch, mistake: str = "", refusal: str = "") -> str:
    """`mistake` is the field at which the refusal stands."""
    today = taipei_day(now())
    suggested = {"year": str(roc_year(today)), "month": str(today.month), "day": str(today.day)}
    return render_template(
        "staff/letter_batch.html",
        batch=batch,
        open=[each for each in mailings.letters_of(batch) if each.channel == "post" and _is_open(each)],
        typed=request.form,
        day={part: request.form.get(f"date-{part}", suggested[part]) for part in DATE_PARTS},
        mistake=mistake,
        refusal=refusal,
        has_errors=bool(mistake),
    )


def _is_open(letter: Letter) -> bool:
    return letter.served_on is None and (letter.posted_on is None or letter.registered_number is None)


@bp.get("/letter-batches/<pid>/letters.pdf")
def letter_batch_pdf(pid: str) -> ResponseReturnValue:
    document = mailings.paper(mailings.visible(actor(), pid))
    if document is None:
        return redirect(url_for("staff.letter_batch", pid=pid))
    return send_file(
        io.BytesIO(documents.content_of(document)),
        mimetype=document.media_type,
        download_name=document.filename,
    )


def _page(refusal: Text | None = None) -> str:
    asked = request.values
    channel = asked.get("channel", "post")
    wanted = found.Filter(
        channel=channel if channel in dispatch.CHANNELS else "post",
        first=_day(asked.get("first", "")),
        last=_day(asked.get("last", "")),
        unit_id=asked.get("unit", type=int),
        all=asked.get("all") == "yes",
    )
    if wanted.unit_id not in chart().units:
        wanted = found.Filter(wanted.channel, wanted.first, wanted.last, None, wanted.all)
    return render_template(
        "staff/letters.html",
        listed=found.to_send(actor(), wanted),
        wanted=wanted,
        asked=asked,
        channels=list(dispatch.CHANNELS.items()),
        units=[unit for unit in chart().units.values() if unit.kind in ("department", "bureau", "township")],
        name=found.name,
        postal=with_postal_code,
        chosen=request.form.getlist("letter"),
        most=found.MOST_LISTED,
        refusal=refusal,
        has_errors=refusal is not None,
    )


def _day(text: str) -> date | None:
    """What is no date does not filter."""
    try:
        return parse_roc_date(text) if text.strip() else None
    except ValueError:
        return None
