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
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from webapp import create_app, demo, embedded_postgres, setup, supervisor, trial
from webapp.bench.load import Measured, Request, drive
from webapp.demo.samples import SAMPLES, picture
from webapp.moments import utc_now
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.services import accounts, documents, drafts
from webapp.uow import unit_of_work

SERVICE = "EC09"
WORKERS = 2
#: drafts prepared for each second of the run
DRAFTS_PER_SECOND = 220


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
        headers, token = _sign_in(app)
        click.echo(f"preparing {seconds * DRAFTS_PER_SECOND} drafts")
        keys = _drafts(app, seconds * DRAFTS_PER_SECOND)
        with _server() as port:
            measured = _measure(port, headers, token, keys, seconds, connections)
    finally:
        embedded_postgres.stop(data_dir)
    _print(measured, connections)


def _measure(
    port: int, headers: dict[str, str], token: str, keys: list[str], seconds: int, connections: int
) -> dict[str, Measured]:
    body = urlencode({"csrf_token": token})

    def run(name: str, batches: list[list[Request]], length: float, expect: int) -> Measured:
        result = drive("127.0.0.1", port, batches, length, expect)
        click.echo(f"  {name}: {result.count} requests, {result.failed} failed")
        return result

    def repeated(request: Request) -> list[list[Request]]:
        return [[request] for _ in range(connections)]

    hello = Request("GET", "/floor/hello", headers)
    row = Request("POST", "/floor/row", headers, body)
    submits = [Request("POST", f"/apply/{key}/review", headers, body) for key in keys]
    shares = [submits[n::connections] for n in range(connections)]
    drive("127.0.0.1", port, repeated(row), 1, 302)  # warm-up
    drive("127.0.0.1", port, [share[:15] for share in shares], 0, 302)
    rest = [share[15:] for share in shares]
    return {
        "hello": run("hello page", repeated(hello), seconds, 200),
        "row": run("POST of one row", repeated(row), seconds, 302),
        "submit": run("submission", rest, seconds, 302),
    }


def _print(measured: dict[str, Measured], connections: int) -> None:
    click.echo(f"\n{connections} connections, {WORKERS} web processes")
    click.echo(f"{'':18}{'per second':>12}{'p50 ms':>10}{'p95 ms':>10}{'of the row':>12}")
    for name, result in measured.items():
        share = result.rate / measured["row"].rate
        click.echo(f"{name:18}{result.rate:12.1f}{result.p50:10.1f}{result.p95:10.1f}{share:12.2f}")


def _sign_in(app: Flask) -> tuple[dict[str, str], str]:
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
