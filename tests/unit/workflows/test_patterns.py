"""The factory workflows: each driven through its roads, and never stuck whatever happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import engine, loader
from workflows.engine import GuardFailed, Missing
from workflows.functions import FUNCTIONS

from .memory_case import EVERYTHING, Case

PATTERNS = {
    "counter_issue": "P01",
    "single_review": "P02",
    "multi_level_approval": "P03",
    "parallel_co_review": "P04",
    "on_site_inspection": "P05",
    "committee_review": "P06",
    "fee_then_issue": "P07",
    "appointment": "P08",
    "notification": "P09",
    "petition": "P10",
    "remedy": "P11",
    "township_then_county": "P12",
}
UNITS = {"co_review_units": ["PO", "EP"]}
#: what bank and committee do when all goes well
FORWARD = ("paid", "committee_pass")
#: what any service may switch on, whatever its pattern
STAGES = frozenset({"fee", "inspection", "committee", "booking", "township"})


def test_the_factory_has_these_patterns():
    found = {key: raw["code"] for key, raw in loader.read_all().items()}
    assert {key: code for key, code in found.items() if code.startswith("P")} == PATTERNS


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_every_label_is_bilingual(workflow, key):
    definition = workflow(key)
    texts = [definition.title]
    for state in definition.states.values():
        texts += [state.label, state.citizen_label, *(task.label for task in state.tasks)]
        for t in state.transitions.values():
            texts += [text for text in (t.label, t.refusal, t.confirm) if text is not None]
    assert [text.zh for text in texts if not text.en] == []


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_a_citizen_can_withdraw_until_it_is_decided(workflow, key):
    for state in workflow(key).states.values():
        withdraw = state.transitions.get("withdraw")
        if state.kind == "closed" or state.decided:
            assert withdraw is None
        else:
            assert (withdraw.by, withdraw.to, withdraw.when) == ("citizen", "withdrawn", None)
            assert "stop_clock" in withdraw.effects
            assert ("close_correction" in withdraw.effects) == (state.kind == "correction")


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_a_negative_answer_always_has_a_reason(workflow, key):
    for state in workflow(key).states.values():
        for t in state.transitions.values():
            if t.proposes == "reject" or t.name in ("send_back", "return_application", "request_correction"):
                assert "comment" in t.requires, (state.key, t.name)


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_a_correction_pauses_the_clock_and_its_answer_resumes_it(workflow, key):
    definition = workflow(key)
    for state in definition.states.values():
        for t in state.transitions.values():
            into = t.to is not None and definition.states[t.to].kind == "correction"
            assert ("pause_clock" in t.effects) == ("open_correction" in t.effects) == into
            if state.kind == "correction" and definition.states[t.to].kind != "closed":
                assert {"resume_clock", "close_correction"} <= set(t.effects)


# --- P02 -------------------------------------------------------------------------------------------------


def test_single_review_grants(workflow):
    case = Case(workflow("single_review"))
    assert (case.last.from_state, case.state, case.open[0].function) == (None, "review", "officer")
    step = case.do("propose_approval")
    assert (step.proposal, step.open[0].function) == ("grant", "section_head")
    assert set(case.offered("task", ["section_head"])) == {"approve", "send_back"}
    step = case.do("approve")
    assert (step.closed, step.outcome, step.open) == (True, "granted", ())
    assert step.effects == ("stop_clock", "issue_decision", "join_payment_list")


def test_single_review_corrects_sends_back_and_rejects(workflow):
    case = Case(workflow("single_review"))
    assert case.do("request_correction").effects == (
        "open_correction",
        "pause_clock",
        "notify_applicant:correction",
    )
    assert case.open == []
    assert set(case.offered("citizen")) == {"resubmit", "withdraw"}
    case.do("resubmit")
    case.do("propose_approval")
    case.do("send_back")
    case.do("propose_rejection")
    with pytest.raises(GuardFailed) as refused:
        case.do("approve")
    assert "退回重擬" in refused.value.text.zh
    assert case.do("confirm_rejection").outcome == "rejected"


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [
        (["return_application"], "returned"),
        (["withdraw"], "withdrawn"),
        (["request_correction", "withdraw"], "withdrawn"),
        (["request_correction", "lapse", "propose_approval", "approve"], "granted"),
        (["propose_approval", "withdraw"], "withdrawn"),
    ],
)
def test_single_review_ends(workflow, actions, outcome):
    case = Case(workflow("single_review"))
    for action in actions:
        case.do(action)
    assert (case.last.closed, case.last.outcome, case.open) == (True, outcome, [])


def test_withdrawing_cancels_the_open_task(workflow):
    case = Case(workflow("single_review"))
    assert case.do("withdraw").cancel == (1,)


# --- P04 -------------------------------------------------------------------------------------------------


def co_reviewed(workflow, *opinions):
    case = Case(workflow("parallel_co_review"), UNITS)
    case.do("split")
    for unit, opinion in zip(("PO", "EP"), opinions, strict=True):
        case.do("give_opinion", branch=unit, opinion=opinion)
    return case


def test_co_review_joins_and_grants(workflow):
    case = co_reviewed(workflow, "agree", "agree_with_conditions")
    assert case.state == "consolidate"
    case.do("propose_approval")
    assert case.do("approve").outcome == "granted"


def test_an_objection_is_never_approved_without_another_round(workflow):
    case = co_reviewed(workflow, "disagree", "agree")
    assert case.state == "objection"
    assert set(case.offered("task")) == {"request_correction", "ask_again", "propose_rejection"}
    case.do("ask_again")
    assert [task.branch for task in case.open] == ["PO", "EP"]
    case.do("give_opinion", branch="PO", opinion="agree")
    case.do("give_opinion", branch="EP", opinion="agree")
    assert case.state == "consolidate"


def test_what_no_unit_has_seen_cannot_be_approved(workflow):
    case = Case(workflow("parallel_co_review"), UNITS)
    case.do("propose_rejection")
    case.do("send_back")
    with pytest.raises(GuardFailed):
        case.do("propose_approval")
    case.do("ask_again")
    assert case.state == "co_review"


def test_wording_is_sent_back_without_another_round(workflow):
    case = co_reviewed(workflow, "agree", "agree")
    case.do("propose_approval")
    case.do("send_back")
    case.do("propose_approval")
    assert case.do("approve").outcome == "granted"


# --- P05 -------------------------------------------------------------------------------------------------


def visited(workflow, **params):
    case = Case(workflow("on_site_inspection"), params)
    case.do("pass_papers")
    case.do("schedule")
    return case


def test_inspection_passes(workflow):
    case = visited(workflow)
    assert (case.open[0].function, case.last.open[0].form) == ("inspector", "inspection_record")
    step = case.do("pass", result="pass")
    assert (step.effects, step.proposal) == ((), "grant")
    assert case.do("approve").outcome == "granted"


def test_the_action_must_agree_with_the_record(workflow):
    case = visited(workflow)
    with pytest.raises(GuardFailed):
        case.do("pass", result="improve")
    for action in ("improve", "fail"):
        with pytest.raises(GuardFailed):
            case.do(action, result="pass")


def test_a_place_is_re_inspected_at_most_twice(workflow):
    case = visited(workflow)
    for _ in range(2):
        case.do("improve", result="improve")
        assert (case.state, case.open) == ("improvement", [])
        case.do("improved")
        case.do("schedule")
        assert {"pass", "fail"} <= set(case.offered("task")), "an earlier record does not answer the new one"
    assert "improve" not in case.offered("task")
    case.do("fail", result="improve")
    assert case.do("confirm_rejection").outcome == "rejected"


def test_a_service_may_set_another_limit(workflow):
    case = visited(workflow, reinspection_limit=0)
    with pytest.raises(GuardFailed):
        case.do("improve", result="improve")


def test_after_the_visit_the_wording_may_change_without_a_new_visit(workflow):
    case = visited(workflow)
    case.do("pass", result="pass")
    case.do("send_back")
    case.do("propose_approval")
    assert case.do("approve").outcome == "granted"


def test_what_was_never_visited_cannot_be_approved(workflow):
    case = Case(workflow("on_site_inspection"))
    case.do("propose_rejection")
    case.do("send_back")
    assert set(case.offered("task")) == {"inspect_again", "request_correction", "propose_rejection"}


def test_no_answer_to_an_improvement_comes_back_to_the_officer(workflow):
    case = visited(workflow)
    case.do("improve", result="improve")
    case.do("lapse")
    assert (case.state, case.open[0].function) == ("conclude", "officer")


def test_another_date(workflow):
    case = visited(workflow)
    case.do("reschedule")
    assert case.state == "schedule"


# --- the levels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "heads"),
    [
        (3, ["section_head"]),
        (2, ["section_head", "department_head"]),
        (1, ["section_head", "department_head", "secretary_general", "magistrate"]),
    ],
)
@pytest.mark.parametrize("decision", ["approve", "confirm_rejection"])
def test_the_decision_level_cuts_the_chain(workflow, level, heads, decision):
    case = Case(workflow("multi_level_approval"), facts={"service.decision_level": level})
    case.do("start_draft")
    case.do("propose_approval" if decision == "approve" else "propose_rejection")
    for head in heads:
        assert case.open[0].function == head
        offered = set(case.offered("task", [head]))
        last = head == heads[-1]
        assert (decision in offered, "forward" in offered) == (last, not last)
        assert "send_back" in offered
        if not last:
            assert case.do("forward").carried, "what was proposed goes on to the next head"
    assert case.do(decision).closed


def test_at_level_four_the_officer_decides(workflow):
    for action, outcome in (("decide_approval", "granted"), ("decide_rejection", "rejected")):
        case = Case(workflow("single_review"), facts={"service.decision_level": 4})
        assert {"propose_approval", "propose_rejection"}.isdisjoint(case.offered("task"))
        assert case.do(action).outcome == outcome


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("return_to_secretary", "approve_secretary"),
        ("return_to_department", "approve_department"),
        ("return_to_section", "approve"),
        ("send_back", "draft"),
    ],
)
def test_the_magistrate_returns_it_to_any_earlier_step(workflow, back, to):
    case = Case(workflow("multi_level_approval"), facts={"service.decision_level": 1})
    for action in ("start_draft", "propose_approval", "forward", "forward", "forward"):
        case.do(action)
    with pytest.raises(Missing):
        case.do(back, given=[])
    assert case.do(back).to_state == case.state == to
    assert case.last.carried == (to != "draft"), "the officer starts afresh, a head has the same proposal"


# --- stages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_every_pattern_knows_every_stage(workflow, key):
    assert set(workflow(key).stages) >= STAGES


@pytest.mark.parametrize("stages", [(), *((stage,) for stage in sorted(STAGES)), tuple(sorted(STAGES))])
@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_who_goes_forward_is_granted_after_every_stage(workflow, key, level, stages):
    """Officers who take the way forward, and otherwise what they have not tried, come to the grant."""
    case = Case(workflow(key), {**UNITS, "stages": list(stages)}, {"service.decision_level": level})
    while not case.last.closed:
        assert len(case.steps) < 60, [step.transition for step in case.steps]
        by = "system" if {*FORWARD} & case.offered("system").keys() else "task" if case.open else "citizen"
        offered = [
            t
            for t in case.offered(by).values()
            if t.style != "warning" and (by != "system" or t.name in FORWARD)
        ]
        tried = {(step.from_state, step.transition) for step in case.steps}
        case.facts |= {"task.result": "pass", "task.opinion": "agree"}
        chosen = min(offered, key=lambda t: (t.style != "primary", (case.state, t.name) in tried))
        task_id = next((t.id for t in case.open if t.key == chosen.task), None) if by == "task" else None
        case.do(chosen.name, task_id=task_id)
    assert case.last.outcome == "granted"
    taken = {step.transition for step in case.steps}
    for stage in stages:
        completing = case.definition.stages[stage]
        assert not completing or taken & set(completing), stage


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_nothing_is_granted_while_a_stage_is_left(workflow, stage):
    case = Case(workflow("single_review"), {"stages": [stage]})
    assert "propose_approval" not in case.offered("task")
    with pytest.raises(GuardFailed) as refused:
        case.do("propose_approval")
    assert "階段" in refused.value.text.zh
    plain = Case(workflow("single_review"))
    entries = set(case.offered("task")) - set(plain.offered("task"))
    assert len(entries) == 1, "only a service that has the stage is offered it"


# --- whatever happens ------------------------------------------------------------------------------------


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(PATTERNS)),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sets(st.sampled_from(sorted(STAGES | {"pickup", "dispatch", "agency_reply", "court"}))),
    st.data(),
)
def test_a_case_is_never_stuck(workflow, key, units, level, stages, data):
    """After any actions somebody has an open task they can act on, the citizen an open correction, or it is closed."""
    params = {
        "co_review_units": ["PO", "EP", "LA"][:units],
        "reinspection_limit": data.draw(st.integers(0, 2)),
        "stages": sorted(stages),
    }
    case = Case(workflow(key), params, {"service.decision_level": level})
    for _ in range(data.draw(st.integers(0, 40))):
        state = case.definition.states[case.state]
        if state.kind == "closed":
            break
        if case.facts["case.booking"] != "confirmed":
            case.facts["case.booking"] = data.draw(st.sampled_from([None, "waiting", "held"]))
        result = data.draw(st.sampled_from(["pass", "improve", None]))
        case.facts["task.result"] = result
        case.facts["task.opinion"] = data.draw(
            st.sampled_from(["agree", "agree_with_conditions", "disagree"])
        )
        # of the ends, only one in many: else no walk gets far
        ends = data.draw(st.integers(0, 9)) == 0
        moves = [
            (name, by, task.id if by == "task" else None)
            for task in case.open or [None]
            for by in ("task", "citizen", "system")
            if task or by != "task"
            for name in {
                t.name
                for t in engine.allowed(
                    case.definition, case.snapshot, by, FUNCTIONS, task.id if by == "task" else None
                )
                if ends or t.to is None or case.definition.states[t.to].kind != "closed"
            }
        ]
        if not moves:
            continue
        name, by, task_id = data.draw(st.sampled_from(sorted(moves, key=str)))
        action = engine.Action(name, by, task_id, FUNCTIONS, EVERYTHING)
        try:
            case.apply(engine.take(case.definition, case.snapshot, action))
        except GuardFailed:
            assert "form" in state.transitions[name].requires, "only a form can refuse what was offered"
        _check_not_stuck(case)


def _check_not_stuck(case):
    state = case.definition.states[case.state]
    if state.kind == "closed":
        assert case.open == []
        assert "stop_clock" in case.last.effects
        assert case.last.outcome is not None
    elif state.kind == "correction":
        assert set(case.offered("citizen")) > {"withdraw"}
        assert set(case.offered("system")) == {"lapse"}
    else:
        assert case.open
        for task in case.open:
            mine = frozenset({task.function})
            assert engine.allowed(case.definition, case.snapshot, "task", mine, task.id)
