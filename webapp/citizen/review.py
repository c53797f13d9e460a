"""The last step: everything once more, then send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as holding
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from forms.model import Field, Section
from forms.places import TOWNSHIPS, Point
from rules.values import Text
from webapp import crypto
from webapp.citizen import bp
from webapp.citizen.apply import journey_or_case, shown_again, the_journey
from webapp.citizen.journey import Journey
from webapp.citizen.sheet import shown
from webapp.county_places import township_of
from webapp.errors import AnswersInvalid, NotFound
from webapp.models import Case
from webapp.presentation import in_language, language
from webapp.security import actor, device_hash, now, unlock
from webapp.services import applications, documents, drafts, fees
from webapp.uow import unit_of_work

EXPIRED = Text(
    zh="這個頁面放太久了，請再按一次「送出申請」。您填的內容都還在。",
    en="This page waited too long. Press “Send” once more; everything you entered is kept.",
)


@dataclass
class Row:
    """A question with its answer; what was typed stands in for an answer that is not valid."""

    field: Field
    label: str
    text: str
    documents: list[dict[str, object]] = holding(default_factory=list)
    mistakes: list[str] = holding(default_factory=list)
    remark: str = ""
    #: to the applicant, by a helper
    left: bool = False
    #: where it lies on the map
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Part:
    section: Section
    change_url: str
    rows: list[Row]


@bp.get("/apply/<key>/review")
def review(key: str) -> ResponseReturnValue:
    journey = journey_or_case(key)
    return _page(journey) if isinstance(journey, Journey) else journey


@bp.post("/apply/<key>/review")
def send(key: str) -> ResponseReturnValue:
    try:
        with unit_of_work():
            case = applications.submit(actor(), key, now())
            _open_to_this_browser(case)
            public_id = case.public_id
    except applications.AlreadySubmitted as earlier:
        public_id = earlier.case.public_id
        if request.form.get("proof") == _proof(key):
            _open_to_this_browser(earlier.case)
    except AnswersInvalid:
        return _page(the_journey(key), status=422)
    except applications.FormChanged as changed:
        with unit_of_work():
            journey = the_journey(key)
            labels = drafts.bring_up_to_date(journey.draft, now())
        return _page(Journey(journey.draft), notice=changed.text, changed=labels, status=changed.status)
    except NotFound:
        the_journey(key)
        raise
    return redirect(url_for("citizen.confirmation", pid=public_id))


@shown_again("citizen.send")
def _review_again(key: str) -> ResponseReturnValue:
    return _page(the_journey(key), notice=EXPIRED, status=400)


def _open_to_this_browser(case: Case) -> None:
    """Whoever sent an application without an account, or took it in for somebody, may see what became of it."""
    if case.account_id is None or actor().is_staff:
        unlock(case.id)


def _proof(key: str) -> str:
    """Only the browser that was shown the review page of this draft can send it back: a second click needs it."""
    return crypto.keyed_hash(f"{key}:{actor().account_id or device_hash()}", "sent by")


def _page(
    journey: Journey,
    *,
    notice: Text | None = None,
    changed: Sequence[Text] = (),
    status: int = 200,
) -> ResponseReturnValue:
    whole = journey.whole()
    parts = _parts(journey, whole)
    mistakes = [
        (f"{part.change_url}#field-{row.field.key}", message)
        for part in parts
        for row in part.rows
        for message in row.mistakes
    ]
    body = render_template(
        "citizen/review.html",
        journey=journey,
        parts=parts,
        place=len(parts) + 1,
        fee=fees.counted(journey.service, journey.form, whole.answers),
        proof=_proof(journey.key),
        mistakes=mistakes,
        has_errors=status >= 400,
        notice=notice,
        changed=changed,
        previous=parts[-1].section.key,
    )
    return body, status


def _parts(journey: Journey, whole: forms.answers.Cleaned) -> list[Part]:
    lang = language()
    uploads = {d.public_id: shown(d) for found in documents.of_draft(journey.key).values() for d in found}
    typed = whole.form
    parts = []
    for section in journey.form.sections:
        rows = []
        for wanted in section.fields:
            if wanted.key in whole.hidden:
                continue
            value, asked = whole.answers.get(wanted.key), typed[wanted.key]
            row = Row(wanted, wanted.label.in_(lang), forms.answers.display(wanted, value, lang))
            row.points = wanted.kind.points(value)
            row.left = journey.leaves(wanted)
            row.mistakes = [] if row.left else list(asked.errors)
            if wanted.type == "file":
                row.documents = [uploads[name] for name in asked.values if name in uploads]
            elif value is not None:
                remark = wanted.kind.remark(wanted, value)
                row.remark = remark.in_(lang) if remark else ""
            else:
                row.text = "\n".join(asked.written)
            rows.append(row)
        _remark_on_marks(rows, whole.answers)
        if rows:
            url = url_for("citizen.step", key=journey.key, section=section.key, **{"return": "review"})
            parts.append(Part(section, url, rows))
    return parts


def _remark_on_marks(rows: Sequence[Row], answers: Mapping[str, Any]) -> None:
    """A mark in another township than the address beside it may be a slip of the finger."""
    towns = {answers[row.field.key]["township"] for row in rows if _is_address(row, answers)}
    if len(towns) != 1 or not towns <= TOWNSHIPS.keys():
        return
    (town,) = towns
    for row in rows:
        marked = {found for point in row.points if (found := township_of(point))}
        if marked and town not in marked:
            named = [in_language(TOWNSHIPS[each]) for each in sorted(marked)]
            row.remark = _(
                "地圖上標示的位置在%(marked)s，上面填的是%(town)s；請確認標對地方。",
                marked=_("、").join(named),
                town=in_language(TOWNSHIPS[town]),
            )


def _is_address(row: Row, answers: Mapping[str, Any]) -> bool:
    return row.field.type == "address" and answers.get(row.field.key) is not None
