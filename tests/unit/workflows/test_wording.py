"""What a service calls the steps of its workflow: words only, and of nothing that the workflow does not have."""

from __future__ import annotations

import pytest

import rules.facts
import workflows.loader
import workflows.service
from rules.values import DefinitionError
from workflows import diagram
from workflows.wording import Wording, mistakes, worded

TOWNSHIPS = {"JC": "鎮長", "JH": "鎮長", "JS": "鎮長", "JN": "鄉長", "LY": "鄉長"}


@pytest.fixture(scope="module")
def flows():
    return {
        key: workflows.loader.load(body, facts=rules.facts.types())
        for key, body in workflows.loader.read_all().items()
    }


@pytest.mark.parametrize("number", ["01", "03"])
@pytest.mark.parametrize("unit", TOWNSHIPS)
def test_a_township_speaks_of_its_own_head(flows, unit, number):
    service = workflows.service.load(workflows.service.read_all()[unit + number], facts=None)
    own = worded(flows[service.workflow], service.parameters)
    head, said = TOWNSHIPS[unit], own.state("approve_department")
    assert head in said.label.zh and "處長" not in said.label.zh
    assert own.state("approve").transitions["forward"].label.zh == f"核稿，陳{head}"
    lines = str(diagram.outline(own, "zh", "review" if "review" in own.states else own.initial, ()))
    assert "處長／局長" not in lines and "科長" not in lines


def test_only_words_change(flows):
    flow = flows["remedy"]
    parameters = workflows.service.read_all()["JC01"]["parameters"]
    own = worded(flow, parameters)
    assert own.state("committee").label.zh == "調解"
    assert own.state("review").transitions["put_on_agenda"].label.zh == "受理，送調解委員會排定期日"
    assert flow.state("committee").label.zh == "審議／調解", "another service keeps its own"
    for key, state in flow.states.items():
        for name, action in state.transitions.items():
            assert own.state(key).transitions[name].model_copy(update={"label": action.label}) == action
    assert worded(flow, {}) is flow


@pytest.mark.parametrize(
    ("part", "name"),
    [("states", "reviw"), ("tasks", "nobody"), ("actions", "review.fly"), ("functions", "emperor")],
)
def test_words_for_what_is_not_there(flows, part, name):
    word = {"label": {"zh": "字", "en": "word"}} if part == "states" else {"zh": "字", "en": "word"}
    said = Wording.model_validate({part: {name: word}})
    assert [each.path for each in mistakes(said, flows["remedy"])] == [f"parameters.wording.{part}.{name}"]


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"wording": {"stats": {}}}, "parameters.wording.stats"),
        ({"invited": "applicant"}, "parameters.invited"),
    ],
)
def test_a_service_that_says_it_wrongly(parameters, path):
    body = workflows.service.read_all()["JC01"]
    with pytest.raises(DefinitionError) as refused:
        workflows.service.load(body | {"parameters": body["parameters"] | parameters}, facts=None)
    assert path in {problem.path for problem in refused.value.problems}


def test_whom_a_service_invites_is_asked_in_its_form():
    body = workflows.service.read_all()["JC01"]
    body = body | {"parameters": body["parameters"] | {"invited": ["applicant", "oponents"]}}
    facts = {**rules.facts.types(), "answers.opponents": "list", "answers.dispute": "text"}
    with pytest.raises(DefinitionError) as refused:
        workflows.service.load(body, facts=facts)
    assert "parameters.invited[1]" in {problem.path for problem in refused.value.problems}
