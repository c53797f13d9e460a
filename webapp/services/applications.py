"""Submitting an application: one transaction from the draft to the open task, at most fifteen statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select
from sqlalchemy.orm import make_transient_to_detached

import forms.answers
from forms.model import FormDefinition
from rules.decision import Decision
from rules.values import Text, roc_year
from webapp.crypto import public_id
from webapp.errors import AnswersInvalid, Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, Draft, Effect, Handover, Party, Submission, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import answering, definitions, generations
from webapp.queries.handovers import helps
from webapp.queries.org import chart
from webapp.rows import Beside, write_together
from webapp.services import (
    alarms,
    bookings,
    clocks,
    duties,
    effects,
    evaluation,
    events,
    fees,
    handovers,
    notices,
    parties,
    routing,
    steps,
)
from webapp.services.drafts import owns
from workflows import engine
from workflows.service import ServiceDefinition


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
    service = definitions.current_service(draft.service_code, taipei_day(now))
    return _read(form, draft, service, now, lang)


def _read(
    form: FormDefinition, draft: Draft | Row[Any], service: ServiceDefinition, now: datetime, lang: str
) -> forms.answers.Cleaned:
    return answering.clean(
        form,
        draft.raw,
        now,
        service_code=service.code,
        lang=lang,
        applicants=service.who_may_apply,
        today=counted_from(draft, now),
    )


def counted_from(draft: Draft | Row[Any], now: datetime) -> date:
    """The day from which limits count: of paper that a clerk types in, the day it was filed (行政程序法 49)."""
    intake = draft.intake or {}
    return taipei_day(now) if intake.get("handed_over") else _filed_on(intake, now)


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
    cleaned = _read(form, draft, service, now, actor.language)
    if cleaned.errors:
        raise AnswersInvalid(cleaned.errors)
    answers = cleaned.answers
    case = _new_case(actor, draft, service, service_revision, now)
    fee = fees.counted(service, form, answers)
    case.fee_total, case.fee_lines = fee.total, list(fee.lines)
    ctx = steps.Context(case, service, form, definitions.workflow_of(case))
    facts = evaluation.facts_of(case, service, form, answers)
    decision, ruleset = evaluation.decide("intake_routing", facts, case.filed_on)
    rejections = draft.rejections if case.account_id is not None else None
    judged = facts | evaluation.intake_facts(form, answers, rejections)
    risk, risk_rules = evaluation.decide("intake_risk", judged, case.filed_on)
    route = _route(ctx, decision, facts)
    case.risk = next((o.params["level"] for o in risk.outcomes if o.action == "set_risk"), case.risk)
    step = engine.start(ctx.workflow, facts, service.parameters)
    case.state, case.visit = step.to_state, 1
    start = clocks.start_of(route.kind, case.filed_on, now)
    case.due_on = clocks.due_on(route.kind, route.period, start, case.handling_unit_id)
    tasks = steps.new_tasks(ctx, step, now, picked=route.function, township=route.township)
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
    people = parties.from_answers(case.id, form, answers)
    stuck = _stay_away(case, tasks, people, today)
    wanted = _files(form, answers)
    *keys, case.number, found = write_together(
        [
            *tasks,
            submission,
            *people,
            evaluation.firing(case.id, decision, ruleset, now),
            evaluation.firing(case.id, risk, risk_rules, now),
            clocks.started(case.id, route.kind, route.period, start, case.due_on),
            events.first(actor, case, "submitted", now),
            effects.effect("receipt", case.public_id, now, case_id=case.id),
            effects.effect("application", f"{case.public_id}:1", now, case_id=case.id),
            _received(case, now),
            case,
        ],
        _BESIDE,
        name=case.service_code,
        year=roc_year(today),
        case_id=case.id,
        draft_key=draft_key,
        wanted=wanted,
        **_candidates(route, tasks, people, case.account_id, today),
    )
    if found != len(wanted):
        raise Refused(
            Text(zh="有檔案已不存在，請回到附件步驟重新上傳。", en="A file is gone. Upload it again.")
        )
    write_together(steps.task_clocks(step, tasks, keys[: len(tasks)], now))
    make_transient_to_detached(case)
    db.session.add(case)
    for task in stuck:
        alarms.nobody_may_act(case, chart().units[task.unit_id], task.function, now)
    evaluation.report([(decision, ruleset), (risk, risk_rules)], now)
    _book(actor, case, form, answers, now)
    if draft.helped:
        handovers.record(case, draft_key, now)
    return case


def _received(case: Case, now: datetime) -> Effect:
    """What is entered after its limit promises no day in the past."""
    if case.due_on is not None and case.due_on < taipei_day(now):
        return notices.effect(case, "submitted_late", now, on_date=case.filed_on)
    return notices.effect(case, "submitted", now)


def _book(actor: Actor, case: Case, form: FormDefinition, answers: Mapping[str, Any], now: datetime) -> None:
    """The slot that was chosen in the form; one that was filled in the meantime refuses the submission."""
    for field in form.fields:
        if field.options_from == "slots" and field.type == "lookup" and field.key in answers:
            bookings.choose(actor, case, answers[field.key]["value"], now)


def submitted_from(actor: Actor, draft_key: str) -> Case | None:
    """The case that a draft became, for whoever wrote the draft; for staff, what they took in themselves."""
    case = db.session.scalars(select(Case).where(Case.draft_key == draft_key)).one_or_none()
    if case is None:
        return None
    if actor.is_staff:
        return case if (case.intake or {}).get("clerk") == actor.account_id else None
    return case if case.account_id in (None, actor.account_id) else None


def _take_draft(actor: Actor, draft_key: str) -> Row[Any]:
    """Removes the draft and returns its row, with the key of the case that it becomes.

    Of two submits at once, the second waits here and then finds the case.
    """
    draft = db.session.connection().execute(_TAKE_DRAFT, {"key": draft_key}).one_or_none()
    if draft is None:
        case = submitted_from(actor, draft_key)
        if case is None:
            raise NotFound()
        raise AlreadySubmitted(case)
    generations.prime(draft.counters)
    if not owns(actor, draft.account_id, draft.device_hash):
        _require_clerk_who_helps(actor, draft)
    return draft


def _require_clerk_who_helps(actor: Actor, draft: Row[Any]) -> None:
    """A relative may not declare for the applicant (行政程序法 24); a clerk takes in what they say (同法 35)."""
    if not helps(actor, draft.public_id):
        raise NotFound()
    if draft.intake is None or draft.intake["clerk"] != actor.account_id:
        raise Forbidden(
            Text(
                zh="協助的人不能代替申請人送出。請交還草稿，由申請人檢查後自己送出。",
                en="Whoever helps may not send the application. Give the draft back for the applicant to send.",
            )
        )


def _new_case(
    actor: Actor, draft: Row[Any], service: ServiceDefinition, service_revision: int, now: datetime
) -> Case:
    tree = chart()
    # who sends their own application takes nothing in, whichever clerk began to help
    taken_in = draft.intake if actor.is_staff else None
    intake = taken_in or {}
    return Case(
        id=draft.case_id,
        public_id=public_id(),
        draft_key=draft.public_id,
        service_code=service.code,
        service_revision_id=service_revision,
        form_revision_id=draft.form_revision_id,
        workflow_revision_id=definitions.revision_id("workflow", service.workflow, taipei_day(now)),
        owner_unit_id=tree.by_code[service.owner].id,
        handling_unit_id=routing.handling_unit(service).id,
        confidential=service.confidential,
        account_id=None if taken_in and draft.account_id == actor.account_id else draft.account_id,
        channel=intake.get("channel", "web"),
        filed_on=_filed_on(intake, now),
        submitted_at=now,
        state="",
        intake=taken_in,
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
    """What the routing rules decided besides the unit: the limit, and how an officer is chosen for which function."""

    kind: str
    period: int
    function: str | None
    by: str
    township: str | None


def _route(ctx: steps.Context, decision: Decision, facts: Mapping[str, object]) -> Route:
    """Applies unit and risk to the case now; the officer is chosen when the tasks are written."""
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
    return Route(kind, period, function if by else None, by or "", str(township) if township else None)


def _stay_away(case: Case, tasks: Sequence[Task], people: Sequence[Party], today: date) -> list[Task]:
    """The tasks whose only holder is a party (行政程序法 32): they wait in the pool, and somebody must be told."""
    hands = {n: duties.hands(task.unit_id, task.function, today) for n, task in enumerate(tasks)}
    if all(len(each) != 1 for each in hands.values()):
        return []
    parties = duties.staff_among(people, case.account_id)
    stuck = [tasks[n] for n, each in hands.items() if each and all(parties & {p, f} for p, f in each)]
    for task in stuck:
        task.assignee_id = None
    return stuck


def _candidates(
    route: Route, tasks: Sequence[Task], people: Sequence[Party], applied_by: int | None, today: date
) -> dict[str, Any]:
    """Whom the statement may choose among, as `routing.DESKS` reads it."""
    seats = [
        (task.unit_id, officer)
        for task in tasks
        if task.function == route.function
        for officer in routing.candidates(
            chart().holders(task.unit_id, task.function, today)[1], route.by, route.township, today
        )
        if officer != applied_by
    ]
    addresses, numbers = duties.known_by(people)
    return {
        "party_addresses": sorted(addresses),
        "party_numbers": sorted(numbers),
        "pick_function": route.function,
        "pick_by": route.by,
        "pick_units": [unit for unit, _ in seats],
        "pick_officers": [officer for _, officer in seats],
    }


def _files(form: FormDefinition, answers: Mapping[str, Any]) -> list[str]:
    """Every document that an answer names."""
    return sorted({document for field in form.file_fields for document in answers.get(field.key) or []})


#: one round trip for what comes first: the draft, the key of its case, and how old our copies may be
_TAKE_DRAFT = (
    delete(Draft.__table__)
    .where(Draft.__table__.c.public_id == bindparam("key"))
    .returning(
        Draft.__table__,
        func.nextval("case_id_seq").label("case_id"),
        generations.COUNTERS.label("counters"),
        select(Handover.id)
        .where(Handover.draft_key == Draft.__table__.c.public_id, Handover.used_at.is_not(None))
        .correlate(Draft.__table__)
        .exists()
        .label("helped"),
        select(func.count())
        .where(Case.account_id == Draft.__table__.c.account_id, Case.outcome == "rejected")
        .correlate(Draft.__table__)
        .scalar_subquery()
        .label("rejections"),
    )
)

#: beside the rows of the case: it takes its number, the uploads that its answers name move to it, the others go.
#: The case comes last and the commit right after it, so that the counter row is held as short as possible.
_BESIDE = Beside(
    parts=(
        routing.DESKS,
        (
            "taken",
            """
            insert into counter (name, year, value) values (%(name)s, %(year)s, 1)
            on conflict (name, year) do update set value = counter.value + 1
            returning name || '-' || year || '-' || lpad(value::text, 6, '0') as number
            """,
        ),
        (
            "moved",
            """
            update document set case_id = %(case_id)s
            where draft_key = %(draft_key)s and public_id = any(%(wanted)s)
            returning public_id
            """,
        ),
        (
            "dropped",
            "delete from document where draft_key = %(draft_key)s and not public_id = any(%(wanted)s)",
        ),
    ),
    columns=(routing.ASSIGNEE, ("case", "number", "(select number from taken)")),
    results=("(select number from taken)", "(select count(*) from moved)"),
)
