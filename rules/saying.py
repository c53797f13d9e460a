"""Rules and what follows from them in the words of an administrator."""

from collections.abc import Mapping
from typing import Any

from rules import vocabulary
from rules.actions import ActionParam
from rules.conditions import as_list, coerce, label_of, show_number, shown
from rules.rule_editing import in_words
from rules.values import Text

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "when": "當{when}時，{then}。",
        "always": "一律{then}。",
        "nothing": "（還沒有動作）",
        "unknown": "（還沒填完的動作）",
        "and": "；",
        "list": "、",
        "one": "{action}：{value}",
        "several": "{action}（{values}）",
        "param": "{label} {value}",
        "from": "（依規則「{rule}」）",
        "yes": "是",
        "no": "否",
    },
    "en": {
        "when": "When {when}: {then}.",
        "always": "Always: {then}.",
        "nothing": "(no action yet)",
        "unknown": "(an action that is not finished)",
        "and": "; ",
        "list": ", ",
        "one": "{action}: {value}",
        "several": "{action} ({values})",
        "param": "{label} {value}",
        "from": " (by the rule “{rule}”)",
        "yes": "yes",
        "no": "no",
    },
}


class Words:
    """Says what a ruleset says, as far as it can be read. `names` has function:… and unit:…"""

    def __init__(self, body: Mapping[str, Any], names: Mapping[str, Text]) -> None:
        self.vocabulary = vocabulary.of(body)
        self.params, self.labels = parameters_of(body), labels_of(body, self.vocabulary)
        self.names, self.codes = names, codes_of(body, self.vocabulary)
        self.rules = {
            str(rule.get("key")): as_text(rule.get("label")) for rule in _mappings(body.get("rules"))
        }

    def rule(self, rule: Mapping[str, Any], lang: str) -> str:
        """When … then …."""
        words = _WORDS[lang]
        said = [self.action(each, lang) for each in _items(rule.get("then"))]
        then = words["and"].join(said) if said else words["nothing"]
        if "when" not in rule:
            return words["always"].format(then=then)
        when = self.condition(rule["when"], lang)
        return words["when"].format(when=when, then=then)

    def condition(self, when: object, lang: str) -> str:
        return in_words(when, self.labels, self.params, lang, self.vocabulary.catalogue)

    def action(self, data: object, lang: str) -> str:
        """An action of a rule, or as much of an outcome as an example expects."""
        words = _WORDS[lang]
        if not isinstance(data, Mapping):
            return words["unknown"]
        action, rule = data.get("action"), data.get("rule")
        known = self.vocabulary.actions.get(action) if isinstance(action, str) else None
        if action and known is None:
            return words["unknown"]
        params = {str(name): value for name, value in data.items() if name not in ("action", "rule")}
        said = [
            (param.label.in_(lang), self.value(param, value, lang))
            for name, value in params.items()
            if (param := self._param(name, value, known.name if known else ""))
        ]
        text = words["list"].join(words["param"].format(label=a, value=b) for a, b in said)
        if known and len(known.params) == len(said) == 1:
            text = words["one"].format(action=known.label.in_(lang), value=said[0][1])
        elif known:
            name = known.label.in_(lang)
            text = words["several"].format(action=name, values=text) if text else name
        if isinstance(rule, str) and rule:
            text += words["from"].format(rule=self.name_of_rule(rule).in_(lang))
        return text or words["unknown"]

    def _param(self, name: str, value: object, action: str) -> ActionParam | None:
        """Where no action is named, that of the first action which has such a value."""
        if action:
            return self.vocabulary.param(name, action)
        named = [p for each in self.vocabulary.actions.values() for p in each.params if p.name == name]
        return next((p for p in named if str(value) in p.choices), self.vocabulary.param(name, ""))

    def name_of_rule(self, key: str) -> Text:
        return self.rules.get(key) or Text(zh=key or "?")

    def value(self, param: ActionParam, value: object, lang: str) -> str:
        words = _WORDS[lang]
        if isinstance(value, Mapping):
            name = str(value.get("param"))
            if name not in self.params:
                return shown(name)
            said = [label_of(f"param.{name}", self.labels, lang), self.value(param, self.params[name], lang)]
            unit = self.labels.get(f"unit.param.{name}")
            return " ".join([*said, unit.in_(lang)] if unit else said)
        members = as_list(value)
        if members is not None:
            return words["list"].join(self.value(param, each, lang) for each in members)
        if isinstance(value, bool):
            return words["yes" if value else "no"]
        if (number := coerce("number", value)) is not None and isinstance(value, (int, float)):
            return show_number(number)  # type: ignore[arg-type]  # a number, as it was just read
        text = str(value)
        if text in param.choices:
            return param.choices[text].in_(lang)
        kind = {"functions": "function"}.get(param.type, param.type)
        label = self.names.get(f"{kind}:{text}") or (
            self.codes.get(f"{param.name}:{text}") if kind == "name" else None
        )
        return label.in_(lang) if label else shown(text)


# --- what a draft may be asked for, however wrong it is --------------------------------------------------


def as_text(value: object) -> Text:
    """A label, also one that is wrong."""
    if isinstance(value, Mapping):
        zh, en = value.get("zh"), value.get("en")
        return Text(zh=str(zh or en or "?"), en=str(en or ""))
    return Text(zh=str(value or "?"))


def parameters_of(body: Mapping[str, Any]) -> dict[str, object]:
    parameters = body.get("parameters")
    found = parameters if isinstance(parameters, Mapping) else {}
    return {
        str(name): each["value"]
        for name, each in found.items()
        if isinstance(each, Mapping) and "value" in each
    }


def labels_of(body: Mapping[str, Any], words: vocabulary.Vocabulary) -> dict[str, Text]:
    """For sentences: facts, their options and units, the parameters and their units, each by its name."""
    labels = {name: fact.label for name, fact in words.catalogue.items()}
    labels |= {f"unit.{name}": fact.unit for name, fact in words.catalogue.items() if fact.unit}
    labels |= {
        f"{name}={value}": label
        for name, fact in words.catalogue.items()
        for value, label in fact.options.items()
    }
    parameters = body.get("parameters")
    for name, each in (parameters if isinstance(parameters, Mapping) else {}).items():
        if isinstance(each, Mapping):
            labels[f"param.{name}"] = as_text(each.get("label") or str(name))
            if each.get("unit"):
                labels[f"unit.param.{name}"] = as_text(each["unit"])
    return labels


def codes_of(body: Mapping[str, Any], words: vocabulary.Vocabulary) -> dict[str, Text]:
    """Free names such as the rungs of a ladder, by the label of the rule that uses them: rung:warn."""
    codes: dict[str, Text] = {}
    for rule in _mappings(body.get("rules")):
        for act in _mappings(rule.get("then")):
            known = words.actions.get(str(act.get("action")))
            for param in known.params if known else ():
                if param.type == "name" and isinstance(value := act.get(param.name), str):
                    codes.setdefault(f"{param.name}:{value}", as_text(rule.get("label")))
    return codes


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in _items(value) if isinstance(each, Mapping)]
