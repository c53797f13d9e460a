"""`ecounter import scores`: a yearly performance table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("scores")
@click.argument("file", type=FILE)
@click.option("--year", type=click.IntRange(1, 999), required=True, help="ROC year of the table.")
@click.option("--unit", required=True, metavar="CODE", help="The unit whose table it is.")
@click.option(
    "--unit-name", default="", help="As the table prints it, where the unit has another name today."
)
@click.option("--published", is_flag=True, help="It was published as it is: it is frozen at once.")
@click.option("--annex", type=FILE, help="Published totals, notes, and the budget and staff tables.")
def scores(file: Path, year: int, unit: str, unit_name: str, published: bool, annex: Path | None) -> None:
    """Take in FILE, and compare what the rules make of it with what is printed there."""
    from webapp.errors import DomainError
    from webapp.moments import utc_now
    from webapp.permissions import SYSTEM
    from webapp.services import score_import, score_table
    from webapp.sheets import BadSheet
    from webapp.uow import unit_of_work

    source = score_import.Source(year, unit, unit_name, "published" if published else "entered")
    beside = annex.read_bytes() if annex is not None else None
    with _application().app_context():
        click.echo(f"reading {file.name}", err=True)
        try:
            with unit_of_work():
                made, new = score_import.take_in(SYSTEM, source, file.read_bytes(), beside, utc_now())
        except BadSheet as bad:
            for problem in bad.problems:
                click.echo(problem.words.zh, err=True)
            raise click.ClickException(f"{len(bad.problems)} mistakes, nothing was taken in") from None
        except DomainError as error:
            raise click.ClickException(error.text.zh) from None
        table = score_table.build(made)
        for line in table.lines:
            if line.differs:
                row = line.indicator
                said = f"{row.published_ratio} {score_table.plain(row.published_score or 0)}"
                came = f"{line.result.ratio}% {score_table.plain(line.result.score)}" if line.result else "-"
                click.echo(f"以公布為準: {row.title}: {said} (computed {came})", err=True)
        click.echo(
            f"{'taken in' if new else 'unchanged'}: {len(table.lines)} indicators, "
            f"total {score_table.plain(table.total)}, {len(list(table.goals))} goals, state {made.state}"
        )
        for heading in table.dimensions:
            rate = f", {heading.rate}%" if heading.rate is not None else ""
            click.echo(f"  {heading.row.title}: {score_table.plain(heading.score)}{rate}")


def _application() -> Any:
    from webapp import create_app, trial

    try:
        return create_app({"DATABASE_URL": trial.join()})
    except trial.NotATrial as error:
        raise click.ClickException(str(error)) from None
