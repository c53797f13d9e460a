"""Sessions of a committee: the agenda, conflicts of interest, ballots, results, and minutes that decide the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import delete, select, update

from rules.values import Text, format_roc_date
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    AgendaItem,
    AuditEntry,
    Ballot,
    Case,
    Committee,
    CommitteeMember,
    CommitteeSession,
    ConflictOfInterest,
)
from webapp.models.committees import RESULTS
from webapp.moments import taipei, taipei_day
from webapp.permissions import Actor
from webapp.queries import committees as queries
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import cases, duties, effects, tallies
from webapp.services.steps import Given
from webapp.services.tallies import Count
from workflows.engine import WorkflowError

LABELS: dict[str, Text] = {
    "pass": Text(zh="通過", en="Pass"),
    "pass_with_changes": Text(zh="修正後通過", en="Pass with changes"),
    "defer": Text(zh="緩議", en="Defer"),
    "reject": Text(zh="不通過", en="Reject"),
}
#: results that say nothing without words
NEEDS_REMARK = frozenset({"pass_with_changes", "defer", "reject"})
TRANSITIONS = {result: f"committee_{result}" for result in RESULTS}


@dataclass(frozen=True)
class Deciding:
    """An item with everybody who may decide it, and how the count stands."""

    item: AgendaItem
    case: Case
    eligible: frozenset[int]
    conflicts: Mapping[int, str]
    count: Count
    amount: Decimal


# --- setting up ---------------------------------------------------------------------------------------------


def create(
    actor: Actor,
    unit_id: int,
    name: Text,
    service_codes: Sequence[str],
    now: datetime,
    *,
    quorum: str = "majority",
    pass_score: Decimal | None = None,
    amount_field: str | None = None,
) -> Committee:
    """With a line to pass it scores, without one it votes."""
    _require_secretary(actor, unit_id)
    committee = Committee(
        unit_id=unit_id,
        name_zh=name.zh,
        name_en=name.in_("en"),
        mode="vote" if pass_score is None else "score",
        quorum=quorum,
        pass_score=pass_score,
        amount_field=amount_field,
        service_codes=sorted(set(service_codes)),
    )
    db.session.add(committee)
    db.session.flush()
    _audit(actor, "committee_created", committee.public_id, now)
    return committee


def appoint(
    actor: Actor,
    committee: Committee,
    account_id: int,
    starts_on: date,
    now: datetime,
    ends_on: date | None = None,
) -> None:
    _require_secretary(actor, committee.unit_id)
    if account_id not in chart().names:
        raise Refused(Text(zh="請選擇人員。", en="Choose a person."))
    if account_id in queries.members(committee, starts_on):
        raise Conflict(Text(zh="這個人已經是委員。", en="This person is a member already."))
    if ends_on is not None and ends_on < starts_on:
        raise Refused(Text(zh="任期結束不能早於開始。", en="The term cannot end before it begins."))
    db.session.add(
        CommitteeMember(
            committee_id=committee.id, account_id=account_id, starts_on=starts_on, ends_on=ends_on
        )
    )
    db.session.flush()
    _audit(actor, "committee_member_appointed", f"{committee.public_id} {account_id}", now)


def plan(
    actor: Actor,
    committee: Committee,
    starts_at: datetime,
    place: str,
    items: Sequence[str],
    now: datetime,
    *,
    budget: Decimal | None = None,
) -> CommitteeSession:
    """A session with waiting cases in the order given. A case that somebody put into another session is refused."""
    _require_secretary(actor, committee.unit_id)
    if starts_at <= now or not place.strip() or not items or (budget is not None and budget < 0):
        raise Refused(
            Text(
                zh="請填寫未來的時間、地點，至少選一個案件，預算不能是負數。",
                en="Give a time to come, a place and at least one case; a budget is never negative.",
            )
        )
    db.session.refresh(committee, with_for_update={"key_share": True})
    session = CommitteeSession(
        committee_id=committee.id,
        starts_at=starts_at,
        place=place.strip(),
        budget=budget if committee.mode == "score" else None,
        secretary_id=actor.account_id or 0,
    )
    db.session.add(session)
    db.session.flush()
    alive = {item.public_id for item, _case in queries.waiting(committee)}
    for position, key in enumerate(dict.fromkeys(items), start=1):
        placed = db.session.execute(
            update(AgendaItem)
            .where(AgendaItem.public_id == key, AgendaItem.session_id.is_(None))
            .values(session_id=session.id, position=position)
            .returning(AgendaItem.id)
        ).one_or_none()
        if placed is None or key not in alive:
            raise Conflict(
                Text(
                    zh="有案件已排入別的會議或已撤回，會議沒有建立，請重新載入後再選。",
                    en="A case is in another session already or was withdrawn. Nothing was planned; reload.",
                )
            )
    db.session.expire_all()
    _audit(actor, "committee_session_planned", session.public_id, now)
    return session


# --- the members --------------------------------------------------------------------------------------------


def item_of(actor: Actor, item_id: str) -> Deciding:
    """The item for a member who may decide it. Whoever has a conflict of interest sees nothing of it."""
    item = db.session.scalars(select(AgendaItem).where(AgendaItem.public_id == item_id)).one_or_none()
    session = db.session.get(CommitteeSession, item.session_id) if item and item.session_id else None
    if item is None or session is None:
        raise NotFound()
    if actor.account_id not in queries.members(session.committee, taipei_day(session.starts_at)):
        raise NotFound()
    found = next((each for each in deciding(session) if each.item.id == item.id), None)
    if found is None:
        raise NotFound()
    if actor.account_id not in found.eligible:
        raise Forbidden(
            Text(
                zh="您對這一案應予迴避，不能閱覽或表決。", en="You have a conflict of interest in this item."
            )
        )
    return found


def declare_conflict(actor: Actor, item_id: str, account_id: int, reason: str, now: datetime) -> None:
    """迴避, by the member or by the secretary for one. A ballot that was cast before is taken away."""
    item, session = _open_item(item_id)
    day = taipei_day(session.starts_at)
    is_secretary = session.committee.unit_id in queries.units_of(actor, "run_committees")
    if account_id not in queries.members(session.committee, day):
        raise NotFound()
    if account_id != actor.account_id and not is_secretary:
        raise NotFound()
    if not reason.strip():
        raise Refused(Text(zh="請寫明迴避的原因。", en="Say why."))
    known = select(ConflictOfInterest.id).where(
        ConflictOfInterest.item_id == item.id, ConflictOfInterest.account_id == account_id
    )
    if db.session.scalars(known).first() is not None:
        return
    db.session.execute(delete(Ballot).where(Ballot.item_id == item.id, Ballot.account_id == account_id))
    db.session.add(
        ConflictOfInterest(
            item_id=item.id,
            account_id=account_id,
            reason=reason.strip(),
            declared_by_id=actor.account_id or 0,
            declared_at=now,
        )
    )
    db.session.flush()


def cast(actor: Actor, item_id: str, choice: str, now: datetime) -> None:
    """A vote or a score; until the results are recorded a member may change it."""
    item, session = _open_item(item_id)
    item_of(actor, item_id)
    choice = _checked(choice, session.committee)
    ballot = db.session.scalars(
        select(Ballot).where(Ballot.item_id == item.id, Ballot.account_id == actor.account_id)
    ).one_or_none()
    if ballot is None:
        ballot = Ballot(item_id=item.id, account_id=actor.account_id or 0, choice=choice, cast_at=now)
        db.session.add(ballot)
    ballot.choice, ballot.cast_at = choice, now
    db.session.flush()


def ballot_of(actor: Actor, item: AgendaItem) -> str:
    """The actor's own ballot, empty before they vote."""
    own = select(Ballot.choice).where(Ballot.item_id == item.id, Ballot.account_id == actor.account_id)
    return db.session.scalars(own).first() or ""


