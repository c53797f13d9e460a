"""What a service answers with: only a decision is granted, refused and appealed against (行政程序法 92, 訴願法 3).

The other answers confirm an appointment, reply to a petition (行政程序法 171), record a report, or conclude a hearing
between two sides; their letters, messages and outcomes are called what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rules.values import Text

Kind = Literal["decision", "booking", "reply", "record", "hearing"]
DECISION: Kind = "decision"


@dataclass(frozen=True)
class Said:
    """One outcome: what its letter is called, how it stands in lists, and what the applicant is told with it.

    The texts of the message quote {service}, {number}, {letter}, {comment}, {amounts} and {booking}.
    """

    letter: Text
    outcome: Text
    subject: Text
    body: Text


@dataclass(frozen=True)
class Answer:
    #: what stands above the last part of its letters
    remedy: Text
    granted: Said
    rejected: Said
    returned: Said

    def said(self, outcome: str) -> Said | None:
        return {"granted": self.granted, "rejected": self.rejected, "returned": self.returned}.get(outcome)


_APPEAL = Text(zh="救濟教示", en="How to appeal")
_OPINION = Text(zh="有意見時", en="If you do not agree")
_UNARRANGED = Said(
    Text(zh="未能安排通知", en="Notice that it could not be arranged"),
    Text(zh="未能安排", en="Not arranged"),
    Text(zh="您的預約未能安排：{service}", en="Your booking could not be arranged: {service}"),
    Text(
        zh="您的預約（{number}）未能安排，原因請看通知 {letter}，請至進度頁下載。您可以改選其他時段重新預約。",
        en="Your booking {number} could not be arranged; notice {letter} on the progress page says why. "
        "You are welcome to book another time.",
    ),
)

ANSWERS: Mapping[Kind, Answer] = MappingProxyType(
    {
        DECISION: Answer(
            _APPEAL,
            Said(
                Text(zh="核准函", en="Approval"),
                Text(zh="已核准", en="Approved"),
                Text(zh="申請已核准：{service}", en="Approved: {service}"),
                Text(
                    zh="您的申請（{number}）已核准，公文文號 {letter}。{amounts}請至進度頁下載。",
                    en="Your application {number} is approved by letter {letter}. {amounts}"
                    "Download it from the progress page.",
                ),
            ),
            Said(
                Text(zh="駁回函", en="Rejection"),
                Text(zh="未核准", en="Not approved"),
                Text(zh="申請結果通知：{service}", en="Decision on your application: {service}"),
                Text(
                    zh="您的申請（{number}）經審查未予核准，理由與救濟方式載於公文 {letter}，請至進度頁下載。",
                    en="Your application {number} was not approved. Letter {letter} gives the reasons and how to "
                    "appeal.",
                ),
            ),
            Said(
                Text(zh="退件函", en="Return"),
                Text(zh="已退件", en="Returned"),
                Text(zh="申請已退件：{service}", en="Returned: {service}"),
                Text(
                    zh="您的申請（{number}）已退件：{comment}",
                    en="Your application {number} was returned: {comment}",
                ),
            ),
        ),
        "booking": Answer(
            _OPINION,
            Said(
                Text(zh="預約確認單", en="Confirmation of the booking"),
                Text(zh="預約已結束", en="The booking is over"),
                Text(zh="預約確認單：{service}", en="Confirmation of your booking: {service}"),
                Text(
                    zh="您的預約（{number}）已確認：{booking}。{amounts}確認單 {letter} 請至進度頁下載；"
                    "要改期或取消，也在進度頁辦理。",
                    en="Your booking {number} is confirmed: {booking}. {amounts}Confirmation {letter} is on the "
                    "progress page, where you also move or cancel it.",
                ),
            ),
            _UNARRANGED,
            _UNARRANGED,
        ),
        "reply": Answer(
            _OPINION,
            Said(
                Text(zh="回復函", en="Reply"),
                Text(zh="已回復", en="Answered"),
                Text(zh="處理結果：{service}", en="What was done: {service}"),
                Text(
                    zh="您的案件（{number}）已處理並回復，公文文號 {letter}。{amounts}請至進度頁下載。",
                    en="Your case {number} is dealt with and answered by letter {letter}. {amounts}"
                    "Download it from the progress page.",
                ),
            ),
            Said(
                Text(zh="回復函", en="Reply"),
                Text(zh="未能辦理", en="Could not be done"),
                Text(zh="處理結果：{service}", en="What became of it: {service}"),
                Text(
                    zh="您的案件（{number}）未能辦理，原因請看回復函 {letter}，請至進度頁下載。",
                    en="We could not do what you asked in {number}. Letter {letter} on the progress page says why.",
                ),
            ),
            Said(
                Text(zh="未予受理通知", en="Notice that it was not taken up"),
                Text(zh="未予受理", en="Not taken up"),
                Text(zh="未予受理：{service}", en="Not taken up: {service}"),
                Text(
                    zh="您的案件（{number}）未予受理：{comment}",
                    en="Your case {number} was not taken up: {comment}",
                ),
            ),
        ),
        "record": Answer(
            _OPINION,
            Said(
                Text(zh="備查函", en="Notice of record"),
                Text(zh="已備查", en="Recorded"),
                Text(zh="已備查：{service}", en="Recorded: {service}"),
                Text(
                    zh="您的報備（{number}）文件齊備，已備查，公文文號 {letter}。{amounts}請至進度頁下載。",
                    en="Your report {number} is complete and recorded by letter {letter}. {amounts}"
                    "Download it from the progress page.",
                ),
            ),
            Said(
                Text(zh="未予備查通知", en="Notice that it is not recorded"),
                Text(zh="未予備查", en="Not recorded"),
                Text(zh="未予備查：{service}", en="Not recorded: {service}"),
                Text(
                    zh="您的報備（{number}）未予備查，原因請看公文 {letter}，請至進度頁下載。",
                    en="Your report {number} is not recorded. Letter {letter} on the progress page says why.",
                ),
            ),
            Said(
                Text(zh="檢還通知", en="Notice that the papers go back"),
                Text(zh="已檢還", en="Sent back"),
                Text(zh="文件已檢還：{service}", en="Your papers go back: {service}"),
                Text(
                    zh="您的報備（{number}）文件檢還，請補齊後重新報備：{comment}",
                    en="The papers of your report {number} go back; please complete them and report again: {comment}",
                ),
            ),
        ),
        "hearing": Answer(
            _APPEAL,
            Said(
                Text(zh="結果通知書", en="Notice of the result"),
                Text(zh="已結案", en="Concluded"),
                Text(zh="文書已製作：{service}", en="The document is made: {service}"),
                Text(
                    zh="您的案件（{number}）已有結果，文書文號 {letter}。{amounts}請至進度頁下載。",
                    en="There is a result in {number}, document {letter}. {amounts}"
                    "Download it from the progress page.",
                ),
            ),
            Said(
                Text(zh="結果通知書", en="Notice of the result"),
                Text(zh="未獲准許或未成立", en="Dismissed or not settled"),
                Text(zh="結果通知：{service}", en="The result: {service}"),
                Text(
                    zh="您的案件（{number}）未獲准許或未成立，理由與後續方式請看文書 {letter}，請至進度頁下載。",
                    en="Your case {number} was dismissed or not settled. Document {letter} gives the reasons and what "
                    "you can do.",
                ),
            ),
            Said(
                Text(zh="不受理通知", en="Notice that it is not taken up"),
                Text(zh="不受理", en="Not taken up"),
                Text(zh="未能受理：{service}", en="Not taken up: {service}"),
                Text(
                    zh="您的案件（{number}）未能受理：{comment}",
                    en="Your case {number} was not taken up: {comment}",
                ),
            ),
        ),
    }
)

#: what a letter is called that is no answer to an application
OTHER_LETTERS: Mapping[str, Text] = MappingProxyType(
    {
        "correction": Text(zh="補正通知", en="Request for correction"),
        "correction_of": Text(zh="更正函", en="Correction"),
        "revocation": Text(zh="撤銷函", en="Revocation"),
        "withdrawal": Text(zh="廢止函", en="Withdrawal"),
        "invitation": Text(zh="開會通知", en="Invitation to a session"),
        "certificate": Text(zh="證明書", en="Certificate"),
    }
)
