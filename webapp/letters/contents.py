"""What stands in the three documents of a case, as plain values: no database, no request, no clock."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Contact:
    """Whom to ask. What is empty is not printed."""

    unit: str
    officer: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""


@dataclass(frozen=True)
class Fee:
    """One line of a fee; amount in whole New Taiwan dollars ("500") or words (免費, 另行通知)."""

    label: str
    amount: str
    note: str = ""


@dataclass(frozen=True)
class Attachment:
    """A document that was asked for; without a filename it was not handed in."""

    label: str
    filename: str = ""
    note: str = ""
    small: str = ""


# --- 送件收據 --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receipt:
    """The proof that an application was received, and how to follow it."""

    agency_name: str
    case_number: str
    service_title: str
    applicant: str
    received_at: datetime
    printed_at: datetime
    channel: str
    handling_unit: str
    contact: Contact
    track_url: str
    track_code: str = ""
    period: str = ""
    due_on: date | None = None
    agent: str = ""
    attachments: tuple[Attachment, ...] = ()
    fees: tuple[Fee, ...] = ()
    notes: tuple[str, ...] = ()


# --- 繳費單、繳費收據 ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaymentSlip:
    """How a fee is paid: amount, account number, last day."""

    agency_name: str
    case_number: str
    service_title: str
    applicant: str
    fees: tuple[Fee, ...]
    total: str
    #: name and value of what is typed at the machine
    fields: tuple[tuple[str, str], ...]
    due_on: date
    steps: tuple[str, ...]
    contact: Contact
    track_url: str
    printed_at: datetime


@dataclass(frozen=True)
class PaymentReceipt:
    """規費收據: what was paid, when and how; each payment one line."""

    agency_name: str
    case_number: str
    service_title: str
    payer: str
    fees: tuple[Fee, ...]
    total: str
    payments: tuple[tuple[datetime, str, str, str], ...]
    account: str
    contact: Contact
    track_url: str
    printed_at: datetime


# --- 函、處分書 ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """An official letter. As an administrative disposition it must state what 行政程序法 96 lists.

    The points are facts, reasons and legal basis, each one paragraph. `head_name` is empty on automatic mass
    decisions, which bear the seal alone (96 I 4); `deputy` is who decided in the head's place, as it is to be printed
    (建設處處長 李四 決行). `fingerprint` is a digest of what was decided, to compare with the page of `verify_url`.
    """

    agency_name: str
    recipient: str
    issued_on: date
    doc_number: str
    subject: str
    points: tuple[str, ...]
    case_number: str
    service_title: str
    contact: Contact
    verify_url: str
    fingerprint: str
    title: str = "函"
    #: where it is served: the agent's address, if there is one
    recipient_address: str = ""
    #: who stands for a company, and who acts for the recipient
    responsible: str = ""
    agent: str = ""
    speed: str = "普通件"
    confidentiality: str = ""
    enclosures: str = ""
    conditions: tuple[str, ...] = ()
    remedy: str = ""
    remedy_title: str = "救濟教示"
    originals: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    head_title: str = ""
    head_name: str = ""
    deputy: str = ""
    disposition: bool = True

    def __post_init__(self) -> None:
        demanded = {
            "處分相對人": self.recipient,
            "主旨": self.subject,
            "事實、理由及法令依據": all(point.strip() for point in self.points) and self.points,
            "處分機關": self.agency_name,
            "發文字號": self.doc_number,
        }
        if self.disposition:
            demanded["救濟教示"] = self.remedy
        if absent := [name for name, value in demanded.items() if not value]:
            raise ValueError(f"letter without {'、'.join(absent)} (行政程序法 96)")


# --- 申請書 ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One box of a question, ticked or not."""

    label: str
    chosen: bool
    small: str = ""


@dataclass(frozen=True)
class Row:
    """One question: with its answer in words or boxes to tick, or with the room for one.

    `small` is the English beside a Chinese label, where the form was asked for in English.
    """

    label: str
    value: str = ""
    choices: tuple[Choice, ...] = ()
    #: how many frames for single characters
    frames: int = 0
    small: str = ""
    #: when and how it is answered
    notes: tuple[str, ...] = ()
    #: how many lines to write on, where it is more than one
    lines: int = 1
    #: needs a line of its own
    wide: bool = False
    #: what is agreed to or signed: the label is the text, without a cell of its own
    statement: bool = False