def _checked(choice: str, committee: Committee) -> str:
    if committee.mode == "vote":
        if choice in tallies.CHOICES:
            return choice
        raise Refused(Text(zh="請選擇同意、不同意或棄權。", en="Vote yes, no or abstain."))
    try:
        score = Decimal(choice.strip())
    except InvalidOperation:
        score = Decimal(-1)
    if not score.is_finite() or not 0 <= score <= tallies.HIGHEST or score != round(score, 2):
        raise Refused(
            Text(
                zh="請填 0 到 100 的分數，最多兩位小數。",
                en="Give a score from 0 to 100 with at most two decimals.",
            )
        )
    return str(score)


# --- results and minutes ------------------------------------------------------------------------------------


def deciding(session: CommitteeSession) -> list[Deciding]:
    """Every item of a session with its count. Ballots of people who may not decide it count for nothing."""
    committee = session.committee
    members = queries.members(committee, taipei_day(session.starts_at))
    agenda = queries.agenda(session)
    keys = [item.id for item, _case in agenda]
    conflicts: dict[int, dict[int, str]] = {key: {} for key in keys}
    for row in db.session.scalars(select(ConflictOfInterest).where(ConflictOfInterest.item_id.in_(keys))):
        conflicts[row.item_id][row.account_id] = row.reason
    ballots: dict[int, dict[int, str]] = {key: {} for key in keys}
    for row in db.session.scalars(select(Ballot).where(Ballot.item_id.in_(keys))):
        ballots[row.item_id][row.account_id] = row.choice
    eligible = [
        frozenset(members.keys() - conflicts[item.id].keys() - duties.party_of(case)) for item, case in agenda
    ]
    counts, amounts = [], []
    for (item, case), allowed in zip(agenda, eligible, strict=True):
        counted = [choice for who, choice in ballots[item.id].items() if who in allowed]
        amounts.append(_amount(committee, case))
        if committee.pass_score is None:
            counts.append(tallies.votes(counted, len(allowed), committee.quorum))
        else:
            counts.append(tallies.scores(counted, len(allowed), committee.quorum, committee.pass_score))
    if committee.mode == "score":
        counts = tallies.ranked(counts, amounts, session.budget)
    return [
        Deciding(item, case, allowed, conflicts[item.id], count, amount)
        for (item, case), allowed, count, amount in zip(agenda, eligible, counts, amounts, strict=True)
    ]


