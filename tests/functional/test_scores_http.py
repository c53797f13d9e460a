"""施政績效 through the pages: reported with evidence, assessed in a batch, published; printed by the worker."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from webapp import cli, demo, import_scores
from webapp.demo.performance import HERE, INVENTED
from webapp.demo.samples import picture
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Effect
from webapp.permissions import SYSTEM
from webapp.services import score_import, scores
from webapp.services.score_import import Source
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL = "weng.guoliang", "cai.wenxiong", "guo.shiming"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def drafted(app: Flask) -> str:
    """A table of 農林科 of which four values are missing; none is counted by the system."""

    def prepare() -> str:
        with unit_of_work():
            year, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
            for row in scores.indicators(year):
                row.figure = None
        return year.public_id

    return made(app, prepare)


def reviewed(app: Flask) -> str:
    """One in the review on paper."""
    pid = drafted(app)

    def go_on() -> None:
        year = scores.find(pid)
        with unit_of_work():
            for row in scores.indicators(year):
                row.achieved = row.achieved if row.achieved is not None else Decimal(0)
        for who in (HEAD, CONTROL):
            with unit_of_work():
                scores.advance(officer(who), year, "", NOW, version=year.version)

    made(app, go_on)
    return pid


def key(app: Flask, pid: str, place: int) -> str:
    return made(app, lambda: scores.indicators(scores.find(pid))[place].public_id)


def test_a_value_is_reported_with_its_evidence(app: Flask) -> None:
    pid = drafted(app)
    unit = signed_in(app, OFFICER)
    path = f"/plans/scores/{pid}/indicators/{key(app, pid, 6)}"
    assert "還沒有達成值" in unit.get(path).text
    fill = {"achieved": "約４０%", "evidence": "線上 400 件，共 1,000 件。", "comment": "宣導不足。"}
    page = unit.press("儲存", fill, files={"file": [("統計.png", picture())]})
    assert page.status == 200 and page.path == path
    for words in (
        "C＝B÷A＝40÷50",
        "達成度捨去至小數 0 位：80%",
        "：8 分",
        "部分達成",
        "宣導不足。",
        "翁國樑",
    ):
        assert words in page.text, words
    assert unit.get(page.links("統計.png")[0]).headers["Content-Type"] == "image/png"
    unit.get(path)
    assert "統計.png" not in unit.press("移除").text


@pytest.mark.parametrize("typed", ["很多", "-3", "1.23456", "9" * 20])
def test_what_is_no_number_is_told_and_nothing_is_lost(app: Flask, typed: str) -> None:
    pid = drafted(app)
    unit = signed_in(app, OFFICER)
    unit.get(f"/plans/scores/{pid}/indicators/{key(app, pid, 6)}")
    page = unit.press("儲存", {"achieved": typed, "evidence": "線上 400 件。"})
    assert page.status == 422
    assert page.mistakes == ["請填 0 以上、最多四位小數的數字，例如 378 或 20%。"]
    assert (page.value("achieved"), page.value("evidence").strip()) == (typed, "線上 400 件。")


def test_a_file_that_is_none_and_a_stale_page_keep_what_was_typed(app: Flask) -> None:
    pid = drafted(app)
    unit = signed_in(app, OFFICER)
    path = f"/plans/scores/{pid}/indicators/{key(app, pid, 6)}"
    unit.get(path)
    page = unit.press("儲存", {"achieved": "40"}, files={"file": [("a.png", b"no picture")]})
    assert page.status == 422 and "不是 PDF、JPG、PNG" in page.mistakes[0]
    assert page.value("achieved") == "40"
    other = signed_in(app, HEAD)
    unit.get(path), other.get(path)
    other.press("儲存", {"achieved": "30"})
    page = unit.press("儲存", {"achieved": "45", "evidence": "我的佐證"})
    assert page.status == 409 and "蔡文雄" in page.mistakes[0]
    assert (page.value("achieved"), page.value("evidence").strip()) == ("45", "我的佐證")


def test_what_was_typed_outlives_the_sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    pid = drafted(app)
    unit = signed_in(app, OFFICER)
    page = unit.get(f"/plans/scores/{pid}/indicators/{key(app, pid, 6)}")
    unit.press("登出", within="header")
    unit.page = page
    assert unit.press("儲存", {"achieved": "41", "evidence": "線上 410 件。"}).status == 401
    password = demo.password(str(app.config["SECRET_KEY"]))
    page = unit.press("登入", {"email": demo.login(OFFICER), "password": password}, within="main")
    assert (page.value("achieved"), page.value("evidence").strip()) == ("41", "線上 410 件。")
    assert "C＝B÷A＝41÷50" in unit.press("儲存").text


def test_the_unit_cannot_hand_in_what_is_not_whole(app: Flask) -> None:
    pid = drafted(app)
    assert not signed_in(app, OFFICER).get(f"/plans/scores/{pid}").offers("送出自評")
    unit = signed_in(app, HEAD)
    unit.get(f"/plans/scores/{pid}")
    page = unit.press("送出自評", {"comment-advance": "室務會議通過。"})
    assert page.status == 422 and "還有 5 個指標沒有達成值" in page.mistakes[0]


def test_the_research_office_changes_weights_until_they_add_up(app: Flask) -> None:
    pid = drafted(app)
    control = signed_in(app, CONTROL)
    control.get(f"/plans/scores/{pid}")
    page = control.follow("調整權重")
    row = key_of_weight(app, pid, 0)
    page = control.press("儲存權重", {row: "13"})
    assert "的權重是 20，下層合計卻是 21" in page.text
    assert control.press("儲存權重", {row: "12"}).text.count("下層合計卻是") == 0
    assert control.press("儲存權重", {row: "0"}).status == 422


def key_of_weight(app: Flask, pid: str, place: int) -> str:
    return made(app, lambda: f"i-{scores.indicators(scores.find(pid))[place].id}")


def test_a_batch_is_assessed_one_value_changed_and_the_year_published(app: Flask) -> None:
    pid = reviewed(app)
    control = signed_in(app, CONTROL)
    first = key(app, pid, 2)
    control.get(f"/plans/scores/{pid}")
    control.follow("評核指標")
    page = control.press("送出評核", {"indicators": [first], "verdict": "adjusted", "value": "600"})
    assert page.status == 422 and page.mistakes == ["請說明原因。"]
    page = control.press("送出評核", {"comment": "重複計入 212 隻。"})
    assert "已評核 1 個指標。" in page.soup.text
    page = control.press("送出評核")  # the others are ticked
    assert "已評核 10 個指標。" in page.soup.text
    assert "評核調整" in control.get(f"/plans/scores/{pid}").text
    control.press("進入「會議評核」")
    control.get(f"/plans/scores/{pid}/review")
    control.press("送出評核")
    control.get(f"/plans/scores/{pid}")
    control.press("進入「實地複評」")
    page = control.press("公布", {"comment-advance": "縣務會議通過。"})
    assert page.status == 200 and "已公布" in page.text and "縣務會議通過。" in page.text
    assert not page.offers("公布") and not page.offers("送出評核")
    page = control.press("另立新版", {"comment-correct": ""})
    assert page.status == 422 and page.mistakes == ["請說明原因。"]
    page = control.press("另立新版", {"comment-correct": "B 誤植。"})
    assert "第 2 版" in page.heading and "更正原因：B 誤植。" in page.text


def test_a_stale_step_is_refused_with_the_name_of_who_was_faster(app: Flask) -> None:
    pid = reviewed(app)
    control, other = signed_in(app, CONTROL), signed_in(app, CONTROL)
    control.get(f"/plans/scores/{pid}"), other.get(f"/plans/scores/{pid}")
    other.press("退回", {"comment-send_back": "請補佐證。"})
    page = control.press("退回", {"comment-send_back": "資料不全。"})
    assert page.status == 409 and "郭士銘" in page.mistakes[0]
    assert "資料不全。" not in page.text.partition("辦理情形")[2].partition("下一步")[0]


def test_a_new_year_is_begun_once(app: Flask) -> None:
    control = signed_in(app, CONTROL)
    control.get("/plans/scores")
    page = control.press("建立", {"year": "１１３"})
    assert "113 年度施政績效" in page.heading
    control.get("/plans/scores")
    page = control.press("建立", {"year": "113"})
    assert page.status == 422 and "正在辦理" in page.mistakes[0]
    page = control.press("建立", {"year": "明年"})
    assert page.status == 422 and page.value("year") == "明年"


def test_a_table_begins_from_a_file_and_bad_rows_are_named(app: Flask) -> None:
    control = signed_in(app, CONTROL)
    control.get("/plans/scores")
    good = INVENTED.read_bytes()
    fill = {"unit": "PW", "year": "114"}
    page = control.press("匯入", fill, files={"file": [("a.csv", good.replace(b",12,95%,", b",x,95%,"))]})
    assert page.status == 422
    assert page.mistakes == ["第 2 列「weight」：「x」不是 0 以上、最多四位小數的數字。"]
    assert (page.form_with("file").values["unit"], page.form_with("file").values["year"]) == ("PW", "114")
    assert control.press("匯入", {"year": ""}).mistakes == ["請選擇檔案。"]
    page = control.press("匯入", fill, files={"file": [("a.csv", good)]})
    assert page.heading == "114 年度施政績效" and "工務處" in page.text
    rows = signed_in(app, CONTROL).get(page.links("下載 XLSX")[0])
    control.get("/plans/scores")
    page = control.press("匯入", {"unit": "PW", "year": "113"}, files={"file": [("a.xlsx", rows.content)]})
    assert page.heading == "113 年度施政績效" and "完成犬貓絕育" in page.text


def test_the_report_is_printed_by_the_worker_once_a_content(app: Flask) -> None:
    pid = drafted(app)
    unit = signed_in(app, OFFICER)
    path = f"/plans/scores/{pid}/report.pdf"
    assert unit.get(path).status == 202 and unit.get(path).status == 202
    orders = select(Effect.id).where(Effect.kind == "score_report").order_by(Effect.id)
    (order,) = made(app, lambda: db.session.scalars(orders).all())
    made(app, lambda: perform_effect(order))
    page = unit.get(path)
    assert page.status == 200 and "示範資料" not in page.pdf_text and "完成犬貓絕育" in page.pdf_text
    row = f"/plans/scores/{pid}/indicators/{key(app, pid, 6)}"
    unit.get(row)
    unit.press("儲存", {"achieved": "49"})
    assert unit.get(path).status == 202
    unit.get(row)
    unit.press("儲存", {"achieved": ""})
    assert unit.get(path).status == 200, "it stands as it was printed"


def test_the_import_says_what_it_took_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_scores, "_application", lambda: app)
    table, annex = (str(HERE / f"performance_100{what}.csv") for what in ("", "_annex"))
    options = ["import", "scores", table, "--year", "99", "--unit", "AD-RES"]
    said = CliRunner().invoke(cli.main, [*options, "--published", "--annex", annex])
    assert said.exit_code == 0, said.output
    assert "taken in: 34 indicators, total 96.25, 15 goals, state published" in said.output
    assert said.output.count("以公布為準: ") == 5
    assert "69.2, 98.9%" in said.output
    again = CliRunner().invoke(cli.main, [*options, "--unit-name", "又叫別的"])
    assert again.exit_code == 0 and "69.2, 98.9%" in again.output
    assert "unchanged: 34 indicators" in again.output
    wrong = CliRunner().invoke(cli.main, ["import", "scores", annex, "--year", "98", "--unit", "AD-RES"])
    assert wrong.exit_code == 1 and "缺少欄位：" in wrong.output and "nothing was taken in" in wrong.output
    nobody = CliRunner().invoke(cli.main, ["import", "scores", table, "--year", "98", "--unit", "ZZ"])
    assert nobody.exit_code == 1 and "沒有代碼 ZZ 的單位" in nobody.output
