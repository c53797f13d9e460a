"""Titles of sheets are what somebody typed; a spreadsheet takes not every one."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from webapp.letters.contents import Column, PlanTable
from webapp.services import plan_papers
from webapp.spreadsheets import as_xlsx

TYPED = [
    ("縣府3/F第一會議室", "縣府3 F第一會議室"),
    ("[甲]:*?\\乙", "甲     乙"),
    ("長" * 120, "長" * 31),
    ("'民國116年'", "民國116年"),
    ("\x01／?", "／"),
    ("///", "1"),
]


@pytest.mark.parametrize(("typed", "title"), TYPED)
def test_titles_of_sheets(typed: str, title: str) -> None:
    assert load_workbook(io.BytesIO(as_xlsx([["計畫"]], typed))).sheetnames == [title]
    paper = PlanTable(
        "金門縣政府", "審查會議紀錄", typed.replace("\x01", ""), (Column("計畫", 30),), (), 0, (), ""
    )
    assert load_workbook(io.BytesIO(plan_papers.xlsx(paper))).sheetnames == [title]
