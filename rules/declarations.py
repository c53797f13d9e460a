"""What a ruleset declares beside its rules: parameters, and facts that its rules derive."""

from collections.abc import Mapping
from typing import get_args

from rules.chaining import MAX_DERIVED, PREFIX
from rules.conditions import FactType, as_list, coerce, shown
from rules.facts import Fact
from rules.model import Parameter, Status
from rules.reading import ABSENT, Reader
from rules.values import Text, say

DERIVED_TYPES: tuple[FactType, ...] = ("number", "text", "boolean")


class Declarations(Reader):
    """Reads on after a mistake, as the reader of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters: dict[str, Parameter] = {}
        self.params: dict[str, object] = {}
        self.derived: dict[str, Fact] = {}

    def read_parameters(self, data: object) -> None:
        if data is None:
            return
        if not isinstance(data, Mapping):
            self.refuse(
                "parameters",
                say(
                    "parameters 必須是「名稱: {{value, label, …}}」",
                    "parameters must be pairs of “name: {{value, label, …}}”",
                ),
            )
            return
        for name, each in data.items():
            path = f"parameters.{name}"
            one = self.mapping(each, path, ("value", "label", "source", "status"), ("unit",))
            key = self.key(name, path)
            if one is None or key is None:
                continue
            value, label = (
                self.parameter_value(one["value"], f"{path}.value"),
                self.text(one["label"], f"{path}.label"),
            )
            unit = self.text(one["unit"], f"{path}.unit") if one.get("unit") is not None else None
            status = self.choice(one["status"], f"{path}.status", get_args(Status))
            source = self.text(one["source"], f"{path}.source")
            if value is not None and label is not None and source is not None:
                self.parameters[key] = Parameter(key, value, label, unit, source, status)
                self.params[key] = value

    def parameter_value(self, value: object, path: str) -> object:
        """A number, a word, yes or no, a date (as ISO text), or a list of these."""
        if value is ABSENT:
            return None
        members = as_list(value)
        for each in (value,) if members is None else members:
            number = coerce("number", each)
            if number is None and not isinstance(each, bool) and coerce("text", each) is None:
                said = say(
                    "「{value}」不是數字、文字或是非",
                    "“{value}” is no number, text, or yes or no",
                    value=shown(each),
                )
                self.refuse(path, said)
                return None
        return coerce("number", value) if isinstance(value, float) else value

    def read_derived(self, data: object) -> None:
        if data is None:
            return
        if not isinstance(data, Mapping):
            self.refuse(
                "derived",
                say(
                    "derived 必須是「名稱: {{type, label, …}}」",
                    "derived must be pairs of “name: {{type, label, …}}”",
                ),
            )
            return
        if len(data) > MAX_DERIVED:
            self.refuse(
                "derived",
                say("得出的事實最多 {most} 項", "At most {most} facts can be derived", most=MAX_DERIVED),
            )
            return
        for name, each in data.items():
            path = f"derived.{shown(name)}"
            one = self.mapping(each, path, ("type", "label"), ("unit", "options"))
            key = self.key(name, path)
            if one is None or key is None:
                continue
            type_: FactType = self.choice(one["type"], f"{path}.type", DERIVED_TYPES)
            label = self.text(one["label"], f"{path}.label")
            unit = self.text(one["unit"], f"{path}.unit") if one.get("unit") is not None else None
            options = {}
            if type_ == "text":
                options = self.options(one.get("options"), f"{path}.options")
            elif "options" in one:
                self.refuse(f"{path}.options", Text(zh="只有文字才有 options", en="Only text has options"))
            if label is not None:
                self.derived[PREFIX + key] = Fact(PREFIX + key, type_, label, unit, options=options)

    def options(self, data: object, path: str) -> dict[str, Text]:
        if not isinstance(data, Mapping) or not data:
            self.refuse(
                path,
                say(
                    "文字需要 options：每個可得出的值與它的名稱，例如 {{high: 高}}",
                    "Text needs options: every value that can be derived and its name, like {{high: High}}",
                ),
            )
            return {}
        read = {
            self.key(name, f"{path}.{shown(name)}"): self.text(each, f"{path}.{shown(name)}")
            for name, each in data.items()
        }
        return {name: text for name, text in read.items() if name is not None and text is not None}
