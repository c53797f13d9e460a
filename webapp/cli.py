"""`ecounter`: the one command. Each subcommand imports what it needs, so that a quick one stays quick."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rules.values import DefinitionError
from webapp import import_commands, rules_commands

if TYPE_CHECKING:
    from flask import Flask

KINDS = click.Choice(["WD", "CD", "CD-shift", "M-shift", "HOUR", "DATE"])


@click.group()
@click.version_option(package_name="ecounter")
def main() -> None:
    """E櫃檯: the online counter of a county government."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=None, help="8000, or the next free one.")
@click.option("--workers", default=2, show_default=True, help="Web server processes.")
def run(host: str, port: int | None, workers: int) -> None:
    """Open the counter: database, web server and worker, until Ctrl-C."""
    from webapp import supervisor

    sys.exit(supervisor.run(host, port, workers))


@main.command()
def worker() -> None:
    """Perform jobs: PDFs, messages, the deadline sweep."""
    from webapp.jobs.worker import run_worker

    run_worker()


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from webapp import migrate as migration

    migration.upgrade(_database())


def _database() -> str:
    """The address of DATABASE_URL, or of the trial that runs here; its secrets are in the environment then."""
    from webapp import trial

    try:
        return trial.join()
    except trial.NotATrial as error:
        raise click.ClickException(str(error)) from None


def _application() -> Flask:
    from webapp import create_app

    return create_app({"DATABASE_URL": _database()})


# --- definitions


@main.group()
def definitions() -> None:
    """Forms, workflows, rulesets and services."""


@definitions.command("check")
def definitions_check() -> None:
    """Check every definition file, report every mistake with its path. Needs no database."""
    from webapp.definition_check import check_all

    report = check_all()
    for problem in report.problems:
        click.echo(problem, err=True)
    click.echo(
        f"{report.services} services, {report.application_forms} application forms, {report.owners} owner units"
    )
    click.echo(
        f"{report.workflows} workflows, {report.rulesets} rulesets, {report.recordings} recorded cases; internal: "
        f"{report.internal_services} services, {report.internal_forms} forms, {report.internal_workflows} workflows"
    )
    sys.exit(1 if report.problems else 0)


@definitions.command("sync")
@click.option("--accept", is_flag=True, help="Although recorded cases would go otherwise.")
def definitions_sync(accept: bool) -> None:
    """Insert changed files as revisions; an administrator's edit is never overwritten."""
    from webapp.errors import DomainError
    from webapp.moments import utc_now
    from webapp.permissions import SYSTEM
    from webapp.services import publishing
    from webapp.uow import unit_of_work

    try:
        with _application().app_context(), unit_of_work():
            done = publishing.sync(SYSTEM, utc_now(), accept=accept)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    for name in done.published:
        click.echo(f"published {name}")
    for name in done.conflicts:
        click.echo(f"conflict  {name}: the administrator's version stays in force")
    click.echo(f"{done.unchanged} unchanged")


@definitions.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def definitions_export(folder: Path) -> None:
    """Write the revisions in force as files that `definitions sync` reads back."""
    from webapp.moments import taipei_day, utc_now
    from webapp.services import publishing

    with _application().app_context():
        for path in publishing.export(folder, taipei_day(utc_now())):
            click.echo(path)


# --- cases


@main.group()
def cases() -> None:
    """Running cases."""


@cases.command("migrate")
@click.option("--workflow", "workflow_key", metavar="KEY")
@click.option("--form", "form_key", metavar="KEY")
@click.option("--to", "number", type=int, metavar="REVISION", help="Its number; else the one in force today.")
@click.option(
    "--map", "pairs", multiple=True, metavar="OLD=NEW", help="A state that is called otherwise now."
)
@click.option("--preview", "apply", flag_value=False, default=False, help="Only say which cases may move.")
@click.option("--apply", "apply", flag_value=True, help="Move them, each in a transaction of its own.")
def cases_migrate(
    workflow_key: str | None, form_key: str | None, number: int | None, pairs: tuple[str, ...], apply: bool
) -> None:
    """Move running cases to another revision of their workflow or form, as far as nothing stands against it."""
    from webapp.errors import DomainError
    from webapp.moments import taipei_day, utc_now
    from webapp.permissions import SYSTEM
    from webapp.services import moves
    from webapp.uow import unit_of_work

    kind, key = ("workflow", workflow_key) if workflow_key else ("form", form_key)
    if key is None or (workflow_key and form_key):
        raise click.UsageError("say either --workflow KEY or --form KEY")
    if any("=" not in pair for pair in pairs):
        raise click.UsageError("--map is OLD=NEW")
    mapping = dict(pair.split("=", 1) for pair in pairs)
    with _application().app_context():
        try:
            to = moves.target(kind, key, number, taipei_day(utc_now()))
            verdicts = moves.preview(to, mapping)
            free = [verdict.case_id for verdict in verdicts if not verdict.against]
            for case_id in free if apply else ():
                with unit_of_work():
                    late = moves.move(SYSTEM, case_id, to, mapping, utc_now())
                verdicts = [late if verdict.case_id == case_id else verdict for verdict in verdicts]
        except DomainError as error:
            raise click.ClickException(str(error)) from None
        for verdict in verdicts:
            said = "；".join(map(str, verdict.against)) or ("moved" if apply else "may move")
            click.echo(f"{verdict.number}  {said}")
        stay = sum(bool(verdict.against) for verdict in verdicts)
        click.echo(f"{len(verdicts) - stay} {'moved' if apply else 'may move'}, {stay} stay")


