"""擬稿: the wording of a letter in versions, from the service's template to what is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, LetterDraft, Submission
from webapp.permissions import Actor
from workflows.model import INSPECTION
from workflows.service import DECISION_PARTS

#: 行政程序法 96 I 2: what a decision must state; the order is that of a letter
PARTS: Mapping[str, Text] = {
    "fact": Text(zh="事實", en="Facts"),
    "reason": Text(zh="理由", en="Reasons"),
    "basis": Text(zh="法令依據", en="Legal basis"),
    "note": Text(zh="說明", en="Note"),
}
_SUBJECT = Text(zh="主旨", en="Subject")
assert PARTS.keys() - {"note"} == DECISION_PARTS
#: how long a mark is
MARK = 16
#: what a version says; `changes` compares the first three
SAID = ("subject", "paragraphs", "conditions", "parts", "reason")


class Passage(NamedTuple):
    """One paragraph as it stands, and what it was written from."""

    #: the part of the letter that it is
    part: str
    text: str
    #: which paragraph of the template; None where somebody added it
    place: int | None = None
    #: the mark of what the template said there, with the values of the case as they were
    said: str = ""


class Outdated(NamedTuple):
    """A passage that somebody wrote, and whose amounts or facts are others now."""

    #: its number among the passages; None is the subject
    number: int | None
    part: str
    #: what the template says today
    now: str


@dataclass(frozen=True)
class Wording:
    """Subject and paragraphs as somebody wrote them."""

    subject: str
    paragraphs: tuple[Passage, ...]
    subject_said: str = ""

    @property
    def whole(self) -> Wording:
        """Without the paragraphs that were left empty."""
        kept = tuple(p._replace(text=p.text.strip()) for p in self.paragraphs if p.text.strip())
        return replace(self, subject=self.subject.strip(), paragraphs=kept)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Which of the parts that the law demands are empty; `subject` is one of them."""
        there = {passage.part for passage in self.paragraphs if passage.text.strip()}
        absent = tuple(part for part in PARTS if part in DECISION_PARTS and part not in there)
        return absent if self.subject.strip() else ("subject", *absent)


