"""A stylesheet that hides the questions which a choice on the same page rules out, without any script.

A rule takes effect only where the controlling input is on the page and its choice makes the condition
surely false; conditions on typed values take effect at the next step. Selectors name a field's wrapper
`#field-<key>`, a section's `#section-<key>` and inputs by their name. Option values and keys are plain
ASCII words (the loader sees to it), so nothing needs escaping.
"""

from __future__ import annotations

from forms.compound_types import Address
from forms.model import FormDefinition
from forms.places import ELSEWHERE
from rules.conditions import Any_, Condition, Leaf, Not

_INPUTS = {
    "choice": "",
    "multichoice": "",
    "township": "",
    "lookup": "",
    "multilookup": "",
    "boolean": "",
    "agreement": "",
    "address": "-township",
}


def css(definition: FormDefinition) -> str:
    """Empty where no question depends on a choice."""
    rules = []
    for section in definition.sections:
        if section.when and (test := _false(section.when, definition)):
            rules.append(f"form{test} #section-{section.key}")
        for field in section.fields:
            if field.when and (test := _false(field.when, definition)):
                rules.append(f"form{test} #field-{field.key}")
            if isinstance(field.kind, Address):
                rules.append(f"form{_chosen(f'{field.key}-township', ELSEWHERE)} #field-{field.key}-village")
    lines = "".join(f"  {rule} {{ display: none; }}\n" for rule in rules)
    return f"@supports selector(:has(*)) {{\n{lines}}}\n" if rules else ""


def _false(condition: Condition, definition: FormDefinition) -> str | None:
    """A selector that matches a form in which the condition cannot hold; None where that cannot be seen."""
    if isinstance(condition, Leaf):
        return _leaf_false(condition, definition)
    if isinstance(condition, Not):
        return None
    tests = [_false(item, definition) for item in condition.items]
    seen = [test for test in tests if test]
    if isinstance(condition, Any_):
        return "".join(seen) if len(seen) == len(tests) else None
    return f":is({', '.join(seen)})" if len(seen) > 1 else "".join(seen) or None


def _leaf_false(leaf: Leaf, definition: FormDefinition) -> str | None:
    key, _, _part = leaf.fact.removeprefix("answers.").partition(".")
    if not leaf.fact.startswith("answers.") or key not in definition:
        return None
    field = definition.field(key)
    suffix = _INPUTS.get(field.type)
    operators = ("contains",) if leaf.type == "list" else ("eq", "in")
    wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if suffix is None or leaf.op not in operators or not all(isinstance(v, str | bool) for v in wanted):
        return None
    if field.options_from and not set(wanted) <= field.kind.choices(field).keys():
        return None  # a list that is not known here: its values are no part of a stylesheet
    name = key + suffix
    values = [("yes" if v else "no") if isinstance(v, bool) else str(v) for v in wanted]
    return f':has([name="{name}"]):not({_chosen(name, *values)})'


def _chosen(name: str, *values: str) -> str:
    """One of these is chosen, by radio, tick box or option of a select."""
    inputs = [f'[name="{name}"]{between}[value="{v}"]:checked' for v in values for between in ("", " ")]
    return f":has({', '.join(inputs)})"