@cases.command("record")
@click.argument("number")
def cases_record(number: str) -> None:
    """Print a case as a recorded test for workflows/recordings: what was done when, nothing about anybody."""
    from webapp.errors import DomainError
    from webapp.services import recordings

    with _application().app_context():
        try:
            said = recordings.written(recordings.record(number))
        except DomainError as error:
            raise click.ClickException(str(error)) from None
    click.echo(said, nl=False)


# --- workflows


@main.group()
def workflows() -> None:
    """The definition files of workflows. Needs no database."""


@workflows.command("draw")
@click.argument("key")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def workflows_draw(key: str, lang: str) -> None:
    """Print a workflow as SVG."""
    import rules.facts
    from workflows import diagram, drawing, loader

    found = loader.read_all()
    if key not in found:
        raise click.ClickException(f"no workflow {key}; there are {', '.join(sorted(found))}")
    try:
        definition = loader.load(found[key], facts=rules.facts.types())
    except DefinitionError as error:
        raise click.ClickException(str(error)) from None
    click.echo(drawing.svg(diagram.layout(definition, lang), lang), nl=False)


# --- clock


@main.group()
def clock() -> None:
    """Time limits. Needs no database."""


@clock.command("due")
@click.option("--kind", type=KINDS, required=True)
@click.option("--period", type=int, required=True)
@click.option("--start", required=True, help="A day (2020-09-25); for HOUR a moment (2020-09-25T16:00).")
@click.option(
    "--pause", multiple=True, metavar="FROM..TO", help="Notice went out on FROM, correction came on TO."
)
@click.option("--restart", multiple=True, metavar="DATE", help="Counted anew from here.")
@click.option(
    "--extend",
    type=int,
    multiple=True,
    metavar="N",
    help="Longer by N, in the unit of the kind: once, at most PERIOD.",
)
@click.option("--off", multiple=True, metavar="DATE", help="A stop-work day.")
@click.option("--work", multiple=True, metavar="DATE", help="An extra working day.")
@click.option("--today", default=None, metavar="DATE", help="The day up to which an open pause counts.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def clock_due(
    kind: str,
    period: int,
    start: str,
    pause: tuple[str, ...],
    restart: tuple[str, ...],
    extend: tuple[int, ...],
    off: tuple[str, ...],
    work: tuple[str, ...],
    today: str | None,
    lang: str,
) -> None:
    """Print the ledger and, as the last line, the due date."""
    from webapp.moments import taipei_day, utc_now
    from workflows import clock as limits

    try:
        begin = limits.parse_start(kind, start)
        longer = limits.only_extension(kind, period, extend)
        ledger = limits.run(
            kind,
            period,
            begin,
            limits.parse_movements(begin, pauses=pause, restarts=restart, extend=longer),
            calendar=limits.parse_calendar(off, work),
            today=limits.reader_of(begin)(today) if today else taipei_day(utc_now()),
        )
    except limits.ClockError as error:
        raise click.ClickException(error.text.in_(lang)) from None
    for line in limits.explain(ledger, lang):
        click.echo(line)
    click.echo(ledger.due.isoformat())


# --- calendar


@main.group()
def calendar() -> None:
    """Working days that no published calendar knows."""


