"""`ecounter bench sweep`: clocks a second through the whole deadline sweep, beside a floor in the same run.

The floor reads the same rows from the same database and compares days with the thresholds in plain Python; it records
nothing and tells nobody. What applicants are told when a limit passes is no part of either. The days go by in turns,
so that both have their part of a busy machine.
"""

from __future__ import annotations

import os
import time
from datetime import date, datetime, timedelta

import click
from sqlalchemy import insert, select, text

from webapp import create_app, demo, embedded_postgres, setup, trial
from webapp.crypto import keyed_hash, public_id
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Account, Case, Clock, Escalation, Task
from webapp.moments import taipei_day, utc_now
from webapp.queries import definitions, standing
from webapp.queries.org import calendar, chart
from webapp.uow import unit_of_work

SERVICE, UNIT, OFFICERS = "EC09", "EC-APH", ("lin.yahan", "xu.mingde")
LADDER = {"warn": 2, "due": 0, "overdue_first": -1, "overdue_second": -3, "overdue_third": -6, "review": -15}
#: limits lie this many days around the first day: most clocks reach nothing on a day, as in an office
SPREAD = range(-5, 55)


def bench(clocks: int, days: int) -> None:
    """Prints clocks a second of the sweep and of the floor, and how much of the floor the sweep reaches."""
    os.environ.update(trial.secret_settings())
    os.environ["DEMO"] = "1"
    data_dir = trial.folder() / "bench" / "sweep"
    url = embedded_postgres.start(data_dir)
    os.environ["DATABASE_URL"] = url
    try:
        setup.prepare(url)
        with create_app().app_context():
            now = utc_now().replace(hour=1)
            _make(clocks, now)
            on = calendar().add_working_days(taipei_day(now), 1)
            _swept(on)  # the first day also records what was reached long ago
            measured = [_turn(on := calendar().add_working_days(on, 1)) for _ in range(days)]
    finally:
        embedded_postgres.stop(data_dir)
    _print(measured)
    if any(failed for *_, failed in measured):
        raise click.ClickException("some clocks failed: these figures measure nothing")


def _turn(on: date) -> tuple[int, float, int, float, int]:
    """Clocks, seconds of the floor, rungs, seconds of the sweep, failures."""
    before = time.perf_counter()
    expected = _floor(on)
    floor = time.perf_counter() - before
    before = time.perf_counter()
    counts = _swept(on)
    sweep = time.perf_counter() - before
    if counts["rungs"] != expected:
        raise click.ClickException(f"the sweep reached {counts['rungs']} rungs, the floor {expected}")
    return counts["clocks"], floor, counts["rungs"], sweep, counts["failed"]


def _swept(on: date) -> dict[str, int]:
    return run_deadlines(datetime.fromisoformat(f"{on}T01:00:00+00:00"))


def _floor(on: date) -> int:
    with unit_of_work():
        rows = standing.read()
        days = calendar(rows[0].unit_id)
    left: dict[date, int] = {}
    used: dict[date, int] = {}
    reached = 0
    for row in rows:
        if row.due_on not in left:
            left[row.due_on] = days.working_days_between(on, row.due_on)
        if row.started_on not in used:
            used[row.started_on] = days.working_days_between(row.started_on, on)
        n = left[row.due_on]
        late = n < 0 and used[row.started_on] >= 30
        reached += sum(
            (n <= threshold or (rung == "review" and late)) and rung not in row.known
            for rung, threshold in LADDER.items()
        )
    return reached


def _make(clocks: int, now: datetime) -> None:
    """Cases of one service in review, each with its officer and its clock. Those of an earlier run stand still."""
    today = taipei_day(now)
    unit = chart().by_code[UNIT].id
    service = definitions.revision_id("service", SERVICE, today)
    content = definitions.service(service)
    with unit_of_work():
        db.session.execute(
            text("update clock set state = 'stopped', stopped_on = :on where state <> 'stopped'"),
            {"on": today},
        )
        db.session.execute(text("update task set state = 'cancelled' where state = 'open'"))
        hashes = [keyed_hash(demo.login(name), "email") for name in OFFICERS]
        officers = db.session.scalars(select(Account.id).where(Account.email_hash.in_(hashes))).all()
        case = {
            "service_code": SERVICE,
            "service_revision_id": service,
            "form_revision_id": definitions.revision_id("form", content.form, today),
            "workflow_revision_id": definitions.revision_id("workflow", content.workflow, today),
            "owner_unit_id": unit,
            "handling_unit_id": unit,
            "channel": "web",
            "filed_on": today,
            "submitted_at": now,
            "state": "review",
        }
        ids = db.session.scalars(
            insert(Case).returning(Case.id), [{**case, "public_id": public_id()} for _ in range(clocks)]
        ).all()
        task = {"visit": 1, "key": "review", "function": "officer", "unit_id": unit, "opened_at": now}
        db.session.execute(
            insert(Task),
            [
                {**task, "case_id": key, "public_id": public_id(), "assignee_id": officers[n % len(officers)]}
                for n, key in enumerate(ids)
            ],
        )
        clock = {"kind": "WD", "period": 14, "started_on": today - timedelta(days=20), "told_period": 1}
        db.session.execute(
            insert(Clock),
            [
                {**clock, "case_id": key, "due_on": today + timedelta(days=SPREAD[n % len(SPREAD)])}
                for n, key in enumerate(ids)
            ],
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    click.echo(f"{clocks} clocks, {db.session.query(Escalation).count()} rungs of earlier runs")


def _print(measured: list[tuple[int, float, int, float, int]]) -> None:
    clocks, rungs = sum(m[0] for m in measured), sum(m[2] for m in measured)
    floor, sweep = sum(m[1] for m in measured), sum(m[3] for m in measured)
    click.echo(f"\n{len(measured)} working days, {clocks} looks at a clock, {rungs} rungs reached")
    click.echo(f"{'':8}{'seconds':>10}{'clocks/s':>12}{'of the floor':>14}")
    for name, seconds in (("floor", floor), ("sweep", sweep)):
        click.echo(f"{name:8}{seconds:10.2f}{clocks / seconds:12.0f}{floor / seconds:14.2f}")
