"""The page of the reusable reasons (片語) that the officers of a unit keep."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import Forbidden, Refused
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import phrases as service
from webapp.staff import bp
from webapp.uow import unit_of_work


@bp.get("/phrases")
def phrases() -> ResponseReturnValue:
    _require()
    return _page({})


@bp.post("/phrases")
def keep_phrase() -> ResponseReturnValue:
    _require()
    unit = request.form.get("unit", type=int) or 0
    title, text = request.form.get("title", ""), request.form.get("text", "").replace("\r\n", "\n")
    try:
        with unit_of_work():
            service.add(actor(), unit, title, text, _service_code(), now())
    except Refused as refusal:
        return _page(request.form, refusal.text), refusal.status
    flash(_("已加入片語「%(title)s」。", title=title.strip()), "success")
    return redirect(url_for("staff.phrases"))


@bp.post("/phrases/<pid>/withdraw")
def withdraw_phrase(pid: str) -> ResponseReturnValue:
    _require()
    with unit_of_work():
        service.withdraw(actor(), pid, now())
    flash(_("已停用這則片語。"), "success")
    return redirect(url_for("staff.phrases"))


def _page(typed: object, refusal: Text | None = None) -> str:
    today = taipei_day(now())
    services = {each.code: each.title for each in definitions.current_services(today)}
    return render_template(
        "staff/phrases.html",
        kept=service.kept(actor()),
        units=[chart().units[key] for key in service.units_of(actor())],
        names={unit.id: unit for unit in chart().units.values()},
        services=services,
        typed=typed,
        refusal=refusal,
        has_errors=refusal is not None,
    )


def _service_code() -> str:
    """Of a service that there is; anything else means every service."""
    code = request.form.get("service", "")
    return code if any(each.code == code for each in definitions.current_services(taipei_day(now()))) else ""


def _require() -> None:
    if not service.units_of(actor()):
        raise Forbidden(
            Text(zh="片語由承辦單位的人員維護。", en="Phrases are kept by those who work on cases.")
        )
