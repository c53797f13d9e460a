"""The editorial desk over HTTP: a change of a rule from its draft to a second person's approval, and back."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

import rules.loader
from rules.values import read_yaml
from tests.journeys import NOW, officer, submitted
from tests.officers import at, made, officer_of, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import DefinitionDraft, Escalation, Revision
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import desk, publishing
from webapp.uow import unit_of_work

KEY, HOME = "case_deadlines", "/admin/definitions/ruleset/case_deadlines"
#: working days before the limit of a case filed now
THREE_BEFORE = datetime(2025, 10, 15, 1, tzinfo=UTC)
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


def filed() -> tuple[str, str, str]:
    case = submitted("EC09")
    return case.number or "", case.public_id, officer_of(case)


def upcoming(visitor: Visitor, pid: str) -> str:
    """What the page of a case says of its next reminder."""
    visitor.get(f"/staff/cases/{pid}/why")
    heading = visitor.page.soup.select_one("h2#next")
    assert heading is not None, visitor.page
    return heading.find_parent("section").get_text(" ", strip=True)


def test_the_story_of_an_earlier_warning(app: Flask, author: Visitor, second: Visitor) -> None:
    number, pid, login = made(app, filed)
    officer_s = signed_in(app, login)
    assert "2 個工作天" in upcoming(officer_s, pid) and "114年10月16日" in upcoming(officer_s, pid)
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
    assert "1 件會受影響" in author.page.text
    author.follow("試算與影響的案件")
    assert cells(author, "live") == [
        [
            number,
            "民國114年10月20日",
            "到期前預警 民國114年10月16日",
            "到期前預警 民國114年10月15日",
        ]
    ]
    author.get(draft)
    author.press("送審", {"reason": ""})
    assert (author.page.status, author.page.mistakes) == (422, ["請填寫理由。"])
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

    def warned() -> int:
        assert sweeps.run_deadlines(THREE_BEFORE)["failed"] == 0
        return db.session.scalars(select(func.count()).select_from(Escalation)).one()

    assert "3 個工作天" in upcoming(officer_s, pid)
    assert made(app, warned) == 1
    officer_s.get(f"/staff/cases/{pid}/why")
    assert "預警天數 3 個工作天" in officer_s.page.text

    second.get(HOME)
    second.press("復原到版本 1", {"reason": ""})
    assert second.page.status == 422 and second.page.mistakes == ["請填寫理由。"]
    second.press("復原到版本 1", {"reason": "通知太多"})
    assert "2 個工作天" in second.page.text and "通知太多" in second.page.text
    assert made(app, warned) == 1, "what was reached stays"
    officer_s.get(f"/staff/cases/{pid}/why")
    assert "預警天數 3 個工作天" in officer_s.page.text, (
        "what was decided is explained by the version of then"
    )
    author.get(f"{HOME}/compare?before=2&after=1")
    assert "參數「預警天數」" in author.page.text


def test_a_table_of_plans_changes_exactly_one(app: Flask, author: Visitor) -> None:
    author.get("/admin/definitions/ruleset/progress_lag")
    author.press("修改（建立草稿）")
    page = author.page.path

    def severe(body: dict[str, Any]) -> None:
        body["parameters"]["severe_lag"]["value"] = 10
        body["examples"] = body["examples"][1:5]

    changed(app, severe)
    with PLANS.open(encoding="utf-8", newline="") as file:
        plans = list(csv.DictReader(file))
    rows = [["計畫", "預定進度", "實際進度", "主辦"]]
    rows += [[row["project"], row["planned_pct"], row["actual_pct"], row["unit"]] for row in plans]
    author.get(page)
    author.follow("試算與影響的案件")
    author.press("試算這張表", {"pasted": "\n".join("\t".join(row) for row in rows)})
    by_pasting = author.page.text
    assert "13 列，" in by_pasting and "1 列改變" in by_pasting and "沒有使用：主辦" in by_pasting
    author.press("試算這張表", {"pasted": ""}, files={"file": [("計畫.xlsx", workbook(rows))]})
    assert author.page.soup.select_one("h2#table").parent.text.count("開瑄國小校舍及運動場新建") == 1
    (matrix, changes) = author.page.soup.select("h2#table ~ .app-scroll table")
    values = [th.text for th in matrix.select("thead th")][1:]
    counts = {row.th.text: [td.text for td in row.select("td")] for row in matrix.select("tbody tr")}
    assert counts["紅燈"][values.index("黃燈")] == "1"
    assert sum(int(n) for row in counts.values() for n in row) == 13
    (row,) = changes.select("tbody tr")
    assert "開瑄國小校舍及運動場新建" in row.text
    author.press("試算這張表", {"pasted": "計畫,進度落後\n甲,很多\n"})
    assert author.page.status == 422 and author.page.mistakes == [
        "第 2 列第 2 欄「進度落後」：「很多」不是數字"
    ]
    author.press("試算這張表", {"pasted": ""}, files={"file": [("x.xlsx", b"PK\x03\x04\xff\xff")]})
    assert author.page.status == 422 and author.page.mistakes == ["這個 XLSX 檔案無法讀取。"]


def workbook(rows: list[list[str]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([float(cell) if cell.replace(".", "").isdigit() else cell for cell in row])
    book.save(out)
    return out.getvalue()


def test_two_people_and_a_factory_file_that_moved(
    app: Flask, author: Visitor, second: Visitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody loses what they wrote: not to a colleague, not to a stale page, not to a new release."""
    author.get(HOME)
    second.get(HOME)
    author.press("修改（建立草稿）")
    page = author.page.path
    second.press("修改（建立草稿）")
    assert second.page.status == 409 and "系統管理員的草稿還在進行" in second.page.text

    def earlier(body: dict[str, Any]) -> None:
        body["parameters"]["warn_days"]["value"] = 3
        body["examples"] = body["examples"][1:2]

    second.get(page)
    changed(app, earlier)
    second.press("捨棄草稿…")
    assert second.page.heading.startswith("捨棄草稿？")
    second.press("捨棄這份草稿")
    assert second.page.status == 409 and "系統管理員已經改過這份草稿" in second.page.text
    author.get(page)
    author.press("送審", {"reason": "提早"})
    second.get(page)
    second.press("退回修改", {"comment": "請補測試案例"})
    author.get(page)
    assert "退回的理由：請補測試案例" in author.page.text
    author.press("送審", {"reason": "補了"})
    second.get(page)
    second.press("核准，民國114年9月25日 起生效")
    author.get(page)
    assert author.page.heading.startswith("案件期限與稽催") and "已發布" in author.page.text

    # a release brings a file that changed as well
    files = copy.deepcopy(rules.loader.read_all())
    files[KEY]["parameters"]["due_days"]["value"] = 1
    monkeypatch.setattr(publishing, "READERS", {**publishing.READERS, "ruleset": lambda: files})

    def sync() -> tuple[str, ...]:
        with unit_of_work():
            return publishing.sync(SYSTEM, NOW).conflicts

    assert made(app, sync) == (f"ruleset/{KEY}",)
    author.get("/admin/definitions")
    marked = [
        row.a.text for row in author.page.soup.select("#rulesets ~ * tr") if "出廠設定有新版本" in row.text
    ]
    assert marked == ["案件期限與稽催"]
    author.get(HOME)
    assert "出廠設定（版本 3）沒有取代線上編輯的版本" in author.page.text
    author.follow("看現行版本與出廠設定的差異")
    assert "參數「到期門檻」" in author.page.text
    author.get(HOME)
    author.press("以此建立草稿")
    assert "草稿，依據版本 1" not in author.page.text and "參數「預警天數」" in author.page.text
    author.press("捨棄草稿…")
    author.press("捨棄這份草稿")
    assert author.page.path == HOME

    # what is exported is what `definitions sync` reads, in the order in which it was written
    exported = author.get(f"{HOME}/versions/2.yaml")
    (tmp_path / f"{KEY}.yaml").write_bytes(exported.content)
    read = read_yaml(tmp_path / f"{KEY}.yaml")
    assert list(read) == list(files[KEY]) and list(read["parameters"]) == list(files[KEY]["parameters"])
    assert publishing.checksum(read) == made(app, lambda: published(2))


