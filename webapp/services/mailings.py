"""Selections of letters as one PDF with a registered-mail list: ordered on a page, printed by the worker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from forms.field_type import folded
from forms.places import with_postal_code
from rules.values import Text
from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.bundle import bundle
from webapp.models import Case, Document, Letter, LetterBatch
from webapp.moments import taipei, taipei_day
from webapp.permissions import Actor
from webapp.queries import letters as found
from webapp.services import dispatch, documents, effects

MOST = found.MOST_LISTED
LIST = "掛號郵件清單"
REGISTERED = re.compile(r"[0-9A-Z]{6,20}")


def order(actor: Actor, public_ids: Sequence[str], now: datetime) -> LetterBatch:
    """Every chosen letter is one that the actor sees and whose paper is there."""
    chosen = [found.visible(actor, public_id)[0] for public_id in dict.fromkeys(public_ids)]
    if not chosen or len(chosen) > MOST:
        raise Refused(
            Text(zh=f"請勾選要列印的公文，一次最多 {MOST} 件。", en=f"Choose the letters, at most {MOST}.")
        )
    waiting = [letter.number for letter in chosen if letter.document_id is None]
    if waiting:
        raise Refused(
            Text(
                zh=f"這些公文的 PDF 還沒有製作完成：{'、'.join(waiting)}。",
                en=f"The PDF of these letters is not ready yet: {', '.join(waiting)}.",
            )
        )
    ordered = sorted(chosen, key=lambda letter: (letter.issued_on, letter.id))
    batch = LetterBatch(
        letter_ids=[letter.id for letter in ordered], ordered_by_id=actor.account_id, ordered_at=now
    )
    db.session.add(batch)
    db.session.flush()
    effects.enqueue(effects.effect("letter_batch", batch.public_id, now, batch_id=batch.id))
    return batch


def hand_over(
    actor: Actor, batch: LetterBatch, day: date | None, numbers: Mapping[str, str], now: datetime
) -> int:
    """登記交寄 of a batch, with the 掛號號碼 that are known by then. How many letters that concerned."""
    letters = letters_of(batch)
    if day is None or not max(each.issued_on for each in letters) <= day <= taipei_day(now):
        raise Misfit(
            "date",
            Text(
                zh="交寄日期必須是真實存在的日期，在發文日到今天之間。",
                en="Give a day that exists, between the day of the letters and today.",
            ),
        )
    given = {pid: re.sub(r"[\s-]", "", folded(number)).upper() for pid, number in numbers.items()}
    for each in letters:
        number = given.get(each.public_id, "")
        if number and not REGISTERED.fullmatch(number):
            wrong = Text(
                zh=f"{each.number}的掛號號碼是 6 到 20 個英文字母或數字。",
                en=f"The registered number of {each.number} has 6 to 20 letters and digits.",
            )
        elif number and list(given.values()).count(number) > 1:
            wrong = Text(
                zh=f"掛號號碼 {number} 填了不只一次。", en=f"Number {number} is there more than once."
            )
        else:
            continue
        raise Misfit(f"number-{each.public_id}", wrong)
    changed = 0
    # the cases in one order: two people who post the same letters wait for each other, not both for ever
    for each in sorted(letters, key=lambda letter: letter.case_id):
        case = db.session.get_one(Case, each.case_id)
        changed += dispatch.post(actor, each, case, day, given.get(each.public_id, ""), now)
    if not changed:
        raise Conflict(
            Text(
                zh="這些公文先前都已登記交寄，沒有新的資料。",
                en="These letters were posted before; there is nothing new.",
            )
        )
    return changed


def letters_of(batch: LetterBatch) -> list[Letter]:
    """In the order of the list."""
    found_rows = db.session.scalars(select(Letter).where(Letter.id.in_(batch.letter_ids)))
    rows = {letter.id: letter for letter in found_rows}
    return [rows[key] for key in batch.letter_ids]


def visible(actor: Actor, public_id: str) -> LetterBatch:
    """Whoever ordered it prints it: another selection is another order."""
    batch = db.session.scalars(
        select(LetterBatch).where(
            LetterBatch.public_id == public_id, LetterBatch.ordered_by_id == actor.account_id
        )
    ).one_or_none()
    if batch is None:
        raise NotFound()
    return batch


def paper(batch: LetterBatch) -> Document | None:
    return db.session.get(Document, batch.document_id) if batch.document_id is not None else None


def print_batch(batch: LetterBatch, now: datetime, config: Mapping[str, Any]) -> Document:
    """The list first, then the letters as they were sent, in its order."""
    letters = letters_of(batch)
    listed = papers.mailing_list(
        papers.MailingList(
            agency_name=sender(letters, config["AGENCY_NAME"]),
            printed_at=taipei(now),
            mailings=tuple(
                papers.Mailing(
                    each.recipient,
                    with_postal_code(each.content["addressee_address"]),
                    each.number,
                    each.registered_number or "",
                )
                for each in letters
            ),
        )
    )
    parts = [
        (each.number, documents.content_of(db.session.get_one(Document, each.document_id)))
        for each in letters
    ]
    document = documents.store(
        f"{LIST}_{taipei(now):%Y%m%d}.pdf",
        "application/pdf",
        bundle([(LIST, listed), *parts]),
        now,
        kind="letter_batch",
        draft_key=f"batch-{batch.id}",
    )
    batch.document_id = document.id
    return document


def sender(letters: Sequence[Letter], county: str) -> str:
    """A township posts its own letters in its own name; what comes from several goes out in the county's."""
    agencies = {each.content.get("agency", county) for each in letters}
    return agencies.pop() if len(agencies) == 1 else county
