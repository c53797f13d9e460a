"""Finding a service and reading what it takes, before any sign-in."""

from __future__ import annotations

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from webapp.citizen import bp, wording
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import catalogue as services
from webapp.queries import definitions, mine, papers
from webapp.queries.org import chart
from webapp.security import actor, now


@bp.get("/")
def catalogue() -> ResponseReturnValue:
    today = taipei_day(now())
    question = request.args.get("q", "").strip()[: services.LONGEST_QUESTION]
    groups = services.groups(today)
    return render_template(
        "citizen/catalogue.html",
        question=question,
        groups=groups,
        total=sum(len(group.services) for group in groups),
        found=services.search(question, today) if question else [],
        facts=wording.card_facts,
        phone=current_app.config["HELP_PHONE"],
    )


@bp.get("/services/<code>")
def service(code: str) -> ResponseReturnValue:
    today = taipei_day(now())
    found = definitions.current_service(code, today)
    owner = chart().by_code.get(found.owner)
    if request.args.get("eligible") == "no":
        return render_template(
            "citizen/not_eligible.html",
            service=found,
            owner=owner,
            others=services.alternatives(found, today),
            facts=wording.card_facts,
            phone=current_app.config["HELP_PHONE"],
        )
    form = definitions.current_form(found.form, today)
    return render_template(
        "citizen/service.html",
        service=found,
        owner=owner,
        applicants=wording.applicants(found),
        limit=wording.limit(found),
        way=wording.way(found),
        identity=wording.identity(found),
        fee=wording.fee(found),
        fee_lines=wording.fee_lines(found, form),
        documents=wording.needed_documents(form),
        blank=papers.blank_size(code, language()),
        steps=form.sections,
        earlier=mine.earlier_answers(actor(), form),
        staff=actor().is_staff,
    )
