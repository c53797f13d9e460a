"""Amounts that the review fixes: asked of whoever proposes to grant, and told to the applicant."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import corrected
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Letter
from webapp.queries import definitions, history
from webapp.services import notices, steps
from workflows.service import UNFILLED

FEES = {"permit": Decimal(1200), "repair": Decimal(30_000)}


def proposed(code: str, **amounts: int) -> Case:
    """Proposed to the decider with these amounts."""
    case = submitted(code)
    if code == "PW01":
        take(case, "split")
        for _branch in tuple(open_tasks(case)):
            take(case, "give_opinion", raw={"opinion": ["agree"]})
    take(case, "propose_approval", amounts={key: Decimal(amount) for key, amount in amounts.items()})
    return case


def fees_of(case: Case) -> dict[str, str | None]:
    return {line["key"]: line["amount"] for line in case.fee_lines}


def letter_of(case: Case) -> str:
    letter = db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    return "\n".join(letter.content["paragraphs"])


@pytest.fixture(autouse=True)
def _context(app: Flask, committed: None):
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        ({}, "請填寫許可費"),
        ({"permit": 1200}, "請填寫路面修復費或保證金"),
        ({"permit": -1, "repair": 0}, "許可費須介於 0 元 至 99,999,999 元"),
        ({"permit": 100_000_000, "repair": 0}, "許可費須介於 0 元 至 99,999,999 元"),
    ],
)
def test_nothing_is_granted_while_an_amount_is_open(amounts: dict[str, int], told: str) -> None:
    with pytest.raises(Refused) as refused:
        proposed("PW01", **amounts)
    assert told in refused.value.text.zh
    case = db.session.scalars(select(Case)).one()
    db.session.refresh(case)
    assert (case.state, case.fee_total, case.proposal) == ("consolidate", None, None)
    assert fees_of(case) == {"permit": None, "repair": None}


def test_part_of_a_dollar_is_no_amount() -> None:
    case = submitted("EC09")
    with pytest.raises(Refused) as refused:
        take(case, "propose_approval", amounts={"subsidy": Decimal("0.5")})
    assert "核定補助須為整數" in refused.value.text.zh
    assert "must be a whole number" in refused.value.text.in_("en")


def test_fees_are_recorded_and_stand_in_letter_message_and_history() -> None:
    case = proposed("PW01", permit=1200, repair=30_000)
    assert fees_of(case) == {"permit": "1200", "repair": "30000"}
    assert (case.fee_total, case.awards) == (Decimal(31_200), [])
    take(case, "approve")
    said = "許可費新臺幣 1,200 元、路面修復費或保證金新臺幣 30,000 元"
    assert f"核定費用：{said}。" in letter_of(case)
    assert f"應繳規費：{said}。" in notices.compose(case, "granted")[1]
    case.language = "en"
    assert (
        "Permit fee NT$ 1,200, Road repair fee or deposit NT$ 30,000. D"
        in notices.compose(case, "granted")[1]
    )
    ctx = steps.context(case)
    entries = {entry.kind: entry.amounts for entry in history.of_case(case, ctx.workflow, ctx.form)}
    assert [(label.zh, amount) for label, amount, _award in entries["propose_approval"]] == [
        ("許可費", "1200"),
        ("路面修復費或保證金", "30000"),
    ]
    assert entries["approve"] == ()


def test_an_award_stands_in_the_letter_and_costs_nothing() -> None:
    case = proposed("EC09", subsidy=2000)
    assert [(line["key"], line["amount"]) for line in case.awards] == [("subsidy", "2000")]
    assert case.fee_total == 0
    take(case, "approve")
    assert "核定補助新臺幣 2,000 元" in letter_of(case)


def test_the_second_proposal_overwrites_the_first() -> None:
    case = proposed("EC09", subsidy=2000)
    take(case, "send_back", comment="請依補助基準重新核算")
    assert case.awards[0]["amount"] == "2000", "the officer starts from what was proposed"
    take(case, "propose_approval", amounts={"subsidy": Decimal(1500)})
    take(case, "approve")
    assert case.awards[0]["amount"] == "1500"
    assert "核定補助新臺幣 1,500 元" in letter_of(case)
    assert "2,000" not in letter_of(case)


def test_what_is_not_granted_keeps_no_amounts() -> None:
    case = proposed("PW01", **{key: int(amount) for key, amount in FEES.items()})
    take(case, "send_back", comment="請再確認")
    take(case, "propose_rejection", comment="與管線衝突")
    assert (fees_of(case), case.fee_total) == ({"permit": None, "repair": None}, None)
    subsidy = proposed("EC09", subsidy=2000)
    take(subsidy, "send_back", comment="請再確認")
    take(subsidy, "return_application", comment="非本縣飼主")
    assert subsidy.awards == []


def test_a_correction_does_not_open_again_what_was_fixed() -> None:
    """It stands until the next proposal; the history does not say that the fee changed."""
    case = proposed("PW01", permit=1200, repair=30_000)
    take(case, "send_back", comment="請再確認")
    take(case, "request_correction", fields=("contractor",), comment="請填全名")
    corrected(case, NOW, contractor=["永昌營造股份有限公司"])
    assert (case.fee_total, fees_of(case)) == (Decimal(31_200), {"permit": "1200", "repair": "30000"})
    ctx = steps.context(case)
    kinds = [entry.kind for entry in history.of_case(case, ctx.workflow, ctx.form)]
    assert "fee_changed" not in kinds


def test_a_service_without_open_amounts_asks_for_none() -> None:
    case = submitted("EC06")
    service = definitions.service(case.service_revision_id)
    assert service.awards == () and None not in fees_of(case).values()
    assert UNFILLED not in notices.compose(case, "granted")[1]
    assert "核定" not in notices.compose(case, "granted")[1]
