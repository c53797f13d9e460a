from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from forms import answers
from forms.evaluation import settled
from tests.form_fixtures import NAMES, TODAY, every_type, factory_form, fill, form_named, listed

#: a valid filling of every fixture
VALID: Mapping[str, Mapping[str, object]] = {
    "texts": {"name": "王小明", "story": "一\n二", "chip": "123456", "permit": "AB-123"},
    "codes": {
        "person": "A123456789",
        "company": "04595257",
        "either": "A800000014",
        "phone": "082-318823#62901",
        "email": "name@example.com",
        "parcel": "0123-0001",
        "share": "1/2",
        "household": "W1234567",
        "plate": "ABC-1235",
    },
    "numbers": {"people": "3", "depth": "1.5", "change": "-0.5", "amount": "3500", "count": "0"},
    "dates": {"birth": "47/3/9", "start": "115/3/2", "end": "2026/3/3"},
    "choices": {
        "species": "dog",
        "tools": ["spade", "drill"],
        "night": "no",
        "township": "LY",
        "consent": "yes",
    },
    "address": {"home-township": "LY", "home-village": "西口村", "home-detail": "雙口12號"},
    "bank_account": {"bank-bank": "700", "bank-account": "00123456789012", "bank-holder": "王小明"},
    "route": {"route-description": "民生路", "route-line": "24.400000,118.300000; 24.500000,118.300000"},
    "position": {"place-description": "民生路", "place-point": "24.432100,118.317100"},
    "datetimes": {"start": "115/11/30 9:00", "end": "115/11/30 17:30", "day": "115/12/1"},
    "lookups": {"unit": "EC", "units": ["PW", "EC"], "village": "LY03", "slot": "a1", "farm": "好日子"},
    "computed": {
        "copies": "3",
        "rent": "1000",
        "birth": "47/3/9",
        "leave": "115/11/20 10:00",
        "items-0-name": "樹苗",
        "items-0-qty": "1.005",
        "items-0-each": "30",
        "reason": "整建",
    },
    "signature": {"name": "王小明", "signed": "王小明"},
    "files": {"proof": ["a", "b"]},
    "table": {
        "parcels-0-section": "后湖段",
        "parcels-0-land_no": "123",
        "parcels-0-bought_on": "100/1/2",
        "parcels-1-section": "前水頭段",
        "parcels-1-land_no": "4-5",
        "parcels-1-area": "12.50",
        "opponents-0-home-township": "LY",
        "opponents-0-home-detail": "雙口12號",
        "opponents-0-met_at": "115/11/20 10:00",
        "opponents-0-kind": "kin",
        "opponents-0-village": "LY03",
    },
    "conditions": {"filed_by": "self", "urgent": "no"},
    "every_type": every_type(),
}


@pytest.mark.parametrize("name", NAMES)
def test_answers_turn_back_into_inputs_that_give_the_same_answers(name: str) -> None:
    definition = form_named(name)
    cleaned = fill(name, VALID[name])
    assert not cleaned.errors
    again = fill(name, answers.to_raw(definition, cleaned.answers))
    assert again.answers == cleaned.answers and not again.errors


def test_answers_are_json_and_facts_are_typed() -> None:
    cleaned = fill("numbers", VALID["numbers"])
    assert cleaned.answers == {"people": 3, "depth": "1.5", "change": "-0.5", "amount": "3500", "count": 0}
    facts = answers.facts(form_named("numbers"), cleaned.answers)
    assert facts["answers.depth"] == Decimal("1.5") and facts["answers.people"] == 3
    dates = fill("dates", VALID["dates"]).answers
    assert answers.facts(form_named("dates"), dates)["answers.birth"] == date(1958, 3, 9)
    home = fill("address", VALID["address"]).answers
    assert answers.facts(form_named("address"), home) == {
        "answers.home": "金門縣烈嶼鄉西口村雙口12號",
        "answers.home.township": "LY",
    }
    choices = fill("choices", VALID["choices"]).answers
    assert answers.facts(form_named("choices"), choices) == {
        "answers.species": "dog",
        "answers.tools": ["spade", "drill"],
        "answers.night": False,
        "answers.township": "LY",
        "answers.consent": True,
    }


def test_unknown_inputs_are_ignored() -> None:
    raw = {**VALID["choices"], "csrf_token": "x", "species-0": "x", "nobody": ["x"] * 1000}
    cleaned = fill("choices", raw)
    assert cleaned.answers == fill("choices", VALID["choices"]).answers
    assert answers.keep(form_named("choices"), listed(raw)) == listed(VALID["choices"])


