"""From a mapping (a YAML file, an editor, a stored revision) to a checked FormDefinition.

Every mistake is reported at once, each with its path and one sentence for an administrator.
"""

from __future__ import annotations

import copy
import graphlib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from forms.field_reader import FIELD, PAGES, FieldReader, keys_read, reserved
from forms.model import Field, FormDefinition, Section
from rules.conditions import FactType, did_you_mean, shown
from rules.values import DefinitionError, Problem, Text, read_yaml, say

FACTORY = Path(__file__).parent / "definitions"
SHARED = FACTORY / "_shared"
MOST_FIELDS = 200

_NO_FORM = Text(
    zh="表單定義須為 key、title、sections 的組合", en="A form must be made of key, title and sections"
)
_NO_SECTION = Text(
    zh="區段須為 key、title、fields 的組合", en="A section must be made of key, title and fields"
)
_NO_SECTIONS = Text(zh="表單至少要有一個區段", en="A form has at least one section")
_NO_FIELDS = Text(zh="區段至少要有一個欄位", en="A section has at least one field")
_NO_LIST = Text(zh="須為清單", en="It must be a list")


# --- files -----------------------------------------------------------------------------------------------


def read_all(root: Path | None = None) -> dict[str, dict[str, Any]]:
    """The factory definitions by key, expanded; a file bears the key of its form."""
    definitions: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for path in sorted((root or FACTORY).glob("*/*.yaml")):
        if path.parent.name == SHARED.name:
            continue
        try:
            mapping = expand(read_yaml(path))
        except DefinitionError as error:
            problems += [problem.below(path.name) for problem in error.problems]
            continue
        if mapping.get("key") != path.stem:
            message = say(
                "檔名須與表單的 key「{key}」相同",
                "The file must have the name of the form's key “{key}”",
                key=shown(mapping.get("key")),
            )
            problems.append(Problem(path=path.name, message=message))
        elif path.stem in definitions:
            message = say("表單「{key}」有兩個檔案", "There are two files of the form “{key}”", key=path.stem)
            problems.append(Problem(path=path.name, message=message))
        definitions[path.stem] = mapping
    if problems:
        raise DefinitionError(problems)
    return definitions


def expand(mapping: object) -> dict[str, Any]:
    """A copy in which every `include: name` is replaced by the shared section; key, title, description and
    when beside it take precedence, `without` leaves fields out, and `fields` come after the shared ones, or each
    after the one that its `after` names."""
    if not isinstance(mapping, Mapping):
        raise DefinitionError([Problem(path="", message=_NO_FORM)])
    expanded = copy.deepcopy(dict(mapping))
    problems: list[Problem] = []
    if isinstance(sections := expanded.get("sections"), list):
        for i, section in enumerate(sections):
            if isinstance(section, dict) and "include" in section:
                sections[i] = _included(section, f"sections[{i}]", problems)
    if problems:
        raise DefinitionError(problems)
    return expanded


@cache
def _shared(name: str) -> dict[str, Any]:
    """Most forms ask for the same sections: each file is read once."""
    read: dict[str, Any] = read_yaml(SHARED / f"{name}.yaml")
    return read


def _included(section: dict[str, Any], path: str, problems: list[Problem]) -> dict[str, Any]:
    name = section.pop("include")
    known = sorted(file.stem for file in SHARED.glob("*.yaml"))
    if name not in known:
        message = say(
            "沒有「{name}」這個共用區段{hint}",
            "There is no shared section “{name}”{hint}",
            name=shown(name),
            hint=did_you_mean(name, known),
        )
        problems.append(Problem(path=f"{path}.include", message=message))
        return section
    shared: dict[str, Any] = copy.deepcopy(_shared(name))
    left_out, own = section.pop("without", []), section.pop("fields", [])
    keys = [field["key"] for field in shared["fields"]]
    for part, value in (("without", left_out), ("fields", own)):
        if not isinstance(value, list):
            problems.append(Problem(path=f"{path}.{part}", message=_NO_LIST))
            return section
    for i, key in enumerate(left_out):
        if key not in keys:
            message = say(
                "共用區段沒有「{key}」這個欄位{hint}",
                "The shared section has no field “{key}”{hint}",
                key=shown(key),
                hint=did_you_mean(str(key), keys),
            )
            problems.append(Problem(path=f"{path}.without[{i}]", message=message))
    fields = [field for field in shared["fields"] if field["key"] not in left_out]
    for i, field in enumerate(own):
        fields.insert(_place(field, fields, f"{path}.fields[{i}]", problems), field)
    return {**shared, **section, "fields": fields}


