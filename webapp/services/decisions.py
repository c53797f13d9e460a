"""Deciding a case: the letter with its number, its content frozen as sent, and the orders to print and announce it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

import forms.answers
from rules import conditions
from rules.values import format_roc_date, roc_year
from webapp.extensions import db
from webapp.models import CaseEvent, EventPayload, Letter
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import chart
from webapp.services import effects, evaluation, notices, parties
from workflows.service import fill

if TYPE_CHECKING:
    from webapp.services.steps import Context

NOTICES = {"grant": "granted", "reject": "rejected", "return": "returned"}
EFFECTS = {"issue_decision": "grant", "issue_rejection": "reject", "issue_return": "return"}


def issue(actor: Actor, ctx: Context, kind: str, comment: str, attached: str, now: datetime) -> Letter:
    """發文. The reasons are the decider's, else those of the proposal; the number is 字第 + ROC year + serial + 號."""
    from webapp.services.cases import answers_of

    case, today = ctx.case, taipei_day(now)
    proposed = _proposal(ctx)
    reason = comment.strip() or proposed.get("comment", "")
    attached = attached.strip() or proposed.get("conditions", "")
    answers = answers_of(case)
    words = _words(ctx, answers, reason, today)
    facts = evaluation.facts_of(case, ctx.service, ctx.form, answers)
    template = ctx.service.letters[kind]
    owner = chart().units[case.owner_unit_id]
    applicant = parties.applicant(case.id)
    content: dict[str, Any] = {
        "subject": fill(template.subject.zh, words),
        "paragraphs": [
            fill(paragraph.text.zh, words)
            for paragraph in template.paragraphs
            if conditions.holds(paragraph.when, facts)
        ],
        "reason": reason,
        "conditions": attached,
        "remedy": ctx.service.remedy.zh,
        "addressee": applicant.name if applicant else "",
        "addressee_address": (applicant.address if applicant else None) or "",
        "signer_title": str(chart().title(actor.account_id or 0, today) or ""),
        "signer": actor.name,
        "unit": owner.zh,
        "contact": f"{chart().units[case.handling_unit_id].zh}　{owner.phone}",
    }
    letter = Letter(
        case_id=case.id,
        kind=kind,
        number=_next_number(owner.letter_word, roc_year(today)),
        issued_on=today,
        issued_by_id=actor.account_id,
        content=content,
    )
    db.session.add(letter)
    db.session.flush()
    effects.enqueue(
        effects.effect("letter", letter.public_id, now, case_id=case.id, letter_id=letter.id),
        notices.effect(case, NOTICES[kind], now, comment=reason),
    )
    return letter


def preview(ctx: Context, kind: str, comment: str, now: datetime) -> list[str]:
    """What the applicant will read, before it is sent."""
    from webapp.services.cases import answers_of

    answers = answers_of(ctx.case)
    words = _words(ctx, answers, comment, taipei_day(now))
    facts = evaluation.facts_of(ctx.case, ctx.service, ctx.form, answers)
    template = ctx.service.letters[kind]
    texts = [p.text.zh for p in template.paragraphs if conditions.holds(p.when, facts)]
    return [fill(part, words) for part in (template.subject.zh, *texts)]


def _words(ctx: Context, answers: dict[str, Any], reason: str, today: date) -> dict[str, str]:
    """What a letter text may quote by name."""
    case = ctx.case
    shown = {
        f"answers.{field.key}": forms.answers.display(field, answers[field.key])
        for field in ctx.form.fields
        if answers.get(field.key) not in (None, "", [])
    }
    return shown | {
        "case.number": case.number or "",
        "case.filed_on": format_roc_date(case.filed_on),
        "case.due_on": format_roc_date(case.due_on) if case.due_on else "",
        "service.title": ctx.service.title.zh,
        "service.outcome": ctx.service.outcome.zh,
        "service.legal_basis": ctx.service.legal_basis,
        "decision.reason": reason,
        "decision.date": format_roc_date(today),
        "applicant.name": str(answers.get("applicant_name", "")),
    }


def _proposal(ctx: Context) -> dict[str, Any]:
    """The reasons and conditions that came with the proposal now before the decider."""
    transitions = [t for state in ctx.workflow.states.values() for t in state.transitions.values()]
    proposing = {t.name for t in transitions if t.proposes}
    body = db.session.scalars(
        select(EventPayload.body)
        .join(CaseEvent, CaseEvent.id == EventPayload.event_id)
        .where(CaseEvent.case_id == ctx.case.id, CaseEvent.kind.in_(proposing))
        .order_by(CaseEvent.seq.desc())
        .limit(1)
    ).first()
    return body or {}


def _next_number(word: str, year: int) -> str:
    serial = db.session.execute(
        text(
            "insert into counter (name, year, value) values (:name, :year, 1) "
            "on conflict (name, year) do update set value = counter.value + 1 returning value"
        ),
        {"name": f"letter:{word}", "year": year},
    ).scalar_one()
    return f"{word}字第{year:03d}{serial:07d}號"
