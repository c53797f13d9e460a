"""What the applicant reads of a state while a condition holds."""

import copy

import pytest

from rules.values import DefinitionError
from tests.unit.workflows.test_loader import GOOD
from workflows import loader


def told(*labels):
    body = copy.deepcopy(GOOD)
    body["states"]["review"]["citizen_labels"] = list(labels)
    return body


CANCELLED = {"when": {"fact": "case.booking", "op": "missing"}, "label": {"zh": "已取消", "en": "Cancelled"}}
HELD = {
    "when": {"fact": "case.booking", "op": "eq", "value": "held"},
    "label": {"zh": "已保留", "en": "Held"},
}


def test_the_first_that_holds_is_said_and_else_the_state_s_own_words():
    state = loader.load(told(CANCELLED, HELD)).state("review")
    assert str(state.told({"case.booking": None}).zh) == "已取消"
    assert str(state.told({"case.booking": "held"}).zh) == "已保留"
    assert state.told({"case.booking": "confirmed"}) == state.citizen_label


def test_words_that_depend_on_a_fact_that_is_not_given_are_left_out():
    state = loader.load(told(CANCELLED)).state("review")
    assert state.told({"service.answer": "booking"}) == state.citizen_label


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ({**CANCELLED, "when": {"fact": "case.bokking", "op": "missing"}}, "when.fact"),
        ({"when": CANCELLED["when"]}, "label"),
        ({"label": CANCELLED["label"]}, "when"),
    ],
)
def test_a_mistake_is_named_with_its_path(label, path):
    with pytest.raises(DefinitionError) as refused:
        loader.load(told(label))
    assert [problem.path for problem in refused.value.problems] == [f"states.review.citizen_labels[0].{path}"]
