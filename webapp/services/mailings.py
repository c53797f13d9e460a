"""Selections of letters as one PDF with a registered-mail list: ordered on a page, printed by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from rules.values import Text
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.bundle import bundle
from webapp.models import Document, Letter, LetterBatch
from webapp.moments import taipei
from webapp.permissions import Actor
from webapp.queries import letters as found
from webapp.services import documents, effects

MOST = found.MOST_LISTED
LIST = "掛號郵件清單"


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
    rows = {
        letter.id: letter
        for letter in db.session.scalars(select(Letter).where(Letter.id.in_(batch.letter_ids)))
    }
    letters = [rows[key] for key in batch.letter_ids]
    listed = papers.mailing_list(
        papers.MailingList(
            agency_name=config["AGENCY_NAME"],
            printed_at=taipei(now),
            mailings=tuple(
                papers.Mailing(each.content["addressee"], each.content["addressee_address"], each.number)
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
