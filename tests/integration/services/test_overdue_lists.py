"""每月逾期未辦畢清單: on the first working day of a month, once, whoever was away; it stays as it was made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.journeys import NOW, account, officer, open_tasks, submitted, take
from tests.officers import absent
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Message, OverdueLine, OverdueList
from webapp.queries import overdue_lists
from webapp.services import overdue_lists as service
from webapp.uow import unit_of_work

#: 1 November 2025 is a Saturday. EC09 filed on NOW is due on 20 October
FIRST_WORKING_DAY = date(2025, 11, 3)


def at(day: date, hour: int = 1) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def made() -> list[tuple[date, datetime]]:
    rows = db.session.execute(select(OverdueList.month, OverdueList.made_at).order_by(OverdueList.month))
    return [tuple(row) for row in rows]


def told(login: str) -> list[Message]:
    mine = Message.account_id == account(login).id
    key = Message.idempotency_key.like("overdue-list:%")
    return list(db.session.scalars(select(Message).where(mine, key).order_by(Message.id)))


def seen(login: str, key: str = "2025-11") -> list[str]:
    reader = officer(login, at(FIRST_WORKING_DAY))
    month = overdue_lists.month(reader, key)
    assert month is not None
    lines = overdue_lists.lines(reader, month)
    assert len(lines) == month.count
    return [line.case.number for line in lines]


def test_on_the_first_working_day_and_once(app: Flask, committed: None) -> None:
    with app.app_context():
        number = submitted("EC09").number
        run_deadlines(at(date(2025, 10, 31)))
        assert [month for month, _ in made()] == [date(2025, 10, 1)]
        for day in (1, 2):
            run_deadlines(at(date(2025, 11, day)))
        assert len(made()) == 1, "nobody works on a weekend"
        for hour in (1, 2, 9):
            run_deadlines(at(FIRST_WORKING_DAY, hour))
        run_deadlines(at(date(2025, 11, 4)))
        assert made()[1:] == [(date(2025, 11, 1), at(FIRST_WORKING_DAY))]
        for login in ("chen.shufen", "li.zhengnan", "guo.shiming"):
            assert seen(login) == [number]
            _october, november = told(login)
            assert november.subject == "114年11月逾期未辦畢清單：1 件"
            assert "/staff/expediting/months/2025-11" in november.body
        assert seen("zhang.jianguo") == [] and told("zhang.jianguo")[-1].subject.endswith("：0 件")
        assert told("lin.yahan") == [], "officers are pressed by the ladder"


def test_a_worker_that_was_down_makes_it_late_and_once(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        for day in (6, 7, 10):
            run_deadlines(at(date(2025, 11, day)))
        assert made() == [(date(2025, 11, 1), at(date(2025, 11, 6)))]
        assert len(told("chen.shufen")) == 1


def test_of_several_workers_one_makes_it(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
    begin, done = Barrier(4), []

    def work() -> None:
        with app.app_context():
            begin.wait()
            with unit_of_work():
                done.append(service.make(at(FIRST_WORKING_DAY)))

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == [False, False, False, True]
    with app.app_context():
        assert len(db.session.scalars(select(OverdueLine)).all()) == 1
        assert len(told("chen.shufen")) == 1


def test_what_happens_later_does_not_change_it(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = open_tasks(case)[0].assignee_id
        run_deadlines(at(FIRST_WORKING_DAY))
        take(db.session.get_one(Case, case.id), "return_application", comment="非本縣飼主。")
        reader = officer("chen.shufen")
        (line,) = overdue_lists.lines(reader, overdue_lists.month(reader, "2025-11"))
        # 27 September to 3 November: 20 October was the last day, 24 October is a day off
        assert (line.case.number, line.days_left) == (case.number, -9)
        name = next(n for n in ("lin.yahan", "xu.mingde") if account(n).id == holder)
        assert [h.name for h in line.holders] == [account(name).name] == [line.longest.name]
        run_deadlines(at(date(2025, 12, 1)))
        assert seen("chen.shufen", "2025-12") == []
        for sql in ("delete from overdue_line", "update overdue_list set made_at = now()"):
            with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
                db.session.execute(text(sql))
        with pytest.raises(DBAPIError, match="month_is_its_first_day"), unit_of_work():
            db.session.add(OverdueList(month=date(2026, 1, 2), made_at=NOW))


def test_a_deputy_is_told_for_whom(app: Flask, committed: None) -> None:
    with app.app_context():
        absent("chen.shufen", "hong.peishan", FIRST_WORKING_DAY, FIRST_WORKING_DAY + timedelta(days=1))
        number = submitted("EC09").number
        run_deadlines(at(FIRST_WORKING_DAY))
        (message,) = told("hong.peishan")
        assert "（代理陳淑芬）" in message.body and message.subject.endswith("：1 件")
        assert seen("hong.peishan") == [number]
        assert "代理" not in told("chen.shufen")[0].body


def test_one_that_fails_holds_up_nothing_and_is_made_the_next_time(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        submitted("EC09")
        with monkeypatch.context() as patch:
            patch.setattr(service, "_readers", lambda now: 1 / 0)
            counts = run_deadlines(at(FIRST_WORKING_DAY))
        assert counts["failed"] == 1 and counts["digests"] > 0 and made() == []
        run_deadlines(at(FIRST_WORKING_DAY, 2))
        assert len(made()) == 1 and len(told("chen.shufen")) == 1
