"""Where plans stand: what the database refuses, what a change of years asks, and what moves with a score table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from tests.journeys import officer
from webapp.demo.performance import INVENTED
from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import Plan, ScoreHeading
from webapp.periods import parse
from webapp.permissions import SYSTEM
from webapp.queries import plan_averages, plan_tree
from webapp.queries.org import chart
from webapp.services import plan_entries, plan_imports, score_editions, score_import, scores
from webapp.services import plan_tree as service
from webapp.services.plan_tree import Said
from webapp.services.score_import import Source

NOW = datetime(2025, 9, 12, 2, 0, tzinfo=UTC)
KINDS = ("pledge_vision", "pledge_indicator", "mid_term", "yearly")
MAY_STAND = {
    ("pledge_indicator", "pledge_vision"),
    ("mid_term", "pledge_indicator"),
    ("yearly", "pledge_indicator"),
    ("yearly", "mid_term"),
}


@pytest.fixture(autouse=True)
def _clean(no_plans: None) -> None:
    """Without the plans of the demonstration; the triggers work."""
    db.session.connection().exec_driver_sql("set local session_replication_role = origin")


def plan(kind: str, above: Plan | None = None, year: int = 114, last: int | None = None) -> Plan:
    if kind == "mid_term":
        last = last or year
    made = Plan(
        code=plan_imports.next_code(year),
        title=f"{kind} {year}",
        kind=kind,
        roc_year=year,
        last_year=last,
        level="county",
        lead_unit_id=chart().by_code["PW"].id,
        parent_id=above.id if above is not None else None,
        origin="entered",
    )
    db.session.add(made)
    db.session.flush()
    return made


@pytest.mark.parametrize("above", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_below_what_it_cannot_serve(kind: str, above: str) -> None:
    upper = plan(above)
    if (kind, above) in MAY_STAND:
        assert plan(kind, upper).parent_id == upper.id
        return
    with pytest.raises(DBAPIError, match="order of the tree"), db.session.begin_nested():
        plan(kind, upper)


def test_a_kind_goes_with_what_is_below_and_years_are_in_order() -> None:
    mid = plan("mid_term", last=116)
    plan("yearly", mid)
    mid.kind, mid.last_year = "pledge_indicator", None
    db.session.flush()
    with pytest.raises(DBAPIError, match="order of the tree"), db.session.begin_nested():
        mid.kind = "yearly"
        db.session.flush()
    with pytest.raises(DBAPIError, match="years_in_order"), db.session.begin_nested():
        plan("mid_term", last=113)


def test_plans_of_other_years_do_not_stand_in_a_mid_term_plan() -> None:
    control = officer("guo.shiming")
    mid, late, fitting = plan("mid_term", last=116), plan("yearly", year=117), plan("yearly", year=116)
    with pytest.raises(Misfit, match="117"):
        service.link(control, mid, [late.public_id], NOW, version=0)
    assert service.link(control, mid, [fitting.public_id], NOW, version=0) == 1
    seen = plan_tree.version(mid)
    # twice is once
    assert service.link(control, mid, [fitting.public_id], NOW, version=seen) == 1
    assert plan_tree.version(mid) == seen
    with pytest.raises(Conflict, match="郭士銘"):
        service.link(control, mid, [fitting.public_id], NOW, version=0)
    with pytest.raises(Misfit, match="不能列在這裡"):
        service.link(control, mid, [plan("pledge_vision").public_id], NOW, version=seen)
    with pytest.raises(NotFound):
        service.unlink(control, mid, late.public_id, NOW, version=seen)


def test_a_change_that_changes_nothing_is_none() -> None:
    control, vision = officer("guo.shiming"), plan("pledge_vision")
    service.change(control, vision, Said(vision.title, "PW", 114), NOW, version=0)
    assert plan_tree.changes([vision]) == []


def test_a_goal_takes_its_mid_term_plan_into_the_years_that_it_covers() -> None:
    control, mid = officer("guo.shiming"), plan("mid_term", last=115)
    table, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
    (heading, _year), *_others = plan_tree.goals_to_name(mid)
    service.name_goal(control, mid, heading.id, NOW, version=0)
    assert plan_tree.mid_terms_of_goals(table.id) == {heading.id: mid}
    for row in scores.indicators(table):
        row.achieved = Decimal(1)
    table.state = "self_assessed"
    db.session.flush()
    with pytest.raises(Conflict, match="已自評"):
        service.leave_goal(control, mid, heading.id, NOW, version=plan_tree.version(mid))
    for year, kept in ((115, [mid.id]), (116, [])):
        following = score_editions.start(control, table, year, NOW)
        named = select(ScoreHeading.mid_term_id).where(
            ScoreHeading.year_id == following.id, ScoreHeading.mid_term_id.is_not(None)
        )
        assert db.session.scalars(named).all() == kept


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["70.5"], "71"), (["70.4999"], "70"), (["1", None, "2"], "2"), (["0", "0", "1"], "0")],
)
def test_averages_are_rounded_half_up_once(values: list[str | None], expected: str) -> None:
    found = plan_averages.mean(Decimal(each) if each is not None else None for each in values)
    assert found is not None
    assert plan_averages.rounded(found, parse("114").last_day) == Decimal(expected)


def test_there_is_no_average_of_nothing() -> None:
    assert plan_averages.mean([None, None]) is None


def test_the_edit_of_a_plan_goes_by_the_tree() -> None:
    """Years and kinds of mid-term plans are kept, and the page of what it leaves or joins tells."""
    control = officer("guo.shiming")
    mid, below = plan("mid_term", last=116), plan("yearly", year=115)
    answers = plan_entries.plan_answers(below)

    def edit(**said: Any) -> None:
        plan_entries.edit_plan(control, below.public_id, {**answers, **said}, NOW, version=below.version)

    edit(parent=mid.code.lower())
    assert below.parent_id == mid.id and [each.detail for each in plan_tree.changes([mid])] == [
        "加入「yearly 115」"
    ]
    with pytest.raises(Misfit, match="120"), db.session.begin_nested():
        edit(parent=mid.code, roc_year=120)
    db.session.refresh(below)
    with pytest.raises(Misfit, match="種類"), db.session.begin_nested():
        edit(kind="mid_term")
    db.session.refresh(below)
    seen = plan_tree.version(mid)
    edit(roc_year=120)
    assert below.parent_id is None and plan_tree.version(mid) > seen
    with pytest.raises(Refused, match="頁面修改"):
        plan_entries.edit_plan(
            control, mid.public_id, plan_entries.plan_answers(mid), NOW, version=mid.version
        )


def test_the_database_keeps_years_and_what_goals_name() -> None:
    mid = plan("mid_term", last=116)
    below = plan("yearly", mid)
    for of, name, value in ((below, "roc_year", 117), (mid, "last_year", None), (mid, "roc_year", 115)):
        with pytest.raises(DBAPIError, match=r"last_year|years of its mid-term"), db.session.begin_nested():
            setattr(of, name, value)
            db.session.flush()
        db.session.refresh(of)
    with pytest.raises(DBAPIError, match="has_a_last_year"), db.session.begin_nested():
        plan("yearly", last=116)


def test_what_a_goal_names_stays_a_mid_term_plan() -> None:
    control, mid = officer("guo.shiming"), plan("mid_term", last=115)
    score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
    (heading, _year), *_others = plan_tree.goals_to_name(mid)
    service.name_goal(control, mid, heading.id, NOW, version=0)
    with pytest.raises(DBAPIError, match="goals of score tables"), db.session.begin_nested():
        mid.kind, mid.last_year = "yearly", None
        db.session.flush()


def test_what_somebody_removed_meanwhile_is_not_found() -> None:
    mid = plan("mid_term", last=116)
    db.session.execute(
        delete(Plan).where(Plan.id == mid.id), execution_options={"synchronize_session": False}
    )
    with pytest.raises(NotFound):
        service.hold(mid, 0)
