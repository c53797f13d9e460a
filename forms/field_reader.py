"""Reads one field of a definition, property by property; mistakes are collected, never raised."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from forms.bounds import DATE_BOUNDS, MOST_DAYS, NUMBER_BOUNDS, OUTSIDE, ROW_BOUNDS, Bound, Said
from forms.choice_types import AMONG, LISTS
from forms.field_types import COLUMN_TYPES, FIELD_TYPES
from forms.formula import OPERATIONS, Formula
from forms.model import Field, Limit, Option
from forms.places import STANDARD_LISTS
from forms.reading import SIZES, Reader, no_whole
from rules.conditions import Condition, FactType, did_you_mean, facts_of, leaves_of, parse, shown
from rules.values import Text, parse_roc_date, say

OPTION = re.compile(r"[A-Za-z0-9_.-]{1,60}")
MASK = re.compile(r"[0-9A-Za-z* -]*[9A*][0-9A-Za-z* -]*")
#: what an upload is looked into for
FILE_KINDS = frozenset({"pdf", "jpg", "jpeg", "png"})
MOST_OPTIONS = 500
MOST_COLUMNS = 12

NUMBERS = frozenset({"integer", "decimal", "money", "computed"})
DAYS = frozenset({"date", "datetime"})
SEVERAL = frozenset({"table", "multichoice", "multilookup", "file"})
#: what a definition must say, and what it is called
NEEDED: Mapping[str, Text] = {
    "options": Text(zh="至少要有一個選項（options）", en="There must be at least one option (options)"),
    "columns": Text(zh="至少要有一個欄（columns）", en="There must be at least one column (columns)"),
    "options_from": Text(
        zh="缺少 options_from：選項取自哪一份清單",
        en="options_from is missing: which list the options are taken from",
    ),
    "formula": Text(
        zh="缺少 formula：由哪些欄位計算", en="formula is missing: the fields that it is calculated from"
    ),
    "name_of": Text(
        zh="缺少 name_of：簽名須與哪個姓名欄位相同",
        en="name_of is missing: the field with the name that the signature must repeat",
    ),
    "sentence": Text(
        zh="缺少 sentence：簽名同意的內容", en="sentence is missing: what the signature agrees to"
    ),
}
FIELD = Text(zh="欄位", en="field")
COLUMN = Text(zh="欄", en="column")
OPTION_NAME = Text(zh="選項", en="option")
DAY, NUMBER = Text(zh="日期", en="date"), Text(zh="數字", en="number")
_COLUMN_OF_TABLE = Text(zh="表格的欄", en="column of a table")
_NO_FIELD = Text(zh="欄位須為 key、type、label 的組合", en="A field must be made of key, type and label")
_OWN_ANSWER = Text(zh="不能以欄位自己的答案作為必填條件", en="A field cannot be required by its own answer")
_DAYS_ONLY = Text(
    zh="表格的欄只有日期能以其他欄位為界限",
    en="Of the columns of a table only dates can be bounded by other fields",
)
_NO_HOLDER = Text(
    zh="holder_of 須為姓名欄位的 key，或這些 key 的清單",
    en="holder_of must be the key of a field with a name, or a list of such keys",
)
_TWO_ALIKE = Text(
    zh="difference 須為兩個數字或兩個日期", en="difference must be of two numbers or of two dates"
)
#: names of the form object and of other inputs of a page
RESERVED = frozenset(
    {"action", "context", "csrf_token", "data", "definition", "errors", "evaluation", "form_errors", "lang"}
    | {"meta", "populate_obj", "post_process", "process", "today", "validate", "version"}
)
#: addresses of a draft that stand beside those of its steps
PAGES = frozenset({"discard", "files", "handover", "review"})
COMMON = ("key", "type", "label", "hint", "optional", "personal")
#: not in a column: a row is shown as a whole
PLACED = ("when", "required_when", "group")


class FieldReader(Reader):
    def __init__(self, facts: Mapping[str, FactType]) -> None:
        super().__init__()
        self.facts = dict(facts)
        self.keys: list[str] = []
        #: type by key, and by `table.column`
        self.types: dict[str, str] = {}
        #: the columns that stand before the one being read
        self.siblings: dict[str, str] | None = None
        self.choices: dict[str, list[str]] = {}

    def learn(self, data: object) -> None:
        """What other fields may say of this one, as far as it can be told before it is read itself."""
        if not isinstance(data, Mapping) or not isinstance(key := data.get("key"), str):
            return
        self.keys.append(key)
        type_, options = data.get("type"), data.get("options")
        kind = FIELD_TYPES.get(type_) if isinstance(type_, str) else None
        if kind is None:
            return
        self.types[key] = str(type_)
        if isinstance(columns := data.get("columns"), list):
            self.types |= {f"{key}.{name}": of for name, of in map(_type_of, columns) if name}
        self.facts.update(kind.fact_types(key))
        for part, fixed in kind.fixed.items():
            self.choices[f"answers.{key}" + (f".{part}" if part else "")] = list(fixed)
        if isinstance(listed := data.get("options_from"), str) and listed in STANDARD_LISTS:
            self.choices[f"answers.{key}"] = list(STANDARD_LISTS[listed])
        if "options" in kind.props and isinstance(options, list):
            values = [option.get("value") for option in options if isinstance(option, Mapping)]
            self.choices[f"answers.{key}"] = [value for value in values if isinstance(value, str)]

    # --- the field ---------------------------------------------------------------------------------------

    def field(self, data: object, path: str, *, column: bool = False) -> Field | None:
        if not isinstance(data, Mapping):
            self.report(path, _NO_FIELD)
            return None
        before = len(self.problems)
        name = data.get("type")
        known = COLUMN_TYPES if column else FIELD_TYPES.keys()
        key, label = self.key(data, path), self.text(data, "label", path, required=True)
        if key in RESERVED and not column:
            self.report(f"{path}.key", reserved(key))
        if not isinstance(name, str) or name not in known:
            said = say(
                "{where}沒有「{type}」這種型別{hint}",
                "A {where} has no type “{type}”{hint}",
                where=_COLUMN_OF_TABLE if column else FIELD,
                type=shown(name),
                hint=did_you_mean(name, known),
            )
            self.report(f"{path}.type", said)
            return None
        kind = FIELD_TYPES[name]
        self.only(data, (*COMMON, *(() if column else PLACED), *sorted(kind.props)), path, type_=name)
        props: dict[str, Any] = {
            "key": key,
            "type": name,
            "label": label,
            "hint": self.text(data, "hint", path),
            "optional": self.flag(data, "optional", path) or False,
            **kind.defaults,
        }
        if not column:
            props["group"] = self.text(data, "group", path)
            props["when"] = self.condition(data, "when", path)
            props["required_when"] = required_when = self.condition(data, "required_when", path)
            if required_when and key in keys_read(required_when):
                self.report(f"{path}.required_when", _OWN_ANSWER)
        for prop in sorted(kind.props & data.keys()):
            props[prop] = self.property(prop, data, name, path)
        self.complete(props, kind.props, path)
        personal = self.flag(data, "personal", path)
        inherited = kind.personal or any(c.personal for c in props.get("columns", ()))
        props["personal"] = inherited if personal is None else personal
        return Field(**props) if len(self.problems) == before else None

    def property(self, prop: str, data: Mapping[str, Any], type_: str, path: str) -> object:
        if prop in SIZES:
            return self.whole(data, prop, path)
        readers: Mapping[str, Callable[[object, str], object]] = {
            "min": self.date_limit if type_ in DAYS else self.number_limit,
            "max": self.date_limit if type_ in DAYS else self.number_limit,
            "options": self.options,
            "options_from": lambda name, at: self.list_name(name, at, LISTS),
            "options_among": lambda name, at: self.list_name(name, at, AMONG),
            "formula": self.formula,
            "totals": lambda names, at: self.totals(names, at, str(data.get("key"))),
            "name_of": self.name_of,
            "holder_of": self.holder_of,
            "sentence": self.as_text,
            "columns": self.columns,
            "accept": self.accept,
            "pattern": self.pattern,
            **{name: lambda said, at: self.bounds(said, at, data.get("key"), DAYS) for name in DATE_BOUNDS},
            **{
                name: lambda said, at: self.bounds(said, at, data.get("key"), NUMBERS)
                for name in (*NUMBER_BOUNDS, *ROW_BOUNDS)
            },
            "autocomplete": self.autocomplete,
            "unit": self.as_text,
        }
        return readers[prop](data[prop], f"{path}.{prop}")

    def complete(self, props: dict[str, Any], allowed: Collection[str], path: str) -> None:
        """What must be there, and pairs that must fit together."""
        for prop, message in NEEDED.items():
            if prop in allowed and prop not in props:
                self.report(path, message)
        if "min_rows" in allowed:
            props.setdefault("min_rows", 0 if props["optional"] else 1)
        for low, high in (("min", "max"), ("min_length", "max_length"), ("min_rows", "max_rows")):
            least: Any = props.get(low)
            most: Any = props.get(high)
            ordered: bool = type(least) is type(most) and type(least) in (int, Decimal, date)
            if ordered and least > most:
                said = say(
                    "{low}「{least}」不能大於 {high}「{most}」",
                    "{low} “{least}” cannot be above {high} “{most}”",
                    low=low,
                    least=least,
                    high=high,
                    most=most,
                )
                self.report(f"{path}.{low}", said)

    # --- properties --------------------------------------------------------------------------------------

    def options(self, data: object, path: str) -> tuple[Option, ...]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_OPTIONS:
            said = say(
                "選項須為 1 到 {most} 個 {{value, label}} 的清單",
                "The options must be a list of 1 to {most} {{value, label}}",
                most=MOST_OPTIONS,
            )
            self.report(path, said)
            return ()
        options = []
        for i, item in enumerate(data):
            at = f"{path}[{i}]"
            if not isinstance(item, Mapping):
                said = say(
                    "選項須為 {{value, label}}，不是「{value}」",
                    "An option must be {{value, label}}; it is “{value}”",
                    value=shown(item),
                )
                self.report(at, said)
                continue
            self.only(item, ("value", "label", "hint"), at)
            value, label = item.get("value"), self.text(item, "label", at, required=True)
            if not isinstance(value, str) or not OPTION.fullmatch(value):
                said = say(
                    "選項的值「{value}」須為英文字母、數字或 _ . -，數字請加引號",
                    "The value “{value}” of an option must be of letters, digits or _ . -; put digits in quotes",
                    value=shown(value),
                )
                self.report(f"{at}.value", said)
            elif label:
                options.append(Option(value=value, label=label, hint=self.text(item, "hint", at)))
        self.unique([option.value for option in options], path, OPTION_NAME)
        return tuple(options)

    def columns(self, data: object, path: str) -> tuple[Field, ...]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_COLUMNS:
            said = say("表格須有 1 到 {most} 欄", "A table has 1 to {most} columns", most=MOST_COLUMNS)
            self.report(path, said)
            return ()
        read = []
        self.siblings = {}
        for i, item in enumerate(data):
            read.append(self.field(item, f"{path}[{i}]", column=True))
            self.siblings |= {name: of for name, of in [_type_of(item)] if name}
        self.siblings = None
        columns = tuple(column for column in read if column)
        self.unique([column.key for column in columns], path, COLUMN)
        return columns

    def accept(self, data: object, path: str) -> tuple[str, ...]:
        if isinstance(data, list) and data and all(isinstance(x, str) and x in FILE_KINDS for x in data):
            return tuple(dict.fromkeys(data))
        said = say(
            "檔案種類「{value}」不正確，可用：{kinds}",
            "The kinds of file “{value}” are not right; there are: {kinds}",
            value=shown(data),
            kinds=sorted(FILE_KINDS),
        )
        self.report(path, said)
        return ()

    def pattern(self, data: object, path: str) -> str | None:
        if isinstance(data, str) and len(data) <= 60 and MASK.fullmatch(data):
            return data
        said = say(
            "格式「{value}」不正確：9 代表數字、A 代表字母、* 代表兩者，例如 AA-9999",
            "The pattern “{value}” is not right: 9 is a digit, A a letter, * either, as in AA-9999",
            value=shown(data),
        )
        self.report(path, said)
        return None

    def autocomplete(self, data: object, path: str) -> str | None:
        if isinstance(data, str) and re.fullmatch("[a-z0-9 -]{1,60}", data):
            return data
        said = say(
            "autocomplete「{value}」須為 HTML 的自動填入名稱，例如 tel、email、name",
            "autocomplete “{value}” must be a name that HTML has for it, such as tel, email, name",
            value=shown(data),
        )
        self.report(path, said)
        return None

    def bounds(self, data: object, path: str, own: object, types: frozenset[str]) -> Said:
        """A key, a mapping, or a list of them."""
        if isinstance(data, list) and data:
            return tuple(
                bound
                for i, part in enumerate(data)
                if (bound := self.bound(part, f"{path}[{i}]", own, types)) is not None
            )
        return self.bound(data, path, own, types)

    def bound(self, data: object, path: str, own: object, types: frozenset[str]) -> str | Bound | None:
        is_day = types == DAYS
        if self.siblings is not None and not is_day:
            self.report(path, _DAYS_ONLY)
            return None
        known = sorted(key for key, of in self.types.items() if of in types and "." not in key and key != own)
        if not isinstance(data, Mapping):
            return self.bounding(data, path, known, is_day)
        self.only(data, ("of", "days", "when", "advice") if is_day else ("of", "when"), path)
        of = self.bounding(data.get("of"), f"{path}.of", [*known, *(OUTSIDE if is_day else ())], is_day)
        days = data.get("days", 0)
        if type(days) is not int or abs(days) > MOST_DAYS:
            self.report(f"{path}.days", no_whole("days", days, -MOST_DAYS, MOST_DAYS))
            return None
        when, advice = self.condition(data, "when", path), self.text(data, "advice", path)
        return Bound(of, days, when, advice) if of is not None else None

    def bounding(self, name: object, path: str, known: Collection[str], is_day: bool) -> str | None:
        if isinstance(name, str) and name in known:
            return name
        said = say(
            "「{name}」不是另一個{what}欄位{hint}",
            "“{name}” is no other {what} field{hint}",
            name=shown(name),
            what=DAY if is_day else NUMBER,
            hint=did_you_mean(name, known),
        )
        self.report(path, said)
        return None

    def list_name(self, data: object, path: str, lists: Collection[str]) -> str | None:
        if isinstance(data, str) and data in lists:
            return data
        said = say(
            "沒有「{name}」這份清單，可用：{known}",
            "There is no list “{name}”; there are: {known}",
            name=shown(data),
            known=sorted(lists),
        )
        self.report(path, said)
        return None

    def name_of(self, data: object, path: str) -> tuple[str, ...]:
        names = sorted(key for key, of in self.types.items() if of == "text" and "." not in key)
        asked = data if isinstance(data, list) and data else [data]
        for each in asked:
            if each not in names:
                said = say(
                    "「{name}」不是文字欄位{hint}",
                    "“{name}” is no text field{hint}",
                    name=shown(each),
                    hint=did_you_mean(each, names),
                )
                self.report(path, said)
        return tuple(asked)

    def holder_of(self, data: object, path: str) -> tuple[tuple[str, ...], ...]:
        """A key, or a list of keys and of lists of keys."""
        owners = data if isinstance(data, list) else [data]
        read = tuple(self.name_of(names, path) for names in owners)
        if not read or not all(read):
            self.report(path, _NO_HOLDER)
        return read

    def totals(self, data: object, path: str, table: str) -> tuple[str, ...]:
        names = sorted(
            name.removeprefix(f"{table}.")
            for name, of in self.types.items()
            if of in NUMBERS and name.startswith(f"{table}.")
        )
        if isinstance(data, list) and data and all(isinstance(x, str) and x in names for x in data):
            return tuple(dict.fromkeys(data))
        said = say(
            "合計「{value}」須為數字欄的清單，可用：{names}",
            "totals “{value}” must be a list of columns with numbers; there are: {names}",
            value=shown(data),
            names=names,
        )
        self.report(path, said)
        return ()

    def formula(self, data: object, path: str) -> Formula | None:
        """`{sum: [a, b]}`: one operation over answers of a type that fits it."""
        operation = next(iter(data)) if isinstance(data, Mapping) and len(data) == 1 else None
        if not isinstance(data, Mapping) or not isinstance(operation, str) or operation not in OPERATIONS:
            said = say(
                "計算「{value}」須為 {{運算: 欄位}}，運算可用：{known}",
                "The formula “{value}” must be {{operation: fields}}; the operations are: {known}",
                value=shown(data),
                known=list(OPERATIONS),
            )
            self.report(path, said)
            return None
        at, given = f"{path}.{operation}", data[operation]
        operands = given if isinstance(given, list) else [given]
        least, most = OPERATIONS[operation]
        if not least <= len(operands) <= most:
            said = say(
                "{operation} 須有 {least} 到 {most} 個欄位或數字，目前有 {n} 個",
                "{operation} takes {least} to {most} fields or numbers; it has {n}",
                operation=operation,
                least=least,
                most=most,
                n=len(operands),
            )
            self.report(at, said)
            return None
        read = [self.operand(operation, operand, at) for operand in operands]
        known_types = [self.known_types().get(name) for name in read if isinstance(name, str)]
        if operation == "difference" and 0 < sum(of in DAYS for of in known_types) < len(read):
            self.report(at, _TWO_ALIKE)
        found = tuple(operand for operand in read if operand is not None)
        return Formula(operation=operation, operands=found) if len(found) == len(read) else None

    def operand(self, operation: str, data: object, path: str) -> Decimal | str | None:
        fitting = {"count": SEVERAL, "age": DAYS, "difference": NUMBERS | DAYS}.get(operation, NUMBERS)
        if (
            isinstance(data, int | float)
            and not isinstance(data, bool)
            and fitting >= NUMBERS
            and abs(data) < 10**15
        ):
            return Decimal(str(data))
        names = sorted(
            name
            for name, of in self.known_types().items()
            if of in fitting and (operation == "sum" or "." not in name)
        )
        if isinstance(data, str) and data in names:
            return data
        said = say(
            "「{name}」不是能用於 {operation} 的欄位{hint}",
            "“{name}” is no field that {operation} can use{hint}",
            name=shown(data),
            operation=operation,
            hint=did_you_mean(data, names),
        )
        self.report(path, said)
        return None

    def known_types(self) -> Mapping[str, str]:
        """Of the fields that a formula may read: those of the form, or the earlier columns of its row."""
        return self.types if self.siblings is None else self.siblings

    def number_limit(self, data: object, path: str) -> Limit | None:
        if isinstance(data, int | float) and not isinstance(data, bool) and abs(data) < 10**15:
            return Decimal(str(data))
        self.report(path, say("「{value}」須為數字", "“{value}” must be a number", value=shown(data)))
        return None

    def date_limit(self, data: object, path: str) -> Limit | None:
        if data == "today":
            return "today"
        if isinstance(data, date):
            return data
        try:
            return parse_roc_date(str(data))
        except ValueError:
            said = say(
                "「{value}」須為日期（例如 109-10-16 或 2020-10-16）或 today",
                "“{value}” must be a date (such as 109-10-16 or 2020-10-16) or today",
                value=shown(data),
            )
            self.report(path, said)
            return None

    def condition(self, data: Mapping[str, Any], name: str, path: str) -> Condition | None:
        if data.get(name) is None:
            return None
        at = f"{path}.{name}"
        condition = parse(data[name], path=at, facts=self.facts, params={}, problems=self.problems)
        for leaf in leaves_of(condition) if condition else ():
            known = self.choices.get(leaf.fact, [])
            for value in leaf.value if isinstance(leaf.value, tuple) else (leaf.value,):
                if known and isinstance(value, str) and value not in known:
                    said = say(
                        "「{fact}」沒有「{value}」這個選項{hint}",
                        "“{fact}” has no option “{value}”{hint}",
                        fact=leaf.fact,
                        value=shown(value),
                        hint=did_you_mean(value, known),
                    )
                    self.report(at, said)
        return condition


def reserved(key: object) -> Text:
    return say(
        "「{key}」是系統保留的名稱，請改用其他 key",
        "“{key}” is a name that the system keeps for itself; use another key",
        key=key,
    )


def keys_read(condition: Condition) -> frozenset[str]:
    """The fields whose answers a condition reads."""
    return frozenset(name.split(".")[1] for name in facts_of(condition) if name.startswith("answers."))


def _type_of(data: object) -> tuple[str, str]:
    key, of = (data.get("key"), data.get("type")) if isinstance(data, Mapping) else (None, None)
    return (key, of) if isinstance(key, str) and isinstance(of, str) else ("", "")
