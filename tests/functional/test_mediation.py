"""調解 before the committee of a township: both sides are invited, nobody votes, and what they agree to goes to court."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.journeys import AGENT, NOW, account, citizen, officer, open_tasks, submitted, take
from tests.officers import at, case_of, made, signed_in, statements
from tests.visitor import Visitor
from webapp.crypto import keyed_hash
from webapp.demo.samples import SAMPLES
from webapp.errors import Refused
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import (
    AgendaItem,
    Ballot,
    Case,
    Committee,
    CommitteeSession,
    Document,
    Effect,
    Letter,
    Message,
)
from webapp.queries import committees as queries
from webapp.services import (
    ballots,
    cases,
    certificates,
    committees,
    dispatch,
    hearings,
    printing,
    sittings,
    steps,
)
from webapp.services.hearings import Hearing
from webapp.uow import unit_of_work

#: service: committee's unit, its head
TOWNSHIPS = {"JC01": ("JC-MED", "li.wenbin"), "LY01": ("LY-MED", "hong.chengda")}
REQUEST = {
    **SAMPLES["EC09"],
    "applicant_type": ["person"],
    "filed_by": ["self"],
    "dispute": ["traffic"],
    "case_kind": ["civil"],
    "facts": ["在環島東路口，對方的車從後方撞上我的機車，我摔倒受傷。"],
    "claim": ["請對方賠償修車費和醫藥費。"],
    "opponents-0-name": ["許志遠"],
    "opponents-0-address-township": ["LY"],
    "opponents-0-address-village": ["西口村"],
    "opponents-0-address-detail": ["雙口34號"],
    "opponents-0-phone": ["0911-222-333"],
    "competence": ["both_live_here"],
}
DAY = {"day-year": "114", "day-month": "10", "day-day": "2"}
MEETING = NOW + timedelta(days=7, hours=4)


@pytest.fixture(autouse=True)
def _today(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)
    for code in TOWNSHIPS:
        monkeypatch.setitem(SAMPLES, code, REQUEST)


def secretary_of(code: str) -> str:
    return f"committee_secretary.{TOWNSHIPS[code][0].lower()}"


def legal_of(code: str) -> str:
    return f"legal_officer.{TOWNSHIPS[code][0].lower()}"


def requested(code: str, **asked: list[str]) -> tuple[str, str]:
    case = submitted(code, **asked)
    take(case, "put_on_agenda", legal_of(code))
    assert open_tasks(case)[0].function == "committee_secretary"
    return case.public_id, case.number or ""


def planned(app: Flask, code: str) -> Visitor:
    """The secretary schedules every waiting case, and stands on the page of the session."""
    secretary = signed_in(app, secretary_of(code))
    secretary.get("/staff/committees")
    secretary.follow("調解委員會")
    items = [str(box["value"]) for box in secretary.page.soup.select("input[name=cases]")]
    secretary.press("排定會議", {**DAY, "time": "14:00", "place": "調解室", "cases": items})
    assert "會議已排定" in secretary.page.text
    return secretary


def messages(pid: str) -> list[Message]:
    waiting = select(Effect.id).where(Effect.kind == "notice", Effect.state == "pending").order_by(Effect.id)
    for key in db.session.scalars(waiting.order_by(Effect.id)):
        perform_effect(key)
    rows = select(Message).join(Case, Case.id == Message.case_id).where(Case.public_id == pid)
    return list(db.session.scalars(rows.order_by(Message.id)))


def letters(pid: str, kind: str) -> list[Letter]:
    rows = select(Letter).join(Case, Case.id == Letter.case_id)
    return list(
        db.session.scalars(rows.where(Case.public_id == pid, Letter.kind == kind).order_by(Letter.id))
    )


@pytest.mark.parametrize("code", TOWNSHIPS)
def test_from_the_request_to_the_settlement(app: Flask, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    pid, number = made(app, lambda: requested(code))
    secretary = planned(app, code)
    session = secretary.page.path

    told = made(app, lambda: [(m.channel, m.subject, m.body) for m in messages(pid)])
    mine = [body for _channel, subject, body in told if "開會通知" in subject and "查詢碼" in body]
    assert len(mine) == 1 and "民國114年10月2日 14:00" in mine[0] and "調解室" in mine[0]
    (invitation,) = made(app, lambda: letters(pid, "invitation"))
    said = "".join(invitation.content["paragraphs"])
    assert "14:00" in said and "調解室" in said and "須雙方同意" in said
    assert REQUEST["facts"][0] in said and REQUEST["claim"][0] in said, "鄉鎮市調解條例 15 II"
    assert not [body for _channel, _subject, body in told if REQUEST["facts"][0] in body]
    assert invitation.channel == "post" and invitation.content["addressee"] not in ("", "不具名申請人")
    theirs = [body for channel, _subject, body in told if channel == "sms" and "查詢碼" not in body]
    assert (
        len(theirs) == 1 and "14:00" in theirs[0] and "許志遠" not in theirs[0] and "陳美玲" not in theirs[0]
    )

    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}")
    assert "調解室" in applicant.page.text and "14:00" in applicant.page.text
    assert invitation.number not in applicant.page.text, "not theirs to read"

    secretary.follow(number)
    secretary.follow("114.10.02 14:00")
    assert secretary.page.path == session

    at(app, monkeypatch, MEETING)
    secretary = signed_in(app, secretary_of(code))
    secretary.get(session)
    item = made(app, lambda: db.session.scalars(select(AgendaItem.public_id)).one())
    boxes = {
        name: [str(tag["value"]) for tag in secretary.page.soup.select(f"[name={name}-{item}]")]
        for name in ("came", "members")
    }
    assert len(boxes["came"]) == 2 and len(boxes["members"]) == 3
    settled = {
        f"came-{item}": boxes["came"][:1],
        f"members-{item}": boxes["members"],
        f"result-{item}": "pass",
        f"remark-{item}": "對造人給付新臺幣三萬元，於一個月內付清。",
    }
    secretary.press("記錄決議", settled)
    assert secretary.page.status == 422 and "要由雙方同意" in secretary.page.mistakes[0]
    secretary.press("記錄決議", {f"came-{item}": boxes["came"], f"members-{item}": boxes["members"][:1]})
    assert secretary.page.status == 422 and "委員 3 人以上" in secretary.page.mistakes[0]
    secretary.press("記錄決議", {f"alone-{item}": ["yes"]})
    assert "調解成立" in secretary.page.text and "兩造同意由委員一人調解" in secretary.page.text
    assert "許志遠到場" in secretary.page.text

    head = signed_in(app, TOWNSHIPS[code][1])
    head.get(session)
    head.press("核定紀錄")
    assert "紀錄已核定" in head.page.text
    made(
        app,
        lambda: perform_effect(db.session.scalars(select(Effect.id).where(Effect.kind == "minutes")).one()),
    )
    head.get(session)
    head.follow("會議紀錄（PDF）")
    assert "調解成立" in head.page.pdf_text and "給付新臺幣三萬元" in head.page.pdf_text
    made(app, lambda: _to_court_and_back(pid, code))
    (grant,) = made(app, lambda: letters(pid, "grant"))
    assert grant.content["title"] == "調解書送達通知"
    words = "".join(grant.content["paragraphs"])
    assert "對造人給付新臺幣三萬元" in words and "民國114年10月2日" in words


def _to_court_and_back(pid: str, code: str) -> None:
    case, legal, head = case_of(pid), legal_of(code), TOWNSHIPS[code][1]
    assert case.state == "document"
    take(case, "send_to_court", legal, MEETING, comment="函送核定。")
    take(case, "court_approved", legal, MEETING, comment="法院核定。")
    take(case, "propose_approval", legal, MEETING)
    take(case, "forward", f"section_head.{code[:2].lower()}", MEETING)
    take(case, "approve", head, MEETING)
    take(case, "served", legal, MEETING, comment="雙方簽收。")
    assert case.outcome == "granted"


def board_of(code: str) -> Committee:
    return db.session.scalars(select(Committee).where(Committee.service_codes.contains([code]))).one()


def sat(
    code: str, result: str, remark: str = "", asked: dict[str, list[str]] | None = None, **heard: object
) -> tuple[Case, CommitteeSession]:
    """A session for one new case, recorded with everybody there and all members."""
    pid, _number = requested(code, **(asked or {}))
    board, secretary = board_of(code), secretary_of(code)
    item = db.session.scalars(select(AgendaItem).where(AgendaItem.closed_at.is_(None))).one()
    with unit_of_work():
        session = sittings.plan(officer(secretary), board, MEETING, "調解室", [item.public_id], NOW)
    everybody = frozenset({"applicant", "opponents-1"})
    members = frozenset(queries.members(board, MEETING.date()))
    said = Hearing(**{"came": everybody, "members": members, **heard})  # type: ignore[arg-type]
    with unit_of_work():
        committees.record(
            officer(secretary),
            session,
            {item.public_id: (result, remark)},
            MEETING,
            version=session.version,
            heard={item.public_id: said},
        )
    return case_of(pid), session


def approved(code: str, session: CommitteeSession) -> None:
    with unit_of_work():
        committees.approve(officer(TOWNSHIPS[code][1]), session, MEETING, version=session.version)


def test_it_goes_on_another_day(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context(), pytest.raises(Refused, match="續行調解的日期"):
        sat("JC01", "defer", came=frozenset({"applicant"}), continues_on=MEETING.date())
    with app.app_context():
        db.session.rollback()
        (session,) = db.session.scalars(select(CommitteeSession))
        item = db.session.scalars(select(AgendaItem)).one()
        later = MEETING.date() + timedelta(days=14)
        with unit_of_work():
            committees.record(
                officer(secretary_of("JC01")),
                session,
                {item.public_id: ("defer", "")},
                MEETING,
                version=session.version,
                heard={
                    item.public_id: Hearing(
                        frozenset({"applicant"}),
                        frozenset(queries.members(session.committee, MEETING.date())),
                        continues_on=later,
                    )
                },
            )
        approved("JC01", session)
        pid = item.case.public_id
        assert (case_of(pid).state, queries.goes_on([item.case_id])) == ("committee", {item.case_id: later})
        assert session.minutes is not None and "許志遠未到" in session.minutes["items"][0]["count"]
    secretary = signed_in(app, secretary_of("JC01"))
    secretary.get("/staff/committees")
    secretary.follow("調解委員會")
    assert "續行調解" in secretary.page.text and "許志遠（公文、簡訊）" in secretary.page.text


@pytest.mark.parametrize("there", [(), ("applicant",), ("opponents-1",)])
def test_nothing_is_settled_without_another_side(
    app: Flask, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]
) -> None:
    """Nor where the service invites nobody, or one side only."""
    everybody = hearings.heard
    monkeypatch.setattr(
        hearings, "heard", lambda case: [each for each in everybody(case) if each.key in there]
    )
    with app.app_context(), pytest.raises(Refused, match="雙方"):
        sat("JC01", "pass", "付清。", came=frozenset(there))


def test_where_the_parties_decide_nobody_votes(app: Flask) -> None:
    with app.app_context():
        case, session = sat("JC01", "reject", "雙方金額差距過大。")
        item = db.session.scalars(select(AgendaItem)).one()
        (member, *_others) = queries.members(board_of("JC01"), MEETING.date())
        with pytest.raises(IntegrityError, match="ck_ballot_committee_votes"), unit_of_work():
            mine = account(secretary_of("JC01")).id
            db.session.add(
                Ballot(item_id=item.id, member_id=member, entered_by_id=mine, choice="yes", cast_at=NOW)
            )
            db.session.flush()
        for column, value in (("result", "pass_with_changes"), ("hearing", None)):
            with pytest.raises(IntegrityError, match="ck_agenda_item_consent"), unit_of_work():
                setattr(db.session.get_one(AgendaItem, item.id), column, value)
                db.session.flush()
        approved("JC01", session)
        assert case_of(case.public_id).state == "document"


def test_a_vote_and_a_hearing_each_at_their_own_committee(app: Flask) -> None:
    with app.app_context():
        requested("JC01")
        board, secretary = board_of("JC01"), officer(secretary_of("JC01"))
        item = db.session.scalars(select(AgendaItem)).one()
        (member, *_others) = queries.members(board, MEETING.date())
        with unit_of_work():
            session = sittings.plan(secretary, board, MEETING, "調解室", [item.public_id], NOW)
        with pytest.raises(Refused, match="不表決也不評分"), unit_of_work():
            ballots.cast_for(secretary, item.public_id, member, "yes", NOW)
        with unit_of_work():
            board.mode, board.quorum = "vote", "majority"
        with pytest.raises(Refused, match="不能記為調解"), unit_of_work():
            committees.record(
                secretary,
                session,
                {item.public_id: ("defer", "再議")},
                MEETING,
                version=session.version,
                heard={item.public_id: Hearing()},
            )
        with pytest.raises(IntegrityError, match="ck_agenda_item_hears"), unit_of_work():
            db.session.get_one(AgendaItem, item.id).hearing = {"parties": []}
            db.session.flush()


def test_who_keeps_out_does_not_mediate(app: Flask) -> None:
    with app.app_context():
        requested("JC01")
        board, secretary = board_of("JC01"), officer(secretary_of("JC01"))
        item = db.session.scalars(select(AgendaItem)).one()
        members = frozenset(queries.members(board, MEETING.date()))
        with unit_of_work():
            session = sittings.plan(secretary, board, MEETING, "調解室", [item.public_id], NOW)
            ballots.declare_conflict(secretary, item.public_id, min(members), "聲請人的表哥", NOW)
        said = Hearing(frozenset({"applicant", "opponents-1"}), members)
        with pytest.raises(Refused, match="應迴避"), unit_of_work():
            committees.record(
                secretary,
                session,
                {item.public_id: ("pass", "付清。")},
                MEETING,
                version=session.version,
                heard={item.public_id: said},
            )


def test_moved_and_cancelled(app: Flask) -> None:
    pid, _number = made(app, lambda: requested("JC01"))
    secretary = planned(app, "JC01")
    secretary.follow("改期或取消會議")
    secretary.press("改期並通知")
    assert secretary.page.mistakes == ["時間和地點都沒有改變。"]
    secretary.press("改期並通知", {"time": "10:30", "day-day": "3", "place": "第二調解室"})
    assert "10:30" in secretary.page.text
    secretary.follow("改期或取消會議")
    stale = secretary.page
    secretary.press("取消會議並通知")
    assert secretary.page.mistakes == ["請寫明取消的原因，最多 200 字；會告訴受邀的人。"]
    secretary.press("取消會議並通知", {"reason": "颱風停止上班"})
    assert "已取消" in secretary.page.text and not secretary.page.offers("記錄決議")
    secretary.page = stale
    secretary.press("改期並通知", {"time": "11:30"})
    assert secretary.page.status == 409
    told = made(app, lambda: [m.body for m in messages(pid) if "查詢碼" in m.body and "調解室" in m.body])
    assert len(told) == 2 and "10:30" in told[1] and "不再適用" in told[1]
    sent = made(app, lambda: [each.content["subject"] for each in letters(pid, "invitation")])
    assert [subject.partition("：")[0] for subject in sent] == ["開會通知", "開會改期通知", "會議取消通知"]
    stated = [
        REQUEST["facts"][0] in "".join(each.content["paragraphs"])
        for each in made(app, lambda: letters(pid, "invitation"))
    ]
    assert stated == [True, False, False]
    (last,) = made(app, lambda: [m.body for m in messages(pid) if "查詢碼" in m.body and "颱風" in m.body])
    assert "另行通知" in last
    secretary.get("/staff/committees")
    secretary.follow("調解委員會")
    assert secretary.page.offers("排定會議"), "it waits for another session"


def test_the_pages_ask_as_often_for_many_cases_as_for_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(cases: int) -> tuple[int, int]:
        made(app, lambda: [requested("JC01") for _ in range(cases)])
        board = made(app, lambda: board_of("JC01").public_id)
        with statements(monkeypatch) as waiting:
            signed_in(app, secretary_of("JC01")).get(f"/staff/committees/{board}")
        secretary = planned(app, "JC01")
        with statements(monkeypatch) as session:
            secretary.get(secretary.page.path)
        return len(waiting), len(session)

    assert count(1) == count(3)


def test_the_officer_sees_who_will_be_told_and_that_nothing_goes_out_yet(app: Flask) -> None:
    pid = made(app, lambda: submitted("JC01").public_id)
    officer_ = signed_in(app, legal_of("JC01"))
    officer_.get(f"/staff/cases/{pid}/act/put_on_agenda")
    assert "現在不寄出" in officer_.page.text and "許志遠" in officer_.page.text
    assert "（排定的日期）" in officer_.page.text


def test_not_settled_and_certified_on_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed() -> str:
        case, session = sat("JC01", "reject", "雙方金額差距過大。", came=frozenset({"applicant"}))
        approved("JC01", session)
        return case.public_id

    pid = made(app, failed)
    at(app, monkeypatch, MEETING)
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}")
    applicant.press("聲請發給")
    assert "10月9日" in applicant.page.text and not applicant.page.offers("聲請發給")
    told = select(Message).where(Message.account_id == made(app, lambda: account(legal_of("JC01")).id))
    assert made(app, lambda: [m.subject for m in db.session.scalars(told) if "調解不成立證明書" in m.subject])
    clerk = signed_in(app, legal_of("JC01"))
    clerk.get(f"/staff/cases/{pid}")
    stale = clerk.page
    clerk.press("發給許志遠")
    clerk.press("發給陳美玲")
    clerk.page = stale
    clerk.press("發給許志遠")
    assert clerk.page.status == 409
    theirs, mine = made(app, lambda: letters(pid, "certificate"))
    assert (theirs.channel, mine.channel) == ("post", "electronic")
    assert "調解不成立，特此證明" in "".join(mine.content["paragraphs"])
    made(
        app,
        lambda: [
            perform_effect(key)
            for key in db.session.scalars(
                select(Effect.id).where(Effect.kind == "letter").order_by(Effect.id)
            )
        ],
    )
    applicant.get(f"/applications/{pid}")
    assert mine.number in applicant.page.text and theirs.number not in applicant.page.text
    applicant.follow(f"{mine.number}")
    paper_text = "".join(applicant.page.pdf_text.split())
    assert "調解不成立證明書" in paper_text
    assert "金城鎮公所" in paper_text and "鎮長李文彬" in paper_text, (
        "an agency of its own, with its own head"
    )
    assert "金門縣政府" not in paper_text and "縣長" not in paper_text
    code = made(app, lambda: printing.fingerprint(letters(pid, "certificate")[1]))
    assert "金城鎮公所" in applicant.get(f"/verify?number={mine.number}&code={code}").text
    paper = made(
        app, lambda: db.session.get_one(Document, letters(pid, "certificate")[0].document_id).public_id
    )
    applicant.get(f"/documents/{paper}")
    assert applicant.page.status == 404, "addressed to the other side"
    other = signed_in(app, legal_of("LY01"))
    other.post(f"/staff/cases/{pid}/certificate", {"party": "applicant"})
    assert other.page.status == 404


def withdrawn(now: datetime) -> str:
    """A request with a session planned, taken back at that moment."""
    pid, _number = requested("JC01")
    item = db.session.scalars(select(AgendaItem)).one()
    with unit_of_work():
        secretary = officer(secretary_of("JC01"))
        sittings.plan(secretary, board_of("JC01"), MEETING, "調解室", [item.public_id], NOW)
    case = case_of(pid)
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", now, version=case.version)
    return pid


def test_whoever_was_invited_hears_that_the_request_was_withdrawn(app: Flask) -> None:
    pid = made(app, lambda: withdrawn(NOW))
    _first, last = made(app, lambda: letters(pid, "invitation"))
    assert "取消" in last.content["subject"] and "退出議程" in "".join(last.content["paragraphs"])
    assert last.content["signer"], "by the secretary who planned it"
    told = made(app, lambda: [m for m in messages(pid) if "退出議程" in m.body])
    assert [m.channel for m in told] == ["sms"], "the applicant knows"


def test_who_acts_for_the_applicant_is_told_and_served(app: Flask) -> None:
    """行政程序法 71; the other side gets its own, and never by the account of the applicant."""

    def failed() -> None:
        case, session = sat("JC01", "reject", "雙方金額差距過大。", asked=AGENT)
        approved("JC01", session)
        clerk = officer(legal_of("JC01"))
        with unit_of_work():
            mine = certificates.issue(clerk, case, "applicant", MEETING)
            theirs = certificates.issue(clerk, case, "opponents-1", MEETING)
        assert (mine.content["addressee"], mine.content["agent"]) == ("陳美玲", "林美玉")
        assert "民生路62號" in mine.content["addressee_address"] and "林美玉" in mine.recipient
        assert theirs.recipient == "許志遠" and "雙口34號" in theirs.content["addressee_address"]
        told = [m.recipient for m in messages(case.public_id) if "開會通知" in m.subject]
        assert AGENT["agent_email"][0] in told
        with pytest.raises(Refused, match="不能用這種方式"), unit_of_work():
            dispatch.send_by(clerk, theirs, case, "electronic", MEETING)
        with unit_of_work():
            dispatch.send_by(clerk, mine, case, "electronic", MEETING)

    made(app, failed)


def test_who_leaves_after_the_hearing_calls_nothing_off(app: Flask) -> None:
    pid = made(app, lambda: withdrawn(MEETING))
    assert len(made(app, lambda: letters(pid, "invitation"))) == 1


def test_an_officer_who_is_the_other_side_stays_away(app: Flask) -> None:
    """行政程序法 32 ①: known by their own number."""

    def refused() -> None:
        case, session = sat("JC01", "reject", "雙方金額差距過大。")
        approved("JC01", session)
        clerk = officer(legal_of("JC01"))
        assert certificates.may_issue(clerk, case) and cases.offers(clerk, steps.context(case), MEETING)
        with unit_of_work():
            account(legal_of("JC01")).mobile_hash = keyed_hash("0911222333", "mobile")
        assert not certificates.may_issue(clerk, case)
        assert not [
            offer for offer in cases.offers(clerk, steps.context(case), MEETING) if offer.task is not None
        ]

    made(app, refused)


def test_an_english_message_gives_the_reason_in_english(app: Flask) -> None:
    def taken_off() -> list[str]:
        case = submitted("JC01", actor=replace(citizen(), language="en"))
        take(case, "put_on_agenda", legal_of("JC01"))
        item = db.session.scalars(select(AgendaItem)).one()
        with unit_of_work():
            secretary = officer(secretary_of("JC01"))
            sittings.plan(secretary, board_of("JC01"), MEETING, "調解室", [item.public_id], NOW)
        take(case, "take_off_agenda", secretary_of("JC01"), comment="資料待補")
        return [m.body for m in messages(case.public_id) if m.subject.startswith("A session is cancelled")]

    (body,) = made(app, taken_off)
    assert "Why: the case was withdrawn or taken off the agenda." in body


def test_after_another_hearing_everything_is_asked_anew(app: Flask) -> None:
    """The day that was agreed on, the request for a certificate and the certificate were those of the one before."""

    def heard_again(case: Case, days: int, result: str, **heard: object) -> datetime:
        board, at_ = board_of("JC01"), MEETING + timedelta(days=days)
        secretary = officer(secretary_of("JC01"), at_)
        item = queries.open_item(case)
        assert item is not None
        with unit_of_work():
            session = sittings.plan(secretary, board, at_, "調解室", [item.public_id], at_ - timedelta(1))
        members = frozenset(queries.members(board, at_.date()))
        said = Hearing(frozenset({"applicant"}), members, **heard)  # type: ignore[arg-type]
        results, recorded = {item.public_id: (result, "對方未到。")}, {item.public_id: said}
        with unit_of_work():
            committees.record(secretary, session, results, at_, version=session.version, heard=recorded)
        with unit_of_work():
            committees.approve(officer(TOWNSHIPS["JC01"][1], at_), session, at_, version=session.version)
        return at_

    def told() -> list[str]:
        rows = select(Message.subject).where(Message.account_id == account(legal_of("JC01")).id)
        return [subject for subject in db.session.scalars(rows) if "調解不成立證明書" in subject]

    with app.app_context():
        pid, _number = requested("JC01")
        case = case_of(pid)
        later = (MEETING + timedelta(days=7)).date()
        heard_again(case, 0, "defer", continues_on=later)
        assert queries.goes_on([case.id]) == {case.id: later}
        at_ = heard_again(case, 7, "reject")
        with unit_of_work():
            certificates.ask(citizen(), case, at_)
            certificates.issue(officer(legal_of("JC01"), at_), case, "applicant", at_)
        asked = len(told())
        take(case, "another_hearing", legal_of("JC01"), at_, comment="雙方願意再談")
        assert queries.goes_on([case.id]) == {}
        at_ = heard_again(case, 14, "reject")
        standing = certificates.standing(case)
        assert standing is not None and standing.asked_on is None and not standing.issued
        with unit_of_work():
            certificates.ask(citizen(), case, at_)
            certificates.ask(citizen(), case, at_)
            certificates.issue(officer(legal_of("JC01"), at_), case, "applicant", at_)
        assert len(letters(pid, "certificate")) == 2 and len(told()) == 2 * asked > 0
