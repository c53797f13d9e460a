"""The time limit of a case as a decision of its own: extension asked for and decided, clock stopped and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text, format_day
from webapp.errors import Conflict, DomainError, Forbidden, Refused
from webapp.models import Case, ExtensionRequest
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import definitions
from webapp.security import actor, now
from webapp.services import cases, clocks, extension_requests, extensions, suspensions
from webapp.services.extensions import NotExtensible
from webapp.staff import bp, shown
from webapp.staff.words import function_label
from webapp.uow import unit_of_work
from workflows.clock import explain
from workflows.counting import UNITS, amount

STATES = {
    "open": Text(zh="等候核定", en="Waiting for approval"),
    "approved": Text(zh="已核准", en="Approved"),
    "refused": Text(zh="不同意", en="Refused"),
    "lapsed": Text(zh="失效", en="Void"),
    "withdrawn": Text(zh="已收回", en="Taken back"),
}
STATE_COLOURS = {
    "open": "yellow",
    "approved": "green",
    "refused": "red",
    "lapsed": "grey",
    "withdrawn": "grey",
}


@dataclass(frozen=True)
class Asked:
    """One extension as the pages show it."""

    public_id: str
    length: Text
    working_days: int
    reason: str
    who: str
    asked_for: str
    at: datetime
    due_before: date
    due_after: date
    function: Text
    unit: str
    state: str
    decided_by: str
    decided_for: str
    decided_at: datetime | None
    answer: str
    #: whether the reader may decide it now
    mine: bool
    #: or take it back
    own: bool


@dataclass(frozen=True)
class Waiting:
    """A line of the approver's inbox."""

    url: str
    number: str
    service: Text
    length: Text
    who: str
    due_before: date
    due_after: date


@bp.get("/cases/<pid>/extension")
def extension(pid: str) -> ResponseReturnValue:
    case = cases.visible(actor(), pid)
    if not extensions.may_ask(actor(), case):
        flash(_("這個案件現在不能申請展期。"), "warning")
        return redirect(url_for("staff.case", pid=pid))
    return _asking(case, "", "", case.version)


@bp.post("/cases/<pid>/extension")
def ask_extension(pid: str) -> ResponseReturnValue:
    case = cases.visible(actor(), pid)
    days, reason = request.form.get("days", "").strip(), request.form.get("reason", "")
    version = _version()
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0
    try:
        if request.form.get("action") != "ask":
            with unit_of_work():
                _mandate, foreseen = extensions.foresee(actor(), case, number, reason, now(), version=version)
            return _asking(case, days, reason, version, foreseen=foreseen)
        with unit_of_work():
            asked = extensions.ask(actor(), case, number, reason, now(), version=version)
            function = function_label(asked.function)
    except NotExtensible as refusal:
        return _asking(case, days, reason, version, refusal.problems, 422)
    except Conflict as conflict:
        return _asking(case, days, reason, case.version, (conflict.text,), 409)
    flash(_("已申請展期，由%(function)s核定。", function=in_language(function)), "success")
    return redirect(url_for("staff.case", pid=pid))


def _asking(
    case: Case,
    days: str,
    reason: str,
    version: int,
    problems: Sequence[Text] = (),
    status: int = 200,
    foreseen: extensions.Foreseen | None = None,
) -> ResponseReturnValue:
    clock, limit = clocks.of_case(case.id), extensions.limit_of(case)
    longest = clock.period if limit is None or limit.at_most is None else limit.at_most
    mandate = extensions.asker(actor(), case)
    page = render_template(
        "staff/extension.html",
        acts_for=shown.staff_name(mandate.acting_for_id) if mandate else "",
        case=case,
        service=definitions.service(case.service_revision_id),
        days=days,
        reason=reason,
        version=version,
        unit=in_language(UNITS[clock.kind]).strip(),
        longest=amount(clock.kind, longest),
        problems=problems,
        has_errors=bool(problems),
        most=extensions.LONGEST_REASON,
        foreseen=foreseen,
        lines=explain(foreseen.longer.ledger, language()) if foreseen else [],
        function=function_label(foreseen.function) if foreseen else None,
    )
    return page, status


@bp.get("/extensions/<pid>")
def decide_extension(pid: str) -> ResponseReturnValue:
    asked, case = extensions.visible(actor(), pid)
    return _deciding(asked, case, "")


@bp.post("/extensions/<pid>")
def take_extension(pid: str) -> ResponseReturnValue:
    asked, case = extensions.visible(actor(), pid)
    approve, answer = request.form.get("action") == "approve", request.form.get("answer", "")
    try:
        if request.form.get("action") == "take_back":
            with unit_of_work():
                extensions.take_back(actor(), asked, case, now())
            flash(_("已收回展期申請。"), "success")
            return redirect(url_for("staff.case", pid=case.public_id))
        with unit_of_work():
            extensions.decide(actor(), asked, case, now(), approve=approve, answer=answer)
    except (Conflict, Forbidden, Refused) as refusal:
        return _deciding(asked, case, answer, refusal)
    flash(_("已核准展期，申請人會收到通知。") if approve else _("已退回展期申請。"), "success")
    return redirect(url_for("staff.case", pid=case.public_id))


