"""Registers over their months, by unit and all together: figures of the tables under the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask

from tests.officers import at, made, signed_in
from tests.plan_world import baseline, entry
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import ProgressReport, RegisterEntry
from webapp.services import plan_imports, plan_progress
from webapp.uow import unit_of_work

NOW = datetime(2025, 9, 12, 2, 0, tzinfo=UTC)
#: planned 10 a month; actual of January to March of 114
SHARES = {"緩慢計畫": (10, 12, 15), "準時計畫": (10, 20, 30), "快速計畫": (10, 20, 36)}
UNITS = {"緩慢計畫": "PW", "準時計畫": "PW", "快速計畫": "ED"}
WHY = ("weather", "land")


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    at(app, monkeypatch, NOW)
    made(app, _world)
    yield signed_in(app, "guo.shiming")


def _world() -> None:
    """Three plans of 114, and one of 113 that was carried no further."""
    with unit_of_work():
        now, before = (plan_imports.register_for(f"proposal-{year}") for year in (114, 113))
        for register in (now, before):
            register.cycle = "monthly"
        old = entry(before, "去年計畫")
        _report(old, date(2024, 12, 1), 100, 100)
        for title, shares in SHARES.items():
            of = entry(now, title, UNITS[title])
            baseline(of, *(10 * n for n in range(1, 11)))
            for number, actual in enumerate(shares, start=1):
                _report(of, date(2025, number, 1), 10 * number, actual)
        released = entry(now, "解除計畫")
        _report(released, date(2025, 1, 1), 100, 100)
        released.released_on, released.release_reason = date(2025, 2, 20), "驗收"
        silent = entry(now, "沉默計畫", "ED")
        report = ProgressReport(
            entry_id=silent.id, register_id=now.id, month=date(2025, 3, 1), state="open", origin="entered"
        )
        db.session.add(report)
        db.session.flush()
        plan_progress.evaluate([report], NOW)


def _report(of: RegisterEntry, month: date, planned: int, actual: int) -> None:
    late = planned - actual
    report = ProgressReport(
        entry_id=of.id,
        register_id=of.register_id,
        month=month,
        planned=Decimal(planned),
        actual=Decimal(actual),
        budget_due=planned * 1_000_000,
        budget_spent=actual * 1_000_000,
        reason_class=WHY[late > 10] if late > 0 else None,
        origin="entered",
    )
    db.session.add(report)
    db.session.flush()
    db.session.refresh(report)
    plan_progress.evaluate([report], NOW)


def rows(page: Visitor, heading: str) -> dict[str, list[str]]:
    """Of the table under a heading, by the first cell."""
    return {
        row.select_one("th").text: [cell.text for cell in row.select("td")]
        for row in page.page.soup.select(f"section:has(#{heading}) tbody tr")
    }


#: 件數, then the lights, 嚴重落後, 比率, 預定支用, 實際支用, 執行率
MARCH = ["4", "1", "0", "1", "1", "1", "0", "1", "25.00", "0.9", "0.81", "90.00"]


def test_every_month_of_a_register_is_counted_and_linked(research: Visitor) -> None:
    research.get("/plans/registers/proposal-114?period=114M03")
    shown = rows(research, "trend")
    assert list(shown) == ["114年3月", "114年2月", "114年1月", "113年12月"]
    assert shown["114年3月"] == MARCH
    # what was released in February stood in January, and only then
    assert shown["114年1月"][0] == "5" and shown["114年2月"][0] == "4"
    assert shown["114年2月"][1:7] == ["1", "0", "2", "0", "0", "1"]
    assert len(research.page.soup.select("section:has(#trend) svg.app-chart")) == 3
    research.follow("113年12月")
    assert research.page.path.startswith("/plans/registers/proposal-113")
    assert "去年計畫" in research.page.text


def test_the_newest_month_agrees_with_the_lights_of_the_page(research: Visitor) -> None:
    research.get("/plans/registers/proposal-114?period=114M02")
    lights = [each.text.split()[-2] for each in research.page.soup.select(".app-lights__count")]
    assert lights == ["1", "0", "2", "1"]
    assert rows(research, "trend")["114年2月"][0] == "4"


def test_two_years_are_asked_for_in_the_address(research: Visitor) -> None:
    research.get("/plans/registers/proposal-114")
    research.follow("改看最近 24 個月")
    assert "months=24" in research.page.path and "改看最近 12 個月" in research.page.text
    research.get("/plans/registers/proposal-114?months=99")
    assert "改看最近 24 個月" in research.page.text


def test_which_reason_delays_most(research: Visitor) -> None:
    research.get("/plans/registers/proposal-114?period=114M03")
    assert rows(research, "reasons") == {"用地取得": ["1", "0", "1"]}
    research.get("/plans/registers/proposal-114?period=114M02")
    assert rows(research, "reasons") == {"天候或天然災害": ["1", "0", "1"]}
    research.follow("緩慢計畫")
    assert "落後原因類別" in research.page.text and "用地取得" in research.page.text


def test_a_unit_sees_its_own(research: Visitor) -> None:
    research.get("/plans/registers/proposal-114?period=114M03")
    research.follow("工務處")
    assert research.page.path == "/plans/registers/proposal-114/units/PW?period=114M03"
    assert "列管 2 件，嚴重落後 1 件" in research.page.text
    shown = rows(research, "trend")
    assert shown["114年3月"][:2] == ["2", "1"] and shown["114年1月"][0] == "3"
    titles = [link.text for link in research.page.soup.select("section:has(#plans) tbody a")]
    assert titles == ["緩慢計畫", "準時計畫"]
    research.follow("緩慢計畫")
    assert research.page.status == 200
    assert research.get("/plans/registers/proposal-114/units/HE").status == 200
    assert "沒有主辦的列管計畫" in research.page.text
    assert research.get("/plans/registers/proposal-114/units/XX").status == 404


def test_the_front_names_what_is_severe_and_who_is_missing(research: Visitor) -> None:
    research.get("/plans/")

    def listed(heading: str) -> list[list[str]]:
        table = research.page.soup.select_one(f"#{heading}").find_next("tbody")
        return [[cell.text.strip() for cell in row.select("td")] for row in table.select("tr")]

    assert ["緩慢計畫", "工務處", "114年度中央部會拜會提案列管", "114年3月", "落後 15"] in listed("severe")
    assert ["沉默計畫", "教育處", "114年度中央部會拜會提案列管", "114年3月"] in listed("missing")
    (row,) = [row for row in listed("registers") if row[0] == "114年度中央部會拜會提案列管"]
    assert row[2:5] == ["114年3月", "4", "1"]
    assert "▲ 紅燈 1" in row[5] and "灰燈 1 較上期多 1" in " ".join(row[5].split())
    research.follow("緩慢計畫")
    assert research.page.status == 200


def test_the_share_is_of_the_plans_that_were_published(research: Visitor) -> None:
    research.get("/plans/registers/selected-109?period=109M09")
    (september,) = rows(research, "trend").values()
    assert september[0] == "9" and september[6:9] == ["0", "9", "20.93"]
    assert "比率以公布件數為分母" in research.page.text


def test_a_register_that_reports_by_the_quarter(app: Flask, research: Visitor) -> None:
    def quarterly() -> None:
        with unit_of_work():
            register = plan_imports.register_for("request-114")
            for number, title in enumerate(("甲", "乙")):
                of = entry(register, title)
                for month in (3, 9)[number:]:
                    _report(of, date(2025, month, 1), 10 * month, 10 * month)

    made(app, quarterly)
    research.get("/plans/registers/request-114")
    shown = rows(research, "trend")
    # nothing was reported for the second quarter, and two plans stood there
    assert {month: cells[:7] for month, cells in shown.items()} == {
        "114年9月": ["2", "0", "0", "2", "0", "0", "0"],
        "114年6月": ["2", "0", "0", "0", "0", "0", "2"],
        "114年3月": ["2", "0", "0", "1", "0", "0", "1"],
    }
