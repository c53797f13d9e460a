"""What people are told of a committee's session: whom the service invites, by message, and the other side by letter.

The applicant has a progress page and a channel. The other side knows nothing yet: it gets a letter with day, hour,
place and subject, and a short message where there is a number or an address for one. Neither opens the case to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rules import conditions
from rules.values import Text, format_day
from webapp.extensions import db
from webapp.letters.geta import printable
from webapp.models import Case, CommitteeSession, Letter
from webapp.moments import taipei, taipei_day
from webapp.permissions import Actor
from webapp.queries import committees as queries
from webapp.queries import submissions
from webapp.queries.org import chart
from webapp.services import decisions, effects, evaluation, hearings, notices, parties, steps
from webapp.services.hearings import Heard
from workflows.service import fill

if TYPE_CHECKING:
    from webapp.services.steps import Context

Occasion = Literal["planned", "moved", "cancelled"]
Reader = Literal["applicant", "other_side"]

#: the service's own words for whoever is invited
LETTER = "invitation"
WHAT: dict[str, Text] = {
    "planned": Text(zh="開會通知", en="Notice of a session"),
    "moved": Text(zh="開會改期通知", en="A session is moved"),
    "cancelled": Text(zh="會議取消通知", en="A session is cancelled"),
}
#: why nobody need come
LEFT = Text(zh="案件已撤回或退出議程", en="the case was withdrawn or taken off the agenda")
#: where a service has no letter of its own
_SUBJECT = Text(zh="{what}：{service}", en="{what}: {service}")
_BODY: dict[str, Text] = {
    "planned": Text(
        zh="{committee}訂於{day} {time} 在{place}開會，處理「{service}」（案件編號 {number}）。",
        en="{committee} meets on {day} at {time}, {place}, about {service} (case {number}).",
    ),
    "moved": Text(
        zh="{committee}處理「{service}」（案件編號 {number}）的會議改為{day} {time}，地點：{place}。",
        en="The session of {committee} about {service} (case {number}) is moved to {day} at {time}, {place}.",
    ),
    "cancelled": Text(
        zh="{committee}原訂{day} {time} 處理「{service}」（案件編號 {number}）的會議取消。原因：{reason}。"
        "新的時間會另行通知。",
        en="The session of {committee} on {day} at {time} about {service} (case {number}) is cancelled. Why: {reason}. "
        "You will be told of a new time.",
    ),
}


@dataclass(frozen=True)
class Sitting:
    """When and where, as it is told. What is not known yet is said in words."""

    committee: Text
    day: Text
    time: str
    place: str
    occasion: Occasion = "planned"
    #: why it is cancelled
    reason: Text | None = None
    secretary_id: int = 0


def sitting(session: CommitteeSession, occasion: Occasion, reason: Text | None = None) -> Sitting:
    committee, local = session.committee, taipei(session.starts_at)
    return Sitting(
        Text(zh=committee.name_zh, en=committee.name_en),
        Text(zh=format_day(local.date(), "zh"), en=format_day(local.date(), "en")),
        local.strftime("%H:%M"),
        session.place,
        occasion,
        reason,
        session.secretary_id,
    )


def send(
    actor: Actor, session: CommitteeSession, occasion: Occasion, now: datetime, *, reason: str = ""
) -> None:
    """To everybody whom the services of its cases invite."""
    told = sitting(session, occasion, Text(zh=reason) if reason else None)
    key = f"{session.public_id}:{occasion}:{session.starts_at:%Y%m%d%H%M}:{session.version}"
    for _item, case in queries.agenda(session):
        _tell(actor, case, told, key, now)


def call_off(actor: Actor, ctx: Context, session: CommitteeSession, now: datetime) -> None:
    """The case left before its session: the others need not come. Whoever withdrew it knows."""
    if session.starts_at <= now:
        return  # they have come
    told = sitting(session, "cancelled", LEFT)
    _tell(actor, ctx.case, told, f"{session.public_id}:left:{ctx.case.visit}", now)


def _tell(actor: Actor, case: Case, told: Sitting, key: str, now: datetime) -> None:
    ctx = steps.context(case)
    for person in hearings.heard(case):
        if not person.is_applicant:
            _write(actor, ctx, person, told, now)
            _short_message(ctx, person, told, f"{key}:{person.key}", now)
        elif actor.kind not in ("citizen", "anonymous"):
            subject, paragraphs = wording(ctx, told, now, case.language)
            said = {"heading": subject, "said": "\n".join(paragraphs)}
            notices.notify(case, "session", now, occasion=key, words=said)


def wording(
    ctx: Context, told: Sitting, now: datetime, lang: str, *, to: Reader = "applicant"
) -> tuple[str, tuple[str, ...]]:
    """Subject and paragraphs, of the service's own letter where it has one."""
    template = ctx.service.letters.get(LETTER)
    if template is None:
        words = _plain_words(ctx, told, lang)
        return _SUBJECT.in_(lang).format_map(words), (_BODY[told.occasion].in_(lang).format_map(words),)
    answers = submissions.application(ctx.case.id).all_answers
    quoted = decisions.words(ctx, answers, "", taipei_day(now), lang)
    words = {name: printable(said)[0] for name, said in quoted.items()} | {
        "session.committee": told.committee.in_(lang),
        "session.on": told.day.in_(lang),
        "session.at": told.time,
        "session.place": told.place,
        "session.notice": WHAT[told.occasion].in_(lang),
        "session.reason": told.reason.in_(lang) if told.reason else "",
    }
    facts = evaluation.facts_of(ctx.case, ctx.service, ctx.form, answers) | {
        "session.occasion": told.occasion,
        "session.to": to,
    }
    paragraphs = tuple(
        fill(each.text.in_(lang), words) for each in template.paragraphs if conditions.holds(each.when, facts)
    )
    return fill(template.subject.in_(lang), words), paragraphs


