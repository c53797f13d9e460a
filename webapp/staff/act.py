"""Taking a transition: the page asks for what it requires, shows what the applicant will read, and sends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict

import forms.answers
from forms.builder import AnswerForm
from forms.messages import Invalid
from forms.model import FormDefinition
from rules.values import Text, parse_roc_date
from webapp import error_pages, pending
from webapp.errors import AnswersInvalid, Conflict, DomainError, Forbidden, NotFound, Refused
from webapp.models import Case, Task
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import answering, bookings, case_page, definitions, history, identity, inbox, reviewed
from webapp.queries.org import calendar
from webapp.security import actor, now
from webapp.services import (
    by_hand,
    case_actions,
    cases,
    decisions,
    documents,
    drafting,
    fees,
    steps,
    tasks,
)
from webapp.services.cases import Offer
from webapp.services.drafting import Wording
from webapp.services.fees import OpenAmount
from webapp.services.steps import Context, Given
from webapp.staff import bp, limits, preview, shown, task_forms, wording
from webapp.staff.case_actions import why_not
from webapp.staff.typed import written
from webapp.uow import unit_of_work
from workflows.engine import Missing, WorkflowError

#: longer names of inputs belong to nobody
LONGEST_NAME = 200
LONGEST_COMMENT = 4000
DATE_PARTS = ("year", "month", "day")
#: how many days with free slots are named
SHOWN_DAYS = 6
#: announces the day of a visit, in every workflow that has one
SCHEDULE = "schedule"

Mistakes = dict[str, list[str]]

NOT_OFFERED = Text(
    zh="這個動作現在不能執行：案件可能已有人先處理，或不是由您承辦。您輸入的內容沒有送出。",
    en="This action is not possible now: somebody may have handled the case, or it is not yours. Nothing was sent.",
)


@dataclass
class Typed:
    """What stands in the inputs of the page."""

    comment: str = ""
    conditions: str = ""
    fields: tuple[str, ...] = ()
    date: dict[str, str] = field(default_factory=dict)
    raw: dict[str, list[str]] = field(default_factory=dict)
    version: int = -1
    #: what could be read of the amounts
    amounts: dict[str, Decimal] = field(default_factory=dict)
    #: the words of the letter, where its boxes are open
    wording: Wording | None = None

    def on_date(self) -> date | None:
        try:
            return parse_roc_date("{year}年{month}月{day}日".format_map(self.date))
        except (KeyError, ValueError):
            return None

    def first(self, name: str) -> str:
        return next(iter(self.raw.get(name, ())), "")

    def given(self) -> Given:
        return Given(
            self.comment, self.conditions, self.fields, self.on_date(), self.raw, self.amounts, self.wording
        )


@bp.get("/cases/<pid>/act/<name>")
def act(pid: str, name: str) -> ResponseReturnValue:
    ctx = steps.context(cases.visible(actor(), pid))
    offer = _offer(ctx, name)
    if offer is None:
        flash(why_not(ctx, name), "warning")
        return redirect(url_for("staff.case", pid=pid))
    kind = _letter_kind(ctx, offer)
    typed = Typed(
        conditions=_conditions_of_opinions(ctx, offer),
        version=ctx.case.version,
        wording=drafting.wording_of(drafting.last(ctx.case, kind)) if kind else None,
    )
    if _keeps(ctx, offer):
        typed.raw = task_forms.begin(ctx.case, offer.task, offer.task_form)
    if _has_form(offer):  # what was uploaded goes with it, and is there to be seen
        found = task_forms.files(offer.task, offer.task_form)
        typed.raw |= {key: uploaded for key, uploaded in found.items() if uploaded}
    for asked in _open_amounts(ctx, offer):
        if asked.fixed is not None:
            typed.raw[_input_of(asked)], typed.amounts[asked.key] = [f"{asked.fixed:f}"], asked.fixed
    return _page(ctx, offer, typed, _follow(ctx, offer, typed), looks=not offer.transition.requires)


@bp.post("/cases/<pid>/act/<name>")
def take(pid: str, name: str) -> ResponseReturnValue:
    ctx = steps.context(cases.visible(actor(), pid))
    typed = _typed(request.form)
    offer = _offer(ctx, name)
    if offer is None:
        return _overtaken(ctx, typed)
    action, _colon, argument = request.form.get("action", "preview").partition(":")
    mistakes: Mistakes = {}
    if _has_form(offer):
        mistakes = task_forms.receive_files(offer.task, offer.task_form, action, argument)
        typed.raw = task_forms.with_rows(offer.task_form, typed.raw, action, argument)
        typed.raw |= task_forms.files(offer.task, offer.task_form)
        if action == "keep" and not mistakes:
            return _keep(ctx, offer, typed)
    typed.amounts, unread = _read_amounts(ctx, offer, typed)
    if action == "send" and not mistakes:
        return _send(ctx, offer, typed)
    mistakes |= _write_letter(ctx, offer, typed, action)
    if not unread:
        mistakes |= _follow(ctx, offer, typed)
    looks = action == "preview" and not mistakes
    return _page(ctx, offer, typed, mistakes, looks=looks, status=422 if mistakes else 200)


def _letter_kind(ctx: Context, offer: Offer) -> str | None:
    """The letter that the action drafts, passes on or sends."""
    transition = offer.transition
    return decisions.kind_of(ctx, transition.proposes, transition.effects, transition.to)


def _write_letter(ctx: Context, offer: Offer, typed: Typed, action: str) -> Mistakes:
    """Opens or closes the boxes of the letter, or puts a phrase into it; `typed` holds the outcome."""
    kind = _letter_kind(ctx, offer)
    if kind is None:
        return {}
    if action == "template":
        typed.wording = None
    elif action == "phrase":
        chosen = next((p for p in wording.offered(ctx.case) if p.public_id == typed.first("phrase")), None)
        if chosen is None:
            return {"phrase": [_("請先選擇片語，再按「插入」。")]}
        if typed.wording is not None:
            typed.wording = wording.with_phrase(typed.wording, chosen.text)
        else:
            typed.comment = wording.added(typed.comment, chosen.text)
    elif action == "edit" and typed.wording is None:
        typed.wording = preview.wording(ctx, offer.transition, kind, typed.given(), now())
    return wording.mistakes(typed.wording) if typed.wording is not None and action == "preview" else {}


def _follow(ctx: Context, offer: Offer, typed: Typed) -> Mistakes:
    """Brings the words of the letter to the amounts and facts of now, and says once which are to be looked at again."""
    kind = _letter_kind(ctx, offer)
    if kind is None or typed.wording is None:
        return {}
    template = preview.wording(ctx, offer.transition, kind, typed.given(), now())
    followed, outdated = drafting.followed(typed.wording, template)
    typed.wording = drafting.looked_at(followed, template, outdated)
    return wording.to_look_at(outdated)


@pending.takes_in("staff.take")
def show_again(pid: str, name: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """A page that had expired when it was sent: shown again with what was typed, nothing is done yet."""
    ctx, kept = steps.context(cases.visible(actor(), pid)), _typed(typed)
    offer = _offer(ctx, name)
    if offer is None:
        return _overtaken(ctx, kept)
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _page(ctx, offer, kept, status=400)


@bp.errorhandler(CSRFError)
def page_expired(error: CSRFError) -> ResponseReturnValue:
    if actor().kind == "anonymous":
        return pending.ask_to_sign_in(url_for("staff.inbox"), now())
    if request.endpoint != "staff.take" or not actor().may("work_on_cases"):
        return error_pages.page_expired(error)
    try:
        return show_again(**(request.view_args or {}), typed=request.form)
    except DomainError as refusal:  # what a handler raises is a crash
        return error_pages.refused(refusal)


@bp.post("/tasks/<pid>/files/<field_key>")
def upload(pid: str, field_key: str) -> ResponseReturnValue:
    """One file of a task's form, sent by script."""
    task = tasks.visible(actor(), pid)
    cases.require_mandate(actor(), task, now())
    form, file = _task_form(task), request.files.get("file")
    wanted = next((f for f in form.file_fields if f.key == field_key), None) if form else None
    if wanted is None or file is None or task.state != "open":
        raise NotFound()
    with unit_of_work():
        document = documents.upload(
            actor(), cases.upload_key(task), wanted, file.filename or "", file.read(), now()
        )
    return jsonify(id=document.public_id, name=document.filename, size=document.size)


