"""The applicant's own cases: the list, the progress of one, its papers, and taking it back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

from flask import current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from rules.values import Text
from webapp.citizen import booking, bp, path, payable, progress, timeline, wording
from webapp.citizen.sheet import shown, version_of
from webapp.crypto import follow_code
from webapp.errors import Forbidden, NotFound
from webapp.letters.qr import qr_png
from webapp.letters.wording import grouped
from webapp.models import Case, Document, Draft, Handover, Letter
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import bookings, definitions, effects, handovers, letters, papers, payouts, tracking
from webapp.queries import mine as own
from webapp.queries.org import UnitInfo, office_now
from webapp.security import actor, now
from webapp.services import (
    by_hand,
    cases,
    certificates,
    dispatch,
    invitations,
    parties,
    printing,
    refunds,
    surveys,
)
from webapp.uow import unit_of_work
from workflows import clock
from workflows.model import WITHDRAW
from workflows.service import ServiceDefinition

PDF = "application/pdf"


@dataclass(frozen=True)
class ShownDraft:
    draft: Draft
    service: ServiceDefinition
    #: the code that waits, or whoever helps now
    handover: Handover | None = None


@bp.get("/applications")
def mine() -> ResponseReturnValue:
    today = taipei_day(now())
    found, following = own.cases(actor(), request.args.get("before", type=int))
    newest = "before" not in request.args
    kept = own.drafts(actor(), now()) if newest else ()
    helped = own.helped(actor(), now()) if newest else ()
    handed = handovers.live_of([draft.public_id for draft in kept])
    return render_template(
        "citizen/mine.html",
        drafts=[
            ShownDraft(
                draft, definitions.current_service(draft.service_code, today), handed.get(draft.public_id)
            )
            for draft in kept
        ],
        helped=[
            ShownDraft(draft, definitions.current_service(draft.service_code, today)) for draft in helped
        ],
        staff=actor().is_staff,
        cases=found,
        following=following,
        anonymous=actor().kind == "anonymous",
        outcome=wording.outcome,
        today=today,
    )


@bp.get("/applications/<pid>")
def case(pid: str) -> ResponseReturnValue:
    """The progress in plain words. `?part=progress` is the part that refreshes itself, answered by ETag."""
    found = cases.visible(actor(), pid)
    etag = tracking.fingerprint(found, taipei_day(now()), language())
    part = request.args.get("part") == "progress"
    if part and request.if_none_match.contains(etag):
        answer = make_response("", 304)
    else:
        template = "citizen/_progress.html" if part else "citizen/case.html"
        answer = make_response(render_template(template, etag=f'"{etag}"', **_about(found)))
    answer.set_etag(etag)
    return answer


def _about(found: Case) -> dict[str, object]:
    present = progress.of(found, now())
    ctx, issued = present.ctx, letters.to_applicant(found.id)
    return {
        "others": [_other(each, found) for each in issued if each is not present.letter],
        "letter_kind": letters.name(present.letter, found) if present.letter else None,
        "changes": {each.id: [other for other in issued if other.changes_id == each.id] for each in issued},
        "case": found,
        "people": wording.people(parties.of_case(found.id)),
        "service": ctx.service,
        "progress": present,
        "stages": path.stages(present),
        "entries": timeline.entries(present),
        "may_appeal": present.letter is not None and dispatch.may_be_appealed(present.letter),
        "appeal_by": dispatch.appeal_by(present.letter, found) if present.letter else None,
        "verification": grouped(printing.fingerprint(present.letter)) if present.letter else "",
        "may_know_code": tracking.may_know_code(actor(), found.id),
        "may_answer": present.answer is not None and actor().may("answer_correction"),
        "may_withdraw": present.withdraw is not None and actor().may("withdraw"),
        "books": actor().may("book_slot") and bookings.offers_slots(found),
        "appointment": booking.of_case(found),
        "unit": _unit(found),
        "decided": tracking.told_by_rules(found.id),
        "ledger": clock.explain(present.ledger, language()),
        "outcome": wording.outcome(found.outcome, ctx.service),
        "summary": forms.answers.summary(ctx.form, cases.answers_of(found), language()),
        "documents": [shown(d) for d in tracking.attachments(found.id)],
        "channel": wording.channel(found.channel),
        "to_ring": by_hand.number_to_call(found.id) if found.status == "open" else "",
        "session": invitations.of_case(found),
        "certificate": certificates.standing(found),
        "may_ask_certificate": actor().may("ask_certificate"),
        "payouts": payouts.of_case(found.id),
        "payout_waits": payouts.waits(found.id),
        "fee": payable.of_case(found),
        "survey": surveys.open_of(found.id, now()),
        "may_end_late": actor().may("withdraw") and refunds.offered(found, now()) is not None,
    }


@dataclass(frozen=True)
class Issued:
    """A letter of the case besides the one that stands: what it is, its paper, and until when it may be appealed."""

    letter: Letter
    kind: Text
    paper: Document | None
    appeal_by: date | None


def _other(letter: Letter, case: Case) -> Issued:
    paper, last_day = papers.by_id(letter.document_id), dispatch.appeal_by(letter, case)
    return Issued(letter, letters.name(letter, case), paper, last_day)


@bp.get("/applications/<pid>/confirmation")
def confirmation(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    may_know_code = tracking.may_know_code(actor(), found.id)
    return render_template(
        "citizen/confirmation.html",
        late=found.due_on is not None and found.due_on < taipei_day(now()),
        case=found,
        service=definitions.service(found.service_revision_id),
        state=definitions.workflow_of(found).state(found.state),
        identity=wording.identity_next(definitions.service(found.service_revision_id)),
        unit=_unit(found),
        code=follow_code(found.public_id) if found.account_id is None and may_know_code else "",
        may_know_code=may_know_code,
        reached=next((way for _mark, way, _to in parties.channels_of(found.id)), ""),
        to_ring=by_hand.number_to_call(found.id),
        receipt_ready=tracking.receipt(found.id) is not None,
        channel=wording.channel(found.channel),
        people=wording.people(parties.of_case(found.id)),
        staff=actor().is_staff,
    )


@bp.route("/applications/<pid>/withdraw", methods=["GET", "POST"])
def withdraw(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    if not actor().may("withdraw"):
        raise Forbidden(Text(zh="只有申請人可以撤回申請。", en="Only the applicant may withdraw."))
    if request.method == "POST":
        with unit_of_work():
            cases.take_as_citizen(actor(), found, WITHDRAW, now(), version=version_of(request.form))
        flash(_("您已撤回申請，本案結案。"), "success")
        return redirect(url_for("citizen.case", pid=pid))
    present = progress.of(found, now())
    if present.withdraw is None:
        return redirect(url_for("citizen.case", pid=pid))
    return render_template(
        "citizen/withdraw.html", case=found, service=present.ctx.service, action=present.withdraw
    )


@bp.post("/applications/<pid>/certificate")
def ask_certificate(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    with unit_of_work():
        certificates.ask(actor(), found, now())
    flash(_("已收到您的聲請，發給後會通知您。"), "success")
    return redirect(url_for("citizen.case", pid=pid))


# --- papers


@bp.get("/applications/<pid>/receipt.pdf")
def receipt(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    if not tracking.may_know_code(actor(), found.id):
        raise Forbidden(
            Text(
                zh="收據印有申請人的查詢碼，只有申請人和當時收件的人員可以下載。",
                en="The receipt bears the applicant's code: only the applicant and whoever took it in may have it.",
            )
        )
    return printed(
        tracking.receipt_document(found),
        Text(
            zh="收據正在製作，通常一分鐘內完成，請稍後再下載。您的申請已經送達。",
            en="The receipt is being printed; try again in a minute. Your application has arrived.",
        ),
    )


@bp.get("/applications/<pid>/letter.pdf")
def letter(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    newest = tracking.letter(found.id)
    if newest is not None and newest.document_id is not None:
        _is_opened(newest, found)
    return printed(
        tracking.letter_document(found),
        Text(zh="這個案件還沒有可以下載的公文。", en="There is no letter to download yet."),
    )


@bp.get("/applications/<pid>/application.pdf")
def application(pid: str) -> ResponseReturnValue:
    """Printed by the worker. After a correction the paper of the earlier answers is not handed out any more."""
    found = cases.visible(actor(), pid)
    states = effects.states_of(found.id, "application")
    if "pending" in states:
        return being_printed(_("申請書"), found.number or "", url_for("citizen.case", pid=pid), _("回到案件"))
    return printed(
        None if "dead" in states else tracking.document(found.id, "application"),
        Text(
            zh="申請書沒有製作成功，機關已收到通知並會處理。您的申請已經送達。",
            en="The application form could not be made; the office can see this and will handle it. "
            "Your application has arrived.",
        ),
    )


@bp.get("/applications/<pid>/qr.png")
def qr(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    answer = make_response(qr_png(printing.track_url(found, current_app.config)))
    answer.mimetype = "image/png"
    return answer


def being_printed(what: str, of: str, back: str, back_words: str) -> ResponseReturnValue:
    """Asks again by itself until the worker has printed it."""
    page = render_template(
        "citizen/being_printed.html", what=what, of=of, back=back, back_words=back_words, again=request.path
    )
    answer = make_response(page, 202)
    answer.headers["Refresh"] = "5"
    return answer


def printed(document: Document | None, absent: Text) -> ResponseReturnValue:
    if document is None:
        raise NotFound(absent)
    return inline(printing.handed_out(document), document.filename)


def _is_opened(letter: Letter, case: Case) -> None:
    """Whoever opens an electronic letter addressed to them has been served."""
    with unit_of_work():
        dispatch.opened(actor(), letter, case, now())


def inline(content: bytes, filename: str) -> ResponseReturnValue:
    """Our own PDFs open in the browser; uploads never do."""
    return send_file(io.BytesIO(content), mimetype=PDF, download_name=filename)


def _unit(found: Case) -> UnitInfo:
    return office_now(found)
