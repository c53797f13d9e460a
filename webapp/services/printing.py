"""From a case to its PDFs: gathers plain values for webapp.letters and stores what it prints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import forms.answers
from forms.answers import SummaryRow
from forms.field_types import totals_of
from forms.model import Field
from forms.places import with_postal_code
from rules.values import format_roc_date
from webapp import crypto
from webapp.crypto import follow_code
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.stamp import stamped
from webapp.models import Case, CommitteeSession, Document, Invoice, Letter, Submission
from webapp.moments import taipei
from webapp.payments.virtual_account import grouped
from webapp.queries import definitions, letters
from webapp.queries import papers as stored
from webapp.queries.org import UnitInfo, chart
from webapp.services import documents, invoices, parties
from webapp.services.letter_changes import KINDS

Config = Mapping[str, Any]

CHANNELS = {"web": "網路申辦", "counter": "臨櫃", "telephone": "電話", "post": "郵寄"}
SOURCES = {"webhook": "轉帳", "cashier": "臨櫃"}
DAY_UNITS = {"WD": "個工作天", "CD": "日", "CD-shift": "日", "M-shift": "個月", "HOUR": "小時"}


#: types whose characters stand in frames of their own
FRAMED = frozenset({"national_id", "company_number", "nid_or_company"})


def receipt(case: Case, now: datetime, config: Config) -> Document:
    """送件收據."""
    service = definitions.service(case.service_revision_id)
    applicant, agent = _names(case)
    pdf = papers.receipt(
        papers.Receipt(
            agency_name=config["AGENCY_NAME"],
            case_number=case.number or "",
            service_title=service.title.zh,
            applicant=applicant,
            agent=agent,
            received_at=taipei(case.submitted_at),
            printed_at=taipei(now),
            channel=CHANNELS[case.channel],
            handling_unit=_handling(case).zh,
            contact=_contact(case),
            track_url=track_url(case, config),
            track_code=follow_code(case.public_id),
            period=f"{service.period.period} {DAY_UNITS.get(service.period.kind, '')}",
            due_on=case.due_on,
            attachments=_attachments(case),
            fees=tuple(papers.Fee(line["zh"], line["amount"] or "審查後另行通知") for line in case.fee_lines),
            notes=_receipt_notes(case),
        )
    )
    return _keep(case, "receipt", f"送件收據_{case.number}.pdf", pdf, now)


def letter(row: Letter, now: datetime, config: Config) -> Document:
    """The decision letter, from the content that was frozen when it was issued."""
    case = db.session.get_one(Case, row.case_id)
    service, content = definitions.service(case.service_revision_id), row.content
    pdf = papers.decision(
        papers.Decision(
            agency_name=config["AGENCY_NAME"],
            recipient=content["addressee"],
            recipient_address=with_postal_code(content["addressee_address"]),
            issued_on=row.issued_on,
            doc_number=row.number,
            title=content.get("title") or "函",
            subject=content["subject"],
            points=tuple(content["paragraphs"]),
            conditions=tuple(line for line in content["conditions"].splitlines() if line.strip()),
            remedy=content["remedy"],
            remedy_title=content.get("remedy_title", "救濟教示"),
            case_number=case.number or "",
            service_title=service.title.zh,
            contact=papers.Contact(**content["office"]) if "office" in content else _contact(case),
            verify_url=verify_url(row, config),
            fingerprint=fingerprint(row),
            originals=(content["addressee"],),
            copies=(content["unit"],),
            head_title=content.get("head_title", config["HEAD_TITLE"]),
            head_name=content.get("head_name", config["HEAD_NAME"]),
            deputy=_signature(content),
            disposition=row.kind != "correction_of",
        )
    )
    document = _keep(case, "letter", f"{row.number}.pdf", pdf, now)
    row.document_id = document.id
    return document


def handed_out(document: Document) -> bytes:
    """What whoever downloads a paper gets: a letter that was changed since is a copy that says so."""
    content, found = documents.content_of(document), stored.letter_of(document)
    changes = letters.changes_of(found[0]) if found is not None else ()
    if not changes:
        return content
    return stamped(
        content,
        [
            f"本函已{KINDS[each.kind].verb.zh}：{format_roc_date(each.issued_on)} {each.number}"
            for each in changes
        ],
    )


def _signature(content: Mapping[str, Any]) -> str:
    """Who decided in the head's place; a deputy signs under the position of the person they stand in for."""
    if content.get("signer_for"):
        return f"{content['signer_title']} {content['signer_for']}　{content['signer']}代理 決行"
    return f"{content['signer_title']} {content['signer']} 決行"


