import copy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import answers, loader
from forms.builder import AnswerForm
from forms.field_reader import FILE_KINDS, PAGES, RESERVED
from forms.model import FormDefinition
from rules.values import DefinitionError, Text, read_yaml
from tests.form_fixtures import FIXTURES, NAMES, form_named


def form(*fields: dict[str, Any], **section: Any) -> dict[str, Any]:
    part = {"key": "page", "title": "頁", "fields": list(fields), **section}
    return {"key": "tiny", "title": "小表單", "sections": [part]}


def text(key: str = "name", **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "text", "label": "姓名", **more}


def answered(key: str) -> dict[str, str]:
    return {"fact": f"answers.{key}", "op": "exists"}


def mistakes(mapping: object, **options: Any) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        loader.load(mapping, **options)
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_load(name: str) -> None:
    assert form_named(name).key == name


def test_the_model_answers_questions_about_a_form() -> None:
    definition = form_named("address")
    assert definition.fact_types() == {"answers.home": "text", "answers.home.township": "text"}
    assert "home" in definition and "village" not in definition
    assert definition.section("page").fields == (definition.field("home"),)
    assert definition.section_of("home").key == "page"
    assert [field.key for field in form_named("files").file_fields] == ["proof", "extra"]
    assert form_named("numbers").fact_types()["answers.amount"] == "number"
    assert str(form_named("choices").labels()["answers.species=dog"]) == "犬"


def test_defaults() -> None:
    definition = loader.load(
        form(
            text(),
            {"key": "proof", "type": "file", "label": "檔"},
            {"key": "rows", "type": "table", "label": "表", "optional": True, "columns": [text()]},
            {"key": "must", "type": "table", "label": "表", "columns": [text(personal=True)]},
            {"key": "amount", "type": "money", "label": "元"},
            {"key": "phone", "type": "phone", "label": "電話"},
            {"key": "hotline", "type": "phone", "label": "專線", "personal": False},
        )
    )
    assert definition.field("name").max_length == 200
    proof = definition.field("proof")
    assert (proof.accept, proof.max_mb, proof.max_files) == (("pdf", "jpg", "png"), 10, 5)
    assert (definition.field("rows").min_rows, definition.field("must").min_rows) == (0, 1)
    assert definition.field("amount").min == Decimal(0)
    personal = {field.key for field in definition.fields if field.personal}
    assert personal == {"must", "phone"}  # a person's by nature, unless it is said otherwise


def test_two_readings_of_one_mapping_are_equal_and_hash_alike() -> None:
    mapping = read_yaml(FIXTURES / "table.yaml")
    one, two = loader.load(mapping), loader.load(copy.deepcopy(mapping))
    assert one == two and hash(one) == hash(two) and one is not two
    mapping["title"] = "別的"
    assert loader.load(mapping) != one


