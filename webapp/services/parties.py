"""The parties of a case and who acts for them, read from its answers by the keys that forms share.

當事人、代理人: 行政程序法 20, 24, 69, 71; 法定代理人: 民法 1086, 1098, 1110.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

import forms.answers
from forms.model import FormDefinition
from rules.values import Text
from webapp import crypto
from webapp.extensions import db
from webapp.models import Account, Case, Party
from webapp.queries.answering import BODIES, agent_keys

#: who applies, by the keys that forms use; whoever informs of misconduct is no party
PEOPLE = ("applicant_name", "reporter_name")
IDENTIFIERS = ("applicant_id", "company_number", "ubn")
#: who stands for a body
RESPONSIBLE = ("responsible_name", "representative")

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
#: 0912-345-678, also with the spaces of whoever types it
_MOBILE = re.compile(r"(?<![0-9])09(?:[ ()-]*[0-9]){8}(?![0-9])")
#: 082-325000
_LANDLINE = re.compile(r"(?<![0-9])0[2-8](?:[ ()-]*[0-9]){7,8}(?![0-9])")
#: what a postman finds: a house number or a box
_ADDRESS = re.compile(r"[0-9一二三四五六七八九十]\s*號|信箱|\bNo\.|\bP\.?O\.? ?Box\b", re.IGNORECASE)

RELATIONS: Mapping[str, Text] = {
    "entrusted": Text(zh="受申請人委託", en="Authorised by the applicant"),
    "parent": Text(zh="法定代理人（父母）", en="By law: a parent"),
    "guardian": Text(zh="法定代理人（監護人）", en="By law: the guardian"),
}


def name_of(answers: Mapping[str, Any]) -> str:
    return _first(answers, (*PEOPLE, *BODIES))


def names_of(people: Iterable[Party]) -> tuple[str, str]:
    """The applicant and who acts for them; "" where there is none."""
    people = list(people)
    applicant = next((each.name for each in people if each.role != "representative"), "")
    return applicant, next((each.name for each in people if each.role == "representative"), "")


def from_answers(case_id: int, form: FormDefinition, answers: Mapping[str, Any]) -> list[Party]:
    is_body = _is_body(answers)
    people = [
        _party(
            case_id,
            "company" if is_body else "applicant",
            name_of(answers),
            _first(answers, IDENTIFIERS),
            **_reached_by(form, answers),
            responsible=_first(answers, RESPONSIBLE) if is_body else None,
        )
    ]
    name, number = agent_keys(form)
    agent = answers.get(name)
    if agent:
        people.append(
            _party(
                case_id,
                "representative",
                agent,
                answers.get(number),
                phone=answers.get("agent_phone"),
                email=answers.get("agent_email"),
                address=_in_words(form, answers, "agent_address"),
                relation=answers.get("agent_relation") or "entrusted",
            )
        )
    return people


def _reached_by(form: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """By the questions of their own, or by the one answer in which a report names whatever seems safe.

    Who wants no reply is not written to. What is neither an address nor a mailbox is for a person to read and to
    use, so that no letter goes to "in the evening".
    """
    found = {
        "phone": answers.get("phone"),
        "email": answers.get("email"),
        "address": _in_words(form, answers, "address"),
    }
    named = answers.get("contact")
    if any(found.values()) or not isinstance(named, str) or answers.get("want_reply") is False:
        return found
    words = unicodedata.normalize("NFKC", named)
    if email := _EMAIL.search(words):
        return {"email": email[0]}
    if number := _MOBILE.search(words):
        return {"phone": re.sub(r"[^0-9]", "", number[0])}
    return {"address": words} if _ADDRESS.search(words) and not _LANDLINE.search(words) else {"phone": words}


def _is_body(answers: Mapping[str, Any]) -> bool:
    named = _first(answers, BODIES) and not _first(answers, PEOPLE)
    return answers.get("applicant_type") in {"company", "organisation"} or bool(named)


def rewrite(case: Case, form: FormDefinition, answers: Mapping[str, Any]) -> None:
    """After a correction the parties are those of the newest answers."""
    for party in of_case(case.id):
        db.session.delete(party)
    db.session.flush()
    for party in from_answers(case.id, form, answers):
        db.session.add(party)


def of_case(case_id: int) -> list[Party]:
    return list(db.session.scalars(select(Party).where(Party.case_id == case_id).order_by(Party.id)))


def of_cases(case_ids: Collection[int]) -> dict[int, list[Party]]:
    """Those of many cases, in one statement."""
    found: dict[int, list[Party]] = {case_id: [] for case_id in case_ids}
    for party in db.session.scalars(select(Party).where(Party.case_id.in_(case_ids)).order_by(Party.id)):
        found[party.case_id].append(party)
    return found


def same_applicant(case: Case, other: Case) -> bool:
    """By their account, or by an identifier that stands in both applications. An agent may act for many."""
    agents = [representative(each.id) is not None for each in (case, other)]
    if case.account_id is not None and case.account_id == other.account_id and not any(agents):
        return True
    found = [applicant(each.id) for each in (case, other)]
    hashes = [{party.identifier_hash} - {None} if party else set() for party in found]
    return not hashes[0].isdisjoint(hashes[1])


def applicant(case_id: int) -> Party | None:
    return applicant_among(of_case(case_id))


def representative(case_id: int) -> Party | None:
    return representative_among(of_case(case_id))


def applicant_among(people: Iterable[Party]) -> Party | None:
    return next((party for party in people if party.role != "representative"), None)


def representative_among(people: Iterable[Party]) -> Party | None:
    return next((party for party in people if party.role == "representative"), None)


def without_paper(email: str | None, phone: str | None) -> list[tuple[str, str]]:
    """E-mail where there is one, else a text to a mobile number."""
    if email:
        return [("email", email)]
    digits = "".join(c for c in phone or "" if c.isdigit())
    return [("sms", digits)] if digits.startswith("09") else []


def channels_of(case_id: int) -> list[tuple[str, str, str]]:
    """By what the applicant and their agent are reached: (mark of the message, channel, address).

    The account by which it was filed comes before paper, unless they wrote by post themselves; what is confidential
    goes only where whoever reports said. Paper goes to one of them only: the agent, as letters do.
    """
    return channels_of_cases([db.session.get_one(Case, case_id)])[case_id]


def channels_of_cases(cases: Collection[Case]) -> dict[int, list[tuple[str, str, str]]]:
    """The same for many cases, in two statements."""
    accounts = {case.account_id for case in cases if not _by_paper(case)}
    known = {row.id: row for row in db.session.scalars(select(Account).where(Account.id.in_(accounts)))}
    people = of_cases([case.id for case in cases])
    return {
        case.id: _ways(people[case.id], None if _by_paper(case) else known.get(case.account_id or 0))
        for case in cases
    }


def _by_paper(case: Case) -> bool:
    return case.account_id is None or case.confidential or case.channel == "post"


def _ways(people: Sequence[Party], account: Account | None) -> list[tuple[str, str, str]]:
    agent, applicant = representative_among(people), applicant_among(people)
    found = [(":agent", *each) for each in _channels(agent, account)]
    reached = {each[1:] for each in found}
    return found + [
        ("", channel, recipient)
        for channel, recipient in _channels(applicant, None if agent else account)
        if (channel, recipient) not in reached and not (found and channel in ("post", "call"))
    ]


def _channels(party: Party | None, account: Account | None) -> list[tuple[str, str]]:
    """Without paper where the party can be reached so, else by the account; else a letter, else somebody rings."""
    if party is None:
        return []
    known = [(party.email, party.phone), *([(account.email, account.mobile)] if account else [])]
    by_hand = [(way, to) for way, to in (("post", party.address), ("call", party.phone)) if to]
    return next(filter(None, (without_paper(*each) for each in known)), by_hand[:1])


def _party(case_id: int, role: str, name: Any, identifier: Any, **more: Any) -> Party:
    return Party(
        case_id=case_id,
        role=role,
        name=str(name or ""),
        identifier=identifier or None,
        identifier_hash=crypto.keyed_hash(identifier, "party") if identifier else None,
        **{
            field: more.get(field) or None
            for field in ("phone", "email", "address", "responsible", "relation")
        },
    )


def _first(answers: Mapping[str, Any], keys: Sequence[str]) -> str:
    return str(next((answers[key] for key in keys if answers.get(key)), ""))


def _in_words(form: FormDefinition, answers: Mapping[str, Any], key: str) -> str:
    return forms.answers.display(form.field(key), answers[key]) if answers.get(key) else ""