def test_answers_settle_where_some_were_replaced() -> None:
    form = form_named("computed")
    sent = fill("computed", {**VALID["computed"], "copies": "60"}).answers
    fewer = settled(form, {**sent, "copies": 1, "items": None}, today=TODAY)
    assert (fewer["price"], fewer["lines"], fewer["all_in_all"]) == ("20", "0", "20")
    assert "weight" not in fewer and "items" not in fewer
    assert sent["reason"] == "整建" and "reason" not in fewer
    assert settled(form, sent, today=TODAY) == sent


def test_an_optional_field_left_empty_has_no_answer() -> None:
    assert "extra" not in fill("files", {"proof": "a", "extra": ""}).answers


def test_keys_limit_answers_and_errors_but_conditions_read_everything() -> None:
    raw = {"filed_by": "agent", "agent_name": "李大同", "urgent": ""}
    cleaned = fill("conditions", raw, keys=("agent_phone",))
    assert list(cleaned.errors) == ["agent_phone"] and cleaned.answers == {}
    cleaned = fill("conditions", {**raw, "agent_phone": "0953803516"}, keys=("agent_phone", "reason"))
    assert (cleaned.answers, cleaned.errors) == ({"agent_phone": "0953-803-516"}, {})


# --- conditions ------------------------------------------------------------------------------------------


def shown(raw: Mapping[str, object], **options: object) -> set[str]:
    definition = form_named("conditions")
    return {field.key for field in definition.fields} - fill("conditions", raw, **options).hidden


ALWAYS = {"filed_by", "purposes", "urgent", "reason", "amount", "home"}


@pytest.mark.parametrize(
    ("raw", "more"),
    [
        ({}, set()),
        ({"filed_by": "self"}, set()),
        ({"filed_by": "agent"}, {"agent_name", "either"}),
        ({"filed_by": "agent", "agent_name": "李大同"}, {"agent_name", "agent_phone", "either"}),
        # a hidden answer counts as not given
        ({"filed_by": "self", "agent_name": "李大同"}, set()),
        # so does a wrong one
        ({"filed_by": "nobody", "agent_name": "李大同"}, set()),
        ({"purposes": ["a", "other"]}, {"purpose_text"}),
        ({"amount": "1000"}, set()),
        ({"amount": "1,001 元"}, {"quote"}),
        ({"urgent": "yes"}, {"either", "contact"}),
        ({"urgent": "no", "home-township": "LY", "home-detail": "雙口12號"}, set()),  # not unknown
        ({"urgent": "no", "home-township": "LY", "home-detail": "雙口12號", "filed_by": "self"}, {"ferry"}),
    ],
)
def test_what_is_shown(raw: Mapping[str, object], more: set[str]) -> None:
    assert shown(raw) == ALWAYS | more


def test_context_lends_facts_but_no_answers() -> None:
    assert "paper_no" in shown({}, context={"case.channel": "counter"})
    assert "paper_no" not in shown({}, context={"case.channel": "web"})
    assert "agent_name" not in shown({}, context={"answers.filed_by": "agent"})


def test_hidden_fields_are_neither_required_nor_answered() -> None:
    cleaned = fill("conditions", {"filed_by": "self", "urgent": "no", "agent_phone": "wrong", "contact": "x"})
    assert not cleaned.errors
    assert cleaned.answers == {"filed_by": "self", "urgent": False}
    assert not cleaned.form["agent_phone"].visible and cleaned.form["reason"].visible


def test_required_when() -> None:
    assert "reason" not in fill("conditions", {"urgent": "no"}).errors
    assert "reason" not in fill("conditions", {}).errors
    cleaned = fill("conditions", {"urgent": "yes"})
    assert cleaned.errors["reason"] == ["請填寫原因"] and cleaned.form["reason"].required


# --- for people ------------------------------------------------------------------------------------------

