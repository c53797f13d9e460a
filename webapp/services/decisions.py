"""Deciding a case: the letter with its number, its content frozen as sent, and the orders to print and announce it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import current_app

import forms.answers
from rules import conditions
from rules.values import Text, format_day, roc_year
from webapp.errors import Refused
from webapp.extensions import db
from webapp.letters import fonts
from webapp.letters.geta import printable
from webapp.models import Case, Letter
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import bookings, committees, definitions, history, merging, submissions, tracking
from webapp.queries.org import UnitInfo, chart
from webapp.services import (
    application_paper,
    dispatch,
    drafting,
    effects,
    evaluation,
    fees,
    notices,
    numbers,
    parties,
)
from webapp.services.drafting import Passage, Wording
from workflows.model import INSPECTION
from workflows.service import fill

if TYPE_CHECKING:
    from webapp.models import Case
    from webapp.services.hearings import Heard
    from webapp.services.steps import Context

#: whom a letter is for, where who wrote to the county kept their name to themselves
UNNAMED = "不具名申請人"
#: where the minutes say nothing of the terms
AS_WRITTEN = Text(zh="詳如文書", en="as the document says")
TOWNSHIP_HEAD = "township_head"
NOTICES = {"grant": "granted", "reject": "rejected", "return": "returned"}
EFFECTS = {"issue_decision": "grant", "issue_rejection": "reject", "issue_return": "return"}


@dataclass(frozen=True)
class Decider:
    """Who decides, in which function, and whom they stand in for (職務代理)."""

    actor: Actor
    function: str = ""
    acting_for_id: int | None = None

    def signs(self, case: Case, today: date) -> dict[str, str]:
        """The agency that decides and its head (行政程序法 96 I 4), and who decided for them. The position is that of
        the absent: a deputy decides in the other's rank, under their own name."""
        holder = self.acting_for_id or self.actor.account_id or 0
        return {
            **_agency(chart().units[case.owner_unit_id], today),
            "signer_title": str(chart().title(holder, today, self.function) or ""),
            "signer": self.actor.name,
            "signer_for": chart().names.get(self.acting_for_id or 0, ""),
        }


def _agency(owner: UnitInfo, today: date) -> dict[str, str]:
    config = current_app.config
    name, head = config["AGENCY_NAME"], (config["HEAD_TITLE"], config["HEAD_NAME"])
    named = application_paper.agency(owner, name)
    if named != name:
        seats = chart().holders(owner.id, TOWNSHIP_HEAD, today)[1]
        head = (seats[0].title_zh, chart().names.get(seats[0].account_id, "")) if seats else ("", "")
    return {"agency": named, "head_title": head[0], "head_name": head[1]}


def issue(
    by: Decider,
    ctx: Context,
    kind: str,
    state: str,
    comment: str,
    attached: str,
    now: datetime,
    wording: Wording | None = None,
) -> Letter:
    """發文, out of the state in which it was decided. The number is 字第 + ROC year + serial + 號."""
    comment, attached = adopted(ctx, state, comment, attached)
    amounts = fees.fixed(ctx.service, ctx.case)
    wording = wording or drafted(ctx, kind)
    content = drafted_as(by, ctx, kind, comment, attached, amounts, now, wording)
    letter = _send(by, ctx.case, kind, content, now)
    for merged in merging.merged_into(ctx.case.id):
        _answer(by, ctx, merged, letter, comment, attached, now)
    return letter


def _answer(
    by: Decider, ctx: Context, merged: Case, letter: Letter, comment: str, attached: str, now: datetime
) -> None:
    """What was merged into the case hears of its decision; somebody else gets a letter in their own words and name."""
    if parties.same_applicant(merged, ctx.case):
        said = {"leading": ctx.case.number or "", "sent": letter.number}
        notices.notify(merged, "leading_decided", now, words=said)
        return
    own = replace(
        ctx,
        case=merged,
        service=definitions.service(merged.service_revision_id),
        form=definitions.form(merged.form_revision_id),
    )
    amounts = fees.fixed(ctx.service, ctx.case)
    _send(by, merged, letter.kind, compose(own, letter.kind, comment, attached, amounts, now), now)


def ended(case: Case, now: datetime) -> None:
    """A case ended. Other people whose cases were merged into it hear of that even where no decision was sent."""
    if case.outcome in ("merged", "transferred") or tracking.letter(case.id) is not None:
        return
    for merged in merging.merged_into(case.id):
        if not parties.same_applicant(merged, case):
            notices.notify(merged, "leading_ended", now, words={"leading": case.number or ""})


