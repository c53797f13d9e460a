"""`ecounter bench plans`: a register of 43 plans beside one of 10,000, each with a year of reports.

The two are opened in turns, so that both have their part of a busy machine; the figure that counts is the ratio.
"""

from __future__ import annotations

import os
import statistics
import time

import click
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from webapp import create_app, demo, embedded_postgres, setup, trial
from webapp.crypto import keyed_hash
from webapp.extensions import db
from webapp.models import Account
from webapp.queries.org import chart
from webapp.services import plan_imports
from webapp.uow import unit_of_work

SMALL, READER = 43, "guo.shiming"
#: what is opened: the register, one of its filters, and its last page
PAGES = ("?period=111M12", "?period=111M12&light=red", "?period=111M12&q=7")
YEAR = 111

#: plans, entries and twelve reports each; the lights as the rules would set them, without the firings
FILL = text(
    """
    with made as (
        insert into plan (public_id, code, title, kind, roc_year, level, lead_unit_id, origin, note)
        select md5(:register || '/' || n), 'B' || :register || '-' || n, '量測計畫 ' || n, 'yearly', :year, 'county',
            (cast(:units as bigint[]))[1 + n % cardinality(cast(:units as bigint[]))], 'demonstration', ''
        from generate_series(1, :count) as n returning id, substring(code from '[0-9]+$')::int as n
    ), money as (
        insert into plan_budget (plan_id, roc_year, source, amount)
        select id, :year, 'county', 1000000 + n * 1000 from made
    ), standing as (
        insert into register_entry (public_id, register_id, plan_id, project, supervisor, since, origin, note)
        select md5('e' || :register || '/' || n), :register, id, '', '', make_date(:year + 1911, 1, 1),
            'demonstration', '' from made returning id, plan_id
    )
    insert into progress_report (public_id, entry_id, register_id, month, planned, actual, budget_due, budget_spent,
        phase, reason, countermeasure, state, light, standing, origin, note, version)
    select md5('r' || s.id || '/' || m), s.id, :register, make_date(:year + 1911, m, 1), m * 8,
        m * 8 - least(m * 8, (n + m) % 9), 100, 80, '', '', '', 'reported',
        case when least(m * 8, (n + m) % 9) > 6 then 'red' when (n + m) % 9 > 0 then 'yellow' else 'green' end,
        case when least(m * 8, (n + m) % 9) > 6 then 'severe' when (n + m) % 9 > 0 then 'behind'
            else 'on_track' end,
        'demonstration', '', 1
    from standing as s join made on made.id = s.plan_id cross join generate_series(1, 12) as m
    """
)


def bench(large: int, rounds: int) -> None:
    """Prints milliseconds a page of both registers and the ratio."""
    os.environ.update(trial.secret_settings())
    os.environ["DEMO"] = "1"
    data_dir = trial.folder() / "bench" / "plans"
    url = embedded_postgres.start(data_dir)
    os.environ["DATABASE_URL"] = url
    try:
        setup.prepare(url)
        app = create_app({"SESSION_COOKIE_SECURE": False})
        keys = {size: _register(app, size) for size in (SMALL, large)}
        with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.execute(text("vacuum analyze"))
        client = _signed_in(app)
        measured: dict[int, list[float]] = {size: [] for size in keys}
        for _round in range(rounds):
            for size, key in keys.items():
                measured[size] += [_opened(client, f"/plans/registers/{key}{page}") for page in PAGES]
    finally:
        embedded_postgres.stop(data_dir)
    medians = {size: statistics.median(times) for size, times in measured.items()}
    click.echo(f"\n{'plans':>8}{'median ms':>12}{'worst ms':>12}")
    for size, times in measured.items():
        click.echo(f"{size:8}{medians[size] * 1000:12.1f}{max(times) * 1000:12.1f}")
    click.echo(f"ratio {medians[large] / medians[SMALL]:.2f}")


def _register(app: Flask, size: int) -> str:
    """A register of so many plans; one of an earlier run is used again."""
    kind = "selected" if size == SMALL else "major_project"
    with app.app_context(), unit_of_work():
        register = plan_imports.register_for(f"{kind}-{YEAR}")
        filled = db.session.execute(
            text("select count(*) from register_entry where register_id = :id"), {"id": register.id}
        ).scalar_one()
        if not filled:
            units = [unit.id for unit in chart().units.values() if unit.kind == "department"]
            db.session.execute(FILL, {"register": register.id, "year": YEAR, "units": units, "count": size})
        elif filled != size:
            raise click.ClickException(f"{register.key} holds {filled} plans of an earlier run, not {size}")
        return register.key


def _signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    with app.app_context(), client.session_transaction() as session:
        digest = keyed_hash(demo.login(READER), "email")
        account = db.session.scalars(select(Account).where(Account.email_hash == digest)).one()
        session["_user_id"], session["_fresh"] = account.get_id(), True
    return client


def _opened(client: FlaskClient, path: str) -> float:
    before = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise click.ClickException(f"{path} answered {answer.status_code}: these figures measure nothing")
    return time.perf_counter() - before
