"""What people hear of time limits: one digest a person, day and channel, and a message at once only by a rule."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, officer, open_tasks, submitted, take
from tests.officers import absent
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Clock, Escalation, EscalationNotice, Message, SweepRun
from webapp.permissions import SYSTEM
from webapp.services import clocks, digests, publishing
from webapp.uow import unit_of_work

#: EC09 filed on NOW is due on 2025-10-20, a Monday
DUE_DAY = datetime(2025, 10, 20, 1, tzinfo=UTC)
LATE = DUE_DAY + timedelta(days=1)


def messages(key: str = "digest:%") -> list[Message]:
    return list(
        db.session.scalars(select(Message).where(Message.idempotency_key.like(key)).order_by(Message.id))
    )


def to(login: str, channel: str = "inbox") -> list[Message]:
    mine = account(login).id
    return [m for m in messages() if m.account_id == mine and m.channel == channel]


def test_many_cases_are_one_message_by_each_channel_with_a_link_to_each(app: Flask, committed: None) -> None:
    with app.app_context():
        found = [submitted("EC09") for _ in range(5)]
        run_deadlines(LATE)
        for channel in ("inbox", "email"):
            (digest,) = to("chen.shufen", channel)
            assert "逾期稽催（5 件）" in digest.body
            for case in found:
                assert case.number in digest.body and f"/staff/cases/{case.public_id}" in digest.body
        assert {len(to(login)) for login in ("lin.yahan", "xu.mingde")} == {1}
        keys = [message.idempotency_key for message in messages()]
        assert len(keys) == len(set(keys)) == 6  # two officers and their head, by two channels


def test_what_stands_still_is_counted_and_not_listed_again(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(LATE)
        new = submitted("EC09", LATE)
        run_deadlines(at(clock_of(new).due_on + timedelta(days=1)))
        last = to("chen.shufen")[-1]
        assert "逾期稽催（1 件）" in last.body and new.number in last.body
        assert "先前已通知、目前仍逾期未辦結：1 件。" in last.body


def test_the_deputy_of_somebody_absent_hears_too_and_for_whom(app: Flask, committed: None) -> None:
    with app.app_context():
        absent("chen.shufen", "cai.wenxiong", DUE_DAY.date(), DUE_DAY.date() + timedelta(days=3))
        number = submitted("EC09").number
        run_deadlines(LATE)
        (own,), (lent,) = to("chen.shufen"), to("cai.wenxiong")
        assert number in own.body and "代理" not in own.body
        assert (
            f"{number} 犬貓絕育及寵物登記補助：已逾期 1 個工作天" in lent.body
            and "〔代理陳淑芬〕" in lent.body
        )


def test_the_deputy_of_an_absent_deputy_hears_as_the_org_chart_says(app: Flask, committed: None) -> None:
    with app.app_context():
        first, last = DUE_DAY.date(), DUE_DAY.date() + timedelta(days=3)
        absent("chen.shufen", "cai.wenxiong", first, last)
        absent("cai.wenxiong", "zhang.jianguo", first, last)
        submitted("EC09")
        run_deadlines(LATE)
        for deputy in ("cai.wenxiong", "zhang.jianguo"):
            (digest,) = to(deputy)
            assert "〔代理陳淑芬〕" in digest.body


def test_a_deputy_who_hears_in_their_own_right_hears_once_and_as_themselves(
    app: Flask, committed: None
) -> None:
    """At the third reminder the head of the department hears too, who stands in for the section head."""
    with app.app_context():
        person = account("li.zhengnan")
        person.language = "en"
        db.session.commit()
        absent("chen.shufen", "li.zhengnan", DUE_DAY.date(), DUE_DAY.date() + timedelta(days=30))
        submitted("EC09")
        run_deadlines(LATE)
        run_deadlines(LATE + timedelta(days=30))
        before, after = to("li.zhengnan")
        assert "[as deputy of 陳淑芬]" in before.body
        assert "Overdue" in after.body and "deputy" not in after.body


def test_what_is_told_at_once_names_the_absent_colleague(app: Flask, committed: None) -> None:
    with app.app_context():
        tell_at_once()
        absent("chen.shufen", "cai.wenxiong", DUE_DAY.date(), DUE_DAY.date() + timedelta(days=3))
        submitted("EC09")
        run_deadlines(LATE)
        told = {m.account_id: m.body for m in messages("escalation:%") if m.channel == "inbox"}
        assert "〔代理陳淑芬〕" in told[account("cai.wenxiong").id]
        assert "代理" not in told[account("chen.shufen").id]


def test_one_that_moves_after_the_sweep_is_looked_at_again_on_the_same_day(
    app: Flask, committed: None
) -> None:
    """Extended by a day on its last day: the warning of the new period is due at once, not tomorrow."""
    with app.app_context():
        case = submitted("EC09")
        run_deadlines(DUE_DAY)
        assert rungs() == [(1, "warn"), (1, "due")]
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            clocks.move(
                officer("chen.shufen"), case, clock_of(case), "extend", DUE_DAY, days=1, reason="展期"
            )
        run_deadlines(DUE_DAY + timedelta(hours=1))
        assert rungs() == [(1, "warn"), (1, "due"), (2, "warn")]
        # the digest of the day has gone out: the next one tells it
        run_deadlines(DUE_DAY + timedelta(hours=2))
        holder = db.session.get_one(Case, case.id)
        mine = [m for m in messages() if m.account_id == open_tasks(holder)[0].assignee_id]
        assert {m.created_at for m in mine} == {DUE_DAY}
        run_deadlines(LATE)
        assert untold() == 0


def test_what_was_settled_before_the_digest_is_not_told(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        saturday = DUE_DAY + timedelta(days=5)
        run_deadlines(saturday)
        assert messages() == [] and untold() > 0, "nobody is pressed on a day off"
        take(db.session.get_one(Case, case.id), "return_application", now=saturday, comment="非本縣飼主。")
        run_deadlines(saturday + timedelta(days=2))
        assert messages() == [] and untold() == 0


def test_a_rule_may_ask_for_a_message_at_once(app: Flask, committed: None) -> None:
    with app.app_context():
        tell_at_once()
        case = submitted("EC09")
        run_deadlines(LATE)
        single = messages("escalation:%")
        assert {m.case_id for m in single} == {case.id}
        assert {m.channel for m in single} == {"inbox", "email"}
        assert account("chen.shufen").id in {m.account_id for m in single}
        assert to("chen.shufen") == [], "what was told at once is not told again"


def test_one_digest_that_fails_holds_up_no_other(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        submitted("EC09")
        head, tell = account("chen.shufen").id, digests.tell

        def fails_for_the_head(account_id: int, now: datetime) -> bool:
            if account_id == head:
                raise ValueError("no words")
            return tell(account_id, now)

        with monkeypatch.context() as patch:
            patch.setattr(digests, "tell", fails_for_the_head)
            counts = run_deadlines(LATE)
        assert (counts["failed"], counts["digests"]) == (1, 1)
        run_deadlines(LATE + timedelta(minutes=5))
        assert len(to("chen.shufen")) == 1


def test_one_clock_that_fails_holds_up_no_other(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        bad, good = clock_of(submitted("EC09")), clock_of(submitted("EC09"))
        bad_id, good_id = bad.id, good.id
        sweep = sweeps.deadlines.sweep

        def fails(clock_ids: list[int], *args: object) -> tuple[int, int]:
            if bad_id in clock_ids:
                raise ValueError("a broken clock")
            return sweep(clock_ids, *args)

        with monkeypatch.context() as patch:
            patch.setattr(sweeps.deadlines, "sweep", fails)
            assert run_deadlines(LATE)["failed"] == 1
        assert set(db.session.scalars(select(Escalation.clock_id))) == {good_id}
        run = db.session.scalars(select(SweepRun)).one()
        assert (run.clocks, run.failed, run.finished_at is not None) == (1, 1, True)


def tell_at_once() -> None:
    """The first reminder by a message of its own, as a rule may say."""
    with unit_of_work():
        ladder = json.loads(json.dumps(publishing.READERS["ruleset"]()["case_deadlines"], default=str))
        first = next(rule for rule in ladder["rules"] if rule["key"] == "overdue_first")
        first["then"][0]["delivery"] = "at_once"
        revision = publishing.insert(SYSTEM, "ruleset", "case_deadlines", ladder, NOW, origin="editor")
        publishing.publish(SYSTEM, revision, NOW.date(), NOW)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC)


def clock_of(case: Case) -> Clock:
    return clocks.of_case(case.id)


def rungs() -> list[tuple[int, str]]:
    return [
        tuple(row)
        for row in db.session.execute(
            select(Escalation.period_number, Escalation.rung).order_by(Escalation.id)
        )
    ]


def untold() -> int:
    return len(db.session.scalars(select(EscalationNotice).where(EscalationNotice.told_on.is_(None))).all())
