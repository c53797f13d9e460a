from decimal import Decimal
from itertools import product

from rules.numbers import MAX_NUMBER, encode, is_exact

FACTS = [
    *(0, 1, -1, 6, 7, MAX_NUMBER, -MAX_NUMBER, MAX_NUMBER + 1, -MAX_NUMBER - 1, 10**5000),
    *map(
        Decimal,
        ["6.5", "6.4999", "6.4999999", "6.50000000000000000000000000000000000001", "-6.5", "-6.5000001"],
    ),
    *map(
        Decimal, ["1E-9999", "-1E-9999", "1E+9999", "-1E+9999", "0.000001", "0.0000005", "-0.0000005", "-0"]
    ),
    *map(Decimal, ["1000000000000.0000001", "-1000000000000.0000001", "999999999999.9999999"]),
]
THRESHOLDS = [value for value in FACTS if is_exact(value)]


def test_codes_compare_as_the_numbers_do() -> None:
    for fact, threshold in product(FACTS, THRESHOLDS):
        a, b = encode(fact), encode(threshold)
        assert (a < b, a == b, a > b) == (fact < threshold, fact == threshold, fact > threshold)
        assert abs(a) < 2**62


def test_thresholds_have_six_decimals_at_most() -> None:
    assert is_exact(Decimal("6.500000")) and is_exact(MAX_NUMBER) and is_exact(Decimal("6.5000000000"))
    assert not any(map(is_exact, [Decimal("6.5000001"), MAX_NUMBER + 1, Decimal("1E-7"), None, "1"]))
