"""補正: naming the fields to correct, and taking the corrected answers in again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import set_committed_value

import forms.answers
from forms.answers import Change, Cleaned
from forms.evaluation import hidden_fields, settled
from forms.model import FormDefinition
from rules.values import Text
from webapp.errors import AnswersInvalid, Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, CorrectionRequest, Document, Submission
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor
from webapp.queries import answering, definitions, submissions, tracking
from webapp.queries.org import calendar
from webapp.services import effects, events, fees, parties
from webapp.services.drafts import Raw, merged

if TYPE_CHECKING:
    from webapp.services.steps import Context


class NothingOpen(NotFound):
    """Nothing was asked, or it was answered meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            Text(zh="這個案件目前沒有需要補正的事項。", en="Nothing needs correcting in this case now.")
        )


def open_request(
    actor: Actor, ctx: Context, fields: Sequence[str], message: str, now: datetime
) -> CorrectionRequest:
    """Opens the named fields to the applicant; the last day allowed is a working day (行政程序法 48).

    Whoever corrects a name signs anew under it. Without fields it asks for an improvement on the spot, which the
    applicant reports as done.
    """
    if not set(fields) <= {field.key for field in ctx.form.fields if field.kind.asked}:
        raise Refused(
            Text(zh="請至少勾選一個要補正的欄位。", en="Choose at least one field to be corrected.")
        )
    opened = set(fields)
    opened |= {f.key for f in ctx.form.fields if f.kind.asked and f.kind.reads(f) & opened}
    request = CorrectionRequest(
        case_id=ctx.case.id,
        fields=[field.key for field in ctx.form.fields if field.key in opened],
        message=message.strip(),
        requested_by_id=actor.account_id,
        requested_at=now,
        due_on=last_day(ctx, taipei_day(now)),
    )
    db.session.add(request)
    db.session.flush()
    return request


def last_day(ctx: Context, today: date) -> date:
    """Until when the applicant may answer a request of today."""
    answered_by = today + timedelta(days=ctx.service.correction_days)
    return calendar(ctx.case.handling_unit_id).next_working_day(answered_by)


def current(case: Case) -> CorrectionRequest:
    request = tracking.open_request(case.id)
    if request is None:
        raise NothingOpen()
    return request


def last_closed(case: Case) -> str | None:
    """How the newest request ended: answered, lapsed or withdrawn. None: nothing was ever asked."""
    return db.session.scalars(
        select(CorrectionRequest.closed_reason)
        .where(CorrectionRequest.case_id == case.id)
        .order_by(CorrectionRequest.id.desc())
        .limit(1)
    ).first()


def lapsed_until(case: Case) -> date | None:
    """The day after the last one of a request that nobody answered: from there on the time is the office's again."""
    newest = db.session.scalars(
        select(CorrectionRequest)
        .where(CorrectionRequest.case_id == case.id)
        .order_by(CorrectionRequest.id.desc())
        .limit(1)
    ).first()
    if newest is None or newest.closed_reason != "lapsed":
        return None
    return newest.due_on + timedelta(days=1)


def upload_key(request: CorrectionRequest) -> str:
    """Stands in for a draft's key while the applicant corrects."""
    return f"correction-{request.id}"


def starting_raw(case: Case, request: CorrectionRequest, form: FormDefinition) -> Raw:
    """What the correction page shows first: what was typed since, else the answers that were sent."""
    return (
        request.raw
        if request.raw is not None
        else forms.answers.to_raw(form, submissions.application(case.id).all_answers)
    )


def save(case: Case, request: CorrectionRequest, raw: Raw, version: int) -> None:
    lock(request)
    if version != request.version:
        raise Conflict(
            Text(
                zh="這份補正已在另一個分頁更新，請重新載入頁面。",
                en="This correction was changed in another tab. Reload the page.",
            )
        )
    form = definitions.form(case.form_revision_id)
    request.raw = merged(starting_raw(case, request, form), form, request.fields, raw)
    request.fields = _with_newly_asked(case, request, form)
    db.session.flush()


def _with_newly_asked(case: Case, request: CorrectionRequest, form: FormDefinition) -> list[str]:
    """The open fields and those that a corrected answer calls for, which nobody was asked before."""
    before = hidden_fields(form, submissions.application(case.id).all_answers)
    moment = request.requested_at  # what is visible does not depend on it
    after = answering.clean(
        form, request.raw or {}, moment, service_code=case.service_code, lang=case.language
    ).hidden
    opened = set(request.fields) | (before - after)
    return [field.key for field in form.fields if field.key in opened]


def lock(request: CorrectionRequest) -> None:
    """Uploads come several at a time, beside the autosave: whoever writes next waits, and reads what was written.

    What was sent meanwhile is not written to any more.
    """
    db.session.refresh(request, with_for_update=True)
    if request.closed_at is not None:
        raise NothingOpen()


def hold(case: Case, request: CorrectionRequest) -> bool:
    """Locks the case before its request, as every action does. False: the request was closed meanwhile."""
    db.session.refresh(case, with_for_update={"key_share": True})
    db.session.refresh(request, with_for_update=True)
    return request.closed_at is None


