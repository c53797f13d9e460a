"""Account numbers are built by hand-checked sums, and slips of the finger do not find another's."""

from __future__ import annotations

import pytest

from webapp.payments import virtual_account
from webapp.payments.virtual_account import is_valid, number

BANK, AGENCY = "009", "99371"


@pytest.mark.parametrize(
    ("serial", "account"),
    [
        # 0*3 0*7 9*1 | 9*3 9*7 3*1 | 7*3 1*7 0*1 | 0 0 0 | 0 0 0 | 1*3 -> 9+7+3+3+1+7+3 = 33, so 7
        (1, "99371000000017"),
        # the same with 2*3 = 6 at the end: 36, so 4
        (2, "99371000000024"),
        # 12: 1*1 and 2*3 -> 30 + 1 + 6 = 37, so 3
        (12, "99371000000123"),
    ],
)
def test_numbers_made_by_hand(serial: int, account: str) -> None:
    assert number(BANK, AGENCY, serial) == account
    assert is_valid(BANK, AGENCY, account)


def test_every_single_wrong_digit_is_seen() -> None:
    account = number(BANK, AGENCY, 20_476_318)
    for place, right in enumerate(account):
        for digit in set("0123456789") - {right}:
            assert not is_valid(BANK, AGENCY, account[:place] + digit + account[place + 1 :])


def test_a_number_of_another_bank_or_agency_is_not_ours() -> None:
    assert not is_valid("004", AGENCY, number(BANK, AGENCY, 7))
    assert not is_valid(BANK, "99372", number(BANK, AGENCY, 7))


@pytest.mark.parametrize(
    "account", ["", "9937", "九九三七一○○○○○○○一七", "99371000000017 ", "9937100000001x"]
)
def test_what_is_no_number_at_all(account: str) -> None:
    assert not is_valid(BANK, AGENCY, account)


@pytest.mark.parametrize(
    ("bank", "agency", "serial"),
    [("9", AGENCY, 1), ("00a", AGENCY, 1), (BANK, "123", 1), (BANK, AGENCY, 0), (BANK, AGENCY, 10**8)],
)
def test_codes_that_do_not_fit_are_refused(bank: str, agency: str, serial: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        number(bank, agency, serial)


def test_it_is_read_in_groups() -> None:
    assert virtual_account.grouped("99371000000123") == "99371 0000 0012 3"
