"""`ecounter import`: tables that the county has, taken in by the rules of the product; all or nothing for a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.import_scores import scores

if TYPE_CHECKING:
    from webapp.periods import Period
    from webapp.sheets import Sheet

#: of the rows that are wrong, how many are named
MOST_LINES = 200
TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("import")
def import_() -> None:
    """Take in plans, severe lists, published figures, planned curves, reports and scores from CSV or XLSX."""


@import_.command("plans")
@click.argument("file", type=TABLE)
@click.option(
    "--register", "key", required=True, metavar="KEY", help="Such as major_policy-109; a new one is opened."
)
@click.option("--period", "written", metavar="109Q3", help="Of the file name, when not given.")
def import_plans(file: Path, key: str, written: str | None) -> None:
    """附件一: plans of a register with their progress at the end of a period."""
    from webapp.services import plan_imports

    period = period_of(file, written)
    take_in(
        file,
        plan_imports.PLANS,
        ("project", "planned_pct", "actual_pct", "unit"),
        lambda actor, sheet, now: plan_imports.plans(actor, sheet, key, period, now),
        lambda done: say_register(done, period),
    )


@import_.command("severe")
@click.argument("file", type=TABLE)
@click.option("--register", "key", metavar="KEY", help="selected-YEAR, when not given.")
@click.option("--annex", metavar="KEY", help="Where annex_case_no counts: major_policy-YEAR, when not given.")
@click.option("--period", "written", metavar="109Q3", help="Of the file name, when not given.")
def import_severe(file: Path, key: str | None, annex: str | None, written: str | None) -> None:
    """The plans that were published as severely behind, without percentages."""
    from webapp.services import plan_imports

    period = period_of(file, written)
    year = period.first_month.year - 1911
    register, other = key or f"selected-{year}", annex or f"major_policy-{year}"
    take_in(
        file,
        plan_imports.SEVERE,
        ("no", "project", "unit"),
        lambda actor, sheet, now: plan_imports.severe(actor, sheet, register, other, period, now),
        lambda done: say_register(done, period),
    )


@import_.command("figures")
@click.argument("file", type=TABLE)
def import_figures(file: Path) -> None:
    """Figures of whole registers as the county printed them, each with its source."""
    from webapp.services import plan_imports

    take_in(
        file,
        plan_imports.FIGURES,
        ("register", "period", "figure", "value", "source"),
        plan_imports.figures,
        lambda done: None,
    )


@import_.command("baselines")
@click.argument("file", type=TABLE)
@click.option("--register", "key", required=True, metavar="KEY", help="Where the plans stand.")
def import_baselines(file: Path, key: str) -> None:
    """Planned curves: one row a month of each plan, up to 100."""
    take_in_kind("baselines", file, key)


@import_.command("reports")
@click.argument("file", type=TABLE)
@click.option("--register", "key", required=True, metavar="KEY", help="Where the plans stand.")
def import_reports(file: Path, key: str) -> None:
    """Monthly reports, measured against the planned curves."""
    take_in_kind("reports", file, key)


def take_in_kind(name: str, file: Path, key: str) -> None:
    from webapp.services.plan_tables import KINDS

    kind = KINDS[name]
    take_in(
        file,
        kind.columns,
        kind.needed,
        lambda actor, sheet, now: kind.take_in(actor, sheet, key, now),
        lambda done: None,
    )


def period_of(file: Path, written: str | None) -> Period:
    """As it was said, else as the name of the file says."""
    from webapp.periods import parse

    in_name = re.search(r"(?<![0-9])[0-9]{2,3}(?:Q[1-4]|H[12]|M[01][0-9])", file.stem)
    if written is None and in_name is None:
        raise click.UsageError("say --period, such as 109Q3")
    try:
        return parse(written if written is not None else in_name[0] if in_name else "")
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def take_in(
    file: Path,
    columns: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    store: Callable[[Any, Sheet, Any], Any],
    say: Callable[[Any], None],
) -> None:
    """Reads, stores in one unit of work and says what came in; where anything is wrong, stores nothing and names it."""
    from webapp import create_app, sheets, trial
    from webapp.errors import DomainError
    from webapp.extensions import db
    from webapp.moments import utc_now
    from webapp.permissions import SYSTEM
    from webapp.uow import unit_of_work

    try:
        database = trial.join()
    except trial.NotATrial as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"reading {file.name}", err=True)
    try:
        sheet = sheets.read(file, columns, needed)
        click.echo(f"{len(sheet.rows)} rows", err=True)
        sheet.tell = lambda done, of: click.echo(f"{done:,} of {of:,}", err=True)
        with create_app({"DATABASE_URL": database}).app_context():
            try:
                with unit_of_work():
                    done = store(SYSTEM, sheet, utc_now())
                for note in done.notes:
                    click.echo(f"note: {note.zh}" + (f" ({note.en})" if note.en else ""), err=True)
                click.echo(f"{done.rows} rows, {done.changed} new or changed")
                say(done)
            finally:
                db.session.remove()
                db.engine.dispose()
    except sheets.BadSheet as bad:
        for problem in bad.problems[:MOST_LINES]:
            click.echo(str(problem), err=True)
        more = len(bad.problems) - MOST_LINES
        if more > 0:
            click.echo(f"and {more} more", err=True)
        raise click.ClickException(f"{len(bad.problems)} mistakes; nothing was taken in") from None
    except DomainError as error:
        raise click.ClickException(f"{error.text.zh} {error.text.en}".strip()) from None


def say_register(done: Any, period: Period) -> None:
    """What the register looks like now: projects, severe rows, the rate and the units."""
    from webapp.extensions import db
    from webapp.models import Register
    from webapp.queries import plan_lists

    for register_id in sorted(done.register_ids):
        register = db.session.get_one(Register, register_id)
        found = plan_lists.contents(register, period)
        click.echo(
            f"{register.name_zh} {period.label.zh}: {len(found.rows)} plans, {found.projects} projects"
        )
        if found.budget:
            click.echo(f"budget {plan_lists.written(found.budget / 100_000_000)} 億元")
        click.echo(
            f"severe (lag >= {found.rules['severe_lag']}): {len(found.severe)} of {found.plans}", nl=False
        )
        click.echo(f" = {found.severe_rate} %" if found.severe_rate is not None else "")
        for unit, rows in found.severe_by_unit:
            click.echo(f"  {unit} {len(rows)}")
            for row in rows:
                click.echo(f"    {row.case_no} {row.title} {row.lag or '以公布為準'}".rstrip())


import_.add_command(scores)
