"""The parties of a case, read from its answers by the keys that forms share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

import forms.answers
from forms.model import FormDefinition
from webapp import crypto
from webapp.extensions import db
from webapp.models import Case, Party

#: who applies, by the keys that forms use; whoever informs of misconduct is no party
PEOPLE = ("applicant_name", "reporter_name")
BODIES = ("company_name", "org_name")
IDENTIFIERS = ("applicant_id", "company_number", "ubn")


def name_of(answers: Mapping[str, Any]) -> str:
    return _first(answers, (*PEOPLE, *BODIES))


def from_answers(case_id: int, form: FormDefinition, answers: Mapping[str, Any]) -> list[Party]:
    kind = answers.get("applicant_type")
    is_company = kind in {"company", "organisation"} or bool(
        _first(answers, BODIES) and not _first(answers, PEOPLE)
    )
    people = [
        _party(
            case_id,
            "company" if is_company else "applicant",
            name_of(answers),
            _first(answers, IDENTIFIERS),
            answers.get("phone"),
            answers.get("email"),
            _in_words(form, answers, "address"),
        )
    ]
    if answers.get("agent_name"):
        people.append(
            _party(
                case_id, "representative", answers["agent_name"], None, answers.get("agent_phone"), None, None
            )
        )
    return people


def rewrite(case: Case, form: FormDefinition, answers: Mapping[str, Any]) -> None:
    """After a correction the parties are those of the newest answers."""
    for party in of_case(case.id):
        db.session.delete(party)
    db.session.flush()
    for party in from_answers(case.id, form, answers):
        db.session.add(party)


def of_case(case_id: int) -> list[Party]:
    return list(db.session.scalars(select(Party).where(Party.case_id == case_id).order_by(Party.id)))


def same_applicant(case: Case, other: Case) -> bool:
    """By their account, or by an identifier that stands in both applications."""
    if case.account_id is not None and case.account_id == other.account_id:
        return True
    hashes = [{party.identifier_hash for party in of_case(each.id)} - {None} for each in (case, other)]
    return not hashes[0].isdisjoint(hashes[1])


def applicant(case_id: int) -> Party | None:
    return next((party for party in of_case(case_id) if party.role != "representative"), None)


def _party(
    case_id: int, role: str, name: Any, identifier: Any, phone: Any, email: Any, address: Any
) -> Party:
    return Party(
        case_id=case_id,
        role=role,
        name=str(name or ""),
        identifier=identifier or None,
        identifier_hash=crypto.keyed_hash(identifier, "party") if identifier else None,
        phone=phone or None,
        email=email or None,
        address=address or None,
    )


def _first(answers: Mapping[str, Any], keys: Sequence[str]) -> str:
    return str(next((answers[key] for key in keys if answers.get(key)), ""))


def _in_words(form: FormDefinition, answers: Mapping[str, Any], key: str) -> str:
    return forms.answers.display(form.field(key), answers[key]) if answers.get(key) else ""
