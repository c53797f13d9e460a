"""`ecounter rules bench`: microseconds a decision, beside plain Python and the peers, and a sweep over open cases.

All take the same rules and facts and must match the same rules. Rounds go by in turns, so that all have their part of
a busy machine; ratios are medians over the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Any

import click

from rules import engine, loader
from webapp.bench.rule_engines import PEERS, Facts, Match, Rules, closures, ours

SIZES = (10, 200, 1000)
#: each contestant decides about so long in a round
SECONDS = 0.2
#: at ten rules, of the time of plain closures
MOST_OF_CLOSURES = 3
#: a sweep of a hundred thousand cases, in seconds a case
LONGEST_A_CASE = 10 / 100_000
#: a case of the whole sweep may cost so much more than one of its first quarter
LINEAR = 1.3


def bench(rounds: int, cases: int) -> None:
    """Prints the figures; fails where a goal is missed."""
    missed = [problem for size in SIZES for problem in _size(size, rounds)]
    missed += _sweep(rounds, cases)
    if missed:
        raise click.ClickException("; ".join(missed))


def _size(size: int, rounds: int) -> list[str]:
    random = Random(size)
    rules = [_rule(random) for _ in range(size)]
    facts = [_facts(random) for _ in range(200)]
    matches = _contestants(rules)
    expected = [list(matches["closures"](each)) for each in facts]
    for name, match in matches.items():
        if [sorted(match(each)) for each in facts] != expected:
            raise click.ClickException(f"{name} matches other rules: these figures measure nothing")
    calls = {name: _calls(match, facts) for name, match in matches.items()}
    measured: dict[str, list[float]] = {name: [] for name in matches}
    for _ in range(rounds):
        for name, match in matches.items():
            measured[name].append(_measure(match, facts, calls[name]))
    click.echo(f"{size} rules")
    ratios = {}
    for name, seconds in measured.items():
        ratios[name] = median(its / own for its, own in zip(seconds, measured["ecounter"], strict=True))
        click.echo(f"  {name:15} {median(seconds) * 1e6:10.1f} µs  {ratios[name]:8.2f} × ecounter")
    missed = [
        f"slower than {name} at {size} rules"
        for name in PEERS
        if size >= 200 and name in ratios and ratios[name] <= 1
    ]
    if size == SIZES[0] and ratios["closures"] * MOST_OF_CLOSURES < 1:
        missed.append(f"more than {MOST_OF_CLOSURES} times plain closures at {size} rules")
    return missed


def _contestants(rules: Rules) -> dict[str, Match]:
    found = {"ecounter": ours(rules), "closures": closures(rules)}
    for name, prepare in PEERS.items():
        try:
            found[name] = prepare(rules)
        except ImportError:
            click.echo(f"{name} is not installed: it is in the dependency group `peers`", err=True)
    return found


def _calls(match: Match, facts: Sequence[Facts]) -> int:
    """How many decisions make a round."""
    before = time.perf_counter()
    for each in facts[:10]:
        match(each)
    return max(10, int(SECONDS / ((time.perf_counter() - before) / 10)))


def _measure(match: Match, facts: Sequence[Facts], calls: int) -> float:
    chosen = [facts[n % len(facts)] for n in range(calls)]
    before = time.perf_counter()
    for each in chosen:
        match(each)
    return (time.perf_counter() - before) / calls


def _rule(random: Random) -> list[Any]:
    """Three comparisons; about one rule in thirty matches."""
    return [
        ("case.days_left", "le", random.randint(-20, 40)),
        random.choice(
            [("case.fee", "ge", random.randrange(5000)), ("case.days_used", "ge", random.randrange(60))]
        ),
        ("service.code", "eq", f"EC{random.randint(1, 11):02}"),
    ]


def _facts(random: Random) -> dict[str, Any]:
    return {
        "case.days_left": random.randint(-30, 60),
        "case.fee": random.randrange(6000),
        "case.days_used": random.randrange(70),
        "service.code": f"EC{random.randint(1, 11):02}",
    }


def _sweep(rounds: int, cases: int) -> list[str]:
    """Every open case by the factory ladder."""
    random = Random(0)
    facts = [
        {
            "case.days_left": random.randint(-40, 60),
            "case.days_used": random.randrange(90),
            "case.paused": random.random() < 0.1,
        }
        for _ in range(cases)
    ]
    compiled = engine.compile(loader.load(loader.read_all()["case_deadlines"]))
    quarter, whole = [], []
    for _ in range(rounds):
        quarter.append(_measure(compiled.evaluate, facts, cases // 4))
        whole.append(_measure(compiled.evaluate, facts, cases))
    growth = median(a / b for a, b in zip(whole, quarter, strict=True))
    click.echo(f"sweep of {cases:,} cases by case_deadlines: {median(whole) * cases:.2f} s")
    click.echo(f"  a case costs {growth:.2f} times one of the first quarter")
    missed = []
    if median(whole) > LONGEST_A_CASE:
        missed.append("the sweep is too slow")
    if growth > LINEAR:
        missed.append("the sweep grows faster than its cases")
    return missed