def _plain_words(ctx: Context, told: Sitting, lang: str) -> dict[str, str]:
    return {
        "what": WHAT[told.occasion].in_(lang),
        "committee": told.committee.in_(lang),
        "service": ctx.service.title.in_(lang),
        "number": ctx.case.number or "",
        "day": told.day.in_(lang),
        "time": told.time,
        "place": told.place,
        "reason": told.reason.in_(lang) if told.reason else "",
    }


def _write(actor: Actor, ctx: Context, person: Heard, told: Sitting, now: datetime) -> None:
    """An official letter to the other side, for the mail room."""
    case, today, by = ctx.case, taipei_day(now), _signed(actor, told)
    owner = chart().units[case.owner_unit_id]
    template = ctx.service.letters.get(LETTER)
    subject, paragraphs = wording(ctx, told, now, "zh", to="other_side")
    title = template.title.zh if template is not None and template.title is not None else ""
    content = decisions.plain_letter(ctx, title or WHAT[told.occasion].zh, subject, paragraphs, person)
    decisions.require_printable(content)
    letter = Letter(
        case_id=case.id,
        kind=LETTER,
        number=decisions.next_number_of(owner, today),
        issued_on=today,
        issued_by_id=by.actor.account_id,
        content=content | by.signs(case, today),
        channel="post" if person.address else "counter",
    )
    db.session.add(letter)
    db.session.flush()
    effects.enqueue(effects.effect("letter", letter.public_id, now, case_id=case.id, letter_id=letter.id))


def _signed(actor: Actor, told: Sitting) -> decisions.Decider:
    """By the officer who acts; where the applicant withdrew, the secretary who planned the session."""
    if actor.is_staff:
        return decisions.Decider(actor, "committee_secretary")
    return decisions.Decider(
        Actor("staff", told.secretary_id, chart().names.get(told.secretary_id, "")), "committee_secretary"
    )


def _short_message(ctx: Context, person: Heard, told: Sitting, key: str, now: datetime) -> None:
    """To a mobile number or an address: that a letter comes, when and where; nothing of the case."""
    words = _plain_words(ctx, told, "zh")
    body = _BODY[told.occasion].zh.format_map(words) + "詳情請看寄給您的公文。"
    for channel, recipient in channels(person):
        notices.post(
            f"invitation:{key}:{channel}",
            channel,
            recipient,
            _SUBJECT.zh.format_map(words),
            body,
            now,
            case_id=ctx.case.id,
        )


def channels(person: Heard) -> list[tuple[str, str]]:
    """How the other side hears besides the letter, which goes in any case."""
    return parties.without_paper(person.email, person.phone)


def of_case(case: Case) -> CommitteeSession | None:
    """The session that is to come, for the applicant where the service invites them."""
    if not any(person.is_applicant for person in hearings.heard(case)):
        return None
    return queries.coming(case)