def test_every_mistake_is_reported_at_once_with_its_path() -> None:
    mapping = {
        "key": "Bad Key",
        "tilte": "x",
        "sections": [
            {"key": "one", "title": {"zh": 1}, "fields": [text("n", lable="x"), text(), "x", text("data")]},
            {
                "key": "one",
                "title": "二",
                "fields": [
                    {"key": "a", "type": "txt", "label": "甲"},
                    {"key": "b", "type": "integer", "label": "乙", "min": 5, "max": 1, "options": []},
                    {"key": "c", "type": "choice"},
                    {
                        "key": "d",
                        "type": "choice",
                        "label": "丁",
                        "options": [{"value": 1, "label": "x"}, "y"],
                    },
                    {"key": "e", "type": "date", "label": "戊", "min": "108/2/29", "not_before": "strat"},
                    {"key": "start", "type": "date", "label": "己", "optional": "maybe"},
                    {"key": "f", "type": "file", "label": "庚", "accept": ["exe"], "max_mb": 0},
                    {"key": "g", "type": "table", "label": "辛", "columns": [text(type="file")]},
                    text("h", pattern="---", when=answered("cc")),
                    text("i", required_when=answered("i")),
                ],
            },
            {"title": "三", "fields": []},
            "四",
        ],
    }
    two = "sections[1].fields"
    assert mistakes(mapping) == {
        "key": "key「Bad Key」須以小寫英文字母開頭，只用小寫字母、數字和 _",
        "tilte": "沒有「tilte」這個設定，是否為「title」？",
        "title": "缺少 title",
        "sections[0].title": "「{'zh': 1}」須為文字，或 {zh: 中文, en: English}",
        "sections[0].fields[0].lable": "型別 text 沒有「lable」這個設定，是否為「label」？",
        "sections[0].fields[2]": "欄位須為 key、type、label 的組合",
        "sections[0].fields[3].key": "「data」是系統保留的名稱，請改用其他 key",
        "sections": "區段「one」重複 2 次",
        f"{two}[0].type": "欄位沒有「txt」這種型別，是否為「text」？",
        f"{two}[1].options": "型別 integer 沒有「options」這個設定，是否為「optional」？",
        f"{two}[1].min": "min「5」不能大於 max「1」",
        f"{two}[2].label": "缺少 label",
        f"{two}[2]": "至少要有一個選項（options）",
        f"{two}[3].options[0].value": "選項的值「1」須為英文字母、數字或 _ . -，數字請加引號",
        f"{two}[3].options[1]": "選項須為 {value, label}，不是「y」",
        f"{two}[4].min": "「108/2/29」須為日期（例如 109-10-16 或 2020-10-16）或 today",
        f"{two}[4].not_before": "「strat」不是另一個日期欄位，是否為「start」？",
        f"{two}[5].optional": "optional「maybe」須為 true 或 false",
        f"{two}[6].accept": "檔案種類「['exe']」不正確，可用：" + "、".join(sorted(FILE_KINDS)),
        f"{two}[6].max_mb": "max_mb「0」須為 1 到 100 的整數",
        f"{two}[7].columns[0].type": "表格的欄沒有「file」這種型別",
        f"{two}[8].pattern": "格式「---」不正確：9 代表數字、A 代表字母、* 代表兩者，例如 AA-9999",
        f"{two}[8].when.fact": "沒有「answers.cc」這項事實，是否為「answers.c」？",
        f"{two}[9].required_when": "不能以欄位自己的答案作為必填條件",
        "sections[2].key": "缺少 key",
        "sections[2].fields": "區段至少要有一個欄位",
        "sections[3]": "區段須為 key、title、fields 的組合",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            [text("a", when=answered("b")), text("b", when=answered("c")), text("c", when=answered("b"))],
            "顯示條件或計算互相循環：b → c → b",
        ),
        ([text("a", when=answered("a"))], "顯示條件或計算互相循環：a → a"),
        ([text("a"), text("a")], "欄位「a」重複 2 次"),
        ([text(f"f{n}") for n in range(201)], "一張表單最多 200 個欄位，目前有 201 個"),
    ],
)
def test_mistakes_of_the_whole_form(fields: list[dict[str, Any]], message: str) -> None:
    assert mistakes(form(*fields)) == {"sections": message}


def test_a_section_that_depends_on_its_own_field_is_a_cycle() -> None:
    found = mistakes(form(text("a"), when=answered("a")))
    assert found == {"sections": "顯示條件或計算互相循環：a → a"}


@pytest.mark.parametrize("op", ["eq", "in"])
def test_a_condition_that_names_no_option_is_a_mistake(op: str) -> None:
    species = {
        "key": "species",
        "type": "choice",
        "label": "種類",
        "options": [{"value": "dog", "label": "犬"}],
    }
    value = "dogs" if op == "eq" else ["dog", "dogs"]
    found = mistakes(form(species, text(when={"fact": "answers.species", "op": op, "value": value})))
    assert found == {"sections[0].fields[1].when": "「answers.species」沒有「dogs」這個選項，是否為「dog」？"}
    home = {"key": "home", "type": "address", "label": "地址"}
    lives = {"fact": "answers.home.township", "op": "eq", "value": "TP"}
    assert "沒有「TP」" in mistakes(form(home, text(when=lives)))["sections[0].fields[1].when"]


