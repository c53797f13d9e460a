"""調解不成立證明書: on request of a party, once approved minutes say that nothing was settled (鄉鎮市調解條例 30).

Of each hearing that failed one to a party: what was asked for or issued after an earlier one settles nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from rules import conditions
from rules.values import Text, format_day
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.extensions import db
from webapp.models import Case, Letter, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import committees, history, letters, submissions
from webapp.queries.org import chart
from webapp.services import decisions, dispatch, duties, effects, evaluation, events, hearings, notices, steps
from webapp.services.hearings import Heard
from workflows.service import fill

LETTER = "certificate"
ASKED, ISSUED = "certificate_asked", "certificate_issued"
#: 鄉鎮市調解條例 30: within seven days of the request
DAYS = timedelta(days=7)
#: who writes it, in the units of their seats and below
WRITERS = ("officer", "legal_officer", "section_head", "department_head")
_CALLED = Text(zh="證明書", en="certificate")


@dataclass(frozen=True)
class Standing:
    """What may be certified of the last hearing of a case, and what has been."""

    item_id: int
    called: Text
    people: list[Heard]
    #: by party
    issued: Mapping[str, Letter]
    #: the applicant's request, and the last day to answer it
    asked_on: date | None

    @property
    def due_on(self) -> date | None:
        return self.asked_on + DAYS if self.asked_on else None

    def of(self, key: str) -> Letter | None:
        return self.issued.get(key)


def standing(case: Case) -> Standing | None:
    """None where nothing can be certified: no such letter, nothing heard, settled, or it goes on."""
    template = steps.context(case).service.letters.get(LETTER)
    heard = committees.last_heard(case.id) if template is not None else None
    if template is None or heard is None or heard[0].hearing is None or heard[0].result != "reject":
        return None
    if committees.open_item(case) is not None:
        return None
    item, session = heard
    since = session.approved_at or session.starts_at
    asked = [event.at for event in history.that_stand(case.id) if event.kind == ASKED and event.at >= since]
    return Standing(
        item.id,
        template.title or _CALLED,
        hearings.heard(case),
        {
            each.content["for"]: each
            for each in letters.of_case(case.id)
            if each.kind == LETTER and each.issued_on >= taipei_day(since)
        },
        taipei_day(asked[-1]) if asked else None,
    )


def ask(actor: Actor, case: Case, now: datetime) -> None:
    """By the applicant. Asked twice is asked once."""
    if not actor.may("ask_certificate"):
        raise Forbidden(Text(zh="只有申請人可以聲請。", en="Only the applicant may ask for it."))
    db.session.refresh(case, with_for_update={"key_share": True})
    found = standing(case)
    if found is None:
        raise NotFound()
    if found.asked_on is not None or found.of(hearings.APPLICANT) is not None:
        return
    events.record(actor, case, ASKED, now, from_state=case.state)
    db.session.flush()
    day = taipei_day(now) + DAYS
    number = case.number or ""
    notices.tell_staff(
        _writers(case, now),
        f"{ASKED}:{case.public_id}:{found.item_id}",
        Text(zh=f"聲請{found.called.zh}：{number}", en=f"{found.called.in_('en')} asked for: {number}"),
        Text(
            zh=f"{number} 的申請人聲請{found.called.zh}，請於{format_day(day, 'zh')}前在案件頁發給。",
            en=f"The applicant of {number} asks for it. Please issue it on the case page by {format_day(day, 'en')}.",
        ),
        now,
        case.id,
    )


def _writers(case: Case, now: datetime) -> set[int]:
    """Whoever worked on the case and still may write it; else everybody of the unit who may."""
    today = taipei_day(now)
    able = {
        person
        for function in WRITERS[:2]
        for person, _for in duties.hands(case.handling_unit_id, function, today)
    }
    worked = db.session.scalars(select(Task.done_by_id).where(Task.case_id == case.id)).all()
    return able & {who for who in worked if who is not None} or able


def may_issue(actor: Actor, case: Case) -> bool:
    mandate = duties.mandate_over(actor, WRITERS, case.handling_unit_id)
    return mandate is not None and not duties.is_party(case, actor.account_id, mandate.acting_for_id)


def issue(actor: Actor, case: Case, key: str, now: datetime) -> Letter:
    """One to each party who asks; by whoever works on the case."""
    if not may_issue(actor, case):
        raise Forbidden(
            Text(zh="由承辦單位的人員發給，並應迴避自己的案件。", en="The handling unit issues it.")
        )
    db.session.refresh(case, with_for_update={"key_share": True})
    found = standing(case)
    person = next((each for each in found.people if each.key == key), None) if found else None
    if found is None or person is None:
        raise NotFound()
    if (before := found.of(key)) is not None:
        raise Conflict(
            Text(
                zh=f"已發給{person.name}：{before.number}。", en=f"Issued to {person.name}: {before.number}."
            )
        )
    mandate = duties.mandate_over(actor, WRITERS, case.handling_unit_id)
    by = decisions.Decider(
        actor, mandate.function if mandate else "", mandate.acting_for_id if mandate else None
    )
    letter = _write(by, case, person, found.called, now)
    events.record(
        actor,
        case,
        ISSUED,
        now,
        from_state=case.state,
        acting_for_id=by.acting_for_id,
        payload={"comment": f"{letter.number}　{person.name}"},
    )
    if person.is_applicant:
        said = {"called": found.called.in_(case.language), "sent": letter.number}
        notices.notify(case, "certificate", now, occasion=letter.public_id, words=said)
    return letter


def _write(by: decisions.Decider, case: Case, person: Heard, called: Text, now: datetime) -> Letter:
    ctx, today = steps.context(case), taipei_day(now)
    template, answers = ctx.service.letters[LETTER], submissions.application(case.id).all_answers
    words = decisions.words(ctx, answers, "", today)
    facts = evaluation.facts_of(case, ctx.service, ctx.form, answers)
    paragraphs = [
        fill(each.text.zh, words) for each in template.paragraphs if conditions.holds(each.when, facts)
    ]
    content = decisions.plain_letter(
        ctx, called.zh, fill(template.subject.zh, words), paragraphs, person
    ) | by.signs(case, today)
    decisions.require_printable(content)
    channel = (
        dispatch.default_channel(case) if person.is_applicant else "post" if person.address else "counter"
    )
    letter = Letter(
        case_id=case.id,
        kind=LETTER,
        number=decisions.next_number_of(chart().units[case.owner_unit_id], today),
        issued_on=today,
        issued_by_id=by.actor.account_id,
        content=content,
        channel=channel,
    )
    db.session.add(letter)
    db.session.flush()
    effects.enqueue(effects.effect("letter", letter.public_id, now, case_id=case.id, letter_id=letter.id))
    return letter
