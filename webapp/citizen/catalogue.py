"""Finding a service and reading what it takes, before any sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from forms.answers import display
from forms.model import Field, FormDefinition
from rules.values import Text
from webapp.citizen import behalf, bp, wording
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import catalogue as services
from webapp.queries import definitions, earlier, papers
from webapp.security import actor, now
from webapp.services import routing
from webapp.services.application_paper import AFTER_CORRECTION
from workflows.service import ServiceDefinition


@bp.get("/")
def catalogue() -> ResponseReturnValue:
    today = taipei_day(now())
    question = request.args.get("q", "").strip()[: services.LONGEST_QUESTION]
    return render_template(
        "citizen/catalogue.html",
        question=question,
        groups=services.groups(today),
        total=len(definitions.current_services(today)),
        answer=services.search(question, today) if question else services.Answer(),
        facts=wording.card_facts,
        phone=current_app.config["HELP_PHONE"],
    )


@bp.get("/services/<code>")
def service(code: str) -> ResponseReturnValue:
    today = taipei_day(now())
    found = definitions.current_service(code, today)
    unit = routing.handling_unit(found)
    if request.args.get("eligible") == "no":
        return render_template(
            "citizen/not_eligible.html",
            service=found,
            unit=unit,
            others=services.alternatives(found, today),
            facts=wording.card_facts,
            phone=current_app.config["HELP_PHONE"],
        )
    form = definitions.current_form(found.form, today)
    return render_template(
        "citizen/service.html",
        service=found,
        unit=unit,
        applicants=wording.applicants(found),
        limit=wording.limit(found),
        after_correction=AFTER_CORRECTION.get(found.correction),
        way=wording.way(found),
        identity=wording.identity(found),
        fee=wording.fee(found),
        fee_lines=wording.fee_lines(found, form),
        documents=wording.needed_documents(form),
        blank=papers.blank_size(code, language()),
        steps=form.sections,
        ways=behalf.ways(found, form),
        offers=_offers(found, form),
        staff=actor().is_staff,
        to_verify=found.to_verify and actor().may("administer"),
    )


@dataclass(frozen=True)
class Offer:
    """What can be taken over from earlier applications, where one applies in this way."""

    way: Text | None
    #: question, answer, and the number of the case
    rows: list[tuple[str, str, str]]


def _offers(found: ServiceDefinition, form: FormDefinition) -> list[Offer]:
    ways: Iterable[behalf.Way | None] = behalf.ways(found, form) or (None,)
    offers, sent = [], earlier.sent_by(actor())
    for way in ways:
        brought = earlier.answers(sent, found.code, form, way.raw if way else {}, now())
        rows = [
            (_label(each.field), display(each.field, each.value, language()), each.number) for each in brought
        ]
        if rows:
            offers.append(Offer(way.label if way else None, rows))
    return offers


def _label(field: Field) -> str:
    return field.label.in_(language())