def test_not_before_must_name_another_date() -> None:
    start, end = ({"key": k, "type": "date", "label": k} for k in ("start", "end"))
    found = mistakes(form(start, end | {"not_before": "strat"}))
    assert found == {"sections[0].fields[1].not_before": "「strat」不是另一個日期欄位，是否為「start」？"}
    assert mistakes(form(start | {"not_before": "start"}))
    assert loader.load(form(start, end | {"not_before": "start"})).field("end").not_before == "start"


def test_conditions_read_answers_and_the_facts_they_are_lent() -> None:
    counter = {"fact": "case.channel", "op": "eq", "value": "counter"}
    assert mistakes(form(text(when=counter))) == {
        "sections[0].fields[0].when.fact": "沒有「case.channel」這項事實"
    }
    assert loader.load(form(text(when=counter)), facts={"case.channel": "text"})


@pytest.mark.parametrize("key", sorted(PAGES))
def test_a_step_is_called_like_no_other_page_of_a_draft(key: str) -> None:
    assert "系統保留" in mistakes(form(text(), key=key))["sections[0].key"]


def test_names_of_the_form_object_are_reserved() -> None:
    public = {name for name in dir(AnswerForm) if not name.startswith("_")}
    assert public - {"Meta"} <= RESERVED
    for name in sorted(RESERVED):
        assert "系統保留" in mistakes(form(text(name)))["sections[0].fields[0].key"]


# --- includes and files ----------------------------------------------------------------------------------


def test_an_include_brings_the_shared_section() -> None:
    mapping = {"key": "tiny", "title": "小", "sections": [{"include": "applicant", "title": "申請的人"}]}
    expanded = loader.expand(mapping)
    assert mapping["sections"] == [{"include": "applicant", "title": "申請的人"}]
    assert "include" not in expanded["sections"][0]
    assert loader.expand(expanded) == expanded
    definition = loader.load(mapping)
    assert str(definition.sections[0].title) == "申請的人"
    assert {"applicant_name", "applicant_id", "phone", "email", "address"} <= {
        f.key for f in definition.fields
    }


def test_a_wrong_include_is_a_mistake() -> None:
    assert mistakes({"sections": [{"include": "aplicant"}]}) == {
        "sections[0].include": "沒有「aplicant」這個共用區段，是否為「applicant」？"
    }
    typed = {"sections": [{"include": "applicant", "without": ["birthdate"]}]}
    assert "birth_date" in mistakes(typed)["sections[0].without[0]"]
    assert mistakes({"sections": [{"include": "applicant", "without": "email"}]}) == {
        "sections[0].without": "須為清單"
    }


def test_an_include_leaves_fields_out_and_adds_its_own() -> None:
    own = {"key": "nickname", "type": "text", "label": "別名"}
    section = {"include": "applicant", "without": ["birth_date", "email"], "fields": [own]}
    definition = loader.load({"key": "tiny", "title": "小", "sections": [section]})
    keys = [field.key for field in definition.fields]
    assert "birth_date" not in keys and keys[-1] == "nickname"


def test_a_field_of_its_own_stands_after_the_one_that_it_names() -> None:
    own = [
        {"key": "nickname", "after": "applicant_name", "type": "text", "label": "別名"},
        {"key": "stage_name", "after": "nickname", "type": "text", "label": "藝名"},
    ]
    mapping = {"key": "tiny", "title": "小", "sections": [{"include": "applicant", "fields": own}]}
    keys = [field.key for field in loader.load(mapping).fields]
    at = keys.index("applicant_name")
    assert keys[at : at + 4] == ["applicant_name", "nickname", "stage_name", "applicant_id"]
    own[0]["after"] = "applicant_nam"
    assert mistakes(mapping)["sections[0].fields[0].after"] == (
        "這個區段沒有「applicant_nam」這個欄位，是否為「applicant_name」？"
    )


