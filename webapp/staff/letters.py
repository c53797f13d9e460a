"""A letter after it was issued: how it goes out, its proof of service, and until when it may be appealed against."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.places import with_postal_code
from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.letters.wording import grouped
from webapp.models import Case, Letter
from webapp.presentation import in_language
from webapp.queries import definitions
from webapp.queries import letters as found
from webapp.security import actor, now
from webapp.services import dispatch, letter_changes, printing
from webapp.services.dispatch import Service
from webapp.staff import bp, shown
from webapp.staff.typed import DATE_PARTS, day_in, posted_day
from webapp.uow import unit_of_work
from workflows.remedy import GROUNDS, TRANSIT


@bp.get("/letters/<pid>")
def letter(pid: str) -> ResponseReturnValue:
    row, case = found.visible(actor(), pid)
    return _page(row, case)


@bp.post("/letters/<pid>/channel")
def send_letter_by(pid: str) -> ResponseReturnValue:
    row, case = _to_send(pid)
    try:
        with unit_of_work():
            dispatch.send_by(actor(), row, case, request.form.get("channel", ""), now())
    except (Conflict, Refused) as refusal:
        return _page(row, case, {"channel": refusal.text}), refusal.status
    flash(_("已改為「%(channel)s」。", channel=in_language(dispatch.CHANNELS[row.channel])), "success")
    return redirect(url_for("staff.letter", pid=pid))


@bp.post("/letters/<pid>/service")
def record_service(pid: str) -> ResponseReturnValue:
    row, case = _to_send(pid)
    day = day_in(posted_day("date"))
    if day is None:
        text = Text(zh="請填寫真實存在的日期，例如 115 年 12 月 3 日。", en="Give a date that exists.")
        return _page(row, case, {"date": text}), 422
    slip = request.files.get("slip")
    attached = (slip.filename or "", slip.read()) if slip is not None and slip.filename else None
    method, transit = request.form.get("method", ""), request.form.get("transit", "")
    try:
        with unit_of_work():
            service = Service(method, day, transit, attached, request.form.get("ground", ""))
            dispatch.record_service(actor(), row, case, service, now(), seen=_seen())
    except (Conflict, Refused) as refusal:
        return _page(row, case, {getattr(refusal, "field", "method"): refusal.text}), refusal.status
    flash(_("送達已登載。"), "success")
    return redirect(url_for("staff.letter", pid=pid))


@bp.post("/letters/<pid>/transit")
def set_transit(pid: str) -> ResponseReturnValue:
    row, case = _to_send(pid)
    try:
        with unit_of_work():
            dispatch.lives_in(actor(), row, case, request.form.get("transit", ""), now())
    except Refused as refusal:
        return _page(row, case, {"transit": refusal.text}), refusal.status
    flash(_("收件人所在地已更新。"), "success")
    return redirect(url_for("staff.letter", pid=pid))


@bp.post("/letters/<pid>/not-posted")
def letter_not_posted(pid: str) -> ResponseReturnValue:
    row, case = _to_send(pid)
    try:
        with unit_of_work():
            dispatch.undo_posting(actor(), row, case, request.form.get("reason", ""), now())
    except (Conflict, Refused) as refusal:
        return _page(row, case, {"reason": refusal.text}), refusal.status
    flash(_("已取消交寄，公文回到待寄公文。"), "success")
    return redirect(url_for("staff.letter", pid=pid))


def _to_send(pid: str) -> tuple[Letter, Case]:
    row, case = found.visible(actor(), pid)
    if not dispatch.may_send(actor(), case):
        raise Forbidden(
            Text(
                zh="只有承辦單位與收發人員可以發文和登載送達。",
                en="Only the unit of the case and the mail room send letters and record their service.",
            )
        )
    return row, case


def _page(row: Letter, case: Case, mistakes: dict[str, Text] | None = None) -> str:
    typed = request.form
    slip, changes = shown.document_of(row.slip_id), found.changes_of(row)
    return render_template(
        "staff/letter.html",
        letter=row,
        case=case,
        service=definitions.service(case.service_revision_id),
        document=shown.document_of(row.document_id),
        slip=slip,
        code=grouped(printing.fingerprint(row)),
        kind=found.name(row, case),
        channels=dispatch.CHANNELS if dispatch.may_be_electronic(row, case) else _without_electronic(),
        methods=[(name, dispatch.METHODS[name]) for name in dispatch.METHODS_OF[row.channel]],
        method=dispatch.METHODS.get(row.service_method or ""),
        places=[(name, place.label) for name, place in TRANSIT.items()],
        transit=TRANSIT[row.transit],
        transit_days=dispatch.transit_days(row),
        grounds=[(name, ground.label) for name, ground in GROUNDS.items()],
        appeal_by=dispatch.appeal_by(row, case),
        may_send=dispatch.may_send(actor(), case),
        changes=changes,
        original=found.by_id(row.changes_id),
        pending=letter_changes.open_of(row.id),
        may_change=letter_changes.may_propose(actor(), row, case)
        and not any(change.kind in letter_changes.ENDING for change in changes),
        typed=typed,
        address=with_postal_code(row.content["addressee_address"]),
        day={part: typed.get(f"date-{part}", "") for part in DATE_PARTS},
        mistakes=mistakes or {},
        has_errors=bool(mistakes),
    )


def _without_electronic() -> dict[str, Text]:
    return {name: label for name, label in dispatch.CHANNELS.items() if name != "electronic"}


def _seen() -> date | None:
    """The day of service that stood on the page."""
    try:
        return date.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        return None
