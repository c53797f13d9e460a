"""Meetings of plan control: counted and listed, entered by the control office, each with its agenda and resolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.values import Text
from webapp import pending, periods, sheets
from webapp.errors import Conflict, Misfit, Refused
from webapp.models import Register, ReviewMeeting
from webapp.models.meetings import MEETING_KINDS
from webapp.moments import taipei_day
from webapp.periods import Period
from webapp.plans import bp, review_words
from webapp.plans.register import parsed
from webapp.plans.verification import shared
from webapp.presentation import in_language, language
from webapp.queries import definitions, plans
from webapp.queries import meetings as queries
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import meetings, resolutions, review_withdrawals, verifications
from webapp.services.meetings import Entered
from webapp.services.plan_control import require
from webapp.services.resolution_steps import RULESET
from webapp.staff.typed import Mistakes, boxes, posted_day, read_day, summary, version
from webapp.uow import unit_of_work

#: bad lines that the page names
MOST_NAMED = 50


@dataclass
class Typed:
    """What stands in the inputs of a meeting."""

    text: Mapping[str, str]
    day: dict[str, str] = field(default_factory=dict)


@bp.route("/meetings", methods=["GET", "POST"])
def meetings_of_all() -> ResponseReturnValue:
    """Every meeting, those on no register among them."""
    return _list(None)


@bp.route("/registers/<key>/meetings", methods=["GET", "POST"])
def meetings_of(key: str) -> ResponseReturnValue:
    return _list(plans.register(key))


def _list(of: Register | None) -> ResponseReturnValue:
    mistakes, typed = Mistakes(), Typed(request.form, posted_day("held_on"))
    if request.method == "POST":
        require(actor())
        said = _entered(typed, mistakes)
        if said is not None:
            try:
                with unit_of_work():
                    made = meetings.enter(actor(), of, said, _agenda(typed), now()).public_id
            except (Misfit, Conflict) as refusal:
                mistakes[getattr(refusal, "field", "title")] = [in_language(refusal.text)]
            else:
                flash(_("會議已登錄，接著輸入決議。"), "success")
                return redirect(url_for("plans.meeting", pid=made))
    return _list_page(of, typed, mistakes), 422 if mistakes else 200


@pending.takes_in("plans.meetings_of_all")
def all_again(typed: MultiDict[str, str]) -> ResponseReturnValue:
    return _again(None, typed)


@pending.takes_in("plans.meetings_of")
def of_register_again(key: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    return _again(plans.register(key), typed)


def _again(of: Register | None, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was typed, nothing is stored yet."""
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _list_page(of, _typed_of(typed), Mistakes(), open_form=True), 400


def _typed_of(typed: MultiDict[str, str]) -> Typed:
    return Typed(typed, {part: typed.get(f"held_on-{part}", "") for part in ("year", "month", "day")})


def _entered(typed: Typed, mistakes: Mistakes) -> Entered | None:
    held_on = read_day("held_on", typed.day, mistakes)
    words = {
        name: typed.text.get(name, "").strip() for name in ("kind", "title", "place", "chair", "minutes")
    }
    return Entered(held_on=held_on, **words) if held_on is not None else None


def _agenda(typed: Typed) -> list[str]:
    """One item a line."""
    return [line.strip() for line in typed.text.get("agenda", "").splitlines() if line.strip()]