def test_a_list_can_leave_some_of_the_options() -> None:
    field = {"key": "kind", "type": "choice", "label": "類別", "options_among": "applicants"}
    field["options"] = [{"value": "person", "label": "個人"}, {"value": "company", "label": "公司"}]
    definition = loader.load(form(field))
    lists = {"applicants": {"company": Text(zh="公司")}}
    for handed, offered in (({}, ["person", "company"]), (lists, ["company"])):
        cleaned = answers.clean(definition, {"kind": ["person"]}, today=date(2026, 11, 22), lists=handed)
        assert ("kind" in cleaned.errors) == ("person" not in offered)
        assert [choice.value for choice in cleaned.form["kind"].choices()] == offered
    assert answers.display(definition.field("kind"), "person") == "個人"
    wrong = mistakes(form({**field, "options_among": "units"}))
    assert "applicants" in wrong["sections[0].fields[0].options_among"]


def test_files_bear_the_key_of_their_form(tmp_path: Path) -> None:
    (tmp_path / "EC").mkdir()
    (tmp_path / "EC" / "tiny.yaml").write_text("key: tiny\ntitle: 小\nsections: []\n", encoding="utf-8")
    assert loader.read_all(tmp_path) == {"tiny": {"key": "tiny", "title": "小", "sections": []}}
    (tmp_path / "PW").mkdir()
    (tmp_path / "PW" / "tiny.yaml").write_text("key: tiny\n", encoding="utf-8")
    (tmp_path / "PW" / "other.yaml").write_text("key: another\n", encoding="utf-8")
    (tmp_path / "PW" / "twice.yaml").write_text("key: a\nkey: b\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        loader.read_all(tmp_path)
    assert [str(problem) for problem in caught.value.problems] == [
        "other.yaml: 檔名須與表單的 key「another」相同",
        "tiny.yaml: 表單「tiny」有兩個檔案",
        "twice.yaml twice.yaml:2: 鍵「key」重複",
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(data=st.data())
def test_a_definition_with_anything_in_any_place_is_loaded_or_refused(data: st.DataObject) -> None:
    mapping = loader.expand(read_yaml(FIXTURES / f"{data.draw(st.sampled_from(NAMES))}.yaml"))
    place: Any = mapping
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    try:
        assert isinstance(loader.load(mapping, facts={"case.channel": "text"}), FormDefinition)
    except DefinitionError as error:
        assert error.problems and all(problem.message for problem in error.problems)


@given(mapping=json_values)
def test_anything_else_is_refused(mapping: object) -> None:
    assert mistakes(mapping)


FIELDS: tuple[dict[str, Any], ...] = (
    text("who"),
    {"key": "n", "type": "integer", "label": "數"},
    {"key": "d", "type": "date", "label": "日"},
    {
        "key": "t",
        "type": "table",
        "label": "表",
        "columns": [text("name"), {"key": "qty", "type": "decimal", "label": "量"}],
    },
)


def computed(formula: object) -> dict[str, Any]:
    return {"key": "c", "type": "computed", "label": "算", "formula": formula}


@pytest.mark.parametrize(
    ("field", "path", "message"),
    [
        (computed({"sum": ["n", 5, "t.qty"]}), None, None),
        (computed({"count": "t"}), None, None),
        (computed({"age": "d"}), None, None),
        (computed({"difference": ["d", "d"]}), None, None),
        (computed({"sum": "c"}), "sections", "顯示條件或計算互相循環：c → c"),
        (
            {"key": "c", "type": "computed", "label": "算"},
            "sections[0].fields[4]",
            "缺少 formula：由哪些欄位計算",
        ),
        (
            computed("n + 1"),
            "sections[0].fields[4].formula",
            "計算「n + 1」須為 {運算: 欄位}，運算可用：sum、product、difference、count、age",
        ),
        (
            computed({"sum": ["n"], "count": "t"}),
            "sections[0].fields[4].formula",
            "計算「{'sum': ['n'], 'count': 't'}」須為 {運算: 欄位}，運算可用：sum、product、difference、count、age",
        ),
        (
            computed({"product": ["n"]}),
            "sections[0].fields[4].formula.product",
            "product 須有 2 到 12 個欄位或數字，目前有 1 個",
        ),
        (
            computed({"sum": ["who", "n"]}),
            "sections[0].fields[4].formula.sum",
            "「who」不是能用於 sum 的欄位",
        ),
        (
            computed({"product": ["t.qty", "n"]}),
            "sections[0].fields[4].formula.product",
            "「t.qty」不是能用於 product 的欄位",
        ),
        (
            computed({"count": 3}),
            "sections[0].fields[4].formula.count",
            "「3」不是能用於 count 的欄位",
        ),
        (
            computed({"difference": ["d", "n"]}),
            "sections[0].fields[4].formula.difference",
            "difference 須為兩個數字或兩個日期",
        ),
        (
            {"key": "s", "type": "signature", "label": "簽", "name_of": "n", "sentence": "同意"},
            "sections[0].fields[4].name_of",
            "「n」不是文字欄位",
        ),
        (
            {"key": "s", "type": "signature", "label": "簽", "name_of": "who"},
            "sections[0].fields[4]",
            "缺少 sentence：簽名同意的內容",
        ),
        (
            {"key": "l", "type": "lookup", "label": "選", "options_from": "planets"},
            "sections[0].fields[4].options_from",
            "沒有「planets」這份清單，可用：agencies、counties、offices、slots、townships、units、villages",
        ),
        (
            {"key": "l", "type": "lookup", "label": "選", "options_from": ["units"]},
            "sections[0].fields[4].options_from",
            "沒有「['units']」這份清單，可用：agencies、counties、offices、slots、townships、units、villages",
        ),
        (
            {"key": "l", "type": "multilookup", "label": "選"},
            "sections[0].fields[4]",
            "缺少 options_from：選項取自哪一份清單",
        ),
        (
            {**FIELDS[3], "key": "u", "totals": ["name"]},
            "sections[0].fields[4].totals",
            "合計「['name']」須為數字欄的清單，可用：qty",
        ),
        (
            {
                "key": "u",
                "type": "table",
                "label": "表",
                "columns": [
                    computed({"product": ["qty", 2]}),
                    {"key": "qty", "type": "integer", "label": "量"},
                ],
            },
            "sections[0].fields[4].columns[0].formula.product",
            "「qty」不是能用於 product 的欄位",  # it stands after it
        ),
    ],
)
def test_what_reads_other_answers_names_fields_that_fit(
    field: dict[str, Any], path: str | None, message: str | None
) -> None:
    mapping = form(*FIELDS, field)
    if path is None:
        assert loader.load(mapping).field(field["key"]).formula is not None
    else:
        assert mistakes(mapping) == {path: message}


def test_conditions_on_a_known_list_name_what_it_has() -> None:
    village = {"key": "v", "type": "lookup", "label": "村里", "options_from": "villages"}
    when = {"fact": "answers.v", "op": "eq", "value": "LY04"}
    assert loader.load(form(village, text(when=when))).field("name").when
    wrong = mistakes(form(village, text(when={**when, "value": "LY99"})))
    assert wrong["sections[0].fields[1].when"].startswith("「answers.v」沒有「LY99」這個選項")
    unit = {"key": "v", "type": "lookup", "label": "機關", "options_from": "units"}
    assert loader.load(form(unit, text(when={**when, "value": "EC"})))  # known only at run time
