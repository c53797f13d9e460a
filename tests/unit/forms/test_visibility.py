from typing import Any

from forms import loader
from forms.visibility import css
from tests.form_fixtures import form_named


def rules(*fields: dict[str, Any]) -> list[str]:
    section = {"key": "page", "title": "頁", "fields": list(fields)}
    sheet = css(loader.load({"key": "tiny", "title": "小", "sections": [section]}))
    lines = sheet.splitlines()
    if lines:
        assert (lines[0], lines[-1]) == ("@supports selector(:has(*)) {", "}")
    return [line.strip().removesuffix(" { display: none; }") for line in lines[1:-1]]


def named(when: dict[str, Any]) -> dict[str, Any]:
    return {"key": "name", "type": "text", "label": "名", "when": when}


A_OR_B = [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]
KIND = {"key": "kind", "type": "choice", "label": "類", "options": A_OR_B}
KINDS = {"key": "kinds", "type": "multichoice", "label": "類", "options": A_OR_B}
URGENT = {"key": "urgent", "type": "boolean", "label": "急"}
AMOUNT = {"key": "amount", "type": "money", "label": "元"}
KIND_IS_A = {"fact": "answers.kind", "op": "eq", "value": "a"}
IS_URGENT = {"fact": "answers.urgent", "op": "eq", "value": True}
NOT_A = ':has([name="kind"]):not(:has([name="kind"][value="a"]:checked, [name="kind"] [value="a"]:checked))'
NOT_URGENT = NOT_A.replace("kind", "urgent").replace('"a"', '"yes"')


def test_nothing_to_hide() -> None:
    assert css(form_named("texts")) == ""


def test_a_choice_hides_what_it_rules_out_where_it_is_on_the_page() -> None:
    assert rules(KIND, named(KIND_IS_A)) == [f"form{NOT_A} #field-name"]
    assert rules(URGENT, named(IS_URGENT)) == [f"form{NOT_URGENT} #field-name"]
    assert rules(KINDS, named({"fact": "answers.kinds", "op": "contains", "value": "a"})) == [
        f"form{NOT_A.replace('kind', 'kinds')} #field-name"
    ]
    assert rules(KIND, named({"fact": "answers.kind", "op": "in", "value": ["a", "b"]})) == [
        'form:has([name="kind"]):not(:has([name="kind"][value="a"]:checked, [name="kind"] [value="a"]:checked, '
        '[name="kind"][value="b"]:checked, [name="kind"] [value="b"]:checked)) #field-name'
    ]


def test_all_is_false_when_one_part_is_and_any_when_every_part_is() -> None:
    both = {"all": [KIND_IS_A, IS_URGENT, {"fact": "answers.amount", "op": "gt", "value": 5}]}
    assert rules(KIND, URGENT, AMOUNT, named(both)) == [f"form:is({NOT_A}, {NOT_URGENT}) #field-name"]
    either = {"any": [KIND_IS_A, IS_URGENT]}
    assert rules(KIND, URGENT, named(either)) == [f"form{NOT_A}{NOT_URGENT} #field-name"]


def test_what_cannot_be_seen_in_a_choice_hides_nothing() -> None:
    typed = {"fact": "answers.amount", "op": "gt", "value": 5}
    for when in (
        typed,
        {"any": [typed, KIND_IS_A]},
        {"not": KIND_IS_A},
        {"fact": "answers.kind", "op": "exists"},
    ):
        assert rules(KIND, AMOUNT, named(when)) == []


def test_the_village_of_an_address_elsewhere() -> None:
    chosen = '[name="home-township"][value="other"]:checked, [name="home-township"] [value="other"]:checked'
    assert rules({"key": "home", "type": "address", "label": "址"}) == [
        f"form:has({chosen}) #field-home-village"
    ]


def test_sections_and_facts_from_elsewhere() -> None:
    sheet = css(form_named("conditions"))
    assert "#section-second" in sheet
    assert "paper_no" not in sheet and "case.channel" not in sheet
    assert '[name="home-township"][value="LY"]:checked' in sheet
