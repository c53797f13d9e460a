"""施政績效: the published year comes in and comes out to the digit; a year goes from the unit to publication."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from pypdf import PdfReader
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, InternalError

from rules.scoring import Score
from tests.journeys import NOW, account, officer
from tests.visitor import pdf_text
from webapp import demo
from webapp.errors import Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.models import AuditEntry, ScoreHeading, ScoreIndicator, ScoreYear
from webapp.permissions import SYSTEM
from webapp.services import evaluation, score_editions, score_import, score_reports, score_table, scores
from webapp.services.score_import import Source
from webapp.services.score_table import plain
from webapp.services.scores import Report
from webapp.sheets import BadSheet

DATA = Path(__file__).parents[2] / "data" / "scoring.csv"
CHECKS = DATA.with_name("acceptance_checks.csv")
ANNEX = Path(demo.__file__).parent / "performance_100_annex.csv"
PUBLISHED = Source(100, "AD-RES", "計畫室", "published")
UNIT, HEAD, CONTROL = "officer.ad-res", "section_head.ad-res", "guo.shiming"


@pytest.fixture(autouse=True)
def _nothing_stays(app: Flask) -> Iterator[None]:
    """Services flush and never commit."""
    with app.app_context():
        yield
        db.session.rollback()


def rows() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(lines: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


@pytest.fixture
def published() -> ScoreYear:
    """The demonstration has it; it is the same file."""
    made, new = score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), ANNEX.read_bytes(), NOW)
    assert not new
    return made


@pytest.fixture
def entered() -> ScoreYear:
    return score_import.take_in(SYSTEM, Source(114, "AD-RES"), DATA.read_bytes(), None, NOW)[0]


def table(year: ScoreYear) -> score_table.Table:
    return score_table.build(year)


# --- the published table -------------------------------------------------------------------------------------


def test_every_published_figure_comes_out(published: ScoreYear) -> None:
    found = table(published)
    assert len(found.lines) == 34
    for line, row in zip(found.lines, rows(), strict=True):
        assert line.result is not None
        assert line.result.score == Decimal(row["published_score"]), row["indicator"]
        printed = row["published_C"].rstrip("%")
        assert line.result.ratio == (100 if printed == "1" else int(printed)), row["indicator"]
        assert line.indicator.published_score == line.result.score
        assert line.method.score.decimals == int(row["score_decimals"])
        assert line.indicator.decimals is None
    groups = {group.row.code: group for top in found.dimensions for group in top.below}
    assert {code: plain(group.score) for code, group in groups.items()} == {
        "B1": "59.2", "B2": "10", "H": "13.3", "F": "13.75",
    }  # fmt: skip
    assert [(plain(top.score), top.rate) for top in found.dimensions] == [
        ("69.2", Decimal("98.9")),
        ("13.3", Decimal("88.7")),
        ("13.75", Decimal("91.7")),
    ]
    assert found.total == Decimal("96.25") == published.published_total
    assert len(list(found.goals)) == 15


def test_what_disagrees_is_noted_and_not_repaired(published: ScoreYear) -> None:
    found = table(published)
    differing = [n for n, line in enumerate(found.lines, start=1) if line.differs]
    assert differing == [21, 22, 23, 24, 25]  # C printed as 1
    assert found.lines[20].indicator.published_ratio == "1"
    by_row = {n: [note.number for note in line.notes] for n, line in enumerate(found.lines, start=1)}
    assert {n: numbers for n, numbers in by_row.items() if numbers} == {
        3: [9], 4: [4], 5: [4, 6], 6: [4], 7: [4, 6], 8: [4, 6], 9: [4, 6], 15: [4], 16: [2], 20: [5],
        21: [3], 22: [3], 23: [3], 24: [3], 25: [3], 30: [4], 32: [4], 33: [1], 34: [7],
    }  # fmt: skip
    assert [note.number for note in found.notes] == [8]
    assert found.lines[32].indicator.note == "inverse: A/B = 3/4"


def test_how_each_indicator_was_scored_is_kept(published: ScoreYear) -> None:
    line = table(published).lines[32]
    assert line.record.facts["score.direction"] == "lower"
    assert line.record.said("score_by", "formula") == "target_by_achieved"
    fired = {entry["rule"]: entry for entry in line.record.explanation if entry["status"] == "fired"}
    assert {"formula.3", "decimals.1", "light.4"} <= set(fired)
    assert fired["formula.3"]["label"]["zh"] == "越低越好"
    assert line.light == "red"


def test_the_same_file_again_changes_nothing(published: ScoreYear) -> None:
    again, new = score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), ANNEX.read_bytes(), NOW)
    assert (again, new) == (published, False)
    for source in (Source(100, "AD-RES"), replace(PUBLISHED, unit_name="又叫別的")):
        for beside in (None, ANNEX.read_bytes()):
            assert score_import.take_in(SYSTEM, source, DATA.read_bytes(), beside, NOW) == (published, False)
    other = ANNEX.read_bytes().replace(b"96.25", b"96.24")
    with pytest.raises(Conflict, match="已經公布"):
        score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), other, NOW)
    assert [year.edition for year in scores.years() if year.year == 100] == [1]


@pytest.mark.parametrize(
    "change",
    [
        "update score_year set unit_name = 'x'",
        "update score_year set state = 'drafting', published_at = null",
        "delete from score_indicator",
        "update score_indicator set weight = 2",
        "update score_result set score = 5",
        "update score_heading set published_score = 1",
        "delete from score_note",
        "update score_figure set value = 1",
        "insert into score_note (year_id, number, zh, en) select id, 10, 'x', '' from score_year",
    ],
)
def test_the_database_refuses_to_change_what_is_published(published: ScoreYear, change: str) -> None:
    db.session.flush()
    with pytest.raises((IntegrityError, InternalError)), db.session.begin_nested():
        db.session.execute(text(change))


# --- reports -------------------------------------------------------------------------------------------------


def squeezed(content: bytes) -> str:
    return "".join(pdf_text(content).split())


def test_the_report_prints_totals_rates_tables_and_notes(app: Flask, published: ScoreYear) -> None:
    pdf = papers.performance(score_reports.paper(published, NOW, app.config))
    said = squeezed(pdf)
    assert len(PdfReader(io.BytesIO(pdf)).pages) >= 2
    for figure in ("96.25", "69.2", "98.9%", "59.2", "13.3", "13.75", "66%", "88.7%", "91.7%"):
        assert figure in said, figure
    assert "配合國家資通安全會報「政府機關（構）資訊安全責任等級分級作業施行計畫」" in said
    for figure in ("39,144,000", "35,139,493", "89.77%", "87.02%", "90.68%", "公布92%", "公布91%"):
        assert figure in said, figure
    assert "達成度（C）印為1，其他指標印為100%。" in said
    # every page of a long group says whose columns these are
    assert said.count("策略績效目標衡量指標") >= 5


def test_the_workbook_comes_in_again_as_it_went_out(published: ScoreYear) -> None:
    content = score_reports.as_xlsx(published, "zh")
    again, new = score_import.take_in(SYSTEM, replace(PUBLISHED, year=101), content, None, NOW)
    assert new
    before, after = table(published), table(again)
    assert after.total == before.total
    assert [line.result for line in after.lines] == [line.result for line in before.lines]
    book = load_workbook(io.BytesIO(content), data_only=True)
    assert book.sheetnames == ["績效表", "合計", "預算決算員額", "註記"]
    assert [row[1].value for row in book["合計"].iter_rows(min_row=2)][-1] == 100
    english = load_workbook(io.BytesIO(score_reports.as_xlsx(published, "en")))
    assert english.sheetnames[0] == "Indicators"


def test_the_rows_of_the_acceptance_checks(published: ScoreYear) -> None:
    """Sections D: what the product prints beside what the county published, computed or printed."""
    found, beside = table(published), score_reports.figures(published)
    budgets = {each.year: each for each in beside.budgets}
    staff = {each.year: each.total for each in beside.staff}
    by_rate = {plain(row.value): computed for row, computed in beside.disagreeing}
    shown = {
        ("D09", "98 budget"): budgets[98].budget,
        ("D09", "98 final account"): budgets[98].final_account,
        ("D10", "99 execution rate (computed)"): budgets[99].rate,
        ("D10", "98 execution rate (computed)"): budgets[98].rate,
        ("D11", "staff 98"): staff[98],
        ("D11", "staff 99 and 100"): staff[99],
        ("D05", "performance total"): found.total,
        ("D06", "business rate"): found.dimensions[0].rate,
        # printed as such, with a note that the budgets give 90.68
        ("D10", "100 execution rate as printed in 貳.二"): next(v for v in by_rate if v == "92"),
        ("D10", "100 execution rate as printed in the indicator"): next(v for v in by_rate if v == "91"),
    }
    with CHECKS.open(encoding="utf-8", newline="") as file:
        checks = {
            (row["systems_row"], row["what"]): Decimal(row["published_or_computed"])
            for row in csv.DictReader(file)
            if row["systems_row"].startswith("D")
        }
    assert {key: Decimal(value or 0) for key, value in shown.items()} == checks
    assert staff[99] == staff[100]
    assert set(by_rate.values()) == {Decimal("90.68")}


# --- files that cannot be taken in ---------------------------------------------------------------------------


def spoiled(**changes: str) -> bytes:
    lines = rows()
    lines[4] |= changes
    return as_csv(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (spoiled(weight="一點五"), "第 6 列「weight」：「一點五」不是 0 以上"),
        (spoiled(target_A="-3"), "第 6 列「target_A」：「-3」不是 0 以上"),
        (spoiled(direction="up"), "第 6 列「direction」：不是 higher_better"),
        (spoiled(indicator=""), "第 6 列「indicator」：不能空白"),
        (spoiled(goal_weight="5"), "第 6 列「goal_weight」：與第 5 列的 4.5 不同"),
        (spoiled(indicator_no="一"), "第 6 列「indicator_no」：與第 5 列是同一個指標編號"),
        (spoiled(dim_code="X"), "第 6 列「dim_code」：須以 B（業務）"),
        (spoiled(weight="101"), "第 6 列「weight」：權重 101 不在"),
        (spoiled(score_decimals="9"), "第 6 列「score_decimals」：須為 0 到 4"),
        (spoiled(evidence="很" * 501), "第 6 列「evidence」：超過 500 字"),
        (b"", "缺少欄位：dim_code"),
        ("面向".encode("big5"), "缺少欄位：dim_code"),
        (b"\xff\xfe\x00", "也不是 UTF-8 或 Big5 的 CSV"),
        (b"PK\x03\x04broken", "XLSX 檔案無法讀取"),
    ],
)
def test_every_bad_row_is_named(content: bytes, said: str) -> None:
    with pytest.raises(BadSheet) as refused:
        score_import.take_in(SYSTEM, Source(114, "AD-RES"), content, None, NOW)
    assert any(said in mistake.words.zh for mistake in refused.value.problems), refused.value


def test_all_bad_rows_are_named_at_once() -> None:
    lines = rows()
    lines[0]["weight"], lines[33]["target_A"] = "x", "y"
    with pytest.raises(BadSheet) as refused:
        score_import.take_in(SYSTEM, Source(114, "AD-RES"), as_csv(lines), None, NOW)
    assert [mistake.row for mistake in refused.value.problems] == [2, 35]


def test_a_spreadsheet_with_full_width_digits_comes_in_and_merged_cells_are_named() -> None:
    lines = rows()
    lines[19]["target_A"], lines[19]["target_A_raw"] = "２００", "２００人次"
    book = Workbook()
    sheet = book.active
    for line in [list(lines[0]), *(list(row.values()) for row in lines)]:
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    made, _new = score_import.take_in(SYSTEM, Source(114, "AD-RES"), out.getvalue(), None, NOW)
    assert table(made).lines[19].indicator.target == 200
    assert table(made).total == Decimal("96.25")
    sheet.merge_cells("C2:C4")
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(BadSheet, match="row 2, C2:C4"):
        score_import.take_in(SYSTEM, Source(113, "AD-RES"), out.getvalue(), None, NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("note,99,,1,,x,,", "第 2 列「key」：表裡沒有第 99 個指標"),
        ("note,1,,5000,,x,,", "第 2 列「value」：「5000」不是"),
        ("heading,Z9,,1,,,,", "第 2 列「key」：沒有「Z9」這個面向或分組"),
        ("budget,x,100.5,1,,,,s", "第 2 列「of_year」：請填民國年度"),
        ("budget,x,100,,,,,s", "第 2 列「value」：沒有數字"),
        ("staff,x,100,3,,,,", "第 2 列「source」：不能空白"),
        ("total,,,1000000,,,,", "第 2 列「value」：「1000000」不是"),
        ("salary,,,1,,,,", "第 2 列「kind」：不認得「salary」"),
    ],
)
def test_a_bad_row_of_an_annex_is_named(line: str, said: str) -> None:
    head = ANNEX.read_text(encoding="utf-8").splitlines()[0]
    with pytest.raises(BadSheet) as refused:
        source = Source(114, "AD-RES")
        score_import.take_in(SYSTEM, source, DATA.read_bytes(), f"{head}\n{line}\n".encode(), NOW)
    assert refused.value.problems[0].words.zh.startswith(said)


def test_of_two_who_begin_the_same_year_one_is_told(
    published: ScoreYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_editions.start(officer(CONTROL), published, 114, NOW)
    monkeypatch.setattr(score_editions, "refuse_second", lambda *_arguments: None)
    with pytest.raises(Conflict, match="剛剛有人建立了同一張績效表"):
        score_editions.start(officer(CONTROL), published, 114, NOW)


def test_a_published_table_has_to_add_up() -> None:
    lines = rows()
    for line in lines[:3]:
        line["goal_weight"] = "4"
    with pytest.raises(BadSheet) as refused:
        score_import.take_in(SYSTEM, replace(PUBLISHED, year=99), as_csv(lines), None, NOW)
    said = [mistake.words.zh for mistake in refused.value.problems]
    assert any(
        "目標「一、提升行政效能，強化公共服務品質。」的權重是 4，下層合計卻是 4.5" in line for line in said
    )


# --- from the unit to publication ----------------------------------------------------------------------------


def reported(year: ScoreYear, place: int, value: str, who: str = UNIT) -> ScoreIndicator:
    row = scores.indicators(year)[place]
    said = Report(value, Decimal(value), "依清冊。", "已達成。")
    scores.report(officer(who), year, row, said, NOW, version=row.version)
    return row


def move(year: ScoreYear, who: str = CONTROL, comment: str = "") -> None:
    scores.advance(officer(who), year, comment, NOW, version=year.version)


def decide(year: ScoreYear, places: list[int], verdict: str, value: str | None = None, why: str = "") -> None:
    chosen = [scores.indicators(year)[place].public_id for place in places]
    points = Decimal(value) if value else None
    scores.decide(officer(CONTROL), year, chosen, verdict, points, why, NOW, version=year.version)


def test_a_year_goes_from_the_unit_to_publication(entered: ScoreYear) -> None:
    reported(entered, 25, "400")
    assert table(entered).lines[25].result == Score(Decimal(88), Decimal("4.4"))
    move(entered, HEAD)
    with pytest.raises(Conflict, match="不能做這個動作"):
        reported(entered, 25, "450")
    move(entered)
    with pytest.raises(Refused, match="還有 34 個指標沒有評核"):
        move(entered)
    decide(entered, list(range(34)), "confirmed")
    move(entered)
    decide(entered, list(range(34)), "confirmed")
    decide(entered, [25], "adjusted", "375", "其中 25 人次為重複參加。")
    decide(entered, [0], "scored", "1.2", "問卷回收率不足。")
    decide(entered, [30], "not_assessable", why="英檢停辦。")
    found = table(entered)
    assert found.lines[25].result == Score(Decimal(83), Decimal("4.2"))
    assert found.lines[0].result is not None and found.lines[0].result.score == Decimal("1.2")
    assert found.lines[30].result is None and found.lines[30].light == "white"
    # the others of its goal share its 5: 7 becomes 10.5, 3 becomes 4.5
    assert [plain(found.lines[n].result.score) for n in (29, 31)] == ["10.5", "4.5"]
    assert found.rescaled and plain(found.dimensions[1].score) == "15"
    move(entered)
    move(entered, comment="縣務會議通過。")
    assert entered.state == "published"
    frozen = table(entered)
    assert [line.result for line in frozen.lines] == [line.result for line in found.lines]
    assert [step.state for step in scores.steps(entered)][1:] == [
        "paper_review", "meeting", "on_site", "published",
    ]  # fmt: skip
    assert scores.steps(entered)[-1].comment == "縣務會議通過。"
    acted = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == entered.public_id)).all()
    assert {"scores_self_assessed", "scores_assessed", "scores_published", "score_reported"} <= set(acted)


def test_a_published_year_keeps_its_scores_when_the_rules_change(
    published: ScoreYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided(*_arguments: object) -> None:
        raise AssertionError("nothing is decided again")

    monkeypatch.setattr(evaluation, "decide", decided)
    assert table(published).total == Decimal("96.25")


def test_what_is_sent_back_is_assessed_anew(entered: ScoreYear) -> None:
    move(entered, HEAD)
    move(entered)
    decide(entered, [25], "adjusted", "100", "資料不符。")
    with pytest.raises(Misfit, match="請說明原因"):
        scores.send_back(officer(CONTROL), entered, " ", NOW, version=entered.version)
    scores.send_back(officer(CONTROL), entered, "請補佐證。", NOW, version=entered.version)
    assert (entered.state, entered.round) == ("drafting", 2)
    assert table(entered).lines[25].achieved == 375
    assert scores.steps(entered)[-1].comment == "請補佐證。"


def test_who_may_do_what(entered: ScoreYear) -> None:
    for other in ("lin.yahan", CONTROL):
        with pytest.raises(Forbidden):
            reported(entered, 0, "1", other)
    for other in ("lin.yahan", CONTROL, UNIT):
        with pytest.raises(Forbidden):
            move(entered, other)
    move(entered, HEAD)
    with pytest.raises(Forbidden):
        move(entered, HEAD)
    move(entered)
    with pytest.raises(Forbidden):
        scores.decide(officer(HEAD), entered, ["x"], "confirmed", None, "", NOW, version=entered.version)


def test_a_stale_page_names_who_acted(entered: ScoreYear) -> None:
    row = reported(entered, 0, "1")
    old = row.version
    reported(entered, 0, "2", HEAD)
    with pytest.raises(Conflict, match=account(HEAD).name):
        scores.report(officer(UNIT), entered, row, Report("3", Decimal(3), ""), NOW, version=old)
    assert row.achieved == 2
    seen = entered.version
    move(entered, HEAD)
    with pytest.raises(Conflict, match=account(HEAD).name):
        scores.advance(officer(CONTROL), entered, "", NOW, version=seen)


def test_weights_and_missing_values_hold_the_hand_in_back(entered: ScoreYear) -> None:
    control = officer(CONTROL)
    goal = db.session.scalars(
        select(ScoreHeading)
        .where(ScoreHeading.year_id == entered.id, ScoreHeading.level == "goal")
        .order_by(ScoreHeading.id)
    ).first()
    scores.reweigh(control, entered, {f"h-{goal.id}": Decimal(4)}, NOW, version=entered.version)
    with pytest.raises(Refused, match=r"目標「一、提升行政效能.*的權重是 4，下層合計卻是 4.5"):
        move(entered, HEAD)
    scores.reweigh(control, entered, {f"h-{goal.id}": Decimal("4.5")}, NOW, version=entered.version)
    row = scores.indicators(entered)[2]
    scores.report(officer(UNIT), entered, row, Report("", None, ""), NOW, version=row.version)
    with pytest.raises(Refused, match="還有 1 個指標沒有達成值：「辦理機關電話禮貌測試」"):
        move(entered, HEAD)


@pytest.mark.parametrize(
    ("verdict", "value", "why", "said"),
    [
        ("scored", "1.6", "x", "得分不能超過權重 1.5"),
        ("adjusted", None, "x", "請填 0 以上的數字"),
        ("not_assessable", None, "", "請說明原因"),
        ("perfect", None, "x", "請選擇評核結果"),
    ],
)
def test_a_word_that_cannot_be_is_refused(
    entered: ScoreYear, verdict: str, value: str | None, why: str, said: str
) -> None:
    move(entered, HEAD)
    move(entered)
    with pytest.raises(Misfit, match=said):
        decide(entered, [0], verdict, value, why)
    with pytest.raises(Misfit, match="一次只能選一個指標"):
        decide(entered, [0, 1], "adjusted", "1", "x")
    with pytest.raises(Misfit, match="請至少選一個指標"):
        decide(entered, [], "confirmed")


def test_a_correction_is_a_new_edition(published: ScoreYear) -> None:
    control = officer(CONTROL)
    made = score_editions.correct(control, published, "十一 C 應為 100%。", NOW, version=published.version)
    assert (made.edition, made.replaces_id, made.state, made.origin) == (
        2,
        published.id,
        "drafting",
        "entered",
    )
    after = table(made)
    assert after.total == Decimal("96.25")
    assert [note.number for note in after.lines[32].notes] == [1]
    assert len(scores.figures(made)) == len(scores.figures(published))
    with pytest.raises(Conflict, match="更新的版次"):
        score_editions.correct(control, published, "再一次", NOW, version=published.version)
    with pytest.raises(Refused, match="還沒有公布"):
        score_editions.correct(control, made, "x", NOW, version=made.version)
    assert table(published).total == Decimal("96.25") and published.edition == 1


def test_a_new_year_begins_with_the_old_indicators(published: ScoreYear) -> None:
    made = score_editions.start(officer(CONTROL), published, 114, NOW)
    found = table(made)
    assert len(found.lines) == 34 and all(line.is_open for line in found.lines)
    assert found.total == 0 and found.notes == ()
    assert made.unit_name == "行政處研考科"
    with pytest.raises(Conflict, match="正在辦理"):
        score_editions.start(officer(CONTROL), published, 114, NOW)


def test_an_indicator_has_its_own_cap_and_decimals(entered: ScoreYear) -> None:
    row = scores.indicators(entered)[19]
    asked = scores.Definition(
        row.title, row.weight, "200人次", Decimal(200), "人次", "higher", Decimal(120), 2, None
    )
    scores.define(officer(CONTROL), entered, row, asked, NOW, version=row.version)
    line = table(entered).lines[19]
    assert line.result == Score(Decimal(120), Decimal("6.00"))
    with pytest.raises(Forbidden):
        scores.define(officer(UNIT), entered, row, asked, NOW, version=row.version)
    with pytest.raises(Misfit):
        scores.define(officer(CONTROL), entered, row, replace(asked, figure="none"), NOW, version=row.version)


def test_a_figure_of_the_system_is_counted_not_typed(entered: ScoreYear) -> None:
    row = scores.indicators(entered)[19]
    asked = scores.Definition(
        row.title, row.weight, "95%", Decimal(95), "%", "higher", None, None, "cases_on_time"
    )
    scores.define(officer(CONTROL), entered, row, asked, NOW, version=row.version)
    reported(entered, 19, "99")
    assert (row.achieved, row.evidence) == (None, "系統統計：依限辦結 0 件／應辦結 0 件")
    assert table(entered).lines[19].is_open
