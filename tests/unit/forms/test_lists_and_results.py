"""Answers that depend on more than their own input: lists given at run time, other answers, the moment."""

from datetime import datetime

import pytest

from forms import answers
from forms.builder import results_of
from forms.places import COUNTIES, VILLAGES, village_names
from rules.values import Text
from tests.form_fixtures import factory_bodies, factory_form, fill, form_named


def test_lists_that_are_given_at_run_time() -> None:
    typed = {
        "unit": "EC",
        "units": ["PW", "EC", "EC"],
        "village": "LY03",
        "county": "63000",
        "slot": "a1",
        "farm": "x",
    }
    cleaned = fill("lookups", typed)
    unit = {"value": "EC", "zh": "建設處", "en": "Economic Development"}
    assert cleaned.answers == {
        "unit": unit,
        "units": [unit, {"value": "PW", "zh": "工務處", "en": "Public Works"}],
        "village": {"value": "LY03", "zh": "烈嶼鄉西口村", "en": "Xikou Village, Lieyu Township"},
        "county": {"value": "63000", "zh": "臺北市", "en": "Taipei City"},
        "slot": {"value": "a1", "zh": "115年12月1日 10:00", "en": "1 Dec 2026, 10:00"},
        "farm": "x",
    }
    form = form_named("lookups")
    assert answers.display(form.field("units"), cleaned.answers["units"]) == "建設處、工務處"
    assert answers.display(form.field("unit"), unit, "en") == "Economic Development"
    assert answers.facts(form, cleaned.answers)["answers.units"] == ["EC", "PW"]
    assert [choice.value for choice in cleaned.form["slot"].choices()] == ["a1"]
    assert form.lists == {"units", "villages", "counties", "slots"}


def test_what_a_list_no_longer_has_is_refused() -> None:
    gone = {"lists": {"units": {}, "slots": {}}}
    cleaned = fill("lookups", {"unit": "EC", "units": ["EC"], "slot": "a1", "village": "LY99"}, **gone)
    assert cleaned.errors == {
        "unit": ["機關沒有「EC」這個選項，請從列出的選項中選擇"],
        "units": ["會辦機關沒有「EC」這個選項，請從列出的選項中選擇"],
        "slot": ["時段：您選的時段已經額滿或已經開始，請改選其他時段"],
        "village": ["村里沒有「LY99」這個選項，請從列出的選項中選擇"],
    }
    assert not fill("lookups", {"unit": "EC"}, lists={}).answers


def test_villages_of_the_county() -> None:
    names = [str(name) for of in VILLAGES.values() for name in of.values()]
    assert len(names) == len(set(names)) == 37
    assert [len(of) for of in VILLAGES.values()] == [8, 8, 8, 6, 5, 2]
    assert village_names("WQ") == {
        "WQ01": Text(zh="烏坵鄉大坵村", en="Daqiu Village, Wuqiu Township"),
        "WQ02": Text(zh="烏坵鄉小坵村", en="Xiaoqiu Village, Wuqiu Township"),
    }
    assert len(COUNTIES) == 22


ITEMS = {
    "items-0-name": "樹苗",
    "items-0-qty": "1.005",
    "items-0-each": "30",
    "items-4-name": "肥料",
    "items-4-qty": "2",
    "items-4-each": "100",
}


@pytest.mark.parametrize(
    ("key", "typed", "expected"),
    [
        ("price", {"copies": "3"}, "60"),
        ("price", {"copies": "三"}, None),
        ("price", {}, None),
        ("price", {"copies": "3", "price": "1"}, "60"),  # what is sent for it counts for nothing
        ("price", {"copies": "9" * 15}, None),  # beyond all measure
        ("both", {"copies": "3", "rent": "1,000"}, "1060"),
        ("both", {"copies": "3"}, "60"),  # the rent may stay empty
        ("left", {"copies": "3", "rent": "100"}, "40"),
        ("left", {"copies": "3", "rent": "10"}, "-50"),
        ("left", {"copies": "3"}, None),
        ("age", {"birth": "47/11/22"}, "68"),
        ("age", {"birth": "47/11/23"}, "67"),
        ("age", {"birth": "115/11/23"}, None),
        ("age_then", {"birth": "113/2/29", "leave": "114/2/28 10:00"}, "0"),
        ("age_then", {"birth": "113/2/29", "leave": "114/3/1 10:00"}, "1"),
        ("days", {"birth": "113/2/29", "leave": "113/3/2 10:00"}, "2"),
        ("lines", {}, "0"),
        ("lines", ITEMS, "2"),
        ("weight", ITEMS, "3.01"),  # 3.005, half up
        ("weight", {}, None),
        ("all_in_all", {"copies": "3", **ITEMS}, "290"),  # 60 + 30.2 + 200
    ],
)
def test_computed_answers(key: str, typed: dict[str, object], expected: str | None) -> None:
    cleaned = fill("computed", typed)
    assert cleaned.answers.get(key) == expected
    assert key not in cleaned.errors


