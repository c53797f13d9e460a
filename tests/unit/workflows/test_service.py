"""Services: against the catalogue, their forms, their letters, their fees; and what the loader refuses."""

import copy
import csv
from decimal import Decimal
from pathlib import Path

import pytest

import forms.loader
import rules.facts
from rules.conditions import holds
from rules.values import DefinitionError
from workflows import loader as workflow_loader
from workflows import service
from workflows.service import UNFILLED, fill

RAW = service.read_all()
CODES = sorted(RAW)
DATA = Path(__file__).parents[2] / "data"
with (DATA / "catalogue.csv").open(encoding="utf-8") as file:
    CATALOGUE = {row["code"]: row for row in csv.DictReader(file)}
UNITS = frozenset(row["owner_code"] for row in CATALOGUE.values())
PATTERNS = {key: body["code"] for key, body in workflow_loader.read_all().items()}

FORMS = forms.loader.read_all()
TYPES = {
    raw["form"]: {**rules.facts.types(), **forms.loader.load(FORMS[raw["form"]]).fact_types()}
    for raw in RAW.values()
}


def facts_of(raw):
    return TYPES[raw["form"]]


@pytest.fixture(scope="module")
def services():
    return {code: service.load(raw, facts=facts_of(raw)) for code, raw in RAW.items()}


@pytest.mark.parametrize("code", CODES)
def test_a_service_says_what_the_catalogue_says(services, code):
    row, said = CATALOGUE[code], services[code]
    assert (said.title.zh, said.owner) == (row["title_zh"], row["owner_code"])
    assert PATTERNS[said.workflow] == row["pattern"]
    assert (said.period.kind[:2].rstrip("-"), said.period.period) == (
        row["day_unit"],
        int(row["processing_days"]),
    )
    assert (said.correction, said.decision_level) == (row["clock_on_correction"], int(row["decision_level"]))


@pytest.mark.parametrize("code", CODES)
def test_a_service_fits_its_workflow_and_the_units(code, workflow):
    raw = RAW[code]
    loaded = service.load(raw, facts=facts_of(raw), workflow=workflow(raw["workflow"]), units=UNITS)
    assert loaded.key == code


def test_confidential_is_yes_or_no():
    body = service.read_all()["ET01"]
    assert service.load(body, facts=None).confidential
    body["parameters"] = {**body["parameters"], "confidential": "maybe"}
    with pytest.raises(DefinitionError, match="confidential"):
        service.load(body, facts=None)


def test_the_unit_of_the_county_that_looks_at_a_township_s_review_exists(workflow):
    raw = {**RAW["JN03"], "parameters": {"county_unit": "XX"}}
    with pytest.raises(DefinitionError) as refused:
        service.load(raw, facts=facts_of(raw), workflow=workflow(raw["workflow"]), units=UNITS)
    assert [problem.path for problem in refused.value.problems] == ["parameters.county_unit"]


def test_only_a_decision_is_open_to_appeal():
    raw = {**RAW["EC09"], "answer": "booking"}
    with pytest.raises(DefinitionError) as refused:
        service.load(raw, facts=None)
    assert [problem.path for problem in refused.value.problems] == ["answer"]


@pytest.mark.parametrize("code", CODES)
def test_a_stored_service_loads_without_its_form(code):
    assert (
        service.load(RAW[code], facts=None).letters
        == service.load(RAW[code], facts=facts_of(RAW[code])).letters
    )


def texts(loaded):
    yield from (loaded.title, loaded.summary, loaded.handling_unit, loaded.outcome, loaded.remedy)
    yield from loaded.eligibility
    yield from (part for fee in loaded.fees for part in (fee.label, fee.note) if part)
    for letter in loaded.letters.values():
        yield letter.subject
        yield from (paragraph.text for paragraph in letter.paragraphs)


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_bilingual(services, code):
    assert [text.zh for text in texts(services[code]) if not text.en] == []


