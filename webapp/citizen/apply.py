"""Filling in an application, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from rules.values import Text
from webapp import error_pages, pending
from webapp.citizen import behalf, bp, sheet
from webapp.citizen.journey import DraftSheet, Journey
from webapp.citizen.sheet import Typed
from webapp.errors import Conflict, DomainError, Forbidden, NotFound
from webapp.presentation import clock_time, roc_date
from webapp.queries import earlier, mine
from webapp.queries import handovers as handed
from webapp.security import actor, device_token, now, unlock
from webapp.services import accounts, applications, cases, drafts, handovers
from webapp.uow import unit_of_work

REVIEW = "review"

View = Callable[..., ResponseReturnValue]
_again: dict[str, View] = {}


class SignInFirst(Exception):
    """The draft belongs to an account, and nobody is signed in (any more)."""


@bp.errorhandler(SignInFirst)
def sign_in_first(_error: SignInFirst) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(error=_("登入已逾時，請重新登入。")), 401
    back = request.full_path.rstrip("?") if request.method == "GET" else _page_of_this_post()
    return pending.ask_to_sign_in(back, now())


@bp.errorhandler(CSRFError)
def page_expired(error: CSRFError) -> ResponseReturnValue:
    """A page from before a sign-in or sign-out was sent: what was typed is shown again, ready to be sent."""
    again = _again.get(request.endpoint or "")
    try:
        if again is not None:
            return again(**(request.view_args or {}))
    except SignInFirst as first:
        return sign_in_first(first)
    except DomainError as refusal:
        return error_pages.refused(refusal)
    if _wants_json():
        return jsonify(error=_("登入已逾時，請重新登入。")), 401
    return error_pages.page_expired(error)


def shown_again(endpoint: str) -> Callable[[View], View]:
    """Registers who shows what was posted to an endpoint with an expired token."""

    def register(view: View) -> View:
        _again[endpoint] = view
        return view

    return register


def the_journey(key: str) -> Journey:
    """The actor's draft. Asks to sign in where that is missing; a draft that was sent leads to its case."""
    try:
        return Journey(drafts.written_by(actor(), key, now()))
    except NotFound:
        told = handovers.what_became_of_it(actor(), key)
        if told is not None:
            raise NotFound(told) from None
        if actor().kind == "anonymous" and mine.belongs_to_an_account(key):
            raise SignInFirst from None
        raise


@bp.post("/services/<code>/start")
def start(code: str) -> ResponseReturnValue:
    if actor().kind == "anonymous":
        accounts.count_draft(request.remote_addr or "", now())
        device_token()
        g.pop("actor", None)
    if actor().is_staff:
        raise Forbidden(
            Text(
                zh="這是公務帳號：民眾的紙本或口頭申請請由「代為收件」登錄，自己的申請請用民眾帳號。",
                en="This is a staff account: take in applications at the counter page, or apply as a citizen.",
            )
        )
    with unit_of_work():
        draft = drafts.start(actor(), code, now())
        journey = Journey(draft)
        _begin(journey)
        first = journey.sections()[0].key
        key = draft.public_id
    return redirect(url_for("citizen.step", key=key, section=first))


def _begin(journey: Journey) -> None:
    """For whom it is, and what the applicant wants to take over from earlier applications."""
    draft, way = journey.draft, behalf.chosen(request.form.get("for", ""), journey.service, journey.form)
    raw = way.raw if way is not None else {}
    drafts.fill(draft, raw)
    if request.form.get("reuse"):
        found = earlier.answers(earlier.sent_by(actor()), draft.service_code, journey.form, raw, now())
        drafts.prefill(draft, {each.field.key: each.value for each in found})
        if found:
            numbers = _("、").join(dict.fromkeys(each.number for each in found))
            flash(_("已帶入您先前申請（%(number)s）的資料，請逐項確認。", number=numbers), "message")


@bp.get("/apply/<key>")
def resume(key: str) -> ResponseReturnValue:
    """To where the applicant left off."""
    journey = journey_or_case(key)
    if not isinstance(journey, Journey):
        return journey
    section = journey.unfinished()
    if section is None:
        return redirect(url_for("citizen.review", key=key))
    return redirect(url_for("citizen.step", key=key, section=section))


@bp.get("/apply/<key>/<section>")
def step(key: str, section: str) -> ResponseReturnValue:
    journey = journey_or_case(key)
    if not isinstance(journey, Journey):
        return journey
    page = DraftSheet(journey, journey.section(section))
    if not page.keys and not page.left:
        return redirect(url_for("citizen.resume", key=key))
    return _shown(page)


@bp.post("/apply/<key>/<section>")
def save_step(key: str, section: str) -> ResponseReturnValue:
    journey = the_journey(key)
    page = DraftSheet(journey, journey.section(section))
    try:
        received = sheet.receive(page)
    except Conflict:
        return _overtaken(page, request.form)
    action = received.action
    if received.mistakes:
        return _shown(page, check=action == "continue", mistakes=received.mistakes, status=422)
    if action == "continue":
        return _continue(page)
    if action == "back":
        return redirect(_previous(page))
    if action == "save":
        flash(_("草稿已儲存，保留至%(day)s。", day=roc_date(journey.draft.expires_on)), "success")
        return redirect(url_for("citizen.mine"))
    if action == "handover":
        return redirect(url_for("citizen.handover", key=key))
    anchor = f"field-{received.field_key}" if received.field_key in page.keys else None
    return redirect(_address(page, _anchor=anchor))


