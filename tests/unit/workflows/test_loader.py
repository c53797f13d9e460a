"""A workflow that could get stuck is refused, with the path of every mistake at once."""

import copy

import pytest

from rules.values import DefinitionError
from workflows import loader


def text(zh="文字"):
    return {"zh": zh, "en": "text"}


GOOD = {
    "key": "tiny",
    "code": "P02",
    "title": text(),
    "initial": "review",
    "parameters": {"limit": 2},
    "everywhere": {
        "withdraw": {"label": text(), "by": "citizen", "to": "gone", "effects": ["stop_clock"]},
    },
    "states": {
        "review": {
            "label": text(),
            "citizen_label": text(),
            "kind": "active",
            "tasks": [{"key": "review", "label": text("審查"), "function": "officer"}],
            "transitions": {
                "grant": {"label": text(), "by": "task", "to": "done", "effects": ["stop_clock"]},
                "ask": {"label": text(), "by": "task", "to": "waiting", "requires": ["fields"]},
                "share": {"label": text(), "by": "task", "to": "shared"},
            },
        },
        "waiting": {
            "label": text(),
            "citizen_label": text(),
            "kind": "correction",
            "transitions": {"answer": {"label": text(), "by": "citizen", "to": "review"}},
        },
        "shared": {
            "label": text(),
            "citizen_label": text(),
            "kind": "active",
            "tasks": [
                {
                    "key": "opinion",
                    "label": text("意見"),
                    "function": "co_reviewer",
                    "unit": {"each": "service.units"},
                    "join": {"quorum": 2},
                }
            ],
            "transitions": {"answer": {"label": text(), "by": "task", "completes": "task"}},
            "joined": [{"to": "review"}],
        },
        "done": {"label": text(), "citizen_label": text(), "kind": "closed", "outcome": "granted"},
        "gone": {"label": text(), "citizen_label": text(), "kind": "closed", "outcome": "withdrawn"},
    },
}


def changed(path, value):
    """GOOD with one place set, or removed when the value is None."""
    data = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = data
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return data


def problems(data, **options):
    with pytest.raises(DefinitionError) as refused:
        loader.load(data, **options)
    found = {}
    for problem in refused.value.problems:
        found[problem.path] = found.get(problem.path, "") + str(problem.message)
    return found


def test_a_good_workflow_loads():
    definition = loader.load(GOOD)
    assert list(definition.states) == ["review", "waiting", "shared", "done", "gone"]
    review = definition.states["review"]
    assert list(review.transitions) == ["grant", "ask", "share", "withdraw"]
    assert (review.transitions["grant"].task, review.transitions["grant"].functions) == (
        "review",
        ("officer",),
    )
    opinion = definition.states["shared"].tasks[0]
    assert (opinion.each, opinion.join, opinion.unit) == ("units", 2, "handling")


