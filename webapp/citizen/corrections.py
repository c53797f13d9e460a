"""Answering a correction request: only the named fields are open, everything else is shown as it was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from forms.evaluation import Raw
from rules.conditions import Condition, facts_of
from rules.values import Text
from webapp import pending
from webapp.citizen import bp, sheet
from webapp.citizen.apply import SignInFirst, choose_again, shown_again
from webapp.citizen.progress import citizen_actions
from webapp.citizen.sheet import Sheet, Typed, shown
from webapp.errors import AnswersInvalid, Conflict, Forbidden, NotFound
from webapp.models import Case, Document
from webapp.presentation import clock_time, language, roc_date
from webapp.queries import answering, tracking
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import cases, corrections, documents, steps
from webapp.services.notices import CORRECTION_CLOCK
from webapp.uow import unit_of_work
from workflows.model import WITHDRAW, Transition

Page = Callable[..., ResponseReturnValue]


class CorrectionSheet(Sheet):
    """The fields that a correction opened."""

    def __init__(self, case: Case) -> None:
        self.case, self.request = case, corrections.current(case)
        self.ctx = steps.context(case)
        self.form, self.revision = self.ctx.form, case.form_revision_id
        self.upload_key = corrections.upload_key(self.request)
        opened = {f"answers.{key}" for key in self.request.fields}
        self.service_code, self.applicants = case.service_code, self.ctx.service.who_may_apply
        hidden = answering.clean(
            self.form, self.raw, now(), service_code=case.service_code, lang=language()
        ).hidden
        self.keys = tuple(
            key
            for key in self.request.fields
            if key not in hidden or _reads(self.form.field(key).when, opened)
        )

    @property
    def raw(self) -> Raw:
        return corrections.starting_raw(self.case, self.request, self.form)

    @property
    def version(self) -> int:
        return self.request.version

    @property
    def today(self) -> date:
        return corrections.check(self.case, self.request, now(), language()).today

    def save(self, raw: Raw, version: int) -> None:
        corrections.save(self.case, self.request, raw, version)

    def lock(self) -> None:
        corrections.lock(self.request)

    def add_file(self, document: Document) -> None:
        corrections.add_file(self.case, self.request, document)

    def drop_file(self, key: str, public_id: str) -> None:
        corrections.drop_file(self.case, self.request, key, public_id)

    def files(self) -> dict[str, dict[str, Any]]:
        """New uploads, and the files that were sent before."""
        return {d.public_id: shown(d) for d in documents.of_case(self.case.id)} | super().files()

    @property
    def answer(self) -> Transition:
        """The action that hands the correction in; a workflow has one beside the withdrawal."""
        found = next((a for a in citizen_actions(self.ctx) if a.name != WITHDRAW), None)
        if found is None:
            raise NotFound()
        return found


def _reads(when: Condition | None, opened: set[str]) -> bool:
    """A question that is hidden now stays in the page if an opened answer can call for it."""
    facts = facts_of(when) if when is not None else frozenset()
    return any(name in opened or name.rpartition(".")[0] in opened for name in facts)


def _leads_back(page: Page) -> Page:
    """A second click, Back, or the link of an old message: the case page says how the correction ended."""

    @wraps(page)
    def shown_or_left(pid: str, **more: Any) -> ResponseReturnValue:
        try:
            return page(pid=pid, **more)
        except corrections.NothingOpen as nothing:
            ended = corrections.last_closed(cases.visible(actor(), pid))
            if ended == "answered":
                flash(_("已收到您的補正"), "success")
            else:
                flash(nothing.text.in_(language()))
            return redirect(url_for("citizen.case", pid=pid))

    return shown_or_left


@bp.get("/applications/<pid>/correction")
@_leads_back
def correction(pid: str) -> ResponseReturnValue:
    return _shown(_open(pid))


@bp.post("/applications/<pid>/correction")
@_leads_back
def answer(pid: str) -> ResponseReturnValue:
    page = _open(pid)
    try:
        received = sheet.receive(page)
    except Conflict:
        return _overtaken(page, request.form)
    if received.mistakes:
        return _shown(page, mistakes=received.mistakes, status=422)
    if received.action == "continue":
        return _hand_in(page)
    if received.action == "save":
        flash(_("已儲存。請在%(day)s前送出補正。", day=roc_date(page.request.due_on)), "success")
        return redirect(url_for("citizen.case", pid=pid))
    anchor = f"field-{received.field_key}" if received.field_key in page.keys else None
    return redirect(url_for("citizen.correction", pid=pid, _anchor=anchor))


@bp.post("/applications/<pid>/correction/autosave")
def autosave_correction(pid: str) -> ResponseReturnValue:
    page = _open(pid)
    sheet.keep(page, request.form)
    return jsonify(saved_at=clock_time(now()), version=page.version, results=page.results())


@bp.post("/applications/<pid>/correction/files/<field>")
def upload_correction(pid: str, field: str) -> ResponseReturnValue:
    document = sheet.store_one(_open(pid), field)
    return jsonify(id=document.public_id, name=document.filename, size=document.size), 201


@pending.takes_in("citizen.answer")
@_leads_back
def take_in_correction(pid: str, typed: Typed) -> ResponseReturnValue:
    """What was posted while nobody was signed in."""
    page = _open(pid)
    try:
        place = sheet.keep_and_find_again(page, typed)
    except Conflict:
        return _overtaken(page, typed)
    flash(_("您已重新登入，剛才填的內容都存起來了。"), "success")
    return redirect(url_for("citizen.correction", pid=pid, _anchor=place))


@shown_again("citizen.answer")
@_leads_back
def _correction_again(pid: str) -> ResponseReturnValue:
    page = _open(pid)
    notice = (
        _("這個頁面放太久了，內容還沒有送出。您填的內容都在下面，請再按一次「送出補正」。") + choose_again()
    )
    raw = page.typed_over(request.form)
    return _shown(page, raw=raw, notice=notice, version=sheet.version_of(request.form), status=400)


def _open(pid: str) -> CorrectionSheet:
    try:
        case = cases.visible(actor(), pid)
    except NotFound:
        if request.method == "POST" and actor().kind == "anonymous" and tracking.belongs_to_an_account(pid):
            raise SignInFirst from None
        raise
    if not actor().may("answer_correction"):
        raise Forbidden(Text(zh="只有申請人可以補正。", en="Only the applicant may answer a correction."))
    return CorrectionSheet(case)


def _hand_in(page: CorrectionSheet) -> ResponseReturnValue:
    case = page.case
    try:
        with unit_of_work():
            if not corrections.hold(case, page.request):
                raise corrections.NothingOpen()
            if page.request.fields:
                corrections.take_in(actor(), case, page.request, now())
            cases.answer_correction(actor(), case, now(), version=case.version)
    except AnswersInvalid:
        return _shown(page, check=True, status=422)
    flash(_("已收到您的補正，審查會繼續進行。"), "success")
    return redirect(url_for("citizen.case", pid=case.public_id))


def _overtaken(page: CorrectionSheet, typed: Typed) -> ResponseReturnValue:
    here = page.typed_over(typed)
    differing = sheet.differences(page, here)
    notice = _("這份補正已在另一個分頁更新，這一頁的內容還沒有存進去。") + choose_again()
    return _shown(page, raw=here, notice=notice, overtaken=differing, status=Conflict.status)


def _shown(
    page: CorrectionSheet,
    *,
    raw: Raw | None = None,
    check: bool = False,
    mistakes: sheet.Mistakes | None = None,
    notice: str = "",
    overtaken: Sequence[sheet.Difference] = (),
    version: int | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    form = page.clean(raw).form if check else page.unchecked(raw)
    sheet.blame(form, mistakes or {})
    sent = forms.answers.summary(page.form, cases.answers_of(page.case), language())
    for part in sent:
        part.rows[:] = [row for row in part.rows if row.field.key not in page.request.fields]
    body = render_template(
        "citizen/correction.html",
        page=page,
        case=page.case,
        service=page.ctx.service,
        correction_clock=CORRECTION_CLOCK[page.ctx.service.correction],
        answers=form,
        answer=page.answer,
        has_errors=status >= 400,
        opened=[s for s in page.form.sections if any(f.key in page.keys for f in s.fields)],
        sent=[part for part in sent if part.rows],
        files=page.files(),
        earlier=page.earlier_files(),
        version=page.version if version is None else version,
        notice=notice,
        overtaken=overtaken,
        unit=chart().units[page.case.handling_unit_id],
    )
    return body, status
