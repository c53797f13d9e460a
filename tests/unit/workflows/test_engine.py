"""The engine on small definitions of its own: guards, requirements, joins, and what a step says."""

import pytest

from workflows import engine, loader
from workflows.engine import Action, GuardFailed, Missing, TaskNotOpen, UnknownTransition, WorkflowError

from .memory_case import Case

CLOSED = {"label": "結束", "citizen_label": "已結束", "kind": "closed", "outcome": "granted"}


def parallel(join):
    """Two or more units give an opinion; then the case ends, or goes to talks if one disagrees."""
    return loader.load(
        {
            "key": "asking",
            "code": "P04",
            "title": "會辦",
            "initial": "asking",
            "states": {
                "asking": {
                    "label": "會辦中",
                    "citizen_label": "相關單位審查中",
                    "kind": "active",
                    "tasks": [
                        {
                            "key": "opinion",
                            "label": "意見",
                            "function": "co_reviewer",
                            "unit": {"each": "service.units"},
                            "join": join,
                            "period": {"kind": "WD", "period": 2},
                        }
                    ],
                    "transitions": {
                        "answer": {
                            "label": "回復",
                            "by": "task",
                            "completes": "task",
                            "outcome_from": "task.opinion",
                            "effects": ["restart_clock"],
                        }
                    },
                    "joined": [
                        {
                            "to": "talks",
                            "when": {"fact": "task.outcomes", "op": "contains", "value": "disagree"},
                        },
                        {"to": "done", "effects": ["stop_clock"]},
                    ],
                },
                "talks": {
                    "label": "協調",
                    "citizen_label": "協調中",
                    "kind": "active",
                    "tasks": [{"key": "talk", "label": "協調", "function": "officer", "unit": "owner"}],
                    "transitions": {
                        "end": {"label": "結束", "by": "task", "to": "done", "effects": ["stop_clock"]}
                    },
                },
                "done": CLOSED,
            },
        }
    )


def asking(join, units=("PO", "EP", "LA")):
    return Case(parallel(join), {"units": list(units)})


def test_each_unit_gets_a_task_of_its_own():
    case = asking("all")
    assert [(new.branch, new.unit, new.function) for new in case.last.open] == [
        ("PO", "PO", "co_reviewer"),
        ("EP", "EP", "co_reviewer"),
        ("LA", "LA", "co_reviewer"),
    ]
    assert case.last.open[0].period.period == 2


def test_a_branch_finishes_without_moving_the_case():
    case = asking("all")
    step = case.do("answer", branch="EP", opinion="agree")
    assert (step.moved, step.to_state, step.finish, step.cancel, step.open) == (
        False,
        "asking",
        ((2, "agree"),),
        (),
        (),
    )
    assert step.effects == ("restart_clock",)


@pytest.mark.parametrize(("join", "needed"), [("all", 3), ("any", 1), ({"quorum": 2}, 2)])
def test_the_join_moves_the_case_once_enough_have_answered(join, needed):
    case = asking(join)
    for unit in ("PO", "EP", "LA")[:needed]:
        assert case.state == "asking"
        case.do("answer", branch=unit, opinion="agree")
    assert (case.state, case.last.closed, case.last.outcome) == ("done", True, "granted")
    assert case.last.effects == ("restart_clock", "stop_clock")
    assert len(case.last.cancel) == 3 - needed, "the others need not answer any more"


def test_a_join_goes_where_its_condition_holds():
    case = asking("all", ["PO", "EP"])
    case.do("answer", branch="PO", opinion="disagree")
    case.do("answer", branch="EP", opinion="agree")
    assert case.state == "talks"
    assert (case.last.open[0].unit, case.last.open[0].branch) == ("owner", "")


def test_an_outcome_falls_back_to_the_name_of_the_action():
    case = asking("all")
    assert case.do("answer", branch="PO").finish == ((1, "answer"),)


def test_a_cancelled_branch_is_not_waited_for():
    case = asking("all")
    case.tasks[2] = engine.OpenTask(3, "opinion", "LA", "cancelled", None, "co_reviewer")
    case.do("answer", branch="PO", opinion="agree")
    case.do("answer", branch="EP", opinion="agree")
    assert case.state == "done"


def test_a_task_cannot_be_done_twice():
    case = asking("all")
    case.do("answer", branch="PO", opinion="agree")
    with pytest.raises(TaskNotOpen):
        case.do("answer", task_id=1)
    with pytest.raises(TaskNotOpen):
        case.do("answer", task_id=99)


def test_an_action_needs_the_function_of_its_task():
    case = asking("all")
    assert case.offered("task", ["officer"]) == {}
    with pytest.raises(GuardFailed) as refused:
        case.do("answer", branch="PO", functions=["officer"])
    assert "會辦人員" in refused.value.text.zh
    assert "Co-reviewer" in refused.value.text.en


def test_an_action_of_another_state_is_unknown():
    case = asking("all")
    with pytest.raises(UnknownTransition) as refused:
        case.do("end")
    assert "會辦中" in str(refused.value)


def test_nobody_acts_in_anothers_place():
    case = asking("all")
    with pytest.raises(UnknownTransition):
        engine.take(case.definition, case.snapshot, Action("answer", "citizen", 1, frozenset(), frozenset()))


@pytest.mark.parametrize(("join", "units"), [("all", []), ({"quorum": 3}, ["PO", "EP"])])
def test_a_case_never_enters_a_join_that_cannot_be_met(join, units):
    with pytest.raises(WorkflowError):
        asking(join, units)


def test_what_an_action_requires_must_be_given(workflow):
    case = Case(workflow("single_review"))
    with pytest.raises(Missing) as missing:
        case.do("request_correction", given=["comment"])
    assert missing.value.name == "fields"
    assert missing.value.text.en
    for action in ("propose_rejection", "return_application"):
        with pytest.raises(Missing):
            case.do(action, given=[])


def test_a_stage_is_left_until_one_of_its_actions_was_taken(workflow):
    case = Case(workflow("single_review"), {"stages": ["booking"]})
    assert {"confirm_slot", "arrange_slot"} & case.offered("task").keys() == {"arrange_slot"}
    case.do("arrange_slot")
    case.do("no_show")
    assert "propose_approval" not in case.offered("task"), "who did not come is asked again"
    case.facts["case.booking"] = "held"
    case.do("confirm_slot")
    case.do("attended")
    assert "propose_approval" in case.offered("task")
    assert "confirm_slot" not in case.offered("task")


def test_a_service_may_set_the_limit_of_a_task(workflow):
    periods = {"township_review": {"kind": "CD", "period": 14}}
    case = Case(workflow("township_then_county"), {"periods": periods})
    assert (case.last.open[0].period.kind, case.last.open[0].period.period) == ("CD", 14)
    step = case.do("propose_forwarding")
    assert step.open[0].period.period == 2, "the others keep that of the workflow"


def test_the_engine_changes_nothing_it_was_given(workflow):
    case = Case(workflow("single_review"))
    before = case.snapshot
    action = Action("propose_approval", "task", case.open[0].id, frozenset({"officer"}), frozenset())
    assert engine.take(case.definition, before, action) == engine.take(case.definition, before, action)
    assert before == case.snapshot