def _amount(committee: Committee, case: Case) -> Decimal:
    asked = cases.answers_of(case).get(committee.amount_field or "")
    return Decimal(str(asked)) if asked else Decimal()


def record(
    actor: Actor,
    session: CommitteeSession,
    results: Mapping[str, tuple[str, str]],
    now: datetime,
    *,
    version: int,
) -> None:
    """The result of every item, as far as the count allows it, and the draft of the minutes. May be done again."""
    _hold(session, version)
    _require_secretary(actor, session.committee.unit_id)
    if session.state == "minutes_approved":
        raise Refused(
            Text(zh="紀錄已核定，不能再修改。", en="The minutes are approved and stay as they are.")
        )
    if now < session.starts_at:
        raise Refused(Text(zh="會議還沒有開始。", en="The session has not begun yet."))
    decided = deciding(session)
    for each in decided:
        duties.require_stranger(each.case, actor.account_id)
        result, remark = results.get(each.item.public_id, ("", ""))
        _check_result(each, result, remark)
        each.item.result, each.item.remark = result, remark.strip() or None
    minutes = _minutes(session, decided)
    session.state, session.drafted_by_id, session.minutes = "held", actor.account_id, minutes
    db.session.flush()
    _audit(actor, "committee_results_recorded", session.public_id, now)


def _check_result(each: Deciding, result: str, remark: str) -> None:
    number, verdict = each.case.number, each.count.verdict
    if result not in RESULTS:
        raise Refused(Text(zh=f"請選擇 {number} 的決議。", en=f"Choose the result of {number}."))
    if result not in tallies.ALLOWED[verdict]:
        why = tallies.WHY[verdict]
        raise Refused(
            Text(
                zh=f"{number}：{why.zh}，不能記為「{LABELS[result].zh}」。",
                en=f"{number}: {why.in_('en')}, so “{LABELS[result].in_('en')}” cannot be recorded.",
            )
        )
    if result in NEEDS_REMARK and not remark.strip():
        raise Refused(
            Text(zh=f"請寫明 {number} 的修正內容或理由。", en=f"Give changes or reason of {number}.")
        )


def approve(actor: Actor, session: CommitteeSession, now: datetime, *, version: int) -> None:
    """Another person than the secretary approves the minutes; every case then takes its way.

    All of them in one transaction: the minutes are one act, and by rank and budget each result depends on the others.
    """
    _hold(session, version)
    if not queries.may_approve(actor, session.committee):
        raise Forbidden(
            Text(zh="只有單位主管可以核定會議紀錄。", en="Only heads of the unit approve minutes.")
        )
    if session.state != "held":
        raise Refused(
            Text(zh="要先記錄決議，而且只能核定一次。", en="Results come first, and approval happens once.")
        )
    if actor.account_id in (session.secretary_id, session.drafted_by_id):
        raise Refused(
            Text(
                zh="紀錄由您製作，請由其他主管核定。",
                en="You wrote the minutes; somebody else approves them.",
            )
        )
    agenda = sorted(queries.agenda(session), key=lambda pair: pair[1].id)
    for _item, case in agenda:
        duties.require_stranger(case, actor.account_id)
    session.state, session.approved_by_id, session.approved_at = "minutes_approved", actor.account_id, now
    db.session.execute(
        update(AgendaItem)
        .where(AgendaItem.session_id == session.id, AgendaItem.closed_at.is_(None))
        .values(closed_at=now)
    )
    db.session.flush()
    for item, case in agenda:
        db.session.refresh(case, with_for_update={"key_share": True})
        if case.status == "closed" or case.visit != item.visit:
            raise Conflict(
                Text(
                    zh=f"{case.number} 剛剛離開委員會審議，請重新載入後再核定。",
                    en=f"{case.number} has just left the committee; reload and approve again.",
                )
            )
        _take(case, item, now)
    db.session.flush()
    _audit(actor, "committee_minutes_approved", session.public_id, now)
    effects.enqueue(effects.effect("minutes", session.public_id, now, session_id=session.id))


