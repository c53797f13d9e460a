"""The calendar of a unit's resources: slots for a period, who comes, and who came."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text, parse_roc_date
from webapp.moments import TAIPEI, taipei_day
from webapp.queries import bookings as queries
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import attendance, bookings
from webapp.staff import bp
from webapp.staff.resources import Mistakes, managed, require, whole_number
from webapp.uow import unit_of_work

WEEKDAYS = (
    Text(zh="星期一", en="Monday"),
    Text(zh="星期二", en="Tuesday"),
    Text(zh="星期三", en="Wednesday"),
    Text(zh="星期四", en="Thursday"),
    Text(zh="星期五", en="Friday"),
    Text(zh="星期六", en="Saturday"),
    Text(zh="星期日", en="Sunday"),
)
SHOWN = timedelta(days=14)
NUMBERS = ("minutes", "capacity")


@bp.route("/slots/<pid>", methods=["GET", "POST"])
def slots(pid: str) -> ResponseReturnValue:
    found = managed(pid)
    mistakes = Mistakes()
    if request.method == "POST":
        pattern = _pattern(mistakes)
        if pattern is not None:
            with unit_of_work():
                made, there = bookings.create_slots(actor(), found, pattern, now())
            flash(
                _("已開放 %(made)s 個時段，%(there)s 個因為已有時段而略過。", made=made, there=there),
                "success",
            )
            return redirect(url_for("staff.slots", pid=pid, start=pattern.first.isoformat()))
    first = _start()
    to_come = queries.to_come(found, now())
    beginning = datetime.combine(first, time(), TAIPEI)
    page = render_template(
        "staff/slots.html",
        resource=found,
        unit=chart().units[found.unit_id],
        rows=queries.calendar_of(found, beginning, beginning + SHOWN),
        first=first,
        last=first + SHOWN - timedelta(days=1),
        to_come=len(to_come),
        before=(first - SHOWN).isoformat(),
        after=(first + SHOWN).isoformat(),
        weekdays=list(enumerate(WEEKDAYS)),
        states=bookings.STATES,
        now=now(),
        typed=request.form,
        mistakes=mistakes,
        boxes={name: _boxes(name) for name in ("first", "last")},
    )
    return page, 422 if mistakes else 200


@bp.post("/slots/<pid>/<slot>/remove")
def remove_slot(pid: str, slot: str) -> ResponseReturnValue:
    managed(pid)
    with unit_of_work():
        bookings.close_slot(actor(), slot, now())
    flash(_("時段已刪除。"), "success")
    return redirect(url_for("staff.slots", pid=pid))


@bp.post("/bookings/<pid>/mark")
def mark_booking(pid: str) -> ResponseReturnValue:
    require()
    with unit_of_work():
        booking = attendance.mark(actor(), pid, request.form.get("outcome", ""), now())
        back = url_for(
            "staff.slots",
            pid=booking.slot.resource.public_id,
            start=taipei_day(booking.slot.starts_at).isoformat(),
        )
    flash(_("已記錄。"), "success")
    return redirect(back)


def _start() -> date:
    try:
        return date.fromisoformat(request.args.get("start", ""))
    except ValueError:
        return taipei_day(now())


def _boxes(name: str) -> dict[str, str]:
    return {part: request.form.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")}


def _pattern(mistakes: Mistakes) -> bookings.Pattern | None:
    days, times = {}, {}
    for name in ("first", "last"):
        try:
            days[name] = parse_roc_date("{year}年{month}月{day}日".format_map(_boxes(name)))
        except ValueError:
            mistakes[name] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
    for name in ("opens", "closes"):
        try:
            times[name] = time.fromisoformat(request.form.get(name, "").strip())
        except ValueError:
            mistakes[name] = [_("請填寫時間，例如 09:00。")]
    whole = {name: whole_number(request.form.get(name, ""), name, mistakes) for name in NUMBERS}
    weekdays = frozenset(int(day) for day in request.form.getlist("weekdays") if day in set("0123456"))
    if not weekdays:
        mistakes["weekdays"] = [_("請至少選一天。")]
    if mistakes:
        return None
    opens, closes = times["opens"].replace(tzinfo=None), times["closes"].replace(tzinfo=None)
    return bookings.Pattern(days["first"], days["last"], weekdays, opens, closes, **whole)
