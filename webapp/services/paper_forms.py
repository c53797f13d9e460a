"""Forms printed before anything is filed: the blank one of a service, kept for everybody, and an applicant's draft.

Printed by the worker, in one order a form: whoever asks meanwhile waits for the same paper. A digest of what stands in
it tells whether a paper that is there is still the right one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from sqlalchemy import delete, select

from rules.values import Text
from webapp.crypto import keyed_hash
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.models import BlankForm, Document, Draft
from webapp.moments import taipei, taipei_day
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import application_paper, applications, documents, drafts, effects, parties

Config = Mapping[str, Any]

FAILED = Text(
    zh="這份 PDF 沒有製作成功，機關看得到這個狀況並會處理。您仍然可以線上申請，或向承辦單位索取紙本。",
    en="This PDF could not be made; the office can see this and will handle it. You can still apply online, or ask "
    "the office for the form on paper.",
)


# --- blank -----------------------------------------------------------------------------------------------


def blank(code: str, lang: str, now: datetime, config: Config) -> tuple[str, bytes] | None:
    """Name and content of the blank form of a service as it is asked today; None while it is being printed."""
    paper = _blank(code, lang, now, config)
    digest = _digest(paper)
    kept = db.session.get(BlankForm, (code, lang))
    if kept is not None and kept.digest == digest:
        return f"{paper.title}_空白_{code}.pdf", kept.pdf
    effects.order("blank_form", f"{code}:{lang}", digest, now, FAILED, code=code, lang=lang)
    return None


def print_blank(code: str, lang: str, now: datetime, config: Config) -> None:
    paper = _blank(code, lang, now, config)
    pdf = papers.application(paper)
    db.session.merge(
        BlankForm(
            service_code=code,
            language=lang,
            digest=_digest(paper),
            pages=len(PdfReader(BytesIO(pdf)).pages),
            pdf=pdf,
            printed_at=now,
        )
    )
    db.session.flush()


def _blank(code: str, lang: str, now: datetime, config: Config) -> papers.ApplicationForm:
    today = taipei_day(now)
    service = definitions.current_service(code, today)
    return application_paper.blank(
        service,
        definitions.revision_id("form", service.form, today),
        chart().by_code[service.owner],
        lang,
        county=config["AGENCY_NAME"],
        url=f"{config['BASE_URL']}/services/{code}",
    )


# --- draft -----------------------------------------------------------------------------------------------


def draft(draft: Draft, now: datetime, config: Config) -> Document | None:
    """The draft on paper, with what was answered so far; None while it is being printed."""
    digest = _digest(_draft(draft, now, config))
    kept = db.session.scalars(
        select(Document).where(
            Document.draft_key == draft.public_id, Document.kind == "draft_form", Document.field_key == digest
        )
    ).first()
    if kept is None:
        effects.order("draft_form", draft.public_id, digest, now, FAILED, draft=draft.public_id)
    return kept


def print_draft(key: str, now: datetime, config: Config) -> None:
    """One that was sent or discarded meanwhile is not printed."""
    draft = db.session.scalars(select(Draft).where(Draft.public_id == key)).one_or_none()
    if draft is None:
        return
    paper = _draft(draft, now, config)
    pdf = papers.application(application_paper.printed(paper, taipei(now)))
    try:
        drafts.lock(draft)
    except NotFound:
        return
    db.session.execute(delete(Document).where(Document.draft_key == key, Document.kind == "draft_form"))
    documents.store(
        f"草稿_{paper.title}.pdf",
        "application/pdf",
        pdf,
        now,
        kind="draft_form",
        draft_key=key,
        field_key=_digest(paper),
    )


def _draft(draft: Draft, now: datetime, config: Config) -> papers.ApplicationForm:
    service = definitions.current_service(draft.service_code, taipei_day(now))
    form = definitions.form(draft.form_revision_id)
    checked = applications.check(draft, now, "zh")
    answers = checked.answers
    applicant, agent = parties.names_of(parties.from_answers(0, form, answers))
    uploads = [document for found in documents.of_draft(draft.public_id).values() for document in found]
    return papers.ApplicationForm(
        agency_name=application_paper.agency(chart().by_code[service.owner], config["AGENCY_NAME"]),
        title=application_paper.title(form),
        edition=application_paper.edition(service, draft.form_revision_id),
        applicant=applicant,
        agent=agent,
        unnamed=answers.get(application_paper.UNNAMED) is True,
        sections=application_paper.filled(form, answers, checked.form),
        legal_basis=service.legal_basis,
        attachments=application_paper.attached(form, answers, uploads),
    )


# --- how it looks ----------------------------------------------------------------------------------------------


def _digest(paper: papers.ApplicationForm) -> str:
    """Of what stands in it and how it is laid out. Keyed, as the answers of a draft are personal."""
    return keyed_hash(f"{_layout()}{paper!r}", "paper form")


@cache
def _layout() -> str:
    """A release that draws forms in another way prints them anew."""
    root = Path(papers.__file__).parent
    drawn = [root / "form_layout.py", *sorted((root / "templates").glob("*.html"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in drawn)).hexdigest()
