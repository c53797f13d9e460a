"""Tiny form definitions, one a feature, and a short way to fill them in."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from forms import answers, loader
from forms.answers import Cleaned
from forms.model import FormDefinition
from rules.values import Text, read_yaml

FIXTURES = Path(__file__).parent / "definitions" / "forms"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.yaml"))
TODAY = date(2026, 11, 22)
#: what the counter would hand in
LISTS = {
    "units": {"EC": Text(zh="建設處", en="Economic Development"), "PW": Text(zh="工務處", en="Public Works")},
    "agencies": {
        "EC": Text(zh="建設處", en="Economic Development"),
        "PW": Text(zh="工務處", en="Public Works"),
    },
    "offices": {"PW-RMO": Text(zh="養護工程所", en="Road Maintenance Office")},
    "slots": {"a1": Text(zh="115年12月1日 10:00", en="1 Dec 2026, 10:00")},
}


@cache
def form_named(name: str) -> FormDefinition:
    return loader.load(read_yaml(FIXTURES / f"{name}.yaml"), facts={"case.channel": "text"})


@cache
def factory_bodies() -> dict[str, dict[str, Any]]:
    return loader.read_all()


@cache
def factory_form(key: str) -> FormDefinition:
    return loader.load(factory_bodies()[key])


def listed(raw: Mapping[str, object]) -> dict[str, list[str]]:
    """{"name": "x"} as form data."""
    return {name: value if isinstance(value, list) else [str(value)] for name, value in raw.items()}


def fill(form: str | FormDefinition, raw: Mapping[str, object], **options: Any) -> Cleaned:
    definition = form_named(form) if isinstance(form, str) else form
    return answers.clean(definition, listed(raw), today=TODAY, **{"lists": LISTS, **options})


def answer(form: str, key: str, raw: Mapping[str, object] | str) -> object:
    """What is taken as the answer to one field; a refusal fails the test with its message."""
    cleaned = fill(form, raw if isinstance(raw, Mapping) else {key: raw}, keys=(key,))
    assert not cleaned.errors, cleaned.errors
    return cleaned.answers.get(key)


def complaint(form: str, key: str, raw: Mapping[str, object] | str, lang: str = "zh") -> str:
    """What is said about one field; it must be refused."""
    cleaned = fill(form, raw if isinstance(raw, Mapping) else {key: raw}, keys=(key,), lang=lang)
    assert key not in cleaned.answers, cleaned.answers[key]
    return "\n".join(cleaned.errors[key])


def every_type() -> dict[str, list[str]]:
    """A valid filling of a form with a field of every type."""
    return listed(
        {
            "a_text": "王小明",
            "a_textarea": "一\n二",
            "an_integer": "3",
            "a_decimal": "12.5",
            "a_money": "3500",
            "a_date": "47/3/9",
            "a_datetime": "115/11/30 14:30",
            "a_boolean": "no",
            "an_agreement": "yes",
            "a_choice": "company",
            "a_multichoice": ["sound", "light"],
            "a_township": "LY",
            "a_lookup": "LY03",
            "a_multilookup": ["PW", "EC"],
            "a_national_id": "A123456789",
            "a_company_number": "04595257",
            "a_nid_or_company": "WC00000012",
            "a_phone": "082-318823#62901",
            "an_email": "name@example.com",
            "an_address-township": "LY",
            "an_address-village": "西口村",
            "an_address-detail": "雙口12號",
            "a_land_parcel": "123-1",
            "a_share": "1/2",
            "a_position-description": "民生路 60 號前",
            "a_position-point": "24.4321,118.3171",
            "a_route-description": "民生路",
            "a_route-line": "24.4,118.3; 24.5,118.3",
            "a_household_no": "W1234567",
            "a_bank_account-bank": "700",
            "a_bank_account-account": "00123456789012",
            "a_bank_account-holder": "王小明",
            "a_vehicle_plate": "ABC-1235",
            "a_file": ["a", "b"],
            "a_table-0-name": "臺灣欒樹",
            "a_table-0-qty": "3",
            "a_table-0-each": "20",
            "a_table-1-name": "潺槁樹",
            "a_table-1-qty": "2",
            "a_table-1-each": "50",
            "a_table-1-place-township": "LY",
            "a_table-1-place-detail": "雙口12號",
            "a_table-1-at": "115/12/1 9:00",
            "a_signature": "王小明",
        }
    )
