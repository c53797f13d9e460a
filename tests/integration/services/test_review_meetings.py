"""Meetings are entered and counted; what they resolve is followed up as cases until the control office releases it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select

from tests.journeys import officer, open_tasks, take
from webapp.errors import Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import AuditEntry, Case, Clock, Escalation, Register, Resolution, ReviewMeeting, Unit
from webapp.moments import taipei_day
from webapp.periods import parse
from webapp.queries import meetings as queries
from webapp.queries.generations import bump
from webapp.services import meetings, plan_imports, resolutions, review_withdrawals
from webapp.services.meetings import Entered
from webapp.sheets import BadSheet
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL = "ou.yijun", "cai.wenxiong", "guo.shiming"
NOW = datetime(2020, 10, 12, 2, tzinfo=UTC)
TODAY = taipei_day(NOW)
BRIEFING = Entered("briefing", "施政計畫簡報", date(2020, 9, 14))


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def entered(said: Entered = BRIEFING, register: Register | None = None) -> ReviewMeeting:
    with unit_of_work():
        return meetings.enter(officer(CONTROL, NOW), register, said, [], NOW)


def resolved(meeting: ReviewMeeting, lines: str) -> list[Resolution]:
    with unit_of_work():
        asked = resolutions.read_lines(lines, meeting)
        return resolutions.resolve(officer(CONTROL, NOW), meeting, asked, NOW, version=meeting.version)


def act(resolution: Resolution, name: str, who: str, **given: object) -> Case:
    case = db.session.get_one(Case, resolution.case_id)
    take(case, name, who, NOW, **given)
    db.session.expire_all()
    return case


def test_nine_meetings_and_five_checks_of_a_register() -> None:
    of = plan_imports.register_for("major_policy-109")
    days = [date(2019, month, 5) for month in (1, 3, 5, 7, 9, 11)] + [
        date(2020, month, 5) for month in (2, 5, 8)
    ]
    for held_on in days:
        entered(Entered("policy", "重大政策暨計畫列管會議", held_on, chair="縣長"), of)
    for held_on in (
        date(2019, 4, 9),
        date(2019, 10, 9),
        date(2020, 3, 9),
        date(2020, 7, 9),
        date(2020, 9, 9),
    ):
        entered(Entered("visit", "實地查證", held_on, place="工地"), of)
    counted = {row.kind: (row.period, row.year, row.ever) for row in queries.counted(of.id, parse("109Q3"))}
    assert counted == {"policy": (1, 3, 9), "visit": (2, 3, 5)}
    assert queries.counted(of.id, parse("108Q1"))[0].ever == 2
    held = {row.kind: row.ever for row in queries.counted(of.id, parse("109Q3"), date(2020, 8, 4))}
    assert held == {"policy": 8, "visit": 4}, "what is planned was not held"


def test_a_meeting_is_entered_once() -> None:
    entered()
    with unit_of_work(), pytest.raises(Conflict, match="郭士銘"):
        meetings.enter(officer(CONTROL, NOW), None, BRIEFING, [], NOW)
    with pytest.raises(Forbidden):
        meetings.enter(officer(OFFICER, NOW), None, BRIEFING, [], NOW)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Entered("party", "聚餐", TODAY), "kind"),
        (Entered("briefing", "", TODAY), "title"),
        (Entered("briefing", "長" * 121, TODAY), "title"),
        (Entered("briefing", "簡報", date(1900, 1, 1)), "held_on"),
        (Entered("briefing", "簡報", date(2030, 1, 1)), "held_on"),
    ],
)
def test_what_is_no_meeting(said: Entered, field: str) -> None:
    with pytest.raises(Misfit) as refused:
        entered(said)
    assert refused.value.field == field


def test_a_stale_page_changes_nothing() -> None:
    meeting, person = entered(), officer(CONTROL, NOW)
    with unit_of_work():
        meetings.change(person, meeting, BRIEFING, ["追蹤上次決議"], NOW, version=1)
    with unit_of_work(), pytest.raises(Conflict, match="郭士銘剛剛更新"):
        meetings.change(person, meeting, BRIEFING, [], NOW, version=1)
    with unit_of_work(), pytest.raises(Conflict, match="郭士銘剛剛更新"):
        asked = resolutions.read_lines("辦理 | EC-AFF", meeting)
        resolutions.resolve(person, meeting, asked, NOW, version=1)


def test_what_a_change_overwrites_is_on_record() -> None:
    meeting, person = entered(replace(BRIEFING, minutes="原紀錄")), officer(CONTROL, NOW)
    with unit_of_work():
        said = replace(BRIEFING, kind="project", minutes="新紀錄")
        meetings.change(person, meeting, said, [], NOW, version=1)
    note = db.session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "meeting_changed")).one()
    assert "會議種類由「briefing」改為「project」；會議紀錄由「原紀錄」改為「新紀錄」" in note


def test_a_meeting_that_resolved_something_was_held_before_that_is_due() -> None:
    meeting, person = entered(), officer(CONTROL, NOW)
    resolved(meeting, "加速辦理 | EC-AFF | 109/9/30")
    for moved in (date(2020, 9, 30), date(2020, 10, 13)):
        with unit_of_work(), pytest.raises(Misfit) as refused:
            meetings.change(person, meeting, replace(BRIEFING, held_on=moved), [], NOW, version=2)
        assert refused.value.field == "held_on"
    with unit_of_work():
        meetings.change(person, meeting, replace(BRIEFING, held_on=date(2020, 9, 15)), [], NOW, version=2)


def test_next_year_begins_in_taipei() -> None:
    new_year = datetime(2020, 12, 31, 17, tzinfo=UTC)
    with unit_of_work():
        said = replace(BRIEFING, held_on=date(2022, 12, 1))
        assert meetings.enter(officer(CONTROL, new_year), None, said, [], new_year).held_on.year == 2022


def test_a_resolution_is_reported_kept_and_released() -> None:
    meeting = entered()
    (made,) = resolved(meeting, "加速造林並回報 | EC-AFF、工務處 | 109/12/30")
    case = db.session.get_one(Case, made.case_id)
    assert (made.state, case.due_on, open_tasks(case)[0].function) == (
        "executing",
        date(2020, 12, 30),
        "officer",
    )
    assert len(queries.resolutions(meeting.id)[0].units) == 2
    report = {"done": ["已發包"], "completed": ["no"]}
    act(made, "send", OFFICER, raw=report)
    act(made, "send_back", HEAD, comment="請補充金額")
    act(made, "send", OFFICER, raw=report)
    act(made, "confirm", HEAD)
    for slip in (TODAY, date(2062, 10, 31)):
        with pytest.raises(Refused):
            act(made, "go_on", CONTROL, comment="續管", on_date=slip)
    # earlier than before: page, ladder and clock know one day
    case = act(made, "go_on", CONTROL, comment="下次會議再報告", on_date=date(2020, 10, 30))
    assert (made.state, made.due_on, case.due_on) == ("continued", date(2020, 10, 30), date(2020, 10, 30))
    assert open_tasks(case)[0].due_on == date(2020, 10, 30)
    act(made, "send", OFFICER, raw={"done": ["已完工"], "completed": ["yes"]})
    act(made, "confirm", HEAD)
    case = act(made, "release", CONTROL)
    assert (made.state, made.released_on, made.done, case.outcome) == (
        "released",
        TODAY,
        "已完工",
        "recorded",
    )


def test_without_a_date_the_ruleset_gives_one() -> None:
    (made,) = resolved(entered(), "研議後回報 | EC-AFF")
    assert (made.due_given, made.due_on) == (False, date(2020, 9, 28))
    assert queries.tally(None, "briefing", TODAY).overdue == 1


def test_what_is_late_climbs_the_ladder() -> None:
    (made,) = resolved(entered(), "研議後回報 | EC-AFF")
    assert sweeps.run_deadlines(NOW)["failed"] == 0
    rungs = db.session.scalars(
        select(Escalation.rung)
        .join(Clock, Clock.id == Escalation.clock_id)
        .where(Clock.case_id == made.case_id)
        .order_by(Escalation.id)
    ).all()
    assert rungs, "two weeks late"


def test_a_meeting_to_come_has_resolved_nothing() -> None:
    meeting = entered(Entered("briefing", "下次簡報", date(2020, 11, 2)))
    with pytest.raises(Refused, match="還沒有召開"):
        resolved(meeting, "研議 | EC-AFF | 109/12/31")


def test_the_share_that_is_released() -> None:
    meeting = entered()
    made = resolved(meeting, "\n".join(f"第{n}項 | EC-AFF | 109/11/30" for n in range(3)))
    act(made[0], "send", OFFICER, raw={"done": ["完成"], "completed": ["yes"]})
    act(made[0], "confirm", HEAD)
    act(made[0], "release", CONTROL)
    tally = queries.tally_of(meeting, TODAY)
    assert (tally.all, tally.released, tally.executing, tally.overdue) == (3, 1, 2, 0)
    assert resolutions.released_share(tally, TODAY) == Decimal("33.33")
    assert resolutions.released_share(queries.Tally(), TODAY) is None


def test_a_resolution_entered_twice_is_withdrawn_and_counts_no_more() -> None:
    meeting, person = entered(), officer(CONTROL, NOW)
    made = resolved(meeting, "加速辦理 | EC-AFF | 109/11/30\n加速辦理 | EC-AFF | 109/11/30")
    for number, reason, field in (("3", "重複", "number"), ("2", "", "reason")):
        with unit_of_work(), pytest.raises(Misfit) as refused:
            review_withdrawals.of_resolution(person, meeting, number, reason, NOW)
        assert refused.value.field == field
    with unit_of_work():
        review_withdrawals.of_resolution(person, meeting, "2", "重複登錄", NOW)
    with unit_of_work(), pytest.raises(Conflict):
        review_withdrawals.of_resolution(person, meeting, "2", "重複登錄", NOW)
    tally = queries.tally_of(meeting, TODAY)
    assert (tally.all, tally.executing, tally.withdrawn, made[1].state) == (1, 1, 1, "withdrawn")
    assert db.session.get_one(Case, made[1].case_id).outcome == "withdrawn"


def test_a_unit_is_found_however_wide_its_name_is_typed() -> None:
    with unit_of_work():
        unit = db.session.scalars(select(Unit).where(Unit.code == "EC-AFF")).one()
        unit.name_zh = "農林科（甲）"
        bump("org")
    (asked,) = resolutions.read_lines("加速辦理 | 農林科（甲） | 109/11/30", entered())
    assert asked.units == (unit.id,)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "沒有決議事項"),
        ("只有內容", "第 1 列「權責單位」：請寫權責單位"),
        ("內容 | 火星處", "沒有「火星處」這個單位"),
        (" | EC-AFF", "請寫決議內容"),
        ("好 | EC-AFF\n\n內容 | EC-AFF | 109/2/30", "第 3 列「辦理期限」"),
        ("內容 | EC-AFF | 109/9/14", "期限須在會議日之後"),
        ("內容 | EC-AFF | 150/9/14", "十年以內"),
        ("a | b | c | d", "最多三欄"),
        ("\n".join(["內容 | EC-AFF"] * 501), "一次最多 500 項"),
    ],
)
def test_lines_that_cannot_be_read(lines: str, told: str) -> None:
    with pytest.raises(BadSheet) as bad:
        resolutions.read_lines(lines, entered())
    assert told in "\n".join(each.words.zh for each in bad.value.problems)


def test_from_a_spreadsheet_with_full_width_marks() -> None:
    meeting = entered()
    book = Workbook()
    for row in (
        ("決議事項", "權責單位", "辦理期限"),
        ("加速辦理", "ＥＣ－ＡＦＦ", "１０９/１１/３０"),
        ("研議", "工務處", None),
    ):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    asked = resolutions.read_file(file.getvalue(), meeting)
    assert [(each.text, each.due_on) for each in asked] == [("加速辦理", date(2020, 11, 30)), ("研議", None)]
    assert len({each.units for each in asked}) == 2


def test_seventeen_briefings_and_their_237_resolutions() -> None:
    """「召開17場次施政計畫簡報，作成237項會議決議事項」."""
    sizes = [14] * 16 + [13]
    for number, size in enumerate(sizes, start=1):
        meeting = entered(Entered("briefing", f"101年度施政計畫簡報（{number}）", date(2020, 9, number)))
        resolved(meeting, "\n".join(f"第{n}項 | EC-AFF | 109/12/31" for n in range(size)))
    assert queries.tally(None, "briefing", TODAY).all == 237
    assert queries.counted(None, parse("109Q3"))[0].ever == 17
    assert len(db.session.scalars(select(Resolution.case_id)).all()) == 237
