"""`ecounter definitions check`: every definition file against its loader and against the others. Needs no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import forms.loader
import rules.engine
import rules.facts
import rules.loader
import rules.testing
import workflows.loader
import workflows.replay
import workflows.service
from forms.model import FormDefinition
from rules.values import DefinitionError
from webapp import demo
from webapp.services.publishing import READERS
from workflows.functions import FUNCTIONS
from workflows.model import WorkflowDefinition
from workflows.service import ServiceDefinition


@dataclass(frozen=True)
class Report:
    problems: tuple[str, ...]
    #: of the catalogue, with their forms, owners and patterns
    services: int
    application_forms: int
    owners: int
    workflows: int
    internal_services: int
    #: that no citizen fills in: of internal services, and of tasks
    internal_forms: int
    internal_workflows: int
    rulesets: int
    #: cases that were recorded and are taken again
    recordings: int


def check_all() -> Report:
    """Loads everything and reports every mistake at once as "kind/key path: message"."""
    problems: list[str] = []

    def read(kind: str) -> Mapping[str, Mapping[str, Any]]:
        try:
            return READERS[kind]()
        except DefinitionError as error:
            problems.extend(f"{kind} {problem}" for problem in error.problems)
            return {}

    broken: set[tuple[str, str]] = set()

    def loaded(kind: str, load: Callable[[str, Mapping[str, Any]], Any]) -> dict[str, Any]:
        found = {}
        for key, body in sorted(read(kind).items()):
            try:
                found[key] = load(key, body)
            except DefinitionError as error:
                broken.add((kind, key))
                problems.extend(f"{kind}/{key} {problem}" for problem in error.problems)
        return found

    known = rules.facts.types()
    units = demo.unit_codes()
    forms_: dict[str, FormDefinition] = loaded("form", lambda key, body: forms.loader.load(body, facts=known))
    flows: dict[str, WorkflowDefinition] = loaded(
        "workflow", lambda key, body: workflows.loader.load(body, facts=known, units=units)
    )

    def load_service(key: str, body: Mapping[str, Any]) -> ServiceDefinition:
        form = forms_.get(str(body.get("form")))
        flow = flows.get(str(body.get("workflow")))
        types = known | (form.fact_types() if form else {})
        return workflows.service.load(body, facts=types, workflow=flow, units=units)

    services: dict[str, ServiceDefinition] = loaded("service", load_service)
    for code, service in services.items():
        if service.form not in forms_ and ("form", service.form) not in broken:
            problems.append(f"service/{code} form: 沒有「{service.form}」這份表單")
        if service.workflow not in flows and ("workflow", service.workflow) not in broken:
            problems.append(f"service/{code} workflow: 沒有「{service.workflow}」這個流程")
    rulesets = read("ruleset")
    for key, body in rulesets.items():
        problems += _check_ruleset(key, body)
    recorded = _recordings(problems)
    problems += workflows.replay.broken(recorded, flows, services)
    offered = [service for service in services.values() if not service.internal]
    applied = {service.form for service in offered}
    internal_flows = {s.workflow for s in services.values() if s.internal} - {s.workflow for s in offered}
    return Report(
        problems=tuple(problems),
        services=len(offered),
        application_forms=len(applied & forms_.keys()),
        owners=len({service.owner for service in offered}),
        workflows=len(flows.keys() - internal_flows),
        internal_services=len(services) - len(offered),
        internal_forms=len(forms_.keys() - applied),
        internal_workflows=len(flows.keys() & internal_flows),
        rulesets=len(rulesets),
        recordings=len(recorded),
    )


def _recordings(problems: list[str]) -> Mapping[str, workflows.replay.Recording]:
    try:
        return workflows.replay.read_all()
    except DefinitionError as error:
        problems.extend(f"recording/{problem}" for problem in error.problems)
        return {}


def _check_ruleset(key: str, body: Mapping[str, Any]) -> list[str]:
    try:
        ruleset = rules.loader.load(body, functions=FUNCTIONS)
        rules.engine.compile(ruleset).close()
    except DefinitionError as error:
        return [f"ruleset/{key} {problem}" for problem in error.problems]
    return [f"ruleset/{key} examples: {failure}" for failure in rules.testing.run_examples(ruleset)]
