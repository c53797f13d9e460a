"""Virtual account numbers: agency code (5), serial (8), check digit (1), as banks in Taiwan build them.

Every digit of bank code, agency code and serial is multiplied by the weights 3, 7, 1 in turn, and only the last digit
of each product counts. The check digit brings the sum to a whole ten. A single wrong digit is always found, since no
weight has a common divisor with ten; so are most neighbours that changed places.
"""

from __future__ import annotations

WEIGHTS = (3, 7, 1)
AGENCY_DIGITS = 5
SERIAL_DIGITS = 8
LENGTH = AGENCY_DIGITS + SERIAL_DIGITS + 1


def number(bank_code: str, agency_code: str, serial: int) -> str:
    """The account number; ValueError for codes or serials that do not fit."""
    if not (bank_code.isascii() and bank_code.isdigit() and len(bank_code) == 3):
        raise ValueError("a bank code has 3 digits")
    if not (agency_code.isascii() and agency_code.isdigit() and len(agency_code) == AGENCY_DIGITS):
        raise ValueError(f"an agency code has {AGENCY_DIGITS} digits")
    if not 0 < serial < 10**SERIAL_DIGITS:
        raise ValueError(f"a serial has at most {SERIAL_DIGITS} digits")
    body = f"{agency_code}{serial:0{SERIAL_DIGITS}d}"
    return body + check_digit(bank_code + body)


def check_digit(digits: str) -> str:
    products = (int(digit) * WEIGHTS[place % len(WEIGHTS)] % 10 for place, digit in enumerate(digits))
    return str(-sum(products) % 10)


def is_valid(bank_code: str, agency_code: str, account: str) -> bool:
    return (
        len(account) == LENGTH
        and account.isascii()
        and account.isdigit()
        and account.startswith(agency_code)
        and check_digit(bank_code + account[:-1]) == account[-1]
    )


def grouped(account: str) -> str:
    """To read aloud and to type: 99371 0000 0012 3."""
    agency, serial = account[:AGENCY_DIGITS], account[AGENCY_DIGITS:-1]
    return f"{agency} {serial[:4]} {serial[4:]} {account[-1]}"