def add_file(case: Case, request: CorrectionRequest, document: Document) -> None:
    key = document.field_key or ""
    lock(request)
    _set_files(case, request, key, lambda ids: [*ids, document.public_id])


def drop_file(case: Case, request: CorrectionRequest, field_key: str, public_id: str) -> None:
    """Takes a file out of the correction. One that was sent before stays in the record of the earlier submission."""
    if field_key not in request.fields:
        raise NotFound()
    lock(request)
    _set_files(case, request, field_key, lambda ids: [kept for kept in ids if kept != public_id])


def _set_files(
    case: Case, request: CorrectionRequest, field_key: str, change: Callable[[list[str]], list[str]]
) -> None:
    """Past the version counter: a file more or less makes no open page out of date."""
    form = definitions.form(case.form_revision_id)
    raw = {name: list(values) for name, values in starting_raw(case, request, form).items()}
    raw[field_key] = change(raw.get(field_key, []))
    table = CorrectionRequest.__table__
    db.session.execute(update(table).where(table.c.id == request.id).values(raw=raw))
    set_committed_value(request, "raw", raw)


def check(case: Case, request: CorrectionRequest, now: datetime, lang: str) -> Cleaned:
    """The answers with their mistakes. What was in time on the day of filing stays so; newer papers are of today."""
    form = definitions.form(case.form_revision_id)
    raw = starting_raw(case, request, form)
    found = (
        answering.clean(
            form,
            raw,
            now,
            service_code=case.service_code,
            lang=lang,
            keys=tuple(request.fields),
            applicants=definitions.service(case.service_revision_id).who_may_apply,
            today=day,
        )
        for day in (taipei_day(now), case.filed_on)
    )
    return min(found, key=lambda cleaned: len(cleaned.errors))


def take_in(actor: Actor, case: Case, request: CorrectionRequest, now: datetime) -> list[Change]:
    """Stores the corrected answers as the next submission. Only the named fields can differ. Returns what changed."""
    if not hold(case, request):
        raise NothingOpen()
    form = definitions.form(case.form_revision_id)
    cleaned = check(case, request, now, actor.language)
    if cleaned.errors:
        raise AnswersInvalid(cleaned.errors)
    before = submissions.application(case.id)
    opened = set(request.fields)
    answers = {key: value for key, value in before.all_answers.items() if key not in opened}
    answers |= {key: value for key, value in cleaned.answers.items() if key in opened}
    # A corrected answer may close other fields: what is hidden now is dropped like at the first submission.
    answers = settled(form, answers, today=taipei_day(now))
    _attach_files(case, request, form, answers, before.all_answers)
    plain, personal = forms.answers.split_personal(form, answers)
    db.session.add(
        Submission(
            case_id=case.id,
            kind="application",
            number=before.number + 1,
            form_revision_id=case.form_revision_id,
            answers=plain,
            personal=personal,
            created_by_id=actor.account_id,
            created_at=now,
        )
    )
    parties.rewrite(case, form, answers)
    paper = effects.effect("application", f"{case.public_id}:{before.number + 1}", now, case_id=case.id)
    effects.enqueue(paper)
    _count_fee(case, form, answers, now)
    db.session.flush()
    return forms.answers.diff(form, before.all_answers, answers)


def _count_fee(case: Case, form: FormDefinition, answers: dict, now: datetime) -> None:
    service, before = definitions.service(case.service_revision_id), case.fee_total
    fee = fees.counted(service, form, answers, fees.fixed(service, case))
    case.fee_total, case.fee_lines = fee.total, list(fee.lines)
    if fee.total != before:
        amounts = {"before": _stored(before), "after": _stored(fee.total)}
        events.record(SYSTEM, case, "fee_changed", now, from_state=case.state, payload={"fee": amounts})


def _stored(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


#: why a request ends with its case
_ENDED = {"withdrawn": "withdrawn", "granted": "lapsed"}


def close_request(case: Case, now: datetime) -> None:
    """The applicant answered, withdrew the application, or had the limit pass in their favour."""
    request = tracking.open_request(case.id)
    if request is not None:
        close(request, _ENDED.get(case.outcome or "", "answered"), now)


def close(request: CorrectionRequest, reason: str, now: datetime) -> None:
    """What was typed and not sent goes."""
    request.closed_at, request.closed_reason, request.raw = now, reason, None
    db.session.flush()


def _attach_files(
    case: Case, request: CorrectionRequest, form: FormDefinition, answers: dict, before: dict
) -> None:
    """New files come from this correction's uploads, kept ones from the case; no other id is accepted."""
    for field in form.file_fields:
        if field.key not in request.fields:
            continue
        given = set(answers.get(field.key) or [])
        kept = given & set(before.get(field.key) or [])
        uploads = db.session.scalars(
            select(Document).where(
                Document.draft_key == upload_key(request), Document.public_id.in_(given - kept)
            )
        ).all()
        if len(uploads) != len(given - kept):
            raise Refused(
                Text(zh="有檔案已不存在，請重新上傳。", en="A file is no longer there. Upload it again.")
            )
        for document in uploads:
            document.case_id = case.id
