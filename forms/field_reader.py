"""Reads one field of a definition, property by property; mistakes are collected, never raised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from forms.bounds import DATE_BOUNDS, MOST_DAYS, NUMBER_BOUNDS, OUTSIDE, ROW_BOUNDS, Bound, Said
from forms.choice_types import AMONG, LISTS
from forms.field_types import COLUMN_TYPES, FIELD_TYPES, MOST_ROWS
from forms.formula import OPERATIONS, Formula
from forms.model import Field, Limit, Option
from forms.places import STANDARD_LISTS
from rules.conditions import Condition, FactType, did_you_mean, facts_of, leaves_of, parse, shown
from rules.values import Problem, Text, parse_roc_date

KEY = re.compile("[a-z][a-z0-9_]{0,39}")
OPTION = re.compile(r"[A-Za-z0-9_.-]{1,60}")
MASK = re.compile(r"[0-9A-Za-z* -]*[9A*][0-9A-Za-z* -]*")
#: what an upload is looked into for
FILE_KINDS = frozenset({"pdf", "jpg", "jpeg", "png"})
MOST_OPTIONS = 500
MOST_COLUMNS = 12
LONGEST_TEXT = 2000

#: least and most of the properties that are whole numbers
SIZES: Mapping[str, tuple[int, int]] = {
    "min_length": (0, 20_000),
    "max_length": (1, 20_000),
    "decimals": (0, 6),
    "max_mb": (1, 100),
    "max_files": (1, 50),
    "min_rows": (0, MOST_ROWS),
    "max_rows": (1, MOST_ROWS),
}
NUMBERS = frozenset({"integer", "decimal", "money", "computed"})
DAYS = frozenset({"date", "datetime"})
SEVERAL = frozenset({"table", "multichoice", "multilookup", "file"})
#: what a definition must say, and what it is called
NEEDED: Mapping[str, str] = {
    "options": "至少要有一個選項（options）",
    "columns": "至少要有一個欄（columns）",
    "options_from": "缺少 options_from：選項取自哪一份清單",
    "formula": "缺少 formula：由哪些欄位計算",
    "name_of": "缺少 name_of：簽名須與哪個姓名欄位相同",
    "sentence": "缺少 sentence：簽名同意的內容",
}
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


class FieldReader:
    def __init__(self, facts: Mapping[str, FactType]) -> None:
        self.problems: list[Problem] = []
        self.facts = dict(facts)
        self.keys: list[str] = []
        #: type by key, and by `table.column`
        self.types: dict[str, str] = {}
        #: the columns that stand before the one being read
        self.siblings: dict[str, str] | None = None
        self.choices: dict[str, list[str]] = {}

    def report(self, path: str, message: str) -> None:
        self.problems.append(Problem(path=path.lstrip("."), message=message))

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
            self.report(path, "欄位須為 key、type、label 的組合")
            return None
        before = len(self.problems)
        name = data.get("type")
        known = COLUMN_TYPES if column else FIELD_TYPES.keys()
        key, label = self.key(data, path), self.text(data, "label", path, required=True)
        if key in RESERVED and not column:
            self.report(f"{path}.key", f"「{key}」是系統保留的名稱，請改用其他 key")
        if not isinstance(name, str) or name not in known:
            where = "表格的欄" if column else "欄位"
            self.report(f"{path}.type", f"{where}沒有「{shown(name)}」這種型別{did_you_mean(name, known)}")
            return None
        kind = FIELD_TYPES[name]
        self.only(
            data, (*COMMON, *(() if column else PLACED), *sorted(kind.props)), path, what=f"型別 {name} "
        )
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
                self.report(f"{path}.required_when", "不能以欄位自己的答案作為必填條件")
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
                self.report(f"{path}.{low}", f"{low}「{least}」不能大於 {high}「{most}」")

    # --- properties --------------------------------------------------------------------------------------

    def options(self, data: object, path: str) -> tuple[Option, ...]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_OPTIONS:
            self.report(path, f"選項須為 1 到 {MOST_OPTIONS} 個 {{value, label}} 的清單")
            return ()
        options = []
        for i, item in enumerate(data):
            at = f"{path}[{i}]"
            if not isinstance(item, Mapping):
                self.report(at, f"選項須為 {{value, label}}，不是「{shown(item)}」")
                continue
            self.only(item, ("value", "label", "hint"), at)
            value, label = item.get("value"), self.text(item, "label", at, required=True)
            if not isinstance(value, str) or not OPTION.fullmatch(value):
                self.report(
                    f"{at}.value", f"選項的值「{shown(value)}」須為英文字母、數字或 _ . -，數字請加引號"
                )
            elif label:
                options.append(Option(value=value, label=label, hint=self.text(item, "hint", at)))
        self.unique([option.value for option in options], path, "選項")
        return tuple(options)

    def columns(self, data: object, path: str) -> tuple[Field, ...]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_COLUMNS:
            self.report(path, f"表格須有 1 到 {MOST_COLUMNS} 欄")
            return ()
        read = []
        self.siblings = {}
        for i, item in enumerate(data):
            read.append(self.field(item, f"{path}[{i}]", column=True))
            self.siblings |= {name: of for name, of in [_type_of(item)] if name}
        self.siblings = None
        columns = tuple(column for column in read if column)
        self.unique([column.key for column in columns], path, "欄")
        return columns

    def accept(self, data: object, path: str) -> tuple[str, ...]:
        if isinstance(data, list) and data and all(isinstance(x, str) and x in FILE_KINDS for x in data):
            return tuple(dict.fromkeys(data))
        self.report(path, f"檔案種類「{shown(data)}」不正確，可用：{'、'.join(sorted(FILE_KINDS))}")
        return ()

    def pattern(self, data: object, path: str) -> str | None:
        if isinstance(data, str) and len(data) <= 60 and MASK.fullmatch(data):
            return data
        self.report(path, f"格式「{shown(data)}」不正確：9 代表數字、A 代表字母、* 代表兩者，例如 AA-9999")
        return None

    def autocomplete(self, data: object, path: str) -> str | None:
        if isinstance(data, str) and re.fullmatch("[a-z0-9 -]{1,60}", data):
            return data
        self.report(path, f"autocomplete「{shown(data)}」須為 HTML 的自動填入名稱，例如 tel、email、name")
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
            self.report(path, "表格的欄只有日期能以其他欄位為界限")
            return None
        known = sorted(key for key, of in self.types.items() if of in types and "." not in key and key != own)
        if not isinstance(data, Mapping):
            return self.bounding(data, path, known, is_day)
        self.only(data, ("of", "days", "when", "advice") if is_day else ("of", "when"), path)
        of = self.bounding(data.get("of"), f"{path}.of", [*known, *(OUTSIDE if is_day else ())], is_day)
        days = data.get("days", 0)
        if type(days) is not int or abs(days) > MOST_DAYS:
            self.report(f"{path}.days", f"days「{shown(days)}」須為 -{MOST_DAYS} 到 {MOST_DAYS} 的整數")
            return None
        when, advice = self.condition(data, "when", path), self.text(data, "advice", path)
        return Bound(of, days, when, advice) if of is not None else None

    def bounding(self, name: object, path: str, known: Collection[str], is_day: bool) -> str | None:
        if isinstance(name, str) and name in known:
            return name
        what = "日期" if is_day else "數字"
        self.report(path, f"「{shown(name)}」不是另一個{what}欄位{did_you_mean(name, known)}")
        return None

    def list_name(self, data: object, path: str, lists: Collection[str]) -> str | None:
        if isinstance(data, str) and data in lists:
            return data
        known = "、".join(sorted(lists))
        self.report(path, f"沒有「{shown(data)}」這份清單，可用：{known}")
        return None

    def name_of(self, data: object, path: str) -> tuple[str, ...]:
        names = sorted(key for key, of in self.types.items() if of == "text" and "." not in key)
        asked = data if isinstance(data, list) and data else [data]
        for each in asked:
            if each not in names:
                self.report(path, f"「{shown(each)}」不是文字欄位{did_you_mean(each, names)}")
        return tuple(asked)

    def holder_of(self, data: object, path: str) -> tuple[tuple[str, ...], ...]:
        """A key, or a list of keys and of lists of keys."""
        owners = data if isinstance(data, list) else [data]
        read = tuple(self.name_of(names, path) for names in owners)
        if not read or not all(read):
            self.report(path, "holder_of 須為姓名欄位的 key，或這些 key 的清單")
        return read

    def totals(self, data: object, path: str, table: str) -> tuple[str, ...]:
        names = sorted(
            name.removeprefix(f"{table}.")
            for name, of in self.types.items()
            if of in NUMBERS and name.startswith(f"{table}.")
        )
        if isinstance(data, list) and data and all(isinstance(x, str) and x in names for x in data):
            return tuple(dict.fromkeys(data))
        self.report(path, f"合計「{shown(data)}」須為數字欄的清單，可用：{'、'.join(names)}")
        return ()

    def formula(self, data: object, path: str) -> Formula | None:
        """`{sum: [a, b]}`: one operation over answers of a type that fits it."""
        operation = next(iter(data)) if isinstance(data, Mapping) and len(data) == 1 else None
        if not isinstance(data, Mapping) or not isinstance(operation, str) or operation not in OPERATIONS:
            known = "、".join(OPERATIONS)
            self.report(path, f"計算「{shown(data)}」須為 {{運算: 欄位}}，運算可用：{known}")
            return None
        at, given = f"{path}.{operation}", data[operation]
        operands = given if isinstance(given, list) else [given]
        least, most = OPERATIONS[operation]
        if not least <= len(operands) <= most:
            self.report(at, f"{operation} 須有 {least} 到 {most} 個欄位或數字，目前有 {len(operands)} 個")
            return None
        read = [self.operand(operation, operand, at) for operand in operands]
        known_types = [self.known_types().get(name) for name in read if isinstance(name, str)]
        if operation == "difference" and 0 < sum(of in DAYS for of in known_types) < len(read):
            self.report(at, "difference 須為兩個數字或兩個日期")
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
        self.report(path, f"「{shown(data)}」不是能用於 {operation} 的欄位{did_you_mean(data, names)}")
        return None

    def known_types(self) -> Mapping[str, str]:
        """Of the fields that a formula may read: those of the form, or the earlier columns of its row."""
        return self.types if self.siblings is None else self.siblings

    def number_limit(self, data: object, path: str) -> Limit | None:
        if isinstance(data, int | float) and not isinstance(data, bool) and abs(data) < 10**15:
            return Decimal(str(data))
        self.report(path, f"「{shown(data)}」須為數字")
        return None

    def date_limit(self, data: object, path: str) -> Limit | None:
        if data == "today":
            return "today"
        if isinstance(data, date):
            return data
        try:
            return parse_roc_date(str(data))
        except ValueError:
            self.report(path, f"「{shown(data)}」須為日期（例如 109-10-16 或 2020-10-16）或 today")
            return None

    def as_text(self, data: object, path: str) -> Text | None:
        try:
            text = Text.model_validate(data)
        except ValidationError:
            self.report(path, f"「{shown(data)}」須為文字，或 {{zh: 中文, en: English}}")
            return None
        if len(text.zh) > LONGEST_TEXT or len(text.en) > LONGEST_TEXT:
            self.report(path, f"文字最多 {LONGEST_TEXT} 字")
        return text

    # --- small readers -----------------------------------------------------------------------------------

    def key(self, data: Mapping[str, Any], path: str) -> str | None:
        value = data.get("key")
        if isinstance(value, str) and KEY.fullmatch(value):
            return value
        message = (
            "缺少 key"
            if value is None
            else f"key「{shown(value)}」須以小寫英文字母開頭，只用小寫字母、數字和 _"
        )
        self.report(f"{path}.key", message)
        return None

    def text(self, data: Mapping[str, Any], name: str, path: str, *, required: bool = False) -> Text | None:
        if data.get(name) is not None:
            return self.as_text(data[name], f"{path}.{name}")
        if required:
            self.report(f"{path}.{name}", f"缺少 {name}")
        return None

    def flag(self, data: Mapping[str, Any], name: str, path: str) -> bool | None:
        value = data.get(name)
        if value is not None and not isinstance(value, bool):
            self.report(f"{path}.{name}", f"{name}「{shown(value)}」須為 true 或 false")
            return None
        return value

    def whole(self, data: Mapping[str, Any], name: str, path: str) -> int | None:
        value, (least, most) = data[name], SIZES[name]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.report(f"{path}.{name}", f"{name}「{shown(value)}」須為 {least} 到 {most} 的整數")
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
                    close = did_you_mean(value, known)
                    self.report(at, f"「{leaf.fact}」沒有「{shown(value)}」這個選項{close}")
        return condition

    def only(self, data: Mapping[str, Any], allowed: Collection[str], path: str, *, what: str = "") -> None:
        for name in data:
            if name not in allowed:
                at, close = f"{path}.{shown(name)}", did_you_mean(name, allowed)
                self.report(at, f"{what}沒有「{shown(name)}」這個設定{close}")

    def unique(self, keys: list[str], path: str, what: str) -> None:
        for key, n in Counter(keys).items():
            if n > 1:
                self.report(path, f"{what}「{key}」重複 {n} 次")


def keys_read(condition: Condition) -> frozenset[str]:
    """The fields whose answers a condition reads."""
    return frozenset(name.split(".")[1] for name in facts_of(condition) if name.startswith("answers."))


def _type_of(data: object) -> tuple[str, str]:
    key, of = (data.get("key"), data.get("type")) if isinstance(data, Mapping) else (None, None)
    return (key, of) if isinstance(key, str) and isinstance(of, str) else ("", "")
