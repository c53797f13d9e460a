"""`ecounter rules`: rulesets checked, tested, decided, compared and measured. Only `simulate` needs the database."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from rules.values import DefinitionError

if TYPE_CHECKING:
    from rules.model import Ruleset

#: how much is said of a difference or a change, so that a screen holds it
MOST_LINES = 50


@click.group()
def rules() -> None:
    """Rulesets: what follows from the facts, and why."""


@rules.command("check")
def check() -> None:
    """Parse and compile every ruleset."""
    from rules import engine, loader

    failed = False
    for key, body in loader.read_all().items():
        try:
            compiled = engine.compile(loader.load(body))
        except DefinitionError as error:
            failed = True
            for problem in error.problems:
                click.echo(f"{key}: {problem}", err=True)
        else:
            compiled.close()
            click.echo(f"{key}: ok")
    sys.exit(1 if failed else 0)


@rules.command("test")
def test() -> None:
    """Run the examples beside every ruleset."""
    from rules import loader
    from rules.testing import run_examples

    failures = 0
    for key, body in loader.read_all().items():
        ruleset = loader.load(body)
        found = run_examples(ruleset)
        failures += len(found)
        for failure in found:
            click.echo(f"{key}: {failure}", err=True)
        click.echo(f"{key}: {len(ruleset.examples)} examples, {len(found)} failed")
    sys.exit(1 if failures else 0)


@rules.command("decide")
@click.argument("key", metavar="RULESET")
@click.option(
    "--facts", "facts_file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), required=True
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Refuse a ruleset that is not in force that day."
)
def decide(key: str, facts_file: str, as_of: datetime | None) -> None:
    """Decide facts by a ruleset: one JSON object with outcomes and explanation."""
    from rules import engine
    from rules import facts as rule_facts
    from rules.decision import NotUnique

    ruleset = _factory(key)
    if as_of is not None and not ruleset.in_force(as_of.date()):
        days = f"{ruleset.effective_from or '…'} to {ruleset.effective_to or '…'}"
        raise click.ClickException(f"{key} is in force from {days}, not on {as_of.date()}")
    facts = _facts(facts_file)
    problems = rule_facts.check(facts, path="facts")
    for problem in problems[:MOST_LINES]:
        click.echo(f"warning: {problem}", err=True)
    if len(problems) > MOST_LINES:
        click.echo(f"warning: and {len(problems) - MOST_LINES} more", err=True)
    try:
        decision = engine.compile(ruleset).evaluate(facts, shadow=True)
    except NotUnique as error:
        raise click.ClickException(error.text.in_("en")) from None
    click.echo(json.dumps(decision.to_json(), ensure_ascii=False, indent=2))


@rules.command("simulate")
@click.argument("key", metavar="RULESET")
@click.option(
    "--draft", type=click.Path(exists=True, dir_okay=False), required=True, help="A ruleset in YAML."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Decisions from this day on.")
@click.option("--rows", type=click.IntRange(1), help="At most so many decisions.")
@click.option("--seconds", type=click.FloatRange(0), help="No new decision after so long.")
def simulate(key: str, draft: str, since: datetime, rows: int | None, seconds: float | None) -> None:
    """Decide the stored facts of past decisions by a draft, beside the ruleset in force. Acts on nothing."""
    from rules import engine, loader
    from rules.dry_run import dry_run, matrix_labels
    from rules.tryout import try_out
    from rules.values import read_yaml
    from webapp import trial
    from webapp.errors import NotFound
    from webapp.moments import taipei_day, utc_now
    from webapp.queries import definitions, snapshots
    from workflows.functions import FUNCTIONS

    try:
        body = read_yaml(draft)
        if problems := [each for each in try_out(body, FUNCTIONS) if each.path != "examples"]:
            raise DefinitionError(problems)
        ruleset = loader.load(body, functions=FUNCTIONS)
        application = _application()
    except DefinitionError as error:
        raise click.ClickException(f"the draft is refused:\n{error}") from None
    except trial.NotATrial as error:
        raise click.ClickException(str(error)) from None
    if ruleset.key != key:
        raise click.ClickException(f"the draft is of {ruleset.key}, not of {key}")
    with application.app_context():
        try:
            current = definitions.ruleset(definitions.revision_id("ruleset", key, taipei_day(utc_now())))
        except NotFound:
            raise click.ClickException(f"no ruleset {key} is published") from None
        if unknown := sorted(ruleset.used - current.ruleset.used):
            click.echo(
                f"warning: past decisions did not keep {', '.join(unknown)}: taken as missing", err=True
            )
        past = snapshots.of_ruleset(key, since.date())
        run = dry_run(current, engine.compile(ruleset), past, rows=rows, seconds=seconds)
    if run.cut:
        click.echo(f"warning: not all past decisions were looked at: --{run.cut} ended it", err=True)
    click.echo(f"{run.decisions} decisions, {len(run.changed)} would change")
    said = {words: label.in_("en") for words, label in matrix_labels(run).items()}
    for (before, after), count in run.matrix.most_common():
        click.echo(f"{count:8} {said[before]}" + ("" if before == after else f"  ->  {said[after]}"))
    for change in run.changed[:MOST_LINES]:
        click.echo(f"{change.name}: {said[change.before]}  ->  {said[change.after]}")
        click.echo(f"  {change.reason.text.in_('en')}")
    if len(run.changed) > MOST_LINES:
        click.echo(f"and {len(run.changed) - MOST_LINES} more")


@rules.command("compare")
@click.option("--decisions", default=1_000_000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, help="Of the first random ruleset.")
def compare(decisions: int, seed: int) -> None:
    """Decide random facts by random rulesets, by the engine and by the reference: they must agree."""
    from rules.differential import compare as run

    done = shown = differing = 0
    step = max(decisions // 10, 1)
    for count, found in run(decisions, seed):
        differing += len(found)
        for difference in found[: max(MOST_LINES - shown, 0)]:
            click.echo(str(difference), err=True)
            shown += 1
        if (done + count) // step > done // step:
            click.echo(f"{done + count:,} decisions, {differing} differences")
        done += count
    sys.exit(1 if differing else 0)


@rules.command("bench")
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(1), help="The medians of so many."
)
@click.option("--cases", default=100_000, show_default=True, type=click.IntRange(4), help="Of the sweep.")
def bench(rounds: int, cases: int) -> None:
    """Microseconds a decision: this engine, plain Python, and the peers that are installed, in one run."""
    from webapp.bench.rules import bench as run

    run(rounds, cases)


def _facts(path: str) -> dict[str, Any]:
    """One JSON object as the standard has it: nothing twice, no NaN, no half characters."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands there twice")
        return found

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    try:
        with click.open_file(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        facts = json.loads(text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=once)
        json.dumps(facts, ensure_ascii=False, default=str).encode()
    except (ValueError, InvalidOperation) as error:
        reason = "a number too large or too small" if isinstance(error, InvalidOperation) else error
        raise click.ClickException(f"facts are not JSON: {reason}") from None
    except RecursionError:
        raise click.ClickException("facts are not JSON: too many brackets within each other") from None
    if not isinstance(facts, dict):
        raise click.ClickException("facts are one JSON object of names and values")
    return facts


def _factory(key: str) -> Ruleset:
    from rules import loader

    found = loader.read_all()
    if key not in found:
        raise click.ClickException(f"no ruleset {key}; there are {', '.join(sorted(found))}")
    return loader.load(found[key])


def _application() -> Any:
    from webapp import create_app, trial

    return create_app({"DATABASE_URL": trial.join()})
