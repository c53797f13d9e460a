"""A register compared with itself: a month with the one before it, and the same figure on two pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask

from tests.plan_world import entry
from webapp.extensions import db
from webapp.models import ProgressReport, RegisterEntry
from webapp.periods import parse
from webapp.queries import plan_trend, plans, review_facts
from webapp.queries.org import chart
from webapp.services import plan_imports
from webapp.uow import unit_of_work

NOW = datetime(2010, 10, 12, 2, tzinfo=UTC)


def _report(of: RegisterEntry, month: date, **said: Any) -> None:
    db.session.add(
        ProgressReport(
            entry_id=of.id, register_id=of.register_id, month=month, origin="entered", planned=Decimal(50), **said
        )
    )  # fmt: skip


def test_trend_and_overview_say_one_execution_rate(app: Flask, committed: None) -> None:
    """What nobody has reported spending on counts in neither, nor does what was released."""
    september = date(2009, 9, 1)
    with app.app_context():
        with unit_of_work():
            of = plan_imports.register_for("selected-98")
            released = entry(of, "解除", "PW")
            released.released_on, released.release_reason = date(2009, 9, 20), "驗收"
            for title, spent in (("甲", 90), ("乙", None), (released, 10)):
                mine = title if isinstance(title, RegisterEntry) else entry(of, title, "PW")
                is_in = spent is not None
                _report(
                    mine, september, actual=Decimal(50) if is_in else None, budget_due=100, budget_spent=spent,
                    state="reported" if is_in else "open", light="green" if is_in else None,
                    standing="on_track" if is_in else None, reported_at=NOW if is_in else None,
                )  # fmt: skip
        shown = plans.overview(of, september).execution
        for unit in (None, chart().by_code["PW"].id):
            (month,) = plan_trend.by_month(of, september, unit_id=unit)
            assert month.execution == shown == Decimal("90.00")


def test_what_was_carried_over_is_compared_with_the_year_before(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            old, new = (plan_imports.register_for(f"selected-{year}") for year in (98, 99))
            before = entry(old, "跨年計畫")
            before.released_on, before.release_reason = date(2010, 1, 1), "續列管"
            after = RegisterEntry(
                register_id=new.id, plan_id=before.plan_id, since=date(2010, 1, 1), origin="entered",
                carried_over_from=98,
            )  # fmt: skip
            db.session.add(after)
            db.session.flush()
            said = {"state": "reported", "light": "green", "reported_at": NOW}
            _report(before, date(2009, 12, 1), actual=Decimal(50), standing="on_track", **said)
            for month in (1, 3):
                _report(after, date(2010, month, 1), actual=Decimal(40), standing="severe", **said)
        (told,) = review_facts.gather(new, parse("99Q1"))["changes"]
        assert (told["title"], told["before"], told["now"]) == ("跨年計畫", "on_track", "severe")
        january = date(2010, 1, 1)
        assert plans.overview(new, january).changes == {("on_track", "severe"): 1}
        assert [(each.title, each.before) for each in plans.changed(new, january)] == [
            ("跨年計畫", "on_track")
        ]