def _keeps(ctx: Context, offer: Offer) -> bool:
    """Whether the task's form is kept for later: those of internal work are long."""
    return ctx.service.internal and _has_form(offer)


def _keep(ctx: Context, offer: Offer, typed: Typed) -> ResponseReturnValue:
    try:
        task_forms.keep(offer.task, offer.task_form, typed.raw)
    except Conflict as conflict:
        return _page(ctx, offer, typed, refusal=conflict.text, status=conflict.status)
    flash(_("已暫存，還沒有送出。"), "success")
    return redirect(request.url)


# --- sending ----------------------------------------------------------------------------------------------


def _send(ctx: Context, offer: Offer, typed: Typed) -> ResponseReturnValue:
    mistakes = _mistakes(ctx, offer, typed) or _follow(ctx, offer, typed)
    checked = _checked(ctx, offer, typed)
    if mistakes or (checked is not None and checked.errors):
        return _page(ctx, offer, typed, mistakes, check=True, status=422)
    assert offer.task is not None, "an officer acts on a task"
    try:
        with unit_of_work():
            _take(
                ctx.case, offer.transition.name, offer.task.id, typed.version, _handed_in(ctx, offer, typed)
            )
            if _keeps(ctx, offer):
                task_forms.sent(ctx.case, offer.task, typed.raw)
    except Conflict as conflict:
        return _stale(ctx.case, conflict, typed, offer.task)
    except AnswersInvalid as invalid:
        # of the form by itself, which the page finds again, or of what the form is about
        of_form = _checked(ctx, offer, typed)
        more = {} if of_form is not None and of_form.errors else invalid.errors
        return _page(ctx, offer, typed, more, check=True, status=422)
    except (Refused, WorkflowError) as refusal:
        return _page(ctx, offer, typed, check=True, refusal=refusal.text, status=422)
    return _onwards(ctx, offer)


