"""The forms that are shipped: whole, bilingual, and answerable."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forms import answers
from forms.model import Field, FormDefinition
from tests.filling import valid, wrong
from tests.form_fixtures import LISTS, TODAY, factory_bodies, factory_form, fill
from workflows import service

FORMS = sorted(factory_bodies())

INTERNAL = [
    "co_review_opinion",
    "dispatch_record",
    "inspection_record",
    "plan",
    "plan_change",
    "plan_entry",
    "plan_evaluation_request",
    "plan_evaluation_review",
    "plan_proposal",
    "plan_proposal_request",
    "plan_register",
    "plan_release",
    "plan_request",
    "plan_self_evaluation",
    "progress_report",
    "progress_report_request",
    "resolution_report",
    "resolution_request",
    "travel_report",
    "travel_request",
    "verification_answer",
    "verification_evaluation",
    "verification_improvement",
    "verification_request",
    "verification_review",
    "verification_visit",
]
with (Path(__file__).parents[2] / "data" / "catalogue.csv").open(encoding="utf-8") as file:
    CATALOGUE = {row["code"]: row for row in csv.DictReader(file)}
SERVICES = service.read_all()


def test_what_offices_fill_in_themselves_is_apart() -> None:
    asked = {body["form"] for body in SERVICES.values()}
    assert sorted(set(FORMS) - asked) == INTERNAL


@pytest.mark.parametrize("code", sorted(SERVICES))
def test_every_field_of_the_catalogue_is_asked(code: str) -> None:
    definition = factory_form(SERVICES[code]["form"])
    keys = {field.key for field in definition.fields}
    names = {part.split(":")[0] for part in CATALOGUE[code]["fields"].split(";")}
    assert names - keys == set()
    assert all(field.optional for field in definition.fields if field.type == "email")


def texts(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every label, title, hint… of a mapping."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("label", "title", "hint", "description", "unit", "group"):
                yield f"{path}.{name}", value
            else:
                yield from texts(value, f"{path}.{name}")
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from texts(value, f"{path}[{n}]")


@pytest.mark.parametrize("key", FORMS)
def test_every_text_is_there_in_chinese_and_english(key: str) -> None:
    for path, text in texts(factory_bodies()[key]):
        assert isinstance(text, dict) and text["zh"] and text["en"], path
        # what is yet to be verified stands in no question; 計畫查證 is about nothing else
        if not key.startswith("verification_"):
            assert "查證" not in text["zh"] and "verified" not in text["en"], path


PERSONAL = {"national_id", "phone", "email", "address", "bank_account"}


@pytest.mark.parametrize("key", FORMS)
def test_what_tells_of_a_person_is_marked(key: str) -> None:
    for field in factory_form(key).fields:
        about = field.type in PERSONAL or any(word in str(field.label) for word in ("姓名", "聯絡人", "身分"))
        if (about and field.key != "applicant_type") or field.key == "birth_date":
            assert field.personal, field.key


@pytest.mark.parametrize("key", ["farm_use_certificate", "pet_neutering", "road_excavation"])
def test_someone_can_be_reached_without_e_mail(key: str) -> None:
    definition = factory_form(key)
    assert definition.field("email").optional
    assert not definition.field("phone").optional
    assert [field.key for field in definition.sections[-1].fields] == ["agree_privacy", "agree_truth"]


# --- filled in -------------------------------------------------------------------------------------------

PERSON = {
    "applicant_name": "王小明",
    "applicant_id": "Ａ１２３４５６７８９",
    "birth_date-year": "47",
    "birth_date-month": "3",
    "birth_date-day": "9",
    "phone": "082-318823",
    "email": "",
    "address-township": "JC",
    "address-detail": "民生路60號",
    "filed_by": "self",
}
AGREED = {"agree_privacy": "yes", "agree_truth": "yes"}
PET = {
    **PERSON,
    **AGREED,
    "pet_name": "小黑",
    "species": "dog",
    "sex": "f",
    "pet_birth": "113/5/20",
    "chip_no": "900 123 456 789 012",
    "clinic": "金城動物醫院",
    "operation_date": "115/11/2",
    "amount": "3,500 元",
    "bank-bank": "700",
    "bank-account": "0012345-6789012",
    "bank-holder": "王小明",
    "surgery_proof": "a",
    "registration_proof": "b",
    "receipt": ["c", "d"],
}
LAND = {
    **PERSON,
    **AGREED,
    "land_township": "JS",
    "parcels-0-section": "西園段",
    "parcels-0-land_no": "１２３－４",
    "parcels-0-area_m2": "1,234.5 平方公尺",
    "parcels-0-share": "1/2",
    "current_crops": "高粱",
    "purpose": "inheritance",
    "inspection_contact": "王小明 0953-803-516",
    "land_register": "a",
    "cadastral_map": "b",
    "identity_proof": "c",
}
ROAD = {
    **AGREED,
    "filed_by": "self",
    "applicant_type": "company",
    "applicant_name": "金門電信工程有限公司",
    "company_number": "04595257",
    "responsible_name": "林永昌",
    "contact_name": "李大同",
    "phone": "082-318823#12",
    "address-township": "other",
    "address-detail": "臺北市信義區市府路1號",
    "purpose": "telecom",
    "emergency": "no",
    "road_name": "民生路",
    "route-description": "民生路 60 號往東到復興路口",
    "length_m": "120",
    "width_m": "0.6",
    "depth_m": "1.2 公尺",
    "start_date": "116/3/2",
    "end_date": "116/3/12",
    "night_work": "否",
    "contractor": "金門土木包工業",
    "contractor_ubn": "１２３４５６７５",
    "site_manager": "陳美玲",
    **dict.fromkeys(("construction_plan", "traffic_plan", "location_map", "utility_map", "insurance"), "x"),
}
AGENT = {"agent_name", "agent_relation", "agent_phone", "agent_address"}
AS_AGENT = {
    "filed_by": "agent",
    "agent_name": "林美玉",
    "agent_relation": "entrusted",
    "agent_phone": "0912-345-679",
    "agent_address-township": "JC",
    "agent_address-detail": "民生路62號",
}
FILLED: Mapping[str, Mapping[str, object]] = {
    "pet_neutering": PET,
    "farm_use_certificate": LAND,
    "road_excavation": ROAD,
    "inspection_record": {
        "inspected_on": "115/11/20",
        "use_matches": "yes",
        "findings": "現場種植高粱，無違規使用。",
        "photos": ["a", "b"],
        "result": "pass",
    },
    "co_review_opinion": {"opinion": "agree"},
    "dispatch_record": {
        "arrived_on": "115/11/20",
        "work": "路燈燈泡已更換，恢復照明。",
        "photos": ["a"],
    },
}


@pytest.mark.parametrize("key", sorted(FILLED))
def test_a_complete_form_is_taken(key: str) -> None:
    cleaned = fill(factory_form(key), FILLED[key])
    assert cleaned.errors == {}
    json.dumps(cleaned.answers)
    definition = factory_form(key)
    again = answers.clean(definition, answers.to_raw(definition, cleaned.answers), today=TODAY)
    assert again.answers == cleaned.answers


@pytest.mark.parametrize("key", FORMS)
def test_an_empty_form_names_every_required_field(key: str) -> None:
    definition = factory_form(key)
    cleaned = fill(definition, {})
    asked = [f for f in definition.fields if f.type != "computed" and not f.optional and not f.required_when]
    required = {f.key for f in asked} - cleaned.hidden
    if key == "damage_report":
        required.add("point")  # of two ways to say where it is, one
    assert set(cleaned.errors) == required
    for name, (message,) in cleaned.errors.items():
        assert str(definition.field(name).label) in message


@pytest.mark.parametrize(
    ("key", "changed", "named"),
    [
        ("pet_neutering", {"pet_birth": "115/11/23"}, {"pet_birth"}),
        ("pet_neutering", {"operation_date": "115/11/23"}, {"operation_date"}),
        ("pet_neutering", {"operation_date": "113/5/19"}, {"operation_date"}),
        ("pet_neutering", {"chip_no": "90012345678901"}, {"chip_no"}),
        ("pet_neutering", {"amount": "0"}, {"amount"}),
        ("pet_neutering", {"amount": "50001"}, {"amount"}),
        ("pet_neutering", {"filed_by": "agent"}, AGENT),
        ("pet_neutering", AS_AGENT, {"power_of_attorney"}),
        ("pet_neutering", {**AS_AGENT, "agent_relation": "parent"}, {"guardian_proof"}),
        ("pet_neutering", {**AS_AGENT, "agent_relation": "guardian"}, {"guardian_proof"}),
        ("farm_use_certificate", {"purpose": "other"}, {"purpose_text"}),
        ("farm_use_certificate", {"filed_by": "agent"}, {*AGENT, "agent_id"}),
        ("farm_use_certificate", {"parcels-0-area_m2": "0"}, {"parcels"}),
        ("farm_use_certificate", {"facilities-0-name": "灌溉井"}, {"facilities"}),
        ("road_excavation", {"applicant_type": "person"}, {"applicant_id"}),
        ("road_excavation", {"company_number": "00000000"}, {"company_number"}),
        ("road_excavation", {"responsible_name": ""}, {"responsible_name"}),
        ("road_excavation", {"filed_by": "agent"}, {*AGENT, "power_of_attorney"} - {"agent_relation"}),
        ("road_excavation", {"purpose": "other"}, {"purpose_text"}),
        ("road_excavation", {"emergency": "yes"}, {"emergency_reason"}),
        ("road_excavation", {"end_date": "116/3/1"}, {"end_date"}),
        ("road_excavation", {"traffic_plan": ""}, {"traffic_plan"}),
        ("inspection_record", {"result": "improve"}, {"improvements"}),
        ("inspection_record", {"position-point": "118.3,24.4"}, {"position"}),
        ("co_review_opinion", {"opinion": "agree_with_conditions"}, {"conditions"}),
        ("co_review_opinion", {"opinion": "disagree"}, {"comment"}),
    ],
)
def test_one_change_is_named(key: str, changed: Mapping[str, object], named: set[str]) -> None:
    assert set(fill(factory_form(key), {**FILLED[key], **changed}).errors) == named


@pytest.mark.parametrize("key", FORMS)
def test_every_form_takes_generated_answers_and_names_each_wrong_one(key: str) -> None:
    form = factory_form(key)
    good = valid(form.fields, TODAY, LISTS)
    filled = fill(form, good)
    assert filled.errors == {}
    for field in form.fields:
        bad = wrong([field])
        if field.key in filled.hidden or not bad:
            continue
        kept = {name: texts for name, texts in good.items() if name.split("-")[0] != field.key}
        assert field.key in fill(form, {**kept, **bad}).errors


def test_the_kind_of_applicant_decides_the_number_that_is_asked() -> None:
    road = factory_form("road_excavation")
    person = fill(road, {**ROAD, "applicant_type": "person", "applicant_id": "A123456789"})
    assert not person.errors
    assert "company_number" not in person.answers and "contact_name" not in person.answers
    organisation = fill(road, {**ROAD, "applicant_type": "organisation", "applicant_id": "A123456789"})
    assert organisation.answers["company_number"] == "04595257"
    assert "applicant_id" not in organisation.answers


#: who informs, orders a collection or asks for help is the only one concerned: nobody is represented
FOR_NOBODY_ELSE = {"bulky_waste_collection", "corruption_report", "damage_report", "long_term_care"}
#: what may stand for the agent's name and number
AGENT_KEYS = {"agent_relation", "agent_phone", "agent_email", "agent_address", "power_of_attorney"}


@pytest.mark.parametrize("key", sorted({body["form"] for body in SERVICES.values()}))
def test_every_application_can_be_filed_by_an_agent(key: str) -> None:
    """行政程序法 24. The one exception are those in which nobody but the sender is concerned."""
    definition = factory_form(key)
    asked = {field.key for field in definition.fields}
    if key in FOR_NOBODY_ELSE:
        assert not {"filed_by", "agent_name", "power_of_attorney"} & asked
        return
    assert [option.value for option in definition.field("filed_by").options] == ["self", "agent"]
    section = [field.key for field in definition.section_of("filed_by").fields]
    assert section[0] == "filed_by", "it comes before what it decides"
    company_only = "company_name" in asked or "org_name" in asked
    wanted = AGENT_KEYS - {"agent_relation"} if company_only else {*AGENT_KEYS, "guardian_proof"}
    assert wanted <= set(section)
    assert {"agent_name", "representative"} & set(section)
    services = [body for body in SERVICES.values() if body["form"] == key]
    sure = any(body.get("assurance") in ("strong", "originals") for body in services)
    assert sure == bool({"agent_id", "representative_id"} & set(section))


@pytest.mark.parametrize("code", sorted(SERVICES))
def test_every_kind_of_applicant_finds_a_place_in_the_form(code: str) -> None:
    """An assembly has a person who is responsible (集會遊行法 7), an association yet to be founded has founders."""
    service, definition = SERVICES[code], factory_form(SERVICES[code]["form"])
    kinds = set(service["who_may_apply"])
    asked = {field.key for field in definition.fields}
    if "applicant_type" in asked:
        assert definition.field("applicant_type").options_among == "applicants"
        assert {"company_number", "responsible_name", "contact_name"} <= asked
    elif {"company_name", "org_name"} & asked:
        assert "citizen" not in kinds and "contact_name" in asked
    elif "applicant_name" in asked and definition.key not in FOR_NOBODY_ELSE:
        assert kinds == {"citizen"} or code in ("PO02", "SW07")


def walk(definition: FormDefinition) -> Iterator[Field]:
    for field in definition.fields:
        yield field
        yield from field.columns


@pytest.mark.parametrize("key", FORMS)
def test_labels_of_a_form_can_be_told_apart(key: str) -> None:
    labels = [str(field.label) for field in factory_form(key).fields]
    assert len(labels) == len(set(labels))
    assert all(len(str(field.label)) <= 60 for field in walk(factory_form(key)))


@pytest.mark.parametrize(
    ("kind", "days", "taken"),
    [("new", 30, True), ("new", 29, False), ("extension", 15, True), ("extension", 14, False)],
)
def test_an_open_flame_is_asked_for_thirty_days_ahead_and_its_extension_fifteen(
    kind: str, days: int, taken: bool
) -> None:
    day = TODAY + timedelta(days=days)
    typed = {"application_kind": kind, "start": f"西元{day:%Y/%m/%d} 19:00"}
    assert ("start" in fill(factory_form("open_flame_performance"), typed).answers) == taken


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ({}, True),
        ({"place-township": "JS", "place-detail": "沙美"}, False),
        ({"point-description": "環島北路往沙美第三支路燈"}, False),
        ({"point-point": "24.4321,118.3171"}, False),
    ],
)
def test_a_lamp_on_a_road_without_houses_is_found_by_its_place_or_its_position(
    typed: dict[str, str], missing: bool
) -> None:
    mistakes = fill(factory_form("damage_report"), typed).errors
    assert ("point" in mistakes, "place" in mistakes) == (missing, False)


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ({"birth_count": "3"}, {"baby_names"}),
        ({"baby_names-0-birth-year": "110"}, {"baby_names"}),
        ({"birth_registered_on-year": "114"}, {"baby_names"}),
        ({"mother_name": "林秋月"}, {"bank"}),
        ({"relation": "father"}, {"father_name"}),
    ],
)
def test_a_birth_is_counted_recent_registered_after_it_and_paid_to_a_parent(
    typed: dict[str, str], named: set[str]
) -> None:
    form = factory_form("childbirth_subsidy")
    right = valid(form.fields, TODAY, LISTS)
    del right["father_name"]
    right["relation"] = ["mother"]
    keys = ("baby_names", "birth_registered_on", "birth_count", "bank", "father_name")
    assert [key for key in keys if key in fill(form, right).errors] == []
    assert {key for key in keys if key in fill(form, {**right, **typed}).errors} == named
