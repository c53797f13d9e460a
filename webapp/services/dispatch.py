"""發文與送達: by which channel a letter goes out, when it was served, and until when it may be appealed against.

送達: 行政程序法 67-91. An electronic letter counts as served by the office itself (68 II), served when its addressee
first opens it. 電子簽章法 (113-05-15) puts electronic documents on the same footing as paper without asking for consent
beforehand, but leaves a chance to object: whoever would rather have paper is sent it by another channel (assumed of its
art. 4 f.; the wording is to be checked).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from forms.model import Field
from rules.values import Text, format_roc_date
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import Case, Letter
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import letters
from webapp.queries.org import calendar, chart
from webapp.services import documents, duties, events, parties
from workflows.remedy import GROUNDS, TRANSIT, appeal_until, place_of, seat_of, served_by_notice

CHANNELS: Mapping[str, Text] = {
    "electronic": Text(zh="電子送達", en="Electronic"),
    "post": Text(zh="掛號郵寄", en="Registered mail"),
    "counter": Text(zh="臨櫃面交", en="Handed over at the counter"),
    "notice": Text(zh="公示送達", en="Public notice"),
}
METHODS: Mapping[str, Text] = {
    "opened": Text(zh="收件人線上開啟", en="Opened online by the addressee"),
    "return_slip": Text(zh="掛號回執簽收", en="Signed return slip"),
    "handed_over": Text(zh="當面簽收", en="Signed for in person"),
    "deposited": Text(zh="寄存送達", en="Deposited at the post office or police station"),
    "public_notice": Text(zh="公示送達", en="Public notice"),
}
#: by which ways a channel may end in service; only the system says `opened`
METHODS_OF: Mapping[str, tuple[str, ...]] = {
    "electronic": (),
    "post": ("return_slip", "deposited"),
    "counter": ("handed_over",),
    "notice": ("public_notice",),
}
#: who sends letters and records their service, in the units of their seats and below
SENDERS = frozenset({"officer", "section_head", "department_head", "mail_room"})
#: what a return slip may be
SLIP_MB = 10
LONGEST_REASON = 200


@dataclass(frozen=True)
class Service:
    """How a letter reached its addressee, as an officer writes it down."""

    method: str
    #: the day on the slip; of a public notice the day on which it was posted
    day: date
    transit: str
    slip: tuple[str, bytes] | None = None
    #: of a public notice: why
    ground: str = ""


def may_send(actor: Actor, case: Case) -> bool:
    units = {case.handling_unit_id, case.owner_unit_id}
    held = any(m.function in SENDERS and units & chart().within(m.unit_id) for m in actor.mandates)
    return held and not duties.is_party(case, actor.account_id)


def default_channel(case: Case) -> str:
    if case.channel == "web" and case.account_id is not None:
        return "electronic"
    served = parties.representative(case.id) or parties.applicant(case.id)
    return "post" if served is not None and served.address else "counter"


def may_be_electronic(letter: Letter, case: Case) -> bool:
    """To the account that applied; the other side of a hearing has none."""
    return case.account_id is not None and letters.is_to_applicant(letter)


def send_by(actor: Actor, letter: Letter, case: Case, channel: str, now: datetime) -> None:
    """Another channel, for example post where nobody opens the electronic letter. Not once it is served."""
    hold(letter, case)
    if letter.served_on is not None:
        raise Conflict(
            Text(
                zh=f"這份公文已於{format_roc_date(letter.served_on)}送達，不能再改發文方式。",
                en="This letter has been served; its channel cannot be changed any more.",
            )
        )
    if letter.posted_on is not None:
        raise Conflict(
            Text(
                zh=f"這份公文已於{format_roc_date(letter.posted_on)}交寄，要改發文方式請先取消交寄。",
                en="This letter was posted. Take that back before you change its channel.",
            )
        )
    if channel not in CHANNELS or (channel == "electronic" and not may_be_electronic(letter, case)):
        raise Refused(
            Text(
                zh="這個案件不能用這種方式發文：電子送達須申請人以帳號線上申辦。",
                en="This letter cannot be sent that way: electronic service needs an application by an account.",
            )
        )
    letter.channel = channel
    _record(actor, case, "sent_by", f"{letter.number}：{CHANNELS[channel].zh}", now)


def post(actor: Actor, letter: Letter, case: Case, day: date, number: str, now: datetime) -> bool:
    """交寄: the post office took it; a number that was left open is filled in later. Whether that changed anything."""
    hold(letter, case)
    if letter.channel != "post" or letter.served_on is not None:
        raise Conflict(
            Text(
                zh=f"{letter.number}已送達或已改用其他方式發文，不能登記交寄。",
                en=f"{letter.number} was served or goes another way; it cannot be posted.",
            )
        )
    if letter.posted_on is None:
        letter.posted_on, letter.registered_number = day, number or None
    elif number and letter.registered_number is None:
        letter.registered_number = number
    else:
        return False
    said = f"{letter.number}：{letter.registered_number or '掛號號碼未登載'}"
    _record(actor, case, "posted", said, now, letter.posted_on)
    return True


def undo_posting(actor: Actor, letter: Letter, case: Case, reason: str, now: datetime) -> None:
    """It was not handed over after all, or came back: it waits to be sent again."""
    hold(letter, case)
    if letter.posted_on is None or letter.served_on is not None:
        raise Conflict(
            Text(zh="這份公文不在已交寄的狀態。", en="This letter is not at the post office (any more).")
        )
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Misfit(
            "reason",
            Text(
                zh=f"請寫明取消交寄的理由，最多 {LONGEST_REASON} 字。",
                en=f"Say why, in at most {LONGEST_REASON} characters.",
            ),
        )
    said = f"{letter.number}：{letter.registered_number or '掛號號碼未登載'}。理由：{reason}"
    letter.posted_on = letter.registered_number = None
    _record(actor, case, "not_posted", said, now)


def record_service(
    actor: Actor, letter: Letter, case: Case, service: Service, now: datetime, *, seen: date | None
) -> None:
    """`seen` is what the page said: of two people at once the second is told."""
    hold(letter, case)
    if letter.served_on != seen:
        raise Conflict(
            Text(
                zh="這份公文的送達紀錄剛才已由他人登載，請重新載入後再確認。",
                en="Somebody has just recorded the service of this letter. Reload the page.",
            )
        )
    by_notice = service.method == "public_notice"
    if service.method not in METHODS_OF[letter.channel]:
        text = Text(zh="這種送達方式與發文方式不符。", en="This way of service does not fit the channel.")
        raise Misfit("method", text)
    if service.transit not in TRANSIT:
        raise Misfit("transit", Text(zh="請選擇收件人所在地。", en="Choose where the addressee lives."))
    if by_notice and service.ground not in GROUNDS:
        raise Misfit(
            "ground",
            Text(
                zh="請選擇公示送達的事由，它決定何時發生效力。",
                en="Choose the ground of the public notice: it decides when it takes effect.",
            ),
        )
    if not letter.issued_on <= service.day <= taipei_day(now):
        raise Misfit(
            "date",
            Text(
                zh=f"送達日期必須在發文日（{format_roc_date(letter.issued_on)}）到今天之間。",
                en="The day of service must lie between the day of the letter and today.",
            ),
        )
    if service.slip is not None:
        try:
            letter.slip_id = _slip(actor, case, *service.slip, now)
        except Refused as refusal:
            raise Misfit("slip", refusal.text) from None
    letter.served_on = served_by_notice(service.day, service.ground) if by_notice else service.day
    letter.notice_ground = service.ground if by_notice else None
    letter.service_method, letter.transit = service.method, service.transit
    letter.served_recorded_by_id = actor.account_id
    _record(actor, case, "served", f"{letter.number}：{METHODS[service.method].zh}", now, letter.served_on)


def lives_in(actor: Actor, letter: Letter, case: Case, place: str, now: datetime) -> None:
    """Where the addressee lives, for the days in transit: read from the address until somebody knows better."""
    hold(letter, case)
    if place not in TRANSIT:
        raise Refused(Text(zh="請選擇收件人所在地。", en="Choose where the addressee lives."))
    letter.transit = place
    _record(actor, case, "transit_set", f"{letter.number}：{TRANSIT[place].label.zh}", now)


def residence(case: Case, remedy: str) -> str:
    """Where the applicant lives by their address."""
    applicant = parties.applicant(case.id)
    return place_of((applicant.address if applicant else None) or "", seat_of(remedy) or "kinmen")


def transit_days(letter: Letter) -> int:
    seat = seat_of(letter.content.get("remedy", ""))
    return TRANSIT[letter.transit].days(seat) if seat else 0


def opened(actor: Actor, letter: Letter, case: Case, now: datetime) -> None:
    """The addressee opens an electronic letter: served, the first time only."""
    own = actor.account_id is not None and actor.account_id == case.account_id
    if not own or letter.channel != "electronic" or letter.served_on is not None:
        return
    hold(letter, case)
    if letter.served_on is None and letter.channel == "electronic":
        letter.served_on, letter.service_method = taipei_day(now), "opened"
        _record(actor, case, "served", f"{letter.number}：{METHODS['opened'].zh}", now, letter.served_on)


def may_be_appealed(letter: Letter) -> bool:
    """Whether the remedy that it states is a 訴願: no booking, reply or settlement is appealed against."""
    remedy = letter.content.get("remedy", "")
    return "訴願" in remedy and seat_of(remedy) is not None


def appeal_by(letter: Letter, case: Case) -> date | None:
    """The last day of an appeal; None while it is not served, or where the remedy is another one."""
    seat = seat_of(letter.content.get("remedy", ""))
    if letter.served_on is None or not may_be_appealed(letter) or seat is None:
        return None
    return appeal_until(letter.served_on, letter.transit, seat, calendar(case.owner_unit_id))


def _slip(actor: Actor, case: Case, filename: str, content: bytes, now: datetime) -> int:
    """A scan or a photograph of the return slip; of the office's file, not shown to the applicant."""
    wanted = Field(
        key="slip",
        type="file",
        label=Text(zh="送達證書或回執", en="Return slip"),
        max_mb=SLIP_MB,
        accept=("pdf", "jpg", "png"),
    )
    name = documents.clean_name(filename)
    media_type = documents.check(wanted, name, content)
    document = documents.store(
        name, media_type, content, now, kind="slip", case_id=case.id, draft_key="task-slip", actor=actor
    )
    return document.id


def hold(letter: Letter, case: Case) -> None:
    """The case first, as every action does: its history is a chain."""
    db.session.refresh(case, with_for_update={"key_share": True})
    db.session.refresh(letter, with_for_update=True)


def _record(actor: Actor, case: Case, kind: str, said: str, now: datetime, day: date | None = None) -> None:
    db.session.flush()
    payload = {"comment": said, "date": day.isoformat() if day else ""}
    events.record(actor, case, kind, now, from_state=case.state, payload=payload)
