"""A report of an open month is corrected: the control office opens it, the unit sends it, by the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.journeys import officer, open_tasks, take
from tests.plan_world import baseline, entry
from webapp.errors import Conflict, DomainError, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, ProgressReport, Register, RegisterEntry
from webapp.periods import parse
from webapp.queries import definitions
from webapp.services import (
    plan_corrections,
    plan_editions,
    plan_imports,
    plan_months,
    plan_progress,
    plan_years,
    task_drafts,
)
from webapp.services.plan_progress import Figures
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL = "ou.yijun", "cai.wenxiong", "guo.shiming"
FEBRUARY = date(2020, 2, 1)
MARCH_2, MARCH_20, APRIL_9 = (
    datetime(2020, month, day, 2, tzinfo=UTC) for month, day in ((3, 2), (3, 20), (4, 9))
)
UNTIL = date(2020, 3, 31)


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def imported() -> RegisterEntry:
    """A plan that should be at 20 % in February, where a table said 25."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others)
        made = entry(plan_imports.register_for("selected-109"), "虛構的造林計畫", unit="EC-AFF")
        baseline(made, 10, 20, 30, 100)
        figures = Figures(planned=Decimal(20), actual=Decimal(25), phase="招標", note="照表匯入")
        plan_progress.record(made, FEBRUARY, figures, MARCH_2, origin="entered")
    return made


def opened(of: RegisterEntry, login: str = CONTROL, **other: object) -> Case:
    said: dict[str, object] = {"month": FEBRUARY, "reason": "數字抄錯", "until": UNTIL, **other}
    with unit_of_work():
        return plan_corrections.open_again(
            officer(login, MARCH_20),
            of.public_id,
            said["month"],
            said["reason"],
            said["until"],
            MARCH_20,  # type: ignore[arg-type]
        )


def report(of: RegisterEntry) -> ProgressReport:
    return db.session.scalars(
        select(ProgressReport)
        .where(ProgressReport.entry_id == of.id)
        .execution_options(populate_existing=True)
    ).one()


def test_it_is_corrected_by_the_same_way(imported: RegisterEntry) -> None:
    assert plan_corrections.correctable(imported) == [FEBRUARY]
    case = opened(imported)
    assert (case.due_on, plan_corrections.correctable(imported)) == (UNTIL, [])
    held = report(imported)
    assert (held.case_id, held.actual, held.state) == (case.id, 25, "reported"), "until the unit sends"
    form = definitions.form(definitions.revision_id("form", "progress_report", MARCH_20.date()))
    begun = task_drafts.begin(case, open_tasks(case)[0], form)
    assert (begun["actual"], begun["situation"]) == (["25"], ["照表匯入"])
    take(case, "send", OFFICER, MARCH_20, raw={"actual": ["20"], "phase": ["招標"], "situation": ["更正"]})
    take(case, "confirm", HEAD, MARCH_20)
    take(case, "accept", CONTROL, MARCH_20)
    held = report(imported)
    assert (held.actual, held.state, held.standing, held.note) == (20, "checked", "on_track", "更正")
    written = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "report_opened_for_correction")
    ).one()
    assert case.number in written.detail and "數字抄錯" in written.detail


def test_a_correction_that_never_comes_leaves_the_figures_standing(imported: RegisterEntry) -> None:
    case = opened(imported)
    assert plan_months.to_lock(datetime(2020, 3, 31, 2, tzinfo=UTC)) == []
    with unit_of_work():
        plan_months.lock(case.id, APRIL_9)
    take(case, "close_missing", CONTROL, APRIL_9, comment="未更正")
    held = report(imported)
    assert (held.actual, held.state, held.standing, held.light) == (25, "reported", "ahead", "blue")
    again = opened(imported)
    assert (report(imported).case_id, again.number != case.number) == (again.id, True)


def test_what_came_in_time_stays_in_time(imported: RegisterEntry) -> None:
    """The year is graded by the day when it first came."""
    take(
        opened(imported),
        "send",
        OFFICER,
        MARCH_20,
        raw={"actual": ["20"], "phase": ["招標"], "situation": ["更正"]},
    )
    register = db.session.get_one(Register, imported.register_id)
    assert plan_years.figures(register, [imported])[imported.id].in_time == 1


def _publish(of: RegisterEntry) -> None:
    db.session.execute(
        update(ProgressReport).where(ProgressReport.entry_id == of.id).values(origin="published")
    )


def _close(of: RegisterEntry) -> None:
    register = db.session.get_one(Register, of.register_id)
    plan_editions.close(officer(CONTROL, MARCH_20), register, parse("109M02"), MARCH_20)


def _ask(of: RegisterEntry) -> None:
    opened(of)


@pytest.mark.parametrize(
    ("before", "other", "refusal", "words"),
    [
        (None, {"login": OFFICER}, Forbidden, "研考"),
        (None, {"month": date(2020, 1, 1)}, Misfit, "已經填報的月份"),
        (None, {"month": None}, Misfit, "已經填報的月份"),
        (None, {"reason": ""}, Misfit, "為什麼"),
        (None, {"reason": "長" * 401}, Misfit, "400"),
        (None, {"until": date(2020, 3, 19)}, Misfit, "今天以後"),
        (None, {"until": date(2200, 3, 19)}, Misfit, "一年以內"),
        (_publish, {}, Refused, "以公布為準"),
        (_close, {}, Refused, "已經結算"),
        (_ask, {}, Conflict, "KM01-109-"),
    ],
)
def test_what_is_not_opened_is_refused_in_words(
    imported: RegisterEntry,
    before: Callable[[RegisterEntry], None] | None,
    other: dict[str, object],
    refusal: type[DomainError],
    words: str,
) -> None:
    if before is not None:
        with unit_of_work():
            before(imported)
    with pytest.raises(refusal) as refused:
        opened(imported, **other)  # type: ignore[arg-type]
    assert words in refused.value.text.zh
