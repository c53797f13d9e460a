"""Submitting an application: one transaction from the draft to the open task, at most fifteen statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import make_transient_to_detached

import forms.answers
from forms.model import FormDefinition
from rules import conditions
from rules.decision import Decision
from rules.values import Text, roc_year
from webapp.crypto import public_id
from webapp.errors import AnswersInvalid, Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, Draft, Submission
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.rows import write, write_together
from webapp.services import clocks, effects, evaluation, events, notices, parties, routing, steps
from webapp.services.drafts import owns
from workflows import engine
from workflows.service import ServiceDefinition


@dataclass(frozen=True)
class Fee:
    """What an application costs. A line without an amount is fixed during the review."""

    lines: tuple[dict[str, Any], ...]
    total: Decimal | None


class AlreadySubmitted(Exception):
    """The draft became a case before; a second click of the same button finds it."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.number)
        self.case = case


class FormChanged(Conflict):
    """The form was published anew while the draft was being written."""


def check(draft: Draft, now: datetime, lang: str) -> forms.answers.Cleaned:
    """All answers of a draft, with every mistake that remains."""
    form = definitions.form(draft.form_revision_id)
    return forms.answers.clean(form, draft.raw, today=taipei_day(now), lang=lang)


def submit(actor: Actor, draft_key: str, now: datetime) -> Case:
    """Turns a draft into a case. Raises AlreadySubmitted, AnswersInvalid, FormChanged; on any raise the draft stays."""
    draft = _take_draft(actor, draft_key)
    today = taipei_day(now)
    service_revision = definitions.revision_id("service", draft.service_code, today)
    service = definitions.service(service_revision)
    if definitions.revision_id("form", service.form, today) != draft.form_revision_id:
        raise FormChanged(
            Text(
                zh="這份表單剛剛更新。您填的內容都保留著，請再確認一次後送出。",
                en="This form was just updated. Everything you entered is kept; please check it once more.",
            )
        )
    form = definitions.form(draft.form_revision_id)
    cleaned = forms.answers.clean(form, draft.raw, today=today, lang=actor.language)
    if cleaned.errors:
        raise AnswersInvalid(cleaned.errors)
    answers = cleaned.answers
    case = _new_case(actor, draft, service, service_revision, now)
    fee = fees(service, forms.answers.facts(form, answers))
    case.fee_total, case.fee_lines = fee.total, list(fee.lines)
    ctx = steps.Context(case, service, form, definitions.workflow(case.workflow_revision_id))
    facts = evaluation.facts_of(case, service, form, answers)
    decision, ruleset = evaluation.decide("intake_routing", facts, case.filed_on)
    route = _route(ctx, decision, facts)
    step = engine.start(ctx.workflow, facts, service.parameters)
    case.state, case.visit = step.to_state, 1
    case.due_on = clocks.due_on(route.kind, route.period, case.filed_on, case.handling_unit_id)
    case.id = write(case)
    steps.open_tasks(ctx, step, now, pick=route.pick)
    plain, personal = forms.answers.split_personal(form, answers)
    submission = Submission(
        case_id=case.id,
        number=1,
        form_revision_id=draft.form_revision_id,
        answers=plain,
        personal=personal,
        created_by_id=actor.account_id,
        created_at=now,
    )
    orders = [
        effects.effect("receipt", case.public_id, now, case_id=case.id),
        notices.effect(case, "submitted", now),
    ]
    keys = write_together(
        [
            *orders,
            submission,
            *parties.from_answers(case.id, form, answers),
            evaluation.firing(case.id, decision, ruleset, now),
            clocks.started(case.id, route.kind, route.period, case.filed_on, case.due_on),
            events.first(actor, case, "submitted", now),
        ]
    )
    effects.hand_over(keys[: len(orders)])
    _attach_files(case, draft_key, form, answers)
    case.number = _take_number(case, roc_year(today))
    make_transient_to_detached(case)
    db.session.add(case)
    return case


def submitted_from(actor: Actor, draft_key: str) -> Case | None:
    """The case that a draft became, for whoever wrote the draft."""
    case = db.session.scalars(select(Case).where(Case.draft_key == draft_key)).one_or_none()
    if case is None or (case.account_id is not None and case.account_id != actor.account_id):
        return None
    return case


def fees(service: ServiceDefinition, facts: Mapping[str, object]) -> Fee:
    """The fee lines that apply to these answers. The total is unknown while one line is."""
    lines = []
    for fee in service.fees:
        if not conditions.holds(fee.when, facts):
            continue
        count = fee.quantity(facts)
        if count == 0:
            continue
        amount = None if fee.amount is None else fee.amount * count
        lines.append(
            {
                "key": fee.key,
                "zh": fee.label.zh,
                "en": fee.label.in_("en"),
                "amount": None if amount is None else str(amount),
            }
        )
    amounts = [line["amount"] for line in lines]
    total = None if None in amounts else sum((Decimal(str(a)) for a in amounts), Decimal(0))
    return Fee(tuple(lines), total)