def published(number: int) -> str:
    revision = select(Revision.checksum).where(Revision.key == KEY, Revision.number == number)
    return db.session.scalars(revision).one()


def test_a_draft_is_mended_while_what_is_in_force_cannot_be_read(
    app: Flask, author: Visitor, second: Visitor
) -> None:
    def leave() -> int:
        """What an older release could read."""
        good = db.session.get_one(Revision, definitions.revision_id("ruleset", KEY, taipei_day(NOW)))
        bad = copy.deepcopy(good.mapping)
        bad["rules"][0]["when"] = {"fact": "case.gone", "op": "eq", "value": 1}
        with unit_of_work():
            revision = publishing.insert(SYSTEM, "ruleset", KEY, bad, NOW, origin="file")
            publishing.publish(SYSTEM, revision, taipei_day(NOW), NOW)
        with unit_of_work():
            return desk.open_draft(officer("admin"), "ruleset", KEY, NOW, base=good.id).id

    page = f"/admin/drafts/{made(app, leave)}"
    for path in ("/admin/definitions", HOME, page):
        assert author.get(path).status == 200, path
    assert "現行版本無法讀取，沒有可以比較的結果" in author.page.text
    assert author.get(f"{page}/trial").status == 422
    assert "現行版本 2 無法讀取" in author.page.text
    author.get(page)
    author.press("送審", {"reason": "修正"})
    assert author.page.status == 200, author.page.mistakes
    second.get(page)
    second.press("核准，民國114年9月25日 起生效")
    assert "已核准發布。" in second.page.text