@pytest.mark.parametrize("code", CODES)
def test_the_remedy_names_method_period_and_agency(services, code):
    """What is no decision has no appeal: it says what one can do instead."""
    remedy = services[code].remedy.zh
    if "訴願書" in remedy:
        assert "送達之次日起三十日內" in remedy
        assert "訴願管轄機關" in remedy
    else:
        assert len(remedy) > 25 and "不服本處分" not in remedy


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["return", "grant", "reject"])
def test_a_decision_states_facts_reasons_and_legal_basis(services, code, kind):
    letter = services[code].letters[kind]
    always = [paragraph for paragraph in letter.paragraphs if paragraph.when is None]
    assert [paragraph.part for paragraph in always][:3] == ["fact", "reason", "basis"]
    if kind != "grant":
        assert "{decision.reason}" in always[1].text.zh


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("狗結紮", "EC09"),
        ("晶片", "EC09"),
        ("挖馬路", "PW01"),
        ("管線", "PW01"),
        ("農舍", "EC06"),
        ("農地證明", "EC06"),
    ],
)
def test_everyday_words_lead_to_a_service(services, word, code):
    assert [c for c, s in services.items() if word in s.synonyms] == [code]


# --- letters ---------------------------------------------------------------------------------------------


def test_a_letter_is_filled_and_says_what_is_unknown():
    text = "飼主{applicant.name}的「{answers.pet_name}」，晶片{answers.chip_no}"
    filled = fill(
        text, {"applicant.name": "王大明", "answers.pet_name": "{case.number}", "answers.chip_no": ""}
    )
    assert filled == f"飼主王大明的「{{case.number}}」，晶片{UNFILLED}", (
        "a value is never read as a placeholder"
    )
    assert fill("沒有引用", {}) == "沒有引用"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("現場勘查（{inspection.findings}），准予核發。", "現場勘查（土地種植高粱。無違規使用），准予核發。"),
        ("理由：{inspection.findings}。", "理由：土地種植高粱。無違規使用。"),
        ("理由：{inspection.findings}", "理由：土地種植高粱。無違規使用。"),
    ],
)
def test_a_quoted_sentence_keeps_its_full_stop_only_at_the_end(text, filled):
    assert fill(text, {"inspection.findings": "土地種植高粱。無違規使用。"}) == filled


@pytest.mark.parametrize("code", CODES)
def test_no_letter_leaves_a_brace(services, code):
    for letter in services[code].letters.values():
        for text in (letter.subject, *(paragraph.text for paragraph in letter.paragraphs)):
            assert "{" not in fill(text.zh, {}) + fill(text.en, {})


def test_a_paragraph_depends_on_the_answers(services):
    grant = services["PW01"].letters["grant"]

    def lines(**answers):
        facts = {f"answers.{key}": value for key, value in answers.items()}
        return "".join(p.text.zh for p in grant.paragraphs if holds(p.when, facts))

    assert "夜間施工" in lines(night_work=True, emergency=False)
    assert "夜間施工" not in lines(night_work=False, emergency=True)
    assert "緊急搶修" in lines(night_work=False, emergency=True)


# --- fees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("parcels", "total"), [(0, "500"), (1, "500"), (2, "800"), (5, "1700")])
def test_each_further_parcel_costs_more(services, parcels, total):
    facts = {"answers.parcels": [{}] * parcels}
    fees = services["EC06"].fees
    assert sum((fee.amount * fee.quantity(facts) for fee in fees), Decimal(0)) == Decimal(total)


def test_a_fee_may_count_a_number():
    fee = service.Fee.model_validate(
        {"key": "copy", "label": "加發", "amount": "100", "each": "answers.copies"}
    )
    assert [fee.quantity({"answers.copies": n}) for n in (3, Decimal(2), 0, -1, None, "x", True)] == [
        3,
        2,
        0,
        0,
        0,
        0,
        0,
    ]


def test_what_is_fixed_at_review_has_no_amount(services):
    assert [fee.amount for fee in services["PW01"].fees] == [None, None]
    assert services["EC09"].fees == ()
    assert [award.key for award in services["EC09"].awards] == ["subsidy"]


