"""Values of a definition as people type them, and back: what cannot be read stays as it was typed."""

import json
import re
from datetime import date
from decimal import Decimal
from unicodedata import normalize

from rules.conditions import FactType, coerce
from rules.storable import read_json
from rules.values import format_roc_date, parse_roc_date

_NUMBER = re.compile(r"[-+]?[0-9]{1,25}(\.[0-9]{1,25})?")
_MONTH_DAY = re.compile(r"([0-9]{1,2})[-/月.]([0-9]{1,2})日?")


def shown(value: object, type_: FactType) -> str:
    """A value as it stands in an input."""
    if type_ == "number" and (number := _digits(value)) is not None:
        return number
    if type_ == "date" and isinstance(value, str):
        return _roc(value)
    if type_ == "list" and (number := _digits(value)) is not None:
        return number
    if isinstance(value, str):
        return value if _is_plain(value, type_) else _json(value)
    return _json(value)


def read(text: str, type_: FactType) -> object:
    """The value that was typed; the text itself where it is none of that type."""
    text = text.strip()
    if type_ in ("number", "list") and (number := _number(text)) is not None:
        return number
    if type_ == "date":
        return _iso(text)
    if type_ == "boolean" and text in ("true", "false"):
        return text == "true"
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        try:
            said = read_json(text)
        except ValueError:
            return text
        return said if isinstance(said, str) else text
    return text


def month_day(text: str) -> str:
    """1/31 and 1月31日 as 01-31."""
    found = _MONTH_DAY.fullmatch(normalize("NFKC", "".join(text.split())))
    return f"{int(found[1]):02}-{int(found[2]):02}" if found else text.strip()


def lines(text: str) -> tuple[str, ...]:
    return tuple(line for each in text.splitlines() if (line := each.strip()))


def as_json(value: object) -> str:
    """What no input shows, as text that can be changed."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def from_json(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _is_plain(text: str, type_: FactType) -> bool:
    return bool(text) and text.isprintable() and read(text, type_) == text


def _digits(value: object) -> str | None:
    """Digits without an exponent."""
    number = coerce("number", value)
    return (
        None
        if not isinstance(number, (int, Decimal))
        else f"{number:f}"
        if isinstance(number, Decimal)
        else str(number)
    )


def _number(text: str) -> int | float | None:
    """None also where a float would not keep every digit."""
    digits = "".join(normalize("NFKC", text).replace(",", "").split()).replace("\N{MINUS SIGN}", "-")
    if not _NUMBER.fullmatch(digits):
        return None
    if "." not in digits:
        return int(digits)
    number = float(digits)
    return number if Decimal(repr(number)) == Decimal(digits) else None


def _roc(iso: str) -> str:
    day = coerce("date", iso)
    if not isinstance(day, date):
        return iso
    roc = format_roc_date(day, "short")
    return roc if _iso(roc) == iso else iso


def _iso(text: str) -> str:
    if coerce("date", text) is not None:
        return text
    try:
        return parse_roc_date(text).isoformat()
    except ValueError:
        return text
