"""Rules change while four web processes decide by them: no wrong answer, no mixed one, none of yesterday."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import pytest
from flask import Flask

from tests import hot_rules
from webapp import create_app, supervisor, trial
from webapp.extensions import db

PROCESSES = 4
CLIENTS = 4
#: a connection stays with one process; so it is closed now and then
ASKED_ON_ONE = 20
#: a busy machine lets every process have its turn by then
SECONDS_FOR_ALL = 60
#: 32 compiled rulesets are kept, over a megabyte each: the next twenty, if they stayed, would take twice as much
MOST_GROWTH = 12_000_000


@dataclass(frozen=True)
class Answer:
    sent: float
    received: float
    fee: int
    revision: int
    said: list[int]
    engine: str
    process: int


@dataclass(frozen=True)
class Published:
    number: int
    revision: int
    #: nobody can decide by it before the first, and nobody by an older one after the second
    begun: float
    done: float


@pytest.fixture
def publisher(new_database: Callable[[], str]) -> Iterator[Flask]:
    app = create_app({"DATABASE_URL": new_database()})
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("publications", "pause", "more"),
    [
        (6, 0.2, ["--preload"]),  # loaded once for all four, to be there sooner
        pytest.param(60, 1.0, [], marks=pytest.mark.full),
    ],
)
def test_every_answer_is_of_one_revision_that_was_in_force(
    publisher: Flask, publications: int, pause: float, more: list[str]
) -> None:
    published: list[Published] = []

    def publish(number: int) -> None:
        with publisher.app_context():
            begun = time.monotonic()
            revision = hot_rules.publish(number)
            published.append(Published(number, revision, begun, time.monotonic()))

    publish(0)
    with supervisor.listen("127.0.0.1", 0) as listener:
        port, handle = listener.getsockname()[1], listener.fileno()
        program = supervisor.web_command(f"fd://{handle}", PROCESSES)[:-1]
        command = [*program, *more, "tests.hot_rules:app()"]
        environment = {**os.environ, "DATABASE_URL": publisher.config["DATABASE_URL"]}
        web = supervisor.Child("網站", "web", command, keep=[handle], environment=environment)
        web.start()
        try:
            supervisor.wait_for_an_answer(web, listener)
            stop, answers, until = Event(), list[Answer](), time.monotonic() + SECONDS_FOR_ALL
            with ThreadPoolExecutor(CLIENTS) as clients:
                asking = [clients.submit(ask, port, stop, seed, answers) for seed in range(CLIENTS)]
                try:
                    # whoever is quick to take connections leaves none to the others for a while
                    while len(published) < publications or (
                        len({answer.process for answer in answers}) < PROCESSES and time.monotonic() < until
                    ):
                        time.sleep(pause)
                        publish(len(published))
                    time.sleep(pause)
                finally:
                    stop.set()
                for client in asking:
                    client.result()
        finally:
            web.stop()
    check(answers, published)


def ask(port: int, stop: Event, seed: int, answers: list[Answer]) -> None:
    chance = random.Random(seed)
    while not stop.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(ASKED_ON_ONE):
            fee, sent = chance.choice(hot_rules.FEES), time.monotonic()
            connection.request("GET", f"{hot_rules.PATH}/{fee}")
            response = connection.getresponse()
            said = response.read()
            assert response.status == 200, said
            answers.append(Answer(sent, time.monotonic(), fee, **json.loads(said)))
        connection.close()


def check(answers: list[Answer], published: list[Published]) -> None:
    number_of = {each.revision: each.number for each in published}
    for answer in answers:
        number = number_of[answer.revision]
        assert answer.said == hot_rules.expected(number, answer.fee), "a wrong or a mixed answer"
        assert answer.engine == "durable"
        assert published[number].begun <= answer.received, "an answer of the future"
        newest = max(each.number for each in published if each.done <= answer.sent or each.number == 0)
        assert number >= newest, "an answer of a revision that was replaced before it was asked"
    assert len({answer.process for answer in answers}) == PROCESSES
    assert len({answer.revision for answer in answers}) > len(published) / 2
    assert set(hot_rules.FEES) == {answer.fee for answer in answers}


@pytest.mark.parametrize("publications", [60, pytest.param(1000, marks=pytest.mark.full)])
def test_memory_stays_flat_over_publications(new_database: Callable[[], str], publications: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hot_rules", str(publications)],
        cwd=trial.PROJECT,
        env={**os.environ, "DATABASE_URL": new_database()},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_GROWTH, done.stdout