TEXTS = {
    "texts": {"story": "一\n二"},
    "numbers": {"people": "3 人", "depth": "1.5 公尺", "change": "-0.5", "amount": "3,500 元", "count": "0"},
    "dates": {"birth": "民國47年3月9日"},
    "choices": {
        "species": "犬",
        "tools": "鏟子、鑽頭",
        "night": "否",
        "township": "烈嶼鄉",
        "consent": "同意",
    },
    "bank_account": {"bank": "銀行代碼 700（中華郵政），帳號 00123456789012，戶名 王小明"},
    "route": {"route": "民生路\n座標：24.400000,118.300000; 24.500000,118.300000"},
    "files": {"proof": "2 個檔案", "extra": ""},
    "table": {
        "parcels": "地段：后湖段；地號：0123-0000；取得日期：民國100年1月2日\n"
        "地段：前水頭段；地號：0004-0005；面積：12.5",
        "sheds": "",
    },
}
ENGLISH = {
    "numbers": {"people": "3 people", "amount": "NT$ 3,500"},
    "dates": {"birth": "9 March 1958"},
    "choices": {"tools": "Spade, Drill", "night": "No", "township": "Lieyu Township", "consent": "Agreed"},
    "bank_account": {"bank": "bank 700 (Chunghwa Post), account 00123456789012, holder 王小明"},
    "files": {"proof": "2 files"},
    "table": {"parcels": "Section: 后湖段; Parcel: 0123-0000; Bought on: 2 January 2011\n"
              "Section: 前水頭段; Parcel: 0004-0005; Area: 12.5"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "name", "key", "text"),
    [
        (lang, name, key, text)
        for lang, forms in (("zh", TEXTS), ("en", ENGLISH))
        for name, texts in forms.items()
        for key, text in texts.items()
    ],
)
def test_answers_in_words(lang: str, name: str, key: str, text: str) -> None:
    field = form_named(name).field(key)
    assert answers.display(field, fill(name, VALID[name]).answers.get(key), lang) == text


def test_summary_shows_what_was_asked_also_where_it_was_left_empty() -> None:
    definition = form_named("conditions")
    raw = {
        "filed_by": "agent",
        "agent_name": "李大同",
        "agent_phone": "0953803516",
        "urgent": "no",
        "either": "x",
    }
    found = answers.summary(definition, fill("conditions", raw).answers)
    assert [part.section.key for part in found] == ["first"]
    assert [(row.field.key, row.label, row.text) for row in found[0].rows] == [
        ("agent_phone", "代理人電話", "0953-803-516"),
        ("agent_name", "代理人姓名", "李大同"),
        ("filed_by", "申請方式", "代理人"),
        ("purposes", "用途", ""),
        ("urgent", "緊急", "否"),
        ("reason", "原因", ""),
        ("amount", "金額", ""),
        ("home", "地址", ""),
        ("either", "任一", "x"),
    ]
    at_the_counter = answers.summary(definition, {}, "en", context={"case.channel": "counter"})
    assert [part.section.key for part in at_the_counter] == ["first", "third"]


def test_diff_names_old_and_new_in_words() -> None:
    definition = form_named("choices")
    old = fill("choices", VALID["choices"]).answers
    new = {**old, "species": "cat", "tools": ["spade"]}
    del new["night"]
    assert [(c.key, c.label, c.old_text, c.new_text) for c in answers.diff(definition, old, new)] == [
        ("species", "種類", "犬", "貓"),
        ("tools", "工具", "鏟子、鑽頭", "鏟子"),
        ("night", "夜間施工", "否", ""),
    ]
    assert answers.diff(definition, old, dict(old)) == []


def test_personal_answers_are_kept_apart() -> None:
    plain, personal = answers.split_personal(form_named("table"), fill("table", VALID["table"]).answers)
    assert (list(plain), list(personal)) == ([], ["parcels", "opponents"])  # one personal column is enough
    definition = factory_form("pet_neutering")
    plain, personal = answers.split_personal(definition, {"applicant_name": "王小明", "species": "dog"})
    assert (plain, personal) == ({"species": "dog"}, {"applicant_name": "王小明"})


# --- drafts ----------------------------------------------------------------------------------------------


def test_a_draft_keeps_what_was_typed_right_or_wrong() -> None:
    raw = listed(
        {
            "parcels-0-section": "王\x00\ud800小明" + "x" * 100_000,
            "parcels-0-bought_on-month": "13",
            "parcels-0-bought_on-hour": "1",
            "parcels-0-nobody": "x",
            "parcels-1-land_no": ["1", "2"],
        }
    )
    kept = answers.keep(form_named("table"), raw)
    assert kept.pop("parcels-0-section") == ["王?小明" + "x" * (answers.LONGEST_KEPT - 5)]
    assert kept == {"parcels-0-bought_on-month": ["13"], "parcels-1-land_no": ["1", "2"]}
    assert answers.keep(form_named("table"), raw, keys=("sheds",)) == {}


def test_a_draft_keeps_no_more_than_a_form_can_hold() -> None:
    rows = {f"parcels-{n}-section": ["x"] for n in range(10_000)}
    assert len(answers.keep(form_named("table"), rows)) == 200
    assert len(answers.keep(form_named("files"), {"proof": ["x"] * 10_000})["proof"]) == answers.MOST_KEPT