@pytest.mark.parametrize(
    ("path", "value", "where", "says"),
    [
        # structure
        ("states.review.label", None, "states.review.label", "缺少"),
        ("states.review.lable", "審查", "states.review.lable", "是否為「label」"),
        ("states.review.kind", "activ", "states.review.kind", "active、correction、closed"),
        ("states.review.tasks", "x", "states.review.tasks", "清單"),
        ("states.review", "x", "states.review", "鍵: 值"),
        ("states.review.transitions.grant", "x", "states.review.transitions.grant", "鍵: 值"),
        ("states.review.transitions.grant.by", "officer", "states.review.transitions.grant.by", "task"),
        (
            "states.shared.tasks.0.join",
            {"quorum": 0},
            "states.shared.tasks[0].join",
            "all、any 或 {quorum: 至少",
        ),
        (
            "states.shared.tasks.0.period",
            {"kind": "D", "period": 2},
            "states.shared.tasks[0].period.kind",
            "WD",
        ),
        (
            "states.shared.tasks.0.period",
            {"kind": "WD", "period": "2"},
            "states.shared.tasks[0].period.period",
            "整數",
        ),
        ("states.Review", GOOD["states"]["done"], "states.Review.key", "寫法"),
        ("code", "P2", "code", "P2"),
        ("states.review.label", {"zh": "", "en": ""}, "states.review.label.zh", "空白"),
        # names
        ("initial", "reveiw", "initial", "是否為「review」"),
        ("states.review.transitions.grant.to", "don", "states.review.transitions.grant.to", "是否為「done」"),
        ("states.shared.joined", [{"to": "nowhere"}], "states.shared.joined[0].to", "nowhere"),
        ("states.review.tasks.0.function", "clrk", "states.review.tasks[0].function", "clrk"),
        (
            "states.review.transitions.grant.functions",
            ["boss", "officer"],
            "states.review.transitions.grant.functions",
            "boss",
        ),
        (
            "states.review.transitions.grant.task",
            "reviw",
            "states.review.transitions.grant.task",
            "是否為「review」",
        ),
        (
            "states.review.transitions.grant.effects",
            ["stop_clok"],
            "states.review.transitions.grant.effects[0]",
            "stop_clock",
        ),
        (
            "states.review.transitions.grant.effects",
            ["stop_clock", "notify_applicant:hello"],
            "states.review.transitions.grant.effects[1]",
            "hello",
        ),
        # guards
        (
            "states.review.transitions.share.when",
            {"fact": "answers.moon", "op": "eq", "value": 1},
            "states.review.transitions.share.when.fact",
            "answers.moon",
        ),
        (
            "states.review.transitions.share.when",
            {"fact": "case.inspections", "op": "lt", "value": {"param": "limt"}},
            "states.review.transitions.share.when.value",
            "是否為「limit」",
        ),
        (
            "states.shared.transitions.answer.outcome_from",
            "task.opinon",
            "states.shared.transitions.answer.outcome_from",
            "是否為「task.opinion」",
        ),
        (
            "states.waiting.transitions.answer.carries",
            True,
            "states.waiting.transitions.answer",
            "carries",
        ),
        ("stages", {"fee": ["grnat"]}, "stages.fee[0]", "是否為「grant」"),
        (
            "states.review.transitions.share.when",
            {"fact": "service.stages", "op": "contains", "value": "fee"},
            "states.review.transitions.share.when",
            "階段",
        ),
        (
            "states.shared.joined",
            [
                {"to": "done", "when": {"fact": "case.actions", "op": "contains", "value": "grnat"}},
                {"to": "review"},
            ],
            "states.shared.joined[0].when",
            "是否為「grant」",
        ),
        # ways out
        ("states.review.tasks", [], "states.review", "沒有待辦"),
        ("states.waiting.transitions", {}, "states.waiting", "申請人"),
        ("states.done.outcome", None, "states.done.outcome", "結果"),
        ("states.review.outcome", "granted", "states.review.outcome", "結束"),
        ("states.done.tasks", GOOD["states"]["review"]["tasks"], "states.done", "不可再有待辦"),
        ("states.review.transitions.grant.effects", [], "states.review.transitions.grant", "stop_clock"),
        ("states.review.transitions.grant.to", None, "states.review.transitions.grant.to", "去向"),
        ("states.alone", GOOD["states"]["waiting"], "states.alone", "走不到這個狀態"),
        ("states.review.transitions.grant.to", "waiting", "states.review", "走不到任何結束的狀態"),
        # tasks
        (
            "states.review.tasks",
            [*GOOD["states"]["review"]["tasks"], {"key": "second", "label": "另一項", "function": "officer"}],
            "states.review.tasks[1]",
            "沒有一個隨時可做的動作",
        ),
        (
            "states.review.tasks",
            GOOD["states"]["review"]["tasks"] * 2,
            "states.review.tasks[1].key",
            "重複",
        ),
        (
            "states.review.transitions.ask.requires",
            ["form"],
            "states.review.transitions.ask.requires",
            "沒有表單",
        ),
        (
            "states.waiting.transitions.answer.functions",
            ["officer"],
            "states.waiting.transitions.answer",
            "by: task",
        ),
        # joins
        ("states.shared.joined", [], "states.shared.transitions.answer", "joined"),
        ("parameters", {"limit": 2, "units": ["PO"]}, "states.shared.tasks[0].join", "永遠不會會合"),
        ("parameters", {"limit": 2, "units": ["PO", "EP", "EP"]}, "parameters.units[2]", "單位「EP」重複"),
        ("states.review.tasks.0.join", "any", "states.review.tasks[0].join", "永遠不會算到它"),
        ("states.shared.tasks.0.unit", "handling", "states.shared.tasks[0].join", "永遠不會會合"),
        ("states.shared.transitions.answer.to", "review", "states.shared.transitions.answer.to", "joined"),
        (
            "states.review.joined",
            [{"to": "done", "effects": ["stop_clock"]}],
            "states.review.joined",
            "永遠不會會合",
        ),
        (
            "states.shared.joined",
            [{"to": "review", "when": {"fact": "task.outcomes", "op": "contains", "value": "agree"}}],
            "states.shared.joined",
            "最後一項不可有條件",
        ),
        (
            "states.review.tasks.0.unit",
            {"each": "service.units"},
            "states.review.tasks[0]",
            "completes",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(path, value, where, says):
    found = problems(changed(path, value))
    assert says in found[where]


def test_a_state_whose_every_action_has_a_condition_may_get_stuck():
    data = copy.deepcopy(GOOD)
    for action in data["states"]["review"]["transitions"].values():
        action["when"] = {"fact": "case.proposal", "op": "eq", "value": "grant"}
    assert problems(data) == {"states.review.tasks[0]": "「審查」沒有一個隨時可做的動作，案件可能卡住"}


def test_all_mistakes_are_told_at_once():
    data = changed("states.review.tasks.0.function", "clrk")
    data["states"]["alone"] = GOOD["states"]["waiting"]
    data["states"]["shared"]["tasks"][0]["unit"] = "XX"
    data["states"]["review"]["transitions"]["share"]["when"] = {"fact": "answers.moon", "op": "exists"}
    data["states"]["review"]["transitions"]["grant"]["effects"] = ["stop_clock", "fly"]
    found = problems(data, units=frozenset({"PO", "EP"}))
    assert found.keys() >= {
        "states.review.tasks[0].function",
        "states.alone",
        "states.shared.tasks[0].unit",
        "states.shared.tasks[0].join",
        "states.review.transitions.share.when.fact",
        "states.review.transitions.grant.effects[1]",
    }
    assert all(message for message in found.values())


def handed_over(**changes):
    """GOOD, where the decision is issued before the certificate is handed over."""
    data = changed("states.review.transitions.grant.to", "handing")
    data["states"]["review"]["transitions"]["grant"]["effects"] = ["stop_clock", "issue_decision"]
    data["states"]["handing"] = {
        "label": text("領件"),
        "citizen_label": text(),
        "kind": "active",
        "decided": True,
        "tasks": [{"key": "handing", "label": text(), "function": "officer"}],
        "transitions": {"fetched": {"label": text(), "by": "task", "to": "done", "effects": ["stop_clock"]}},
    } | changes
    return data


def test_after_the_decision_nothing_is_withdrawn():
    assert list(loader.load(handed_over()).states["handing"].transitions) == ["fetched"]
    found = problems(
        handed_over(transitions={"withdraw": {**GOOD["everywhere"]["withdraw"]}, **_fetched("done")})
    )
    assert "不能再撤回" in found["states.handing.transitions.withdraw"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"decided": False}, "decided: true"),
        ({"transitions": {}}, "結束"),
        ({"kind": "correction", "tasks": []}, "不能再請申請人補正"),
    ],
)
def test_a_state_after_the_decision_says_so_and_asks_nothing_any_more(changes, says):
    assert says in " ".join(problems(handed_over(**changes)).values())


