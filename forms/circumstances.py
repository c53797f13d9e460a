"""Under which circumstances something is needed, in the words of the questions that decide it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from forms.model import FormDefinition
from rules import conditions
from rules.conditions import All, Condition, FactRef, Leaf, Not

_WORDS = {
    "zh": {
        "choose": "「{q}」選{a}",
        "choose not": "「{q}」不是選{a}",
        "tick": "「{q}」有勾選{a}",
        "tick not": "「{q}」沒有勾選{a}",
        "answer": "「{q}」答{a}",
        "exists": "有填寫「{q}」",
        "missing": "沒有填寫「{q}」",
        "eq": "「{q}」為 {a}",
        "ne": "「{q}」不是 {a}",
        "gt": "「{q}」超過 {a}",
        "ge": "「{q}」在 {a} 以上",
        "lt": "「{q}」不到 {a}",
        "le": "「{q}」在 {a} 以下",
        "or": "或",
        "all": "，而且",
        "both": "{a}",
        "both and": "並且",
        "any": "，或",
        "either": "符合其中一項：{a}",
        "either or": "；或",
        "not": "並非（{a}）",
    },
    "en": {
        "choose": "you choose {a} for “{q}”",
        "choose not": "you choose anything but {a} for “{q}”",
        "tick": "you tick {a} for “{q}”",
        "tick not": "you do not tick {a} for “{q}”",
        "answer": "you answer {a} to “{q}”",
        "exists": "you fill in “{q}”",
        "missing": "you leave “{q}” empty",
        "eq": "“{q}” is {a}",
        "ne": "“{q}” is not {a}",
        "gt": "“{q}” is over {a}",
        "ge": "“{q}” is {a} or more",
        "lt": "“{q}” is under {a}",
        "le": "“{q}” is {a} or less",
        "or": " or ",
        "all": ", and ",
        "both": "both {a}",
        "both and": " and ",
        "any": ", or ",
        "either": "either {a}",
        "either or": ", or ",
        "not": "not ({a})",
    },
}


def circumstances(asked: Iterable[Condition | None], form: FormDefinition, lang: str) -> str:
    """All the conditions in one sentence without its end; "" where there is none."""
    parts = _without_the_obvious([part for c in asked if c is not None for part in _split(c)])
    if not parts:
        return ""
    return _Sentence(form, lang).of(All(tuple(parts)) if len(parts) > 1 else parts[0])


def _split(c: Condition) -> list[Condition]:
    return [part for item in c.items for part in _split(item)] if isinstance(c, All) else [c]


def _without_the_obvious(parts: list[Condition]) -> list[Condition]:
    """That a company or an organisation applies goes without saying where it has to be a company."""
    exact = {(part.fact, part.value) for part in parts if isinstance(part, Leaf) and part.op == "eq"}
    kept: list[Condition] = []
    for part in parts:
        follows = (
            isinstance(part, Leaf)
            and part.op == "in"
            and any(
                fact == part.fact and value in cast("tuple[object, ...]", part.value) for fact, value in exact
            )
        )
        if not follows and part not in kept:
            kept.append(part)
    return kept


class _Sentence:
    def __init__(self, form: FormDefinition, lang: str) -> None:
        self.form, self.lang, self.labels, self.words = form, lang, form.labels(), _WORDS[lang]
        self.types = {f"answers.{field.key}": field.type for field in form.fields}

    def of(self, c: Condition, inner: bool = False) -> str:
        if isinstance(c, Leaf):
            return self.leaf(c, c.op)
        if isinstance(c, Not):
            opposite = conditions.COMPLEMENT.get(c.item.op) if isinstance(c.item, Leaf) else None
            if isinstance(c.item, Leaf) and (opposite or c.item.op in ("in", "contains")):
                return self.leaf(c.item, opposite or f"not {c.item.op}")
            return self.words["not"].format(a=self.of(c.item))
        together = isinstance(c, All)
        if not inner:
            return self.words["all" if together else "any"].join(
                self.of(item, inner=True) for item in c.items
            )
        between, around = ("both and", "both") if together else ("either or", "either")
        return self.words[around].format(
            a=self.words[between].join(self.of(item, inner=True) for item in c.items)
        )

    def leaf(self, leaf: Leaf, op: str) -> str:
        if leaf.fact not in self.types:
            return conditions.sentence(leaf, self.labels, lang=self.lang)
        question = self.labels[leaf.fact].in_(self.lang)
        if op in ("exists", "missing"):
            return self.words[op].format(q=question)
        return self.words[self.verb(leaf, op)].format(q=question, a=self.value(leaf, op))

    def verb(self, leaf: Leaf, op: str) -> str:
        if op in ("contains", "not contains"):
            return "tick" if op == "contains" else "tick not"
        if leaf.type == "boolean":
            return "answer"
        if leaf.type == "text":
            return "choose" if op in ("eq", "in") else "choose not"
        return op

    def value(self, leaf: Leaf, op: str) -> str:
        if isinstance(leaf.value, FactRef):
            return conditions.label_of(leaf.value.name, self.labels, self.lang)
        if isinstance(leaf.value, bool):
            said = leaf.value if op == "eq" else not leaf.value
            return conditions.show_value(said, fact=leaf.fact, labels=self.labels, lang=self.lang)
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        return self.words["or"].join(
            conditions.show_value(value, fact=leaf.fact, labels=self.labels, lang=self.lang)
            for value in values
        )