def application(case: Case, submission: Submission, now: datetime, config: Config) -> Document:
    """申請書: the filled application as an official form."""
    service = definitions.service(case.service_revision_id)
    form = definitions.form(submission.form_revision_id)
    applicant, agent = _names(case)
    answers = submission.all_answers
    sections = tuple(
        papers.Section(
            part.section.title.zh,
            tuple(_row(row, answers.get(row.field.key)) for row in part.rows if row.field.type != "file"),
        )
        for part in forms.answers.summary(form, answers, "zh")
    )
    pdf = papers.application(
        papers.ApplicationForm(
            agency_name=config["AGENCY_NAME"],
            title=f"{service.title.zh}申請書",
            case_number=case.number or "",
            applicant=applicant,
            agent=agent,
            filed_at=taipei(case.submitted_at),
            printed_at=taipei(now),
            channel=CHANNELS[case.channel],
            sections=tuple(section for section in sections if section.rows),
            track_url=track_url(case, config),
            legal_basis=service.legal_basis,
            attachments=_attachments(case),
        )
    )
    return _keep(case, "application", f"申請書_{case.number}.pdf", pdf, now)


def payment_slip(invoice: Invoice, now: datetime, config: Config) -> Document:
    """繳費單."""
    case = db.session.get_one(Case, invoice.case_id)
    slip = invoices.gateway().slip(invoice.account, invoice.total, invoice.due_on)
    pdf = papers.payment_slip(
        papers.PaymentSlip(
            agency_name=config["AGENCY_NAME"],
            case_number=case.number or "",
            service_title=definitions.service(case.service_revision_id).title.zh,
            applicant=_names(case)[0],
            fees=_fees(invoice),
            total=_dollars(invoice.total),
            fields=tuple((label.zh, value) for label, value in slip.fields),
            due_on=invoice.due_on,
            steps=tuple(step.zh for step in slip.steps),
            contact=_contact(case),
            track_url=track_url(case, config),
            printed_at=taipei(now),
        )
    )
    return _keep(case, "payment_slip", f"繳費單_{case.number}.pdf", pdf, now)


def payment_receipt(invoice: Invoice, now: datetime, config: Config) -> Document:
    """規費收據, as soon as the fee is covered."""
    case = db.session.get_one(Case, invoice.case_id)
    pdf = papers.payment_receipt(
        papers.PaymentReceipt(
            agency_name=config["AGENCY_NAME"],
            case_number=case.number or "",
            service_title=definitions.service(case.service_revision_id).title.zh,
            payer=_names(case)[0],
            fees=_fees(invoice),
            total=_dollars(invoice.total),
            payments=tuple(
                (taipei(paid.paid_at), SOURCES[paid.source], paid.reference, _dollars(paid.amount))
                for paid in invoice.standing
            ),
            account=grouped(invoice.account),
            contact=_contact(case),
            track_url=track_url(case, config),
            printed_at=taipei(now),
        )
    )
    return _keep(case, "payment_receipt", f"規費收據_{case.number}.pdf", pdf, now)


def _fees(invoice: Invoice) -> tuple[papers.Fee, ...]:
    return tuple(papers.Fee(line["zh"], _dollars(Decimal(line["amount"]))) for line in invoice.lines)


def _dollars(amount: Decimal) -> str:
    """As letters read an amount: whole dollars where it is whole."""
    return f"{amount:.0f}" if amount == amount.to_integral_value() else f"{amount:.2f}"