def test_a_computed_answer_decides_what_is_asked() -> None:
    assert "reason" in fill("computed", {"copies": "3"}).hidden
    assert fill("computed", {"copies": "51"}).errors["reason"] == ["請填寫原因"]


def test_sums_under_a_table_and_columns_that_follow_from_others() -> None:
    cleaned = fill("computed", {"copies": "1", **ITEMS})
    assert cleaned.answers["items"] == [
        {"name": "樹苗", "qty": "1.005", "each": "30", "amount": "30.2"},
        {"name": "肥料", "qty": "2", "each": "100", "amount": "200"},
    ]
    field = form_named("computed").field("items")
    assert answers.display(field, cleaned.answers["items"]).splitlines() == [
        "名稱：樹苗；數量：1.005；單價：30 元；小計：30.2",
        "名稱：肥料；數量：2；單價：100 元；小計：200",
        "合計：數量：3.005；小計：230.2",
    ]
    assert "age" not in cleaned.answers and answers.to_raw(form_named("computed"), {"age": "3"}) == {}


def test_results_while_the_rest_is_still_missing() -> None:
    typed = {
        "copies": "2",
        "items-0-qty": "2",
        "items-0-each": "x",
        "items-3-qty": "1.5",
        "items-3-each": "10",
    }
    form = fill("computed", typed).form
    assert {place: text for place, text in results_of(form).items() if text} == {
        "price": "40",
        "both": "40",
        "all_in_all": "40 元",
        "lines": "0",
        "items-3-amount": "15",
        "items-total-qty": "3.5",
        "items-total-amount": "15",
    }
    assert results_of(form)["items-0-amount"] == results_of(form)["age"] == ""


def test_a_signature_keeps_what_was_signed_and_when() -> None:
    typed = {"name": "王 小明", "signed": " 王小明 "}
    now = datetime(2026, 11, 22, 10, 32, 59)  # noqa: DTZ001  # the clock on the wall
    signed = fill("signature", typed, moment=now).answers["signed"]
    assert signed == {"name": "王小明", "sentence": "我同意上述條件。", "signed_at": "2026-11-22T10:32"}
    field = form_named("signature").field("signed")
    assert answers.display(field, signed) == "王小明，民國115年11月22日 10:32 簽署\n「我同意上述條件。」"
    in_english = fill("signature", typed, lang="en").answers["signed"]
    assert answers.display(field, in_english, "en") == (
        "王小明, signed on 22 November 2026\n“I agree to these conditions.”"
    )
    assert answers.facts(form_named("signature"), {"signed": signed}) == {"answers.signed": "王小明"}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"name": "王小明"}, "請在「申請人簽名」輸入您的姓名，表示同意"),
        ({"name": "王小明", "signed": "王大明"}, "申請人簽名須與您填寫的姓名相同：王小明"),
        ({"name": "", "signed": "王大明"}, None),  # the name itself is what is missing
        ({"name": "Sarah Thompson", "signed": "ＳＡＲＡＨ thompson"}, None),
    ],
)
def test_who_signs_is_who_applies(typed: dict[str, object], message: str | None) -> None:
    assert fill("signature", typed).errors.get("signed", [None]) == [message]


@pytest.mark.parametrize(
    ("filed_by", "kind", "signer"),
    [
        ("self", "person", "王大明"),
        ("self", "company", "陳代表"),
        ("self", "organisation", "陳代表"),
        ("agent", "person", "李四"),
        ("agent", "company", "李四"),
    ],
)
def test_an_appeal_is_signed_by_a_person_whoever_files_it(filed_by: str, kind: str, signer: str) -> None:
    """訴願法 56: the appellant or the agent; a company through its representative."""
    appeal = factory_form("administrative_appeal")
    typed = {"filed_by": filed_by, "applicant_type": kind}
    typed |= {"applicant_name": "王大明" if kind == "person" else "金門酒廠實業股份有限公司"}
    typed |= {"responsible_name": "陳代表", "agent_name": "李四"}
    assert "signed" in fill(appeal, typed).errors
    assert fill(appeal, typed | {"signed": signer}).answers["signed"]["name"] == signer
    for other in {"王大明", "陳代表", "李四", "金門酒廠實業股份有限公司"} - {signer}:
        message = f"訴願人或代理人簽名須與您填寫的姓名相同：{signer}"
        assert fill(appeal, typed | {"signed": other}).errors["signed"] == [message]


def test_nobody_files_without_the_signature_that_a_form_asks_for() -> None:
    for key in factory_bodies():
        form = factory_form(key)
        signatures = [field for field in form.fields if field.type == "signature"]
        assert not any(field.when or form.section_of(field.key).when for field in signatures), key
