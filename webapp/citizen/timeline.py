"""The history of a case in plain words: what happened, where it stands, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from flask_babel import gettext as _
from flask_babel import ngettext

from rules.values import Text
from webapp.citizen.progress import Progress
from webapp.models import CaseEvent
from webapp.presentation import in_language, roc_date, roc_datetime
from webapp.queries import history, moves
from workflows.model import State, WorkflowDefinition


@dataclass
class Entry:
    title: str
    state: Literal["done", "current", "next"]
    at: datetime | date | str | None = None
    text: str = ""


def entries(progress: Progress) -> list[Entry]:
    """Only the states of the case, what the applicant did and who helped: the office's notes are not for this page."""
    case, then, service = progress.ctx.case, progress.then, progress.ctx.service
    lasting = {"service.answer": service.answer}
    shown: list[Entry] = []
    for event in progress.events:
        if event.kind == history.ASSISTED:
            shown.insert(1, _told(event, progress))  # they helped before it was sent
            continue
        if event.kind in history.TOLD:
            shown.append(_told(event, progress))
            continue
        if event.to_state in (None, event.from_state) or event.kind == moves.MOVED:
            continue
        workflow = then.at(event.seq)
        shown += _own_act(event, workflow)
        title = in_language(workflow.state(event.to_state or "").told(lasting))
        if not shown or shown[-1].title != title:
            shown.append(Entry(title, "done", event.at, _detail(event, workflow, progress)))
    if case.status == "open":
        here = progress.ctx.workflow.state(case.state)
        if shown[-1].title == in_language(here.told(lasting)):
            shown[-1].title = in_language(here.told(progress.facts))
        shown[-1].state = "current"
        shown.append(_expected(progress))
    return shown


def _told(event: CaseEvent, progress: Progress) -> Entry:
    """Where the case went, its reason stays inside; or a new day, with the reason that the applicant may read."""
    body = event.payload.body if event.payload is not None else {}
    if event.kind == "extension_approved":
        given = next((g for g in progress.extensions if g.decided_at == event.at), None)
        text = (
            _("延長至%(day)s。理由：%(why)s", day=roc_date(given.due_after), why=given.reason)
            if given
            else ""
        )
        return Entry(_("辦理期限延長"), "done", event.at, text)
    if event.kind == "date_promised":
        text = (
            _("預計%(day)s前。原因：%(why)s", day=roc_date(body["date"]), why=body["comment"]) if body else ""
        )
        return Entry(_("新的預計完成日"), "done", event.at, text)
    note = body.get("note")
    text = in_language(Text(**note)) if note else ""
    return Entry(in_language(history.LABELS[event.kind]), "done", event.at, text)


def _own_act(event: CaseEvent, workflow: WorkflowDefinition) -> list[Entry]:
    if event.from_state is None:
        return [Entry(_("已收到您的申請"), "done", event.at)]
    before: State = workflow.state(event.from_state)
    if before.kind != "correction":
        return []
    act = before.transition(event.kind)
    if act is not None and act.by == "system":
        return [Entry(_("補正期限已過，依現有資料續行審查"), "done", event.at)]
    if act is not None and act.by == "citizen" and workflow.state(event.to_state or "").kind != "closed":
        return [Entry(_("已收到您的補正"), "done", event.at)]
    return []


def _detail(event: CaseEvent, workflow: WorkflowDefinition, progress: Progress) -> str:
    """The one thing about an event that the applicant must know: a date to be there, or what to correct."""
    body = event.payload.body if event.payload is not None else {}
    state = workflow.state(event.to_state or "")
    if state.kind == "correction":
        return str(body.get("comment", ""))
    if body.get("date"):
        return _("日期：%(day)s", day=roc_date(body["date"]))
    if state.kind == "closed" and progress.decided_by:
        return _("公文文號：%(number)s", number=progress.decided_by)
    return ""


def _expected(progress: Progress) -> Entry:
    due, left = progress.ctx.case.due_on, progress.days_left
    if progress.paused:
        return Entry(_("完成"), "next", None, _why_it_stands_still(progress))
    if due is None or left is None:
        return Entry(_("完成"), "next")
    if left < 0 and progress.request is not None:
        text = _("已超過預計完成日；收到您的補正後，我們會儘速辦理。")
    elif left < 0 and progress.promised is not None:
        text = _("已超過辦理期限；承辦單位預計於%(day)s前辦完。", day=roc_date(progress.promised))
    elif left < 0:
        text = _("已超過預計完成日，我們正在加緊辦理。可以打電話詢問承辦單位。")
    elif left == 0:
        text = _("預計今天完成。")
    else:
        text = ngettext("還有 %(num)d 個工作天。", "還有 %(num)d 個工作天。", left)
    moment = progress.ledger.due
    day = roc_datetime(moment) if isinstance(moment, datetime) else roc_date(due)
    by = _("應於%(day)s前", day=day) if left < 0 else _("預計%(day)s前", day=day)
    return Entry(_("完成"), "next", by, text)


def _why_it_stands_still(progress: Progress) -> str:
    if progress.suspension is not None:
        day, why = roc_date(progress.suspension.began_at), progress.suspension.reason
        return _(
            "期限自%(day)s起停止計算，事由：%(why)s（行政程序法第51條第5項）。事由終止後會恢復計算，並通知您新的預計完成日。",
            day=day,
            why=why.rstrip("。"),
        )
    if progress.request is not None and progress.ctx.service.correction == "restart":
        return _("收到補正後，辦理期限重新起算，並會推算新的預計完成日。")
    if progress.request is not None:
        return _("補正期間不計入辦理期限；收到補正後會重新推算預計完成日。")
    return _("等候您繳費的日數不計入辦理期限；繳費後會重新推算預計完成日。")
