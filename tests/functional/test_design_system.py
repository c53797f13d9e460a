"""Every page of the gallery: what the policy, assistive technology and the vendored styles demand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from tests.functional.gallery import ROOM, create_gallery

STATIC = Path(ROOM) / "static"
FORMS = (
    *(
        f"farm_use_certificate/{section}"
        for section in ("applicant", "land", "purpose", "documents", "declaration")
    ),
    *(f"road_excavation/{section}" for section in ("applicant", "work", "schedule", "documents")),
    *(f"pet_neutering/{section}" for section in ("pet", "operation", "documents")),
    *(f"{fixture}/page" for fixture in ("every_type", "table", "files")),
)
PAGES = ("/", "/components", "/inbox", *(f"/form/{form}" for form in FORMS))


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_gallery(WTF_CSRF_ENABLED=False).test_client()


def get(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml")


def submitted_empty(client: FlaskClient, form: str) -> BeautifulSoup:
    return BeautifulSoup(client.post(f"/form/{form}", data={"action": "next"}).text, "lxml")


@pytest.fixture(scope="module", params=[*PAGES, *(f"errors: {form}" for form in FORMS)])
def page(request: pytest.FixtureRequest, client: FlaskClient) -> BeautifulSoup:
    """Each page, and each form as it comes back when nothing was filled in."""
    if request.param.startswith("errors: "):
        return submitted_empty(client, request.param.removeprefix("errors: "))
    return get(client, request.param)


def test_nothing_is_inline(page: BeautifulSoup) -> None:
    assert not page.find_all("style")
    assert not page.find_all(style=True)
    assert all(script.get("src") for script in page.find_all("script"))
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on")], tag
        assert not any(str(tag.get(name, "")).startswith("data:") for name in ("src", "href")), tag


def test_ids_are_unique_and_references_lead_somewhere(page: BeautifulSoup) -> None:
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    for name in ("aria-describedby", "aria-labelledby", "for"):
        for tag in page.find_all(attrs={name: True}):
            assert set(str(tag[name]).split()) <= set(ids), tag
    for link in page.select("a[href^='#']"):
        assert link["href"][1:] in ids, link


def test_every_input_has_a_name_and_a_label(page: BeautifulSoup) -> None:
    labelled = {label["for"] for label in page.find_all("label")}
    for tag in page.select("input:not([type=hidden]), select, textarea"):
        assert tag.get("id") in labelled or tag.get("aria-label"), tag
        assert tag.get("name"), tag


def test_headings_do_not_skip_a_level(page: BeautifulSoup) -> None:
    levels = [int(tag.name[1]) for tag in page.main.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1 or "confirmation" in str(page.main)
    assert page.title.text.endswith("E櫃檯")


@pytest.mark.parametrize("form", FORMS)
def test_errors_are_summarised_named_in_the_title_and_tied_to_their_inputs(
    client: FlaskClient, form: str
) -> None:
    page = submitted_empty(client, form)
    assert page.title.text.startswith("錯誤：")
    summary = page.select_one("[data-error-summary]")
    assert summary.has_attr("autofocus")
    for link in summary.select("a"):
        target = page.find(id=link["href"][1:])
        group = target if target.name == "ol" else target.find_parent(class_="govuk-form-group--error")
        assert group is not None, link


@pytest.mark.parametrize("form", FORMS)
def test_a_fresh_form_has_no_errors(client: FlaskClient, form: str) -> None:
    page = get(client, f"/form/{form}")
    assert not page.title.text.startswith("錯誤：")
    assert not page.select("[aria-invalid], .govuk-error-message, [data-error-summary]")


def test_detail_12_only_optional_fields_are_labelled(client: FlaskClient) -> None:
    page = get(client, "/form/farm_use_certificate/applicant")
    marked = {tag.find_parent(id=re.compile("^field-"))["id"] for tag in page.select(".app-optional")}
    assert marked == {"field-email", "field-address-village"}


def test_conditional_fields_are_indented_and_can_be_hidden_by_their_id(client: FlaskClient) -> None:
    page = get(client, "/form/farm_use_certificate/applicant")
    assert "app-conditional" in page.find(id="field-agent_name")["class"]
    assert "app-conditional" not in page.find(id="field-applicant_name")["class"]
    assert "#field-agent_name" in client.get("/form/farm_use_certificate/visibility.css").text


def test_what_was_typed_stays_wrong_or_right(client: FlaskClient) -> None:
    given = {
        "applicant_name": "陳<b>美玲",
        "applicant_id": "Ａ123456788",
        "birth_date-year": "47",
        "birth_date-month": "2",
        "birth_date-day": "30",
        "address-township": "JH",
        "filed_by": "agent",
    }
    page = BeautifulSoup(
        client.post("/form/farm_use_certificate/applicant", data=given | {"action": "next"}).text, "lxml"
    )
    for name in ("applicant_name", "applicant_id", "birth_date-year", "birth_date-day"):
        assert page.find("input", {"name": name})["value"] == given[name]
    assert page.select_one("#address-township option[selected]")["value"] == "JH"
    assert page.select_one("[name=filed_by][checked]")["value"] == "agent"
    assert page.find("input", {"name": "birth_date-day"})["aria-invalid"] == "true"
    assert not page.find("input", {"name": "birth_date-month"}).get("aria-invalid")


def test_autofill_keyboard_and_units(client: FlaskClient) -> None:
    page = get(client, "/form/farm_use_certificate/applicant")
    assert page.find(id="applicant_name")["autocomplete"] == "name"
    assert page.find(id="birth_date-year")["autocomplete"] == "bday-year"
    assert page.find(id="birth_date-year")["inputmode"] == "numeric"
    assert page.find(id="phone")["inputmode"] == "tel"
    operation = get(client, "/form/pet_neutering/operation")
    assert operation.find(id="amount-unit").text == "NT$"
    assert "amount-unit" in operation.find(id="amount")["aria-describedby"]
    work = get(client, "/form/road_excavation/work")
    assert work.find(id="length_m-unit").text == "公尺"


def test_every_type_is_drawn_with_what_helps_to_fill_it_in(client: FlaskClient) -> None:
    page = get(client, "/form/every_type/page?an_integer=3&a_table-0-qty=2&a_table-0-each=50")
    modes = {tag["name"]: tag["inputmode"] for tag in page.select("[inputmode]")}
    for name, mode in {
        "an_integer": "numeric",
        "a_decimal": "decimal",
        "a_money": "numeric",
        "a_datetime-year": "numeric",
        "a_company_number": "numeric",
        "a_phone": "tel",
        "an_email": "email",
        "a_bank_account-account": "numeric",
    }.items():
        assert modes[name] == mode, name
    filled = {
        tag["name"]: tag["autocomplete"] for tag in page.select("main [autocomplete]:not([type=hidden])")
    }
    assert filled == {
        "a_text": "name",
        "a_date-year": "bday-year",
        "a_date-month": "bday-month",
        "a_date-day": "bday-day",
        "a_phone": "tel",
        "an_email": "email",
        "an_address-detail": "address-line1",
        "a_signature": "name",
    }
    assert len(page.select("select#a_lookup option")) == 38  # the villages, and the empty one
    assert [tag["value"] for tag in page.select("[name=a_multilookup]")] == ["EC", "PW"]
    offered = page.find(id=page.find(id="an_address-village")["list"])
    assert "西口村" in [option["value"] for option in offered.select("option")]
    signed = page.find(id="a_signature")
    sentence = page.find(id=signed["aria-describedby"].split()[-1])
    assert sentence.text == "我聲明以上資料均屬實，並同意縣政府查證。"
    results = {
        tag["id"]: (tag.text, page.find(id=tag["aria-labelledby"]).text) for tag in page.select("output")
    }
    assert results == {
        "a_computed": ("60 元", "工本費"),
        "a_table-0-amount": ("100 元", "小計"),
        "a_table-total-qty": ("2", "數量合計"),
        "a_table-total-amount": ("100 元", "小計合計"),
    }


def test_without_a_free_slot_the_list_says_so(client: FlaskClient) -> None:
    slot = get(client, "/form/lookups/page").find(id="slot")
    assert [option.text for option in slot.select("option")] == ["目前沒有可以選的項目"]


def test_rows_come_and_go_without_script(client: FlaskClient) -> None:
    path = "/form/table/page"
    given = {"parcels-0-section": "后湖段", "parcels-1-section": "前埔段"}
    grown = BeautifulSoup(client.post(path, data=given | {"action": "add-row:parcels"}).text, "lxml")
    assert [tag["value"] for tag in grown.select("[name$='-section']")] == ["后湖段", "前埔段", ""]
    assert not grown.select("[value='add-row:parcels']")  # three rows are the most
    remove = grown.select("[value='remove-row:parcels:0']")
    assert "第 1 列" in remove[0].text
    shrunk = BeautifulSoup(client.post(path, data=given | {"action": remove[0]["value"]}).text, "lxml")
    assert [tag["value"] for tag in shrunk.select("[name$='-section']")] == ["前埔段"]


def test_errors_of_a_table_stand_beside_their_cells(client: FlaskClient) -> None:
    given = {"parcels-4-section": "后湖段", "parcels-4-land_no": "abc", "action": "next"}
    page = BeautifulSoup(client.post("/form/table/page", data=given).text, "lxml")
    link = page.select_one("[data-error-summary] a")
    assert link["href"] == "#parcels-4-land_no"
    assert "第 1 列" in page.find(id="parcels-4-land_no-error").text


def test_detail_19_limits_are_shown_before_an_upload_and_documents_after_it(client: FlaskClient) -> None:
    page = get(client, "/form/files/page?proof=scan1")
    assert page.find(id="proof-limits").text == "PDF，每個檔案最大 3 MB，最多 2 個，可一次選多個"
    chooser = page.find(id="proof")
    assert (chooser["name"], chooser["accept"]) == ("proof-upload", ".pdf")
    assert chooser.has_attr("multiple")
    document = page.select_one("[data-document]")
    assert document.find("input")["value"] == "scan1"
    assert "手術證明（動物醫院）.pdf" in document.a.text
    assert document.button["value"] == "remove-file:proof:scan1"


def test_the_enter_key_saves_and_never_removes(client: FlaskClient) -> None:
    page = get(client, "/form/files/page?proof=scan1")
    assert page.main.form.select_one("button[type=submit]")["value"] == "next"


# --- what is vendored ------------------------------------------------------------------------------------


def test_the_vendored_style_has_our_font_and_nothing_of_theirs() -> None:
    css = (STATIC / "css" / "govuk.css").read_text(encoding="utf-8")
    assert '"Noto Sans TC","PingFang TC","Microsoft JhengHei",sans-serif' in css
    for theirs in ("transport", "crest", "tudor", "@font-face", "data:", "url("):
        assert theirs not in css.lower()


ELSEWHERE = re.compile(
    r"url\(|@import|\bimport\W+https?:|data:[a-z]+/|\beval\(|new Function|style=|(?:src|href)=.https?:"
)


@pytest.mark.parametrize("file", sorted(STATIC.rglob("*.*")), ids=lambda file: file.name)
def test_static_files_load_nothing_from_elsewhere(file: Path) -> None:
    if file.suffix in {".css", ".js", ".svg"}:
        assert not ELSEWHERE.search(file.read_text(encoding="utf-8"))
    else:
        assert file.suffix in {".md", ".scss", ".txt"}


def test_modules_hold_no_texts_of_their_own() -> None:
    for module in (STATIC / "js").glob("*.js"):
        code = re.sub(r"//.*", "", module.read_text(encoding="utf-8"))
        assert not re.search("[\u4e00-\u9fff]", code), module.name