def _send(by: Decider, case: Case, kind: str, content: dict[str, Any], now: datetime) -> Letter:
    today = taipei_day(now)
    owner = chart().units[case.owner_unit_id]
    letter = Letter(
        case_id=case.id,
        kind=kind,
        number=next_number_of(owner, today),
        issued_on=today,
        issued_by_id=by.actor.account_id,
        content=content | by.signs(case, today),
        channel=dispatch.default_channel(case),
        transit=dispatch.residence(case, content["remedy"]),
    )
    db.session.add(letter)
    db.session.flush()
    effects.enqueue(
        effects.effect("letter", letter.public_id, now, case_id=case.id, letter_id=letter.id),
        notices.effect(
            case,
            NOTICES[kind],
            now,
            comment=content["reason"],
            words={"letter": letter.number, **_booked(case)},
        ),
    )
    return letter


def _booked(case: Case) -> dict[str, str]:
    """The appointment as the letter has it, whatever becomes of it before the message is written."""
    booking = bookings.current(case.id)
    return {"booking": bookings.words(booking, case.language)} if booking is not None else {}


def drafted_as(
    by: Decider,
    ctx: Context,
    kind: str,
    reason: str,
    attached: str,
    amounts: Mapping[str, Decimal],
    now: datetime,
    wording: Wording | None,
) -> dict[str, Any]:
    """The letter as it is proposed, passed on or sent, kept as a version. What was written by hand and quotes values
    that have changed since is refused."""
    if wording is not None:
        wording, outdated = drafting.followed(wording, from_template(ctx, kind, reason, amounts, now))
        drafting.require_followed(outdated)
    content = compose(ctx, kind, reason, attached, amounts, now, wording)
    require_whole(ctx, kind, content)
    drafting.keep(by.actor, ctx.case, kind, content, now, wording=wording, acting_for_id=by.acting_for_id)
    return content


def adopted(ctx: Context, state: str, comment: str, attached: str) -> tuple[str, str]:
    """The decider's own reason and conditions; where they wrote none, those of the proposal before them."""
    event = history.proposal_before(ctx.case, ctx.workflow, state)
    proposed = event.payload.body if event is not None and event.payload is not None else {}
    return (
        comment.strip() or proposed.get("comment", ""),
        attached.strip() or proposed.get("conditions", ""),
    )


def drafted(ctx: Context, kind: str) -> Wording | None:
    """The words that were proposed to the decider in place of the template's."""
    return drafting.wording_of(drafting.last(ctx.case, kind)) if kind == ctx.case.proposal else None


def kind_of(ctx: Context, proposes: str | None, effects: Sequence[str], to: str | None) -> str | None:
    """The letter that an action drafts or sends: proposed, issued, or passed on to somebody who may issue it."""
    issued = next((EFFECTS[effect] for effect in effects if effect in EFFECTS), None)
    if proposes or issued:
        return proposes or issued
    onwards = ctx.workflow.state(to).transitions.values() if to else ()
    decided_there = any({"issue_decision", "issue_rejection"} & set(each.effects) for each in onwards)
    return ctx.case.proposal if decided_there else None


def compose(
    ctx: Context,
    kind: str,
    reason: str,
    attached: str,
    amounts: Mapping[str, Decimal],
    now: datetime,
    wording: Wording | None = None,
) -> dict[str, Any]:
    """What the letter says. The officer's preview and the letter that is sent are both made here.

    `wording`: what somebody wrote in place of the template's subject and paragraphs.
    """
    case, reason = ctx.case, reason.strip()
    template = ctx.service.letters[kind]
    owner = chart().units[case.owner_unit_id]
    template_now = from_template(ctx, kind, reason, amounts, now)
    wording = template_now if wording is None else drafting.followed(wording, template_now)[0]
    drafting.require_whole(wording)
    wording = wording.whole
    return {
        "title": template.title.zh if template.title else "",
        "subject": wording.subject,
        "paragraphs": [passage.text for passage in wording.paragraphs],
        "parts": [passage.part for passage in wording.paragraphs],
        "reason": reason,
        "conditions": attached.strip() if kind == "grant" else "",
        "remedy": ctx.service.remedy.zh,
        "remedy_title": ctx.service.answers.remedy.zh,
        **addressed(case),
        "unit": owner.zh,
        "contact": "{unit}　{phone}".format_map(office(case)),
        "office": office(case),
    }


def addressed(case: Case) -> dict[str, str]:
    """To whom it is addressed, with who stands for a company (行政程序法 96 I 1), and the agent, who is served (71)."""
    applicant, agent = parties.applicant(case.id), parties.representative(case.id)
    return {
        "addressee": (applicant.name if applicant else "") or UNNAMED,
        "responsible": (applicant.responsible if applicant else None) or "",
        "agent": agent.name if agent else "",
        "addressee_address": next((p.address for p in (agent, applicant) if p and p.address), ""),
    }


def _other_side(to: Heard) -> dict[str, str]:
    return {"addressee": to.name or UNNAMED, "addressee_address": to.address}


