"""Where a case stands in its workflow, as a picture and as a list."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from rules.values import Text
from webapp.models import Case
from webapp.presentation import language
from webapp.queries import history
from workflows import diagram, drawing, paths
from workflows.model import WorkflowDefinition
from workflows.service import ServiceDefinition


@dataclass(frozen=True)
class Flow:
    title: Text
    picture: Markup
    steps: list[diagram.Step]


def of_case(case: Case, service: ServiceDefinition, whole: WorkflowDefinition) -> Flow:
    """Without the levels and stages that the service does not have."""
    seen, lang = history.visited(case, whole), language()
    workflow = paths.of_service(
        whole,
        service.decision_level,
        service.stages,
        {case.state, *seen},
        deemed=service.deemed is not None,
    )
    # internal work is its unit's
    filer = service.handling_unit if service.internal else diagram.APPLICANT
    picture = diagram.layout(workflow, lang, case.state, seen, filer)
    return Flow(
        title=workflow.title,
        picture=Markup(drawing.svg(picture, lang)),  # noqa: S704 – every text in it is escaped
        steps=diagram.outline(workflow, lang, case.state, seen, filer),
    )