def mark(text: str) -> str:
    """Tells two fillings of a template apart."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:MARK]


def followed(wording: Wording, template: Wording) -> tuple[Wording, list[Outdated]]:
    """The wording with the values of today, and what somebody has to look at again.

    A paragraph that nobody touched says what the template says now. One that somebody wrote stays as it is; where
    the template says something else than it did then, its words may contradict the case.
    """
    outdated: list[Outdated] = []
    subject, said = wording.subject, wording.subject_said
    if said and said != template.subject_said:
        if mark(subject) == said:
            subject, said = template.subject, template.subject_said
        else:
            outdated.append(Outdated(None, "subject", template.subject))
    fresh = {passage.place: passage for passage in template.paragraphs}
    kept: list[Passage] = []
    for passage in wording.paragraphs:
        now = fresh.pop(passage.place, None) if passage.place is not None else None
        if (
            passage.place is None
            or not passage.text.strip()
            or (now is not None and now.said == passage.said)
        ):
            kept.append(passage)
        elif mark(passage.text) == passage.said:
            kept += [now] if now is not None else []
        else:
            outdated.append(Outdated(len(kept), passage.part, now.text if now is not None else ""))
            kept.append(passage)
    if wording.subject_said:
        for passage in fresh.values():  # a paragraph that applies only now
            after = [
                number for number, other in enumerate(kept) if (other.place or -1) > (passage.place or 0)
            ]
            kept.insert(after[0] if after else len(kept), passage)
    return Wording(subject, tuple(kept), said), outdated


def looked_at(wording: Wording, template: Wording, outdated: list[Outdated]) -> Wording:
    """The same words, known to whoever was told what the template says now."""
    fresh = {passage.place: passage.said for passage in template.paragraphs}
    paragraphs, said = list(wording.paragraphs), wording.subject_said
    for each in outdated:
        if each.number is None:
            said = template.subject_said
            continue
        passage = paragraphs[each.number]
        there = passage.place in fresh
        paragraphs[each.number] = passage._replace(
            place=passage.place if there else None, said=fresh.get(passage.place, "")
        )
    return replace(wording, paragraphs=tuple(paragraphs), subject_said=said)


def require_followed(outdated: list[Outdated]) -> None:
    if outdated:
        raise Refused(again(outdated[0]))


def again(passage: Outdated) -> Text:
    """Which paragraph is to be looked at again, and why."""
    name = PARTS.get(passage.part, _SUBJECT)
    which = (
        name
        if passage.number is None
        else Text(
            zh=f"第 {passage.number + 1} 段（{name.zh}）",
            en=f"paragraph {passage.number + 1} ({name.in_('en')})",
        )
    )
    return Text(
        zh=f"公文{which.zh}是人工改過的文字，它引用的金額或事實後來變動了。"
        f"範本現在是：「{passage.now or '（本段不適用）'}」。請核對後再送出。",
        en=f"In the letter, {which.in_('en')} was rewritten by hand, and the amounts or facts that it quotes have "
        f"changed since. The template now says: “{passage.now or '(does not apply)'}”. Check it, then send again.",
    )


def require_whole(wording: Wording) -> None:
    """A decision states its facts, reasons and legal basis, whatever was changed in it."""
    if wording.lacking:
        raise Refused(lacks(wording.lacking))


def lacks(parts: tuple[str, ...]) -> Text:
    names = [PARTS.get(part, _SUBJECT) for part in parts]
    return Text(
        zh=f"公文必須記載{'、'.join(name.zh for name in names)}（行政程序法第96條），不能留白。",
        en=f"A letter must state: {', '.join(name.in_('en') for name in names)} "
        "(Administrative Procedure Act, Art. 96). They cannot be empty.",
    )


def last(case: Case, kind: str) -> LetterDraft | None:
    """The newest version, unless the applicant or an inspection has said something new since."""
    newest = db.session.scalars(
        select(LetterDraft)
        .where(LetterDraft.case_id == case.id, LetterDraft.kind == kind)
        .order_by(LetterDraft.number.desc())
        .limit(1)
    ).first()
    if newest is None:
        return None
    answered = db.session.scalars(
        select(func.max(Submission.created_at)).where(
            Submission.case_id == case.id, Submission.kind.in_(("application", INSPECTION))
        )
    ).one()
    return newest if answered is None or answered <= newest.at else None


def wording_of(draft: LetterDraft | None) -> Wording | None:
    """The words of a version that somebody changed; None where the template still speaks."""
    if draft is None or not draft.edited:
        return None
    body = draft.body
    written = body.get("written") or {
        "passages": zip(body["parts"], body["paragraphs"], strict=True),
        "subject_said": "",
    }
    return Wording(
        body["subject"], tuple(Passage(*each) for each in written["passages"]), written["subject_said"]
    )


def keep(
    actor: Actor,
    case: Case,
    kind: str,
    content: Mapping[str, Any],
    now: datetime,
    *,
    wording: Wording | None,
    acting_for_id: int | None = None,
) -> None:
    """Adds a version where something changed. The case is held by whoever acts on it, so numbers do not clash.

    `wording`: what somebody wrote in place of the template; it remembers the values it was written with.
    """
    versions = of_case(case.id, kind)
    body = {name: content[name] for name in SAID}
    if wording is not None:
        passages = [list(passage) for passage in wording.paragraphs]
        body["written"] = {"passages": passages, "subject_said": wording.subject_said}
    if versions and versions[-1].body == body:
        return
    db.session.add(
        LetterDraft(
            case_id=case.id,
            kind=kind,
            number=len(versions) + 1,
            body=body,
            edited=wording is not None,
            written_by_id=actor.account_id,
            acting_for_id=acting_for_id,
            at=now,
        )
    )
    db.session.flush()


def all_of(case_id: int) -> dict[str, list[LetterDraft]]:
    """By the kind of the letter, the oldest version first."""
    found: dict[str, list[LetterDraft]] = {}
    drafts = select(LetterDraft).where(LetterDraft.case_id == case_id).order_by(LetterDraft.id)
    for draft in db.session.scalars(drafts):
        found.setdefault(draft.kind, []).append(draft)
    return found


def of_case(case_id: int, kind: str) -> list[LetterDraft]:
    """Every version, the oldest first."""
    return list(
        db.session.scalars(
            select(LetterDraft)
            .where(LetterDraft.case_id == case_id, LetterDraft.kind == kind)
            .order_by(LetterDraft.number)
        )
    )
