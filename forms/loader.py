"""From a mapping (a YAML file, an editor, a stored revision) to a checked FormDefinition.

Every mistake is reported at once, each with its path and one sentence for an administrator.
"""

from __future__ import annotations

import copy
import graphlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forms.field_reader import PAGES, FieldReader, keys_read
from forms.model import Field, FormDefinition, Section
from rules.conditions import FactType, did_you_mean, shown
from rules.values import DefinitionError, Problem, Text, read_yaml

FACTORY = Path(__file__).parent / "definitions"
SHARED = FACTORY / "_shared"
MOST_FIELDS = 200


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
            problems += [
                Problem(path=f"{path.name} {p.path}".strip(), message=p.message) for p in error.problems
            ]
            continue
        if mapping.get("key") != path.stem:
            problems.append(
                Problem(path=path.name, message=f"檔名須與表單的 key「{shown(mapping.get('key'))}」相同")
            )
        elif path.stem in definitions:
            problems.append(Problem(path=path.name, message=f"表單「{path.stem}」有兩個檔案"))
        definitions[path.stem] = mapping
    if problems:
        raise DefinitionError(problems)
    return definitions


def expand(mapping: object) -> dict[str, Any]:
    """A copy in which every `include: name` is replaced by the shared section; key, title, description and
    when beside it take precedence, `without` leaves fields out, and `fields` come after the shared ones, or each
    after the one that its `after` names."""
    if not isinstance(mapping, Mapping):
        raise DefinitionError([Problem(path="", message="表單定義須為 key、title、sections 的組合")])
    expanded = copy.deepcopy(dict(mapping))
    problems: list[Problem] = []
    if isinstance(sections := expanded.get("sections"), list):
        for i, section in enumerate(sections):
            if isinstance(section, dict) and "include" in section:
                sections[i] = _included(section, f"sections[{i}]", problems)
    if problems:
        raise DefinitionError(problems)
    return expanded


def _included(section: dict[str, Any], path: str, problems: list[Problem]) -> dict[str, Any]:
    name = section.pop("include")
    known = sorted(file.stem for file in SHARED.glob("*.yaml"))
    if name not in known:
        message = f"沒有「{shown(name)}」這個共用區段{did_you_mean(name, known)}"
        problems.append(Problem(path=f"{path}.include", message=message))
        return section
    shared: dict[str, Any] = read_yaml(SHARED / f"{name}.yaml")
    left_out, own = section.pop("without", []), section.pop("fields", [])
    keys = [field["key"] for field in shared["fields"]]
    for part, value in (("without", left_out), ("fields", own)):
        if not isinstance(value, list):
            problems.append(Problem(path=f"{path}.{part}", message="須為清單"))
            return section
    for i, key in enumerate(left_out):
        if key not in keys:
            message = f"共用區段沒有「{shown(key)}」這個欄位{did_you_mean(str(key), keys)}"
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
        message = f"這個區段沒有「{shown(after)}」這個欄位{did_you_mean(after, [k for k in keys if isinstance(k, str)])}"
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
            self.report("sections", "表單至少要有一個區段")
            items = []
        self.learn_all(items)
        read = [self.section(item, f"sections[{i}]") for i, item in enumerate(items)]
        sections = tuple(section for section in read if section)
        self.unique([section.key for section in sections], "sections", "區段")
        self.unique(self.keys, "sections", "欄位")
        if len(self.keys) > MOST_FIELDS:
            self.report("sections", f"一張表單最多 {MOST_FIELDS} 個欄位，目前有 {len(self.keys)} 個")
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
            self.report(path, "區段須為 key、title、fields 的組合")
            return None
        self.only(data, ("key", "title", "description", "when", "fields"), path)
        key, title = self.key(data, path), self.text(data, "title", path, required=True)
        if key in PAGES:
            self.report(f"{path}.key", f"「{key}」是系統保留的名稱，請改用其他 key")
        items = data.get("fields")
        if not isinstance(items, list) or not items:
            self.report(f"{path}.fields", "區段至少要有一個欄位")
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
                self.report("sections", f"顯示條件或計算互相循環：{' → '.join(reversed(cycle))}")
                graph[cycle[1]].remove(cycle[0])


def _reads(owner: Section | Field) -> frozenset[str]:
    conditions = keys_read(owner.when) if owner.when else frozenset()
    return conditions | owner.kind.reads(owner) if isinstance(owner, Field) else conditions
