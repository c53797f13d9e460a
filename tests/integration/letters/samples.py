"""Documents to print, and how to read what was printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from random import Random

import pypdf

from webapp.letters import fonts
from webapp.letters.contents import (
    ApplicationForm,
    Attachment,
    Choice,
    Contact,
    Decision,
    Fee,
    Grid,
    Receipt,
    Row,
    Section,
)
from webapp.letters.wording import TAIPEI

CONTACT = Contact("建設處農林科", "林小姐", "(082) 318-823", "farm@county.example", "金門縣金城鎮民生路60號")
FILED = datetime(2026, 11, 22, 14, 5, tzinfo=TAIPEI)
PRINTED = datetime(2026, 11, 22, 14, 6, tzinfo=TAIPEI)

RECEIPT = Receipt(
    agency_name="金門縣政府",
    case_number="EC06-115-000123",
    service_title="農業用地作農業使用證明書",
    applicant="王𡍼堃",
    received_at=FILED,
    printed_at=PRINTED,
    channel="網路申辦",
    handling_unit="建設處農林科",
    contact=CONTACT,
    track_url="https://counter.example/track?number=EC06-115-000123",
    track_code="7KQ2-M9XD",
    period="20 個工作天",
    due_on=date(2026, 12, 21),
    attachments=(Attachment("土地登記謄本", "謄本.pdf"), Attachment("委託書", note="本人申請免附")),
    fees=(Fee("證明書規費", "500"), Fee("增加土地 2 筆", "600.00"), Fee("郵資", "另行通知")),
    notes=("本收據為受理申請之證明。", "處理期限自送件之次日起算。"),
)

APPLICATION = ApplicationForm(
    agency_name="金門縣政府",
    title="農業用地作農業使用證明書申請書",
    edition="EC06　表單 farm_use_certificate 第 2 版",
    case_number="EC06-115-000123",
    applicant="王𡍼堃",
    filed_at=FILED,
    printed_at=PRINTED,
    channel="網路申辦",
    sections=(
        Section(
            "申請人資料",
            (
                Row("姓名", "王𡍼堃"),
                Row("身分證統一編號", "W123456789", frames=10),
                Row("送件人", choices=(Choice("本人", True), Choice("代理人", False))),
                Row("電話", "0912-345-678"),
                Row("電子郵件", "wang.zhekun.long-mailbox@mail.k12.example.gov.tw"),
            ),
        ),
        Section(
            "土地資料",
            (
                Grid(
                    "土地清冊",
                    ("地段", "地號"),
                    (("金湖鎮料羅段", "0123-0000"), ("金湖鎮料羅段", "0124-0001")),
                ),
                Row("現況作物", "高粱"),
                Row("設施"),
                Row("聲明", choices=(Choice("以上所填均屬實。", True),), statement=True),
            ),
        ),
    ),
    track_url="https://counter.example/track?number=EC06-115-000123",
    legal_basis="農業用地作農業使用認定及核發證明辦法第13條",
    attachments=RECEIPT.attachments,
)

DECISION = Decision(
    agency_name="金門縣政府",
    recipient="王𡍼堃 君",
    recipient_address="金門縣金城鎮北門里民族路1號之3",
    issued_on=date(2026, 12, 18),
    doc_number="府建農字第1150000123號",
    subject="臺端申請農業用地作農業使用證明書一案，准予核發。",
    points=(
        "復臺端115年11月22日申請書。",
        "本府於115年12月8日現場勘查，現況種植高粱。",
        "依農業用地作農業使用認定及核發證明辦法第13條規定辦理。",
    ),
    conditions=("土地如有變更使用，本府得廢止本處分。",),
    remedy="如不服本處分，得自送達之次日起30日內，經由本府向行政院農業部提起訴願。",
    case_number="EC06-115-000123",
    service_title="農業用地作農業使用證明書",
    contact=CONTACT,
    verify_url="https://counter.example/verify/8Q2M77XDK3",
    fingerprint="9f2c41d70b8e55aa",
    originals=("王𡍼堃 君",),
    copies=("金湖鎮公所", "地政局"),
    head_title="縣長",
    head_name="陳大文",
)


def page(body: str, *, size: int = 11, align: str = "left", indent: str = "0", style: str = "") -> str:
    """A whole document around some markup."""
    return f"""<html lang="zh-Hant-TW"><head><style>
        @page {{ size: a4; margin: 20mm; }}
        html, title, body, p, td, th, div, b {{ font-family: {fonts.FAMILIES}; -pdf-word-wrap: CJK; }}
        body {{ font-size: {size}pt; line-height: 1.5; }}
        p {{ text-align: {align}; text-indent: {indent}; }} tr {{ border: none; }} {style}
        </style></head><body>{body}</body></html>"""


def pages(pdf: bytes) -> list[str]:
    return [sheet.extract_text() for sheet in pypdf.PdfReader(BytesIO(pdf)).pages]


def copied(pdf: bytes) -> str:
    """All that one copies from a document, without white space, which layout adds and removes."""
    return re.sub(r"\s", "", "".join(pages(pdf)))


def _copied_by_poppler(pdf: bytes) -> str:
    found = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return re.sub(r"\s", "", found.stdout.decode())


#: Every reader at hand: what one of them copies the other must copy as well.
READERS: dict[str, Callable[[bytes], str]] = {"pypdf": copied}
if shutil.which("pdftotext"):
    READERS["poppler"] = _copied_by_poppler

_HAN = "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子"
_OTHERS = [
    "EC06-115-000123",
    "NT$1,234,567",
    "wang.zhekun.long-mailbox@mail.k12.example.gov.tw",
    "https://counter.example/a/b/c/d/e/f/g/h/i/j",
    "12%",
    " some English words ",
    "王𡍼堃",
]
_MARKS = [*"，。、；：！？％", "……", "——", "」，「", "）（", "》《"]


def chinese(random: Random, length: int) -> str:
    """A paragraph that means nothing but has the marks, numbers and names of an official one."""
    written = "「"
    while len(written) < length:
        if random.random() < 0.85:
            written += "".join(random.choices(_HAN, k=random.randint(2, 20)))
        else:
            written += random.choice(_OTHERS)
        written += random.choice(_MARKS)
    return written + "完。"