def _take_draft(actor: Actor, draft_key: str) -> Draft:
    """Removes the draft and returns it: of two submits at once, the second waits here and then finds the case."""
    table = Draft.__table__
    row = db.session.execute(
        delete(table).where(table.c.public_id == draft_key).returning(table)
    ).one_or_none()
    if row is None:
        case = submitted_from(actor, draft_key)
        if case is None:
            raise NotFound()
        raise AlreadySubmitted(case)
    if not owns(actor, row.account_id, row.device_hash):
        raise NotFound()
    return Draft(**row._mapping)


def _new_case(
    actor: Actor, draft: Draft, service: ServiceDefinition, service_revision: int, now: datetime
) -> Case:
    tree, intake = chart(), draft.intake or {}
    return Case(
        public_id=public_id(),
        draft_key=draft.public_id,
        service_code=service.code,
        service_revision_id=service_revision,
        form_revision_id=draft.form_revision_id,
        workflow_revision_id=definitions.revision_id("workflow", service.workflow, taipei_day(now)),
        owner_unit_id=tree.by_code[service.owner].id,
        handling_unit_id=routing.handling_unit(service).id,
        account_id=None if draft.intake else draft.account_id,
        channel=intake.get("channel", "web"),
        filed_on=_filed_on(intake, now),
        submitted_at=now,
        state="",
        intake=draft.intake,
        language=actor.language,
    )


def _filed_on(intake: Mapping[str, Any], now: datetime) -> date:
    """The day that starts the clock: a postmark counts (行政程序法 49), else the true receipt, else today."""
    today = taipei_day(now)
    given = intake.get("postmarked_on") or intake.get("received_on")
    if given is None:
        return today
    filed = date.fromisoformat(given)
    if filed > today:
        raise Refused(
            Text(zh="收件日或郵戳日不能晚於今天。", en="The receipt or postmark cannot lie in the future.")
        )
    return filed


@dataclass(frozen=True)
class Route:
    """What the routing rules decided besides the unit: the limit, and how the officer is chosen."""

    kind: str
    period: int
    pick: steps.Pick | None


def _route(ctx: steps.Context, decision: Decision, facts: Mapping[str, object]) -> Route:
    """Applies unit and risk to the case now; the officer is chosen when the tasks open."""
    case, service = ctx.case, ctx.service
    kind, period = service.period.kind, service.period.period
    function, by = "officer", None
    for outcome in decision.outcomes:
        params = outcome.params
        if outcome.action == "assign_unit":
            case.handling_unit_id = routing.handling_unit(service, params["unit"]).id
        elif outcome.action == "assign_function":
            function = params["function"]
        elif outcome.action == "pick_officer":
            by = params["by"]
        elif outcome.action == "set_period":
            kind, period = params["kind"], int(params["period"])
        elif outcome.action == "set_risk":
            case.risk = params["level"]
    township = facts.get("applicant.township")
    pick = steps.Pick(function, by, str(township) if township else None) if by else None
    return Route(kind, period, pick)


def _attach_files(case: Case, draft_key: str, form: FormDefinition, answers: Mapping[str, Any]) -> None:
    """Moves the draft's uploads to the case. An answer that names any other document is refused."""
    wanted = {document for field in form.file_fields for document in answers.get(field.key) or []}
    if not wanted:
        return
    moved = db.session.execute(
        _ATTACH, {"case_id": case.id, "draft_key": draft_key, "wanted": sorted(wanted)}
    ).scalars()
    if set(moved) != wanted:
        raise Refused(
            Text(zh="有檔案已不存在，請回到附件步驟重新上傳。", en="A file is gone. Upload it again.")
        )


_ATTACH = text(
    "update document set case_id = :case_id where draft_key = :draft_key and public_id = any(:wanted) "
    "returning public_id"
)

_TAKE_NUMBER = text(
    """
    with taken as (
        insert into counter (name, year, value) values (:name, :year, 1)
        on conflict (name, year) do update set value = counter.value + 1
        returning value
    )
    update "case" set number = :name || '-' || :year || '-' || lpad(taken.value::text, 6, '0')
    from taken where "case".id = :case_id
    returning number
    """
)


def _take_number(case: Case, year: int) -> str:
    """The last statement before the commit, so that the counter row is held as short as possible."""
    values = {"name": case.service_code, "year": year, "case_id": case.id}
    number: str = db.session.execute(_TAKE_NUMBER, values).scalar_one()
    return number
