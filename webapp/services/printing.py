"""From a case to its PDFs: gathers plain values for webapp.letters and stores what it prints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from forms.places import with_postal_code
from rules.values import format_roc_date
from webapp import crypto
from webapp.crypto import follow_code
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.stamp import stamped
from webapp.models import Case, CommitteeSession, Document, Invoice, Letter, Submission
from webapp.models.letters import PLAIN
from webapp.moments import taipei
from webapp.payments.virtual_account import grouped
from webapp.queries import definitions, letters
from webapp.queries import papers as stored
from webapp.queries.org import UnitInfo, chart
from webapp.services import application_paper, documents, invoices, parties
from webapp.services.letter_changes import KINDS
from webapp.services.notices import CORRECTION_CLOCK

Config = Mapping[str, Any]

CHANNELS = {"web": "網路申辦", "counter": "臨櫃", "telephone": "電話", "post": "郵寄"}
SOURCES = {"webhook": "轉帳", "cashier": "臨櫃"}


def receipt(case: Case, now: datetime, config: Config) -> Document:
    """送件收據."""
    service = definitions.service(case.service_revision_id)
    applicant, agent = _names(case)
    pdf = papers.receipt(
        papers.Receipt(
            agency_name=_agency(case, config),
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
            period=application_paper.limit(service).zh,
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
            agency_name=content.get("agency", config["AGENCY_NAME"]),
            recipient=content["addressee"],
            recipient_address=with_postal_code(content["addressee_address"]),
            responsible=content.get("responsible", ""),
            agent=content.get("agent", ""),
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
            originals=(
                content["addressee"] + (f"（代理人{agent}）" if (agent := content.get("agent")) else ""),
            ),
            copies=(content["unit"],),
            head_title=content.get("head_title", config["HEAD_TITLE"]),
            head_name=content.get("head_name", config["HEAD_NAME"]),
            deputy=_signature(content),
            disposition=row.kind not in ("correction_of", *PLAIN),
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
    if content["signer"] == content.get("head_name") and not content.get("signer_for"):
        return ""  # the head of a township decides in person
    if content.get("signer_for"):
        return f"{content['signer_title']} {content['signer_for']}　{content['signer']}代理 決行"
    return f"{content['signer_title']} {content['signer']} 決行"


def application(case: Case, submission: Submission, now: datetime, config: Config) -> Document:
    """申請書: the filled application as an official form."""
    service = definitions.service(case.service_revision_id)
    form = definitions.form(submission.form_revision_id)
    applicant, agent = _names(case)
    answers = submission.all_answers
    pdf = papers.application(
        papers.ApplicationForm(
            agency_name=_agency(case, config),
            title=application_paper.title(form),
            edition=application_paper.edition(service, submission.form_revision_id),
            case_number=case.number or "",
            applicant=applicant,
            agent=agent,
            unnamed=answers.get(application_paper.UNNAMED) is True,
            filed_at=taipei(case.submitted_at),
            printed_at=taipei(now),
            channel=CHANNELS[case.channel],
            sections=application_paper.filled(form, answers),
            track_url=track_url(case, config),
            legal_basis=service.legal_basis,
            attachments=application_paper.attached(form, answers, documents.of_case(case.id)),
        )
    )
    return _keep(case, "application", f"申請書_{case.number}.pdf", pdf, now)


def payment_slip(invoice: Invoice, now: datetime, config: Config) -> Document:
    """繳費單."""
    case = db.session.get_one(Case, invoice.case_id)
    slip = invoices.gateway().slip(invoice.account, invoice.total, invoice.due_on)
    pdf = papers.payment_slip(
        papers.PaymentSlip(
            agency_name=_agency(case, config),
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
            agency_name=_agency(case, config),
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


def minutes(session: CommitteeSession, config: Config) -> None:
    """The approved minutes, kept with their session: they belong to no single case."""
    content = session.minutes or {}
    pdf = papers.minutes(
        papers.Minutes(
            agency_name=application_paper.agency(
                chart().units[session.committee.unit_id], config["AGENCY_NAME"]
            ),
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
    return parties.names_of(parties.of_case(case.id))


def _agency(case: Case, config: Config) -> str:
    """Whose paper it is."""
    return application_paper.agency(chart().units[case.owner_unit_id], config["AGENCY_NAME"])


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
    correction = CORRECTION_CLOCK[definitions.service(case.service_revision_id).correction].zh
    notes = [f"辦理期限自{format_roc_date(case.filed_on)}之次日起算。{correction}"]
    if case.intake and case.intake.get("originals_seen"):
        notes.append(f"已核驗正本：{'、'.join(case.intake['originals_seen'])}。")
    return tuple(notes)
