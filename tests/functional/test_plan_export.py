"""The export for the national system: what stands in it, that nothing in it is a formula, and that it is written
while it is read."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests.journeys import NOW
from tests.officers import at, made, signed_in
from tests.plan_world import entry
from tests.visitor import Visitor
from webapp import spreadsheets
from webapp.bench.plans import FILL
from webapp.extensions import db
from webapp.models import PlanBudget, ProgressReport, Register
from webapp.plans import national
from webapp.queries import plan_export
from webapp.queries.org import chart
from webapp.services import plan_imports
from webapp.uow import unit_of_work

ANNEX, EMPTY = "/plans/registers/major_policy-109/109Q3/national", "/plans/registers/subsidy/109M09/national"
HOSTILE = '=HYPERLINK("http://evil.example","按我")'


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    at(app, monkeypatch, NOW)
    return signed_in(app, "guo.shiming")


def rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_row_a_plan_with_money_by_source(research: Visitor) -> None:
    page = research.get(f"{ANNEX}.csv")
    assert (
        page.headers["Content-Disposition"] == 'attachment; filename="major_policy-109-2020-09-national.csv"'
    )
    found = {row["計畫名稱"]: row for row in rows(page.content)}
    assert len(found) == 13
    school = found["開瑄國小校舍及運動場新建"]
    said = {
        "主辦單位": "教育處",
        "案號": "12",
        "月份": "109年9月",
        "預定進度%": "32.22",
        "實際進度%": "22.77",
    }
    assert school.items() >= said.items()
    assert (school["落後（百分點）"], school["執行狀態"], school["管制層級"]) == (
        "9.45",
        "嚴重落後",
        "府列管",
    )
    assert school["各項經費合計（元）"].isdigit() and school["縣預算（元）"] == ""
    assert {row["其他單位"] for row in found.values()} > {""}, "親子館 has three units"


def test_what_was_published_without_percentages_says_so(research: Visitor) -> None:
    found = rows(research.get("/plans/registers/selected-109/109Q3/national.csv").content)
    assert len(found) == 9
    assert {row["執行狀態"] for row in found} == {"嚴重落後"} and found[0]["預定進度%"] == ""
    assert {row["備註"] for row in found} == {"以公布為準"}
    before = rows(research.get("/plans/registers/selected-109/109M12/national.csv").content)
    assert {row["執行狀態"] for row in before} == {"尚無填報"}


@pytest.fixture
def hostile(app: Flask, committed: None) -> None:
    """A plan whose unit writes formulas, and money from two sources over two years."""

    def make() -> None:
        with unit_of_work():
            of = entry(plan_imports.register_for("island_fund-112"), HOSTILE)
            money = [(112, "county", 100), (113, "county", 50), (112, "central", 7)]
            db.session.add_all(
                PlanBudget(plan_id=of.plan_id, roc_year=year, source=source, amount=amount)
                for year, source, amount in money
            )
            db.session.add(
                ProgressReport(
                    entry_id=of.id,
                    register_id=of.register_id,
                    month=date(2023, 9, 1),
                    origin="entered",
                    planned=Decimal("12.41"),
                    actual=Decimal("13.0228"),
                    budget_due=150,
                    budget_spent=50,
                    reason_class="tender",
                    reason="@SUM(A1)",
                    countermeasure="+1",
                    phase="\t招標",
                    standing="ahead",
                    catch_up_date=date(2023, 12, 31),
                )
            )

    made(app, make)


def test_what_somebody_wrote_is_no_formula(research: Visitor, hostile: None) -> None:
    (row,) = rows(research.get("/plans/registers/island_fund-112/112M09/national.csv").content)
    assert (row["計畫名稱"], row["落後原因"], row["因應對策"]) == ("'" + HOSTILE, "'@SUM(A1)", "'+1")
    assert (row["縣預算（元）"], row["中央補助（元）"], row["其他（元）"]) == ("150", "7", "")
    assert row["各項經費合計（元）"] == "157"
    assert (row["落後（百分點）"], row["預算執行率%"], row["實際進度%"]) == ("-0.6128", "33.3333", "13.0228")
    assert (row["落後原因類別"], row["預定趕上日期"]) == ("招標流廢標", "2023-12-31")
    content = research.get("/plans/registers/island_fund-112/112M09/national.xlsx").content
    sheet = load_workbook(io.BytesIO(content)).active
    cells = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (cells["計畫名稱"].value, cells["計畫名稱"].data_type) == (HOSTILE, "s")
    assert (cells["縣預算（元）"].value, cells["落後（百分點）"].value) == (150, -0.6128)


def test_it_is_read_in_portions(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_export, "AT_ONCE", 5)
    sizes: list[int] = []
    read = plan_export._some

    def counted(of: Register, month: date, ids: list[int]) -> Iterator[plan_export.Exported]:
        sizes.append(len(ids))
        return read(of, month, ids)

    monkeypatch.setattr(plan_export, "_some", counted)
    with app.app_context():
        of = db.session.scalars(select(Register).where(Register.key == "major_policy-109")).one()
        found = plan_export.rows(of, date(2020, 9, 1))
        first = next(found)
        assert sizes == [5], "the others are read when they are asked for"
        codes = [first.plan.code, *(each.plan.code for each in found)]
    assert sizes == [5, 5, 3] and codes == sorted(codes)


@pytest.mark.full
def test_ten_thousand_plans_leave_in_little_memory(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            of = plan_imports.register_for("major_project-111")
            units = [unit.id for unit in chart().units.values() if unit.kind == "department"]
            db.session.execute(FILL, {"register": of.id, "year": 111, "units": units, "count": 10_000})
        lines = bytes_sent = 0
        tracemalloc.start()
        for part in spreadsheets.csv_parts(national.table(of, date(2022, 12, 1))):
            lines, bytes_sent = lines + part.count(b"\n"), bytes_sent + len(part)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert lines == 10_001 and bytes_sent > 1_000_000
    assert most < 12 * 1024**2, "what was written out is not kept"


def test_a_list_leaves_row_by_row() -> None:
    def endless() -> Iterator[list[str]]:
        yield ["甲"]
        raise RuntimeError("read too far")

    parts = spreadsheets.csv_parts(endless())
    assert [next(parts), next(parts)] == [b"\xef\xbb\xbf", "甲\r\n".encode()]


def test_a_register_or_month_that_is_none(research: Visitor) -> None:
    for path in (f"{EMPTY}.csv", "/plans/registers/major_policy-109/109M13/national.csv"):
        assert research.get(path).status == 404
