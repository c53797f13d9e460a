"""滿意度調查: after an answered petition (pattern P10) the applicant is asked once, by a link in a message.

It can be answered for seven days after the reply (內政部空中勤務總隊信箱作業方式, pet.satisfaction).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import exists, select

from rules.values import Text
from webapp.errors import Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, Revision, Survey
from webapp.moments import taipei_day
from webapp.services import notices

PATTERN = "P10"
DAYS = 7
LONGEST = 1000
GRADES = {
    5: Text(zh="非常滿意", en="Very satisfied"),
    4: Text(zh="滿意", en="Satisfied"),
    3: Text(zh="普通", en="Neither"),
    2: Text(zh="不滿意", en="Dissatisfied"),
    1: Text(zh="非常不滿意", en="Very dissatisfied"),
}


def to_ask(now: datetime) -> list[int]:
    """Petitions answered in the last days whose applicants were not asked."""
    petitions = select(Revision.id).where(
        Revision.kind == "workflow", Revision.body["code"].as_string() == PATTERN
    )
    return list(
        db.session.scalars(
            select(Case.id)
            .where(
                Case.status == "closed",
                Case.outcome == "granted",
                Case.closed_at > now - timedelta(days=DAYS),
                Case.workflow_revision_id.in_(petitions),
                ~exists().where(Survey.case_id == Case.id),
            )
            .order_by(Case.id)
        )
    )


def ask(case_id: int, now: datetime) -> None:
    """Of several workers at once one asks: the case is held meanwhile."""
    case = db.session.get_one(Case, case_id, with_for_update={"key_share": True})
    if db.session.scalars(select(Survey.id).where(Survey.case_id == case_id)).first() is not None:
        return
    assert case.closed_at is not None, "asked of closed cases"
    survey = Survey(
        case_id=case_id, asked_at=now, closes_on=taipei_day(case.closed_at) + timedelta(days=DAYS)
    )
    db.session.add(survey)
    db.session.flush()
    link = f"{current_app.config['BASE_URL']}/survey/{survey.public_id}"
    notices.notify(case, "survey", now, on_date=survey.closes_on, occasion="survey", words={"link": link})


def by_link(public_id: str) -> Survey:
    survey = db.session.scalars(select(Survey).where(Survey.public_id == public_id)).one_or_none()
    if survey is None:
        raise NotFound()
    return survey


def is_open(survey: Survey, now: datetime) -> bool:
    return survey.answered_at is None and taipei_day(now) <= survey.closes_on


def open_of(case_id: int, now: datetime) -> Survey | None:
    survey = db.session.scalars(select(Survey).where(Survey.case_id == case_id)).one_or_none()
    return survey if survey is not None and is_open(survey, now) else None


def answer(survey: Survey, grade: int | None, comment: str, now: datetime) -> None:
    """The first answer counts."""
    if grade not in GRADES:
        raise Refused(Text(zh="請選擇滿意程度。", en="Choose how satisfied you are."))
    if len(comment) > LONGEST:
        raise Refused(
            Text(zh=f"意見最多 {LONGEST} 個字。", en=f"A comment has at most {LONGEST} characters.")
        )
    db.session.refresh(survey, with_for_update=True)
    if survey.answered_at is not None:
        raise Conflict(
            Text(
                zh="這份問卷已經填過了，每件只填一次。",
                en="This was answered before; each case is asked once.",
            )
        )
    if not is_open(survey, now):
        raise Refused(Text(zh="問卷已經截止。", en="The survey is closed."))
    survey.grade, survey.comment, survey.answered_at = grade, comment.strip() or None, now
    db.session.flush()
