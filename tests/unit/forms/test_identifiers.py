import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.identifiers import KINDS, normalise, parse_address, phone_kind, plate_styles

with (Path(__file__).parents[2] / "data" / "identifiers.csv").open(encoding="utf-8") as file:
    VECTORS = [(row["kind"], row["input"], row["expected"]) for row in csv.DictReader(file)]

VALID = [
    ("national_id", "A123456789 W100000001 W200000003 Z100000002 I100000003 O200000006 X123456787"),
    ("ui_new", "A800000014 W900000016 A870000006 A980000001 A990000004"),
    ("ui_old", "AA00000009 AB23456789 WC00000012 WD00000014"),
    ("ubn", "04595257 10458575 10458574 12345675 22099131 00501503 04595252 10458570"),
]
INVALID = [
    ("national_id", "A123456780 W100000002 A323456789"),
    ("ui_new", "A800000017 W900000019"),
    ("ui_old", "AA00000004 AE23456789"),
    ("ubn", "04595253 12345678 1234567 00000000"),
]


@pytest.mark.parametrize(("kind", "typed", "expected"), VECTORS)
def test_published_vectors(kind: str, typed: str, expected: str) -> None:
    if expected in ("False", "invalid"):
        with pytest.raises(ValueError):
            normalise(kind, typed)
        return
    canonical = normalise(kind, typed)
    if kind == "roc_date":
        assert canonical == expected
    elif kind == "address":
        assert parse_address(typed) == json.loads(expected)
    elif kind == "phone":
        assert phone_kind(typed) == expected
    elif kind == "plate":
        assert ",".join(plate_styles(typed)) == expected


@pytest.mark.parametrize(("kind", "number"), [(k, n) for k, numbers in VALID for n in numbers.split()])
def test_valid_numbers_are_taken_as_people_type_them(kind: str, number: str) -> None:
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in number)
    for typed in (number, number.lower(), full_width, f" {number[:3]} {number[3:6]}-{number[6:]}　"):
        assert normalise(kind, typed) == number
    wider = "person_or_company" if kind == "ubn" else "person_id"
    assert normalise(wider, number) == number
    assert normalise("person_or_company", number) == number


@pytest.mark.parametrize(("kind", "number"), [(k, n) for k, numbers in INVALID for n in numbers.split()])
def test_wrong_numbers_are_refused_by_the_wider_kinds_too(kind: str, number: str) -> None:
    for kinds in (kind, "person_id", "person_or_company"):
        with pytest.raises(ValueError):
            normalise(kinds, number)


@pytest.mark.parametrize(
    ("kind", "typed", "canonical"),
    [
        ("phone", "０９５３－８０３－５１６", "0953-803-516"),
        ("phone", "+886 953 803 516", "0953-803-516"),
        ("phone", "+886-82-318823", "082-318823"),
        ("phone", "318823#62901", "082-318823#62901"),
        ("phone", "(082)318823 分機 62901", "082-318823#62901"),
        ("phone", "02-2720-8889 轉 1234", "02-27208889#1234"),
        ("phone", "0836-25131", "0836-25131"),
        ("phone", "0826-66012", "0826-66012"),
        ("phone", "+81 3 1234 5678", "+81312345678"),
        ("land_parcel", "123", "0123-0000"),
        ("land_parcel", "１２３－１", "0123-0001"),
        ("land_parcel", "123之1地號", "0123-0001"),
        ("land_parcel", "0123-0001", "0123-0001"),
        ("land_parcel", "01230001", "0123-0001"),
        ("land_parcel", "0123-0000", "0123-0000"),
        ("share", "全部", "全部"),
        ("share", "１／１", "全部"),
        ("share", "All", "全部"),
        ("share", "1 / 4", "1/4"),
        ("share", "4分之1", "1/4"),
        ("share", "公同共有", "公同共有"),
        ("share", "公同共有全部", "公同共有"),
        ("share", "公同共有 2/3", "公同共有2/3"),
        ("bank_code", "７００", "700"),
        ("bank_code", "004 0037", "0040037"),
        ("bank_account", "0012345-6789012", "00123456789012"),
        ("email", "Wang.Zhekun@Example.COM", "Wang.Zhekun@example.com"),
        ("household_no", "w1234567", "W1234567"),
        ("plate", "abc－1235", "ABC-1235"),
        ("address", "金門縣金寧鄉古寧村北山５之１號", "金門縣金寧鄉古寧村北山5之1號"),
        ("address", "台北市信義區市府路1號", "臺北市信義區市府路1號"),
    ],
)
def test_canonical_writing(kind: str, typed: str, canonical: str) -> None:
    assert normalise(kind, typed) == canonical
    assert normalise(kind, canonical) == canonical


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("phone", "0953-803-51"),
        ("phone", "12"),
        ("phone", "0953803516#1"),
        ("phone", "電話"),
        ("land_parcel", "0"),
        ("land_parcel", "12345"),
        ("land_parcel", "123-0"),
        ("land_parcel", "123-00"),
        ("share", "2/1"),
        ("share", "0/4"),
        ("share", "1/0"),
        ("share", "一半"),
        ("land_parcel", "1-2-3"),
        ("bank_code", "70"),
        ("bank_account", "12345"),
        ("email", "name@example"),
        ("email", "name example.com"),
        ("address", "金門縣金城鎮"),
        ("address", "民生路60號"),
        ("doc_no", "府行研字第0000150886號"),
        ("national_id", "Ａ１２３４５６７８９" + "\x00"),
        ("national_id", "A١٢٣٤٥٦٧٨٩"),
        ("ubn", "²²²²²²²²"),
    ],
)
def test_refused(kind: str, typed: str) -> None:
    with pytest.raises(ValueError):
        normalise(kind, typed)


def test_an_unknown_kind_and_a_huge_text_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        normalise("passport", "1")
    for kind in KINDS:
        with pytest.raises(ValueError):
            normalise(kind, "1" * 10_000_000)


@given(kind=st.sampled_from(sorted(KINDS)), typed=st.text(max_size=80))
def test_any_text_is_canonical_or_a_value_error(kind: str, typed: str) -> None:
    try:
        canonical = normalise(kind, typed)
    except ValueError:
        return
    assert normalise(kind, canonical) == canonical
