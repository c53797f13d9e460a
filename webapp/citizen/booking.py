"""The appointment of a case: the applicant chooses a slot, waits for a full one, sees it, gives it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.citizen import bp
from webapp.errors import Conflict, Forbidden, Misfit, NotFound, Refused
from webapp.models import Booking, Case, Slot
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import bookings as queries
from webapp.queries import definitions
from webapp.security import actor, now
from webapp.services import bookings, cases
from webapp.uow import unit_of_work


@dataclass(frozen=True)
class Appointment:
    """An appointment as its page and the progress page show it."""

    booking: Booking
    when: str
    place: str
    state: Text
    #: held, confirmed or waiting: not over
    active: bool
    may_change: bool
    until: datetime


@bp.route("/applications/<pid>/booking", methods=["GET", "POST"])
def booking(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    if not actor().may("book_slot"):
        raise Forbidden(Text(zh="只有申請人可以選擇時段。", en="Only the applicant may choose a slot."))
    if not queries.offers_slots(found):
        raise NotFound()
    if request.method == "POST":
        try:
            with unit_of_work():
                said = _carry_out(found)
        except (Conflict, Refused) as refusal:
            return _page(found, getattr(refusal, "field", "slot"), refusal.text), refusal.status
        flash(said, "success")
        return redirect(url_for("citizen.booking", pid=pid))
    return _page(found)


def of_case(case: Case) -> Appointment | None:
    """The newest appointment, and what the applicant may still do about it."""
    mine = queries.newest(case.id)
    if mine is None:
        return None
    active, until = mine.state in bookings.ACTIVE, bookings.cancel_until(mine)
    in_time = mine.state == "waiting" or now() <= until
    lang = language()
    return Appointment(
        mine,
        queries.when(mine, lang),
        queries.place(mine, lang),
        bookings.STATES[mine.state],
        active,
        active and case.status == "open" and in_time,
        until,
    )


def _carry_out(case: Case) -> str:
    if request.form.get("action") == "cancel":
        bookings.cancel(actor(), case, now())
        return _("預約已取消。")
    slot = request.form.get("slot", "")
    if not slot:
        raise Misfit("slot", Text(zh="請選擇一個時段。", en="Choose a slot."))
    seats = request.form.get("seats", 0, type=int)
    if request.form.get("action") == "exchange":
        bookings.exchange(actor(), case, slot, now(), seats=seats)
        return _("已改到這個時段，等候承辦人確認；原來的時段已經讓出。")
    may_wait = request.form.get("wait") == "yes"
    made = bookings.choose(actor(), case, slot, now(), seats=seats, may_wait=may_wait)
    if made.state == "waiting":
        return _("您已登記候補，有名額時會通知您。")
    return _("已為您保留這個時段。")


def _page(found: Case, mistake: str = "", refusal: Text | None = None) -> str:
    """`mistake` is the field at which the refusal stands; what was chosen stays chosen."""
    mine = of_case(found)
    has_one = mine is not None and mine.active
    slots: list[Slot] = []
    if mine is not None and mine.may_change:
        slots = [slot for slot in queries.free(found, now()) if slot.id != mine.booking.slot_id]
    elif not has_one and found.status == "open":
        slots = list(queries.choices(found, now()))
    return render_template(
        "citizen/booking.html",
        case=found,
        service=definitions.service(found.service_revision_id),
        mine=mine,
        mistake=mistake,
        refusal=refusal,
        typed=request.form,
        has_errors=refusal is not None,
        has_one=has_one,
        ahead=queries.ahead_of(mine.booking) if mine and mine.booking.state == "waiting" else 0,
        days=[
            (day, list(of_day)) for day, of_day in groupby(slots, key=lambda slot: taipei_day(slot.starts_at))
        ],
    )
