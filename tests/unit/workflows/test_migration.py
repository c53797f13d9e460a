"""What stands against a running case going on under another revision."""

import copy

import pytest

from workflows import loader
from workflows.migration import BadMapping, Standing, check_mapping, obstacles

BODY = loader.read_all()["single_review"]
OLD = loader.load(BODY)
AT_APPROVAL = Standing("approve", frozenset({"review", "approve"}))


@pytest.fixture
def body():
    return copy.deepcopy(BODY)


def against(body, standing=AT_APPROVAL, **mapping):
    return [str(text) for text in obstacles(OLD, loader.load(body), standing, mapping)]


def renamed(body, old, new):
    """The same workflow with one state called otherwise."""
    states = {new if key == old else key: state for key, state in body["states"].items()}
    for state in states.values():
        for action in state.get("transitions", {}).values():
            action["to"] = new if action["to"] == old else action["to"]
    return {**body, "states": states}


def test_what_the_case_never_met_may_change(body):
    body["states"]["correction"]["citizen_label"] = "請補正"
    assert against(body) == []


def test_a_changed_state_behind_the_case_keeps_it(body):
    body["states"]["review"]["transitions"]["return_application"]["label"] = "退回"
    assert against(body) == ["「承辦審查」（review）的內容已改變；確認可以移轉請加 --map review=review"]
    assert against(body, review="review") == []


def test_a_changed_task_that_the_case_holds_keeps_it_even_with_a_mapping(body):
    body["states"]["approve"]["tasks"][0]["function"] = "department_head"
    assert len(against(body)) == 1 and "--map approve=approve" in against(body)[0]
    assert against(body, approve="approve") == [
        "「主管決行」的待辦和「主管決行」不同，已開的待辦會沒有人接手"
    ]


def test_a_renamed_state_needs_a_mapping(body):
    body = renamed(body, "approve", "decide")
    assert any("新版沒有「主管決行」（approve）" in each for each in against(body))
    # the review leads to it, so it has changed too
    assert against(body, approve="decide", review="review") == []


def test_a_case_never_lands_in_another_kind_of_state(body):
    body["states"]["approve"]["label"] = "決行"
    said = against(body, approve="correction")
    assert said == ["「補正中」和「主管決行」不是同一種狀態，案件不能直接進入"]


@pytest.mark.parametrize("mapping", [{"aprove": "approve"}, {"approve": "aprove"}])
def test_a_mapping_names_states_that_exist(mapping):
    with pytest.raises(BadMapping, match=r"沒有「aprove」這個狀態.*approve"):
        check_mapping(OLD, OLD, mapping)
