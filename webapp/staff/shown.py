"""From the rows of a case to what its page shows: names instead of ids, words instead of codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from flask import url_for

import forms.answers
from forms.model import Field, FormDefinition
from forms.places import Point
from rules.values import Text
from webapp.letters.wording import grouped
from webapp.models import Case, Document, Letter, Party, Submission, Task
from webapp.permissions import Actor
from webapp.presentation import language
from webapp.queries import definitions, effects, papers
from webapp.queries.case_page import CaseFile, ReachedRung
from webapp.queries.inbox import ASKED_OPINION
from webapp.queries.org import calendar, chart, office_now
from webapp.services import dispatch, parties, printing
from webapp.staff.words import function_label, outcome
from workflows.model import WorkflowDefinition

ROUTING = "intake_routing"


@dataclass(frozen=True)
class Link:
    url: str
    name: str
    size: int
    is_image: bool = False


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    text: str
    documents: tuple[Link, ...] = ()
    #: what stood here in the first submission, where a correction changed it
    before: str | None = None
    changed: bool = False
    #: what is computed cannot be corrected itself
    asked: bool = True
    #: where it lies on the map
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Section:
    title: Text
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Desk:
    """An open task: whose it is and until when."""

    task: Task
    label: Text
    unit: str
    holder: str
    absent: bool
    #: who stands in for the absent
    deputies: str
    days_left: int | None
    #: the function, where nobody holds it: whoever controls the work appoints somebody, or gives it to another unit
    vacant: Text | None


@dataclass(frozen=True)
class Branch:
    unit: str
    #: what the officer asked, if the workflow did not
    question: str
    holder: str
    acted_for: str
    state: str
    outcome: str
    due_on: date | None
    days_left: int | None
    done_at: datetime | None


@dataclass(frozen=True)
class Record:
    """A form that an officer filled in: an inspection record, an opinion."""

    title: Text
    unit: str
    who: str
    acted_for: str
    at: datetime
    sections: tuple[Section, ...]
    photos: tuple[Link, ...]


@dataclass(frozen=True)
class Changes:
    """What one correction changed."""

    number: int
    at: datetime
    rows: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Asked:
    """One correction request."""

    at: datetime
    who: str
    message: str
    fields: tuple[Text, ...]
    due_on: date
    closed_at: datetime | None
    closed_reason: str | None


@dataclass(frozen=True)
class Issued:
    letter: Letter
    #: the code by which anybody can verify it
    code: str
    signer: str
    url: str | None
    #: its printing was given up
    failed: bool
    #: the last day of an appeal, once it is served
    appeal_by: date | None
    #: the letters that correct, revoke or withdraw it
    changes: tuple[Letter, ...]


@dataclass(frozen=True)
class Rung:
    label: Text
    sentence: Text | None
    at: datetime
    #: of a branch: the unit whose time it was
    unit: str
    #: names of those who were to hear of it
    told: tuple[str, ...]


@dataclass(frozen=True)
class Header:
    applicant: str
    agent: str
    responsible: str
    handling_unit: str
    officer: str
    intake: Mapping[str, Any] = field(default_factory=dict)
    clerk: str = ""


def header(case: Case, file: CaseFile) -> Header:
    tree = chart()
    agent = next((party for party in file.parties if party.role == "representative"), None)
    applicant = next((party for party in file.parties if party.role != "representative"), None)
    office = office_now(case)
    hands = {"officer", "township_officer"} if office.kind == "township" else {"officer"}
    officers = [t.assignee_id for t in file.tasks if t.function in hands and t.assignee_id is not None]
    intake = case.intake or {}
    return Header(
        applicant=applicant.name if applicant else "",
        agent=_agent(agent) if agent else "",
        responsible=(applicant.responsible if applicant else None) or "",
        handling_unit=unit_name(office.id),
        officer=tree.names.get(officers[-1], "") if officers else "",
        intake=intake,
        clerk=tree.names.get(intake.get("clerk") or 0, ""),
    )


def _agent(party: Party) -> str:
    """Name, right to act, and number to call."""
    relation = parties.RELATIONS[party.relation].in_(language()) if party.relation else ""
    return "　".join(part for part in (party.name, relation, party.phone) if part)


def desk(workflow: WorkflowDefinition, task: Task, today: date) -> Desk:
    return Desk(
        task=task,
        label=_task_label(workflow, task),
        unit=unit_name(task.unit_id),
        holder=staff_name(task.assignee_id),
        absent=task.assignee_id is not None and chart().is_absent(task.assignee_id, today),
        deputies=_deputies(task.assignee_id, today),
        days_left=_days_left(task, today),
        vacant=None
        if chart().holders(task.unit_id, task.function, today)[1]
        else function_label(task.function),
    )


def newest(file: CaseFile) -> Mapping[str, Any]:
    """The answers that hold now."""
    return file.of_kind("application")[-1].all_answers


def answers(form: FormDefinition, file: CaseFile) -> tuple[Section, ...]:
    """The newest answers; what a correction changed carries what stood there at first."""
    sent = file.of_kind("application")
    first, last = sent[0], sent[-1]
    old = {
        c.key: c.old_text for c in forms.answers.diff(form, first.all_answers, last.all_answers, language())
    }
    return _sections(form, last, file.documents, old)


def records(actor: Actor, case: Case, workflow: WorkflowDefinition, file: CaseFile) -> tuple[Record, ...]:
    """Forms of tasks, less those that are sealed until the case is closed."""
    tasks = {task.id: task for task in file.tasks}
    sealed = (
        {template.key for state in workflow.states.values() for template in state.tasks if template.sealed}
        if case.status == "open"
        else set()
    )
    held = (
        {(m.function, unit) for m in actor.mandates for unit in chart().within(m.unit_id)}
        if sealed
        else set()
    )
    found = ((submission, tasks.get(submission.task_id or 0)) for submission in file.records)
    return tuple(
        _record(submission, task, file)
        for submission, task in found
        if task is None or task.key not in sealed or (task.function, task.unit_id) in held
    )


def branches(workflow: WorkflowDefinition, file: CaseFile, today: date) -> tuple[Branch, ...]:
    """The parallel tasks, newest round first."""
    found = [task for task in file.tasks if task.branch]
    opinions = {s.task_id: _first_choice(s) for s in file.records}
    return tuple(
        Branch(
            unit=unit_name(task.unit_id),
            question=task.question or "",
            holder=staff_name(task.done_by_id or task.assignee_id),
            acted_for=staff_name(task.acting_for_id),
            state=task.state,
            outcome=opinions.get(task.id, ""),
            due_on=task.due_on,
            days_left=_days_left(task, today),
            done_at=task.done_at,
        )
        for task in sorted(found, key=lambda t: (-t.visit, t.id))
    )


def changes(form: FormDefinition, file: CaseFile) -> tuple[Changes, ...]:
    """From each submission to the next, oldest first."""
    sent = file.of_kind("application")
    return tuple(
        Changes(
            number=after.number,
            at=after.created_at,
            rows=[
                (change.label, change.old_text, change.new_text)
                for change in forms.answers.diff(form, before.all_answers, after.all_answers, language())
            ],
        )
        for before, after in pairwise(sent)
    )


def corrections(form: FormDefinition, file: CaseFile) -> tuple[Asked, ...]:
    return tuple(
        Asked(
            at=request.requested_at,
            who=staff_name(request.requested_by_id),
            message=request.message,
            fields=tuple(form.field(key).label for key in request.fields if key in form),
            due_on=request.due_on,
            closed_at=request.closed_at,
            closed_reason=request.closed_reason,
        )
        for request in file.corrections
    )


def letters(case: Case, file: CaseFile) -> tuple[Issued, ...]:
    failed = effects.letters_given_up(file.letters)
    return tuple(
        Issued(
            letter,
            grouped(printing.fingerprint(letter)),
            staff_name(letter.issued_by_id),
            document_url(document) if document else None,
            letter.id in failed,
            dispatch.appeal_by(letter, case),
            tuple(other for other in file.letters if other.changes_id == letter.id),
        )
        for letter in file.letters
        for document in [file.document_of(letter)]
    )


def routing(file: CaseFile) -> tuple[Text, ...]:
    """What the routing rules asked for when the case came in."""
    return tuple(outcome(entry) for fired in file.firings if fired.key == ROUTING for entry in fired.outcomes)


def rungs(file: CaseFile) -> tuple[Rung, ...]:
    """The reminders that were sent, each with the sentence of the rule that asked for it."""
    return tuple(_rung(reached) for reached in file.escalations)


def assigned_to(file: CaseFile) -> tuple[str, str]:
    """Unit and officer of the first task, where the routing led."""
    first = file.tasks[0] if file.tasks else None
    return (unit_name(first.unit_id), staff_name(first.assignee_id)) if first else ("", "")


def document_url(document: Document) -> str:
    return url_for("citizen.document", pid=document.public_id)


def document_link(document: Document) -> Link:
    is_image = document.media_type.startswith("image/")
    return Link(document_url(document), document.filename, document.size, is_image)


# --- parts ------------------------------------------------------------------------------------------------


def _sections(
    form: FormDefinition, submission: Submission, documents: Mapping[str, Document], old: Mapping[str, str]
) -> tuple[Section, ...]:
    given = submission.all_answers
    return tuple(
        Section(
            section.section.title,
            tuple(
                Row(
                    key=row.field.key,
                    label=row.label,
                    text="" if row.field.type == "file" else row.text,
                    documents=_documents(row.field, given, documents),
                    before=old.get(row.field.key),
                    changed=row.field.key in old,
                    asked=row.field.kind.asked,
                    points=row.points,
                )
                for row in section.rows
            ),
        )
        for section in forms.answers.summary(form, given, language())
    )


def _documents(field: Field, given: Mapping[str, Any], documents: Mapping[str, Document]) -> tuple[Link, ...]:
    if field.type != "file":
        return ()
    found: Iterable[Document | None] = (documents.get(key) for key in given.get(field.key) or ())
    return tuple(document_link(document) for document in found if document is not None)


def _record(submission: Submission, task: Task | None, file: CaseFile) -> Record:
    form = definitions.form(submission.form_revision_id)
    sections = _sections(form, submission, file.documents, {})
    photos = tuple(link for s in sections for row in s.rows for link in row.documents if link.is_image)
    return Record(
        title=form.title,
        unit=unit_name(task.unit_id) if task and task.branch else "",
        who=staff_name(submission.created_by_id),
        acted_for=staff_name(task.acting_for_id) if task else "",
        at=submission.created_at,
        sections=sections,
        photos=photos,
    )


def _first_choice(submission: Submission) -> str:
    """The conclusion of an opinion: its first question with options."""
    form = definitions.form(submission.form_revision_id)
    asked = next((f for f in form.fields if f.type == "choice"), None)
    return forms.answers.display(asked, submission.all_answers.get(asked.key), language()) if asked else ""


def _rung(reached: ReachedRung) -> Rung:
    rung, fired = reached.rung, reached.firing
    unit = unit_name(reached.unit_id) if reached.unit_id else ""
    told = tuple(staff_name(account_id) for account_id in reached.told)
    rule = next((o["rule"] for o in fired.outcomes if o["params"].get("rung") == rung), rung)
    entry = next((e for e in fired.explanation if e["rule"] == rule), None)
    if entry is None:
        return Rung(Text(zh=rung), None, reached.at, unit, told)
    return Rung(Text(**entry["label"]), Text(**entry["sentence"]), reached.at, unit, told)


def _task_label(workflow: WorkflowDefinition, task: Task) -> Text:
    if task.question is not None:
        return ASKED_OPINION
    found = (template for state in workflow.states.values() if (template := state.task(task.key)))
    template = next(found, None)
    return template.label if template else function_label(task.function)


def _deputies(person: int | None, today: date) -> str:
    return "、".join(staff_name(d) for d in chart().deputies(person or 0, today))


def _days_left(task: Task, today: date) -> int | None:
    if task.due_on is None:
        return None
    return calendar(task.unit_id).working_days_between(today, task.due_on)


def unit_name(unit_id: int) -> str:
    return chart().units[unit_id].name(language())


def document_of(document_id: int | None) -> Link | None:
    """A file of a letter, to download."""
    found = papers.by_id(document_id)
    return Link(document_url(found), found.filename, found.size) if found is not None else None


def staff_name(account_id: int | None) -> str:
    return chart().names.get(account_id or 0, "")
