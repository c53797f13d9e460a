"""出國報告: journeys whose report is awaited, reports that were published, and the form that registers a journey."""

from __future__ import annotations

import io
from collections.abc import Mapping

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Misfit
from webapp.moments import taipei_day
from webapp.plans import bp
from webapp.plans.register import names
from webapp.plans.words import ORIGINS
from webapp.presentation import in_language, language
from webapp.queries import definitions, journeys, plans
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import documents, journey_registration
from webapp.services.journey_registration import SERVICE, Trip
from webapp.staff.typed import Mistakes, posted_day, read_day
from webapp.uow import unit_of_work

DAYS = ("left_on", "returned_on")
WORDS = ("traveller", "destination", "purpose", "unit")


@bp.get("/journeys")
def travel_reports() -> str:
    """Both lists have pages of their own."""
    open_page, page = (max(request.args.get(name, 1, type=int), 1) for name in ("awaited", "page"))
    awaited, count_awaited = journeys.awaited(actor(), open_page)
    published, count = journeys.published(actor(), page)
    today = taipei_day(now())
    return render_template(
        "plans/journeys.html",
        awaited=awaited,
        published=published,
        counts=(count_awaited, count),
        at=(open_page, page),
        pages=tuple(max(-(-n // plans.PAGE), 1) for n in (count_awaited, count)),
        paged=lambda name, n: url_for("plans.travel_reports", **{name: n}, _anchor=name),
        days_left=lambda day: (day - today).days,
        may_register=bool(journey_registration.units_of(actor())),
        period=_period(),
        unit_names=names,
        origins=ORIGINS,
    )


@bp.get("/journeys/<pid>/report")
def travel_report(pid: str) -> ResponseReturnValue:
    """Of a published report, always saved and never opened here."""
    found = journeys.report_of(pid)
    return send_file(
        io.BytesIO(documents.content_of(found)),
        mimetype=found.media_type,
        download_name=found.filename,
        as_attachment=True,
    )


@bp.get("/journeys/new")
def new_journey() -> str:
    journey_registration.require(actor())
    return _form({}, Mistakes())


@bp.post("/journeys/new")
def register_journey() -> ResponseReturnValue:
    journey_registration.require(actor())
    typed = {name: request.form.get(name, "").strip() for name in WORDS}
    mistakes = Mistakes()
    said = (typed["traveller"], typed["destination"], typed["purpose"])
    for misfit in journey_registration.wrong_words(*said):
        mistakes[misfit.field] = [in_language(misfit.text)]
    left_on, returned_on = (read_day(name, posted_day(name), mistakes) for name in DAYS)
    unit = chart().by_code.get(typed["unit"])
    if not mistakes and left_on is not None and returned_on is not None:
        trip = Trip(*said, left_on, returned_on)
        try:
            with unit_of_work():
                journey_registration.register(actor(), unit.id if unit is not None else 0, trip, now())
        except Misfit as misfit:
            mistakes[misfit.field] = [in_language(misfit.text)]
        else:
            flash(_("已登記出國，報告期限與待辦已經產生。"), "success")
            return redirect(url_for("plans.travel_reports"))
    return _form(typed, mistakes), 422


def _form(typed: Mapping[str, str], mistakes: Mistakes) -> str:
    mine = [chart().units[unit] for unit in journey_registration.units_of(actor())]
    return render_template(
        "plans/journey.html",
        typed=typed,
        days={name: posted_day(name) for name in DAYS},
        mistakes=mistakes,
        units=[(unit.code, unit.name(language())) for unit in mine],
        period=_period(),
        longest=journey_registration,
    )


def _period() -> int:
    """In months, as the service promises it today."""
    revision = definitions.revision_id("service", SERVICE, taipei_day(now()))
    return definitions.service(revision).period.period
