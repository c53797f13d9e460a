"""What a field takes and what it refuses, for any definition: to fill in forms that nobody wrote a sample for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from forms.bounds import listed
from forms.field_type import NO_LISTS, Lists
from forms.model import Field

Raw = dict[str, list[str]]

#: one valid and one refused answer, by part
TAKEN: Mapping[str, Mapping[str, str]] = {
    "boolean": {"": "no"},
    "agreement": {"": "yes"},
    "national_id": {"": "A123456789"},
    "company_number": {"": "04595257"},
    "nid_or_company": {"": "A123456789"},
    "phone": {"": "0912-345-678"},
    "email": {"": "name@example.com"},
    "address": {"township": "LY", "village": "西口村", "detail": "雙口12號"},
    "land_parcel": {"": "123-1"},
    "share": {"": "1/2"},
    "position": {"description": "民生路 60 號前", "point": "24.4321,118.3171"},
    "route": {"description": "從民生路 60 號前往東到復興路口", "line": "24.4321,118.3171; 24.4330,118.3195"},
    "household_no": {"": "W1234567"},
    "bank_account": {"bank": "700", "account": "00012345678901", "holder": "陳美玲"},
    "vehicle_plate": {"": "ABC-1235"},
    "file": {"": "document1"},
}
REFUSED: Mapping[str, Mapping[str, str]] = {
    "address": {"township": "XX", "detail": "雙口12號"},
    "position": {"point": "民生路"},
    "route": {"line": "24.4321,118.3171"},
    "bank_account": {"bank": "70"},
    "file": {"": "../passwd"},
    "date": {"year": "108", "month": "2", "day": "29"},
    "datetime": {"year": "108", "month": "2", "day": "28", "time": "25:00"},
    "land_parcel": {"": "十二"},
    "textarea": {"": "字" * 20_001},
    "text": {"": "字" * 20_001},
}


def valid(fields: Iterable[Field], today: date, lists: Lists = NO_LISTS) -> Raw:
    """Inputs that every field takes; a signature repeats the name that stands in the same form."""
    asked = {field.key: field for field in fields}
    raw: Raw = {}
    days: dict[str, date] = {}
    for field in asked.values():
        raw |= _named(field, _taken(field, today, lists, days))
        if name := next((key for key in field.name_of if key in asked), None):
            raw[field.key] = _taken(asked[name], today, lists)[""]
        for name in [names[0] for names in field.holder_of if names[0] in asked][:1]:
            raw[f"{field.key}-holder"] = _taken(asked[name], today, lists)[""]
    return raw


def wrong(fields: Iterable[Field]) -> Raw:
    """Inputs that every field refuses which is asked at all."""
    return {name: texts for field in fields for name, texts in _named(field, _refused(field)).items()}


def _named(field: Field, parts: Mapping[str, list[str]]) -> Raw:
    return {f"{field.key}-{part}" if part else field.key: texts for part, texts in parts.items()}


def _taken(field: Field, today: date, lists: Lists, days: dict[str, date] | None = None) -> Raw:
    kind = field.kind
    if field.columns:
        cells = valid(field.columns, today, lists)
        rows = range(max(field.min_rows or 0, 1))
        return {f"{row}-{name}": texts for row in rows for name, texts in cells.items()}
    if field.type in TAKEN:
        return {part: [text] for part, text in TAKEN[field.type].items()}
    if options := list(kind.choices(field, lists=lists)):
        return {"": options if kind.many else options[:1]}
    if field.type in ("integer", "decimal", "money"):
        low, high = (x if isinstance(x, Decimal) else None for x in (field.min, field.max))
        return {"": [str(max(low or Decimal(0), min(Decimal(1), high or Decimal(1))))]}
    if field.type in ("date", "datetime"):
        day = _day(field, today, {"today": today, **(days or {})})
        if days is not None:
            days[field.key] = day
        texts = {"year": [str(day.year)], "month": [str(day.month)], "day": [str(day.day)]}
        return texts | ({"time": ["10:00"]} if field.type == "datetime" else {})
    if not kind.asked:
        return {}
    return {"": [_words(field)]}


def _day(field: Field, today: date, known: Mapping[str, date]) -> date:
    """Today, or the nearest day that keeps every limit; limits that hold under a condition are kept always."""
    low, high = (today if x == "today" else x for x in (field.min, field.max))
    earliest, latest = ([x] if isinstance(x, date) else [] for x in (low, high))
    for name, said in field.bounds.items():
        away = {"after": 1, "before": -1}.get(name, 0)
        found = [known[b.of] + timedelta(days=b.days + away) for b in listed(said) if b.of in known]
        (earliest if name in ("not_before", "after") else latest).extend(found)
    day = max([today, *earliest])
    return min([day, *latest])


def _words(field: Field) -> str:
    if field.pattern:
        return "".join({"9": "1", "*": "1", "A": "B"}.get(c, c) for c in field.pattern)
    return ("陳美玲" * (field.min_length or 1))[: max(field.min_length or 0, 3)][: field.max_length or 3]


def _refused(field: Field) -> Raw:
    if field.columns:
        return {f"0-{name}": texts for name, texts in wrong(field.columns).items()}
    if not field.kind.asked or field.name_of:
        return {}
    return {part: [text] for part, text in REFUSED.get(field.type, {"": "no such answer"}).items()}
