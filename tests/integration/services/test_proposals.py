"""先期作業 from the call to the plan, through the real workflow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from tests.at_once import at_once
from tests.journeys import officer, open_tasks, take
from tests.proposals_world import (
    CLOSES,
    CONTROL,
    HEAD,
    NOW,
    OFFICER,
    OPENS,
    SITTING_DAY,
    UNIT,
    approved,
    call,
    chosen,
    decided,
    of,
    opened,
    proposed,
    raw,
    sent,
    sitting,
)
from webapp.errors import AnswersInvalid, Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import (
    AuditEntry,
    Baseline,
    BaselinePoint,
    Case,
    Firing,
    Message,
    Plan,
    PlanBudget,
    PlanSite,
    PlanUnit,
    ProgressReport,
    Proposal,
    ProposalCall,
    ProposalDecision,
    Register,
    RegisterEntry,
)
from webapp.queries import definitions, proposals
from webapp.queries.org import chart
from webapp.services import cases, clocks, plan_proposals, proposal_calls, proposal_sittings
from webapp.services.proposal_calls import Asked
from webapp.services.steps import Given
from webapp.uow import unit_of_work
from workflows.engine import WorkflowError

AFTER = datetime(2026, 10, 2, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def plan_of(case: Case) -> Plan:
    return db.session.scalars(select(Plan).where(Plan.case_id == case.id)).one()


def test_from_the_proposal_to_the_first_report() -> None:
    of_year = call()
    case = opened(of_year)
    assert case.number.startswith("KM02-115-") and case.due_on == CLOSES
    changes = {
        "origins": ["pledge"],
        "co_units": ["PW"],
        "sites-0-name": ["古寧頭"],
        "sites-1-name": ["山后"],
        "curve-0-spend": ["0"],
        "curve-3-spend": ["8000000"],
    }
    take(case, "send", OFFICER, NOW, raw=raw(**changes))
    assert (of(case).budget, of(case).title) == (Decimal(8_000_000), "農路改善計畫")
    take(case, "confirm", HEAD, NOW)
    take(case, "send_back", CONTROL, NOW, comment="請補依據")
    take(case, "send", OFFICER, AFTER, raw=raw(**changes)), "after the close: it was sent in time"
    take(case, "confirm", HEAD, AFTER)
    take(case, "pass", CONTROL, AFTER)
    held = sitting(of_year, case)
    done = decided(held, "kept", chosen(case))
    assert (done.done, done.failed) == ([f"{case.number} 農路改善計畫"], [])
    assert approved(of_year, case).failed == []

    plan = plan_of(case)
    assert (case.status, case.outcome, plan.origin, plan.level) == (
        "closed",
        "recorded",
        "entered",
        "magistrate",
    )
    assert (plan.starts_on, plan.ends_on, plan.kind) == (date(2027, 1, 1), date(2027, 4, 30), "yearly")
    units = db.session.scalars(select(PlanUnit.unit_id).where(PlanUnit.plan_id == plan.id)).all()
    assert units == [chart().by_code["PW"].id]
    sites = select(PlanSite.name).where(PlanSite.plan_id == plan.id).order_by(PlanSite.position)
    assert db.session.scalars(sites).all() == ["古寧頭", "山后"]
    (money,) = db.session.scalars(select(PlanBudget).where(PlanBudget.plan_id == plan.id)).all()
    assert (money.roc_year, money.source, money.amount) == (116, "county", Decimal(8_000_000))
    entry = db.session.scalars(select(RegisterEntry).where(RegisterEntry.plan_id == plan.id)).one()
    register = db.session.get_one(Register, entry.register_id)
    assert (register.key, entry.case_no, entry.supervisor) == ("infrastructure_subsidy-116", "1", "秘書長")
    assert entry.since == date(2027, 1, 1)
    curve = db.session.scalars(select(Baseline).where(Baseline.entry_id == entry.id)).one()
    points = select(BaselinePoint).where(BaselinePoint.baseline_id == curve.id).order_by(BaselinePoint.month)
    assert [(p.month.month, p.planned, p.budget) for p in db.session.scalars(points)] == [
        (1, Decimal(10), Decimal(0)),
        (2, Decimal(25), None),
        (3, Decimal(60), None),
        (4, Decimal(100), Decimal(8_000_000)),
    ]
    assert curve.approved_at == SITTING_DAY and curve.approved_by_id is not None
    fired = db.session.scalars(select(Firing).where(Firing.case_id == case.id).order_by(Firing.id)).all()[-1]
    assert definitions.name_of(fired.ruleset_revision_id)[0] == "plan_selection"
    assert {
        "rule": "pledge",
        "action": "select_for_control",
        "params": {"level": "magistrate"},
    } in fired.outcomes

    asked = sweeps.run_plans(datetime(2027, 3, 1, 2, tzinfo=UTC))
    assert asked["failed"] == 0
    report = db.session.scalars(select(ProgressReport).where(ProgressReport.entry_id == entry.id)).one()
    assert (report.month, report.planned) == (date(2027, 2, 1), Decimal(25))


@pytest.mark.parametrize(
    ("kept", "count", "amount"),
    [(5, 6, 67_000_000), pytest.param(133, 142, 67_000_000, marks=pytest.mark.full)],
)
def test_what_is_kept_of_what_was_submitted(kept: int, count: int, amount: int) -> None:
    """110 年度: 142 plans of NT$ 9.5 billion were proposed and 133 kept."""
    of_year = call()
    cases = [proposed(of_year, f"第 {n} 項計畫", amount) for n in range(count)]
    held = sitting(of_year, *cases)
    first = decided(held, "kept", chosen(*cases[:kept]))
    rest = decided(held, "dropped", chosen(*cases[kept:]), "經費來源未定")
    assert (len(first.done), len(rest.done), first.failed + rest.failed) == (kept, count - kept, [])
    found = proposals.totals(of_year)
    assert (found.submitted, found.asked) == (count, Decimal(amount) * count)
    assert (found.kept, found.left, found.dropped) == (kept, Decimal(amount) * kept, count - kept)
    ((unit, same),) = proposals.by_unit(of_year)
    assert (unit.code, same) == (UNIT, found)
    assert len(proposals.kept(of_year)) == kept
    assert len(approved(of_year, *cases[:kept]).done) == kept
    numbers = db.session.scalars(
        select(RegisterEntry.case_no)
        .where(RegisterEntry.register_id == of_year.register_id)
        .order_by(RegisterEntry.id)
    ).all()
    assert numbers == [str(n) for n in range(1, kept + 1)]
    assert {plan_of(case).level for case in cases[:kept]} == {"county"}, "large_budget is NT$ 50 million"


@pytest.mark.parametrize(
    ("proposals_", "left"),
    [(3, 2), pytest.param(25, 22, marks=pytest.mark.full)],
)
def test_what_the_ministry_approved_of_the_islands_fund(proposals_: int, left: int) -> None:
    """101 年度: 25 plans were proposed to the fund, 22 approved with NT$ 238,159,000."""
    total = 238_159_000
    of_fund = call("island_fund", 117, subsidy="island_fund", closes_on=None)
    assert of_fund.closes_on == date(2027, 7, 31), "by the rule: end of July of the year before"
    amounts = [10_000_000] * (left - 1) + [total - 10_000_000 * (left - 1)]
    asked = [*amounts[:-1], amounts[-1] + 5_000_000, *([7_000_000] * (proposals_ - left))]
    cases = [
        proposed(of_fund, f"離島計畫 {n}", amount, **{"budget-0-source": ["island_fund"]})
        for n, amount in enumerate(asked)
    ]
    ministry = sitting(of_fund, *cases, mode="central")
    rows = chosen(*cases[:left], **{cases[left - 1].public_id: Decimal(amounts[-1])})
    assert decided(ministry, "kept", rows).failed == []
    assert decided(ministry, "dropped", chosen(*cases[left:]), "未獲核定").failed == []
    found = proposals.totals(of_fund)
    assert (found.submitted, found.kept, found.left) == (proposals_, left, Decimal(total))

    # the one that got less is brought to what is left of it
    cut = cases[left - 1]
    assert (cut.state, of(cut).words) == (
        "amend",
        f"中央核定 {amounts[-1]:,} 元，請依核定金額修正經費與預定進度。",
    )
    same = raw(of(cut).title, asked[left - 1], 117)
    with pytest.raises(AnswersInvalid) as refused:
        take(cut, "send_amended", OFFICER, SITTING_DAY, raw=same)
    assert f"{amounts[-1]:,}" in refused.value.errors["budget"][0]
    take(cut, "send_amended", OFFICER, SITTING_DAY, raw=raw(of(cut).title, amounts[-1], 117))
    take(cut, "accept", CONTROL, SITTING_DAY)
    assert len(approved(of_fund, *cases[:left]).done) == left
    entered = db.session.scalars(
        select(func.sum(PlanBudget.amount))
        .join(Plan, Plan.id == PlanBudget.plan_id)
        .where(Plan.case_id.is_not(None))
    ).one()
    assert entered == total and plan_of(cut).kind == "subsidy"


def test_a_stale_row_is_named_and_the_others_are_decided() -> None:
    of_year = call()
    one, two, three = (proposed(of_year, f"計畫{n}") for n in range(3))
    held = sitting(of_year, one, two, three)
    rows = chosen(one, two, three)
    take(two, "drop", CONTROL, SITTING_DAY, comment="重複提報")
    done = decided(held, "kept", rows)
    assert done.done == [f"{one.number} 計畫0", f"{three.number} 計畫2"]
    ((name, why),) = done.failed
    assert name == f"{two.number} 計畫1" and "已由郭士銘處理" in why.zh
    assert (of(one).decision, of(two).decision, of(two).words) == ("kept", "dropped", "重複提報")


def test_amended_as_the_meeting_said_and_back_to_it() -> None:
    of_year = call()
    case = proposed(of_year)
    held = sitting(of_year, case)
    rows = chosen(case, **{case.public_id: Decimal(6_000_000)})
    with pytest.raises(Misfit):
        decided(held, "amended", rows)
    decided(held, "amended", rows, "刪減第二期")
    assert (of(case).decision, of(case).kept_amount, case.state) == ("amended", Decimal(6_000_000), "amend")
    take(case, "send_amended", OFFICER, SITTING_DAY, raw=raw(amount=6_000_000))
    take(case, "send_back", CONTROL, SITTING_DAY, comment="請補查核點")
    take(case, "send_amended", OFFICER, SITTING_DAY, raw=raw(amount=6_000_000))
    take(case, "accept", CONTROL, SITTING_DAY)
    take(case, "decide_again", "he.rongjie", SITTING_DAY, comment="請再議")
    assert (of(case).decision, of(case).sitting_id, case.state) == (None, None, "meeting")
    with unit_of_work():
        back = proposal_sittings.assign(officer(CONTROL, NOW), held, chosen(case), NOW)
    assert "排入另一場" in back.failed[0][1].zh
    again = sitting(of_year, case)
    assert again.number == 2
    decided(again, "kept", chosen(case))
    assert proposals.totals(of_year).left == Decimal(6_000_000), "what was amended is what is kept"
    ((first,), (second,)) = (proposals.agenda(each, None) for each in (held, again))
    assert (first.decision, first.left, first.words) == ("amended", Decimal(6_000_000), "刪減第二期")
    assert (second.decision, second.left, second.words) == ("kept", Decimal(6_000_000), "")
    for each in (held, again):
        found = proposals.of_sitting(each)
        assert (found.submitted, found.kept, found.left) == (1, 1, Decimal(6_000_000))
    with pytest.raises(IntegrityError, match="append-only"), db.session.begin_nested():
        db.session.execute(update(ProposalDecision).values(words="改過"))


@pytest.mark.parametrize("back", ["withdraw", "decide_again"])
def test_what_cannot_be_amended_is_withdrawn_or_decided_again(back: str) -> None:
    of_year = call()
    case = proposed(of_year)
    held = sitting(of_year, case)
    decided(held, "amended", chosen(case), "刪減第二期")
    if back == "withdraw":
        with unit_of_work():
            proposal_calls.withdraw(officer(OFFICER, NOW), case, "無法配合修正", NOW, version=case.version)
        assert (case.outcome, open_tasks(case)) == ("withdrawn", [])
    else:
        take(case, "send_amended", OFFICER, SITTING_DAY, raw=raw())
        take(case, "decide_again", CONTROL, SITTING_DAY, comment="無法依決議修正")
        assert case.state == "meeting"
    assert proposals.totals(of_year).kept == 0 and proposals.kept(of_year) == []
    ((line,), found) = proposals.agenda(held, None), proposals.of_sitting(held)
    assert (line.decision, found.kept, found.undecided) == ("amended", 1, 0)


def test_words_of_the_first_review_are_no_words_of_the_meeting() -> None:
    of_year = call()
    case = sent(of_year)
    take(case, "confirm", HEAD, NOW)
    take(case, "send_back", CONTROL, NOW, comment="預算編列過高")
    take(case, "send", OFFICER, NOW, raw=raw())
    take(case, "confirm", HEAD, NOW)
    take(case, "pass", CONTROL, NOW)
    decided(sitting(of_year, case), "kept", chosen(case))
    assert (of(case).decision, of(case).words) == ("kept", "")


def test_no_more_is_kept_than_was_asked_for() -> None:
    of_year = call()
    case = proposed(of_year)
    held = sitting(of_year, case)
    done = decided(held, "amended", chosen(case, **{case.public_id: Decimal(9_000_000)}), "加碼")
    assert "8,000,000" in done.failed[0][1].zh and of(case).decision is None and of(case).kept_amount is None


def test_what_is_left_out_says_why_to_its_unit() -> None:
    of_year = call()
    case = proposed(of_year)
    decided(sitting(of_year, case), "dropped", chosen(case), "與中央計畫重複")
    assert (case.status, case.outcome) == ("closed", "rejected")
    told = db.session.scalars(select(Message).where(Message.case_id == case.id).order_by(Message.id)).all()
    people = {officer(login, NOW).account_id for login in (OFFICER, HEAD)}
    assert {message.account_id for message in told} == people
    assert all("與中央計畫重複" in message.body for message in told)


def test_nothing_is_decided_that_stands_on_no_agenda() -> None:
    of_year = call()
    case = proposed(of_year)
    with pytest.raises(Refused, match="還沒有排入"):
        take(case, "keep", CONTROL, SITTING_DAY)
    held = sitting(of_year, case)
    with pytest.raises(Refused, match="還不能登錄"), unit_of_work():
        proposal_sittings.decide(officer(CONTROL, NOW), held, "kept", chosen(case), "", NOW)


def test_late_is_refused_unless_the_unit_was_let_in() -> None:
    of_year = call()
    case = opened(of_year)
    with pytest.raises(Refused, match="截止"):
        opened(of_year, "另一項計畫", AFTER)
    with pytest.raises(Refused, match="截止"):
        take(case, "send", OFFICER, AFTER, raw=raw())
    with unit_of_work():
        until = AFTER.date() + timedelta(days=3)
        proposal_calls.let_in(officer(CONTROL, AFTER), of_year, UNIT, until, "颱風停班", AFTER)
    with pytest.raises(Misfit) as refused, unit_of_work():
        proposal_calls.let_in(officer(CONTROL, AFTER), of_year, UNIT, date(2126, 10, 5), "颱風停班", AFTER)
    assert refused.value.field == "until"
    take(case, "send", OFFICER, AFTER, raw=raw())
    assert opened(of_year, "另一項計畫", AFTER).due_on == until
    with pytest.raises(Refused, match="截止"):
        opened(of_year, "第三項計畫", AFTER + timedelta(days=4))
    audit = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit_let_in")).one()
    assert audit.detail == "颱風停班"


def test_what_is_being_written_is_due_when_its_call_closes() -> None:
    of_year = call()
    case, sent_on = opened(of_year), sent(of_year, "已送出的計畫")
    actor, later = officer(CONTROL, NOW), date(2026, 10, 14)
    with unit_of_work():
        said = Asked(of_year.title, of_year.opens_on, later)
        proposal_calls.change(actor, of_year, said, NOW, version=of_year.version)
    assert (case.due_on, open_tasks(case)[0].due_on) == (later, later)
    with unit_of_work():
        until = date(2026, 10, 22)
        proposal_calls.let_in(actor, of_year, UNIT, until, "颱風停班", NOW)
    assert (case.due_on, open_tasks(case)[0].due_on) == (until, until)
    assert open_tasks(sent_on)[0].due_on < later, "its head has five days as before"
    take(sent_on, "send_back", HEAD, NOW, comment="請補")
    assert open_tasks(sent_on)[0].due_on == until
    moved = clocks.of_case(case.id).movements
    assert [(each.kind, each.reason, each.due_after) for each in moved] == [
        ("override", "提報期限變更", later),
        ("override", "提報期限變更", until),
    ]


def test_a_call_that_is_not_open_yet() -> None:
    with pytest.raises(Refused, match="才開始提報"):
        opened(call(), now=datetime(2026, 8, 31, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    "state",
    ["fill", "meeting", *(pytest.param(state, marks=pytest.mark.full) for state in ("check", "review"))],
)
def test_the_unit_may_withdraw_until_the_meeting(state: str) -> None:
    of_year = call()
    case = opened(of_year)
    for name, who in (("send", OFFICER), ("confirm", HEAD), ("pass", CONTROL)):
        if case.state == state:
            break
        take(case, name, who, NOW, raw=raw())
    if state == "meeting":
        sitting(of_year, case)
    with pytest.raises(Forbidden), unit_of_work():
        proposal_calls.withdraw(officer("lin.yahan", NOW), case, "不辦了", NOW, version=case.version)
    with unit_of_work():
        proposal_calls.withdraw(officer(OFFICER, NOW), case, "不辦了", NOW, version=case.version)
    assert (case.outcome, proposals.totals(of_year).submitted, open_tasks(case)) == ("withdrawn", 0, [])
    opened(of_year), "the title is free again"


def test_what_was_decided_is_not_withdrawn() -> None:
    of_year = call()
    case = proposed(of_year)
    decided(sitting(of_year, case), "kept", chosen(case))
    with pytest.raises(WorkflowError), unit_of_work():
        proposal_calls.withdraw(officer(OFFICER, NOW), case, "不辦了", NOW, version=case.version)


def test_the_same_title_twice() -> None:
    of_year = call()
    case = opened(of_year)
    with pytest.raises(Misfit, match=case.number):
        opened(of_year)
    other = opened(of_year, "另一項")
    with pytest.raises(AnswersInvalid) as refused:
        take(other, "send", OFFICER, NOW, raw=raw())
    assert case.number in refused.value.errors["title"][0]


def test_two_of_one_title_are_not_sent_at_once(app: Flask) -> None:
    of_year = call()
    keys = [opened(of_year, title).id for title in ("甲案", "乙案")]

    def sending(key: int) -> None:
        case = db.session.get_one(Case, key)
        actor, (task,) = officer(OFFICER, NOW), open_tasks(case)
        said = Given(raw=raw("同一個名稱"))
        cases.take_transition(actor, case, "send", NOW, version=case.version, task_id=task.id, given=said)

    refused = at_once(app, lambda: sending(keys[0]), lambda: sending(keys[1]))
    titles = db.session.scalars(
        select(Proposal.title).where(Proposal.case_id.in_(keys)).order_by(Proposal.id)
    )
    assert len(refused) == 1 and sorted(titles) == ["乙案", "同一個名稱"]


def test_who_may_do_what() -> None:
    of_year = call()
    unit = officer(OFFICER, NOW)
    asked = Asked("x", OPENS, CLOSES)
    with pytest.raises(Forbidden):
        proposal_calls.create(unit, "pledge", 117, asked, NOW)
    with pytest.raises(Forbidden):
        proposal_sittings.plan(unit, of_year, "county", CLOSES, "x", "y", NOW)
    with pytest.raises(Forbidden):
        proposal_sittings.approve(officer(CONTROL, NOW), of_year, [], NOW)
    with pytest.raises(Forbidden):
        proposal_calls.propose(officer(CONTROL, NOW), of_year, UNIT, "x", NOW)
    with pytest.raises(Misfit):
        proposal_calls.propose(unit, of_year, "PW", "x", NOW)


def test_one_call_a_register_and_year() -> None:
    call()
    with pytest.raises(Misfit, match="已經有先期作業"):
        call()
    assert call("major_project").id


def test_a_call_that_cannot_be() -> None:
    for more, field in (
        ({"title": ""}, "title"),
        ({"closes_on": OPENS}, "closes_on"),
        ({"closes_on": None}, "closes_on"),
        ({"closes_on": date(2028, 1, 1)}, "closes_on"),
        ({"closes_on": date(2126, 9, 30)}, "closes_on"),
        ({"opens_on": date(1926, 9, 1)}, "opens_on"),
        ({"subsidy": "central_budget"}, "closes_on"),
        ({"year": 130}, "year"),
        ({"kind": "none"}, "kind"),
    ):
        with pytest.raises(Misfit) as refused:
            call(**more)
        assert refused.value.field == field, more


def test_a_subsidy_asks_by_its_own_day() -> None:
    """離島建設基金 end of July, 中央公務預算 end of March, 小型基層建設 end of December."""
    asked = {
        subsidy: proposal_calls.subsidy_day(subsidy, 117, NOW.date())
        for subsidy in ("island_fund", "central_budget", "small_works")
    }
    assert {subsidy: found.day for subsidy, found in asked.items() if found} == {
        "island_fund": date(2027, 7, 31),
        "central_budget": date(2027, 3, 31),
        "small_works": date(2027, 12, 31),
    }


def test_a_stale_change_names_who_changed_it() -> None:
    of_year = call()
    seen = of_year.version
    with unit_of_work():
        asked = Asked("改過的名稱", OPENS, CLOSES)
        proposal_calls.change(officer(CONTROL, NOW), of_year, asked, NOW, version=seen)
    with pytest.raises(Conflict, match="郭士銘"), unit_of_work():
        proposal_calls.change(officer(CONTROL, NOW), of_year, asked, NOW, version=seen)
    assert db.session.scalars(select(ProposalCall.title)).all().count("改過的名稱") == 1


def test_a_ruleset_that_says_nothing_approves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    of_year = call()
    case = proposed(of_year)
    decided(sitting(of_year, case), "kept", chosen(case))
    monkeypatch.setattr(plan_proposals, "_outcome", lambda *_asked: None)
    done = approved(of_year, case)
    assert "沒有判定" in done.failed[0][1].zh and case.state == "approval"
    assert db.session.scalars(select(Plan).where(Plan.case_id == case.id)).one_or_none() is None
