"""Field types with several inputs (address, bank account) or several values (files)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from forms.banks import BANKS, as_code, name_of
from forms.field_type import CODE_LENGTH, Blank, FieldType, Given, Json, Setting, folded, one, unknown_option
from forms.identifiers import normalise
from forms.messages import Invalid, Mistake, quoted, refuse, words
from forms.places import ADDRESS_PLACES, ELSEWHERE, VILLAGES
from rules.conditions import FactType
from rules.values import Text

if TYPE_CHECKING:
    from forms.model import Field


def text_of(value: Json, part: str) -> str:
    """A part of a stored answer; "" where it was left empty."""
    found = value.get(part) if isinstance(value, dict) else None
    return str(found) if found else ""


class Parts(FieldType):
    """An answer of several texts, stored as an object of the parts that were filled in."""

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {part: [text] for part in self.parts if (text := text_of(value, part))}


# --- address ---------------------------------------------------------------------------------------------

_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()} | {
    0xFF0D: "-"
}
_SHORTEST_ADDRESS = 6
_ELSEWHERE_EXAMPLE = Text(zh="臺北市信義區市府路1號", en="No. 1, Shifu Rd., Xinyi District, Taipei City")
#: a whole address pasted into the last box repeats what was chosen above it
_LEADING = "^(?:(?:[0-9]{{3,6}} ?)?(?:福建省)?(?:金門縣(?:{place})?|{place}))+"


class Address(Parts):
    """Township, village and the rest. Many addresses of Kinmen have a settlement instead of a road."""

    parts = ("township", "village", "detail")
    fixed: Mapping[str, Mapping[str, Text]] = {"township": ADDRESS_PLACES}
    props = frozenset({"autocomplete"})
    personal = True
    example = Text(zh="金城鎮民生路60號", en="No. 60, Minsheng Rd., Jincheng Township")

    def suggestions(self, part: str) -> tuple[str, ...]:
        """What an input offers while one types; anything else may be typed too."""
        return tuple(name.zh for of in VILLAGES.values() for name in of.values()) if part == "village" else ()

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        township = one(field, given, "township", limit=CODE_LENGTH)
        village = one(field, given, "village", limit=50).translate(_PLAIN)
        detail = " ".join(one(field, given, "detail", limit=200).translate(_PLAIN).split())
        if not (township or village or detail):
            return None
        if township and township not in ADDRESS_PLACES:
            raise unknown_option(field, township, "township")
        if mistakes := list(self.mistakes(field, township, detail)):
            raise Invalid(mistakes)
        if township == ELSEWHERE:
            return {"township": township, "detail": detail}
        detail = re.sub(_LEADING.format(place=ADDRESS_PLACES[township].zh), "", detail) or detail
        detail = detail.removeprefix(village) or detail
        parts: dict[str, Json] = {"township": township, "village": village, "detail": detail}
        return {part: text for part, text in parts.items() if text}

    def mistakes(self, field: Field, township: str, detail: str) -> Iterator[Mistake]:
        if not township:
            zh, en = (
                "請選擇{label}的鄉鎮，住在其他縣市請選「其他縣市」",
                "{label}: choose the township, or “Elsewhere in Taiwan”",
            )
            yield Mistake(words(zh, en, label=field.label), "township")
        if not detail:
            zh = "請填寫{label}的路名或聚落和門牌，例如 民生路60號、雙口12號"
            en = "{label}: enter the road or settlement and the number, for example No. 60, Minsheng Rd."
            yield Mistake(words(zh, en, label=field.label), "detail")
        elif township == ELSEWHERE and len(detail) < _SHORTEST_ADDRESS:
            zh, en = "請填寫完整的{label}，例如 {example}", "Enter the full {label}, for example {example}"
            yield Mistake(words(zh, en, label=field.label, example=_ELSEWHERE_EXAMPLE), "detail")

    def blank(self, field: Field) -> Blank:
        places = "　".join(f"□{place.zh}" for place in ADDRESS_PLACES.values())
        return Blank(f"{places}\n{'＿' * 6}村（里）{'＿' * 24}", wide=True)

    def show(self, field: Field, value: Json, lang: str) -> str:
        township, village, detail = (text_of(value, part) for part in self.parts)
        if township == ELSEWHERE:
            return detail
        place = ADDRESS_PLACES[township].in_(lang)
        if lang == "en":
            return ", ".join(filter(None, (detail, village, place, "Kinmen County")))
        return f"金門縣{place}{village}{detail}"

    def typed(self, field: Field, value: Json) -> object:
        return self.show(field, value, "zh")

    def fact_types(self, key: str) -> dict[str, FactType]:
        return {f"answers.{key}": "text", f"answers.{key}.township": "text"}

    def facts(self, field: Field, value: Json) -> dict[str, object]:
        name = f"answers.{field.key}"
        return {name: self.typed(field, value), f"{name}.township": text_of(value, "township")}


# --- bank account ----------------------------------------------------------------------------------------


class BankAccount(Parts):
    """Where a payment goes: bank (3 digits, or 7 with the branch), account number, name of its holder."""

    parts = ("bank", "account", "holder")
    column = False
    personal = True
    props = frozenset({"holder_of"})
    example = Text(zh="銀行代碼 700、帳號、戶名", en="bank code 700, account number and holder")

    def suggestions(self, part: str) -> tuple[str, ...]:
        return tuple(f"{code} {name.zh}" for code, name in BANKS.items()) if part == "bank" else ()

    def reads(self, field: Field) -> frozenset[str]:
        return frozenset(key for names in field.holder_of for key in names)

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        texts = {part: one(field, given, part, limit=100) for part in self.parts}
        if not any(texts.values()):
            return None
        value: dict[str, Json] = {}
        mistakes = []
        for part, text in texts.items():
            try:
                value[part] = self.read(part, text)
            except ValueError:
                mistakes.append(Mistake(self.complaint(field, part, text), part))
        if mistakes:
            raise Invalid(mistakes)
        self.check_holder(field, text_of(value, "holder"), at.answers)
        return value

    def check_holder(self, field: Field, holder: str, answers: Mapping[str, Json]) -> None:
        """Whose account it may be; a name that is not given yet, or not rightly, is asked for where it stands."""
        owners = [
            " ".join(str(answers[key]) for key in names)
            for names in field.holder_of
            if all(key in answers for key in names)
        ]
        if not owners or _same_name(holder) in map(_same_name, owners):
            return
        raise refuse(
            field.label,
            "{label}的戶名須為「{owners}」，您填的是「{holder}」。請改填這個戶名的帳戶；戶名打錯時請照存摺更正",
            "{label}: the holder has to be {owners}; you entered “{holder}”. Give an account in that name, or correct "
            "it as it stands in the passbook",
            part="holder",
            owners=Text(zh="」或「".join(owners), en=" or ".join(owners)),
            holder=quoted(holder),
        )

    def read(self, part: str, text: str) -> str:
        if not text:
            raise ValueError(part)
        return (
            " ".join(text.split())
            if part == "holder"
            else normalise("bank_account", text)
            if part == "account"
            else normalise("bank_code", as_code(text))
        )

    def complaint(self, field: Field, part: str, text: str) -> Text:
        zh, en = {
            "bank": (
                "{label}的銀行須為 3 位數代碼（含分行為 7 位）或銀行名稱，兩者都寫時要相符，例如 004 或郵局 700",
                "{label}: give the bank by its code of 3 digits (7 with the branch) or its name, for example 004; "
                "if both, they have to agree",
            ),
            "account": (
                "{label}的帳號須為 6 到 16 位數字，例如 012345678901",
                "{label}: the account number has 6 to 16 digits, for example 012345678901",
            ),
            "holder": (
                "請填寫{label}的戶名，與存摺封面相同，例如 王小明",
                "{label}: enter the holder’s name as in the passbook",
            ),
        }[part]
        if part == "bank" and re.search("[農漁]會|farmer|fisher", text, re.IGNORECASE):
            zh, en = (
                "{label}：農會、漁會信用部請填金融機構代碼，印在存摺封面或第一頁（3 位或 7 位數字），也可以問農會、漁會",
                "{label}: for a farmers’ or fishers’ association give its code of 3 or 7 digits, printed on the cover "
                "or first page of the passbook, or ask the association",
            )
        if text:
            zh, en = zh + "；您輸入了「{text}」", en + "; you entered “{text}”"
        return words(zh, en, label=field.label, text=quoted(text))

    def blank(self, field: Field) -> Blank:
        return Blank(f"銀行代碼{'＿' * 4}　帳號{'＿' * 12}　戶名{'＿' * 8}", wide=True)

    def show(self, field: Field, value: Json, lang: str) -> str:
        bank, account, holder = (text_of(value, part) for part in self.parts)
        name = name_of(bank)
        if lang == "en":
            return f"bank {bank}{f' ({name.in_(lang)})' if name else ''}, account {account}, holder {holder}"
        return f"銀行代碼 {bank}{f'（{name.zh}）' if name else ''}，帳號 {account}，戶名 {holder}"

    def remark(self, field: Field, value: Json) -> Text | None:
        bank = text_of(value, "bank")
        if name_of(bank):
            return None
        return words(
            "代碼 {bank} 不在我們的銀行名單裡（農會、漁會信用部的代碼不在名單內），請再和存摺封面核對",
            "Code {bank} is not on our list of banks (which leaves out farmers’ and fishers’ associations). Please "
            "compare it with the passbook again",
            bank=bank,
        )

    def typed(self, field: Field, value: Json) -> object:
        return self.show(field, value, "zh")


def _same_name(name: str) -> str:
    """A passbook has other spaces, dots, hyphens and capitals than the form, and 台 for 臺."""
    return "".join(c for c in folded(name).casefold() if c.isalnum()).replace("台", "臺")


# --- files -----------------------------------------------------------------------------------------------

_DOCUMENT_ID = re.compile("[A-Za-z0-9_-]{1,64}")


class File(FieldType):
    """Public ids of documents that were uploaded; whose they are and what they hold is checked there."""

    fact = "list"
    many = True
    column = False
    props = frozenset({"accept", "max_mb", "max_files"})
    defaults: Mapping[str, object] = {"accept": ("pdf", "jpg", "png"), "max_mb": 10, "max_files": 5}
    required = ("請上傳{label}", "{label}: upload a file")

    def reusable(self, field: Field) -> bool:
        return False

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        ids = list(dict.fromkeys(text for text in given.get("", ()) if text and not text.isspace()))
        most = field.max_files or 1
        if len(ids) > most:
            raise refuse(
                field.label,
                "{label}最多上傳 {most} 個檔案，目前有 {n} 個，請移除多的檔案",
                "{label}: {most} files at most, there are {n}. Remove some",
                most=most,
                n=len(ids),
            )
        if any(not _DOCUMENT_ID.fullmatch(text) for text in ids):
            raise refuse(
                field.label,
                "{label}的檔案沒有上傳成功，請重新上傳",
                "{label}: a file was not uploaded properly. Upload it again",
            )
        found: list[Json] = list(ids)
        return found or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        n = len(value) if isinstance(value, list) else 0
        return f"{n} 個檔案" if lang == "zh" else f"{n} file{'' if n == 1 else 's'}"

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [str(item) for item in value]} if isinstance(value, list) else {}


COMPOUND_TYPES: dict[str, FieldType] = {
    "address": Address(),
    "bank_account": BankAccount(),
    "file": File(),
}
