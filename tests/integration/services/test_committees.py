"""A committee from the agenda to approved minutes: who may decide, what the count allows, where the cases go."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from rules.values import Text
from tests import fixture_services
from tests.journeys import NOW, account, citizen, officer, open_tasks, submitted, take
from tests.visitor import pdf_text
from webapp import crypto
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import (
    AgendaItem,
    Ballot,
    Case,
    CaseEvent,
    Committee,
    CommitteeSession,
    ConflictOfInterest,
    Effect,
)
from webapp.moments import taipei_day
from webapp.queries import committees as queries
from webapp.queries.org import chart
from webapp.services import ballots, cases, committees, deliberation, events, sittings
from webapp.uow import unit_of_work

#: code: unit, secretary, officer, section head, department head
HANDS = {
    "EC91": ("EC", "xie.wanru", "lin.yahan", "chen.shufen", "li.zhengnan"),
    "PW91": ("PW", "lai.junhao", "yang.zhihao", "zhang.jianguo", "wu.qingyun"),
}
MEMBERS = ("weng.guoliang", "ou.yijun", "dong.weilun", "lv.xinyi")
MEETING = NOW + timedelta(days=7)
AFTER = MEETING + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _services(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        fixture_services.publish("committee", monkeypatch)


def committee(code: str = "EC91", **options: object) -> Committee:
    unit, secretary, *_rest = HANDS[code]
    with unit_of_work():
        made = committees.create(
            officer(secretary),
            chart().by_code[unit].id,
            Text(zh="補助審議會", en="Board"),
            [code],
            NOW,
            **options,  # type: ignore[arg-type]
        )
        for login in MEMBERS:
            committees.appoint(officer(secretary), made, account(login).id, date(2025, 1, 1), NOW)
    return made


def member(board: Committee, login: str) -> int:
    seat = queries.seat(officer(login), board, taipei_day(MEETING))
    assert seat is not None
    return seat.id


def put_forward(code: str = "EC91", count: int = 1, **changes: object) -> list[Case]:
    made = []
    for _ in range(count):
        case = submitted(code, **changes)
        with unit_of_work():
            open_tasks(case)[0].assignee_id = account(HANDS[code][2]).id
        take(case, "put_forward", HANDS[code][2])
        made.append(case)
    return made


def meet(board: Committee, code: str = "EC91", budget: Decimal | None = None) -> CommitteeSession:
    items = [item.public_id for item, _case in queries.waiting(board)]
    with unit_of_work():
        return sittings.plan(officer(HANDS[code][1]), board, MEETING, "第一會議室", items, NOW, budget=budget)


def item_of(case: Case) -> str:
    return db.session.scalars(
        select(AgendaItem.public_id).where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None))
    ).one()


def cast(case: Case, *choices: str) -> None:
    """The members in turn; an empty one stays away."""
    for login, choice in zip(MEMBERS, choices, strict=False):
        if choice:
            with unit_of_work():
                ballots.cast(officer(login), item_of(case), choice, MEETING)


def record(session: CommitteeSession, results: dict[str, tuple[str, str]], code: str = "EC91") -> None:
    with unit_of_work():
        committees.record(officer(HANDS[code][1]), session, results, AFTER, version=session.version)


def approve(session: CommitteeSession, login: str) -> None:
    with unit_of_work():
        committees.approve(officer(login), session, AFTER, version=session.version)


@pytest.mark.parametrize("code", ["EC91", "PW91"])
def test_from_the_agenda_to_the_decision(app: Flask, code: str) -> None:
    _unit, _secretary, handler, head, department_head = HANDS[code]
    with app.app_context():
        board = committee(code)
        passed, changed, deferred, refused = put_forward(code, 4)
        session = meet(board, code)
        for case in (passed, changed):
            cast(case, "yes", "yes", "no")
        cast(deferred, "yes", "no")
        cast(refused, "no", "no", "abstain")
        results = {
            item_of(passed): ("pass", ""),
            item_of(changed): ("pass_with_changes", "金額減半"),
            item_of(deferred): ("defer", "請補充資料"),
            item_of(refused): ("reject", "不符計畫目的"),
        }
        with pytest.raises(Refused, match="還沒有開始"), unit_of_work():
            committees.record(officer(HANDS[code][1]), session, results, NOW, version=session.version)
        record(session, results, code)
        with pytest.raises(Forbidden, match="主管"):
            approve(session, handler)
        approve(session, department_head)
        db.session.expire_all()
        states = [db.session.get_one(Case, case.id).state for case in (passed, changed, deferred, refused)]
        assert states == ["check", "check", "committee", "check"]
        assert [item.case_id for item, _case in queries.waiting(board)] == [deferred.id], "waits for the next"
        last = [
            db.session.scalars(
                select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq.desc())
            ).first()
            for case in (passed, changed, deferred, refused)
        ]
        assert last == [f"committee_{r}" for r in ("pass", "pass_with_changes", "defer", "reject")]
        take(passed, "propose_approval", handler, AFTER)
        take(passed, "approve", head, AFTER)
        take(refused, "propose_rejection", handler, AFTER, comment="委員會不通過：不符計畫目的")
        take(refused, "confirm_rejection", head, AFTER)
        outcomes = [db.session.get_one(Case, case.id).outcome for case in (passed, refused)]
        assert outcomes == ["granted", "rejected"]
        assert events.broken_links(passed.id) == []
        order = db.session.scalars(select(Effect.id).where(Effect.kind == "minutes")).one()
        perform_effect(order)
        db.session.expire_all()
        kept = db.session.get_one(CommitteeSession, session.id)
        printed = pdf_text(crypto.unseal(kept.pdf or b""))
        for words in ("補助審議會", "第一會議室", str(changed.number), "修正後通過", "金額減半", "同意 2"):
            assert words in printed, words


def test_who_has_a_conflict_of_interest_neither_sees_nor_votes_nor_counts(app: Flask) -> None:
    with app.app_context():
        board = committee()
        (case,) = put_forward()
        session = meet(board)
        key, mine = item_of(case), member(board, MEMBERS[0])
        cast(case, "yes", "yes")
        with pytest.raises(Refused, match="人數不足"):
            record(session, {key: ("pass", "")})
        with pytest.raises(NotFound), unit_of_work():
            ballots.declare_conflict(officer(MEMBERS[1]), key, mine, "別人不能代為聲明", MEETING)
        with unit_of_work():
            ballots.declare_conflict(officer(MEMBERS[0]), key, mine, "申請人是我的表弟", MEETING)
        with pytest.raises(Forbidden, match="迴避"):
            ballots.item_of(officer(MEMBERS[0]), key)
        with pytest.raises(Forbidden, match="迴避"), unit_of_work():
            ballots.cast(officer(MEMBERS[0]), key, "no", MEETING)
        (decided,) = deliberation.deciding(session)
        assert (decided.count.eligible, decided.count.voters) == (3, 1), "the ballot cast before is gone"
        cast(case, "", "yes", "yes")
        record(session, {key: ("pass", "")})
        with pytest.raises(Refused, match="不能再表決"):
            cast(case, "", "no")
        with pytest.raises(IntegrityError, match="ck_ballot_no_conflict"), unit_of_work():
            item = db.session.scalars(select(AgendaItem).where(AgendaItem.public_id == key)).one()
            db.session.add(
                Ballot(
                    item_id=item.id,
                    member_id=mine,
                    entered_by_id=account(MEMBERS[0]).id,
                    choice="no",
                    cast_at=MEETING,
                )
            )
            db.session.flush()


def test_the_database_takes_no_conflict_beside_a_ballot(app: Flask) -> None:
    with app.app_context():
        board = committee()
        (case,) = put_forward()
        meet(board)
        cast(case, "yes")
        item = db.session.scalars(select(AgendaItem)).one()
        who, seat = account(MEMBERS[0]).id, member(board, MEMBERS[0])
        with pytest.raises(IntegrityError, match="ck_ballot_no_conflict"), unit_of_work():
            db.session.add(
                ConflictOfInterest(
                    item_id=item.id, member_id=seat, reason="x", declared_by_id=who, declared_at=NOW
                )
            )
            db.session.flush()


@pytest.mark.parametrize(
    ("choices", "result", "remark", "refusal"),
    [
        (("yes", "no", "abstain"), "pass", "", "同數"),
        (("yes", "no", "no"), "pass", "", "未通過"),
        (("yes", "yes", "yes"), "reject", "不好", "通過"),
        (("yes", "yes"), "pass", "", "人數不足"),
        (("yes", "yes", "yes"), "pass_with_changes", " ", "修正內容"),
        (("yes", "yes", "yes"), "", "", "請選擇"),
    ],
)
def test_a_result_that_the_count_does_not_allow(
    app: Flask, choices: tuple[str, ...], result: str, remark: str, refusal: str
) -> None:
    with app.app_context():
        board = committee()
        (case,) = put_forward()
        session = meet(board)
        cast(case, *choices)
        with pytest.raises(Refused, match=refusal):
            record(session, {item_of(case): (result, remark)})
        record(session, {item_of(case): ("defer", "再議")})


def test_scores_rank_and_the_budget_cuts(app: Flask) -> None:
    with app.app_context():
        board = committee(pass_score=Decimal(70), amount_field="amount")
        first, second, third = (put_forward(amount=[str(n)])[0] for n in (2000, 1500, 1000))
        session = meet(board, budget=Decimal(3000))
        cast(first, "90", "92.5", "88")
        cast(second, "80", "80", "80.01")
        cast(third, "70", "70", "69.99")
        with pytest.raises(Refused, match="0 到 100"):
            cast(third, "100.5")
        with pytest.raises(Refused, match="兩位小數"):
            cast(third, "70.001")
        verdicts = [(each.count.rank, each.count.verdict) for each in deliberation.deciding(session)]
        assert verdicts == [(1, "pass"), (2, "budget"), (3, "reject")]
        keys = [item_of(case) for case in (first, second, third)]
        with pytest.raises(Refused, match="預算不足"):
            record(session, {keys[0]: ("pass", ""), keys[1]: ("pass", ""), keys[2]: ("reject", "未達標")})
        reduced = {
            keys[0]: ("pass", ""),
            keys[1]: ("pass_with_changes", "核給 1,000 元"),
            keys[2]: ("reject", "未達標"),
        }
        record(session, reduced)
        approve(session, "li.zhengnan")
        assert db.session.get_one(Case, second.id).state == "check"


def test_a_case_is_in_one_session_at_a_time(app: Flask) -> None:
    with app.app_context():
        board = committee()
        (case,) = put_forward()
        key = item_of(case)
        meet(board)
        with pytest.raises(Conflict, match="別的會議"), unit_of_work():
            sittings.plan(officer("xie.wanru"), board, MEETING, "第二會議室", [key], NOW)
        assert len(db.session.scalars(select(CommitteeSession)).all()) == 1, "nothing was planned"
        with pytest.raises(IntegrityError, match="uq_agenda_item_open"), unit_of_work():
            db.session.add(
                AgendaItem(committee_id=board.id, case_id=case.id, visit=case.visit, created_at=NOW)
            )
            db.session.flush()


def test_who_is_withdrawn_or_taken_back_is_not_decided(app: Flask) -> None:
    with app.app_context():
        board = committee()
        stays, leaves, back = put_forward(count=3)
        session = meet(board)
        keys = [item_of(case) for case in (stays, leaves, back)]
        for case in (stays, leaves, back):
            cast(case, "yes", "yes", "yes")
        record(session, dict.fromkeys(keys, ("pass", "")))
        with unit_of_work():
            db.session.refresh(leaves)
            cases.take_as_citizen(citizen(), leaves, "withdraw", AFTER, version=leaves.version)
        take(back, "take_back", "xie.wanru", AFTER, comment="資料有誤")
        take(back, "put_forward", HANDS["EC91"][2], AFTER)
        approve(session, "li.zhengnan")
        db.session.expire_all()
        assert [db.session.get_one(Case, case.id).state for case in (stays, leaves, back)] == [
            "check",
            "withdrawn",
            "committee",
        ]
        assert [case.id for _item, case in queries.waiting(board)] == [back.id]


def test_all_or_none(app: Flask) -> None:
    """A case whose workflow has no way for its result holds up the whole session, and is named."""
    with app.app_context():
        board = committee()
        first, second = put_forward(count=2)
        session = meet(board)
        for case in (first, second):
            cast(case, "yes", "yes", "yes")
        record(session, {item_of(first): ("pass", ""), item_of(second): ("pass", "")})
        with unit_of_work():
            db.session.get_one(Case, second.id).state = "decide"
        with pytest.raises(Refused, match=str(second.number)):
            approve(session, "li.zhengnan")
        db.session.expire_all()
        assert db.session.get_one(Case, first.id).state == "committee"
        assert db.session.get_one(CommitteeSession, session.id).state == "held"


def test_minutes_are_approved_once_and_by_another(app: Flask) -> None:
    with app.app_context():
        board = committee()
        (case,) = put_forward()
        session = meet(board)
        cast(case, "yes", "yes", "yes")
        record(session, {item_of(case): ("pass", "")})
        with pytest.raises(IntegrityError, match="ck_committee_session_approved_by_another"), unit_of_work():
            db.session.execute(
                update(CommitteeSession).values(
                    state="minutes_approved", approved_at=AFTER, approved_by_id=session.secretary_id
                )
            )
        session = db.session.scalars(select(CommitteeSession)).one()
        seen = session.version
        approve(session, "li.zhengnan")
        with pytest.raises(Conflict, match="李正南"), unit_of_work():
            committees.approve(officer("li.zhengnan"), session, AFTER, version=seen)
        with pytest.raises(Refused, match="已核定"):
            record(session, {})


def test_without_a_committee_nothing_is_put_on_an_agenda(app: Flask) -> None:
    with app.app_context():
        committee("PW91")
        with pytest.raises(Refused, match="先設定委員會"):
            put_forward("EC91")


def test_a_tie_is_the_chairs_where_the_statute_says_so(app: Flask) -> None:
    with app.app_context():
        plain = committee()
        with unit_of_work():
            committees.edit(
                officer("xie.wanru"), plain, Text(zh="甲", en="A"), ["EC91"],
                committees.Rules(chair_breaks_ties=True), NOW, version=plain.version,
            )  # fmt: skip
            committees.end_term(officer("xie.wanru"), plain, member(plain, MEMBERS[3]), date(2025, 1, 2), NOW)
            committees.appoint(
                officer("xie.wanru"), plain, account(MEMBERS[3]).id, date(2025, 1, 3), NOW, chairs=True
            )
        tied, clear, away = put_forward(count=3)
        session = meet(plain)
        cast(tied, "yes", "no", "no", "yes")
        cast(clear, "yes", "yes", "yes", "no")
        cast(away, "yes", "no")
        with unit_of_work():
            chair = member(plain, MEMBERS[3])
            ballots.declare_conflict(officer(MEMBERS[3]), item_of(away), chair, "親屬", MEETING)
        keys = [item_of(case) for case in (tied, clear, away)]
        results = {keys[0]: ("pass", ""), keys[1]: ("pass", ""), keys[2]: ("defer", "再議")}

        def record_with(casting: dict[str, str], changed: dict[str, tuple[str, str]]) -> None:
            with unit_of_work():
                committees.record(
                    officer("xie.wanru"), session, results | changed, AFTER,
                    version=session.version, casting=casting,
                )  # fmt: skip

        with pytest.raises(Refused, match="同數"):
            record_with({}, {})
        with pytest.raises(Refused, match="未通過"):
            record_with({keys[0]: "no"}, {})
        with pytest.raises(Refused, match="主席裁決"):
            record_with({keys[0]: "yes", keys[1]: "yes"}, {})
        with pytest.raises(Refused, match="主席裁決"):
            record_with({keys[0]: "yes", keys[2]: "yes"}, {})
        record_with({keys[0]: "yes"}, {})
        first = (session.minutes or {})["items"][0]
        assert f"主席{account(MEMBERS[3]).name}裁決同意" in first["count"]
        with pytest.raises(Refused, match="沒有核定"), unit_of_work():
            committees.edit(
                officer("xie.wanru"), plain, Text(zh="甲", en="A"), ["EC91"], committees.Rules(), AFTER,
                version=plain.version,
            )  # fmt: skip
        with pytest.raises(Refused, match="沒有核定"), unit_of_work():
            committees.close(officer("xie.wanru"), plain, AFTER, version=plain.version)


def test_outside_experts_are_heard_by_the_secretary(app: Flask) -> None:
    with app.app_context():
        board, secretary = committee(), officer("xie.wanru")
        with unit_of_work():
            expert = committees.appoint_outside(
                secretary, board, "林教授", "金門大學", date(2025, 1, 1), NOW
            ).id
            adviser = committees.appoint_outside(
                secretary, board, "王顧問", "顧問公司", date(2025, 1, 1), NOW, votes=False
            ).id
        with pytest.raises(Conflict, match="已經是委員"), unit_of_work():
            committees.appoint_outside(secretary, board, "林教授", "金門大學", date(2025, 3, 1), NOW)
        (case,) = put_forward()
        meet(board)
        key = item_of(case)
        with unit_of_work():
            ballots.cast_for(secretary, key, expert, "yes", MEETING)
        for who, refusal in ((adviser, "沒有表決權"), (member(board, MEMBERS[0]), "自己登入")):
            with pytest.raises(Refused, match=refusal), unit_of_work():
                ballots.cast_for(secretary, key, who, "yes", MEETING)
        with pytest.raises(NotFound), unit_of_work():
            ballots.cast_for(officer(MEMBERS[0]), key, expert, "no", MEETING)
        with pytest.raises(NotFound), unit_of_work():
            ballots.declare_conflict(officer(MEMBERS[0]), key, expert, "不是秘書", MEETING)
        session = db.session.scalars(select(CommitteeSession)).one()
        (decided,) = deliberation.deciding(session)
        assert (decided.count.eligible, decided.count.yes) == (5, 1)
        with unit_of_work():
            ballots.declare_conflict(secretary, key, expert, "指導教授", MEETING)
        (decided,) = deliberation.deciding(session)
        assert (decided.count.eligible, decided.count.yes) == (4, 0)
        item = db.session.scalars(select(AgendaItem)).one()
        with pytest.raises(IntegrityError, match="ck_ballot_member_votes"), unit_of_work():
            who = account("xie.wanru").id
            db.session.add(
                Ballot(item_id=item.id, member_id=adviser, entered_by_id=who, choice="no", cast_at=MEETING)
            )
            db.session.flush()


def test_who_sat_in_a_recorded_session_changes_no_more(app: Flask) -> None:
    with app.app_context():
        board, secretary = committee(), officer("xie.wanru")
        (case,) = put_forward()
        session = meet(board)
        cast(case, "yes", "yes", "yes")
        record(session, {item_of(case): ("pass", "")})
        seat, day = member(board, MEMBERS[0]), taipei_day(MEETING)
        with pytest.raises(Refused, match="已經記錄決議"), unit_of_work():
            committees.end_term(secretary, board, seat, day - timedelta(days=1), AFTER)
        with pytest.raises(Refused, match="已經記錄決議"), unit_of_work():
            committees.appoint_outside(secretary, board, "林教授", "金門大學", day, AFTER)
        with unit_of_work():
            committees.end_term(secretary, board, seat, day, AFTER)
        assert seat not in queries.members(board, day + timedelta(days=1))
        with pytest.raises(Refused, match="不能早於"), unit_of_work():
            committees.end_term(secretary, board, seat, date(2024, 12, 31), AFTER)


def test_a_closed_committee_takes_no_case(app: Flask) -> None:
    with app.app_context():
        board, secretary = committee(), officer("xie.wanru")
        put_forward()
        with pytest.raises(Refused, match="1 件案件"), unit_of_work():
            committees.close(secretary, board, NOW, version=board.version)
        other = committee("PW91")
        with unit_of_work():
            committees.close(officer("lai.junhao"), other, NOW, version=other.version)
        with pytest.raises(Refused, match="先設定委員會"):
            put_forward("PW91")
        with pytest.raises(OperationalError, match="closed_committee_takes_no_case"), unit_of_work():
            db.session.execute(update(AgendaItem).values(closed_at=NOW))
            item = db.session.scalars(select(AgendaItem)).one()
            db.session.add(
                AgendaItem(committee_id=other.id, case_id=item.case_id, visit=item.visit, created_at=NOW)
            )
            db.session.flush()
        with unit_of_work():
            committees.reopen(officer("lai.junhao"), other, NOW, version=other.version)
        assert len(put_forward("PW91")) == 1