@calendar.command("override")
@click.argument("day", metavar="DATE")
@click.option("--off", "kind", flag_value="off", help="Nobody works on that day.")
@click.option(
    "--stop", "kind", flag_value="stop", help="As --off; limits in days and months stand still too."
)
@click.option("--work", "kind", flag_value="work", help="That rest day is worked.")
@click.option("--revoke", "kind", flag_value="revoke", help="What was entered for that day was a mistake.")
@click.option("--instead-of", metavar="DATE[/SCOPE]", help="Correct: take that entry back at the same time.")
@click.option("--reason", required=True, help="As the ledgers of the cases will say it.")
@click.option("--source", default="", help="The announcement or law.")
@click.option("--scope", default="county", show_default=True, help="national, county, or the code of a unit.")
@click.option("--preview", is_flag=True, help="Only say which due dates would move; nothing is entered.")
def calendar_override(
    day: str, kind: str | None, instead_of: str | None, reason: str, source: str, scope: str, preview: bool
) -> None:
    """Enter, correct or take back a stop-work day or an extra working day; every open due date in its scope moves."""
    from webapp.errors import DomainError
    from webapp.moments import utc_now
    from webapp.permissions import SYSTEM
    from webapp.queries.org import SpecialDay
    from webapp.services import calendar as days
    from webapp.uow import unit_of_work

    if kind not in ("off", "stop", "work", "revoke") or (kind == "revoke" and instead_of):
        raise click.UsageError(
            "say --off, --stop, --work or --revoke; --instead-of goes with the first three"
        )
    try:
        of_day, now = date.fromisoformat(day), utc_now()
        special = SpecialDay(of_day, kind, reason, scope) if kind in ("off", "stop", "work") else None
        with _application().app_context(), unit_of_work():
            wrong = None
            if special is None:
                wrong = days.entered(of_day, scope)
            elif instead_of:
                wrong_day, _slash, wrong_scope = instead_of.partition("/")
                wrong = days.entered(date.fromisoformat(wrong_day), wrong_scope or scope)
            if not preview:
                if special is None:
                    moved = days.revoke(SYSTEM, wrong.id, reason, now)
                elif wrong is not None:
                    moved = days.correct(SYSTEM, wrong.id, special, reason, now, legal_source=source)
                else:
                    moved = days.override(SYSTEM, of_day, kind, reason, scope, now, legal_source=source)
                click.echo(f"cases moved: {moved}")
                return
            moves = days.preview(special, now, instead_of=wrong)
    except (ValueError, DomainError) as error:
        raise click.ClickException(str(error)) from None
    for move in moves:
        branch = " (branch)" if move.is_branch else ""
        click.echo(f"{move.number}{branch}: {move.before} -> {move.after}")
    click.echo(f"cases that would move: {days.cases_in(moves)}")


main.add_command(rules_commands.rules)
main.add_command(import_commands.import_)


# --- payments


@main.command()
@click.argument("account", metavar="INVOICE")
@click.option("--amount", type=int, default=None, help="Another sum than the invoice says.")
@click.option(
    "--reference", default=None, help="The bank's number of the transfer; the same again is refused."
)
@click.option("--url", default=None, help="Of the running counter; BASE_URL when not given.")
def pay(account: str, amount: int | None, reference: str | None, url: str | None) -> None:
    """Play the bank in a trial: send the signed notification that INVOICE (its account number) was paid."""
    from webapp.payments.trial import Unpaid, play_bank

    application = _application()
    with application.app_context():
        try:
            status, answer = play_bank(account, amount, reference, url)
        except Unpaid as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{status} {answer}")
    sys.exit(0 if status == 200 else 1)


# --- bench and audit


@main.group()
def bench() -> None:
    """Measurements beside a floor or a peer in the same run."""


@bench.command("submit")
@click.option("--seconds", default=10, show_default=True, help="Of each of the three loads.")
@click.option("--connections", default=4, show_default=True)
def bench_submit(seconds: int, connections: int) -> None:
    """Submissions a second through the real web server, beside two floors."""
    from webapp.bench.submit import bench as run_bench

    run_bench(seconds, connections)


@bench.command("sweep")
@click.option("--clocks", default=10_000, show_default=True, help="Running time limits.")
@click.option("--days", default=5, show_default=True, help="Working days that are swept.")
def bench_sweep(clocks: int, days: int) -> None:
    """Time limits a second through the deadline sweep, beside a floor."""
    from webapp.bench.sweep import bench as run_bench

    run_bench(clocks, days)


@bench.command("plans")
@click.option(
    "--plans", default=10_000, show_default=True, help="Of the larger register; the other one has 43."
)
@click.option("--rounds", default=10, show_default=True, help="In which both are opened in turns.")
def bench_plans(plans: int, rounds: int) -> None:
    """The pages of a register of 43 plans beside those of a large one."""
    from webapp.bench.plans import bench as run_bench

    run_bench(plans, rounds)


@bench.command("forms")
@click.option("--rounds", default=200, show_default=True, help="Pages and classes measured in turns.")
def bench_forms(rounds: int) -> None:
    """The WTForms class of the largest form from the cache, beside a page of it."""
    from webapp.bench.form_classes import bench as run_bench

    run_bench(rounds)


@main.command("verify-history")
def verify_history() -> None:
    """Recompute the digest chain of every case; name the cases where it does not hold."""
    from webapp.services.events import verify_all

    with _application().app_context():
        result: Counter[str] = verify_all(click.echo)
    click.echo(f"{result['intact']} intact, {result['broken']} broken")
    sys.exit(1 if result["broken"] else 0)


if __name__ == "__main__":
    main()
