"""Numbers as the integers that the engine compares: exact for every fact, whatever its size or decimals."""

from decimal import ROUND_FLOOR, Context, Decimal

#: thresholds stay below; facts may be anything
MAX_NUMBER: int = 10**12
DECIMALS = 6

_SCALE: int = 10**DECIMALS
_STEP = Decimal(1).scaleb(-DECIMALS)
_BEYOND: int = 2 * _SCALE * MAX_NUMBER + 2
_CONTEXT = Context(prec=40)


def is_exact(value: object) -> bool:
    """Whether a threshold can be given to the engine without rounding."""
    if not isinstance(value, (int, Decimal)) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        return False
    return isinstance(value, int) or value == _floor(value)


def encode(value: int | Decimal) -> int:
    """Twice the number of millionths; a value between two millionths becomes the odd number between them.

    So a comparison with any threshold (always even) comes out as it would with the numbers themselves.
    """
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        return _BEYOND if value > 0 else -_BEYOND
    if isinstance(value, int):
        return 2 * _SCALE * value
    floor = _floor(value)
    return 2 * int(floor.scaleb(DECIMALS, _CONTEXT)) + (floor != value)


def _floor(value: Decimal) -> Decimal:
    return value.quantize(_STEP, rounding=ROUND_FLOOR, context=_CONTEXT)
