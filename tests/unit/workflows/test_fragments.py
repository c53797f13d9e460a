"""What workflows share: put where the definition says, the definition's own words first, mistakes with their path."""

import pytest

from rules.values import DefinitionError
from workflows import fragments, loader

SHARED = {
    "asking": {
        "fragment": "asking",
        "places": {"desk": None, "answered": "$desk"},
        "parameters": {"times": 2},
        "stages": {"asking": ["answer"]},
        "everywhere": {"leave": {"to": "gone"}},
        "states": {
            "$desk": {"transitions": {"ask": {"label": "問", "to": "waiting", "effects": ["pause_clock"]}}},
            "waiting": {"label": "等", "transitions": {"answer": {"to": "$answered"}}},
            "gone": {"label": "離開"},
        },
    }
}


def expanded(places, **own):
    data = {"key": "tiny", "states": {"a": {"label": "甲"}, "b": {"label": "乙"}}, **own}
    return fragments.expand({**data, "include": {"asking": places}}, SHARED)


def test_a_fragment_goes_where_the_definition_says():
    whole = expanded({"desk": "a"})
    assert whole == {
        "key": "tiny",
        "parameters": {"times": 2},
        "stages": {"asking": ["answer"]},
        "everywhere": {"leave": {"to": "gone"}},
        "states": {
            "a": {
                "label": "甲",
                "transitions": {"ask": {"label": "問", "to": "waiting", "effects": ["pause_clock"]}},
            },
            "b": {"label": "乙"},
            "waiting": {"label": "等", "transitions": {"answer": {"to": "a"}}},
            "gone": {"label": "離開"},
        },
    }


def test_of_several_desks_each_asks_and_the_first_is_answered():
    states = expanded({"desk": ["b", "a"]})["states"]
    assert "ask" in states["a"]["transitions"] and "ask" in states["b"]["transitions"]
    assert states["waiting"]["transitions"]["answer"]["to"] == "b"
    assert expanded({"desk": "a", "answered": "b"})["states"]["waiting"]["transitions"]["answer"]["to"] == "b"


def test_what_the_definition_says_itself_wins():
    own = {
        "states": {
            "a": {"label": "甲", "transitions": {"ask": {"label": "自己的話"}}},
            "gone": {"label": "走了"},
        }
    }
    whole = expanded({"desk": "a"}, parameters={"times": 5}, stages={"asking": []}, **own)
    assert whole["states"]["a"]["transitions"]["ask"] == {
        "label": "自己的話",
        "to": "waiting",
        "effects": ["pause_clock"],
    }
    assert whole["states"]["gone"]["label"] == "走了"
    assert (whole["parameters"], whole["stages"]) == ({"times": 5}, {"asking": []})


def test_actions_and_states_may_be_left_out():
    states = expanded({"desk": "a", "without": ["ask", "gone"]})["states"]
    assert set(states) == {"a", "b", "waiting"} and "transitions" not in states["a"]


def test_the_fragment_itself_stays_as_it_was():
    before = repr(SHARED)
    expanded({"desk": "a"})["states"]["waiting"]["transitions"]["answer"]["to"] = "elsewhere"
    assert repr(SHARED) == before


@pytest.mark.parametrize(
    ("include", "path", "says"),
    [
        ({"asknig": {"desk": "a"}}, "include.asknig", "是否為「asking」"),
        ({"asking": {}}, "include.asking.desk", "哪一個狀態"),
        ({"asking": {"desk": []}}, "include.asking.desk", "哪一個狀態"),
        ({"asking": {"desk": "a", "dsek": "b"}}, "include.asking.dsek", "是否為「desk」"),
        ({"asking": "a"}, "include.asking", "鍵: 值"),
        (["asking"], "include", "鍵: 值"),
    ],
)
def test_a_mistake_is_named_with_its_path(include, path, says):
    with pytest.raises(DefinitionError) as refused:
        fragments.expand({"key": "tiny", "states": {}, "include": include}, SHARED)
    assert {problem.path: says in problem.message.zh for problem in refused.value.problems} == {path: True}


def test_a_file_with_a_wrong_include_is_named(tmp_path):
    (tmp_path / "_shared").mkdir()
    (tmp_path / "_shared" / "asking.yaml").write_text("fragment: asking\nstates: {}\n", encoding="utf-8")
    (tmp_path / "tiny.yaml").write_text("key: tiny\ninclude: {asknig: {}}\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        loader.read_all(tmp_path)
    assert [problem.path for problem in refused.value.problems] == ["tiny.yaml include.asknig"]
    (tmp_path / "tiny.yaml").write_text("key: tiny\ninclude: {asking: {}}\n", encoding="utf-8")
    assert loader.read_all(tmp_path) == {"tiny": {"key": "tiny", "states": {}}}


def test_what_is_stored_needs_no_fragment_any_more():
    for key, data in loader.read_all().items():
        assert "include" not in data and "$" not in repr(data), key