def _place(field: object, fields: list[Any], path: str, problems: list[Problem]) -> int:
    """Where a field of the form's own stands among the shared ones."""
    if not isinstance(field, dict) or "after" not in field:
        return len(fields)
    after = field.pop("after")
    keys = [each.get("key") if isinstance(each, dict) else None for each in fields]
    if after is None or after not in keys:
        message = say(
            "這個區段沒有「{key}」這個欄位{hint}",
            "This section has no field “{key}”{hint}",
            key=shown(after),
            hint=did_you_mean(after, [k for k in keys if isinstance(k, str)]),
        )
        problems.append(Problem(path=f"{path}.after", message=message))
        return len(fields)
    return keys.index(after) + 1


# --- reading ---------------------------------------------------------------------------------------------


def load(mapping: object, *, facts: Mapping[str, FactType] = {}) -> FormDefinition:
    """The definition; DefinitionError with every mistake. `facts` are what conditions may read besides answers."""
    expanded = expand(mapping)
    reader = _FormReader(facts)
    parts = reader.form(expanded)
    if reader.problems:
        raise DefinitionError(reader.problems)
    canonical = json.dumps(expanded, sort_keys=True, separators=(",", ":"), default=str)
    return FormDefinition(checksum=hashlib.sha256(canonical.encode()).hexdigest(), **parts)


class _FormReader(FieldReader):
    def form(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        self.only(mapping, ("key", "title", "sections"), "")
        items = mapping.get("sections")
        if not isinstance(items, list) or not items:
            self.report("sections", _NO_SECTIONS)
            items = []
        self.learn_all(items)
        read = [self.section(item, f"sections[{i}]") for i, item in enumerate(items)]
        sections = tuple(section for section in read if section)
        self.unique([section.key for section in sections], "sections", Text(zh="區段", en="section"))
        self.unique(self.keys, "sections", FIELD)
        if len(self.keys) > MOST_FIELDS:
            said = say(
                "一張表單最多 {most} 個欄位，目前有 {n} 個",
                "A form has at most {most} fields; this one has {n}",
                most=MOST_FIELDS,
                n=len(self.keys),
            )
            self.report("sections", said)
        return {
            "key": self.key(mapping, ""),
            "title": self.text(mapping, "title", "", required=True),
            "sections": sections,
            "order": self.order({f.key: _reads(s) | _reads(f) for s in sections for f in s.fields}),
        }

    def learn_all(self, sections: list[Any]) -> None:
        """Conditions may read any field, also one that stands below them or has mistakes of its own."""
        for section in sections:
            fields = section.get("fields") if isinstance(section, Mapping) else None
            for field in fields if isinstance(fields, list) else []:
                self.learn(field)

    def section(self, data: object, path: str) -> Section | None:
        if not isinstance(data, Mapping):
            self.report(path, _NO_SECTION)
            return None
        self.only(data, ("key", "title", "description", "when", "fields"), path)
        key, title = self.key(data, path), self.text(data, "title", path, required=True)
        if key in PAGES:
            self.report(f"{path}.key", reserved(key))
        items = data.get("fields")
        if not isinstance(items, list) or not items:
            self.report(f"{path}.fields", _NO_FIELDS)
            items = []
        read = [self.field(item, f"{path}.fields[{i}]") for i, item in enumerate(items)]
        return Section(
            key=key or path,  # stands in until all mistakes are found
            title=title or Text(zh=path),
            description=self.text(data, "description", path),
            when=self.condition(data, "when", path),
            fields=tuple(field for field in read if field),
        )

    def order(self, reads: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """The fields, each after those that its conditions or its value read; every cycle is a mistake."""
        graph = {key: sorted(others & reads.keys()) for key, others in reads.items()}
        while True:
            try:
                return tuple(graphlib.TopologicalSorter(graph).static_order())
            except graphlib.CycleError as error:
                cycle: list[str] = error.args[1]
                said = say(
                    "顯示條件或計算互相循環：{cycle}",
                    "Conditions or formulas go round in a circle: “{cycle}”",
                    cycle=" → ".join(reversed(cycle)),
                )
                self.report("sections", said)
                graph[cycle[1]].remove(cycle[0])


def _reads(owner: Section | Field) -> frozenset[str]:
    conditions = keys_read(owner.when) if owner.when else frozenset()
    return conditions | owner.kind.reads(owner) if isinstance(owner, Field) else conditions
