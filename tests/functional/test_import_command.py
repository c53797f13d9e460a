"""`ecounter import`: what is printed, and that a file with a mistake leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from tests.officers import made
from tests.plan_world import entry
from webapp import demo, sheets
from webapp.cli import main
from webapp.extensions import db
from webapp.models import AuditEntry, Plan, Register
from webapp.services import plan_imports
from webapp.uow import unit_of_work

SHOWN = Path(demo.__file__).parent / "plans"


@pytest.fixture
def run(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", app.config["DATABASE_URL"])

    def run(*arguments: str) -> Result:
        done = CliRunner().invoke(main, ["import", *arguments])
        assert not isinstance(done.exception, Exception), done.output
        return done

    return run


def test_the_published_lists_are_printed(run: Callable[..., Result]) -> None:
    done = run("plans", str(SHOWN / "plans_109Q3.csv"), "--register", "major_policy-109")
    assert done.exit_code == 0 and "reading plans_109Q3.csv\n13 rows" in done.stderr
    assert done.stdout.splitlines() == [
        "13 rows, 0 new or changed",
        "109年度重大政策暨計畫列管 109年第3季: 13 plans, 7 projects",
        "budget 160.22 億元",
        "severe (lag >= 6.5): 2 of 13 = 15.38 %",
        "  港務處 1",
        "    9 S2、S3碼頭 10.69",
        "  教育處 1",
        "    12 開瑄國小校舍及運動場新建 9.45",
    ]
    done = run("severe", str(SHOWN / "severe_109Q3.csv"))
    assert "severe (lag >= 6.5): 9 of 43 = 20.93 %" in done.stdout
    assert [line.strip() for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "] == [
        "工務處 4", "衛生局 1", "教育處 1", "港務處 2", "金酒公司 1",
    ]  # fmt: skip
    assert "案號 8 同期預定 80%、實際 80%" in done.stderr
    assert run("figures", str(SHOWN / "figures_109Q3.csv")).stdout == "12 rows, 0 new or changed\n"


def test_mistakes_are_named_and_nothing_is_taken_in(
    app: Flask, run: Callable[..., Result], tmp_path: Path
) -> None:
    def state() -> tuple[int, ...]:
        return tuple(db.session.query(model).count() for model in (Plan, Register, AuditEntry))

    before = made(app, state)
    file = tmp_path / "新表109Q4.csv"
    file.write_text(
        "工作項目,預計%,實際%,單位\n甲,101,5,工務處\n乙,10,５,火星處\n丙,5,5,教育處\n", encoding="utf-8"
    )
    done = run("plans", str(file), "--register", "selected-119")
    assert done.exit_code == 1
    assert "第 2 列「預計%」：101 不在 0 到 100 之間。" in done.stderr
    assert "第 3 列「單位」：組織裡沒有「火星處」。" in done.stderr
    assert "2 mistakes; nothing was taken in" in done.stderr and done.stdout == ""
    assert made(app, state) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("plans", str(SHOWN / "plans_109Q3.csv"), "--register", "bridges-109"), "沒有列管別「bridges-109」"),
        (
            ("plans", str(SHOWN / "plans_109Q3.csv"), "--register", "selected-109", "--period", "109Q5"),
            "no period",
        ),
        (("severe", str(SHOWN / "figures_109Q3.csv")), "找不到標題列"),
    ],
)
def test_what_is_refused(run: Callable[..., Result], arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)
    assert done.exit_code != 0 and says in done.stderr


def test_a_period_is_said_or_in_the_name(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "plans.csv"
    file.write_text("工作項目,預計%,實際%,單位\n甲,5,5,工務處\n", encoding="utf-8")
    assert "say --period" in run("plans", str(file), "--register", "selected-119").stderr
    done = run("plans", str(file), "--register", "selected-119", "--period", "119M01")
    assert "119年度施政計畫選項列管 119年1月: 1 plans" in done.stdout


CURVE = "計畫名稱,月份,預定進度\n甲計畫,109/1,40\n甲計畫,109/2,{}\n"


@pytest.mark.parametrize(
    ("kind", "table", "says"),
    [
        (
            "baselines",
            CURVE.format(99),
            "第 3 列「預定進度」：最後一個月（109年2月）的累計預定進度須為 100%，目前 99%。",
        ),
        (
            "baselines",
            CURVE.format(39),
            "第 3 列「預定進度」：累計預定進度不會倒退：第 2 列（109年1月）已是 40%。",
        ),
        ("baselines", CURVE.format("１０１％"), "第 3 列「預定進度」：101 不在 0 到 100 之間。"),
        ("reports", "計畫名稱,月份,實際進度\n甲計畫,109/1,5\n", "沒有核定的預定進度，請先匯入預定進度。"),
        ("reports", "計畫名稱,月份\n甲計畫,109/1\n", "缺少欄位：actual_pct（實際進度"),
    ],
)
def test_curves_and_reports_with_mistakes(
    app: Flask, run: Callable[..., Result], tmp_path: Path, kind: str, table: str, says: str
) -> None:
    made(app, a_plan)
    file = tmp_path / "t.csv"
    file.write_bytes(table.encode("cp950"))
    done = run(kind, str(file), "--register", "major_project-109")
    assert done.exit_code == 1 and says in done.stderr and done.stdout == ""


def a_plan() -> None:
    with unit_of_work():
        entry(plan_imports.register_for("major_project-109"), "甲計畫")


def test_curves_then_reports_and_how_far_they_are(
    app: Flask, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(app, a_plan)
    monkeypatch.setattr(sheets, "TELL_EVERY", 1)
    curves, reports = tmp_path / "curves.csv", tmp_path / "reports.csv"
    curves.write_text(CURVE.format(100), encoding="utf-8")
    reports.write_text("計畫名稱,月份,實際進度\n甲計畫,109/1,40\n甲計畫,109/2,100\n", encoding="utf-8")
    for file, printed in ((curves, "2 rows, 1 new or changed\n"), (reports, "2 rows, 2 new or changed\n")):
        done = run(file.stem.replace("curves", "baselines"), str(file), "--register", "major_project-109")
        assert done.stdout == printed and "1 of " in done.stderr
    again = run("reports", str(reports), "--register", "major_project-109")
    assert again.stdout == "2 rows, 0 new or changed\n"
    assert "沒有列管別「bridges-109」" in run("reports", str(reports), "--register", "bridges-109").stderr


def test_while_another_list_is_taken_in(app: Flask, run: Callable[..., Result]) -> None:
    with app.app_context(), unit_of_work():
        plan_imports.alone()
        done = run("figures", str(SHOWN / "figures_109Q3.csv"))
    assert done.exit_code == 1 and "另一份清單正在匯入" in done.stderr
