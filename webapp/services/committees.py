"""Committees: how they decide, who sits in them, their results, and minutes that decide the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from rules.values import Text, format_day, format_roc_date
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    AgendaItem,
    AuditEntry,
    Case,
    Committee,
    CommitteeMember,
    CommitteeSession,
)
from webapp.models.committees import RESULTS
from webapp.moments import taipei, taipei_day
from webapp.permissions import Actor
from webapp.queries import committees as queries
from webapp.queries import definitions
from webapp.queries.audit import last_hand
from webapp.queries.org import chart
from webapp.services import cases, duties, effects, hearings, tallies
from webapp.services.deliberation import Deciding, count_words, deciding
from webapp.services.hearings import Hearing
from webapp.services.steps import Given
from workflows.engine import WorkflowError

#: results that say nothing without words
NEEDS_REMARK = frozenset({"pass_with_changes", "defer", "reject"})
LONGEST_NAME = 60
_ALREADY = Text(zh="這個人在這段期間已經是委員。", en="This person is a member in these days already.")
_SECOND_CHAIR = Text(
    zh="這段期間已經有主席，請先結束原主席的任期。",
    en="There is a chair in these days already; end that term first.",
)
TRANSITIONS = {result: f"committee_{result}" for result in RESULTS}


# --- setting up ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """How a committee decides. With a line to pass it scores, by consent it mediates, else it votes."""

    quorum: str = "majority"
    pass_score: Decimal | None = None
    #: score mode: the answer that says how much money is asked for
    amount_field: str | None = None
    #: vote mode: as many for as against, and the chair decides
    chair_breaks_ties: bool = False
    #: 調解: the parties decide, by their own quorum, and nobody votes or scores
    consent: bool = False

    def put_into(self, committee: Committee) -> None:
        committee.mode = "consent" if self.consent else "vote" if self.pass_score is None else "score"
        committee.quorum = "three" if self.consent else self.quorum
        committee.pass_score = None if self.consent else self.pass_score
        committee.amount_field = None if self.consent else self.amount_field
        committee.chair_breaks_ties = self.chair_breaks_ties and committee.mode == "vote"


def rules_of(committee: Committee) -> Rules:
    return Rules(
        "majority" if committee.mode == "consent" else committee.quorum,
        committee.pass_score,
        committee.amount_field,
        committee.chair_breaks_ties,
        committee.mode == "consent",
    )


def create(
    actor: Actor,
    unit_id: int,
    name: Text,
    service_codes: Sequence[str],
    now: datetime,
    **rules: Any,
) -> Committee:
    """`rules` are those of Rules."""
    require_secretary(actor, unit_id)
    committee = Committee(
        unit_id=unit_id, name_zh=name.zh, name_en=name.in_("en"), service_codes=sorted(set(service_codes))
    )
    Rules(**rules).put_into(committee)
    db.session.add(committee)
    db.session.flush()
    audit(actor, "committee_created", committee.public_id, now)
    return committee


def edit(
    actor: Actor,
    committee: Committee,
    name: Text,
    service_codes: Sequence[str],
    rules: Rules,
    now: datetime,
    *,
    version: int,
) -> None:
    """Names and services at any time; how it decides only between sessions, since ballots are counted by it."""
    _hold_committee(actor, committee, version)
    if rules != rules_of(committee) and _unfinished(committee):
        raise Refused(
            Text(
                zh="還有會議的紀錄沒有核定，審議方式、開會人數、及格分數與主席裁決要等紀錄核定後才能更改。",
                en="Minutes of a session are not approved yet; until then its way of deciding cannot be changed.",
            )
        )
    committee.name_zh, committee.name_en = name.zh, name.in_("en")
    committee.service_codes = sorted(set(service_codes))
    rules.put_into(committee)
    db.session.flush()
    audit(actor, "committee_changed", committee.public_id, now)


def close(actor: Actor, committee: Committee, now: datetime, *, version: int) -> None:
    """No case may be left before it. What it decided stays; it can be opened again."""
    _hold_committee(actor, committee, version)
    waiting, unfinished = len(queries.waiting(committee)), len(_unfinished(committee))
    if waiting or unfinished:
        raise Refused(
            Text(
                zh=f"還有 {waiting} 件案件等候審議、{unfinished} 次會議的紀錄沒有核定，不能停止受理。"
                "請先開完會，或由承辦人把案件收回。",
                en=f"{waiting} cases wait and the minutes of {unfinished} sessions are not approved. "
                "Hold the session first, or let the officers take the cases back.",
            )
        )
    committee.closed_at = committee.closed_at or now
    db.session.flush()
    audit(actor, "committee_closed", committee.public_id, now)


def reopen(actor: Actor, committee: Committee, now: datetime, *, version: int) -> None:
    _hold_committee(actor, committee, version)
    committee.closed_at = None
    db.session.flush()
    audit(actor, "committee_reopened", committee.public_id, now)


def _unfinished(committee: Committee) -> list[CommitteeSession]:
    return [session for session in queries.sessions(committee) if session.state in ("planned", "held")]


# --- who sits in it -----------------------------------------------------------------------------------------


def appoint(
    actor: Actor,
    committee: Committee,
    account_id: int,
    starts_on: date,
    now: datetime,
    ends_on: date | None = None,
    *,
    votes: bool = True,
    chairs: bool = False,
) -> CommitteeMember:
    """Somebody of the staff."""
    if account_id not in chart().names:
        raise Refused(Text(zh="請選擇人員。", en="Choose a person."))
    member = CommitteeMember(
        account_id=account_id, starts_on=starts_on, ends_on=ends_on, votes=votes, chairs=chairs
    )
    return _seat(actor, committee, member, now)


def appoint_outside(
    actor: Actor,
    committee: Committee,
    name: str,
    organisation: str,
    starts_on: date,
    now: datetime,
    ends_on: date | None = None,
    *,
    votes: bool = True,
    chairs: bool = False,
) -> CommitteeMember:
    """外聘委員: an expert without an account; the secretary enters their ballots and conflicts of interest."""
    name, organisation = name.strip(), organisation.strip()
    if not 0 < len(name) <= LONGEST_NAME or not 0 < len(organisation) <= LONGEST_NAME:
        raise Refused(
            Text(
                zh=f"請填寫外聘委員的姓名與服務單位，各最多 {LONGEST_NAME} 字。",
                en=f"Give the name and the organisation, at most {LONGEST_NAME} characters each.",
            )
        )
    there = queries.terms(committee)
    if any(row.is_outside and row.name == name and _overlap(row, starts_on, ends_on) for row in there):
        raise Conflict(_ALREADY)
    member = CommitteeMember(
        name=name, organisation=organisation, starts_on=starts_on, ends_on=ends_on, votes=votes, chairs=chairs
    )
    return _seat(actor, committee, member, now)


def _overlap(member: CommitteeMember, first: date, last: date | None) -> bool:
    return (last is None or member.starts_on <= last) and (member.ends_on is None or first <= member.ends_on)


def _seat(actor: Actor, committee: Committee, member: CommitteeMember, now: datetime) -> CommitteeMember:
    require_secretary(actor, committee.unit_id)
    db.session.refresh(committee, with_for_update={"key_share": True})
    _check_term(member.starts_on, member.ends_on)
    if member.chairs and not member.votes:
        raise Refused(Text(zh="主席須有表決權。", en="The chair has a vote."))
    _still_open(committee, member.starts_on, member.ends_on)
    member.committee_id = committee.id
    db.session.add(member)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict(_SECOND_CHAIR if "one_chair" in str(error) else _ALREADY) from None
    audit(actor, "committee_member_appointed", f"{committee.public_id} {member.id}", now)
    return member


def end_term(
    actor: Actor, committee: Committee, member_id: int, ends_on: date | None, now: datetime
) -> CommitteeMember:
    """The last day of a term, or no end; what the member decided before stays."""
    require_secretary(actor, committee.unit_id)
    db.session.refresh(committee, with_for_update={"key_share": True})
    member = queries.term(committee, member_id)
    if member is None:
        raise NotFound()
    _check_term(member.starts_on, ends_on)
    was = member.ends_on
    if ends_on != was:
        first, last = sorted((was or date.max, ends_on or date.max))
        _still_open(committee, first + timedelta(days=1), None if last == date.max else last)
    member.ends_on = ends_on
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict(_SECOND_CHAIR if "one_chair" in str(error) else _ALREADY) from None
    audit(actor, "committee_term_changed", f"{committee.public_id} {member.id} {ends_on or ''}", now)
    return member


def _check_term(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise Refused(Text(zh="任期結束不能早於開始。", en="The term cannot end before it begins."))


def _still_open(committee: Committee, first: date, last: date | None) -> None:
    """Who sat in a session whose results are recorded changes no more: its quorum was counted from them."""
    for session in queries.recorded(committee):
        day = taipei_day(session.starts_at)
        if first <= day and (last is None or day <= last):
            raise Refused(
                Text(
                    zh=f"{format_day(day, 'zh')}的會議已經記錄決議，那一天的委員不能再變動。請改填那一天之後的日期。",
                    en=f"The results of the session on {format_day(day, 'en')} are recorded; "
                    "who sat in it changes no more. Choose dates after it.",
                )
            )


# --- results and minutes ------------------------------------------------------------------------------------


def record(
    actor: Actor,
    session: CommitteeSession,
    results: Mapping[str, tuple[str, str]],
    now: datetime,
    *,
    version: int,
    casting: Mapping[str, str] | None = None,
    heard: Mapping[str, Hearing] | None = None,
) -> None:
    """The result of every item, as far as the count allows it, and the draft of the minutes. May be done again.

    `casting` is how the chair decided items with as many for as against: yes or no. `heard` is who came where the
    parties decide.
    """
    hold(session, version)
    require_secretary(actor, session.committee.unit_id)
    if session.state == "minutes_approved":
        raise Refused(
            Text(zh="紀錄已核定，不能再修改。", en="The minutes are approved and stay as they are.")
        )
    if session.state == "cancelled":
        raise Refused(Text(zh="會議已取消。", en="The session was cancelled."))
    if now < session.starts_at:
        raise Refused(Text(zh="會議還沒有開始。", en="The session has not begun yet."))
    if heard and session.committee.mode != "consent":
        raise Refused(
            Text(zh="這個委員會以表決或評分決定，不能記為調解。", en="This committee votes or scores.")
        )
    for item, _case in queries.agenda(session):
        item.casting_vote = (casting or {}).get(item.public_id) or None
    db.session.flush()
    decided = deciding(session)
    for each in decided:
        duties.require_stranger(each.case, actor.account_id)
        _check_casting(each)
        result, remark = results.get(each.item.public_id, ("", ""))
        _check_result(each, result, remark)
        if session.committee.mode == "consent":
            said = (heard or {}).get(each.item.public_id, Hearing())
            hearings.require_recordable(each, said, result, remark, taipei_day(session.starts_at))
            hearings.put_into(each.item, each.case, said, result)
        each.item.result, each.item.remark = result, remark.strip() or None
    minutes = _minutes(session, decided)
    session.state, session.drafted_by_id, session.minutes = "held", actor.account_id, minutes
    db.session.flush()
    audit(actor, "committee_results_recorded", session.public_id, now)


def _check_casting(each: Deciding) -> None:
    if each.item.casting_vote and not each.count.casting:
        number = each.case.number
        raise Refused(
            Text(
                zh=f"{number} 沒有可否同數，或主席不能參與，不能由主席裁決。",
                en=f"{number} is no tie that the chair may decide.",
            )
        )


def _check_result(each: Deciding, result: str, remark: str) -> None:
    number, verdict = each.case.number, each.count.verdict
    if result not in RESULTS:
        raise Refused(Text(zh=f"請選擇 {number} 的決議。", en=f"Choose the result of {number}."))
    if result not in tallies.ALLOWED[verdict]:
        why = tallies.WHY[verdict]
        raise Refused(
            Text(
                zh=f"{number}：{why.zh}，不能記為「{tallies.LABELS[result].zh}」。",
                en=f"{number}: {why.in_('en')}, so “{tallies.LABELS[result].in_('en')}” cannot be recorded.",
            )
        )
    if verdict != "consent" and result in NEEDS_REMARK and not remark.strip():
        raise Refused(
            Text(zh=f"請寫明 {number} 的修正內容或理由。", en=f"Give changes or reason of {number}.")
        )


def approve(actor: Actor, session: CommitteeSession, now: datetime, *, version: int) -> None:
    """Another person than the secretary approves the minutes; every case then takes its way.

    All of them in one transaction: the minutes are one act, and by rank and budget each result depends on the others.
    """
    hold(session, version)
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
    audit(actor, "committee_minutes_approved", session.public_id, now)
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
    members = queries.members(committee, taipei_day(session.starts_at)).values()
    called = {row.id: row.called for row in queries.terms(committee)}
    applicants = queries.applicants([each.case.id for each in decided])
    starts = taipei(session.starts_at)
    return {
        "committee": committee.name_zh,
        "unit": chart().units[committee.unit_id].zh,
        "when": f"{format_roc_date(starts.date())} {starts.strftime('%H:%M')}",
        "place": session.place,
        "members": [_in_minutes(member) for member in members if member.votes],
        "advisers": [_in_minutes(member) for member in members if not member.votes],
        "secretary": names.get(session.secretary_id, ""),
        "budget": str(session.budget) if session.budget is not None else "",
        "items": [
            {
                "number": each.case.number,
                "title": definitions.service(each.case.service_revision_id).title.zh,
                "applicant": applicants.get(each.case.id, ""),
                "away": [called[who] for who in each.conflicts],
                "count": count_words(each, "zh"),
                "result": tallies.labels(committee.mode)[each.item.result or ""].zh,
                "remark": each.item.remark or "",
                "by_consent": committee.mode == "consent",
                "continues_on": format_roc_date(each.item.continues_on) if each.item.continues_on else "",
            }
            for each in decided
        ],
    }


def _in_minutes(member: CommitteeMember) -> str:
    about = [*(["主席"] if member.chairs else []), *([member.organisation] if member.organisation else [])]
    return member.called + (f"（{'，'.join(about)}）" if about else "")


# --- what all of them need ----------------------------------------------------------------------------------


def hold(session: CommitteeSession, version: int) -> None:
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


def _hold_committee(actor: Actor, committee: Committee, version: int) -> None:
    """Nobody puts a case on its agenda meanwhile."""
    require_secretary(actor, committee.unit_id)
    db.session.flush()
    db.session.refresh(committee, with_for_update=True)
    if committee.version != version:
        who = last_hand(committee.public_id)
        raise Conflict(
            Text(
                zh=f"委員會的設定剛剛由{who or '別人'}修改，您的輸入沒有送出，請重新載入。",
                en=f"{who or 'Somebody else'} has just changed this committee. Nothing was sent; reload.",
            )
        )


def require_secretary(actor: Actor, unit_id: int) -> None:
    if unit_id not in queries.units_of(actor, "run_committees"):
        raise Forbidden(
            Text(zh="只有委員會秘書可以辦理會議。", en="Only the committee's secretary runs its sessions.")
        )


def audit(actor: Actor, action: str, subject: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))
    db.session.flush()