def test_what_is_scheduled_is_named_before_it_is_published_over(
    app: Flask, author: Visitor, second: Visitor
) -> None:
    """Approved for October; another change that is approved for today takes its place, which both people read."""

    def change(days: int) -> None:
        def write(body: dict[str, Any]) -> None:
            body["parameters"]["warn_days"]["value"] = days
            body["examples"] = body["examples"][2:]

        author.get(HOME)
        author.press("修改（建立草稿）")
        changed(app, write)
        author.get(author.page.path)

    change(3)
    october = {"effective_from-year": "114", "effective_from-month": "10", "effective_from-day": "1"}
    author.press("送審", {"reason": "提早", **october})
    second.get(author.page.path)
    assert "不會生效" not in second.page.text
    second.press("核准，民國114年10月1日 起生效")
    change(4)
    assert "版本 2 已核准，原定於 民國114年10月1日 生效。" in author.page.text
    author.press("送審", {"reason": "更早"})
    second.get(author.page.path)
    assert "核准後，已核准、原定於 民國114年10月1日 生效的版本 2 不會生效。" in second.page.text
    second.press("核准，民國114年9月25日 起生效")
    second.get(HOME)
    assert "版本 2 已核准，照原定於 民國114年10月1日 生效。" in second.page.text
    second.press("復原到版本 1", {"reason": "改錯了"})
    assert "版本 2 將於 民國114年10月1日 生效。" in second.page.text


def test_other_definitions_are_read_only(app: Flask, author: Visitor) -> None:
    author.get("/admin/definitions/service/EC09")
    assert author.page.status == 200 and not author.page.offers("修改（建立草稿）")
    assert author.post("/admin/definitions/service/EC09/drafts").status == 404
    assert author.post("/admin/definitions/service/EC09/rollback", {"reason": "x", "seen": "1"}).status == 404
    assert author.get("/admin/definitions/service/NONE").status == 404
    assert author.get("/admin/definitions/nothing/EC09").status == 404
    assert author.get(f"{HOME}/versions/99").status == 404
    assert author.get("/admin/drafts/99").status == 404
