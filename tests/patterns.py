"""Services for tests of patterns: EC09, put on another workflow, owner, level or set of stages."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import workflows.loader
import workflows.service
from tests.journeys import NOW, officer, open_tasks, take
from webapp.demo.samples import day, picture
from webapp.models import Case
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import cases, documents, publishing
from webapp.uow import unit_of_work

#: the people of the demonstration county, by what they do in these journeys
AT_SOCIAL_AFFAIRS = {
    "owner": "SW",
    "handling_unit": {"zh": "社會處", "en": "Social Affairs Department"},
}
AT_LEGAL_AFFAIRS = {
    "owner": "AD",
    "handling_unit": {"zh": "行政處", "en": "General Administration Department"},
}


def publish(kind: str, key: str, body: Mapping[str, Any], on: date = NOW.date()) -> None:
    with unit_of_work():
        definitions.parse(kind, dict(body))
        revision = publishing.insert(SYSTEM, kind, key, body, NOW, origin="editor")
        publishing.publish(SYSTEM, revision, on, NOW)


def serve(workflow: str, *, stages: tuple[str, ...] = (), level: int = 3, **changes: Any) -> None:
    """EC09 runs by this workflow from now on."""
    body = copy.deepcopy(workflows.service.read_all()["EC09"])
    parameters = {**body.get("parameters", {}), "stages": list(stages), **changes.pop("parameters", {})}
    body |= {"workflow": workflow, "decision_level": level, "parameters": parameters, **changes}
    publish("service", "EC09", body)


def amended(workflow: str, amend: Any) -> None:
    """A workflow of the factory with a change of its own."""
    body = copy.deepcopy(workflows.loader.read_all()[workflow])
    amend(body)
    publish("workflow", workflow, body)


def record(case: Case, action: str, login: str, now: datetime = NOW, **answers: list[str]) -> None:
    """An action with the task's own form and one photograph."""
    task = open_tasks(case)[0]
    form = definitions.current_form(task.form_key or "", now.date())
    with unit_of_work():
        documents.upload(
            officer(login, now), cases.upload_key(task), form.field("photos"), "現場.png", picture(), now
        )
    take(case, action, login, now, raw=answers, comment="見紀錄。")


def visited(case: Case, action: str, login: str, result: str, now: datetime = NOW) -> None:
    record(
        case,
        action,
        login,
        now,
        **day("inspected_on", now.date()),
        use_matches=["yes"],
        findings=["現場與申請內容相符。"],
        result=[result],
        **({"improvements": ["請移除現場堆置的建材。"]} if result == "improve" else {}),
    )
