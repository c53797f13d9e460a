"""調解: where the parties decide and nobody votes. Who is heard, who came, and what may then be recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import forms.answers
from rules.values import Text
from webapp.errors import Refused
from webapp.models import AgendaItem, Case, CommitteeMember, Party
from webapp.queries import definitions, submissions
from webapp.services import parties
from workflows.service import APPLICANT, invited

if TYPE_CHECKING:
    from webapp.services.deliberation import Deciding

#: 鄉鎮市調解條例 7: three members mediate, or one where both parties agree to that
MEMBERS = 3
_APPLICANT = Text(zh="申請人", en="Applicant")
_CAME, _ABSENT = Text(zh="到場", en="present"), Text(zh="未到", en="absent")


@dataclass(frozen=True)
class Heard:
    """Somebody whom the service invites: the applicant, or a row of the question about the other side."""

    key: str
    label: Text
    name: str
    address: str
    phone: str
    email: str

    @property
    def is_applicant(self) -> bool:
        return self.key == APPLICANT


@dataclass(frozen=True)
class Hearing:
    """What the secretary writes down of one case."""

    #: keys of the parties who came, in person or by somebody with a power of attorney
    came: frozenset[str] = frozenset()
    #: the members who mediated
    members: frozenset[int] = frozenset()
    #: both parties agreed that one member mediates
    alone: bool = False
    #: 續行調解: when it goes on
    continues_on: date | None = None


def heard(case: Case) -> list[Heard]:
    """Whom the service invites to a session, the applicant first."""
    return heard_of([case])[case.id]


def heard_of(cases: Sequence[Case]) -> dict[int, list[Heard]]:
    """The same for many cases, in two statements."""
    named = {
        case.id: invited(
            definitions.workflow(case.workflow_revision_id), definitions.service(case.service_revision_id)
        )
        for case in cases
    }
    asked = [case.id for case in cases if named[case.id]]
    if not asked:
        return {case.id: [] for case in cases}
    sent, people = submissions.applications(asked), parties.of_cases(asked)
    return {
        case.id: _heard_in(case, named[case.id], sent[case.id].all_answers, people[case.id])
        if named[case.id]
        else []
        for case in cases
    }


def _heard_in(
    case: Case, named: Sequence[str], answers: Mapping[str, Any], people: Sequence[Party]
) -> list[Heard]:
    form = definitions.form(case.form_revision_id)
    found = []
    for question in named:
        if question == APPLICANT:
            found += _applicant(people)
            continue
        field = form.field(question)
        columns = {column.key: column for column in field.columns}
        for number, row in enumerate(answers.get(question) or [], start=1):
            said = {
                key: forms.answers.display(columns[key], row[key])
                for key in ("name", "address", "phone", "email")
                if key in columns and row.get(key)
            }
            found.append(_heard(f"{question}-{number}", field.label, said))
    return found


def _applicant(people: Sequence[Party]) -> list[Heard]:
    party = parties.applicant_among(people)
    if party is None:
        return []
    said = {key: getattr(party, key) or "" for key in ("name", "address", "phone", "email")}
    return [_heard(APPLICANT, _APPLICANT, said)]


def _heard(key: str, label: Text, said: Mapping[str, str]) -> Heard:
    return Heard(key, label, *(said.get(part, "").strip() for part in ("name", "address", "phone", "email")))


def require_recordable(each: Deciding, said: Hearing, result: str, remark: str, held_on: date) -> None:
    """Nothing is settled without both sides; who mediated and why it failed is always told."""
    number, people = each.case.number, heard(each.case)
    if not said.came <= {person.key for person in people}:
        raise Refused(Text(zh=f"{number}：到場的人不是這一案的當事人。", en=f"{number}: not a party of it."))
    if not said.members <= each.eligible:
        raise Refused(
            Text(
                zh=f"{number}：參與調解的委員應迴避或不是委員。",
                en=f"{number}: a member who mediated has a conflict of interest or no seat.",
            )
        )
    if len(said.members) < (1 if said.alone else MEMBERS):
        raise Refused(
            Text(
                zh=f"{number}：調解應有委員 {MEMBERS} 人以上出席；經兩造同意，得由委員 1 人逕行調解"
                "（鄉鎮市調解條例第7條）。",
                en=f"{number}: {MEMBERS} members mediate, or one where both parties agree to that "
                "(Township and County-Administered City Mediation Act, article 7).",
            )
        )
    if result == "pass" and not _both_sides(people, said.came):
        raise Refused(
            Text(
                zh=f"{number}：調解成立要由雙方同意，請確認申請人和對方都到場。",
                en=f"{number}: a settlement needs the consent of both sides; both must be present.",
            )
        )
    if result in ("pass", "reject") and not remark.strip():
        raise Refused(
            Text(
                zh=f"請寫明 {number} {'成立的條件' if result == 'pass' else '不成立的原因'}。",
                en=f"Give the {'terms' if result == 'pass' else 'reason'} of {number}.",
            )
        )
    if result == "defer" and (said.continues_on is None or said.continues_on <= held_on):
        raise Refused(
            Text(
                zh=f"請填寫 {number} 續行調解的日期，須在這次會議之後。",
                en=f"Give the day after this session on which {number} goes on.",
            )
        )


def _both_sides(people: Sequence[Heard], came: frozenset[str]) -> bool:
    return {person.is_applicant for person in people if person.key in came} == {True, False}


def put_into(item: AgendaItem, case: Case, said: Hearing, result: str) -> None:
    """Names as they stand now: a later correction of the application changes no minutes."""
    people = heard(case)
    item.continues_on = said.continues_on if result == "defer" else None
    item.hearing = {
        "parties": [
            {
                "key": person.key,
                "zh": person.label.zh,
                "en": person.label.in_("en"),
                "name": person.name,
                "came": person.key in said.came,
            }
            for person in people
        ],
        "members": sorted(said.members),
        "alone": said.alone,
    }


def words(item: AgendaItem, members: Mapping[int, CommitteeMember], lang: str) -> str:
    """Who came and who mediated; before the hearing, how such a case is decided."""
    if item.hearing is None:
        return Text(zh="由當事人同意成立，不表決", en="the parties decide; nobody votes").in_(lang)
    stop = "；" if lang != "en" else "; "
    told = [_person(row, lang) for row in item.hearing["parties"]]
    names = ("、" if lang != "en" else ", ").join(
        members[key].called for key in item.hearing["members"] if key in members
    )
    told.append(Text(zh=f"調解委員：{names}", en=f"mediated by {names}").in_(lang))
    if item.hearing["alone"]:
        told.append(Text(zh="兩造同意由委員一人調解", en="both agreed to one member").in_(lang))
    return stop.join(told)


def _person(row: Mapping[str, Any], lang: str) -> str:
    state = _CAME if row["came"] else _ABSENT
    return Text(
        zh=f"{row['zh']}{row['name']}{state.zh}", en=f"{row['en']} {row['name']} {state.in_('en')}"
    ).in_(lang)
