"""The county's own lists come in through the import, and its figures come out of the system."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from tests.plan_world import NOW
from webapp import demo, sheets
from webapp.extensions import db
from webapp.models import Firing, Plan, ProgressReport, Register, RegisterEntry
from webapp.periods import parse
from webapp.permissions import SYSTEM
from webapp.queries import plan_lists, plans
from webapp.services import plan_imports

#: the copy that the demonstration county takes in, and the one that the checks go by
SHOWN, DATA = Path(demo.__file__).parent / "plans", Path(__file__).parents[2] / "data"
Q3 = parse("109Q3")
NEEDED = ("project", "planned_pct", "actual_pct", "unit")


def annex(path: Path = SHOWN / "plans_109Q3.csv") -> plan_imports.Imported:
    sheet = sheets.read(path, plan_imports.PLANS, NEEDED)
    return plan_imports.plans(SYSTEM, sheet, "major_policy-109", Q3, NOW)


def severe() -> plan_imports.Imported:
    sheet = sheets.read(SHOWN / "severe_109Q3.csv", plan_imports.SEVERE, ("no", "project", "unit"))
    return plan_imports.severe(SYSTEM, sheet, "selected-109", "major_policy-109", Q3, NOW)


def figures() -> plan_imports.Imported:
    sheet = sheets.read(SHOWN / "figures_109Q3.csv", plan_imports.FIGURES, ("register", "period", "figure"))
    return plan_imports.figures(SYSTEM, sheet, NOW)


@pytest.fixture
def imported(db_session: Any) -> None:
    """The demonstration county has taken the three lists in."""


def contents(key: str) -> plan_lists.Contents:
    return plan_lists.contents(plans.register(key), Q3)


# --- what comes out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"), [("plans", {"in_severe9", "note"}), ("severe_109Q3", {"unit_basis"})]
)
def test_the_demonstration_shows_the_published_lists(name: str, words: set[str]) -> None:
    def rows(path: Path) -> list[dict[str, str]]:
        read = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        return [{column: value for column, value in row.items() if column not in words} for row in read]

    shown = SHOWN / f"{name.removesuffix('_109Q3')}_109Q3.csv"
    assert rows(shown) == rows(DATA / f"{name}.csv")


def test_the_annex_prints_thirteen_rows_of_seven_projects(imported: None) -> None:
    found = contents("major_policy-109")
    assert (len(found.rows), found.projects) == (13, 7)
    assert [row.case_no for row in found.rows] == ["1", *map(str, range(3, 15))]
    assert [(row.case_no, row.lag) for row in found.severe] == [("9", "10.69"), ("12", "9.45")]
    standings = {row.case_no: row.standing for row in found.rows}
    assert [no for no, standing in standings.items() if standing == "behind"] == ["1", "13", "14"]
    assert [no for no, standing in standings.items() if standing == "ahead"] == ["7", "10"]
    assert found.budget == Decimal("16022000000")


def test_every_printed_row_says_what_the_county_published(imported: None) -> None:
    rows = {row.case_no: row for row in contents("major_policy-109").rows}
    for given in csv.DictReader((DATA / "plans.csv").read_text(encoding="utf-8").splitlines()):
        row = rows[given["case_no"]]
        assert (row.project, row.title, row.phase) == (given["policy"], given["project"], given["phase"])
        assert (row.standing, row.units) == (given["status"], tuple(given["unit"].split(";")))
        for shown, stated in (
            (row.planned, given["planned_pct"]),
            (row.actual, given["actual_pct"]),
            (row.lag, given["lag_pct"]),
            (row.budget, given["budget_twd"]),
        ):
            assert Decimal(shown) == Decimal(stated)


CHECKS = [
    (row["systems_row"], Decimal(row["published_or_computed"]))
    for row in csv.DictReader((DATA / "acceptance_checks.csv").read_text(encoding="utf-8").splitlines())
    if row["systems_row"].startswith("C")
]


@pytest.mark.parametrize(("row", "published"), CHECKS)
def test_the_acceptance_checks_of_plan_control(imported: None, row: str, published: Decimal) -> None:
    selected = contents("selected-109")
    says = {
        "C01": (selected.figure("carried_over") or 0) + (selected.figure("new") or 0),
        "C03": selected.severe_rate,
        "C04": sum(len(listed) for _unit, listed in selected.severe_by_unit),
    }
    assert says[row] == published


def test_nine_of_forty_three_by_unit(imported: None) -> None:
    found = contents("selected-109")
    assert Counter({unit: len(rows) for unit, rows in found.severe_by_unit}) == {
        "工務處": 4,
        "港務處": 2,
        "教育處": 1,
        "衛生局": 1,
        "金酒公司": 1,
    }
    assert all(row.published and not row.lag for row in found.severe)


def test_what_disagrees_is_said_and_not_repaired(imported: None) -> None:
    annexed, selected = contents("major_policy-109"), contents("selected-109")
    assert (annexed.figure("plans_stated"), len(annexed.rows)) == (14, 13)
    assert (annexed.budget, selected.figure("budget")) == (16_022_000_000, 10_444_930_000)
    (harbour,) = (row for row in annexed.rows if row.case_no == "8")
    assert (harbour.planned, harbour.actual, harbour.standing) == ("80", "80", "on_track")
    (named,) = (row for row in selected.rows if row.title == "金門港水頭客運中心新建工程")
    assert "案號 8 同期預定 80%、實際 80%" in named.note and named.standing == "severe"
    assert [row.title for row in selected.rows if row.note] == [named.title]


def test_one_plan_in_two_registers_keeps_two_lags(imported: None) -> None:
    both = db.session.execute(
        select(Plan.title, func.count())
        .join(RegisterEntry, RegisterEntry.plan_id == Plan.id)
        .where(Plan.origin == "published")
        .group_by(Plan.id)
        .having(func.count() > 1)
        .order_by(Plan.title)
    ).all()
    assert [title for title, _n in both] == [
        "S2、S3碼頭",
        "水頭港大型旅客服務中心工程",
        "開瑄國小校舍及運動場新建",
    ]
    assert db.session.query(Plan).filter_by(origin="published").count() == 13 + 9 - 3


def test_several_units_and_sites(imported: None) -> None:
    plan = db.session.scalars(select(Plan).where(Plan.title == "建置鄉鎮親子館")).one()
    assert len(plans.units_of(plan)) == 3
    assert plans.sites_of(plan) == ["金湖、烈嶼托育中心", "金城、金湖社福館"]


def test_the_same_files_again_change_nothing(imported: None) -> None:
    def state() -> tuple[int, ...]:
        return tuple(
            db.session.query(model).count() for model in (Plan, RegisterEntry, ProgressReport, Firing)
        )

    before = state()
    assert [done.changed for done in (annex(), severe(), figures())] == [0, 0, 0]
    assert state() == before


def test_a_corrected_file_is_decided_anew(imported: None, tmp_path: Path) -> None:
    changed = tmp_path / "plans.csv"
    text = (SHOWN / "plans_109Q3.csv").read_text(encoding="utf-8")
    changed.write_text(text.replace("32.22,22.77,9.45,severe", "32.22,30.77,1.45,behind"), encoding="utf-8")
    assert annex(changed).changed == 1
    (row,) = (row for row in contents("major_policy-109").rows if row.case_no == "12")
    assert (row.lag, row.standing) == ("1.45", "behind")


# --- what does not come in --------------------------------------------------------------------------------

ROW = {
    "item_no": "一", "policy": "橋", "case_no": "1", "project": "大橋", "phase": "施工", "planned_pct": "50",
    "actual_pct": "40", "lag_pct": "10", "status": "severe", "budget_twd": "100", "unit": "工務處",
}  # fmt: skip


def write_csv(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("change", "where", "says"),
    [
        ({"planned_pct": "101"}, "planned_pct", "不在 0 到 100 之間"),
        ({"actual_pct": "四十"}, "actual_pct", "不是數字"),
        ({"actual_pct": ""}, "actual_pct", "必須填寫"),
        ({"actual_pct": "40.00001"}, "actual_pct", "最多 4 位小數"),
        ({"lag_pct": "9"}, "lag_pct", "是 10，不是 9"),
        ({"status": "還好"}, "status", "不是燈號"),
        ({"unit": "火星處"}, "unit", "組織裡沒有「火星處」"),
        ({"budget_twd": "-1"}, "budget_twd", "不在 0 到"),
        ({"budget_100m_twd": "2"}, "budget_twd", "不是 100 元"),
        ({"item_no": "零"}, "item_no", "不是項次"),
        ({"project": ""}, "project", "必須填寫"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(
    no_plans: None, tmp_path: Path, change: dict[str, str], where: str, says: str
) -> None:
    file = write_csv(
        tmp_path / "p.csv",
        {"budget_100m_twd": "", **ROW},
        {"budget_100m_twd": "", **ROW, "case_no": "2", **change},
    )
    with pytest.raises(sheets.BadSheet) as bad:
        annex(file)
    (problem,) = bad.value.problems
    assert (problem.row, problem.column) == (3, where) and says in problem.text.zh


def test_a_number_twice_in_one_file(no_plans: None, tmp_path: Path) -> None:
    with pytest.raises(sheets.BadSheet, match="在第 2 列已經出現"):
        annex(write_csv(tmp_path / "p.csv", ROW, ROW))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "找不到標題列"),
        (b"PK\x03\x04 no workbook", "XLSX"),
        (b"\xff\xfe\x00\x81", "UTF-8"),
        ("工作項目,單位\n大橋,工務處\n".encode(), "planned_pct"),
        ("工作項目,預計%,實際%,單位\n".encode(), "沒有資料列"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(sheets.BadSheet) as bad:
        sheets.read(path, plan_imports.PLANS, NEEDED)
    assert says in str(bad.value)


def sheet_of(build: Callable[[Any], None], path: Path) -> sheets.Sheet:
    book = Workbook()
    build(book.active)
    book.save(path)
    return sheets.read(path, plan_imports.PLANS, NEEDED)


def test_merged_cells_full_width_digits_and_percent_formats(no_plans: None, tmp_path: Path) -> None:
    def build(page: Any) -> None:
        page.append(["附件一　重大政策暨計畫列管彙整表"])
        page.append(["專案", "案號", "工作項目", "預計％", "實際％", "單位"])
        page.append(["停車", "３", "甲停車場", "３０．５％", 0.305, "觀光處"])
        page.append([None, 4, "乙停車場", 5, 5, None])
        page["E3"].number_format = "0.00%"
        page.merge_cells("A1:F1")
        page.merge_cells("A3:A4")
        page.merge_cells("F3:F4")

    sheet = sheet_of(build, tmp_path / "p.xlsx")
    assert [note.zh for note in sheet.notes] == [
        "合併儲存格 A3:A4 的值用於第 3 到 4 列。",
        "合併儲存格 F3:F4 的值用於第 3 到 4 列。",
    ]
    plan_imports.plans(SYSTEM, sheet, "major_policy-109", Q3, NOW)
    rows = contents("major_policy-109").rows
    assert [(r.project, r.case_no, r.planned, r.actual, r.lag, r.units) for r in rows] == [
        ("停車", "3", "30.5", "30.5", "0", ("觀光處",)),
        ("停車", "4", "5", "5", "0", ("觀光處",)),
    ]


def test_cells_that_are_merged_over_columns_are_refused_by_name(tmp_path: Path) -> None:
    def build(page: Any) -> None:
        page.append(["工作項目", "預計%", "實際%", "單位"])
        for _blank in range(sheets.HEAD):
            page.append(["甲", 5, 5, "觀光處"])
        page.append(["乙", 5, None, "觀光處"])
        page.merge_cells("B12:C12")

    sheet = sheet_of(build, tmp_path / "p.xlsx")
    (problem,) = sheet.problems
    assert (problem.row, problem.column) == (12, "B") and "B12:C12" in problem.text.zh


def test_a_register_that_is_no_kind(no_plans: None) -> None:
    with pytest.raises(plan_imports.NotFound, match="沒有列管別「bridges-109」"):
        plan_imports.register_for("bridges-109")


def test_a_register_opens_with_its_name_and_cycle(no_plans: None) -> None:
    made = plan_imports.register_for("pledge-109")
    assert (made.name_zh, made.cycle, made.report_day) == ("109年度縣長政見列管", "half_yearly", None)
    assert db.session.query(Register).filter_by(key=made.key).one() is made


def test_the_period_of_a_report_is_its_last_month(imported: None) -> None:
    months = select(ProgressReport.month).where(ProgressReport.origin == "published")
    assert set(db.session.scalars(months)) == {date(2020, 9, 1)}


def test_a_workbook_that_unpacks_without_end_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "plans.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (51 * 1024**2))
    with pytest.raises(sheets.BadSheet, match="解開後太大"):
        sheets.read(path, plan_imports.PLANS, NEEDED)
