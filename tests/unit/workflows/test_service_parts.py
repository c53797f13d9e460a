"""What services share is written once; a mistake in an include is named with its path."""

from __future__ import annotations

import pytest

from rules.values import DefinitionError
from workflows.service_parts import expand

PARTS = {
    "letters": {"gives": {"letters": {"receipt": "共用收據", "grant": "共用核准"}}},
    "appeal": {
        "takes": ["authority"],
        "gives": {"remedy": {"zh": "向$authority提起訴願", "en": "an appeal to $authority"}},
    },
}
INTERIOR = {"authority": {"zh": "內政部", "en": "the Ministry of the Interior"}}


def test_parts_are_put_in_place_and_what_the_service_says_wins() -> None:
    raw = {"code": "XX01", "include": {"letters": {}, "appeal": INTERIOR}, "letters": {"grant": "自己的"}}
    assert expand(raw, PARTS) == {
        "code": "XX01",
        "letters": {"receipt": "共用收據", "grant": "自己的"},
        "remedy": {"zh": "向內政部提起訴願", "en": "an appeal to the Ministry of the Interior"},
    }
    assert "include" in raw, "the file is not touched"


def test_a_service_without_include_stays_as_it_is() -> None:
    assert expand({"code": "XX01"}, PARTS) == {"code": "XX01"}


@pytest.mark.parametrize(
    ("include", "path", "says"),
    [
        (["letters"], "include", "必須是一組"),
        ({"leters": {}}, "include.leters", "是否為「letters」"),
        ({"letters": "yes"}, "include.letters", "必須是一組"),
        ({"appeal": {}}, "include.appeal.authority", "必須寫明"),
        ({"appeal": {**INTERIOR, "autority": 1}}, "include.appeal.autority", "是否為「authority」"),
    ],
)
def test_a_wrong_include_is_named(include: object, path: str, says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        expand({"include": include}, PARTS)
    (problem,) = refused.value.problems
    assert problem.path == path and says in problem.message.zh
