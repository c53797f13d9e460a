"""Stop-work days on the administrator's page: what would move is shown first, and only then entered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.journeys import NOW, submitted
from tests.officers import at, case_of, made, signed_in
from webapp.extensions import db
from webapp.models import CalendarOverride

TYPHOON = {"date-year": "114", "date-month": "10", "date-day": "1", "reason": "颱風停班", "kind": "off"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def entered(app: Flask) -> int:
    return made(app, lambda: db.session.query(CalendarOverride).count())


def test_the_preview_comes_first_and_enters_nothing(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)
    admin = signed_in(app, "admin")
    admin.get("/staff/inbox")
    admin.follow("停班日與補班日")
    admin.press("試算", TYPHOON)
    shown = admin.page.soup.select_one("#preview").text
    assert "1 件移動" in shown and "114.10.20" in shown and "114.10.21" in shown
    assert entered(app) == 0
    admin.press("登錄")
    assert "已登錄，1 件移動。" in admin.page.text and "颱風停班" in admin.page.text
    assert entered(app) == 1
    assert made(app, lambda: case_of(pid).due_on.isoformat()) == "2025-10-21"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"date-month": "13"}, "請填寫真實存在的日期，例如 115 年 12 月 3 日。"),
        ({"reason": " "}, "請寫明事由，最多 200 字。"),
        ({"reason": "颱" * 201}, "請寫明事由，最多 200 字。"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_lost(app: Flask, change: dict[str, str], says: str) -> None:
    admin = signed_in(app, "admin")
    admin.get("/staff/days")
    admin.press("試算", {**TYPHOON, **change})
    assert (admin.page.status, admin.page.mistakes) == (422, [says])
    assert admin.page.value("date-year") == "114"
    assert entered(app) == 0


def test_an_unknown_kind_or_scope_is_refused(app: Flask) -> None:
    admin = signed_in(app, "admin")
    for wrong in ({"kind": "half"}, {"scope": "XX"}):
        for action in ("preview", "enter"):
            assert (
                admin.post("/staff/days", {"scope": "county", **TYPHOON, **wrong, "action": action}).status
                == 422
            )
    assert entered(app) == 0


def test_the_page_in_english(app: Flask) -> None:
    admin = signed_in(app, "admin")
    admin.get("/language/en")
    admin.get("/staff/days")
    assert "Stop-work and extra working days" in admin.page.text and "The whole county" in admin.page.text


def test_a_day_entered_by_mistake_is_taken_back_after_a_preview(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)
    admin = signed_in(app, "admin")
    admin.get("/staff/days")
    assert "還沒有登錄過" in admin.page.text
    admin.press("試算", TYPHOON)
    admin.press("登錄")
    admin.follow("撤銷或更正")
    admin.press("試算", {"why": ""})
    assert admin.page.mistakes == ["請寫明原因，最多 200 字。"]
    admin.press("試算", {"why": "誤登", "change": "correct", "date-month": "13"})
    assert admin.page.mistakes == ["請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    admin.press("試算", {"change": "correct", "date-month": "10", "date-day": "2"})
    assert "0 件移動" in admin.page.text and admin.page.offers("更正")
    stale = admin.page
    admin.press("試算", {"change": "revoke"})
    shown = admin.page.soup.select_one("#preview").text
    assert "1 件移動" in shown and "114.10.20" in shown
    assert made(app, lambda: case_of(pid).due_on.isoformat()) == "2025-10-21"
    admin.press("撤銷這一天")
    assert "已更改，1 件移動。" in admin.page.text and "誤登" in admin.page.text
    assert made(app, lambda: case_of(pid).due_on.isoformat()) == "2025-10-20"
    admin.page = stale
    admin.press("更正")
    assert admin.page.status == 409 and "撤銷" in admin.page.text
    assert entered(app) == 1
    admin.get(stale.path)
    assert "撤銷：誤登" in admin.page.text
    assert not admin.page.offers("試算")
    assert admin.get("/staff/days/999").status == 404