@dataclass(frozen=True)
class Grid:
    """A question answered by a table; under a column may stand its English."""

    label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    small: str = ""
    notes: tuple[str, ...] = ()
    small_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heading:
    """What holds for the questions that follow: when they are answered, and how many they are."""

    label: str
    small: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the form."""

    title: str
    rows: tuple[Row | Grid | Heading, ...]
    small: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApplicationForm:
    """An application on paper: blank, filled in a draft, or as it was filed."""

    agency_name: str
    title: str
    #: service, form and the version of both
    edition: str
    sections: tuple[Section, ...]
    small: str = ""
    #: empty until it is filed
    case_number: str = ""
    filed_at: datetime | None = None
    printed_at: datetime | None = None
    channel: str = ""
    track_url: str = ""
    blank: bool = False
    applicant: str = ""
    agent: str = ""
    #: whoever stays unnamed signs nothing
    unnamed: bool = False
    #: of a blank form
    may_be_unnamed: bool = False
    #: somebody may file it for the applicant
    has_agent: bool = False
    legal_basis: str = ""
    attachments: tuple[Attachment, ...] = ()
    #: where to hand it in, how long it takes, what it costs
    guide: tuple[Row, ...] = ()
    offices: tuple[str, ...] = ("承辦人", "單位主管", "機關首長")

    @property
    def draft(self) -> bool:
        return not self.blank and self.filed_at is None


# --- 會議紀錄 --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MinutesItem:
    """One case of a session, its count in words and its result."""

    number: str
    title: str
    applicant: str
    count: str
    result: str
    remark: str = ""
    #: members with a conflict of interest
    away: tuple[str, ...] = ()
    #: the parties decided: `count` says who came, `remark` the terms or why not
    by_consent: bool = False
    continues_on: str = ""


@dataclass(frozen=True)
class Minutes:
    """The minutes of a committee's session, as approved."""

    agency_name: str
    committee: str
    unit: str
    when: str
    place: str
    members: tuple[str, ...]
    secretary: str
    approver: str
    approved_on: date
    items: tuple[MinutesItem, ...]
    budget: str = ""
    #: who sat in it without a vote
    advisers: tuple[str, ...] = ()


# --- 掛號郵件清單 ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mailing:
    """One registered letter of the list; a number that is not known yet is written in at the post office."""

    addressee: str
    address: str
    doc_number: str
    registered_number: str = ""


@dataclass(frozen=True)
class MailingList:
    agency_name: str
    printed_at: datetime
    mailings: tuple[Mailing, ...]


@dataclass(frozen=True)
class Column:
    heading: str
    #: millimetres; all of a table together 257
    width: int
    numeric: bool = False


@dataclass(frozen=True)
class PlanTable:
    """A list of plan control on landscape paper. What repeats in the first `grouped` columns is written once."""

    agency_name: str
    title: str
    subtitle: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    grouped: int
    #: below the table: totals, rules, and where published figures disagree
    remarks: tuple[str, ...]
    #: when the period was closed, or that it is not
    state: str

    def repeats(self, row: int, column: int) -> bool:
        """Whether a cell says what the one above it says, in the same group."""
        return (
            row > 0
            and column < self.grouped
            and self.rows[row][: column + 1] == self.rows[row - 1][: column + 1]
            and any(self.rows[row][: column + 1])
        )


@dataclass(frozen=True)
class ReviewPack:
    """季檢討會資料: figures of a register, then its tables, each with a title of its own."""

    agency_name: str
    title: str
    subtitle: str
    figures: tuple[tuple[str, str], ...]
    tables: tuple[PlanTable, ...]
    remarks: tuple[str, ...]
    state: str

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        return tuple(row for table in self.tables for row in table.rows)


# --- 施政績效報告 ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreLine:
    """One indicator, every cell as it is printed."""

    indicator: str
    weight: str
    target: str
    achieved: str
    ratio: str
    score: str
    remark: str
    #: ◆ or ▲ where the target was not reached
    sign: str = ""


@dataclass(frozen=True)
class ScoreGoal:
    title: str
    weight: str
    lines: tuple[ScoreLine, ...]


@dataclass(frozen=True)
class ScoreGroup:
    title: str
    weight: str
    score: str
    goals: tuple[ScoreGoal, ...]


@dataclass(frozen=True)
class ScoreSum:
    """A line of the totals: a dimension or a group, what came out and what was published."""

    title: str
    weight: str
    score: str
    rate: str
    published: str
    is_part: bool = False


@dataclass(frozen=True)
class FigureTable:
    """A small table of the yearly report: heads, rows, and where the figures are from."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Performance:
    """The yearly performance report of a unit."""

    agency_name: str
    unit_name: str
    year: int
    state: str
    #: why there is another edition; what is invented says so
    remarks: tuple[str, ...]
    groups: tuple[ScoreGroup, ...]
    sums: tuple[ScoreSum, ...]
    total: str
    figures: tuple[FigureTable, ...]
    notes: tuple[str, ...]
    rule: str
    printed_at: datetime
