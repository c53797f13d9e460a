"""An indicator that is fed from the registers: counted when it is saved, with what it was counted from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask

from tests.officers import at, made, signed_in
from tests.plan_world import entry
from webapp.demo.performance import INVENTED
from webapp.extensions import db
from webapp.models import Plan, ProgressReport, RegisterEntry
from webapp.permissions import SYSTEM
from webapp.services import plan_imports, plan_progress, score_import, scores
from webapp.services.score_import import Source
from webapp.uow import unit_of_work

#: after the reports of December 114
NOW = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
DECEMBER = date(2025, 12, 1)


def _report(of: RegisterEntry, month: date, planned: int, actual: str | None) -> None:
    report = ProgressReport(
        entry_id=of.id,
        register_id=of.register_id,
        month=month,
        planned=Decimal(planned),
        actual=Decimal(actual) if actual is not None else None,
        state="reported" if actual is not None else "open",
        origin="entered",
    )
    db.session.add(report)
    db.session.flush()
    db.session.refresh(report)
    plan_progress.evaluate([report], NOW)


def _world(kind: str) -> tuple[str, str]:
    """A table of 農林科 with an indicator of the register, and its plans: two on time and late, one silent since
    October, one completed in June, one given up in June, and one of another unit."""
    with unit_of_work():
        register = plan_imports.register_for(f"{kind}-114")
        for title, unit, actual in (
            ("港區綠美化", "EC-AFF", "100"),
            ("農路改善", "EC-AFF", "70.5"),
            ("外處", "PW", "1"),
        ):
            _report(entry(register, title, unit), DECEMBER, 100, actual)
        silent = entry(register, "牧草推廣", "EC-AFF")
        _report(silent, date(2025, 10, 1), 80, "80")
        _report(silent, DECEMBER, 100, None)
        for title, is_completed in (("灌溉渠道", True), ("撤案計畫", False)):
            left = entry(register, title, "EC-AFF")
            _report(left, date(2025, 6, 1), 100, "100")
            left.released_on, left.release_reason = date(2025, 6, 30), "解除"
            if is_completed:
                db.session.get_one(Plan, left.plan_id).completed_on = date(2025, 6, 20)
        year, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
        return year.public_id, scores.indicators(year)[6].public_id


@pytest.mark.parametrize(
    ("kind", "figure", "value", "words"),
    [
        # (100 + 70.5 + 100) ÷ 3 = 90.17
        (
            "island_fund",
            "離島建設基金補助計畫實際進度平均數",
            "90%",
            "系統統計：離島建設基金補助計畫 3 件年底實際進度平均；年底未填報不計：牧草推廣",
        ),
        (
            "selected",
            "選項列管計畫年底未落後比率",
            "66.67%",
            "系統統計：選項列管計畫年底未落後 2 件／已填報 3 件；年底未填報不計：牧草推廣",
        ),
    ],
)
def test_an_indicator_is_fed_from_a_register(
    app: Flask,
    committed: None,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    figure: str,
    value: str,
    words: str,
) -> None:
    at(app, monkeypatch, NOW)
    table, key = made(app, lambda: _world(kind))
    path = f"/plans/scores/{table}/indicators/{key}"
    control = signed_in(app, "guo.shiming")
    options = {
        option.text: option["value"] for option in control.get(path).soup.select("select#figure option")
    }
    control.press("儲存指標", {"figure": options[figure]})
    unit = signed_in(app, "weng.guoliang")
    assert figure in unit.get(path).text and not unit.page.soup.select("#achieved")
    shown = unit.press("儲存").text
    assert words in shown and "撤案計畫" not in shown
    facts = {row.select_one("dt").text: row.select_one("dd").text for row in unit.page.soup.select("dl div")}
    assert facts["達成值（B）"] == value


def test_a_year_that_nobody_reported_has_no_figure(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(app, monkeypatch, NOW)

    def world() -> tuple[str, str]:
        with unit_of_work():
            _report(
                entry(plan_imports.register_for("island_fund-114"), "無報計畫", "EC-AFF"), DECEMBER, 100, None
            )
            year, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
            row = scores.indicators(year)[6]
            row.figure = "island_fund_average"
            return year.public_id, row.public_id

    table, key = made(app, world)
    unit = signed_in(app, "weng.guoliang")
    unit.get(f"/plans/scores/{table}/indicators/{key}")
    shown = unit.press("儲存").text
    assert (
        "離島建設基金補助計畫 0 件年底實際進度平均；年底未填報不計：無報計畫" in shown
        and "還沒有達成值" in shown
    )
