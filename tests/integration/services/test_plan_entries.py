"""What the plan-control office may edit of a plan, and which of its money counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from tests.journeys import officer
from tests.plan_world import NOW, entry
from webapp.errors import Misfit
from webapp.extensions import db
from webapp.models import Plan, PlanBudget, ProgressReport, Register, RegisterEntry
from webapp.queries import plan_export, plan_facts, plans
from webapp.services import plan_entries, plan_imports

CONTROL = "guo.shiming"
SEPTEMBER = date(2020, 9, 1)


@pytest.fixture
def own(db_session: Any) -> RegisterEntry:
    """Of the office's own, with a report for September."""
    made = entry(plan_imports.register_for("request-109"))
    report = {"month": SEPTEMBER, "planned": 10, "actual": 10, "origin": "entered"}
    db.session.add(ProgressReport(entry_id=made.id, register_id=made.register_id, **report))
    db.session.flush()
    return made


@pytest.fixture
def printed(db_session: Any) -> RegisterEntry:
    """As the county published it."""
    of_register = select(RegisterEntry).join(Register).where(Register.key == "major_policy-109")
    return db.session.scalars(of_register.where(RegisterEntry.origin == "published").limit(1)).one()


def edited(of: RegisterEntry, **changes: Any) -> RegisterEntry:
    said = {**plan_entries.entry_answers(of), **changes}
    return plan_entries.edit_entry(officer(CONTROL, NOW), of.public_id, said, NOW, version=of.version)


def plan_edited(of: Plan, **changes: Any) -> Plan:
    said = {**plan_entries.plan_answers(of), **changes}
    return plan_entries.edit_plan(officer(CONTROL, NOW), of.public_id, said, NOW, version=of.version)


def money(year: int | None, source: str, amount: int) -> dict[str, Any]:
    return {"roc_year": year, "source": source, "amount": str(amount)}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "另一個名稱"},
        {"since": "2020-03-01"},
        {"case_no": "999"},
        {"project": "另一個專案"},
        {"project_no": 998},
    ],
)
def test_a_published_entry_stands_as_it_was(printed: RegisterEntry, change: dict[str, Any]) -> None:
    with pytest.raises(Misfit, match="以公布為準") as refused:
        edited(printed, **change)
    assert [refused.value.field] == list(change)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "另一個名稱"},
        {"lead_unit": {"value": "EC-AFF"}},
        {"sites": [{"name": "另一處"}]},
        {"budgets": [money(None, "all", 1)]},
    ],
)
def test_a_published_plan_stands_as_it_was(printed: RegisterEntry, change: dict[str, Any]) -> None:
    with pytest.raises(Misfit, match="以公布為準") as refused:
        plan_edited(db.session.get_one(Plan, printed.plan_id), **change)
    assert [refused.value.field] == list(change)


def test_what_was_not_published_of_it_is_edited(printed: RegisterEntry) -> None:
    assert edited(printed, supervisor="副縣長", note="已向主辦單位確認").supervisor == "副縣長"
    plan = plan_edited(db.session.get_one(Plan, printed.plan_id), level="magistrate", origins=["pledge"])
    assert (plan.level, plan.origins, plan.origin) == ("magistrate", ["pledge"], "published")


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ("2019-12-31", "須在列管別的年度（109 年）內"),
        ("2031-01-01", "須在列管別的年度（109 年）內"),
        ("2020-10-01", "109年9月已有填報"),
    ],
)
def test_a_plan_is_controlled_within_the_year_and_before_its_reports(
    own: RegisterEntry, since: str, says: str
) -> None:
    with pytest.raises(Misfit, match=says):
        edited(own, since=since)
    assert edited(own, since="2020-09-30").since == date(2020, 9, 30)


@pytest.mark.parametrize(
    "rows",
    [
        [money(109, "all", 100), money(109, "county", 60)],
        [money(None, "all", 100), money(None, "central", 60)],
        [money(None, "all", 100), money(109, "county", 60)],
        [money(None, "county", 100), money(109, "county", 60)],
    ],
)
def test_a_sum_does_not_stand_beside_its_parts(own: RegisterEntry, rows: list[dict[str, Any]]) -> None:
    plan = db.session.get_one(Plan, own.plan_id)
    with pytest.raises(Misfit) as refused:
        plan_edited(plan, budgets=rows)
    assert refused.value.field == "budgets"
    apart = [money(109, "all", 100), money(110, "county", 60)]
    plan_edited(plan, budgets=apart)
    assert counted(own) == {160}


def test_a_published_sum_is_kept_beside_the_parts_and_counts_once(own: RegisterEntry) -> None:
    rows = ((None, "all", 500), (109, "county", 60), (109, "central", 40), (110, "all", 30))
    db.session.add_all(
        PlanBudget(plan_id=own.plan_id, roc_year=year, source=source, amount=Decimal(amount))
        for year, source, amount in rows
    )
    db.session.flush()
    assert counted(own) == {130}


def counted(of: RegisterEntry) -> set[Decimal]:
    """The money of the plan as the rules, the overview, the list and the export each have it."""
    (report,) = db.session.scalars(select(ProgressReport).where(ProgressReport.entry_id == of.id))
    register = db.session.get_one(Register, of.register_id)
    (line,) = plans.lines(register, SEPTEMBER)
    (row,) = plan_export.rows(register, SEPTEMBER)
    return {
        plan_facts.of_reports([report])[report.id]["plan.budget"],
        plans.overview(register, SEPTEMBER).budget,
        line.budget or Decimal(0),
        sum(row.budget.values(), Decimal(0)),
    }
