"""Identifiers as people type them, and their canonical writing.

Sources: 國民身分證統一編號 and 外來人口統一證號 (schema.gov.tw, NIA), 統一編號 (MOF, sum mod 5 since
2023-04-01). A valid check digit does not mean that the person or firm exists: 22 % of all eight-digit
numbers pass the rule for companies, so a name is always asked beside the number.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Literal

from email_validator import EmailNotValidError, validate_email

from rules.values import normalise_code, parse_roc_date

PhoneKind = Literal["mobile", "kinmen_landline", "wuqiu_landline", "landline", "international", "other"]
LONGEST = 300

_LETTERS = {c: 10 + i for i, c in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO")}
_UBN_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)


def normalise(kind: str, text: str) -> str:
    """The canonical text of an identifier of this kind; ValueError when it is not one."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of identifier: {kind!r}")
    if len(text) > LONGEST:
        raise ValueError(f"too long for {kind}")
    return KINDS[kind](text)


def _match(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(f"not of the form {pattern}: {text!r}")
    return text


def _folded(text: str) -> str:
    """NFKC without spaces; hyphens of any kind become `-`."""
    folded = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return re.sub("[\u2010-\u2015\u2212]", "-", folded)


# --- persons and companies -------------------------------------------------------------------------------


def _checked_person(text: str) -> str:
    second = int(text[1]) if text[1].isdigit() else _LETTERS[text[1]] % 10
    tens, units = divmod(_LETTERS[text[0]], 10)
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    digits = (tens, units, second, *map(int, text[2:]))
    if sum(w * d for w, d in zip(weights, digits, strict=True)) % 10:
        raise ValueError(f"wrong check digit: {text}")
    return text


def _national_id(text: str) -> str:
    return _checked_person(_match("[A-Z][12][0-9]{8}", normalise_code(text)))


def _ui_new(text: str) -> str:
    return _checked_person(_match("[A-Z][89][0-9]{8}", normalise_code(text)))


def _ui_old(text: str) -> str:
    return _checked_person(_match("[A-Z][A-D][0-9]{8}", normalise_code(text)))


def _person_id(text: str) -> str:
    return _checked_person(_match("[A-Z][1289A-D][0-9]{8}", normalise_code(text)))


def _ubn(text: str) -> str:
    code = _match("[0-9]{8}", normalise_code(text))
    products = (int(d) * w for d, w in zip(code, _UBN_WEIGHTS, strict=True))
    total = sum(p // 10 + p % 10 for p in products)
    if code == "00000000" or not (total % 5 == 0 or (code[6] == "7" and (total + 1) % 5 == 0)):
        raise ValueError(f"wrong check digit: {code}")
    return code


def _person_or_company(text: str) -> str:
    code = normalise_code(text)
    return _ubn(code) if code[:1].isdigit() else _person_id(code)


def _household_no(text: str) -> str:
    return _match("[A-Z][0-9]{7}", normalise_code(text))


# --- reaching somebody -----------------------------------------------------------------------------------

_AREA = r"(0836|0826|037|049|082|089|0[2-8])([0-9]{5,8})"
_EXTENSION = re.compile(r"(?:#|分機|轉|EXT\.?)([0-9]{1,6})$", re.IGNORECASE)


def _phone(text: str) -> str:
    return _read_phone(text)[1]


def phone_kind(text: str) -> PhoneKind:
    return _read_phone(text)[0]


def _read_phone(text: str) -> tuple[PhoneKind, str]:
    folded = re.sub(r"[-()]", "", _folded(text[:LONGEST]))
    found = _EXTENSION.search(folded)
    number, extension = (folded[: found.start()], f"#{found[1]}") if found else (folded, "")
    number = re.sub(r"^\+8860?", "0", number)
    if re.fullmatch("[2-9][0-9]{5}", number):
        number = f"082{number}"  # a local number as Kinmen writes it: 318823
    if re.fullmatch("09[0-9]{8}", number) and not extension:
        return "mobile", f"{number[:4]}-{number[4:7]}-{number[7:]}"
    if (landline := re.fullmatch(_AREA, number)) and 9 <= len(number) <= 10:
        kinds: dict[str, PhoneKind] = {"082": "kinmen_landline", "0826": "wuqiu_landline"}
        return kinds.get(landline[1], "landline"), f"{landline[1]}-{landline[2]}{extension}"
    if re.fullmatch(r"\+[1-9][0-9]{7,14}", number):
        return "international", number + extension
    if re.fullmatch("1[0-9]{2,3}", number):
        return "other", number  # service numbers: 110, 119, 1999
    raise ValueError(f"not a telephone number: {text[:60]!r}")


def _email(text: str) -> str:
    try:
        return validate_email(_folded(text), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


_ADDRESS = re.compile(
    r"(?P<zip>[0-9]{6}|[0-9]{5}|[0-9]{3})?"
    r"(?P<county>[^0-9]{2}[縣市])?"
    r"(?P<town>[^0-9]{1,3}?[鄉鎮市區])?"
    r"(?P<village>[^0-9路街]{1,4}?[村里])?"
    r"(?:(?P<neigh>[0-9]{1,3})鄰)?"
    r"(?P<road>[^0-9]{1,20}?)?"
    r"(?:(?P<section>[0-9一二三四五六七八九十]{1,2})段)?"
    r"(?:(?P<lane>[0-9]{1,4})巷)?"
    r"(?:(?P<alley>[0-9]{1,4})弄)?"
    r"(?P<no>[0-9]{1,4}(?:[之-][0-9]{1,3})?號(?:之[0-9]{1,3})?)"
    r"(?:(?P<floor>[0-9]{1,3})樓(?:之[0-9]{1,3})?)?"
    r"(?:(?P<room>[0-9A-Z]{1,5})室)?"
)


def parse_address(text: str) -> dict[str, str]:
    """The pieces of a full address. The road may be a settlement: 烈嶼鄉西口村雙口12號."""
    found = _ADDRESS.fullmatch(_folded(text[:LONGEST]).replace("台", "臺"))
    if found is None or not (found["town"] or found["county"]):
        raise ValueError(f"not a full address: {text[:60]!r}")
    return {name: piece for name, piece in found.groupdict().items() if piece}


def _address(text: str) -> str:
    parse_address(text)
    return _folded(text).replace("台", "臺")


# --- papers, land, vehicles, banks -----------------------------------------------------------------------


def _roc_date(text: str) -> str:
    return parse_roc_date(text).isoformat()


def _doc_no(text: str) -> str:
    number = _folded(text)
    found = re.fullmatch(r"[^0-9]{2,20}字第([0-9]{3})[0-9]{7}號", number)
    if found is None or found[1] == "000":
        raise ValueError(f"not a document number: {text[:60]!r}")
    return number


def _land_parcel(text: str) -> str:
    """地號 as 母號-子號 of four digits each: 0123-0000."""
    folded = re.sub(r"(?:地號|號)$", "", _folded(text))
    found = re.fullmatch("([0-9]{1,4})(?:[-之]([0-9]{4}|[1-9][0-9]{0,3}))?", folded) or re.fullmatch(
        "([0-9]{4})([0-9]{4})", folded
    )
    if found is None or int(found[1]) == 0:
        raise ValueError(f"not a parcel number: {text[:60]!r}")
    return f"{int(found[1]):04}-{int(found[2] or 0):04}"


def _share(text: str) -> str:
    """權利範圍: 全部, 1/4, 4分之1; of 公同共有 too. Nobody owns more than all of it, or none."""
    found = re.fullmatch(
        "(公同共有)?(?:(全部?|all)|([0-9]{1,9})/([0-9]{1,9})|([0-9]{1,9})分之([0-9]{1,9}))?",
        _folded(text).lower(),
    )
    if found is None or not found[0]:
        raise ValueError(f"not a share: {text[:60]!r}")
    jointly, part, of = found[1] or "", int(found[3] or found[6] or 1), int(found[4] or found[5] or 1)
    if not 0 < part <= of:
        raise ValueError(f"not a share: {text[:60]!r}")
    if part < of:
        return f"{jointly}{part}/{of}"
    return jointly or "全部"


PLATES = {
    "car_new": re.compile("[A-HJ-NP-Z]{3}-[0-35-9]{4}"),  # since 2012-12-17: no I, no O, no 4
    "car_old": re.compile("[A-Z0-9]{2}-[0-9]{4}|[0-9]{4}-[A-Z0-9]{2}|[A-Z]{3}-[0-9]{3}"),
    "lenient": re.compile("(?=.*[0-9])[A-Z0-9]{2,4}-[A-Z0-9]{2,4}"),
}


def plate_styles(text: str) -> tuple[str, ...]:
    """Which writings of a plate this is; `lenient` alone deserves a warning, none at all is an error."""
    plate = _folded(text[:LONGEST]).upper()
    return tuple(style for style, pattern in PLATES.items() if pattern.fullmatch(plate))


def _plate(text: str) -> str:
    if "lenient" not in plate_styles(text):
        raise ValueError(f"not a plate: {text[:60]!r}")
    return _folded(text).upper()


def _bank_code(text: str) -> str:
    return _match("[0-9]{3}(?:[0-9]{4})?", normalise_code(text))


def _bank_account(text: str) -> str:
    return _match("[0-9]{6,16}", normalise_code(text))


KINDS: Mapping[str, Callable[[str], str]] = {
    "national_id": _national_id,
    "ui_new": _ui_new,
    "ui_old": _ui_old,
    "person_id": _person_id,
    "ubn": _ubn,
    "person_or_company": _person_or_company,
    "household_no": _household_no,
    "phone": _phone,
    "email": _email,
    "address": _address,
    "roc_date": _roc_date,
    "doc_no": _doc_no,
    "land_parcel": _land_parcel,
    "share": _share,
    "plate": _plate,
    "bank_code": _bank_code,
    "bank_account": _bank_account,
}