def plain_letter(
    ctx: Context, title: str, subject: str, paragraphs: Sequence[str], to: Heard
) -> dict[str, Any]:
    """What a letter says that decides nothing, to somebody of the case."""
    case = ctx.case
    owner = chart().units[case.owner_unit_id]
    return {
        "title": title,
        "subject": subject,
        "paragraphs": list(paragraphs),
        "parts": ["note"] * len(paragraphs),
        "reason": "",
        "conditions": "",
        "remedy": "",
        **(addressed(case) if to.is_applicant else _other_side(to)),
        #: whom it is for: the applicant reads no letter to the other side
        "for": to.key,
        "unit": owner.zh,
        "contact": "{unit}　{phone}".format_map(office(case)),
        "office": office(case),
    }


def office(case: Case) -> dict[str, str]:
    """Whom to ask, as it stands on the letter and stays there."""
    unit = chart().units[case.handling_unit_id]
    return {"unit": unit.zh, "phone": unit.phone, "address": unit.address}


def from_template(
    ctx: Context, kind: str, reason: str, amounts: Mapping[str, Decimal], now: datetime
) -> Wording:
    """The service's own words for this case."""
    case, template = ctx.case, ctx.service.letters[kind]
    answers = submissions.application(case.id).all_answers
    known = words(ctx, answers, reason.strip(), taipei_day(now))
    known["decision.amounts"] = fees.in_words(ctx.service, case, amounts)
    facts = evaluation.facts_of(case, ctx.service, ctx.form, answers)
    filled = [
        (place, each.part, fill(each.text.zh, known))
        for place, each in enumerate(template.paragraphs)
        if conditions.holds(each.when, facts)
    ]
    passages = tuple(Passage(part, said, place, drafting.mark(said)) for place, part, said in filled)
    subject = fill(template.subject.zh, known)
    return Wording(subject, passages, drafting.mark(subject))


def require_whole(ctx: Context, kind: str, content: Mapping[str, Any]) -> None:
    """A letter can be printed, and says in its conditions what its words refer to."""
    needed = ctx.service.letters[kind].needs_conditions
    if needed is not None and not content["conditions"].strip():
        raise Refused(needed)
    require_printable(content)


def require_printable(content: Mapping[str, Any]) -> None:
    """A letter with a hole in its words is no letter. A name is nobody's to change: it prints with 〓."""
    unprintable = fonts.missing(
        "".join([content["subject"], *content["paragraphs"], content["reason"], content["conditions"]])
    )
    if unprintable:
        which = "、".join(map(fonts.code_point, unprintable))
        raise Refused(
            Text(
                zh=f"公文無法印出這些字元：{which}。請改寫理由或附款；出自申請內容的，請先通知申請人補正。",
                en=f"A letter cannot print these characters: {which.replace('、', ', ')}. Change the reason or the "
                "conditions; if they come from the application, ask the applicant for a correction first.",
            )
        )


def words(
    ctx: Context, answers: dict[str, Any], reason: str, today: date, lang: str = "zh"
) -> dict[str, str]:
    """What a letter text may quote by name."""
    case = ctx.case
    shown = {
        f"answers.{field.key}": forms.answers.sentence(field, answers[field.key], lang)
        for field in ctx.form.fields
        if answers.get(field.key) not in (None, "", [])
    }
    return shown | {
        "case.number": case.number or "",
        "case.filed_on": format_day(case.filed_on, lang),
        "case.due_on": format_day(case.due_on, lang) if case.due_on else "",
        "service.title": ctx.service.title.in_(lang),
        "service.outcome": ctx.service.outcome.in_(lang),
        "service.legal_basis": ctx.service.legal_basis,
        "decision.reason": reason,
        "decision.date": format_day(today, lang),
        "applicant.name": printable(parties.name_of(answers))[0],
        **_inspection(case.id),
        **_booking(case.id, lang),
        **_hearing(case.id, lang),
    }


def _inspection(case_id: int) -> dict[str, str]:
    """Day and findings of the last visit: the facts that a decision after an inspection rests on."""
    last = submissions.newest(case_id, INSPECTION)
    if last is None:
        return {}
    form, answers = definitions.form(last.form_revision_id), last.all_answers
    return {
        f"inspection.{name}": forms.answers.sentence(form.field(key), answers.get(key))
        for name, key in (("on", "inspected_on"), ("findings", "findings"))
    }


def _booking(case_id: int, lang: str) -> dict[str, str]:
    """When and where the appointment is that a letter confirms."""
    booking = bookings.current(case_id)
    if booking is None:
        return {}
    return {"booking.slot": bookings.when(booking, lang), "booking.place": bookings.place(booking, lang)}


def _hearing(case_id: int, lang: str) -> dict[str, str]:
    """When the parties were heard last, and what they agreed to."""
    found = committees.last_heard(case_id)
    if found is None:
        return {}
    item, session = found
    on = format_day(taipei_day(session.starts_at), lang)
    return {"hearing.on": on, "hearing.terms": item.remark or AS_WRITTEN.in_(lang)}


def next_number_of(owner: UnitInfo, day: date) -> str:
    return next_number(owner.letter_word, roc_year(day))


def next_number(word: str, year: int) -> str:
    return f"{word}字第{year:03d}{numbers.next_of(f'letter:{word}', year):07d}號"
