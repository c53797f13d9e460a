"""When something is needed, in the words of the questions that decide it."""

from __future__ import annotations

import pytest

from forms.circumstances import circumstances
from forms.model import FormDefinition
from rules.conditions import Condition, parse
from tests.form_fixtures import factory_form, form_named


def said(form: FormDefinition, key: str, lang: str = "zh") -> str:
    field = form.field(key)
    return circumstances([form.section_of(key).when, field.when, field.required_when], form, lang)


@pytest.mark.parametrize(
    ("form", "key", "zh", "en"),
    [
        (
            "statistics_request",
            "power_of_attorney",
            "「申請方式」選「代理人」，而且符合其中一項：「代理人與申請人的關係」選「受申請人委託」；"
            "或「申請人類別」選「公司或商號」或「機關、學校或團體」",
            "you choose “An agent” for “Filed by”, and either you choose “Authorised by the applicant” for “How the "
            "agent comes to act”, or you choose “A company or business” or “An agency, school or association” for "
            "“Type of applicant”",
        ),
        (
            "archive_access",
            "registration_certificate",
            "「申請人類別」選「公司或商號」",
            "you choose “A company or business” for “Type of applicant”",
        ),
        (
            "building_permit",
            "fire_drawings",
            "「供公眾使用的建築物」答「是」",
            "you answer “yes” to “Building for public use”",
        ),
        (
            "homestay_registration",
            "land_consent",
            "「土地是申請人自己的」答「否」",
            "you answer “no” to “The land is the applicant's own”",
        ),
        (
            "nurse_registration",
            "photo",
            "「申請類別」不是選「停業或歇業」",
            "you choose anything but “Stopping” for “Kind of registration”",
        ),
        (
            "assembly_permit",
            "deputy_consent",
            "有填寫「負責人的代理人姓名」",
            "you fill in “Deputy of the person responsible”",
        ),
    ],
)
def test_documents(form: str, key: str, zh: str, en: str) -> None:
    definition = factory_form(form)
    assert (said(definition, key), said(definition, key, "en")) == (zh, en)


def test_a_question_without_conditions_needs_no_words() -> None:
    form = factory_form("pet_neutering")
    assert circumstances([None, None], form, "zh") == ""


@pytest.mark.parametrize(
    ("condition", "zh", "en"),
    [
        ({"fact": "answers.people", "op": "ge", "value": 20}, "「人數」在 20 以上", "“People” is 20 or more"),
        (
            {"not": {"fact": "answers.people", "op": "ge", "value": 20}},
            "「人數」不到 20",
            "“People” is under 20",
        ),
        ({"fact": "answers.people", "op": "missing"}, "沒有填寫「人數」", "you leave “People” empty"),
        (
            {
                "any": [
                    {"fact": "answers.people", "op": "gt", "value": 5},
                    {
                        "all": [
                            {"fact": "answers.people", "op": "le", "value": 5},
                            {"fact": "answers.people", "op": "ne", "value": 3},
                        ]
                    },
                ]
            },
            "「人數」超過 5，或「人數」在 5 以下並且「人數」不是 3",
            "“People” is over 5, or both “People” is 5 or less and “People” is not 3",
        ),
        (
            {
                "not": {
                    "any": [
                        {"fact": "answers.people", "op": "lt", "value": 2},
                        {"fact": "answers.people", "op": "gt", "value": 9},
                    ]
                }
            },
            "並非（「人數」不到 2，或「人數」超過 9）",
            "not (“People” is under 2, or “People” is over 9)",
        ),
        (
            {"fact": "case.channel", "op": "eq", "value": "counter"},
            "case.channel為「counter」",
            "case.channel is “counter”",
        ),
    ],
)
def test_other_conditions(condition: object, zh: str, en: str) -> None:
    form = form_named("numbers")
    problems: list[object] = []
    parsed = parse(condition, path="when", facts=FACTS, params={}, problems=problems)  # type: ignore[arg-type]
    assert problems == [] and parsed is not None
    read: Condition = parsed
    assert (circumstances([read], form, "zh"), circumstances([read, read], form, "en")) == (zh, en)


FACTS = {"answers.people": "number", "case.channel": "text"}
