"""A ruleset that is published again and again while others decide by it: its revisions, and who asks them.

`tests.hot_rules:app()` is the product's own application with one page more, for its own web server;
`python -m tests.hot_rules N` publishes N revisions in one process and prints how its memory grew.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import psutil
from flask import Flask

from rules.decision import Decision
from webapp import create_app
from webapp.moments import taipei_day, utc_now
from webapp.permissions import SYSTEM
from webapp.services import evaluation, publishing
from webapp.uow import unit_of_work

KEY = "hot"
PATH = "/hot-rules"
#: a fee below both limits, between them, and above
FEES = (5, 15, 25)


def limit(number: int) -> int:
    return 10 if number % 2 else 20


def body(number: int, rules: int = 2) -> dict[str, Any]:
    """Every part of the revision bears its number: an answer of two revisions shows."""
    points = [{"action": "add_points", "points": {"param": "number"}}]
    more = [
        {
            "key": f"more_{n}",
            "label": "另一條",
            "when": {"fact": "case.fee", "op": "gt", "value": 1000 + n},
            "then": points,
        }
        for n in range(rules - 2)
    ]
    over = {"fact": "case.fee", "op": "ge", "value": limit(number)}
    return {
        "key": KEY,
        "title": "常改的規則",
        "revision_date": "evaluation",
        "hit_policy": "rule_order",
        "parameters": {"number": {"value": number, "label": "版次", "source": "測試", "status": "seed"}},
        "derived": {"over": {"type": "number", "label": "超過"}},
        "rules": [
            {"key": "over", "label": "超過", "when": over, "then": [{"action": "derive", "over": number}]},
            {
                "key": "said",
                "label": "說出",
                "when": {"fact": "derived.over", "op": "eq", "value": {"param": "number"}},
                "then": points,
            },
            {"key": "always", "label": "一律", "then": points},
            *more,
        ],
    }


def publish(number: int, rules: int = 2) -> int:
    """The id of the new revision, which is in force when this returns."""
    with unit_of_work():
        now = utc_now()
        revision = publishing.insert(SYSTEM, "ruleset", KEY, body(number, rules), now, origin="editor")
        publishing.publish(SYSTEM, revision, taipei_day(now), now)
        return revision.id


def decide(fee: int) -> tuple[Decision, int]:
    return evaluation.decide(KEY, {"case.fee": fee}, taipei_day(utc_now()))


def said(decision: Decision) -> list[int]:
    """What the parts of the revision said; the last is the derived fact."""
    points = [outcome.params["points"] for outcome in decision.outcomes]
    return [*points, *(each.value for each in decision.derived.values())]


def expected(number: int, fee: int) -> list[int]:
    return [number] * (3 if fee >= limit(number) else 1)


def app() -> Flask:
    made = create_app()

    @made.get(f"{PATH}/<int:fee>")
    def answer(fee: int) -> dict[str, Any]:
        decision, revision = decide(fee)
        return {
            "revision": revision,
            "said": said(decision),
            "engine": decision.engine,
            "process": os.getpid(),
        }

    return made


def memory(publications: int) -> int:
    """By how many bytes the process grew after a fifth of its publications, when all rulesets that may be are kept."""
    process, before, start = psutil.Process(), 0, max(40, publications // 5)
    for number in range(publications):
        with made.app_context():
            publish(number, rules=50)
            for fee in FEES:
                decision, _ = decide(fee)
                assert (said(decision), decision.engine) == (expected(number, fee), "durable")
        if number == start:
            gc.collect()
            before = process.memory_info().rss
    gc.collect()
    return process.memory_info().rss - before


if __name__ == "__main__":
    made = create_app()
    print(memory(int(sys.argv[1])))
