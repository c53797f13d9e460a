"""Very many past decisions: a draft over all of them, over the newest, in time; and a page that explains them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from tests import factory, journeys
from tests.journeys import NOW, officer
from tests.officers import statements
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.models import Case, Firing
from webapp.moments import taipei_day
from webapp.queries import definitions, desk, snapshots, trials, why

KEY, TODAY = "case_deadlines", taipei_day(NOW)
PERIOD = (TODAY - timedelta(days=90), TODAY)


def decided(case: Case, day: int, **facts: object) -> Firing:
    """A decision so many days ago."""
    return Firing(
        case_id=case.id,
        ruleset_revision_id=definitions.revision_id("ruleset", KEY, TODAY),
        as_of=TODAY - timedelta(days=day),
        at=NOW,
        facts={"case.paused": False} | facts,
        outcomes=[],
        explanation=[],
        engine="durable",
    )


@pytest.fixture
def both(db_session: Any) -> tuple[trials.Decider, trials.Decider]:
    """Forty days before the limits of a case; a draft that warns one day earlier, which ten of them meet."""
    case = journeys.submitted(min(SAMPLES))
    db.session.add_all(decided(case, day, **{"case.days_left": day % 4}) for day in range(1, 41))
    db.session.flush()
    body = factory.ruleset(KEY)
    body["parameters"]["warn_days"]["value"] = 3
    current = trials.in_force(desk.standing("ruleset", KEY, TODAY).in_force)
    return current, trials.Decider.by_reference(body, desk.names())


def test_all_of_a_period_and_its_newest(both: Any) -> None:
    admin = officer("admin")
    whole = trials.over_past(admin, *both, *PERIOD)
    assert (whole.of, whole.looked_at, whole.changes, whole.newest) == (40, 40, 10, None)
    days = [TODAY - timedelta(days=day) for day in range(3, 41, 4)]
    assert [each.subject.day for each in whole.changed] == days
    sample = trials.over_past(admin, *both, *PERIOD, newest=8)
    assert (sample.of, sample.changes, sample.newest, sample.complete) == (8, 2, 8, True)
    assert [each.subject.day for each in sample.changed] == days[:2]


def test_only_changed_groups_are_named(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []
    subjects = snapshots.Past.subjects

    def asked(self: snapshots.Past, groups: Any, most: int) -> Any:
        named.extend(groups)
        return subjects(self, groups, most)

    monkeypatch.setattr(snapshots.Past, "subjects", asked)
    monkeypatch.setattr(trials, "MOST_NAMED", 4)
    trial = trials.over_past(officer("admin"), *both, *PERIOD)
    assert [(group.facts["case.days_left"], group.times) for group in named] == [(3, 10)]
    assert (trial.changes, len(trial.changed)) == (10, 4)


def test_where_all_take_too_long_the_newest_are_tried(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, groups = officer("admin"), snapshots.Past.groups

    def slow(self: snapshots.Past, most: int) -> Any:
        if len(groups(self, most)[1]) and groups(self, most)[0] > 8:
            db.session.execute(text("select pg_sleep(5)"))
        return groups(self, most)

    monkeypatch.setattr(snapshots.Past, "groups", slow)
    monkeypatch.setattr(trials, "NEWEST", 8)
    trial = trials.over_past(admin, *both, *PERIOD, 0.2)
    assert (trial.of, trial.changes, trial.newest) == (8, 2, 8)
    assert db.session.scalar(text("show statement_timeout")) == "0", "the rest of the page has its time again"


def test_open_cases_that_take_too_long_are_not_called_unchanged(
    both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = officer("admin")
    assert trials.over_open(admin, *both).complete
    monkeypatch.setattr(
        snapshots, "latest", lambda *_: db.session.execute(text("select pg_sleep(5)")).scalars().all()
    )
    trial = trials.over_open(admin, *both, 0.1)
    assert (trial.of, trial.complete) == (0, False)


def test_the_past_that_publishing_asks_is_bounded(both: Any) -> None:
    newest = list(snapshots.distinct(KEY, PERIOD[0], 6))
    assert sum(times for _, times in newest) == 6
    assert [times for _, times in newest] == [2, 2, 1, 1]


def test_why_reads_each_revision_once(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = db.session.get_one(Case, db.session.scalars(select(func.max(Firing.case_id))).one())
    db.session.expire_all()
    with statements(monkeypatch) as seen:
        rulings = why.rulings(case)
    assert len([each for each in rulings if each.key == KEY]) == 40
    assert len([each for each in seen if "revision.body" in each]) == 1
    assert not any("firing.explanation" in each and "revision.body" in each for each in seen)
