"""The PDF of each document of a case, and of the list of letters to post. Pure functions of `contents`."""

from dataclasses import replace
from typing import Any

from webapp.letters import seal
from webapp.letters.contents import (
    ApplicationForm,
    Attachment,
    Choice,
    Contact,
    Decision,
    Fee,
    Grid,
    Mailing,
    MailingList,
    Minutes,
    MinutesItem,
    PaymentReceipt,
    PaymentSlip,
    Performance,
    PlanTable,
    Receipt,
    ReviewPack,
    Row,
    Section,
)
from webapp.letters.form_layout import blocks
from webapp.letters.geta import printable
from webapp.letters.pdf import render
from webapp.letters.qr import qr_png
from webapp.letters.score_layout import spans
from webapp.letters.wording import dollars, environment, whole_dollars

__all__ = [
    "ApplicationForm",
    "Attachment",
    "Choice",
    "Contact",
    "Decision",
    "Fee",
    "Grid",
    "Mailing",
    "MailingList",
    "Minutes",
    "MinutesItem",
    "PaymentReceipt",
    "PaymentSlip",
    "Performance",
    "Receipt",
    "Row",
    "Section",
    "application",
    "decision",
    "minutes",
    "payment_receipt",
    "payment_slip",
    "performance",
    "receipt",
]


def receipt(document: Receipt) -> bytes:
    """送件收據. Characters that no typeface has print as in an application."""
    document, unprintable = printable(document)
    amounts = [whole_dollars(fee.amount) for fee in document.fees]
    total = dollars(str(sum(amount or 0 for amount in amounts)))
    if None in amounts:
        total = f"{total}，另加待通知的項目" if any(amounts) else "待審查後確定"
    return _pdf(
        "receipt.html", document, fee_total=total, qr=qr_png(document.track_url), unprintable=unprintable
    )


def decision(document: Decision) -> bytes:
    """函 or 處分書. A name prints with 〓 for what no typeface has; any other such character is refused."""
    names = ("recipient", "responsible", "agent", "recipient_address", "originals")
    printed, unprintable = printable(tuple(getattr(document, name) for name in names))
    document = replace(document, **dict(zip(names, printed, strict=True)))
    stamp = seal.seal_png(f"{document.agency_name}印")
    return _pdf(
        "decision.html", document, qr=qr_png(document.verify_url), seal=stamp, unprintable=unprintable
    )


def application(document: ApplicationForm) -> bytes:
    """申請書, blank or filled. What no typeface has (an emoji in a remark) prints as 〓 and is named in a note."""
    document, unprintable = printable(document)
    return _pdf(
        "application.html",
        document,
        sections=[(section, list(blocks(section))) for section in document.sections],
        qr=qr_png(document.track_url) if document.track_url else b"",
        unprintable=unprintable,
    )


def payment_slip(document: PaymentSlip) -> bytes:
    """繳費單."""
    document, unprintable = printable(document)
    return _pdf("payment_slip.html", document, qr=qr_png(document.track_url), unprintable=unprintable)


def payment_receipt(document: PaymentReceipt) -> bytes:
    """規費收據, with the agency's seal."""
    document, unprintable = printable(document)
    stamp = seal.seal_png(f"{document.agency_name}印")
    return _pdf("payment_receipt.html", document, seal=stamp, unprintable=unprintable)


def minutes(document: Minutes) -> bytes:
    """會議紀錄. Characters that no typeface has print as in an application."""
    document, unprintable = printable(document)
    return _pdf("minutes.html", document, unprintable=unprintable)


def mailing_list(document: MailingList) -> bytes:
    """掛號郵件清單, to go with the letters to the post office."""
    document, unprintable = printable(document)
    return _pdf("mailing_list.html", document, unprintable=unprintable)


def plan_table(document: PlanTable) -> bytes:
    """A list of plan control, such as 附件一."""
    document, unprintable = printable(document)
    return _pdf("plan_table.html", document, unprintable=unprintable)


def review_pack(document: ReviewPack) -> bytes:
    """季檢討會資料 of a register for a quarter."""
    document, unprintable = printable(document)
    return _pdf("review_pack.html", document, unprintable=unprintable)


def performance(document: Performance) -> bytes:
    """施政績效報告: the table with its row spans, the totals, the budget and staff tables, and the notes."""
    document, unprintable = printable(document)
    groups = [(group, list(spans(group))) for group in document.groups]
    return _pdf("performance.html", document, groups=groups, unprintable=unprintable)


_templates = environment()


def _pdf(template: str, document: Any, **more: Any) -> bytes:
    return render(_templates.get_template(template).render(doc=document, **more))