def _row(row: SummaryRow, value: Any) -> papers.Row | papers.Grid:
    """A question as paper asks it: boxes to tick, a table, or a frame for every character of a number."""
    field = row.field
    options = field.kind.choices(field)
    if options and field.type != "township" and not field.options_from:
        given = ("yes" if value else "no") if isinstance(value, bool) else value
        chosen = set(given if isinstance(given, list) else [given])
        ticks = tuple(papers.Choice(label.zh, option in chosen) for option, label in options.items())
        return papers.Row(row.label, choices=ticks)
    if field.columns and value:
        cells = tuple(
            tuple(forms.answers.display(column, line.get(column.key)) for column in field.columns)
            for line in value
        ) + _sums(field, value)
        return papers.Grid(row.label, tuple(column.label.zh for column in field.columns), cells)
    return papers.Row(row.label, row.text, framed=field.type in FRAMED and len(row.text) <= 10)


def _sums(field: Field, lines: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """The last line of a table that asks for totals; the word stands in the first column without a sum."""
    totals = totals_of(field, lines, "zh")
    if not totals:
        return ()
    texts = [totals.get(column.key, "") for column in field.columns]
    if "" in texts:
        texts[texts.index("")] = "合計"
    return (tuple(texts),)


def minutes(session: CommitteeSession, config: Config) -> None:
    """The approved minutes, kept with their session: they belong to no single case."""
    content = session.minutes or {}
    pdf = papers.minutes(
        papers.Minutes(
            agency_name=config["AGENCY_NAME"],
            committee=content["committee"],
            unit=content["unit"],
            when=content["when"],
            place=content["place"],
            members=tuple(content["members"]),
            advisers=tuple(content.get("advisers", ())),
            secretary=content["secretary"],
            approver=chart().names.get(session.approved_by_id or 0, ""),
            approved_on=taipei(session.approved_at).date(),
            items=tuple(
                papers.MinutesItem(**{**item, "away": tuple(item["away"])}) for item in content["items"]
            ),
            budget=content["budget"],
        )
    )
    session.pdf = crypto.seal(pdf)


def track_url(case: Case, config: Config) -> str:
    return f"{config['BASE_URL']}/track?number={case.number}"


def verify_url(row: Letter, config: Config) -> str:
    """The page that says whether this letter was issued; the letter's QR code holds its number and code."""
    return f"{config['BASE_URL']}/verify?{urlencode({'number': row.number, 'code': fingerprint(row)})}"


def fingerprint(row: Letter) -> str:
    """A short digest of the content as sent, printed on the letter and shown on the pages of its case."""
    canonical = json.dumps([row.number, row.content], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _keep(case: Case, kind: str, filename: str, pdf: bytes, now: datetime) -> Document:
    return documents.store(filename, "application/pdf", pdf, now, kind=kind, case_id=case.id)


def _names(case: Case) -> tuple[str, str]:
    people = parties.of_case(case.id)
    applicant = next((p.name for p in people if p.role != "representative"), "")
    return applicant, next((p.name for p in people if p.role == "representative"), "")


def _handling(case: Case) -> UnitInfo:
    return chart().units[case.handling_unit_id]


def _contact(case: Case) -> papers.Contact:
    unit = _handling(case)
    return papers.Contact(unit=unit.zh, phone=unit.phone, address=unit.address)


def _attachments(case: Case) -> tuple[papers.Attachment, ...]:
    form = definitions.form(case.form_revision_id)
    labels = {field.key: field.label.zh for field in form.file_fields}
    return tuple(
        papers.Attachment(labels[document.field_key], document.filename)
        for document in documents.of_case(case.id)
        if document.kind == "upload" and document.field_key in labels
    )


def _receipt_notes(case: Case) -> tuple[str, ...]:
    notes = [f"辦理期限自{format_roc_date(case.filed_on)}之次日起算；補正期間不計入。"]
    if case.intake and case.intake.get("originals_seen"):
        notes.append(f"已核驗正本：{'、'.join(case.intake['originals_seen'])}。")
    return tuple(notes)