@bp.post("/apply/<key>/<section>/autosave")
def autosave(key: str, section: str) -> ResponseReturnValue:
    journey = the_journey(key)
    page = DraftSheet(journey, journey.section(section))
    sheet.keep(page, request.form)
    return jsonify(saved_at=clock_time(now()), version=page.version, results=page.results())


@bp.post("/apply/<key>/discard")
def discard(key: str) -> ResponseReturnValue:
    the_journey(key)
    with unit_of_work():
        drafts.discard(drafts.own(actor(), key, now()))
    flash(_("草稿已刪除。"), "success")
    return redirect(url_for("citizen.mine"))


@pending.takes_in("citizen.save_step")
def take_in_after_sign_in(key: str, section: str, typed: Typed) -> ResponseReturnValue:
    """What was posted while nobody was signed in."""
    journey = the_journey(key)
    page = DraftSheet(journey, journey.section(section))
    try:
        place = sheet.keep_and_find_again(page, typed)
    except Conflict:
        return _overtaken(page, typed)
    flash(_("您已重新登入，剛才填的內容都存回草稿了。"), "success")
    return redirect(_address(page, _anchor=place))


@shown_again("citizen.save_step")
def _step_again(key: str, section: str) -> ResponseReturnValue:
    journey = the_journey(key)
    page = DraftSheet(journey, journey.section(section))
    notice = (
        _("這個頁面放太久了，內容還沒有送出。您填的內容都在下面，請再按一次「儲存並繼續」。") + choose_again()
    )
    version = sheet.version_of(request.form)
    return _shown(page, raw=page.typed_over(request.form), notice=notice, version=version, status=400)


# --- pages


def choose_again() -> str:
    return _("剛才選的檔案請再選一次。") if sheet.files_were_chosen() else ""


def journey_or_case(key: str) -> Journey | ResponseReturnValue:
    """A draft that was sent leads to its case, so that Back after sending ends nowhere strange."""
    try:
        return the_journey(key)
    except NotFound:
        case = applications.submitted_from(actor(), key)
        if case is None:
            raise
        if case.account_id is None and handed.asked(actor(), key):
            unlock(case.id)  # a clerk sent it, and the applicant's browser may see what became of it
        with suppress(NotFound):
            cases.visible(actor(), case.public_id)
            return redirect(url_for("citizen.confirmation", pid=case.public_id))
        raise


def _shown(
    page: DraftSheet,
    *,
    raw: Any = None,
    check: bool = False,
    mistakes: sheet.Mistakes | None = None,
    notice: str = "",
    overtaken: Sequence[sheet.Difference] = (),
    version: int | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The page of one step. `raw` stands in for what is kept, `mistakes` are those of files just sent."""
    journey = page.journey
    form = page.clean(raw).form if check else page.unchecked(raw)
    sheet.blame(form, mistakes or {})
    steps = [section.key for section in journey.sections()]
    place = steps.index(page.section.key) + 1 if page.section.key in steps else 1
    body = render_template(
        "citizen/step.html",
        journey=journey,
        page=page,
        answers=form,
        has_errors=status >= 400,
        place=place,
        total=len(steps) + 1,
        files=page.files(),
        earlier=page.earlier_files() if journey.is_mine else {},
        address=_address(page),
        version=page.version if version is None else version,
        notice=notice,
        overtaken=overtaken,
        returning=_returning(),
    )
    return body, status


def _continue(page: DraftSheet) -> ResponseReturnValue:
    if page.clean().errors:
        return _shown(page, check=True, status=422)
    following = page.journey.after(page.section.key)
    if following is None or _returning():
        return redirect(url_for("citizen.review", key=page.journey.key))
    return redirect(url_for("citizen.step", key=page.journey.key, section=following))


def _overtaken(page: DraftSheet, typed: Typed) -> ResponseReturnValue:
    """Another tab was faster: shows what was typed here beside what is kept there; nothing is overwritten yet."""
    here = page.typed_over(typed)
    notice = _("這份草稿已在另一個分頁或裝置更新，這一頁的內容還沒有存進去。") + choose_again()
    differing = sheet.differences(page, here)
    return _shown(page, raw=here, notice=notice, overtaken=differing, status=Conflict.status)


def _previous(page: DraftSheet) -> str:
    if _returning():
        return url_for("citizen.review", key=page.journey.key)
    before = page.journey.before(page.section.key)
    if before is None:
        return url_for("citizen.service", code=page.draft.service_code)
    return url_for("citizen.step", key=page.journey.key, section=before)


def _address(page: DraftSheet, **more: Any) -> str:
    returning = REVIEW if _returning() else None
    return url_for(
        "citizen.step", key=page.journey.key, section=page.section.key, **{"return": returning}, **more
    )


def _returning() -> bool:
    return request.args.get("return") == REVIEW


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _page_of_this_post() -> str:
    args = request.view_args or {}
    if request.endpoint in ("citizen.save_step", "citizen.autosave"):
        return url_for("citizen.step", **args)
    if request.endpoint == "citizen.send":
        return url_for("citizen.review", **args)
    if request.endpoint == "citizen.answer":
        return url_for("citizen.correction", **args)
    return url_for("citizen.mine")
