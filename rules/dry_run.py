"""A draft against the ruleset in force, over facts as they were: what would change, for whom, and why.

Nothing is acted on. Facts that are equal, as far as the rules read them, are decided once.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rules.actions import in_words
from rules.conditions import params_of, show_value
from rules.decision import Decision, Outcome
from rules.engine import Compiled
from rules.model import Rule, Ruleset
from rules.policies import NotUnique
from rules.values import Text

#: what follows, as words that can be compared and counted
Said = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParameterChange:
    name: str
    label: Text
    before: Text
    after: Text


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it comes out otherwise: the rules that no longer count, those that do now, and what was changed in them."""

    parameters: tuple[ParameterChange, ...] = ()
    #: by their names the rules that counted, those that would, and those that count and give something else
    no_longer: tuple[Text, ...] = ()
    instead: tuple[Text, ...] = ()
    otherwise: tuple[Text, ...] = ()

    @property
    def text(self) -> Text:
        return Text(zh=self._in("zh"), en=self._in("en"))

    def _in(self, lang: str) -> str:
        words = _WORDS[lang]
        parts = [
            words["parameter"].format(each.label.in_(lang), each.before.in_(lang), each.after.in_(lang))
            for each in self.parameters
        ]
        for names, said in (
            (self.no_longer, words["no longer"]),
            (self.instead, words["instead"]),
            (self.otherwise, words["otherwise"]),
        ):
            if names:
                parts.append(said.format(words["between"].join(name.in_(lang) for name in names)))
        return words["and"].join(parts)


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: Said
    after: Said
    reason: Reason = field(default=Reason(), compare=False)


@dataclass
class DryRun:
    decisions: int = 0
    #: (before, after) -> how many, the unchanged ones too
    matrix: Counter[tuple[Said, Said]] = field(default_factory=Counter)
    changed: list[Change] = field(default_factory=list)
    #: why it ended before the last snapshot, if it did
    cut: Literal["seconds", "rows"] | None = None
    #: what is behind the words; nothing where the rules could not choose
    outcomes: dict[Said, tuple[Outcome, ...]] = field(default_factory=dict)


def dry_run(
    current: Compiled,
    draft: Compiled,
    snapshots: Iterable[tuple[str, Mapping[str, object]]],
    *,
    seconds: float | None = None,
    rows: int | None = None,
) -> DryRun:
    """Decides every snapshot, a name and its facts, by both; at most so many rows, and about so long."""
    run, until = DryRun(), None if seconds is None else time.monotonic() + seconds
    used = sorted(current.ruleset.used | draft.ruleset.used)
    decided: dict[str, tuple[Said, Said, Reason]] = {}
    for name, facts in snapshots:
        if rows is not None and run.decisions == rows:
            run.cut = "rows"
            break
        if until is not None and time.monotonic() >= until:
            run.cut = "seconds"
            break
        # told apart as they are written, so that 1, "1" and true stay different
        key = repr([facts.get(fact) for fact in used])
        if key not in decided:
            decided[key] = _both(run, current, draft, facts)
        before, after, reason = decided[key]
        run.decisions += 1
        run.matrix[before, after] += 1
        if before != after:
            run.changed.append(Change(name, before, after, reason))
    return run


def matrix_labels(run: DryRun) -> dict[Said, Text]:
    """Each thing that follows in words for a heading: 燈號：紅燈；執行狀態：嚴重落後."""
    found = {}
    for said in dict.fromkeys(each for pair in run.matrix for each in pair):
        texts = [in_words(outcome.action, outcome.params) for outcome in run.outcomes[said]]
        if said and not texts:  # the rules could not choose
            texts = [Text(zh=" ".join(said))]
        found[said] = Text(
            zh=_WORDS["zh"]["and"].join(text.in_("zh") for text in texts) or _WORDS["zh"]["nothing"],
            en=_WORDS["en"]["and"].join(text.in_("en") for text in texts) or _WORDS["en"]["nothing"],
        )
    return found