def _list_page(of: Register | None, typed: Typed, mistakes: Mistakes, *, open_form: bool = False) -> str:
    today = taipei_day(now())
    page, kind = max(request.args.get("page", 1, type=int), 1), request.args.get("kind", "")
    kind = kind if kind in MEETING_KINDS else ""
    period = _asked(of)
    register_id = of.id if of is not None else None
    found, count = queries.page(register_id, kind, page, today)
    tally = queries.tally(register_id, kind, today)
    return render_template(
        "plans/meetings.html",
        register=of,
        registers={each.id: each for each in plans.registers()},
        period=period,
        periods=_choices(period),
        counted=queries.counted(register_id, period, today),
        kind=kind,
        kinds=[(key, words) for key, words in review_words.MEETINGS.items()],
        meetings=found,
        count=count,
        page=page,
        pages=max(-(-count // queries.PAGE), 1),
        tally=tally,
        share=resolutions.released_share(tally, today),
        may_control=actor().may("control_plans"),
        typed=typed,
        mistakes=mistakes,
        lines=summary(mistakes, ("held_on",)),
        open_form=open_form,
        limits=meetings.LONGEST,
        **shared(),
    )


def _asked(of: Register | None) -> Period:
    """As the address says; else the newest quarter that was reported, or this one."""
    if written := request.args.get("period", ""):
        return parsed(written)
    months = plans.months(of.id) if of is not None else []
    return periods.quarter_of(months[0] if months else taipei_day(now()))


def _choices(period: Period) -> list[tuple[str, Text]]:
    """The quarters of two years up to the one shown, and what comes after it until today."""
    found = {period.key: period.label}
    month = taipei_day(now()).replace(day=1)
    for back in range(0, 24, 3):
        quarter = periods.quarter_of(periods.month_before(month, back))
        found.setdefault(quarter.key, quarter.label)
    return list(found.items())


# --- one meeting --------------------------------------------------------------------------------------------


@bp.get("/meetings/<pid>")
def meeting(pid: str) -> ResponseReturnValue:
    found = queries.find(pid)
    return _page(found, _stored(found), Mistakes())


@bp.post("/meetings/<pid>")
def change_meeting(pid: str) -> ResponseReturnValue:
    """Corrected and completed with its minutes, or with resolutions as lines or as a file."""
    require(actor())
    found, action, mistakes = queries.find(pid), request.form.get("action", ""), Mistakes()
    typed = Typed(request.form, posted_day("held_on")) if action == "change" else _stored(found)
    try:
        if action == "change":
            said = _entered(typed, mistakes)
            if said is not None:
                with unit_of_work():
                    meetings.change(actor(), found, said, _agenda(typed), now(), version=version())
                flash(_("已儲存。"), "success")
        elif action == "withdraw":
            with unit_of_work():
                number, reason = request.form.get("number", ""), request.form.get("reason", "")
                review_withdrawals.of_resolution(actor(), found, number, reason, now())
            flash(_("已撤銷，理由已留存。"), "success")
        else:
            count = _resolve(found, action)
            flash(_("已登錄 %(n)s 項決議，各成一案送交權責單位。", n=count), "success")
    except sheets.BadSheet as bad:
        where = "file" if action == "file" else "lines"
        mistakes[where] = [in_language(each.words) for each in bad.problems[:MOST_NAMED]]
        if (more := len(bad.problems) - MOST_NAMED) > 0:
            mistakes[where].append(_("還有 %(n)s 個錯誤。", n=more))
    except (Refused, Conflict) as refusal:
        mistakes[getattr(refusal, "field", "main")] = [in_language(refusal.text)]
        return _page(queries.find(pid), typed, mistakes), refusal.status
    if mistakes:
        return _page(queries.find(pid), typed, mistakes), 422
    return redirect(url_for("plans.meeting", pid=pid))


def _resolve(found: ReviewMeeting, action: str) -> int:
    if action == "file":
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            raise Misfit("file", Text(zh="請選擇檔案。", en="Choose a file."))
        asked = resolutions.read_file(upload.read(), found)
    else:
        asked = resolutions.read_lines(request.form.get("lines", ""), found)
    with unit_of_work():
        return len(resolutions.resolve(actor(), found, asked, now(), version=version()))


@pending.takes_in("plans.change_meeting")
def meeting_again(pid: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was typed, nothing is stored yet."""
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    found = queries.find(pid)
    kept = _typed_of(typed) if typed.get("action") == "change" else _stored(found)
    return _page(found, kept, Mistakes(), lines=typed.get("lines", "")), 400


def _stored(found: ReviewMeeting) -> Typed:
    names = ("kind", "title", "place", "chair", "minutes")
    return Typed({name: getattr(found, name) for name in names}, boxes(found.held_on))


def _page(found: ReviewMeeting, typed: Typed, mistakes: Mistakes, lines: str | None = None) -> str:
    today = taipei_day(now())
    page = max(request.args.get("page", 1, type=int), 1)
    listed = queries.resolutions(found.id, page)
    tally = queries.tally_of(found, today)
    revision = definitions.revision_id("ruleset", RULESET, today)
    ruleset = definitions.ruleset(revision).ruleset
    return render_template(
        "plans/meeting.html",
        meeting=found,
        register=queries.register_of(found),
        items=queries.items(found.id),
        resolved=listed,
        cases=queries.cases(actor(), listed),
        tally=tally,
        share=resolutions.released_share(tally, today),
        page=page,
        pages=max(-(-(tally.all + tally.withdrawn) // queries.PAGE), 1),
        ruleset=ruleset.title,
        revision=definitions.name_of(revision)[1],
        parameters=list(ruleset.parameters.values()),
        may_control=actor().may("control_plans"),
        kinds=list(review_words.MEETINGS.items()),
        typed=typed,
        pasted=request.form.get("lines", "") if lines is None else lines,
        action=request.form.get("action", ""),
        mistakes=mistakes,
        lines=summary(mistakes, ("held_on",)),
        limits=meetings.LONGEST,
        withdrawn=request.form if request.form.get("action") == "withdraw" else {},
        longest=verifications.LONGEST_REASON,
        most=resolutions.MOST,
        unit_names={unit.id: unit.name(language()) for unit in chart().units.values()},
        **shared(),
    )