def _take(case: Case, item: AgendaItem, now: datetime) -> None:
    name = TRANSITIONS[item.result or ""]
    try:
        cases.take_as_system(case, name, now, Given(comment=item.remark or ""))
    except WorkflowError as error:
        raise Refused(
            Text(
                zh=f"{case.number} 無法執行決議：{error.text.zh}。紀錄沒有核定。",
                en=f"{case.number} cannot take its result: {error.text.in_('en')} Nothing was approved.",
            )
        ) from error


def _minutes(session: CommitteeSession, decided: Sequence[Deciding]) -> dict[str, object]:
    """What the minutes say, frozen as it was recorded; they are official and Chinese."""
    committee, names = session.committee, chart().names
    members = queries.members(committee, taipei_day(session.starts_at))
    applicants = queries.applicants([each.case.id for each in decided])
    starts = taipei(session.starts_at)
    return {
        "committee": committee.name_zh,
        "unit": chart().units[committee.unit_id].zh,
        "when": f"{format_roc_date(starts.date())} {starts.strftime('%H:%M')}",
        "place": session.place,
        "members": list(members.values()),
        "secretary": names.get(session.secretary_id, ""),
        "budget": str(session.budget) if session.budget is not None else "",
        "items": [
            {
                "number": each.case.number,
                "title": definitions.service(each.case.service_revision_id).title.zh,
                "applicant": applicants.get(each.case.id, ""),
                "away": [names.get(who, "") for who in each.conflicts],
                "count": count_words(each.count, "zh"),
                "result": LABELS[each.item.result or ""].zh,
                "remark": each.item.remark or "",
            }
            for each in decided
        ],
    }


def count_words(count: Count, lang: str) -> str:
    """How many decided, and how."""
    heads = Text(
        zh=f"得參與 {count.eligible} 人，參與 {count.voters} 人",
        en=f"{count.voters} of {count.eligible} took part",
    )
    if count.mean is not None:
        how = Text(
            zh=f"平均 {count.shown_mean} 分，第 {count.rank} 名",
            en=f"mean {count.shown_mean}, rank {count.rank}",
        )
    else:
        how = Text(
            zh=f"同意 {count.yes}、不同意 {count.no}、棄權 {count.abstain}",
            en=f"{count.yes} yes, {count.no} no, {count.abstain} abstaining",
        )
    mark = "，" if lang != "en" else ", "
    return mark.join((heads.in_(lang), how.in_(lang), tallies.WHY[count.verdict].in_(lang)))


# --- what all of them need ----------------------------------------------------------------------------------


def _open_item(item_id: str) -> tuple[AgendaItem, CommitteeSession]:
    """The item with its session held: ballots and conflicts stop when the results are recorded."""
    item = db.session.scalars(select(AgendaItem).where(AgendaItem.public_id == item_id)).one_or_none()
    if item is None or item.session_id is None:
        raise NotFound()
    session = db.session.get_one(
        CommitteeSession, item.session_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if session.state != "planned":
        raise Refused(Text(zh="決議已經記錄，不能再表決。", en="The results are recorded; voting is over."))
    return item, session


def _hold(session: CommitteeSession, version: int) -> None:
    db.session.flush()
    db.session.refresh(session, with_for_update={"key_share": True})
    if session.version != version:
        who = chart().names.get(session.approved_by_id or session.drafted_by_id or 0, "")
        raise Conflict(
            Text(
                zh=f"這次會議剛剛由{who or '別人'}處理，您的輸入沒有送出，請重新載入。",
                en=f"This session was just changed by {who or 'somebody else'}. Nothing was sent; reload.",
            )
        )


def _require_secretary(actor: Actor, unit_id: int) -> None:
    if unit_id not in queries.units_of(actor, "run_committees"):
        raise Forbidden(
            Text(zh="只有委員會秘書可以辦理會議。", en="Only the committee's secretary runs its sessions.")
        )


def _audit(actor: Actor, action: str, subject: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))
    db.session.flush()
