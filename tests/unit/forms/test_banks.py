"""The bank of an account, by its code or by its name."""

from __future__ import annotations

import pytest

from forms.banks import BANKS, as_code
from forms.model import Field
from rules.values import Text
from tests.form_fixtures import answer, complaint, form_named


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("004", "004"),
        ("0040185", "0040185"),
        ("004 臺灣銀行", "004"),
        ("７００郵局", "700"),
        ("郵局", "700"),
        ("台灣銀行", "004"),
        ("合作金庫", "006"),
        ("第一銀行", "007"),
        ("中國信託", "822"),
        ("Bank of Taiwan", "004"),
        ("0050496 土地銀行", "0050496"),
        ("金門縣信用合作社", "224"),
        ("526", "526"),
        ("004 土地銀行", None),
        ("某某銀行", None),
    ],
)
def test_banks_by_code_or_name(typed: str, code: str | None) -> None:
    raw = {"bank-bank": typed, "bank-account": "001234567890", "bank-holder": "王小明"}
    if code is None:
        assert typed in complaint("bank_account", "bank", raw)
        return
    value = answer("bank_account", "bank", raw)
    assert value == {"bank": code, "account": "001234567890", "holder": "王小明"}
    field = form_named("bank_account").field("bank")
    assert (field.kind.remark(field, value) is None) == (code != "526"), "a code without a name is remarked"


def test_every_name_and_every_writing_that_is_offered_is_its_code() -> None:
    for code, name in BANKS.items():
        assert [as_code(text) for text in (name.zh, name.in_("en"), f"{code} {name.zh}")] == [code] * 3
    offered = form_named("bank_account").field("bank").kind.suggestions("bank")
    assert offered[:2] == ("700 中華郵政", "004 臺灣銀行") and len(offered) == len(BANKS)


@pytest.mark.parametrize("typed", ["農會", "金門縣農會", "金門區漁會"])
def test_an_association_is_told_where_its_code_stands(typed: str) -> None:
    field = Field(key="bank", type="bank_account", label=Text(zh="帳戶", en="Account"))
    said = field.kind.complaint(field, "bank", typed).zh
    assert "農會、漁會信用部" in said and "存摺封面" in said and typed in said


def test_a_short_name_of_cathay_is_known() -> None:
    assert as_code("國泰") == "013"
