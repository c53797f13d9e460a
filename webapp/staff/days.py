"""Stop-work days and extra working days: first what would move, then entered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text, parse_roc_date
from webapp.errors import Forbidden, Refused
from webapp.models import CalendarOverride
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import definitions
from webapp.queries.org import SpecialDay, chart
from webapp.security import actor, now
from webapp.services import calendar
from webapp.staff import bp, shown
from webapp.uow import unit_of_work

KINDS = {
    "off": Text(zh="停止上班", en="Nobody works"),
    "stop": Text(
        zh="停止上班，以日曆天或月計的期限也停止計算（行政程序法第51條第5項）",
        en="Nobody works, and limits in calendar days and months stand still too (article 51 V)",
    ),
    "work": Text(zh="補行上班", en="Worked although a rest day"),
}
WIDE = {"county": Text(zh="全縣", en="The whole county"), "national": Text(zh="全國", en="The whole country")}
CHANGES = {
    "revoke": Text(zh="撤銷，這一天照原來的行事曆", en="Take it back: the calendar as it was"),
    "correct": Text(zh="更正為下面的內容", en="Correct it as below"),
}
LONGEST = calendar.LONGEST
#: more lines than this nobody reads; the count is always whole
MOST_SHOWN = 200
DATE_PARTS = ("year", "month", "day")


@dataclass(frozen=True)
class Line:
    number: str
    service: Text
    unit: str
    is_branch: bool
    before: date
    after: date


@dataclass
class Typed:
    date: dict[str, str]
    kind: str
    scope: str
    reason: str
    source: str

    def mistakes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if self.day() is None:
            found["date"] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
        if self.kind not in KINDS:
            found["kind"] = [_("請選擇停止上班或補行上班。")]
        if not self.reason or len(self.reason) > LONGEST:
            found["reason"] = [_("請寫明事由，最多 %(n)s 字。", n=LONGEST)]
        if len(self.source) > LONGEST:
            found["source"] = [_("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST, now=len(self.source))]
        return found

    def day(self) -> date | None:
        try:
            return parse_roc_date("{year}年{month}月{day}日".format_map(self.date))
        except (KeyError, ValueError):
            return None

    def special(self) -> SpecialDay:
        day = self.day()
        assert day is not None, "asked before"
        return SpecialDay(day, self.kind, self.reason, self.scope)


def _typed() -> Typed:
    return Typed(
        {part: request.form.get(f"date-{part}", "").strip() for part in DATE_PARTS},
        request.form.get("kind", ""),
        request.form.get("scope", "county"),
        request.form.get("reason", "").strip(),
        request.form.get("source", "").strip(),
    )


@bp.get("/days")
def days() -> ResponseReturnValue:
    _require()
    return _page(Typed({}, "off", "county", "", ""))


@bp.post("/days")
def enter_day() -> ResponseReturnValue:
    """The preview enters nothing; what is entered is told with the number of cases that moved."""
    _require()
    typed = _typed()
    mistakes = typed.mistakes()
    if mistakes:
        return _page(typed, mistakes, status=422)
    special = typed.special()
    try:
        if request.form.get("action") != "enter":
            return _page(typed, moves=calendar.preview(special, now()))
        with unit_of_work():
            moved = calendar.override(
                actor(),
                special.day,
                special.kind,
                special.reason,
                special.scope,
                now(),
                legal_source=typed.source,
            )
    except Refused as refusal:
        return _page(typed, {"scope": [in_language(refusal.text)]}, status=422)
    flash(_("已登錄，%(n)s 件移動。", n=moved), "success")
    return redirect(url_for("staff.days"))


@bp.route("/days/<int:entry>", methods=["GET", "POST"])
def change_day(entry: int) -> ResponseReturnValue:
    """A day that was entered by mistake is taken back, or corrected; first what would move, as when it was entered."""
    _require()
    wrong = calendar.entry(entry)
    if request.method == "GET":
        day = {"year": str(wrong.day.year - 1911), "month": str(wrong.day.month), "day": str(wrong.day.day)}
        return _change(
            wrong, Typed(day, wrong.kind, wrong.scope, wrong.reason, wrong.legal_source), "revoke", ""
        )
    typed, change, why = _typed(), request.form.get("change", ""), request.form.get("why", "").strip()
    mistakes = typed.mistakes() if change == "correct" else {}
    if change not in CHANGES:
        mistakes["change"] = [_("請選擇撤銷或更正。")]
    if not 0 < len(why) <= LONGEST:
        mistakes["why"] = [_("請寫明原因，最多 %(n)s 字。", n=LONGEST)]
    if mistakes:
        return _change(wrong, typed, change, why, mistakes, status=422)
    special = typed.special() if change == "correct" else None
    try:
        if request.form.get("action") != "enter":
            moves = calendar.preview(special, now(), instead_of=wrong)
            return _change(wrong, typed, change, why, moves=moves)
        with unit_of_work():
            if special is None:
                moved = calendar.revoke(actor(), entry, why, now())
            else:
                moved = calendar.correct(actor(), entry, special, why, now(), legal_source=typed.source)
    except Refused as refusal:
        return _change(wrong, typed, change, why, {"scope": [in_language(refusal.text)]}, status=422)
    flash(_("已更改，%(n)s 件移動。", n=moved), "success")
    return redirect(url_for("staff.days"))


def _change(
    wrong: CalendarOverride,
    typed: Typed,
    change: str,
    why: str,
    mistakes: dict[str, list[str]] | None = None,
    moves: list[calendar.Move] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "staff/day.html",
        entry=wrong,
        taken_back_by=shown.staff_name(wrong.revoked_by_id),
        change=change,
        changes=[(key, in_language(label)) for key, label in CHANGES.items()],
        why=why,
        **_questions(typed, mistakes, moves),
    )
    return page, status


def _page(
    typed: Typed,
    mistakes: dict[str, list[str]] | None = None,
    moves: list[calendar.Move] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "staff/days.html",
        in_force=calendar.in_force(),
        taken_back=[(entry, shown.staff_name(entry.revoked_by_id)) for entry in calendar.taken_back()],
        today=taipei_day(now()),
        **_questions(typed, mistakes, moves),
    )
    return page, status


def _questions(
    typed: Typed, mistakes: dict[str, list[str]] | None, moves: list[calendar.Move] | None
) -> dict[str, Any]:
    """What both pages ask, and the preview."""
    units = [(unit.code, unit.name(language())) for unit in chart().units.values()]
    scopes = [(code, in_language(label)) for code, label in WIDE.items()]
    return {
        "typed": typed,
        "mistakes": mistakes or {},
        "has_errors": bool(mistakes),
        "kinds": [(kind, in_language(label)) for kind, label in KINDS.items()],
        "kind_names": KINDS,
        "scopes": scopes + units,
        "scope_names": dict(scopes + units),
        "looks": moves is not None,
        "lines": [_line(move) for move in (moves or [])[:MOST_SHOWN]],
        "cases": calendar.cases_in(moves or []),
        "rest": max(0, len(moves or []) - MOST_SHOWN),
    }


def _line(move: calendar.Move) -> Line:
    service = definitions.service(move.service_revision_id).title
    return Line(move.number, service, shown.unit_name(move.unit_id), move.is_branch, move.before, move.after)


def _require() -> None:
    if not actor().may("administer"):
        raise Forbidden(
            Text(zh="只有系統管理者可以登錄停班日。", en="Only administrators enter stop-work days.")
        )