def _handed_in(ctx: Context, offer: Offer, typed: Typed) -> Given:
    """As it stands on the page: boxes that were closed mean the template, not the draft before."""
    given, kind = typed.given(), _letter_kind(ctx, offer)
    if (
        kind is None
        or given.wording is not None
        or drafting.wording_of(drafting.last(ctx.case, kind)) is None
    ):
        return given
    return replace(given, wording=preview.wording(ctx, offer.transition, kind, given, now()))


def _take(case: Case, name: str, task_id: int, version: int, given: Given) -> None:
    cases.take_transition(actor(), case, name, now(), version=version, task_id=task_id, given=given)


def _onwards(ctx: Context, offer: Offer) -> ResponseReturnValue:
    """The next case of the desk; this one again while there is more to do in it."""
    done = _(
        "%(number)s 已完成「%(action)s」。",
        number=ctx.case.number,
        action=in_language(offer.transition.label),
    )
    if cases.offers(actor(), ctx, now()):
        flash(done, "success")
        return redirect(url_for("staff.case", pid=ctx.case.public_id))
    following = inbox.next_case(actor(), besides=ctx.case.id)
    if following is None:
        flash(done + _("您的待辦都辦完了。"), "success")
        return redirect(url_for("staff.inbox"))
    flash(done + _("這是您的下一件待辦。"), "success")
    return redirect(url_for("staff.case", pid=following))


