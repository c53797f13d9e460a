"""Calls for proposals and what units propose in them, through the real services, for tests that go on from there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.journeys import officer, take
from webapp.models import Case, Proposal, ProposalCall, ProposalSitting
from webapp.queries import proposals
from webapp.services import proposal_calls, proposal_sittings
from webapp.services.proposal_calls import Asked
from webapp.services.proposal_sittings import Chosen, Done
from webapp.uow import unit_of_work

#: Tuesday; the call of 116 is open until the end of September 115
NOW = datetime(2026, 9, 15, 2, tzinfo=UTC)
SITTING_DAY = datetime(2026, 10, 20, 2, tzinfo=UTC)
OPENS, CLOSES = date(2026, 9, 1), date(2026, 9, 30)
OFFICER, HEAD, UNIT = "ou.yijun", "cai.wenxiong", "EC-AFF"
CONTROL, SECRETARY = "guo.shiming", "he.rongjie"
CURVE = (10, 25, 60, 100)


def call(kind: str = "selected", year: int = 116, **more: Any) -> ProposalCall:
    said = {"title": f"{year}年度施政計畫先期作業", "opens_on": OPENS, "closes_on": CLOSES, **more}
    with unit_of_work():
        return proposal_calls.create(officer(CONTROL, NOW), kind, year, Asked(**said), NOW)


def raw(title: str = "農路改善計畫", amount: int = 8_000_000, **changes: list[str]) -> dict[str, list[str]]:
    """The form of a proposal as it is typed: January to April of 116."""
    curve = {
        f"curve-{n}-{name}": [value]
        for n, share in enumerate(CURVE)
        for name, value in (("month", f"116/{n + 1}"), ("planned", str(share)))
    }
    typed = {
        "title": [title],
        "purpose": ["改善農路路面與排水。"],
        "basis": ["縣政會議決議。"],
        **{f"starts_on-{part}": [value] for part, value in (("year", "116"), ("month", "1"), ("day", "1"))},
        **{f"ends_on-{part}": [value] for part, value in (("year", "116"), ("month", "4"), ("day", "30"))},
        "budget-0-year": ["116"],
        "budget-0-source": ["county"],
        "budget-0-amount": [str(amount)],
        "milestones-0-what": ["完成發包"],
        "milestones-0-month": ["116年2月"],
        **curve,
        **changes,
    }
    return {name: value for name, value in typed.items() if value != []}


def opened(of: ProposalCall, title: str = "農路改善計畫", now: datetime = NOW) -> Case:
    with unit_of_work():
        return proposal_calls.propose(officer(OFFICER, now), of, UNIT, title, now)


def proposed(
    of: ProposalCall, title: str = "農路改善計畫", amount: int = 8_000_000, **changes: list[str]
) -> Case:
    """Sent by the unit, checked by its head, passed by the first review: waits for a sitting."""
    case = opened(of, title)
    take(case, "send", OFFICER, NOW, raw=raw(title, amount, **changes))
    take(case, "confirm", HEAD, NOW)
    take(case, "pass", CONTROL, NOW)
    return case


def sitting(of: ProposalCall, *cases: Case, mode: str = "county") -> ProposalSitting:
    """With these on its agenda."""
    with unit_of_work():
        actor = officer(CONTROL, NOW)
        made = proposal_sittings.plan(actor, of, mode, SITTING_DAY.date(), "第一會議室", "秘書長", NOW)
        if cases:
            done = proposal_sittings.assign(actor, made, chosen(*cases), NOW)
            assert not done.failed
    return made


def chosen(*cases: Case, **amounts: Any) -> list[Chosen]:
    return [Chosen(case.public_id, case.version, amounts.get(case.public_id)) for case in cases]


def decided(of: ProposalSitting, decision: str, rows: list[Chosen], words: str = "") -> Done:
    with unit_of_work():
        return proposal_sittings.decide(officer(CONTROL, SITTING_DAY), of, decision, rows, words, SITTING_DAY)


def approved(of: ProposalCall, *cases: Case) -> Done:
    with unit_of_work():
        return proposal_sittings.approve(officer(SECRETARY, SITTING_DAY), of, chosen(*cases), SITTING_DAY)


def of(case: Case) -> Proposal:
    found = proposals.of_case(case.id)
    assert found is not None
    return found
