"""Absences: who is away until when, who stands in, and entering one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import parse_roc_date
from webapp.errors import Refused
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.security import actor, now
from webapp.services import absences as services
from webapp.staff import bp, shown
from webapp.uow import unit_of_work

DATE_PARTS = ("year", "month", "day")
LONGEST_REASON = 200


@dataclass
class Typed:
    person: str = ""
    deputy: str = ""
    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@bp.get("/absences")
def absences() -> ResponseReturnValue:
    return _page(Typed(person=str(actor().account_id)))


@bp.post("/absences")
def enter_absence() -> ResponseReturnValue:
    sent = request.form
    typed = Typed(
        sent.get("person", ""),
        sent.get("deputy", ""),
        {part: sent.get(f"first-{part}", "").strip() for part in DATE_PARTS},
        {part: sent.get(f"last-{part}", "").strip() for part in DATE_PARTS},
        sent.get("reason", "").strip(),
    )
    mistakes: dict[str, list[str]] = {}
    first, last = _day(typed.first, "first", mistakes), _day(typed.last, "last", mistakes)
    if typed.person not in {str(key) for key, _name in _people()}:
        mistakes["person"] = [_("請選擇請假的人。")]
    if typed.deputy not in {str(key) for key, _name in _deputies()}:
        mistakes["deputy"] = [_("請選擇代理人。")]
    if len(typed.reason) > LONGEST_REASON:
        mistakes["reason"] = [_("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_REASON, now=len(typed.reason))]
    if mistakes or first is None or last is None:
        return _page(typed, mistakes), 422
    try:
        with unit_of_work():
            services.enter(actor(), int(typed.person), int(typed.deputy), first, last, typed.reason, now())
    except Refused as refusal:
        return _page(typed, {"": [in_language(refusal.text)]}), 422
    flash(_("已登記。請假期間，待辦會出現在代理人的「代理案件」。"), "success")
    return redirect(url_for("staff.absences"))


@bp.post("/absences/<int:absence_id>/end")
def end_absence(absence_id: int) -> ResponseReturnValue:
    with unit_of_work():
        services.end(actor(), absence_id, now())
    flash(_("已結束這段請假。"), "success")
    return redirect(url_for("staff.absences"))


def _page(typed: Typed, mistakes: dict[str, list[str]] | None = None) -> str:
    today = taipei_day(now())
    people = _people()
    own = {key for key, _name in people}
    return render_template(
        "staff/absences.html",
        typed=typed,
        mistakes=mistakes or {},
        has_errors=bool(mistakes),
        people=people,
        deputies=_deputies(),
        known=[
            (absence, shown.staff_name(absence.account_id), shown.staff_name(absence.deputy_id))
            for absence in services.known(actor(), today)
        ],
        own=own,
    )


def _people() -> list[tuple[int, str]]:
    return [(key, shown.staff_name(key)) for key in services.people_of(actor(), taipei_day(now()))]


def _deputies() -> list[tuple[int, str]]:
    """Of everybody for whom the actor may enter an absence; whether the two fit is looked at when it is sent."""
    today = taipei_day(now())
    found = {d for person, _name in _people() for d in services.deputies_for(person, today)}
    return sorted(((key, shown.staff_name(key)) for key in found), key=lambda each: each[1])


def _day(boxes: dict[str, str], name: str, mistakes: dict[str, list[str]]) -> date | None:
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(boxes))
    except ValueError:
        mistakes[name] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
        return None
