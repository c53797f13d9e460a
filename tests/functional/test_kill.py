"""kill -9 in the middle of submissions: what was confirmed is there, once, with its receipt and its message."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import journeys, walks
from tests.programs import Counter
from tests.visitor import over_http
from webapp import demo
from webapp.extensions import db
from webapp.models import Case, Clock, Document, Draft, Effect, Message, Task
from webapp.moments import utc_now
from webapp.permissions import Actor
from webapp.services import accounts, events
from webapp.supervisor import Child
from webapp.uow import unit_of_work

CLIENTS = 4
KILLS = {"web": 3, "worker": 3}
#: A killed worker is missed after 15 seconds and its jobs start again within ten more; a killed web server takes some
#: seconds until it answers again. Whatever stands still for longer than this stands still for ever.
SECONDS_WITHOUT_PROGRESS = 90


class Patience:
    """Waits as long as something goes on, however slow the machine is."""

    def __init__(self) -> None:
        self.seen: int | None = None
        self.until = 0.0

    def wait(self, seconds: float, measure: int, or_else: str) -> None:
        if measure != self.seen:
            self.seen, self.until = measure, time.monotonic() + SECONDS_WITHOUT_PROGRESS
        assert time.monotonic() < self.until, or_else
        time.sleep(seconds)


@pytest.mark.parametrize("submissions", [30, pytest.param(200, marks=pytest.mark.full)])
def test_nothing_confirmed_is_lost_and_nothing_is_done_twice(
    counter: Counter, office: Flask, submissions: int
) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    print(f"seed {seed}")
    with office.app_context():
        drafts = {f"client{n}": _drafts_of(f"client{n}", submissions // CLIENTS) for n in range(CLIENTS)}
    keys = [key for owned in drafts.values() for key in owned]
    confirmed: list[str] = []
    kills = {name: sorted(chance.sample(range(5, submissions - 5), times)) for name, times in KILLS.items()}
    stop = Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [
            pool.submit(_submit_all, counter.address, login, owned, confirmed, stop)
            for login, owned in drafts.items()
        ]
        try:
            _kill_now_and_then(counter, chance, kills, confirmed, lambda: all(c.done() for c in clients))
        finally:
            stop.set()
            _revive_until_open(counter)
    for client in clients:
        client.result()
    assert sorted(confirmed) == sorted(keys), "every client got through in the end, once a draft"
    with office.app_context():
        _wait_until_settled(keys)
        _is_complete(keys)


def _drafts_of(name: str, count: int) -> list[str]:
    """Finished applications, ready on their review pages."""
    now = utc_now()
    with unit_of_work():
        email, password = demo.login(name), demo.password(os.environ["SECRET_KEY"])
        account = accounts.register(name, email, password, now)
        actor = Actor("citizen", account.id, account.name)
        return [journeys.draft("EC09", actor, now).public_id for _ in range(count)]


def _submit_all(address: str, login: str, keys: list[str], confirmed: list[str], stop: Event) -> None:
    visitor = over_http(address)
    walks.sign_in(visitor, login)
    for key in keys:
        while not _is_confirmed(visitor, key):
            if stop.is_set():
                return
            time.sleep(0.1)
        confirmed.append(key)


def _is_confirmed(visitor: walks.Visitor, key: str) -> bool:
    """Sends the draft as a person would who sees an error page: goes back to it and tries again."""
    try:
        page = visitor.get(f"/apply/{key}/review")
        if page.heading == walks.REVIEW:
            page = visitor.press("送出申請")
    except (OSError, HTTPException):
        pass
    return any(hop.status == 302 and "/confirmation" in str(hop.location) for hop in visitor.trail)


def _kill_now_and_then(
    counter: Counter, chance: random.Random, due: dict[str, list[int]], confirmed: list[str], finished
) -> None:
    """At these points of the progress, and some random moment after each; one that is still down then, later on."""
    children = {"web": counter.web, "worker": counter.worker}
    patience = Patience()
    while not finished() or any(due.values()):
        patience.wait(0.02, len(confirmed), f"{len(confirmed)} were confirmed, no more; still to kill: {due}")
        for name, child in children.items():
            if due[name] and len(confirmed) >= due[name][0] and child.is_alive():
                due[name].pop(0)
                time.sleep(chance.uniform(0, 0.1))
                _kill(child)
            child.pause = 0  # killed on purpose: the next life need not wait longer and longer
            child.revive()


def _kill(child: Child) -> None:
    """The program and all its processes, without a warning."""
    assert child.process is not None
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def _revive_until_open(counter: Counter) -> None:
    until = walks.deadline(60)
    while True:
        counter.web.revive()
        counter.worker.revive()
        try:
            if counter.worker.is_alive() and over_http(counter.address).get("/").status == 200:
                return
        except (OSError, HTTPException):
            walks.wait_a_little(until, "the counter did not open again")


def _wait_until_settled(keys: list[str]) -> None:
    pending = (
        select(func.count())
        .select_from(Effect)
        .join(Case, Case.id == Effect.case_id)
        .where(Case.draft_key.in_(keys), Effect.state == "pending")
    )
    patience = Patience()
    while left := db.session.scalars(pending).one():
        db.session.rollback()
        patience.wait(0.3, left, f"{left} effects were not done")


def _is_complete(keys: list[str]) -> None:
    cases = db.session.scalars(select(Case).where(Case.draft_key.in_(keys))).all()
    ids = [case.id for case in cases]
    assert sorted(str(case.draft_key) for case in cases) == sorted(keys)
    assert db.session.scalars(select(Draft).where(Draft.public_id.in_(keys))).all() == []
    assert _tally(Effect.case_id, Effect.state == "done", ids) == dict.fromkeys(ids, 3)
    assert _tally(Document.case_id, Document.kind == "receipt", ids) == dict.fromkeys(ids, 1)
    assert _tally(Document.case_id, Document.kind == "application", ids) == dict.fromkeys(ids, 1)
    assert _tally(Document.case_id, Document.kind == "upload", ids) == dict.fromkeys(ids, 3)
    assert _tally(Message.case_id, Message.channel == "email", ids) == dict.fromkeys(ids, 1)
    assert _tally(Message.case_id, Message.channel != "email", ids) == {}
    assert _tally(Task.case_id, Task.state == "open", ids) == dict.fromkeys(ids, 1)
    assert _tally(Clock.case_id, Clock.state == "running", ids) == dict.fromkeys(ids, 1)
    assert [case.id for case in cases if events.broken_links(case.id)] == []
    numbers = db.session.scalars(select(Case.number).where(Case.service_code == "EC09")).all()
    serials = sorted(int(str(number)[-6:]) for number in numbers)
    assert serials == list(range(1, len(serials) + 1)), "numbers follow each other, whatever was killed"


def _tally(column, condition, ids: list[int]) -> dict[int, int]:
    return dict(Tally(db.session.scalars(select(column).where(condition, column.in_(ids)))))
