"""How the items of a session stand: who may decide each of them, the count, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from rules.values import Text
from webapp.extensions import db
from webapp.models import (
    AgendaItem,
    Ballot,
    Case,
    Committee,
    CommitteeMember,
    CommitteeSession,
    ConflictOfInterest,
)
from webapp.moments import taipei_day
from webapp.queries import committees as queries
from webapp.queries import submissions
from webapp.services import duties, hearings, tallies
from webapp.services.tallies import Count


@dataclass(frozen=True)
class Deciding:
    """An item with everybody who may read and decide it, and how the count stands."""

    item: AgendaItem
    case: Case
    #: everybody who sits in the session
    members: Mapping[int, CommitteeMember]
    #: members without a conflict of interest, and those of them who vote
    present: frozenset[int]
    eligible: frozenset[int]
    conflicts: Mapping[int, str]
    count: Count
    amount: Decimal
    #: who decides when there are as many for as against; None where the statute knows no casting vote
    breaker: CommitteeMember | None

    @property
    def allowed(self) -> frozenset[str]:
        """What may be recorded as the result, whichever way the chair decides."""
        verdicts = {self.count.verdict} | ({"pass", "reject", "tie"} if self.breaker else set())
        return frozenset[str]().union(*(tallies.ALLOWED[verdict] for verdict in verdicts))


def deciding(session: CommitteeSession) -> list[Deciding]:
    """Every item of a session with its count. Ballots of people who may not decide it count for nothing."""
    committee = session.committee
    members = queries.members(committee, taipei_day(session.starts_at))
    agenda = queries.agenda(session)
    keys = [item.id for item, _case in agenda]
    conflicts: dict[int, dict[int, str]] = {key: {} for key in keys}
    for row in db.session.scalars(select(ConflictOfInterest).where(ConflictOfInterest.item_id.in_(keys))):
        conflicts[row.item_id][row.member_id] = row.reason
    ballots: dict[int, dict[int, str]] = {key: {} for key in keys}
    for row in db.session.scalars(select(Ballot).where(Ballot.item_id.in_(keys))):
        ballots[row.item_id][row.member_id] = row.choice
    parties = duties.parties_of([case for _item, case in agenda])
    present = [_present(members, parties[case.id], conflicts[item.id]) for item, case in agenda]
    eligible = [frozenset(key for key in there if members[key].votes) for there in present]
    amounts = _amounts(committee, [case.id for _item, case in agenda])
    counts = [
        _count(
            committee, [choice for who, choice in ballots[item.id].items() if who in allowed], len(allowed)
        )
        for (item, _case), allowed in zip(agenda, eligible, strict=True)
    ]
    if committee.mode == "score":
        counts = tallies.ranked(counts, amounts, session.budget)
    chair = next((member for member in members.values() if member.chairs), None)
    found = []
    for at, (item, case) in enumerate(agenda):
        may_break = committee.chair_breaks_ties and chair is not None and chair.id in eligible[at]
        breaker = chair if may_break and counts[at].verdict == "tie" else None
        count = tallies.broken(counts[at], item.casting_vote) if breaker else counts[at]
        found.append(
            Deciding(
                item,
                case,
                members,
                present[at],
                eligible[at],
                conflicts[item.id],
                count,
                amounts[at],
                breaker,
            )
        )
    return found


def _present(
    members: Mapping[int, CommitteeMember], parties: frozenset[int], conflicts: Mapping[int, str]
) -> frozenset[int]:
    own = {key for key, member in members.items() if member.account_id in parties}
    return frozenset(members.keys() - conflicts.keys() - own)


def _count(committee: Committee, ballots: list[str], eligible: int) -> Count:
    if committee.mode == "consent":
        return Count(eligible, 0, "consent")
    if committee.pass_score is None:
        return tallies.votes(ballots, eligible, committee.quorum)
    return tallies.scores(ballots, eligible, committee.quorum, committee.pass_score)


def _amounts(committee: Committee, case_ids: Sequence[int]) -> list[Decimal]:
    """What each applicant asked for, where the committee goes by it."""
    if committee.amount_field is None:
        return [Decimal()] * len(case_ids)
    sent = submissions.applications(case_ids)
    asked = [sent[case_id].all_answers.get(committee.amount_field) for case_id in case_ids]
    return [Decimal(str(amount)) if amount else Decimal() for amount in asked]


def count_words(each: Deciding, lang: str) -> str:
    """How many decided, and how; a tie that the chair decided, with the chair's name."""
    count = each.count
    if count.verdict == "consent":
        return hearings.words(each.item, each.members, lang)
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
    parts = [heads, how]
    if count.casting and each.breaker is not None:
        name, is_yes = each.breaker.called, count.casting == "yes"
        parts.append(
            Text(
                zh=f"可否同數，主席{name}裁決{'同意' if is_yes else '不同意'}",
                en=f"a tie, which the chair {name} decided with {'yes' if is_yes else 'no'}",
            )
        )
    parts.append(tallies.WHY[count.verdict])
    return ("，" if lang != "en" else ", ").join(part.in_(lang) for part in parts)
