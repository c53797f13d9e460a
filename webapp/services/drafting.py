"""擬稿: the wording of a letter in versions, from the service's template to what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, LetterDraft, Submission
from webapp.permissions import Actor
from workflows.service import DECISION_PARTS

#: 行政程序法 96 I 2: what a decision must state; the order is that of a letter
PARTS: Mapping[str, Text] = {
    "fact": Text(zh="事實", en="Facts"),
    "reason": Text(zh="理由", en="Reasons"),
    "basis": Text(zh="法令依據", en="Legal basis"),
    "note": Text(zh="說明", en="Note"),
}
assert PARTS.keys() - {"note"} == DECISION_PARTS
#: what a version says; `changes` compares the first three
SAID = ("subject", "paragraphs", "conditions", "parts", "reason")


@dataclass(frozen=True)
class Wording:
    """Subject and paragraphs as somebody wrote them, each paragraph with the part of the letter that it is."""

    subject: str
    paragraphs: tuple[tuple[str, str], ...]

    @property
    def whole(self) -> Wording:
        """Without the paragraphs that were left empty."""
        kept = tuple((part, text.strip()) for part, text in self.paragraphs if text.strip())
        return Wording(self.subject.strip(), kept)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Which of the parts that the law demands are empty; `subject` is one of them."""
        there = {part for part, text in self.paragraphs if text.strip()}
        absent = tuple(part for part in PARTS if part in DECISION_PARTS and part not in there)
        return absent if self.subject.strip() else ("subject", *absent)


def require_whole(wording: Wording) -> None:
    """A decision states its facts, reasons and legal basis, whatever was changed in it."""
    if wording.lacking:
        raise Refused(lacks(wording.lacking))


def lacks(parts: tuple[str, ...]) -> Text:
    names = [PARTS.get(part, Text(zh="主旨", en="Subject")) for part in parts]
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
        select(func.max(Submission.created_at)).where(Submission.case_id == case.id)
    ).one()
    return newest if answered is None or answered <= newest.at else None


def wording_of(draft: LetterDraft | None) -> Wording | None:
    """The words of a version that somebody changed; None where the template still speaks."""
    if draft is None or not draft.edited:
        return None
    return Wording(
        draft.body["subject"], tuple(zip(draft.body["parts"], draft.body["paragraphs"], strict=True))
    )


def amended(draft: LetterDraft, wording: Wording) -> dict[str, Any]:
    """What a version says after somebody on its way changed the words; the reason of the proposal stays."""
    require_whole(wording)
    whole = wording.whole
    return {
        **draft.body,
        "subject": whole.subject,
        "paragraphs": [text for _part, text in whole.paragraphs],
        "parts": [part for part, _text in whole.paragraphs],
    }


def keep(
    actor: Actor,
    case: Case,
    kind: str,
    content: Mapping[str, Any],
    now: datetime,
    *,
    edited: bool,
    acting_for_id: int | None = None,
) -> None:
    """Adds a version where something changed. The case is held by whoever acts on it, so numbers do not clash."""
    versions = of_case(case.id, kind)
    body = {name: content[name] for name in SAID}
    if versions and versions[-1].body == body:
        return
    db.session.add(
        LetterDraft(
            case_id=case.id,
            kind=kind,
            number=len(versions) + 1,
            body=body,
            edited=edited,
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