def _overtaken(ctx: Context, typed: Typed) -> ResponseReturnValue:
    """The action is not offered (any more). It is never taken: the page says why, with what was typed in sight."""
    if cases.has_moved_on(ctx.case, typed.version):
        return _stale(ctx.case, cases.overtaken(ctx.case), typed)
    task = _task_asked_for(ctx.case)
    if task is not None and task.state == "open":
        try:
            cases.require_mandate(actor(), task, now())
        except Forbidden as forbidden:
            return _stale(ctx.case, forbidden, typed, task)
        withheld = case_actions.withheld(actor(), ctx, now(), (request.view_args or {}).get("name", ""))
        if withheld:
            return _stale(ctx.case, Forbidden(withheld[0].why), typed, task)
    return _stale(ctx.case, Conflict(NOT_OFFERED), typed, task)


def _task_asked_for(case: Case) -> Task | None:
    wanted = request.args.get("task")
    return next((task for task in case_page.read(case).tasks if task.public_id == wanted), None)


def _stale(case: Case, error: DomainError, typed: Typed, task: Task | None = None) -> ResponseReturnValue:
    ctx = steps.context(case)
    asked = [ctx.form.field(key).label for key in typed.fields if key in ctx.form]
    amounts = [
        (in_language(each.label), text)
        for each in fees.open_amounts(ctx.service, case)
        if (text := _amount_typed(each, typed).strip())
    ]
    task_form = _task_form(task or _task_asked_for(case))
    page = render_template(
        "staff/stale.html",
        case=case,
        message=error.text,
        is_conflict=isinstance(error, Conflict),
        typed=typed,
        fields=asked,
        day="-".join(part for part in typed.date.values() if part),
        written=amounts + _letter_written(typed) + (written(task_form, typed.raw) if task_form else []),
    )
    return page, error.status


def _letter_written(typed: Typed) -> list[tuple[str, str]]:
    if typed.wording is None:
        return []
    whole = typed.wording.whole
    lines = [(in_language(drafting.PARTS[passage.part]), passage.text) for passage in whole.paragraphs]
    return [(_("主旨"), whole.subject), *lines]


# --- what was typed ---------------------------------------------------------------------------------------


def _typed(posted: MultiDict[str, str]) -> Typed:
    version = posted.get("version", "")
    return Typed(
        comment=posted.get("comment", "").replace("\r\n", "\n"),
        conditions=posted.get("conditions", "").replace("\r\n", "\n"),
        fields=tuple(posted.getlist("fields")),
        date={part: posted.get(f"date-{part}", "").strip() for part in DATE_PARTS},
        raw={name: posted.getlist(name) for name in posted if len(name) <= LONGEST_NAME},
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1,
        wording=wording.typed(posted),
    )


