"""Calls for proposals and what units propose in them, through the real services, for tests that go on from there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.journeys import officer, take
from webapp.models import Case, Proposal, ProposalCall, ProposalSitting
from webapp.moments import taipei_day
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
TITLE = "農路改善計畫"


def call(
    kind: str = "infrastructure_subsidy", year: int = 116, *, now: datetime = NOW, **more: Any
) -> ProposalCall:
    said = {"title": f"{year}年度施政計畫先期作業", "opens_on": OPENS, "closes_on": CLOSES, **more}
    with unit_of_work():
        return proposal_calls.create(officer(CONTROL, now), kind, year, Asked(**said), now)


def raw(
    title: str = TITLE, amount: int = 8_000_000, year: int = 116, **changes: list[str]
) -> dict[str, list[str]]:
    """The form of a proposal as it is typed: January to April of the year."""
    curve = {
        f"curve-{n}-{name}": [value]
        for n, share in enumerate(CURVE)
        for name, value in (("month", f"{year}/{n + 1}"), ("planned", str(share)))
    }
    return {
        "title": [title],
        "purpose": ["改善農路路面與排水。"],
        "basis": ["縣政會議決議。"],
        **{f"starts_on-{part}": [str(n)] for part, n in (("year", year), ("month", 1), ("day", 1))},
        **{f"ends_on-{part}": [str(n)] for part, n in (("year", year), ("month", 4), ("day", 30))},
        "budget-0-year": [str(year)],
        "budget-0-source": ["county"],
        "budget-0-amount": [str(amount)],
        "milestones-0-what": ["完成發包"],
        "milestones-0-month": [f"{year}年2月"],
        **curve,
        **changes,
    }


def opened(of: ProposalCall, title: str = TITLE, now: datetime = NOW) -> Case:
    with unit_of_work():
        return proposal_calls.propose(officer(OFFICER, now), of, UNIT, title, now)


def sent(
    of: ProposalCall, title: str = TITLE, amount: int = 8_000_000, now: datetime = NOW, **changes: list[str]
) -> Case:
    case, year = opened(of, title, now), proposals.register_of(of).roc_year
    take(case, "send", OFFICER, now, raw=raw(title, amount, year, **changes))
    return case


def proposed(
    of: ProposalCall, title: str = TITLE, amount: int = 8_000_000, now: datetime = NOW, **changes: list[str]
) -> Case:
    """Sent by the unit, checked by its head, passed by the first review: waits for a sitting."""
    case = sent(of, title, amount, now, **changes)
    take(case, "confirm", HEAD, now)
    take(case, "pass", CONTROL, now)
    return case


def sitting(
    of: ProposalCall,
    *cases: Case,
    mode: str = "county",
    now: datetime = NOW,
    held_on: date = SITTING_DAY.date(),
) -> ProposalSitting:
    """With these on its agenda."""
    with unit_of_work():
        actor = officer(CONTROL, now)
        made = proposal_sittings.plan(actor, of, mode, held_on, "第一會議室", "秘書長", now)
        if cases:
            done = proposal_sittings.assign(actor, made, chosen(*cases), now)
            assert not done.failed
    return made


def chosen(*cases: Case, **amounts: Decimal) -> list[Chosen]:
    return [Chosen(case.public_id, case.version, amounts.get(case.public_id)) for case in cases]


def decided(
    of: ProposalSitting, decision: str, rows: list[Chosen], words: str = "", now: datetime = SITTING_DAY
) -> Done:
    with unit_of_work():
        return proposal_sittings.decide(officer(CONTROL, now), of, decision, rows, words, now)


def approved(of: ProposalCall, *cases: Case, now: datetime = SITTING_DAY) -> Done:
    with unit_of_work():
        return proposal_sittings.approve(officer(SECRETARY, now), of, chosen(*cases), now)


def of(case: Case) -> Proposal:
    found = proposals.of_case(case.id)
    assert found is not None
    return found


def open_today(now: datetime) -> ProposalCall:
    """For plans of the year after."""
    today = taipei_day(now)
    opens, closes = today - timedelta(days=10), today + timedelta(days=20)
    return call("major_project", today.year - 1911 + 1, now=now, opens_on=opens, closes_on=closes)


def begun(now: datetime) -> dict[str, str]:
    """A call that is open today, a sitting, and a proposal that is being written, by their public ids."""
    this = open_today(now)
    held = sitting(this, now=now, held_on=taipei_day(now))
    return {"call": this.public_id, "sitting": held.public_id, "proposal": opened(this, now=now).public_id}


def settled(now: datetime) -> dict[str, str]:
    """A call that is open today, with proposals on every side of a sitting that is held today, by their public ids."""
    this = open_today(now)
    kept, amended, dropped, undecided, waits = (
        proposed(this, f"{name}計畫", 8_000_000 * n, now) for n, name in enumerate("甲乙丙丁戊", start=1)
    )
    held = sitting(this, kept, amended, dropped, undecided, now=now, held_on=taipei_day(now))
    decided(held, "kept", chosen(kept), now=now)
    cut = chosen(amended, **{amended.public_id: Decimal(9_000_000)})
    decided(held, "amended", cut, "刪減第二期工程，並補充用地取得情形。", now)
    decided(held, "dropped", chosen(dropped), "與中央計畫重複。", now)
    entered = proposed(this, "己計畫", 60_000_000, now, origins=["pledge"])
    with unit_of_work():
        proposal_sittings.assign(officer(CONTROL, now), held, chosen(entered), now)
    decided(held, "kept", chosen(entered), now=now)
    approved(this, entered, now=now)
    return {
        "call": this.public_id,
        "sitting": held.public_id,
        "proposal": waits.public_id,
        "writing": opened(this, "庚計畫", now).public_id,
        "approved_proposal": entered.public_id,
    }
