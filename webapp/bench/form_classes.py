"""`ecounter bench forms`: the WTForms class of the largest form from the cache, beside a page of it in the same run.

The page is the longest step of that form, asked of the application in this process, with its session, draft and
template; web server and network are left out, so the page is as fast as it can be. Rounds go by in turns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

import click
from flask.testing import FlaskClient

from forms.builder import build_class, form_class
from forms.model import FormDefinition
from webapp import create_app, demo, embedded_postgres, setup, trial
from webapp.bench.submit import sign_in
from webapp.moments import taipei_day, utc_now
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.services import accounts, drafts
from webapp.uow import unit_of_work

#: a page may take no less than so many times the class that it shows
AT_LEAST = 100
#: reads of the cache in one round: one alone is shorter than the clock can tell
READS = 1000


def bench(rounds: int) -> None:
    """Prints the times and their ratio; fails where building the class weighs on the page."""
    os.environ.update(trial.secret_settings())
    os.environ["DEMO"] = "1"
    data_dir = trial.folder() / "bench" / "forms"
    url = embedded_postgres.start(data_dir)
    os.environ["DATABASE_URL"] = url
    try:
        setup.prepare(url)
        app = create_app()
        headers, _token = sign_in(app)
        with app.app_context():
            service, form = _largest()
            longest = max(form.sections, key=lambda section: len(section.fields))
            path = f"/apply/{_draft(service, app.config['SECRET_KEY'])}/{longest.key}"
        client = app.test_client(use_cookies=False)
        keys = tuple(field.key for field in longest.fields)
        _page(client, path, headers)  # to warm up
        times = [
            (
                _seconds(lambda: build_class(form, keys, "zh")),
                _seconds(lambda: [form_class(form, keys) for _ in range(READS)]) / READS,
                _seconds(lambda: _page(client, path, headers)),
            )
            for _ in range(rounds)
        ]
    finally:
        embedded_postgres.stop(data_dir)
    built, cached, page = (median(column) for column in zip(*times, strict=True))
    ratio = page / cached
    click.echo(f"{form.key}: {len(form.fields)} fields, {len(keys)} of them in the step “{longest.key}”")
    for name, seconds in (("class, built anew", built), ("class, from the cache", cached), ("page", page)):
        click.echo(f"{name:24}{seconds * 1e6:12.1f} µs")
    click.echo(f"the page takes {ratio:,.0f} times as long as the class from the cache; at least {AT_LEAST}")
    if ratio < AT_LEAST:
        raise click.ClickException("the class from the cache weighs on the page")


def _largest() -> tuple[str, FormDefinition]:
    """The service with the longest form, and that form."""
    today = taipei_day(utc_now())
    services = {service.code: service.form for service in definitions.current_services(today)}
    found = {code: definitions.current_form(form, today) for code, form in services.items()}
    code = max(found, key=lambda code: len(found[code].fields))
    return code, found[code]


def _draft(service: str, secret: str) -> str:
    now = utc_now()
    with unit_of_work():
        account = accounts.sign_in_by_password(
            demo.login("chen.meiling"), demo.password(secret), "bench", now
        )
        return drafts.start(Actor("citizen", account.id, account.name), service, now).public_id


def _page(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = client.get(path, headers=headers)
    if answer.status_code != 200:
        raise click.ClickException(f"{path} answered {answer.status_code}: these figures measure nothing")


def _seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
