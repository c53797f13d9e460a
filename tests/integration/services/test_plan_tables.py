"""Planned curves and monthly reports from a table: what comes in, and what does not, by row and column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.at_once import at_once
from tests.journeys import officer
from tests.plan_world import baseline, entry
from webapp import sheets
from webapp.errors import Forbidden, NotFound
from webapp.extensions import db
from webapp.models import AuditEntry, Baseline, BaselinePoint, ProgressReport, RegisterEntry
from webapp.periods import parse
from webapp.permissions import SYSTEM
from webapp.services import plan_editions, plan_imports, plan_months, plan_tables
from webapp.services.plan_imports import Imported
from webapp.uow import unit_of_work

KEY = "major_project-109"
CONTROL = "guo.shiming"
#: March of 109 is over
NOW = datetime(2020, 4, 2, 2, tzinfo=UTC)
CURVE = "案號,計畫名稱,月份,預定進度,累計分配經費"
REPORT = "計畫名稱,月份,實際進度,累計支用經費,落後原因類別,落後原因,因應對策,預定趕上日期"


def take_in(kind: str, *lines: str) -> Imported:
    what = plan_tables.KINDS[kind]
    sheet = sheets.read_content("\n".join(lines).encode(), what.columns, what.needed)
    return what.take_in(SYSTEM, sheet, KEY, NOW)


def problems(kind: str, *lines: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(sheets.BadSheet) as bad:
        take_in(kind, *lines)
    return [(each.row, each.column, each.text.zh) for each in bad.value.problems]


@pytest.fixture
def plan(db_session: Any) -> RegisterEntry:
    """A plan without a curve."""
    made = entry(plan_imports.register_for(KEY), "甲計畫")
    made.case_no = "7"
    db.session.flush()
    return made


@pytest.fixture
def planned(plan: RegisterEntry) -> RegisterEntry:
    baseline(plan, 10, 20, 30, 100, budget=1_000_000)
    return plan


def curve(of: RegisterEntry) -> list[tuple[date, Decimal, Decimal | None]]:
    statement = (
        select(BaselinePoint.month, BaselinePoint.planned, BaselinePoint.budget)
        .join(Baseline, Baseline.id == BaselinePoint.baseline_id)
        .where(Baseline.entry_id == of.id, Baseline.approved_at.is_not(None))
        .order_by(BaselinePoint.month)
    )
    return [tuple(row) for row in db.session.execute(statement)]


def reported(of: RegisterEntry) -> list[tuple[int, Decimal | None, str | None]]:
    statement = select(ProgressReport).where(ProgressReport.entry_id == of.id).order_by(ProgressReport.month)
    return [(each.month.month, each.actual, each.standing) for each in db.session.scalars(statement)]


# --- curves -----------------------------------------------------------------------------------------------


def test_a_curve_comes_in_whatever_the_writing(plan: RegisterEntry) -> None:
    done = take_in(
        "baselines",
        CURVE,
        '７,甲計畫,109/3,１００．０％,"1,000,000"',
        "7,甲計畫,109M01,12.5%,",
        ",甲計畫,109年２月,40,500000",
    )
    assert (done.rows, done.changed) == (3, 1)
    assert curve(plan) == [
        (date(2020, 1, 1), Decimal("12.5"), None),
        (date(2020, 2, 1), Decimal(40), Decimal(500_000)),
        (date(2020, 3, 1), Decimal(100), Decimal(1_000_000)),
    ]
    (made,) = db.session.scalars(select(Baseline).where(Baseline.entry_id == plan.id))
    assert (made.number, made.effective_month, made.origin) == (1, date(2020, 1, 1), "published")
    assert db.session.scalars(select(AuditEntry.subject).order_by(AuditEntry.id.desc()).limit(1)).one() == (
        "baselines major_project-109: 3 rows, 1 new curves"
    )


def test_whoever_imports_at_the_desk_approves(plan: RegisterEntry) -> None:
    kind = plan_tables.KINDS["baselines"]
    sheet = sheets.read_content(f"{CURVE}\n7,甲計畫,109/1,100,".encode(), kind.columns, kind.needed)
    control = officer(CONTROL, NOW)
    assert plan_tables.look(control, kind, sheet, KEY, NOW).changed == 1 and curve(plan) == []
    assert plan_tables.take_in(control, kind, sheet, KEY, NOW).changed == 1
    (made,) = db.session.scalars(select(Baseline).where(Baseline.entry_id == plan.id))
    assert (made.approved_by_id, made.origin) == (control.account_id, "entered")
    for act in (plan_tables.look, plan_tables.take_in):
        with pytest.raises(Forbidden):
            act(officer("ou.yijun", NOW), kind, sheet, KEY, NOW)


def test_the_same_curve_again_changes_nothing_and_another_is_a_change_of_the_plan(
    plan: RegisterEntry,
) -> None:
    lines = (CURVE, "7,甲計畫,109/1,50,", "7,甲計畫,109/2,100,")
    assert [take_in("baselines", *lines).changed for _time in range(2)] == [1, 0]
    found = problems("baselines", CURVE, "7,甲計畫,109/1,60,", "7,甲計畫,109/2,100,")
    assert found == [(2, "計畫名稱", "已有核定的第 1 版預定進度；要改請辦理計畫修正。")]


@pytest.mark.parametrize(
    ("lines", "row", "column", "says"),
    [
        (["7,甲計畫,109/1,101,"], 2, "預定進度", "101 不在 0 到 100 之間"),
        (["7,甲計畫,109/1,50,", "7,甲計畫,109/2,98,"], 3, "預定進度", "須為 100%，目前 98%"),
        (
            ["7,甲計畫,109/1,50,", "7,甲計畫,109/2,49.9,", "7,甲計畫,109/3,100,"],
            3,
            "預定進度",
            "第 2 列（109年1月）已是 50",
        ),
        (
            ["7,甲計畫,109/1,50,5", "7,甲計畫,109/2,60,", "7,甲計畫,109/3,100,4"],
            4,
            "累計分配經費",
            "第 2 列（109年1月）已是 5",
        ),
        (["7,甲計畫,109/1,100,", "7,甲計畫,109M01,100,"], 3, "月份", "109年1月在第 2 列已經出現"),
        (["7,甲計畫,一月,100,"], 2, "月份", "不是月份，請寫成 109/2"),
        (["7,甲計畫,109/13,100,"], 2, "月份", "不是月份"),
        (["7,甲計畫,,100,"], 2, "月份", "必須填寫"),
        (["7,甲計畫,109/1,百分之百,"], 2, "預定進度", "「百分之百」不是數字"),
        (["7,甲計畫,109/1,=1+99,"], 2, "預定進度", "不是數字"),
        (["7,甲\0計畫,109/1,100,"], 2, "計畫名稱", "控制字元"),
        (["8,甲計畫,109/1,100,"], 2, "案號", "沒有「8」"),
        ([",乙計畫,109/1,100,"], 2, "計畫名稱", "沒有「乙計畫」"),
        (["7,乙計畫,109/1,100,"], 2, "計畫名稱", "案號 7 是「甲計畫」"),
        (["7,甲計畫,109/1,100,-1"], 2, "累計分配經費", "-1 不在 0 到"),
        (["7,甲計畫,109/1,100,,多"], 2, "", "儲存格比標題多"),
    ],
)
def test_a_bad_curve_is_named(
    plan: RegisterEntry, lines: list[str], row: int, column: str, says: str
) -> None:
    found = problems("baselines", CURVE, *lines)
    assert (found[0][0], found[0][1]) == (row, column) and says in found[0][2], found
    assert curve(plan) == []


def test_a_released_plan_takes_no_curve_and_an_unknown_register_none(plan: RegisterEntry) -> None:
    plan.released_on, plan.release_reason = date(2020, 2, 1), "完成驗收"
    db.session.flush()
    assert problems("baselines", CURVE, "7,甲計畫,109/1,100,") == [(2, "計畫名稱", "已經解除列管。")]
    what = plan_tables.KINDS["baselines"]
    sheet = sheets.read_content(f"{CURVE}\n7,甲計畫,109/1,100,".encode(), what.columns, what.needed)
    with pytest.raises(NotFound, match="bridges-109"):
        what.take_in(SYSTEM, sheet, "bridges-109", NOW)


# --- reports ----------------------------------------------------------------------------------------------


def test_reports_come_in_by_month_and_are_measured_against_the_curve(planned: RegisterEntry) -> None:
    lines = (
        REPORT,
        "甲計畫,109/2,13.5,170000,招標流廢標,兩次流標,調整預算後重新招標,109年6月30日",
        "甲計畫,109/1,10,,,,,",
    )
    assert take_in("reports", *lines).changed == 2
    assert reported(planned) == [(1, Decimal(10), "on_track"), (2, Decimal("13.5"), "severe")]
    newest = select(ProgressReport).where(
        ProgressReport.month == date(2020, 2, 1), ProgressReport.entry_id == planned.id
    )
    report = db.session.scalars(newest).one()
    assert (report.lag, report.budget_execution, report.reason_class) == (
        Decimal("6.5"),
        Decimal(85),
        "tender",
    )
    assert report.catch_up_date == date(2020, 6, 30)
    assert take_in("reports", *lines).changed == 0, "the same again"


@pytest.mark.parametrize(
    ("lines", "row", "column", "says"),
    [
        (["甲計畫,109/1,101,,,,,"], 2, "實際進度", "101 不在 0 到 100 之間"),
        (["甲計畫,109/1,,,,,,"], 2, "實際進度", "必須填寫"),
        (["甲計畫,109/1,30,,,,,", "甲計畫,109/2,29,,,,,"], 3, "實際進度", "不會倒退：109年1月已達 30%"),
        (["甲計畫,109/1,10,,,,,", "甲計畫,109/1,10,,,,,"], 3, "月份", "109年1月在第 2 列已經出現"),
        (["甲計畫,109/4,100,,,,,"], 2, "月份", "109年4月還沒有結束"),
        (["甲計畫,108/12,0,,,,,"], 2, "月份", "沒有核定的預定進度"),
        (["甲計畫,109/1,5,,,,,"], 2, "落後原因類別", "進度落後 5 個百分點"),
        (["甲計畫,109/1,10,79999,,,,"], 2, "落後原因", "預算執行率 79.999 % ＜ 預算執行率下限 80 %"),
        (["甲計畫,109/1,5,,天氣,x,x,109/6/30"], 2, "落後原因類別", "「天氣」不是這些類別之一：用地取得"),
        (["甲計畫,109/1,5,,tender,x,x,明年"], 2, "預定趕上日期", "「明年」不是日期"),
        (["乙計畫,109/1,5,,,,,"], 2, "計畫名稱", "沒有「乙計畫」"),
    ],
)
def test_a_bad_report_is_named(
    planned: RegisterEntry, lines: list[str], row: int, column: str, says: str
) -> None:
    found = problems("reports", REPORT, *lines)
    assert (found[0][0], found[0][1]) == (row, column) and says in found[0][2], found


@pytest.mark.parametrize(
    ("register", "since", "says"),
    [
        ("major_project-110", date(2020, 1, 1), "109年3月不在這個列管別的年度（110 年）"),
        (KEY, date(2020, 4, 1), "109年4月才開始列管，109年3月不必填報"),
    ],
)
def test_a_month_that_is_not_of_the_register_is_named(
    planned: RegisterEntry, register: str, since: date, says: str
) -> None:
    planned.register_id, planned.since = plan_imports.register_for(register).id, since
    db.session.flush()
    kind = plan_tables.KINDS["reports"]
    sheet = sheets.read_content(f"{REPORT}\n甲計畫,109/3,100,,,,,".encode(), kind.columns, kind.needed)
    with pytest.raises(sheets.BadSheet) as bad:
        kind.take_in(SYSTEM, sheet, register, NOW)
    (found,) = bad.value.problems
    assert (found.row, found.column) == (2, "月份") and says in found.text.zh


def test_two_reports_for_one_month(planned: RegisterEntry) -> None:
    take_in("reports", REPORT, "甲計畫,109/1,10,,,,,")
    assert problems("reports", REPORT, "甲計畫,109/1,11,,,,,") == [
        (2, "月份", "109年1月已經填報過了；要改，請研考單位在計畫頁「開放更正」。")
    ]


def test_a_month_that_is_closed(planned: RegisterEntry) -> None:
    take_in("reports", REPORT, "甲計畫,109/1,10,,,,,")
    register = plan_imports.register_for(KEY)
    plan_editions.close(officer(CONTROL, NOW), register, parse("109M01"), NOW)
    assert take_in("reports", REPORT, "甲計畫,109/1,10,,,,,").changed == 0
    assert problems("reports", REPORT, "甲計畫,109/1,11,,,,,") == [
        (2, "月份", "109年1月已經結算，不能再填報或更正。")
    ]


@pytest.mark.parametrize(("locked", "says"), [(False, "由主辦單位填報中"), (True, "已逾期鎖定")])
def test_a_month_that_the_unit_is_asked_for(planned: RegisterEntry, locked: bool, says: str) -> None:
    case = plan_months.open_report(planned.id, datetime(2020, 3, 1, 2, tzinfo=UTC))
    assert case is not None
    if locked:
        plan_months.lock(case.id, datetime(2020, 3, 20, 2, tzinfo=UTC))
    (found,) = problems("reports", REPORT, "甲計畫,109/2,20,,,,,")
    assert found[:2] == (2, "月份") and f"{says}（{case.number}）" in found[2]


def test_a_quarterly_register_takes_quarters(planned: RegisterEntry) -> None:
    plan_imports.register_for(KEY).cycle = "quarterly"
    db.session.flush()
    assert problems("reports", REPORT, "甲計畫,109/2,20,,,,,") == [
        (2, "月份", "這個列管別不在109年2月填報。")
    ]
    assert take_in("reports", REPORT, "甲計畫,109/3,30,,,,,").changed == 1


def test_a_long_table_says_how_far_it_is(plan: RegisterEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "TELL_EVERY", 1)
    kind, told = plan_tables.KINDS["baselines"], list[tuple[int, int]]()
    sheet = sheets.read_content(f"{CURVE}\n7,甲計畫,109/1,100,".encode(), kind.columns, kind.needed)
    sheet.tell = lambda done, of: told.append((done, of))
    kind.take_in(SYSTEM, sheet, KEY, NOW)
    assert told == [(1, 1)]


def test_of_two_imports_at_once_the_second_is_told(app: Flask, committed: None) -> None:
    with app.app_context(), unit_of_work():
        made = entry(plan_imports.register_for(KEY), "甲計畫")
        made.case_no = "7"

    def importing() -> None:
        take_in("baselines", CURVE, "7,甲計畫,109/1,100,")

    assert at_once(app, importing, importing) == [
        "另一份清單正在匯入，這一份還沒有收；請等它完成後再匯入一次。"
    ]
