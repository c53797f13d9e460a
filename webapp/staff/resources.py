"""What a unit lets people book: made, changed, closed with everybody told, opened again."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import Forbidden, NotFound, Refused
from webapp.models import Resource
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import bookings as queries
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import bookings
from webapp.services import resources as verbs
from webapp.staff import bp
from webapp.uow import unit_of_work

Mistakes = dict[str, list[str]]
NUMBERS = ("capacity", "cancel_hours", "remind_hours")


@bp.route("/slots", methods=["GET", "POST"])
def resources() -> ResponseReturnValue:
    require()
    mistakes = Mistakes()
    if request.method == "POST":
        said = _settings(mistakes)
        if not mistakes:
            with unit_of_work():
                made = bookings.create_resource(
                    actor(),
                    request.form.get("unit", 0, type=int),
                    said.name,
                    said.capacity,
                    said.service_codes,
                    cancel_hours=said.cancel_hours,
                    remind_hours=said.remind_hours,
                )
                key = made.public_id
            flash(_("已新增，接著開放時段。"), "success")
            return redirect(url_for("staff.slots", pid=key))
    tree = chart()
    page = render_template(
        "staff/resources.html",
        resources=queries.resources(actor()),
        tree=tree,
        units=[
            (str(unit), tree.units[unit].name(language())) for unit in sorted(queries.managed_units(actor()))
        ],
        services=_services(),
        titles=dict(_services()),
        typed=request.form,
        chosen=request.form.getlist("services"),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


@bp.route("/slots/<pid>/settings", methods=["GET", "POST"])
def resource_settings(pid: str) -> ResponseReturnValue:
    found = managed(pid)
    mistakes = Mistakes()
    if request.method == "POST":
        said = _settings(mistakes)
        if not mistakes:
            with unit_of_work():
                verbs.edit(actor(), found, said, now(), version=_version())
            flash(_("資源已更新。"), "success")
            return redirect(url_for("staff.slots", pid=pid))
    page = render_template(
        "staff/resource_settings.html",
        resource=found,
        services=_services(),
        typed=request.form or {key: str(getattr(found, key)) for key in ("name_zh", "name_en", *NUMBERS)},
        chosen=request.form.getlist("services") if request.form else found.service_codes,
        version=request.form.get("version", found.version),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


@bp.route("/slots/<pid>/close", methods=["GET", "POST"])
def close_resource(pid: str) -> ResponseReturnValue:
    """First who would lose a booking, then closed with all of them told."""
    found = managed(pid)
    mistakes = Mistakes()
    if request.method == "POST":
        try:
            with unit_of_work():
                told = verbs.close(
                    actor(),
                    found,
                    request.form.get("reason", ""),
                    request.form.getlist("booking"),
                    now(),
                    version=_version(),
                )
        except Refused as refusal:
            mistakes["reason"] = [in_language(refusal.text)]
        else:
            flash(_("已關閉，%(n)s 筆預約已取消並通知申請人。", n=told), "success")
            return redirect(url_for("staff.slots", pid=pid))
    page = render_template(
        "staff/resource_close.html",
        resource=found,
        people=queries.to_come(found, now()),
        states=bookings.STATES,
        typed=request.form,
        mistakes=mistakes,
        longest=verbs.LONGEST_REASON,
    )
    return page, 422 if mistakes else 200


@bp.post("/slots/<pid>/reopen")
def reopen_resource(pid: str) -> ResponseReturnValue:
    found = managed(pid)
    with unit_of_work():
        verbs.reopen(actor(), found, now(), version=_version())
    flash(_("已重新開放，還沒過的時段可以再預約。"), "success")
    return redirect(url_for("staff.slots", pid=pid))


def _services() -> list[tuple[str, str]]:
    return [
        (service.code, f"{service.code} {service.title.in_(language())}")
        for service in definitions.current_services(taipei_day(now()))
    ]


def _settings(mistakes: Mistakes) -> verbs.Settings:
    """What a form about a resource says; with the mistakes."""
    typed = request.form
    names = {key: typed.get(key, "").strip() for key in ("name_zh", "name_en")}
    mistakes |= {
        key: [_("請填寫名稱，最多 80 字。")] for key, name in names.items() if not 0 < len(name) <= 80
    }
    whole = {key: whole_number(typed.get(key, ""), key, mistakes) for key in NUMBERS}
    known = {code for code, _title in _services()}
    codes = [code for code in typed.getlist("services") if code in known]
    if not codes:
        mistakes["services"] = [_("請至少選一個申辦項目。")]
    return verbs.Settings(Text(zh=names["name_zh"] or "-", en=names["name_en"]), service_codes=codes, **whole)


def whole_number(typed: str, name: str, mistakes: Mistakes) -> int:
    """A whole number that fits; 1 to 10,000, hours from 0."""
    lowest = 0 if name.endswith("_hours") else 1
    try:
        found = int(typed)
    except ValueError:
        found = -1
    if not lowest <= found <= 10_000:
        mistakes[name] = [_("請填 %(low)s 到 10000 的整數。", low=lowest)]
    return found


def require() -> None:
    if not actor().may("manage_slots"):
        raise Forbidden(Text(zh="只有承辦人與主管可以管理時段。", en="Only officers and heads manage slots."))


def managed(pid: str) -> Resource:
    require()
    found = queries.resource(actor(), pid)
    if found is None:
        raise NotFound()
    return found


def _version() -> int:
    return request.form.get("version", 0, type=int)