def _mistakes(ctx: Context, offer: Offer, typed: Typed) -> Mistakes:
    """What the transition requires and was not given, all at once; `_checked` does the task's own form."""
    found: Mistakes = {}
    given = typed.given().names(has_form=True)
    for name in offer.transition.requires:
        if name not in given and not _asks_itself(offer, name):
            found[name] = [in_language(Missing(name).text)]
    if "date" in offer.transition.requires:
        day = typed.on_date()
        if day is None:
            found["date"] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
        elif day < taipei_day(now()):
            found["date"] = [_("日期不能早於今天。")]
        elif _day_off(ctx, typed) and typed.first("sure") != "yes":
            found["sure"] = [_("這一天是放假日，請改選日期，或確認仍要排在這一天。")]
    for name, text in (("comment", typed.comment), ("conditions", typed.conditions)):
        if len(text) > LONGEST_COMMENT:
            found[name] = [_("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_COMMENT, now=len(text))]
    if typed.wording is not None:
        found |= wording.mistakes(typed.wording)
    return found | _read_amounts(ctx, offer, typed)[1]


def _day_off(ctx: Context, typed: Typed) -> date | None:
    """The chosen day, where nobody works on it."""
    day = typed.on_date()
    known = day is not None and taipei_day(now()) <= day
    return day if known and not calendar(ctx.case.handling_unit_id).is_working_day(day) else None


def _ahead(ctx: Context, offer: Offer) -> date | None:
    """The appointed day of a visit that is recorded before it."""
    if offer.task is None or offer.task.form_key != decisions.INSPECTION:
        return None
    entries = history.of_case(ctx.case, ctx.workflow, ctx.form)
    told = [each.on_date for each in entries if each.kind == SCHEDULE and each.on_date]
    return told[-1] if told and told[-1] > taipei_day(now()) else None


def _open_amounts(ctx: Context, offer: Offer) -> tuple[OpenAmount, ...]:
    """What the action must fix."""
    return fees.asked(ctx.service, ctx.case, offer.transition.proposes, offer.transition.effects)


def _input_of(asked: OpenAmount) -> str:
    return f"amount-{asked.key}"


def _amount_typed(asked: OpenAmount, typed: Typed) -> str:
    return typed.first(_input_of(asked))


def _read_amounts(ctx: Context, offer: Offer, typed: Typed) -> tuple[dict[str, Decimal], Mistakes]:
    amounts: dict[str, Decimal] = {}
    mistakes: Mistakes = {}
    for asked in _open_amounts(ctx, offer):
        name = _input_of(asked)
        try:
            amounts[asked.key] = asked.read(_amount_typed(asked, typed))
        except Invalid as invalid:
            mistakes[name] = [in_language(mistake.text) for mistake in invalid.mistakes]
    return amounts, mistakes


def _asks_itself(offer: Offer, name: str) -> bool:
    """Whether the task's form has a question of this name, which then stands for the page's own."""
    return _has_form(offer) and name in offer.task_form


def _has_form(offer: Offer) -> bool:
    return offer.task_form is not None and "form" in offer.transition.requires


def _checked(ctx: Context, offer: Offer, typed: Typed) -> forms.answers.Cleaned | None:
    if not _has_form(offer):
        return None
    return answering.clean_of_task(offer.task_form, typed.raw, now(), ctx.case, language())


def _conditions_of_opinions(ctx: Context, offer: Offer) -> str:
    """The conditions under which other units agreed: they become 附款 unless the officer changes them."""
    if offer.transition.proposes != "grant":
        return ""
    file = case_page.read(ctx.case)
    newest: dict[int, str] = {}
    units = {task.id: task.unit_id for task in file.tasks if task.branch}
    for record in file.records:
        unit_id = units.get(record.task_id or 0)
        if unit_id is not None:
            newest[unit_id] = str(record.all_answers.get("conditions") or "").strip()
    return "\n".join(f"{text}（{shown.unit_name(unit_id)}）" for unit_id, text in newest.items() if text)


# --- the task's form --------------------------------------------------------------------------------------


def _task_form(task: Task | None) -> FormDefinition | None:
    return definitions.current_form(task.form_key, taipei_day(now())) if task and task.form_key else None


# --- the page ---------------------------------------------------------------------------------------------


def _offer(ctx: Context, name: str) -> Offer | None:
    wanted = request.args.get("task")
    for offer in cases.offers(actor(), ctx, now()):
        assert offer.task is not None
        if offer.transition.name == name and wanted in (None, offer.task.public_id):
            return offer
    return None


def _page(
    ctx: Context,
    offer: Offer,
    typed: Typed,
    mistakes: Mistakes | None = None,
    *,
    check: bool = False,
    looks: bool = False,
    refusal: Text | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """`check` shows the mistakes of the task's form, `looks` what the applicant will read."""
    transition, mistakes = offer.transition, mistakes or {}
    if looks and refusal is None:
        refusal = preview.refusal(ctx, transition, typed.given(), now())
    proposal, kind = _proposal(ctx, offer), _letter_kind(ctx, offer)
    file = case_page.read(ctx.case)
    page = render_template(
        "staff/act.html",
        standing_still=limits.standing_still(ctx.case),
        case=ctx.case,
        about=reviewed.of_case(ctx.case),
        service=ctx.service,
        identity=(identity.needed(ctx.service), identity.known(ctx.case)),
        offer=offer,
        transition=transition,
        acts_for=shown.staff_name(offer.acting_for_id),
        typed=typed,
        mistakes=mistakes,
        refusal=refusal,
        has_errors=bool(mistakes or refusal or status == 422),
        asks=_questions(offer),
        free_days=_free_days(ctx, offer),
        day_off=_day_off(ctx, typed) if "date" in transition.requires else None,
        ahead=_ahead(ctx, offer),
        open_amounts=[
            (_input_of(asked), asked.label, _amount_typed(asked, typed))
            for asked in _open_amounts(ctx, offer)
        ],
        form=_answer_form(ctx, offer, typed, mistakes, check),
        uploaded=task_forms.uploaded(offer.task) if _has_form(offer) else {},
        keeps=_keeps(ctx, offer),
        sections=shown.answers(ctx.form, file),
        proposal=proposal,
        form_revision=_form_revision(offer),
        reaches=preview.reaches_applicant(transition),
        is_quoted=preview.quotes_comment(ctx, transition, typed.wording, now()),
        drafts=kind is not None,
        boxes=wording.boxes(typed.wording) if kind and typed.wording is not None else [],
        phrases=wording.offered(ctx.case) if kind else (),
        versions=wording.versions(drafting.of_case(ctx.case.id, kind)) if kind else [],
        previews=preview.of(ctx, transition, typed.given(), now()) if looks else [],
        to_ring=by_hand.number_to_call(ctx.case.id) if looks else "",
        looks=looks,
    )
    return page, status


def _proposal(ctx: Context, offer: Offer) -> history.Entry | None:
    """What was proposed to the decider, whose silence adopts it."""
    if decisions.EFFECTS.keys().isdisjoint(offer.transition.effects):
        return None
    return history.proposal_now(ctx.case, ctx.workflow, ctx.form)


def _questions(offer: Offer) -> frozenset[str]:
    """Which of the page's own inputs are shown."""
    transition = offer.transition
    asked = {"comment", *transition.requires} - {"form"}
    if transition.proposes == "grant" or "issue_decision" in transition.effects:
        asked.add("conditions")
    return frozenset(name for name in asked if not _asks_itself(offer, name))


def _free_days(ctx: Context, offer: Offer) -> list[tuple[date, int]] | None:
    """For an action that arranges an appointment: the next days with free slots, and how many."""
    if not {"hold_slot", "move_slot"} & set(offer.transition.effects):
        return None
    free = Counter(taipei_day(slot.starts_at) for slot in bookings.free(ctx.case, now()))
    return sorted(free.items())[:SHOWN_DAYS]


def _answer_form(
    ctx: Context, offer: Offer, typed: Typed, mistakes: Mistakes, check: bool
) -> AnswerForm | None:
    if not _has_form(offer):
        return None
    if check:
        form = _checked(ctx, offer, typed).form
    else:
        form = answering.unchecked(
            offer.task_form,
            typed.raw,
            now(),
            service_code=ctx.case.service_code,
            lang=language(),
            keys=answering.keys_of_task(offer.task_form, typed.raw, ctx.case),
        )
    for answer in form:
        answer.errors = [*answer.errors, *mistakes.get(answer.name, [])]
    return form


def _form_revision(offer: Offer) -> int | None:
    """For the stylesheet that shows and hides its questions."""
    if not _has_form(offer):
        return None
    return definitions.revision_id("form", offer.task_form.key, taipei_day(now()))
