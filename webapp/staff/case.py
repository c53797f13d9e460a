"""The case page: what was asked and answered, who holds it, what can be done, and how it came here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from forms.model import FormDefinition
from rules.values import Text
from webapp.crypto import follow_code
from webapp.models import Case, CommitteeSession, Task
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import bookings, case_page, committees, history, identity, money, reviewed
from webapp.queries.org import calendar, chart
from webapp.security import actor, now
from webapp.services import by_hand, cases, certificates, clocks, evaluation, proposal_calls, recall, steps
from webapp.services import case_actions as common
from webapp.services.bookings import STATES as STATES_OF_BOOKINGS
from webapp.staff import bp, case_actions, flow, limits, shown, wording, words
from webapp.staff.cashier import COLOURS, STATES
from webapp.uow import unit_of_work
from workflows.clock import explain
from workflows.counting import amount

#: what ends a case stands last
STYLES = ("primary", "secondary", "warning")


@dataclass(frozen=True)
class Button:
    label: Text
    style: str
    url: str


@dataclass(frozen=True)
class Actions:
    """What the officer may do on one task."""

    task: Task
    #: the absent colleague for whom the officer stands in
    acts_for: str
    buttons: list[Button]


@bp.get("/cases/<pid>")
def case(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    ctx, file, today = steps.context(found), case_page.read(found), taipei_day(now())
    clock = clocks.of_case(found.id)
    ledger = clocks.ledger(clock, found, today)
    return render_template(
        "staff/case.html",
        case=found,
        service=ctx.service,
        state=ctx.workflow.state(found.state),
        words=words,
        header=shown.header(found, file),
        documents=_documents(ctx.form, shown.newest(file)),
        identity=(identity.needed(ctx.service), identity.known(found)),
        clock=clock,
        ledger=explain(ledger, language()),
        # of a limit in months days are used
        used=amount("CD" if clock.kind == "M-shift" else clock.kind, ledger.used),
        days_left=calendar(found.handling_unit_id).working_days_between(today, clock.due_on),
        recallable=recall.recallable(actor(), found, now()) is not None,
        actions=_actions(found, cases.offers(actor(), ctx, now())),
        common=case_actions.links(ctx),
        halted=common.halted(ctx, now()),
        withheld=common.withheld(actor(), ctx, now()),
        desks=[shown.desk(ctx.workflow, task, today) for task in file.tasks if task.state == "open"],
        me=actor().account_id,
        sections=shown.answers(ctx.form, file),
        branches=shown.branches(ctx.workflow, file, today),
        records=shown.records(actor(), found, ctx.workflow, file),
        about=reviewed.of_case(found),
        corrections=shown.corrections(ctx.form, file),
        changes=shown.changes(ctx.form, file),
        letters=shown.letters(found, file),
        letter_name=ctx.service.letter_name,
        booking=bookings.newest(found.id),
        booking_words=bookings.words,
        booking_states=STATES_OF_BOOKINGS,
        letter_pending="letter" in file.pending,
        drafts=wording.of_case(found),
        messages=[each for each in reversed(file.messages) if each.way != "call" or each.sent_at],
        to_ring=[each for each in file.messages if each.way == "call" and each.sent_at is None],
        code=follow_code(found.public_id),
        history=list(reversed(history.of_case(found, ctx.workflow, ctx.form))),
        routing=shown.routing(file),
        assigned_to=shown.assigned_to(file),
        rungs=shown.rungs(file),
        flow=flow.of_case(found, ctx.service, ctx.workflow),
        limit_buttons=limits.buttons(found),
        standing_still=limits.standing_still(found),
        extensions=limits.of_case(found),
        extension_states=limits.STATES,
        extension_colours=limits.STATE_COLOURS,
        before=_committee(found),
        proposed=proposal_calls.proposed(actor(), found, now()),
        certificate=certificates.standing(found) if certificates.may_issue(actor(), found) else None,
        invoices=money.of_case(found.id),
        invoice_states=STATES,
        invoice_colours=COLOURS,
    )


def _documents(form: FormDefinition, answers: Mapping[str, Any]) -> list[str]:
    """Whether everything is attached that an application needs, and what else was asked for."""
    if not form.file_fields:
        return []
    left_out = forms.answers.files_left_out(form, answers)
    needed = [in_language(f.label) for f in left_out if evaluation.is_needed(f)]
    others = [in_language(f.label) for f in left_out if not evaluation.is_needed(f)]
    said = (
        _("尚缺 %(n)s 件：%(names)s", n=len(needed), names=_("、").join(needed))
        if needed
        else _("必附的都已附上")
    )
    return [said, *([_("選附未附：%(names)s", names=_("、").join(others))] if others else [])]


@bp.post("/cases/<pid>/notices/<notice>/told")
def told_by_phone(pid: str, notice: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    with unit_of_work():
        message = by_hand.note(actor(), found, notice, "call", now())
    flash(_("已登記電話告知「%(what)s」。", what=message.subject), "success")
    return redirect(url_for("staff.case", pid=pid))


@bp.post("/cases/<pid>/certificate")
def issue_certificate(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    with unit_of_work():
        certificates.issue(actor(), found, request.form.get("party", ""), now())
    flash(_("證明書已發給。"), "success")
    return redirect(url_for("staff.case", pid=pid))


@dataclass(frozen=True)
class Before:
    """The committee before which the case stands, and its session; with addresses for whoever may open them."""

    name: str
    url: str
    session: CommitteeSession | None
    session_url: str
    goes_on: date | None


def _committee(found: Case) -> Before | None:
    item = committees.open_item(found)
    if item is None:
        return None
    board, session = committees.of_item(item)
    runs = committees.committee(actor(), board.public_id) is not None
    sees = session is not None and committees.session(actor(), session.public_id) is not None
    return Before(
        board.name_en if language() == "en" else board.name_zh,
        url_for("staff.committee", pid=board.public_id) if runs else "",
        session,
        url_for("staff.committee_session", pid=session.public_id) if sees and session else "",
        committees.goes_on([found.id]).get(found.id),
    )


@bp.post("/cases/<pid>/recall")
def take_back(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    with unit_of_work():
        recall.recall(actor(), found, now(), version=request.form.get("version", -1, type=int))
    flash(_("已收回，案件回到您的待辦。"), "success")
    return redirect(url_for("staff.case", pid=pid))


def _actions(case: Case, offers: list[cases.Offer]) -> list[Actions]:
    found: dict[int, Actions] = {}
    for offer in offers:
        task, transition = offer.task, offer.transition
        assert task is not None, "an officer acts on a task"
        group = found.setdefault(task.id, Actions(task, chart().names.get(offer.acting_for_id or 0, ""), []))
        url = url_for("staff.act", pid=case.public_id, name=transition.name, task=task.public_id)
        group.buttons.append(Button(transition.label, transition.style, url))
    for group in found.values():
        group.buttons.sort(key=lambda button: STYLES.index(button.style))
    return list(found.values())
