"""What somebody with an account gave in applications of their own: answers and files to start the next one from.

Drafts are never read, nor anybody else's cases: what a relative types stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select

import forms.answers
from forms.evaluation import Raw
from forms.model import Field, FormDefinition
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Document, Submission
from webapp.permissions import Actor, open_to_others
from webapp.queries import answering, definitions

MOST_CASES = 20
MOST_FILES = 10

#: about the applicant, by the keys that forms share, each with the keys that mean the same
APPLICANT: Mapping[str, tuple[str, ...]] = {
    "applicant_name": ("applicant_name", "company_name"),
    "company_name": ("company_name", "applicant_name"),
    "company_number": ("company_number", "ubn"),
    "ubn": ("ubn", "company_number"),
    **{key: (key,) for key in ("org_name", "org_reg_no", "reporter_name")},
    **{key: (key,) for key in ("applicant_id", "birth_date", "responsible_name", "responsible_id")},
    **{key: (key,) for key in ("contact_name", "phone", "email", "address")},
}
#: whoever of these is named is the applicant
_APPLICANTS = ("applicant_name", "company_name", "org_name", "reporter_name")
_NAMES, _NUMBERS = ("agent_name", "representative"), ("agent_id", "representative_id")
#: about the agent: what they gave as such, or about themselves
AGENT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_NAMES, _NAMES),
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    **{key: (key,) for key in ("agent_phone", "agent_email", "agent_address")},
}
ABOUT_ONESELF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_NAMES, ("applicant_name",)),
    **dict.fromkeys(_NUMBERS, ("applicant_id",)),
    "agent_phone": ("phone",),
    "agent_email": ("email",),
    "agent_address": ("address",),
}
#: chosen anew for every application
CHOSEN = frozenset({"filed_by", "applicant_type", "agent_relation"})


@dataclass(frozen=True)
class Brought:
    """One answer, and the case that it comes from."""

    field: Field
    value: Any
    number: str


@dataclass(frozen=True)
class File:
    document: Document
    number: str


@dataclass(frozen=True)
class Sent:
    """An earlier application: by whom it was filed and for what kind of applicant."""

    number: str
    form: FormDefinition
    answers: Mapping[str, Any]

    @property
    def by_agent(self) -> bool:
        return self.answers.get("filed_by", "self") != "self"

    @property
    def kind(self) -> str:
        if any(self.answers.get(key) for key in answering.BODIES):
            return "company"
        return str(self.answers.get("applicant_type") or "person")

    def first(self, keys: Sequence[str]) -> str:
        return next((key for key in keys if self.answers.get(key) is not None), "")


def answers(
    sent: Sequence[Sent], service_code: str, form: FormDefinition, way: Raw, now: datetime
) -> list[Brought]:
    """What an application of this way can start from, in the order of the form; only what the form would take.

    Data about the applicant come from applications for the same kind of applicant of the same name, the newest first;
    an agent brings their own data and nothing about whomever they acted for. Everything else comes from the one
    application that answers most of the same questions.
    """
    if not sent:
        return []
    if way.get("filed_by") == ["agent"]:
        as_agent = [(each, AGENT) for each in sent if each.by_agent]
        themselves = [(each, ABOUT_ONESELF) for each in sent if not each.by_agent and each.kind == "person"]
        found = _of_one(form, as_agent + themselves, _NAMES)
    else:
        kind = next(iter(way.get("applicant_type") or ()), _kind_of(form))
        own = [each for each in sent if not each.by_agent]
        alike = [(each, APPLICANT) for each in own if each.kind == kind]
        found = _others(form, own) | _of_one(form, alike, _APPLICANTS)
    raw = {**way, **forms.answers.to_raw(form, {key: each.value for key, each in found.items()})}
    taken = answering.clean(form, raw, now, service_code=service_code, lang="zh").answers
    return [found[f.key] for f in form.fields if f.key in found and taken.get(f.key) == found[f.key].value]


def _kind_of(form: FormDefinition) -> str:
    return "company" if any(key in form for key in answering.BODIES) else "person"


def sent_by(actor: Actor) -> list[Sent]:
    """Their applications as last corrected, the newest first."""
    if actor.account_id is None or actor.is_staff:
        return []
    rows = db.session.execute(
        select(Case.id, Case.number, Submission)
        .join(Submission, Submission.case_id == Case.id)
        .where(_own(actor), Submission.kind == "application")
        .order_by(Submission.id.desc())
        .limit(MOST_CASES)
    )
    found: dict[int, Sent] = {}
    for case_id, number, row in rows:
        found.setdefault(case_id, Sent(number or "", definitions.form(row.form_revision_id), row.all_answers))
    return list(found.values())


def _own(actor: Actor) -> ColumnElement[bool]:
    """Never a confidential case: whoever looks on would learn of it."""
    return and_(Case.account_id == actor.account_id, open_to_others())


def _of_one(
    form: FormDefinition, sent: Sequence[tuple[Sent, Mapping[str, tuple[str, ...]]]], names: Sequence[str]
) -> dict[str, Brought]:
    """The newest answers about whoever is named first; nothing of two people is mixed."""
    found: dict[str, Brought] = {}
    who: object = None
    for each, keys in sent:
        named = each.answers.get(each.first([source for name in names for source in keys[name]]))
        who = who or named
        if named is None or named != who:
            continue
        for key, sources in keys.items():
            source = each.first(sources)
            if key in found or not _asks(form, key) or not _asks(each.form, source):
                continue
            if each.form.field(source).type == form.field(key).type:
                found[key] = Brought(form.field(key), each.answers[source], each.number)
    return found


def _asks(form: FormDefinition, key: str) -> bool:
    """Whether the form asks for it, and means by it what it is read for here."""
    return key in form and (key not in (*_NAMES, *_NUMBERS) or key in answering.agent_keys(form))


def _others(form: FormDefinition, sent: Sequence[Sent]) -> dict[str, Brought]:
    """The answers to what both forms ask alike. Consent is asked anew, and files are offered one by one."""
    about = {*APPLICANT, *AGENT, *CHOSEN}
    best: dict[str, Brought] = {}
    for each in sent:
        same = {
            field.key: Brought(field, each.answers[field.key], each.number)
            for field in form.fields
            if field.key not in about
            and field.kind.reusable(field)
            and field.key in each.form
            and each.form.field(field.key) == field
            and each.answers.get(field.key) is not None
        }
        best = same if len(same) > len(best) else best
    return best


# --- files ------------------------------------------------------------------------------------------------


def files(
    actor: Actor, fields: Sequence[Field], besides: frozenset[str], fits: Callable[[Field, Document], bool]
) -> dict[str, list[File]]:
    """By field, files that fit it: first those sent for the same question, then the newest.

    `besides`: digests of what the application has already.
    """
    if actor.account_id is None or actor.is_staff or not fields:
        return {}
    rows = db.session.execute(_uploads(actor).order_by(Document.id.desc()).limit(200)).all()
    found = {}
    for field in fields:
        fitting = {
            document.sha256: File(document, number or "")
            for document, number in reversed(rows)
            if document.sha256 not in besides and fits(field, document)
        }
        newest = sorted(fitting.values(), key=lambda each: -each.document.id)
        newest.sort(key=lambda each: each.document.field_key != field.key)
        if newest:
            found[field.key] = newest[:MOST_FILES]
    return found


def file(actor: Actor, public_id: str) -> Document:
    """A file that the account itself uploaded to a case of its own; anything else does not exist."""
    if actor.account_id is None or actor.is_staff:
        raise NotFound()
    row = db.session.execute(_uploads(actor).where(Document.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    document: Document = row[0]
    return document


def _uploads(actor: Actor) -> Any:
    return (
        select(Document, Case.number)
        .join(Case, Case.id == Document.case_id)
        .where(
            _own(actor),
            Document.kind == "upload",
            Document.uploaded_by_id == actor.account_id,
            ~Document.draft_key.startswith("task-"),
        )
    )
