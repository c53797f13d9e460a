"""A verification as its case brings it: what was seen, what must be improved, and until when that is followed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import AnswersInvalid
from webapp.extensions import db
from webapp.models import Case, Submission, Verification, VerificationFinding
from webapp.permissions import Actor
from webapp.queries import submissions
from webapp.services import later

RECORDS = ("verification_visit", "verification_evaluation")
IMPROVEMENT = "verification_improvement"
AGREED = Text(zh="查證所定改善期限", en="the date set by the verification")


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The record of the visit, or the evaluation of what the unit wrote; with its findings."""
    verification, answers = _of(case), _newest_record(case)
    verification.conclusion = str(answers["conclusion"])
    if answers.get("seen_on"):
        verification.seen_on = date.fromisoformat(answers["seen_on"])
        verification.place, verification.seen = str(answers["place"]), Decimal(answers["seen"])
    first = 1 + (
        db.session.scalar(
            select(func.max(VerificationFinding.number)).where(
                VerificationFinding.verification_id == verification.id
            )
        )
        or 0
    )
    rows = answers.get("findings") or () if answers["result"] == "improve" else ()
    db.session.add_all(
        VerificationFinding(
            verification_id=verification.id,
            number=number,
            finding=row["finding"],
            required=row["required"],
            due_on=date.fromisoformat(row["due_on"]),
        )
        for number, row in enumerate(rows, start=first)
    )
    db.session.flush()
    _extend(actor, case, verification, now)


def to_report(case: Case) -> dict[str, Any]:
    """The form of the unit has a row for each finding that is open, with what was reported of it before."""
    rows = [
        {"number": finding.number}
        | ({"done": finding.done, "done_on": finding.done_on.isoformat()} if finding.done_on else {})
        for finding in _open(_of(case))
    ]
    return {"improvements": rows}


def visit_instead(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit wrote does not do: the site is visited."""
    _of(case).kind = "on_site"


def keep_improvements(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit did about each finding that is open; one row each."""
    found = _open(_of(case))
    rows = _rows(actor, case, IMPROVEMENT, "improvements", found)
    left = [finding.number for finding in found if finding.number not in rows]
    if left:
        numbers = "、".join(map(str, left))
        _refuse(
            actor,
            "improvements",
            Text(zh=f"第 {numbers} 項還沒有填報改善情形。", en=f"Nothing is reported for number {numbers}."),
        )
    for finding in found:
        row = rows[finding.number]
        finding.done, finding.done_on = row["done"], date.fromisoformat(row["done_on"])


def accept(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    for finding in _open(_of(case)):
        finding.accepted_at = now


def go_on(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What is listed goes back with a new date; everything else is accepted."""
    verification = _of(case)
    found = _open(verification)
    rows = _rows(actor, case, "verification_review", "missing", found)
    for finding in found:
        row = rows.get(finding.number)
        if row is None:
            finding.accepted_at = now
        else:
            finding.due_on, finding.remark = date.fromisoformat(row["due_on"]), row["remark"]
    db.session.flush()
    _extend(actor, case, verification, now)


def close(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    verification = _of(case)
    verification.state, verification.closed_at = "closed", now


#: effects of workflows that this room carries out
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_verification": keep,
    "visit_instead": visit_instead,
    "keep_improvements": keep_improvements,
    "accept_improvements": accept,
    "continue_improvements": go_on,
    "close_verification": close,
}


def _of(case: Case) -> Verification:
    return db.session.scalars(select(Verification).where(Verification.case_id == case.id)).one()


def _newest_record(case: Case) -> Mapping[str, Any]:
    """A verification in writing may become a visit: the later record counts."""
    newest = (
        select(Submission)
        .where(Submission.case_id == case.id, Submission.kind.in_(RECORDS))
        .order_by(Submission.id.desc())
        .limit(1)
    )
    return db.session.scalars(newest).one().all_answers


def _open(verification: Verification) -> Sequence[VerificationFinding]:
    return db.session.scalars(
        select(VerificationFinding)
        .where(
            VerificationFinding.verification_id == verification.id, VerificationFinding.accepted_at.is_(None)
        )
        .order_by(VerificationFinding.number)
    ).all()


def _extend(actor: Actor, case: Case, verification: Verification, now: datetime) -> None:
    """The case is due when the last of its improvements is."""
    days = [finding.due_on for finding in _open(verification)]
    if days:
        later.until(actor, case, max(days), now, AGREED.zh)


def _rows(
    actor: Actor, case: Case, form: str, table: str, found: Sequence[VerificationFinding]
) -> dict[int, Mapping[str, Any]]:
    """The rows of a table by the number of their finding: each one that is open, and only once."""
    sent = submissions.newest(case.id, form)
    assert sent is not None, "the transition requires the form"
    known, rows = {finding.number for finding in found}, dict[int, Mapping[str, Any]]()
    for row in sent.all_answers[table]:
        number = int(row["number"])
        if number not in known:
            listed = "、".join(map(str, sorted(known)))
            _refuse(
                actor,
                table,
                Text(
                    zh=f"沒有第 {number} 項未結的應改善事項；未結的是第 {listed} 項。",
                    en=f"No open improvement has number {number}; open are {listed}.",
                ),
            )
        if number in rows:
            _refuse(
                actor, table, Text(zh=f"第 {number} 項填了兩次。", en=f"Number {number} stands there twice.")
            )
        rows[number] = row
    return rows


def _refuse(actor: Actor, field: str, text: Text) -> None:
    raise AnswersInvalid({field: [text.in_(actor.language)]})
