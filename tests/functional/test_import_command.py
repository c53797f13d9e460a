"""`ecounter import`: what is printed, and that a file with a mistake leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from tests.officers import made
from webapp import demo
from webapp.cli import main
from webapp.extensions import db
from webapp.models import AuditEntry, Plan, Register

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
