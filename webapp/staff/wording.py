"""The words of a letter on the page of an action: text boxes, versions with their changes, phrases to insert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.values import Text
from webapp.letters import changes
from webapp.letters.changes import Piece
from webapp.models import Case, LetterDraft, Phrase
from webapp.presentation import in_language
from webapp.services import drafting, phrases
from webapp.services.drafting import MARK, PARTS, Outdated, Passage, Wording
from webapp.staff import shown

MOST_PARAGRAPHS = 40
LONGEST_SUBJECT = 300
LONGEST_PARAGRAPH = 4000
#: an empty box for one paragraph more
_NEW = Passage("note", "")


@dataclass(frozen=True)
class Box:
    """One paragraph to write in."""

    name: str
    part: str
    label: Text
    text: str
    is_new: bool
    #: what it was written from, to come back with the page
    place: str
    said: str


@dataclass(frozen=True)
class Version:
    number: int
    at: datetime
    who: str
    acted_for: str
    #: against the version before it; the first version has none
    paragraphs: tuple[list[Piece], ...]
    is_changed: bool


def typed(posted: Mapping[str, Any]) -> Wording | None:
    """What stands in the boxes; None where they are not open."""
    values: MultiDict[str, str] = MultiDict(posted)
    if "letter-subject" not in values:
        return None
    paragraphs = []
    for number in range(MOST_PARAGRAPHS):
        part = values.get(f"letter-part-{number}")
        if part not in PARTS:
            break
        text = values.get(f"letter-text-{number}", "").replace("\r\n", "\n")
        place, said = values.get(f"letter-place-{number}", ""), values.get(f"letter-said-{number}", "")
        known = place.isascii() and place.isdigit() and len(place) < 4
        paragraphs.append(Passage(part, text, int(place) if known else None, said[:MARK]))
    while paragraphs and paragraphs[-1] == _NEW:  # the empty box
        paragraphs.pop()
    subject = values["letter-subject"].replace("\r\n", " ").replace("\n", " ")
    return Wording(subject, tuple(paragraphs), values.get("letter-subject-said", "")[:MARK])


def mistakes(wording: Wording) -> dict[str, list[str]]:
    """What the law demands is not emptied; nothing is longer than a letter bears."""
    found: dict[str, list[str]] = {}
    for part in wording.lacking:
        name = "letter-subject" if part == "subject" else _box_of(wording, part)
        found.setdefault(name, []).append(in_language(drafting.lacks((part,))))
    if len(wording.subject) > LONGEST_SUBJECT:
        found["letter-subject"] = [
            _("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_SUBJECT, now=len(wording.subject))
        ]
    for number, passage in enumerate(wording.paragraphs):
        if len(passage.text) > LONGEST_PARAGRAPH:
            found[f"letter-text-{number}"] = [
                _("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_PARAGRAPH, now=len(passage.text))
            ]
    return found


def to_look_at(outdated: Sequence[Outdated]) -> dict[str, list[str]]:
    """The passages whose amounts or facts changed after they were written, each at its box."""
    return {
        "letter-subject" if each.number is None else f"letter-text-{each.number}": [
            in_language(drafting.again(each))
        ]
        for each in outdated
    }


def _box_of(wording: Wording, part: str) -> str:
    """The box in which a part is missing; a part that has none leads to the first."""
    numbers = [number for number, passage in enumerate(wording.paragraphs) if passage.part == part]
    return f"letter-text-{numbers[0] if numbers else 0}"


def boxes(wording: Wording) -> list[Box]:
    more = [_NEW] if len(wording.paragraphs) < MOST_PARAGRAPHS else []
    return [
        Box(
            f"letter-text-{number}",
            passage.part,
            PARTS[passage.part],
            passage.text,
            number >= len(wording.paragraphs),
            "" if passage.place is None else str(passage.place),
            passage.said,
        )
        for number, passage in enumerate([*wording.paragraphs, *more])
    ]


def with_phrase(wording: Wording, text: str) -> Wording:
    """The phrase goes to the end of the reasons."""
    numbers = [number for number, passage in enumerate(wording.paragraphs) if passage.part == "reason"]
    if not numbers:
        return replace(wording, paragraphs=(*wording.paragraphs, Passage("reason", text)))
    paragraphs = list(wording.paragraphs)
    last = paragraphs[numbers[-1]]
    paragraphs[numbers[-1]] = last._replace(text=added(last.text, text))
    return replace(wording, paragraphs=tuple(paragraphs))


def added(before: str, text: str) -> str:
    return f"{before.rstrip()}\n{text}" if before.strip() else text


def offered(case: Case) -> Sequence[Phrase]:
    return phrases.of_case(case)


def versions(drafts: Sequence[LetterDraft]) -> list[Version]:
    """The newest first, each with what it changed."""
    found = []
    for before, draft in zip([None, *drafts], drafts, strict=False):
        old = _lines(before) if before is not None else None
        compared = tuple(changes.paragraphs(old, _lines(draft))) if old is not None else ()
        found.append(
            Version(
                draft.number,
                draft.at,
                shown.staff_name(draft.written_by_id),
                shown.staff_name(draft.acting_for_id),
                compared or tuple([Piece("same", line)] for line in _lines(draft)),
                any(piece.kind != "same" for line in compared for piece in line),
            )
        )
    return found[::-1]


def of_case(case: Case) -> list[tuple[str, list[Version]]]:
    """Every letter that was drafted in a case, by its kind, with its versions."""
    return [(kind, versions(drafts)) for kind, drafts in drafting.all_of(case.id).items()]


def _lines(draft: LetterDraft) -> list[str]:
    conditions = draft.body["conditions"]
    return [draft.body["subject"], *draft.body["paragraphs"], *([conditions] if conditions else [])]