# --- mistakes --------------------------------------------------------------------------------------------


def problems(path, value, **options):
    raw = copy.deepcopy(RAW["PW01"])
    *parents, last = path.split(".")
    place = raw
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(DefinitionError) as refused:
        service.load(raw, **{"facts": facts_of(raw), **options})
    found = {}
    for problem in refused.value.problems:
        found[problem.path] = found.get(problem.path, "") + str(problem.message)
    return found


@pytest.mark.parametrize(
    ("path", "value", "where", "says"),
    [
        ("title", None, "title", "缺少"),
        ("code", "PW1", "code", "PW1"),
        ("group", "road", "group", "是否為「roads」"),
        ("period", {"kind": "M", "period": 2}, "period.kind", "M-shift"),
        ("period.period", 0, "period.period", "小於 1"),
        ("correction", "stop", "correction", "pause、restart、none"),
        ("in_person", "no", "in_person", "true 或 false"),
        ("who_may_apply", [], "who_may_apply", "誰可以申請"),
        ("decision_level", 5, "decision_level", "大於 4"),
        ("fees.0.amount", 500, "fees[0].amount", "引號"),
        ("fees.0.amount", "五百", "fees[0].amount", "金額"),
        ("fees.1.key", "permit", "fees[1].key", "重複"),
        ("awards", [{"key": "repair", "label": "補助"}], "awards[0].key", "重複"),
        ("awards", [{"key": "a", "label": "補助", "at_most": 500}], "awards[0].at_most", "引號"),
        ("fees.0.each", "answers.metres", "fees[0].each", "answers.metres"),
        ("fees.0.when", {"fact": "answers.urgent", "op": "exists"}, "fees[0].when.fact", "answers.urgent"),
        ("letters.grant", None, "letters.grant", "缺少"),
        ("letters.thanks", {"subject": "謝謝", "paragraphs": [{"text": "謝謝"}]}, "letters.thanks", "thanks"),
        ("letters.grant.paragraphs", [{"text": "准"}], "letters.grant", "basis、fact、reason"),
        (
            "letters.grant.paragraphs.0.when",
            {"fact": "answers.emergency", "op": "eq", "value": True},
            "letters.grant",
            "fact",
        ),
        (
            "letters.grant.subject",
            "{answers.road_nam}",
            "letters.grant.subject.zh",
            "是否為「answers.road_name」",
        ),
        (
            "letters.grant.paragraphs.1.text",
            {"zh": "路", "en": "{answers.rod}"},
            "letters.grant.paragraphs[1].text.en",
            "rod",
        ),
        ("letters.grant.subject", "{ answers.road_name }", "letters.grant.subject.zh", "大括號"),
        ("letters.grant.paragraphs.1.text", "", "letters.grant.paragraphs[1].text.zh", "空白"),
        (
            "letters.grant.paragraphs.1.when",
            {"fact": "answers.night", "op": "eq", "value": True},
            "letters.grant.paragraphs[1].when.fact",
            "是否為「answers.night_work」",
        ),
        ("remedy", "向{service.title}（農業部）提起訴願", "remedy.zh", "service.title"),
        ("remedy", "得於三十日內繕具訴願書提起訴願。", "remedy.zh", "訴願管轄機關"),
        ("extension", {"times": 2}, "extension.times", "以一次為限"),
        ("extension", {"at_most": 99}, "extension.at_most", "不得超過原處理期間"),
    ],
)
def test_a_mistake_is_named_with_its_path(path, value, where, says):
    assert says in problems(path, value)[where]


def test_a_service_must_name_the_units_that_its_workflow_asks(workflow):
    options = {"workflow": workflow("parallel_co_review"), "units": UNITS}
    assert "單位不足" in problems("parameters", {}, **options)["parameters.co_review_units"]
    assert "單位不足" in problems("parameters.co_review_units", [], **options)["parameters.co_review_units"]
    twice = problems("parameters.co_review_units", ["PO", "EP", "PO"], **options)
    assert "單位「PO」重複" in twice["parameters.co_review_units[2]"]
    assert (
        "XX"
        in problems("parameters.co_review_units", ["PO", "XX"], **options)["parameters.co_review_units[1]"]
    )
    assert "owner" in problems("owner", "ZZ", **options)