def _fetched(to, *effects):
    return {"fetched": {"label": text(), "by": "task", "to": to, "effects": ["stop_clock", *effects]}}


def test_a_case_is_decided_once():
    again = problems(handed_over(transitions=_fetched("done", "issue_rejection")))
    assert "不能再發一次" in again["states.handing.transitions.fetched"]
    back = problems(handed_over(transitions={**_fetched("review"), "end": _fetched("done")["fetched"]}))
    assert "不能回到" in back["states.handing.transitions.fetched"]


def test_a_published_revision_is_read_though_checks_came_later():
    data = handed_over(decided=False)
    assert loader.load(data, published=True).states["handing"].transition("withdraw") is not None


def test_withdrawing_does_not_hide_a_dead_end():
    data = changed("states.shared.joined", [{"to": "shared"}])
    assert "撤回除外" in problems(data)["states.shared"]


def test_facts_and_functions_of_the_caller_are_known():
    data = changed("states.review.transitions.share.when", {"fact": "answers.area", "op": "gt", "value": 3})
    data["states"]["review"]["tasks"][0]["function"] = "ranger"
    functions = frozenset({"ranger", "co_reviewer"})
    assert loader.load(data, facts={"answers.area": "number"}, functions=functions)


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {"states": []}, {"states": {1: {}}}, {"states": {"a": None}}]
)
def test_nonsense_is_refused_without_an_exception_of_another_kind(data):
    assert problems(data)


def test_files_are_read_by_their_key(tmp_path):
    (tmp_path / "tiny.yaml").write_text("key: tiny\n", encoding="utf-8")
    (tmp_path / "other.yaml").write_text("key: tiny\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("key: [\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        loader.read_all(tmp_path)
    assert [problem.path for problem in refused.value.problems] == ["broken.yaml:2", "other.yaml"]
    (tmp_path / "other.yaml").unlink()
    (tmp_path / "broken.yaml").unlink()
    assert loader.read_all(tmp_path) == {"tiny": {"key": "tiny"}}
