"""`ecounter bench submit`: submissions a second through the real web server, beside two floors in the same run.

The server is gunicorn as `ecounter run` starts it, on a database of its own below the trial folder. No worker runs:
its PDFs would share the cores. Every submission is a draft of EC09 with all answers and three uploads, sent by a
signed-in citizen from the review page; every floor request goes through the same session, CSRF check and commit.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import click
import psycopg
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from webapp import create_app, demo, embedded_postgres, setup, supervisor, trial
from webapp.bench.load import Measured, Request, drive, together
from webapp.demo.samples import SAMPLES, picture
from webapp.moments import utc_now
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.services import accounts, documents, drafts
from webapp.uow import unit_of_work

SERVICE = "EC09"
WORKERS = 2
#: drafts prepared for each second of the run
DRAFTS_PER_SECOND = 300


def bench(seconds: int, connections: int) -> None:
    """Prints the three loads, their ratios, and how much of the second floor a submission reaches."""
    os.environ.update(trial.secret_settings())
    os.environ["DEMO"] = "1"
    data_dir = trial.folder() / "bench" / "postgres"
    url = embedded_postgres.start(data_dir)
    os.environ["DATABASE_URL"] = url
    try:
        setup.prepare(url)
        app = create_app()
        headers, token = sign_in(app)
        click.echo(f"preparing {(seconds + 1) * DRAFTS_PER_SECOND} drafts")
        keys = _drafts(app, (seconds + 1) * DRAFTS_PER_SECOND)
        _settle(url)
        with _server() as port:
            measured = _measure(port, headers, token, keys, seconds, connections)
    finally:
        embedded_postgres.stop(data_dir)
    _print(measured, connections)
    if any(result.failed for result in measured.values()):
        raise click.ClickException("some requests failed: these figures measure nothing")


def _measure(
    port: int, headers: dict[str, str], token: str, keys: list[str], seconds: int, connections: int
) -> dict[str, Measured]:
    """One round a second; each takes its share of the drafts and sends the three loads one after the other.

    A machine that others use is faster now and slower then: in turns, all three have their part of both.
    """
    body = urlencode({"csrf_token": token})
    hello = Request("GET", "/floor/hello", headers)
    row = Request("POST", "/floor/row", headers, body)
    submits = [Request("POST", f"/apply/{key}/review", headers, body) for key in keys]

    def load(requests: list[list[Request]], expect: int, length: float = 1) -> Measured:
        return drive("127.0.0.1", port, requests, length, expect)

    def repeated(request: Request) -> list[list[Request]]:
        return [[request] for _ in range(connections)]

    def share(number: int) -> list[list[Request]]:
        drafts = submits[number * DRAFTS_PER_SECOND : (number + 1) * DRAFTS_PER_SECOND]
        return [drafts[n::connections] for n in range(connections)]

    load(repeated(row), 302)
    load(share(0), 302)  # both to warm up
    rounds: dict[str, list[Measured]] = {"hello": [], "row": [], "submit": []}
    for number in range(1, seconds + 1):
        rounds["hello"].append(load(repeated(hello), 200))
        rounds["row"].append(load(repeated(row), 302))
        rounds["submit"].append(load(share(number), 302))
    return {name: together(measured) for name, measured in rounds.items()}


def _print(measured: dict[str, Measured], connections: int) -> None:
    click.echo(f"\n{connections} connections, {WORKERS} web processes")
    head = "".join(
        f"{title:>12}" for title in ("requests", "failed", "per second", "p50 ms", "p95 ms", "of the row")
    )
    click.echo(f"{'':10}{head}")
    for name, result in measured.items():
        share = result.rate / measured["row"].rate
        click.echo(
            f"{name:10}{result.count:12}{result.failed:12}{result.rate:12.1f}"
            f"{result.percentile(0.50):12.1f}{result.percentile(0.95):12.1f}{share:12.2f}"
        )


def sign_in(app: Flask) -> tuple[dict[str, str], str]:
    """The session cookie of a signed-in citizen, and the CSRF token that belongs to it."""
    with app.app_context(), unit_of_work():
        account = accounts.sign_in_by_password(
            demo.login("chen.meiling"), demo.password(app.config["SECRET_KEY"]), "bench", utc_now()
        )
        user = account.get_id()
    client: FlaskClient = app.test_client()
    with app.test_request_context():
        token = generate_csrf()
        from flask import session

        secret = session["csrf_token"]
    with client.session_transaction() as kept:
        kept["_user_id"], kept["_fresh"], kept["csrf_token"] = user, True, secret
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    if cookie is None:
        raise RuntimeError("no session cookie was set")
    return {
        "Cookie": f"{cookie.key}={cookie.value}",
        "Content-Type": "application/x-www-form-urlencoded",
    }, token


def _drafts(app: Flask, count: int) -> list[str]:
    with app.app_context():
        with unit_of_work():
            account = accounts.sign_in_by_password(
                demo.login("chen.meiling"), demo.password(app.config["SECRET_KEY"]), "bench", utc_now()
            )
            actor = Actor("citizen", account.id, account.name)
        keys = []
        for start in range(0, count, 100):
            with unit_of_work():
                keys += [_draft(actor) for _ in range(start, min(start + 100, count))]
        return keys


def _settle(url: str) -> None:
    """What a database that has run for a while has behind it, and what would else fall into one of the loads."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _draft(actor: Actor) -> str:
    now = utc_now()
    draft = drafts.start(actor, SERVICE, now)
    form = definitions.form(draft.form_revision_id)
    draft.raw = dict(SAMPLES[SERVICE])
    for field in form.file_fields:
        drafts.add_file(
            draft, documents.upload(actor, draft.public_id, field, f"{field.key}.png", picture(), now)
        )
    return draft.public_id


@contextmanager
def _server() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = supervisor.web_command(f"127.0.0.1:{port}", WORKERS)
    command[command.index("wsgi:app")] = "webapp.bench.floors:app"
    server = subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
    try:
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _wait(attempt: Callable[[], None], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