def test_a_service_switches_on_only_stages_that_its_workflow_has(workflow):
    options = {"workflow": workflow("single_review")}
    raw = {**RAW["EC09"], "parameters": {"stages": ["fee", "township"]}}
    assert service.load(raw, facts=facts_of(raw), **options).stages == ("fee", "township")
    assert "是否為「fee」" in problems("parameters", {"stages": ["fees"]}, **options)["parameters.stages[0]"]
    assert "清單" in problems("parameters", {"stages": "fee"}, **options)["parameters.stages"]


def test_a_service_may_give_tasks_limits_of_its_own(workflow):
    options = {"workflow": workflow("township_then_county")}
    periods = {"township_review": {"kind": "WD", "period": 5}}
    raw = {**RAW["EC09"], "parameters": {"periods": periods}}
    assert service.load(raw, facts=facts_of(raw), **options).parameters["periods"] == periods
    bad = {"township_reveiw": {"kind": "WD", "period": 5}, "review": {"kind": "D", "period": 5}}
    units = {"co_review_units": ["PO"]}
    found = problems("parameters", {**units, "periods": bad}, **options)
    assert "是否為「township_review」" in found["parameters.periods.township_reveiw"]
    assert "WD" in found["parameters.periods.review.kind"]
    assert "鍵: 值" in problems("parameters", {**units, "periods": 5})["parameters.periods"]


def test_all_mistakes_are_told_at_once():
    raw = copy.deepcopy(RAW["EC09"])
    raw["group"], raw["letters"]["grant"]["subject"] = "cats", "{answers.cat}"
    del raw["letters"]["reject"]
    raw["letters"]["return"]["paragraphs"][0]["when"] = {"fact": "answers.x", "op": "exists"}
    with pytest.raises(DefinitionError) as refused:
        service.load(raw, facts=facts_of(raw))
    assert {problem.path for problem in refused.value.problems} == {
        "group",
        "letters.grant.subject.zh",
        "letters.reject",
        "letters.return.paragraphs[0].when.fact",
    }


@pytest.mark.parametrize(
    "data", [None, [], {}, {"letters": 1}, {"fees": {"a": 1}}, {"letters": {"grant": []}}]
)
def test_nonsense_is_refused_without_an_exception_of_another_kind(data):
    with pytest.raises(DefinitionError):
        service.load(data, facts={})


def test_a_limit_in_hours():
    raw = {**copy.deepcopy(RAW["EC09"]), "period": {"kind": "HOUR", "period": 24}}
    assert service.load(raw, facts=facts_of(raw)).period.kind == "HOUR"


def test_silence_means_consent_only_where_the_workflow_has_a_way_to_it():
    raw = copy.deepcopy(RAW["EC09"])
    raw["deemed"] = {"outcome": "granted", "legal_basis": {"zh": "測試法第1條", "en": "Test Act, article 1"}}
    assert service.load(raw, facts=facts_of(raw)).deemed.legal_basis.zh == "測試法第1條"
    without = workflow_loader.load(workflow_loader.read_all()["notification"])
    with pytest.raises(DefinitionError) as refused:
        service.load(raw, facts=facts_of(raw), workflow=without)
    (problem,) = refused.value.problems
    assert (problem.path, "deemed_approved" in problem.message.zh) == ("deemed", True)
    raw["deemed"]["outcome"] = "rejected"
    with pytest.raises(DefinitionError, match=r"deemed\.outcome"):
        service.load(raw, facts=facts_of(raw))


@pytest.mark.parametrize("percent", [-1, 101, "10", True, 2.5])
def test_a_sample_is_so_many_of_a_hundred(percent: object) -> None:
    found = problems("parameters", {"sample_audit_percent": percent})
    assert "0 至 100" in found["parameters.sample_audit_percent"]
