"""Counter, telephone and postal intake: a clerk enters an application on the same form as everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.model import FormDefinition
from rules.values import parse_roc_date
from webapp.errors import DomainError, Forbidden
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import catalogue, definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import accounts, clocks, drafts, handovers
from webapp.staff import bp
from webapp.staff.words import CHANNELS
from webapp.uow import unit_of_work
from workflows.service import ServiceDefinition

DATE_PARTS = ("year", "month", "day")
LONGEST_NOTE = 1000
#: an application that lay about longer than this was mistyped
OLDEST_DAYS = 366


@dataclass
class Typed:
    channel: str = ""
    received: dict[str, str] = field(default_factory=dict)
    postmarked: dict[str, str] = field(default_factory=dict)
    originals: tuple[str, ...] = ()
    note: str = ""


@bp.get("/intake")
def intake() -> ResponseReturnValue:
    """First the service, found by everyday words; then how and when the application came."""
    _check_clerk()
    today = taipei_day(now())
    code = request.args.get("service")
    if code is None:
        asked = request.args.get("q", "").strip()
        found = catalogue.search(asked, today).services if asked else definitions.current_services(today)
        return render_template("staff/intake.html", asked=asked, services=found)
    service = definitions.current_service(code, today)
    return _form_page(service, Typed(received=_boxes(today)))


@bp.post("/intake")
def take_in() -> ResponseReturnValue:
    _check_clerk()
    service = definitions.current_service(request.form.get("service", ""), taipei_day(now()))
    intake = _intake_of(service)
    if not isinstance(intake, dict):
        return intake
    with unit_of_work():
        key = drafts.start(actor(), service.code, now(), intake=intake).public_id
    return redirect(url_for("citizen.resume", key=key))


@bp.get("/intake/handover")
def handover() -> ResponseReturnValue:
    _check_clerk()
    return _code_page()


@bp.post("/intake/handover")
def take_over() -> ResponseReturnValue:
    """First the code; then, on the form of every intake, how the applicant came. The code is used with that form."""
    _check_clerk()
    code, source, clerk = request.form.get("code", ""), request.remote_addr or "", str(actor().account_id)
    try:
        accounts.count_attempt("handover", source, now(), identity=clerk)
        service = handovers.waiting(actor(), code, now())
        accounts.forget_attempts("handover", source, clerk)
        if "received-year" not in request.form:
            return _form_page(service, Typed(received=_boxes(taipei_day(now()))), code=code)
        intake = _intake_of(service, code)
        if not isinstance(intake, dict):
            return intake
        with unit_of_work():
            key = handovers.take_in(actor(), code, intake, now()).public_id
    except DomainError as error:
        return _code_page(code[:40], error)
    return redirect(url_for("citizen.resume", key=key))


def _code_page(code: str = "", error: DomainError | None = None) -> ResponseReturnValue:
    page = render_template(
        "staff/handover.html",
        code=code,
        mistakes=[error.text.in_(language())] if error else [],
        has_errors=error is not None,
    )
    return page, error.status if error else 200


def _intake_of(service: ServiceDefinition, code: str = "") -> dict[str, Any] | ResponseReturnValue:
    """How and when an application came; the page once more where that is not clear."""
    typed = Typed(
        channel=request.form.get("channel", ""),
        received=_posted("received"),
        postmarked=_posted("postmarked"),
        originals=tuple(request.form.getlist("originals")),
        note=request.form.get("note", "").strip(),
    )
    mistakes, received, postmarked = _check(typed, _channels(code))
    if mistakes:
        return _form_page(service, typed, mistakes, code=code), 422
    due = _due(service, postmarked or received)
    if due is not None and due < taipei_day(now()) and request.form.get("late") != due.isoformat():
        return _form_page(service, typed, late=due, code=code)
    labels = {field.key: field.label.zh for field in _form_of(service).file_fields}
    return {
        "channel": typed.channel,
        "received_on": received.isoformat() if received else None,
        "postmarked_on": postmarked.isoformat() if postmarked else None,
        "originals_seen": [label for key, label in labels.items() if key in typed.originals],
        "note": typed.note,
        "clerk": actor().account_id,
    }


def _check_clerk() -> None:
    if not actor().may("take_in_at_counter"):
        raise Forbidden(drafts.ONLY_CLERKS)


def _form_page(
    service: ServiceDefinition,
    typed: Typed,
    mistakes: dict[str, list[str]] | None = None,
    late: date | None = None,
    code: str = "",
) -> str:
    """With the code of a draft that the applicant hands over, where there is one."""
    return render_template(
        "staff/intake_form.html",
        service=service,
        code=code,
        typed=typed,
        mistakes=mistakes or {},
        has_errors=bool(mistakes),
        late=late,
        channels=[(key, label) for key, label in CHANNELS.items() if key in _channels(code)],
        documents=[(f.key, f.label) for f in _form_of(service).file_fields],
    )


def _due(service: ServiceDefinition, filed_on: date | None) -> date | None:
    """Until when an application of that day must be done, by the service's own limit."""
    if filed_on is None:
        return None
    kind, owner = service.period.kind, chart().by_code[service.owner]
    start = clocks.start_of(kind, filed_on, now())
    return clocks.due_on(kind, service.period.period, start, owner.id)


def _form_of(service: ServiceDefinition) -> FormDefinition:
    return definitions.current_form(service.form, taipei_day(now()))


def _channels(code: str) -> frozenset[str]:
    """A code is told at the counter or on the telephone."""
    return frozenset(CHANNELS) - {"web", "internal"} - ({"post"} if code else set())


def _check(typed: Typed, channels: frozenset[str]) -> tuple[dict[str, list[str]], date | None, date | None]:
    """Mistakes by input; the day of receipt, and of the postmark of a letter (行政程序法 49)."""
    mistakes: dict[str, list[str]] = {}
    if typed.channel not in channels:
        mistakes["channel"] = [_("請選擇收件方式。")]
    received = _day(typed.received, "received", mistakes)
    postmarked = None
    if typed.channel == "post":
        postmarked = _day(typed.postmarked, "postmarked", mistakes)
        if received and postmarked and postmarked > received:
            mistakes["postmarked"] = [_("郵戳日不能晚於收件日。")]
    if len(typed.note) > LONGEST_NOTE:
        mistakes["note"] = [_("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_NOTE, now=len(typed.note))]
    return mistakes, received, postmarked


def _day(boxes: dict[str, str], name: str, mistakes: dict[str, list[str]]) -> date | None:
    try:
        day = parse_roc_date("{year}年{month}月{day}日".format_map(boxes))
    except ValueError:
        mistakes[name] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
        return None
    today = taipei_day(now())
    if day > today:
        mistakes[name] = [_("日期不能晚於今天。")]
    elif (today - day).days > OLDEST_DAYS:
        mistakes[name] = [_("日期是一年多以前，請確認年份。")]
    return day


def _posted(name: str) -> dict[str, str]:
    return {part: request.form.get(f"{name}-{part}", "").strip() for part in DATE_PARTS}


def _boxes(day: date) -> dict[str, str]:
    return {"year": str(day.year - 1911), "month": str(day.month), "day": str(day.day)}
