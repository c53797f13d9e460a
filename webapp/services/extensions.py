"""展期 (行政程序法 51 III, IV): asked before the limit ends, approved by the level that the rules name, told at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, or_, select

from rules.decision import Decision
from rules.values import Text, format_day
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Account, Case, Clock, ExtensionRequest
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, visible_to
from webapp.queries import definitions
from webapp.queries.org import Mandate, chart
from webapp.services import alarms, cases, clocks, duties, evaluation, events, extension_requests, notices
from webapp.services.clocks import Longer
from workflows.service import Extension

RULESET = "extension_approval"
APA_51 = Text(zh="行政程序法第51條", en="Administrative Procedure Act, article 51,")
#: from level to level upwards: nobody approves what they asked for
LEVELS = ("section_head", "department_head", "secretary_general", "magistrate")
#: what the ledger keeps of a reason
LONGEST_REASON = 200

_WAITS = Text(zh="展期待核定：{number}", en="An extension waits for you: {number}")
_ANSWERS = {
    True: Text(zh="展期已核准：{number}", en="Your extension is approved: {number}"),
    False: Text(zh="展期未獲同意：{number}", en="Your extension is refused: {number}"),
}
_UNTIL = Text(zh="{service}，展期至 {day}。{answer}", en="{service}, extension until {day}. {answer}")
_NOT_YOURS = Text(zh="這件展期不是由您核定。", en="This extension is not yours to decide.")


class NotExtensible(Refused):
    """Every reason why an extension cannot be asked for or approved."""

    def __init__(self, problems: Sequence[Text]) -> None:
        self.problems = tuple(problems)
        en = " ".join(problem.in_("en") for problem in problems)
        super().__init__(Text(zh="；".join(problem.zh for problem in problems), en=en))


# --- asking -----------------------------------------------------------------------------------------------


def asker(actor: Actor, case: Case) -> Mandate | None:
    """The mandate in which the actor may ask: an officer of the handling unit, or the deputy of one."""
    mandate = duties.mandate_over(actor, ("officer",), case.handling_unit_id)
    if mandate is None or duties.is_party(case, actor.account_id, mandate.acting_for_id):
        return None
    return mandate


def may_ask(actor: Actor, case: Case) -> bool:
    """Whether the page offers it; `ask` says why not."""
    return (
        case.status == "open"
        and definitions.service(case.service_revision_id).extension is not None
        and asker(actor, case) is not None
        and extension_requests.open_of(case.id) is None
        and not _used_up(case)
    )


@dataclass(frozen=True)
class Foreseen:
    """What an extension would do, and who would have to approve it."""

    due_before: date
    longer: Longer
    function: str
    decision: Decision
    ruleset_revision_id: int


def foresee(
    actor: Actor, case: Case, days: int, reason: str, now: datetime, *, version: int
) -> tuple[Mandate, Foreseen]:
    """Everything that `ask` checks, and nothing of what it writes."""
    mandate = duties.mandate_over(actor, ("officer",), case.handling_unit_id)
    if mandate is None:
        raise Forbidden(
            Text(
                zh="只有承辦單位的承辦人可以申請展期。",
                en="Only an officer of the handling unit may ask for it.",
            )
        )
    duties.require_stranger(case, actor.account_id, mandate.acting_for_id)
    _hold(case, version)
    before = extension_requests.open_of(case.id)
    if before is not None:
        name = chart().names[before.asked_by_id]
        raise Conflict(
            Text(
                zh=f"{name}已申請展期，正在等候核定。",
                en=f"{name} has already asked for an extension; it waits for approval.",
            )
        )
    clock = clocks.of_case(case.id)
    problems = _problems(case, clock, days, reason, now)
    if problems:
        raise NotExtensible(problems)
    longer = clocks.if_extended(clock, case, days, now, reason.strip())
    decision, revision = _level(case, longer.working_days, now)
    return mandate, Foreseen(clock.due_on, longer, _named(decision), decision, revision)


def ask(actor: Actor, case: Case, days: int, reason: str, now: datetime, *, version: int) -> ExtensionRequest:
    """One open request a case: the second asker is told who was faster."""
    mandate, foreseen = foresee(actor, case, days, reason, now, version=version)
    function, unit_id, people = _approvers(
        case, foreseen.function, {actor.account_id, mandate.acting_for_id}, now
    )
    request = ExtensionRequest(
        case_id=case.id,
        days=days,
        reason=reason.strip(),
        asked_by_id=actor.account_id,
        asked_for_id=mandate.acting_for_id,
        asked_at=now,
        function=function,
        unit_id=unit_id,
        working_days=foreseen.longer.working_days,
        ruleset_revision_id=foreseen.ruleset_revision_id,
        due_before=foreseen.due_before,
        due_after=foreseen.longer.due,
    )
    db.session.add(request)
    clock_id = clocks.of_case(case.id).id
    evaluation.keep(case.id, foreseen.decision, foreseen.ruleset_revision_id, now, clock_id)
    _record(actor, case, "extension_asked", now, mandate.acting_for_id, request.reason)
    _tell(people, "asked", case, request, _WAITS, now)
    return request


def _problems(case: Case, clock: Clock, days: int, reason: str, now: datetime) -> tuple[Text, ...]:
    if case.status == "closed":
        return (Text(zh="案件已結案，不需要展期。", en="The case is closed."),)
    limit = definitions.service(case.service_revision_id).extension
    if limit is None:
        return (Text(zh="這個申辦項目不得展期。", en="This service allows no extension."),)
    if len(reason.strip()) > LONGEST_REASON:
        return (
            Text(
                zh=f"理由最多 {LONGEST_REASON} 字。",
                en=f"The reason has at most {LONGEST_REASON} characters.",
            ),
        )
    return clocks.extension_problems(clock, case, limit, days, reason, now)


def _level(case: Case, working_days: int, now: datetime) -> tuple[Decision, int]:
    """Who approves so many working days, and by which revision of the ruleset."""
    facts = {"service.code": case.service_code, "case.extension_days": working_days}
    return evaluation.decide(RULESET, facts, taipei_day(now))


def _named(decision: Decision) -> str:
    """Whom the rules name; the highest level where they name nobody."""
    named = [o.params["function"] for o in decision.outcomes if o.action == "require_approval"]
    return named[0] if named else LEVELS[-1]


def _approvers(
    case: Case, function: str, askers: set[int | None], now: datetime
) -> tuple[str, int, set[int]]:
    """The level with somebody who is there and may decide, upwards from the one that the rules name; and who."""
    today, tree = taipei_day(now), chart()
    above = LEVELS[LEVELS.index(function) :] if function in LEVELS else (function,)
    barred = askers | duties.party_of(case)
    for level in above:
        unit_id, _seats = tree.holders(case.handling_unit_id, level, today)
        people = {
            person
            for person, for_id in duties.hands(unit_id, level, today)
            if barred.isdisjoint({person, for_id} - {None}) and not tree.is_absent(person, today)
        }
        if people:
            return level, unit_id, people
    unit_id, _seats = tree.holders(case.handling_unit_id, above[0], today)
    alarms.vacant(tree.units[unit_id], above[0], now)
    return above[0], unit_id, set()


def _tell(
    people: set[int], what: str, case: Case, request: ExtensionRequest, subject: Text, now: datetime
) -> None:
    service = definitions.service(case.service_revision_id).title
    for account in db.session.scalars(select(Account).where(Account.id.in_(people)).order_by(Account.id)):
        lang = account.language
        until = format_day(request.due_after, lang)
        notices.post(
            f"extension:{request.public_id}:{what}:{account.id}",
            "inbox",
            account.email or account.name,
            subject.in_(lang).format(number=case.number),
            _UNTIL.in_(lang).format(service=service.in_(lang), day=until, answer=request.answer or ""),
            now,
            case_id=case.id,
            account_id=account.id,
        )


# --- deciding ---------------------------------------------------------------------------------------------


def if_approved(request: ExtensionRequest, case: Case, now: datetime) -> Longer:
    """What approval would do now: the clock may have moved since it was asked for."""
    return clocks.if_extended(clocks.of_case(case.id), case, request.days, now, request.reason)


def visible(actor: Actor, public_id: str) -> tuple[ExtensionRequest, Case]:
    found = db.session.execute(
        select(ExtensionRequest, Case)
        .join(Case, Case.id == ExtensionRequest.case_id)
        .where(ExtensionRequest.public_id == public_id, visible_to(actor))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def decider(actor: Actor, request: ExtensionRequest, case: Case) -> Mandate | None:
    """The mandate in which the actor may decide; never a party, who asked, nor for whom it was asked."""
    mandate = _mandate_to_decide(actor, request)
    if mandate is None or duties.is_party(case, actor.account_id, mandate.acting_for_id):
        return None
    return mandate


def _mandate_to_decide(actor: Actor, request: ExtensionRequest) -> Mandate | None:
    mandate = duties.mandate_over(actor, (request.function,), request.unit_id)
    if mandate is None:
        return None
    people = {actor.account_id, mandate.acting_for_id} - {None}
    return None if people & {request.asked_by_id, request.asked_for_id} else mandate


def decide(
    actor: Actor, request: ExtensionRequest, case: Case, now: datetime, *, approve: bool, answer: str
) -> None:
    """Approval moves the clock and tells the applicant why, until when, and what they may do (51 IV)."""
    db.session.refresh(case, with_for_update={"key_share": True})
    db.session.refresh(request)
    if request.state != "open":
        raise _decided(request)
    mandate = _mandate_to_decide(actor, request)
    if mandate is None:
        raise Forbidden(_NOT_YOURS)
    duties.require_stranger(case, actor.account_id, mandate.acting_for_id)
    answer = answer.strip()
    if not approve and not answer:
        raise NotExtensible((Text(zh="請寫明不同意的理由。", en="Say why you refuse."),))
    if approve:
        _extend(actor, request, case, now)
    request.state = "approved" if approve else "refused"
    request.decided_by_id, request.decided_for_id = actor.account_id, mandate.acting_for_id
    request.decided_at, request.answer = now, answer or None
    db.session.flush()
    kind = "extension_approved" if approve else "extension_refused"
    _record(actor, case, kind, now, mandate.acting_for_id, answer)
    _tell({request.asked_by_id}, "decided", case, request, _ANSWERS[approve], now)
    if approve:
        limit = definitions.service(case.service_revision_id).extension
        law = (limit.basis if limit is not None else None) or APA_51
        notices.notify(
            case,
            "extended",
            now,
            comment=request.reason,
            on_date=case.due_on,
            occasion=request.public_id,
            words={"law": law.in_(case.language)},
        )


def _extend(actor: Actor, request: ExtensionRequest, case: Case, now: datetime) -> None:
    clock = clocks.of_case(case.id)
    problems = _problems(case, clock, request.days, request.reason, now)
    if problems:
        raise NotExtensible(problems)
    clocks.move(actor, case, clock, "extend", now, days=request.days, reason=request.reason)
    request.due_after = clock.due_on


def _decided(request: ExtensionRequest) -> Conflict:
    who = chart().names.get(request.decided_by_id or 0, "")
    if request.state == "lapsed":
        return Conflict(
            Text(
                zh="這件展期在期限屆滿或結案前沒有核定，已經失效。",
                en="This extension was not decided in time and is void.",
            )
        )
    if request.state == "withdrawn":
        return Conflict(Text(zh="申請人員已收回這件展期。", en="This extension was taken back by who asked."))
    return Conflict(
        Text(zh=f"這件展期已由{who}核定，請重新載入頁面。", en=f"{who} has already decided this extension.")
    )


# --- lapsing ----------------------------------------------------------------------------------------------


def to_lapse(today: date) -> Iterator[int]:
    """Open requests of closed cases, and of limits that have passed."""
    passed = and_(Clock.state != "paused", Clock.due_on < today)
    yield from db.session.scalars(
        select(ExtensionRequest.id)
        .join(Case, Case.id == ExtensionRequest.case_id)
        .join(Clock, and_(Clock.case_id == Case.id, Clock.task_id.is_(None)))
        .where(ExtensionRequest.state == "open", or_(Case.status == "closed", passed))
        .order_by(ExtensionRequest.id)
    ).all()


def lapse(request_id: int, now: datetime) -> None:
    """Nobody decided in time: after expiry there is no extension any more."""
    request = db.session.get_one(ExtensionRequest, request_id)
    case = db.session.get_one(
        Case, request.case_id, with_for_update={"key_share": True}, populate_existing=True
    )
    db.session.refresh(request)
    if request.state != "open":
        return
    extension_requests.end(SYSTEM, case, request, "lapsed", now)


def take_back(actor: Actor, request: ExtensionRequest, case: Case, now: datetime) -> None:
    """Who asked needs the time no more: the request ends before somebody decides it."""
    db.session.refresh(case, with_for_update={"key_share": True})
    db.session.refresh(request)
    if request.state != "open":
        raise _decided(request)
    if not is_mine(actor, request):
        raise Forbidden(
            Text(zh="只有申請展期的人可以收回。", en="Only who asked for the extension may take it back.")
        )
    extension_requests.end(actor, case, request, "withdrawn", now)


def is_mine(actor: Actor, request: ExtensionRequest) -> bool:
    """Asked by the actor, or for them by their deputy."""
    return actor.account_id in (request.asked_by_id, request.asked_for_id)


# --- reading ----------------------------------------------------------------------------------------------


def of_case(case_id: int) -> list[ExtensionRequest]:
    asked = select(ExtensionRequest).where(ExtensionRequest.case_id == case_id)
    return list(db.session.scalars(asked.order_by(ExtensionRequest.id)))


def limit_of(case: Case) -> Extension | None:
    return definitions.service(case.service_revision_id).extension


def awaiting(actor: Actor) -> list[tuple[ExtensionRequest, Case]]:
    """What the actor may decide now, the nearest limit first."""
    functions = {mandate.function for mandate in actor.mandates}
    if not functions:
        return []
    rows = db.session.execute(
        select(ExtensionRequest, Case)
        .join(Case, Case.id == ExtensionRequest.case_id)
        .where(
            ExtensionRequest.state == "open",
            ExtensionRequest.function.in_(functions),
            Case.status == "open",
            visible_to(actor),
        )
        .order_by(ExtensionRequest.due_before, ExtensionRequest.id)
    )
    return [(request, case) for request, case in rows if decider(actor, request, case) is not None]


def _used_up(case: Case) -> bool:
    limit = limit_of(case)
    given = sum(movement.kind == "extend" for movement in clocks.of_case(case.id).movements)
    return limit is None or given >= limit.times


def _hold(case: Case, version: int) -> None:
    db.session.refresh(case, with_for_update={"key_share": True})
    if case.version != version:
        raise cases.overtaken(case)


def _record(
    actor: Actor, case: Case, kind: str, now: datetime, acting_for_id: int | None, comment: str
) -> None:
    events.record(
        actor,
        case,
        kind,
        now,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"comment": comment},
    )
