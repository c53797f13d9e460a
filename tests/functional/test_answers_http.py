"""What a service answers with, in its own words: an appointment is confirmed, moved, cancelled; nothing is granted."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from tests import factory, patterns
from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import at, case_of, made, officer_of, signed_in
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect, Letter, Message
from webapp.queries import bookings as queries
from webapp.services import notices, steps
from workflows.answers import ANSWERS

REMEDY = {"zh": "對安排有意見時，請向承辦單位反映。", "en": "If it does not suit you please tell the office."}
#: words that only a decision has
OF_DECISIONS = ("核准函", "已核准", "訴願", "申請已核准", "未核准", "駁回")


@pytest.fixture(autouse=True)
def _now(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)


def letters() -> dict[str, object]:
    found = factory.service("EC09")["letters"]
    found["grant"]["paragraphs"].append(
        {"text": {"zh": "時間：{booking.slot}；地點：{booking.place}。", "en": "{booking.slot}"}}
    )
    return found


def confirmed() -> str:
    """A case of one's own whose appointment the officer has confirmed; its public id."""
    patterns.serve("appointment", level=4, answer="booking", remedy=REMEDY, letters=letters())
    patterns.desk()
    case = submitted("EC09")
    patterns.chosen(case, patterns.slots(case)[-1])
    take(case, "decide_approval", amounts=_amounts(case))
    for key in db.session.scalars(select(Effect.id).where(Effect.kind == "letter").order_by(Effect.id)).all():
        perform_effect(key)
    return case.public_id


def _amounts(case: Case) -> dict[str, object]:
    return {award.key: 100 for award in steps.context(case).service.awards}


def _booked(pid: str) -> tuple[str, str, str]:
    booking = queries.newest(case_of(pid).id)
    assert booking is not None
    return booking.state, queries.when(booking, "zh"), queries.place(booking, "zh")


def test_the_letter_and_the_pages_carry_the_appointment_itself(app: Flask) -> None:
    pid = made(app, confirmed)
    state, when, place = made(app, lambda: _booked(pid))
    assert state == "confirmed"

    def said() -> list[str]:
        return db.session.scalars(select(Letter)).one().content["paragraphs"]

    assert f"時間：{when}；地點：{place}。" in made(app, said)
    applicant = signed_in(app, "chen.meiling")
    page = applicant.get(f"/applications/{pid}")
    assert when in page.text and place in page.text
    assert "預約確認單" in page.text and "改期或取消預約" in page.text
    assert [word for word in OF_DECISIONS if word in page.text] == []
    subject, body = made(app, lambda: notices.compose(case_of(pid), "granted"))
    assert "預約確認單" in subject and when in body
    assert [word for word in OF_DECISIONS if word in subject + body] == []
    desk = signed_in(app, made(app, lambda: _holder(pid)))
    desk.get(f"/staff/cases/{pid}")
    assert when in desk.page.text and "預約確認單" in desk.page.text and "核准函" not in desk.page.text


def _holder(pid: str) -> str:
    return officer_of(case_of(pid))


def test_who_moves_it_does_so_in_one_step_and_the_desk_hears_of_it(app: Flask) -> None:
    pid = made(app, confirmed)
    before = made(app, lambda: _booked(pid))
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}")
    applicant.follow("改期或取消預約")
    offered = [str(tag["value"]) for tag in applicant.page.soup.select("input[name=slot]")]
    applicant.press("改到這個時段", {"slot": offered[0]})
    assert "等候承辦人確認" in applicant.page.text
    after = made(app, lambda: _booked(pid))
    assert after[0] == "held" and after[1] != before[1]
    page = applicant.get(f"/applications/{pid}")
    assert "您另選的時段已保留，等候承辦人確認" in page.text and "預約已確認" not in page.text
    assert made(app, lambda: _told_officers(pid)) == ["申請人改選了預約時段"]


def test_after_a_cancellation_no_page_says_that_it_is_confirmed(app: Flask) -> None:
    pid = made(app, confirmed)
    made(app, lambda: _into_the_pool(pid))
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}/booking")
    applicant.press("取消預約")
    page = applicant.get(f"/applications/{pid}")
    assert "您的預約已取消" in page.text and "另選時段" in page.text
    assert "已確認" not in page.text
    assert "預約已確認" not in applicant.get("/applications").text
    assert set(made(app, lambda: _told_officers(pid))) == {"申請人取消了預約"}, (
        "also where nobody took it yet"
    )
    desk = signed_in(app, "lin.yahan")
    desk.get(f"/staff/cases/{pid}")
    buttons = [link.text for link in desk.page.soup.select(".app-case__actions a")]
    assert any("申請人已取消預約，結案" in text for text in buttons)
    assert not any(text.startswith(("已到場", "未到場")) for text in buttons)


def test_a_confirmation_names_its_time_also_when_it_is_written_after_a_cancellation(app: Flask) -> None:
    pid = made(app, confirmed)
    _state, when, place = made(app, lambda: _booked(pid))
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}/booking")
    applicant.press("取消預約")

    def written() -> list[str]:
        for key in db.session.scalars(
            select(Effect.id).where(Effect.kind == "notice").order_by(Effect.id)
        ).all():
            perform_effect(key)
        rows = select(Message).where(Message.case_id == case_of(pid).id)
        return [each.body for each in db.session.scalars(rows) if "預約確認單" in each.subject]

    (body,) = made(app, written)
    assert when in body and place in body


def _into_the_pool(pid: str) -> None:
    task = open_tasks(case_of(pid))[0]
    task.assignee_id = None
    db.session.commit()


def _told_officers(pid: str) -> list[str]:
    rows = select(Message.subject).where(Message.case_id == case_of(pid).id, Message.channel == "inbox")
    return sorted({said.split(" ", 1)[1] for said in db.session.scalars(rows) if "預約" in said})


def test_no_other_answer_speaks_of_approval_or_appeal(app: Flask) -> None:
    with app.app_context():
        for answer in ANSWERS.keys() - {"decision"}:
            patterns.serve("single_review", level=4, answer=answer, remedy=REMEDY)
            case = submitted("EC09")
            service = steps.context(case).service
            said = [str(service.letter_name(kind)) for kind in ("grant", "reject", "return")]
            for template in {*notices.TEMPLATES, *notices.OUTCOMES} - {"deemed_approved"}:
                said += notices.compose(case, template, on_date=NOW.date(), more=MORE)
            assert [text for text in said if any(word in text for word in OF_DECISIONS)] == [], answer


#: what single templates quote besides the words of every message
MORE = dict.fromkeys(
    set(re.findall(r"{(\w+)}", repr((notices.TEMPLATES, notices.OUTCOMES))))
    - {
        "service",
        "number",
        "due",
        "comment",
        "date",
        "correction_due",
        "correction_clock",
        "letter",
        "amounts",
        "booking",
        "appeal",
    },
    "—",
)