def _both(
    run: DryRun, current: Compiled, draft: Compiled, facts: Mapping[str, object]
) -> tuple[Said, Said, Reason]:
    before, after = (_decide(compiled, facts) for compiled in (current, draft))
    said = tuple(_said(each) for each in (before, after))
    for words, each in zip(said, (before, after), strict=True):
        run.outcomes[words] = each.outcomes if isinstance(each, Decision) else ()
    reason = Reason() if said[0] == said[1] else _reason(current.ruleset, draft.ruleset, before, after)
    return said[0], said[1], reason


def _decide(compiled: Compiled, facts: Mapping[str, object]) -> Decision | NotUnique:
    try:
        return compiled.evaluate(facts, shadow=True)
    except NotUnique as refused:
        return refused


def _said(made: Decision | NotUnique) -> Said:
    """What follows, without the names of the rules, which a draft may change."""
    if isinstance(made, NotUnique):
        return (f"not unique: {', '.join(made.rules)}",)
    return tuple(map(_words, made.outcomes))


def _words(outcome: Outcome) -> str:
    values = (
        "+".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        for value in outcome.params.values()
    )
    return " ".join([outcome.action, *values])


# --- why -------------------------------------------------------------------------------------------------


def _reason(
    current: Ruleset, draft: Ruleset, before: Decision | NotUnique, after: Decision | NotUnique
) -> Reason:
    """By the rules that came out otherwise; a rule is known by its key."""
    old, new = ({rule.key: rule for rule in ruleset.rules} for ruleset in (current, draft))
    was, is_ = (_counting(each, rules) for each, rules in ((before, old), (after, new)))
    gone, come = [key for key in was if key not in is_], [key for key in is_ if key not in was]
    differing = [key for key in is_ if key in was and was[key] != is_[key]]
    concerned = [(old.get(key), new.get(key)) for key in [*gone, *come, *differing]]
    changed = [
        name
        for name, parameter in current.parameters.items()
        if name in draft.parameters and draft.parameters[name].value != parameter.value
    ]
    return Reason(
        tuple(
            ParameterChange(name, draft.parameters[name].label, _value(current, name), _value(draft, name))
            for name in changed
            if any(_uses(one, other, name, current, draft) for one, other in concerned)
        ),
        tuple(old[key].label for key in gone),
        tuple(new[key].label for key in come),
        tuple(new[key].label for key in differing),
    )


def _counting(
    made: Decision | NotUnique, rules: Mapping[str, Rule]
) -> dict[str, list[tuple[str, dict[str, object]]]]:
    """The rules that count, each with what it gives."""
    keys = made.rules if isinstance(made, NotUnique) else made.fired
    return {key: [(each.action, dict(each.params)) for each in rules[key].then] for key in keys}


def _uses(one: Rule | None, other: Rule | None, name: str, current: Ruleset, draft: Ruleset) -> bool:
    """Whether a rule compares with the parameter, or gives what it was and would give what it is."""
    if any(rule and rule.when and name in params_of(rule.when) for rule in (one, other)):
        return True
    if one is None or other is None:
        return False
    was, is_ = current.params[name], draft.params[name]
    return any(
        before.params.get(param) == was and value == is_
        for before, after in zip(one.then, other.then, strict=False)
        for param, value in after.params.items()
    )


def _value(ruleset: Ruleset, name: str) -> Text:
    parameter = ruleset.parameters[name]
    zh, en = (show_value(parameter.value, fact="", labels={}, lang=lang) for lang in ("zh", "en"))
    if parameter.unit is None:
        return Text(zh=zh, en=en)
    return Text(zh=f"{zh} {parameter.unit.in_('zh')}", en=f"{en} {parameter.unit.in_('en')}")


_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "parameter": "「{0}」由 {1} 改為 {2}",
        "no longer": "不再採用「{0}」",
        "instead": "改採「{0}」",
        "otherwise": "「{0}」的結果改變",
        "between": "」、「",
        "and": "；",
        "nothing": "沒有結果",
    },
    "en": {
        "parameter": "“{0}” changes from {1} to {2}",
        "no longer": "no longer “{0}”",
        "instead": "instead “{0}”",
        "otherwise": "“{0}” gives something else",
        "between": "”, “",
        "and": "; ",
        "nothing": "nothing follows",
    },
}
