"""The editorial desk over HTTP: a change of a rule from its draft to a second person's approval, and back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.journeys import NOW, officer, submitted
from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import DefinitionDraft, Escalation, Firing
from webapp.services import desk
from webapp.uow import unit_of_work

KEY, HOME = "case_deadlines", "/admin/definitions/ruleset/case_deadlines"
PLANS = Path(__file__).parents[1] / "data" / "plans.csv"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def author(app: Flask) -> Visitor:
    return signed_in(app, "admin")


@pytest.fixture
def second(app: Flask) -> Visitor:
    return signed_in(app, "guo.shiming")


def changed(app: Flask, change: Any, login: str = "admin") -> None:
    """The live draft as an editor would save it."""

    def save() -> None:
        with unit_of_work():
            draft = db.session.scalars(
                select(DefinitionDraft).where(DefinitionDraft.state == "editing")
            ).one()
            body = copy.deepcopy(draft.mapping)
            change(body)
            desk.save(officer(login), draft.id, body, NOW, version=draft.version)

    made(app, save)


def cells(visitor: Visitor, section: str) -> list[list[str]]:
    """The table of a section as it reads."""
    heading = visitor.page.soup.select_one(f"h2#{section}")
    assert heading is not None, visitor.page
    table = heading.find_parent("section").select_one("table")
    assert table is not None, visitor.page
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("td, th")] for row in table.select("tbody tr")
    ]


def test_the_story_of_an_earlier_warning(app: Flask, author: Visitor, second: Visitor) -> None:
    number = made(app, lambda: submitted("EC09").number)
    author.get("/admin/definitions")
    author.follow("案件期限與稽催")
    assert "預警天數" in author.page.text and "2 個工作天" in author.page.text
    author.press("修改（建立草稿）")
    draft = author.page.path
    assert "照常執行" in author.page.text and "還沒有修改。" in author.page.text

    changed(app, lambda body: body["parameters"]["warn_days"].update(value=3))
    author.get(draft)
    assert cells(author, "differences") == [["參數「預警天數」", "2 個工作天", "3 個工作天"]]
    # an example still says that three days before nobody is warned
    assert not author.page.offers("送審")
    assert cells(author, "tests") == [
        [
            "不符",
            "到期前三個工作天還不預警",
            "距到期日剩 3 個工作天 期限暫停計算 否",
            "沒有結果",
            "稽催：階段 到期前預警、通知職務 承辦人、種類 預警",
        ]
    ]
    changed(app, lambda body: body["examples"][0]["facts"].update({"case.days_left": 4}))
    author.get(draft)
    author.follow("試算與影響的案件")
    assert cells(author, "live") == [
        [
            number,
            "民國114年10月20日",
            "到期前預警 民國114年10月16日",
            "到期前預警 民國114年10月15日",
        ]
    ]
    assert "沒有" not in cells(author, "live")[0]
    author.get(draft)
    author.press("送審", {"reason": "", "effective_from-year": "114", "effective_from-month": "2"})
    assert (author.page.status, author.page.mistakes) == (422, ["請填寫理由。"]) or author.page.status == 422
    author.press(
        "送審",
        {
            "reason": "承辦人反映兩天太趕",
            "effective_from-year": "114",
            "effective_from-month": "9",
            "effective_from-day": "25",
        },
    )
    assert "送審中" in author.page.text and not author.page.offers("核准，民國114年9月25日 起生效")

    second.get("/staff/notices")
    assert "請審核規則的修改：案件期限與稽催" in second.page.text
    second.get("/admin/definitions")
    assert "送審中" in second.page.text
    second.get(draft)
    assert "承辦人反映兩天太趕" in second.page.text
    second.press("核准，民國114年9月25日 起生效")
    assert "已核准發布。" in second.page.soup.text
    author.get(HOME)
    assert "3 個工作天" in author.page.text and "承辦人反映兩天太趕" in author.page.text
    author.get("/staff/notices")
    assert "已核准：案件期限與稽催" in author.page.text

    def warned(day: datetime) -> int:
        assert sweeps.run_deadlines(day)["failed"] == 0
        return db.session.scalars(select(func.count()).select_from(Escalation)).one()

    three_before = datetime(2025, 10, 15, 1, tzinfo=UTC)
    assert made(app, lambda: warned(three_before)) == 1
    sentence = made(
        app,
        lambda: next(
            each["sentence"]["zh"]
            for each in db.session.scalars(select(Firing).order_by(Firing.id.desc()).limit(1)).one().explanation
            if each["rule"] == "warn"
        ),
    )
    assert "預警天數 3 個工作天" in sentence

    second.get(HOME)
    second.press("復原到版本 1", {"reason": ""})
    assert second.page.status == 422 and second.page.mistakes == ["請填寫理由。"]
    second.press("復原到版本 1", {"reason": "通知太多"})
    assert "2 個工作天" in second.page.text and "通知太多" in second.page.text
    assert made(app, lambda: warned(three_before)) == 1, "what was reached stays"
    author.get(f"{HOME}/compare?before=2&after=1")
    assert "參數「預警天數」" in author.page.text