def _deciding(
    asked: ExtensionRequest, case: Case, answer: str, refusal: DomainError | None = None
) -> ResponseReturnValue:
    problems = refusal.problems if isinstance(refusal, NotExtensible) else [refusal.text] if refusal else []
    longer = extensions.if_approved(asked, case, now()) if asked.state == "open" else None
    mandate = extensions.decider(actor(), asked, case)
    page = render_template(
        "staff/extension_decision.html",
        acts_for=shown.staff_name(mandate.acting_for_id) if mandate else "",
        case=case,
        longer=longer,
        lines=explain(longer.ledger, language()) if longer else [],
        service=definitions.service(case.service_revision_id),
        asked=_shown(asked, case),
        answer=answer,
        problems=problems,
        has_errors=bool(problems),
        states=STATES,
        colours=STATE_COLOURS,
    )
    return page, refusal.status if refusal else 200


@bp.get("/cases/<pid>/suspension")
def suspension(pid: str) -> ResponseReturnValue:
    case = cases.visible(actor(), pid)
    if case.status == "closed" or suspensions.head(actor(), case) is None:
        flash(_("這個案件的期限不能由您停止或恢復。"), "warning")
        return redirect(url_for("staff.case", pid=pid))
    return _suspending(case, "", case.version)


@bp.post("/cases/<pid>/suspension")
def change_suspension(pid: str) -> ResponseReturnValue:
    case = cases.visible(actor(), pid)
    stops, reason, version = (
        request.form.get("action") == "suspend",
        request.form.get("reason", ""),
        _version(),
    )
    change = suspensions.suspend if stops else suspensions.resume
    try:
        with unit_of_work():
            change(actor(), case, reason, now(), version=version)
    except (Conflict, Refused) as refusal:
        return _suspending(case, reason, case.version if refusal.status == 409 else version, refusal)
    flash(_("期限已停止計算。") if stops else _("期限已恢復計算。"), "success")
    return redirect(url_for("staff.case", pid=pid))


def _suspending(
    case: Case, reason: str, version: int, refusal: DomainError | None = None
) -> ResponseReturnValue:
    mandate = suspensions.head(actor(), case)
    page = render_template(
        "staff/suspension.html",
        acts_for=shown.staff_name(mandate.acting_for_id) if mandate else "",
        case=case,
        service=definitions.service(case.service_revision_id),
        current=suspensions.current(case.id),
        reason=reason,
        version=version,
        refusal=refusal,
        has_errors=refusal is not None,
        most=suspensions.LONGEST_REASON,
    )
    return page, refusal.status if refusal else 200


# --- for the case page and the inbox ----------------------------------------------------------------------


def buttons(case: Case) -> list[tuple[str, str]]:
    """What may be done with the time limit: (label, url)."""
    found = []
    if extensions.may_ask(actor(), case):
        found.append((_("申請展期"), url_for("staff.extension", pid=case.public_id)))
    asked = extension_requests.open_of(case.id)
    if asked is not None and extensions.decider(actor(), asked, case):
        found.append((_("核定展期"), url_for("staff.decide_extension", pid=asked.public_id)))
    if case.status == "open" and suspensions.head(actor(), case):
        label = _("恢復期限計算") if suspensions.current(case.id) else _("停止期限計算")
        found.append((label, url_for("staff.suspension", pid=case.public_id)))
    return found


def of_case(case: Case) -> list[Asked]:
    return [_shown(asked, case) for asked in extensions.of_case(case.id)]


def waiting() -> list[Waiting]:
    return [
        Waiting(
            url=url_for("staff.decide_extension", pid=asked.public_id),
            number=case.number or "",
            service=definitions.service(case.service_revision_id).title,
            length=amount(clocks.of_case(case.id).kind, asked.days),
            who=shown.staff_name(asked.asked_by_id),
            due_before=asked.due_before,
            due_after=asked.due_after,
        )
        for asked, case in extensions.awaiting(actor())
    ]


def _shown(asked: ExtensionRequest, case: Case) -> Asked:
    return Asked(
        public_id=asked.public_id,
        length=amount(clocks.of_case(case.id).kind, asked.days),
        working_days=asked.working_days,
        reason=asked.reason,
        who=shown.staff_name(asked.asked_by_id),
        asked_for=shown.staff_name(asked.asked_for_id),
        at=asked.asked_at,
        due_before=asked.due_before,
        due_after=asked.due_after,
        function=function_label(asked.function),
        unit=shown.unit_name(asked.unit_id),
        state=asked.state,
        decided_by=shown.staff_name(asked.decided_by_id),
        decided_for=shown.staff_name(asked.decided_for_id),
        decided_at=asked.decided_at,
        answer=asked.answer or "",
        mine=asked.state == "open" and extensions.decider(actor(), asked, case) is not None,
        own=asked.state == "open" and extensions.is_mine(actor(), asked),
    )


def standing_still(case: Case) -> Text | None:
    """Said at every action while a head has stopped the clock."""
    found = suspensions.current(case.id) if case.status == "open" else None
    if found is None:
        return None
    day, why = taipei_day(found.began_at), found.reason.rstrip("。")
    return Text(
        zh=f"期限自{format_day(day, 'zh')}起停止計算：{why}。案件可以照常辦理；事由已終止的，請科長先恢復期限計算。"
        "發文或結案時，停止計算一併結束。",
        en=f"The clock stands still since {format_day(day, 'en')}: {why}. You may go on with the case; if the cause "
        "has ended, let the section head start the clock first. A decision ends the pause too.",
    )


def _version() -> int:
    version = request.form.get("version", "")
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
