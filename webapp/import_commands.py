"""`ecounter import`: what the county already has as tables. All of a file or nothing; a second time changes nothing."""

from __future__ import annotations

import click

from webapp.import_scores import scores


@click.group("import")
def import_() -> None:
    """Take in a table, CSV or XLSX; every bad row is named by row and column."""


import_.add_command(scores)
