"""A condition as an editor holds it: a tree of typed texts, right or wrong, and back to the mapping of the files.

What no input can show is kept as JSON text, so a draft that is wrong in any way goes through unharmed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules import typed
from rules.conditions import MAX_DEPTH, OPS, FactType, Leaf, Not, Op, as_list, parse, sentence
from rules.facts import FACTS, Fact
from rules.values import Problem, Text

#: names of inputs and what was posted for them
Posted = Mapping[str, Sequence[str]]

GROUPS = ("all", "any", "not")
KINDS = (*GROUPS, "fact", "raw")
#: what a page of inputs can hold; larger ones are edited as YAML
MOST_NODES = 150
ROOT = "c"


class TooLarge(ValueError):
    """More than the editor holds."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.zh)
        self.text = text


TOO_DEEP = Text(
    zh=f"條件最多 {MAX_DEPTH} 層，請改用另一條規則。",
    en=f"A condition has at most {MAX_DEPTH} levels; use another rule.",
)
TOO_MANY = Text(
    zh=f"一條規則最多 {MOST_NODES} 個條件與群組，請分成幾條規則。",
    en=f"A rule has at most {MOST_NODES} conditions and groups; use several rules.",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A group with its parts, a comparison, or (raw) something that no input shows."""

    kind: str = "fact"
    items: "tuple[Node, ...]" = ()
    fact: str = ""
    op: str = ""
    #: what the fact is compared with: value, param or fact
    by: str = "value"
    values: tuple[str, ...] = ()
    param: str = ""
    other: str = ""
    #: of a raw one
    text: str = ""

    @property
    def is_group(self) -> bool:
        return self.kind in GROUPS


def size(node: Node | None) -> int:
    return 0 if node is None else 1 + sum(size(item) for item in node.items)


def depth(node: Node) -> int:
    return 1 + max((depth(item) for item in node.items), default=0)


# --- from and to the mapping -----------------------------------------------------------------------------


def read(data: object, catalogue: Mapping[str, Fact] = FACTS) -> Node | None:
    """The tree of a stored condition; none where the rule has none."""
    if data is None:
        return None
    node = _read(data, catalogue, 0)
    return node if size(node) <= MOST_NODES else _raw(data)


def _raw(data: object) -> Node:
    return Node("raw", text=typed.as_json(data))


def _read(data: object, catalogue: Mapping[str, Fact], level: int) -> Node:
    if not isinstance(data, Mapping) or level > MAX_DEPTH:
        return _raw(data)
    kind = next(iter(data)) if len(data) == 1 else ""
    if kind in ("all", "any") and isinstance(data[kind], list):
        return Node(kind, tuple(_read(item, catalogue, level + 1) for item in data[kind]))
    if kind == "not":
        return Node(kind, (_read(data[kind], catalogue, level + 1),))
    return _read_leaf(data, catalogue) or _raw(data)


def _read_leaf(data: Mapping[Any, Any], catalogue: Mapping[str, Fact]) -> Node | None:
    fact, op, value = data.get("fact"), data.get("op", ""), data.get("value")
    if not set(data) <= {"fact", "op", "value"} or not isinstance(fact, str) or not isinstance(op, str):
        return None
    node = Node(fact=fact, op=op)
    if isinstance(value, Mapping):
        kind = next(iter(value)) if len(value) == 1 else ""
        if kind == "param" and isinstance(value["param"], str):
            return replace(node, by="param", param=value["param"])
        if kind == "fact" and isinstance(value["fact"], str):
            return replace(node, by="fact", other=value["fact"])
        return None
    members = as_list(value)
    each = ([] if value is None else [value]) if members is None else list(members)
    if any(isinstance(one, (Mapping, list)) or one is None for one in each):
        return None
    type_ = type_of(fact, catalogue)
    return replace(node, values=tuple(typed.shown(one, type_) for one in each))


def type_of(fact: str, catalogue: Mapping[str, Fact] = FACTS) -> FactType:
    return catalogue[fact].type if fact in catalogue else "text"


def write(node: Node, catalogue: Mapping[str, Fact] = FACTS) -> Any:
    """The mapping, wrong where what was typed is wrong: the loader says so."""
    if node.kind == "raw":
        return typed.from_json(node.text)
    if node.kind in ("all", "any"):
        return {node.kind: [write(item, catalogue) for item in node.items]}
    if node.kind == "not":
        return {"not": write(node.items[0] if node.items else Node("all"), catalogue)}
    data: dict[str, Any] = {"fact": node.fact} | ({"op": node.op} if node.op else {})
    if node.op in ("exists", "missing"):
        return data
    if node.by == "param":
        return data | {"value": {"param": node.param}}
    if node.by == "fact":
        return data | {"value": {"fact": node.other}}
    type_ = type_of(node.fact, catalogue)
    values = [typed.read(text, type_) for text in node.values if text.strip()]
    if node.op == "in" or len(values) > 1:
        return data | {"value": values}
    return data | ({"value": values[0]} if values else {})


# --- from and to a form ----------------------------------------------------------------------------------


def from_form(form: Posted, path: str = ROOT) -> Node | None:
    """The tree that was posted; TooLarge where no page of ours could have had it."""
    budget = [MOST_NODES * 2]
    return _from_form(form, path, budget, 0)


def _from_form(form: Posted, path: str, budget: list[int], level: int) -> Node | None:
    kind = one(form, f"{path}-kind")
    if kind not in KINDS:
        return None
    budget[0] -= 1
    if level > MAX_DEPTH * 2:
        raise TooLarge(TOO_DEEP)
    if budget[0] < 0:
        raise TooLarge(TOO_MANY)
    if kind == "raw":
        return Node("raw", text=one(form, f"{path}-text").replace("\r\n", "\n"))
    if kind == "fact":
        by = one(form, f"{path}-by")
        return Node(
            fact=one(form, f"{path}-fact"),
            op=one(form, f"{path}-op"),
            by=by if by in ("param", "fact") else "value",
            values=many(form, f"{path}-value"),
            param=one(form, f"{path}-param"),
            other=one(form, f"{path}-other"),
        )
    items: list[Node] = []
    while (item := _from_form(form, f"{path}-{len(items)}", budget, level + 1)) is not None:
        items.append(item)
    return _tidy(Node(kind, tuple(items)))


def _tidy(node: Node) -> Node:
    """What does not hold is one thing: several become one group."""
    return (
        replace(node, items=(Node("all", node.items),))
        if node.kind == "not" and len(node.items) > 1
        else node
    )


def to_form(node: Node | None, path: str = ROOT) -> dict[str, list[str]]:
    """What the page posts when nobody touches it."""
    if node is None:
        return {}
    form = {f"{path}-kind": [node.kind]}
    if node.kind == "raw":
        return form | {f"{path}-text": [node.text]}
    if node.kind == "fact":
        return form | {
            f"{path}-fact": [node.fact],
            f"{path}-op": [node.op],
            f"{path}-by": [node.by],
            f"{path}-value": list(node.values),
            f"{path}-param": [node.param],
            f"{path}-other": [node.other],
        }
    for i, item in enumerate(node.items):
        form |= to_form(item, f"{path}-{i}")
    return form


def one(form: Posted, name: str) -> str:
    values = form.get(name) or ("",)
    return values[0]


def many(form: Posted, name: str) -> tuple[str, ...]:
    """Ticked boxes, one line, or the lines of a box of text under the name with -lines."""
    ticked = tuple(text for text in form.get(name, ()) if text)
    return ticked + typed.lines(one(form, f"{name}-lines"))


def widget(op: str, values: Sequence[str], fact: Fact | None) -> str:
    """How the value is asked for: none, options, boxes, yes_no, lines or line."""
    if op in ("exists", "missing"):
        return "none"
    if fact is not None and fact.options:
        return "boxes" if op == "in" or len(values) > 1 else "options"
    if op == "in" or len(values) > 1:
        return "lines"
    return "yes_no" if fact is not None and fact.type == "boolean" else "line"


def ops_for(fact: Fact | None) -> tuple[Op, ...]:
    """The comparisons that fit."""
    return OPS[fact.type] if fact else OPS["number"]


# --- buttons ---------------------------------------------------------------------------------------------

Change = Callable[[Node], "Node | None"]


def apply(root: Node | None, action: str, path: str) -> tuple[Node | None, str]:
    """What a button does to the tree, and the id of the input that gets the focus afterwards."""
    where = _indices(path)
    if root is None:
        if action == "group":
            return Node("all", (Node(),)), f"{ROOT}-0-fact"
        return (Node(), f"{ROOT}-fact") if action == "add" else (None, "")
    node = _at(root, where)
    if node is None:
        return root, ""
    if action in ("add", "group"):
        changed, focus = _added(root, node, where, Node() if action == "add" else Node("all", (Node(),)))
    elif action == "delete":
        changed, focus = _changed(root, where, lambda _node: None), _name(where[:-1]) + "-add"
        if where and changed is not None:
            return changed, focus
        return changed, f"{ROOT}-add"
    elif action in ("up", "down") and where:
        to = where[-1] + (-1 if action == "up" else 1)
        changed = _changed(root, where[:-1], lambda group: _swapped(group, where[-1], to))
        at = to if changed != root else where[-1]
        focus = f"{_name((*where[:-1], at))}-{action}"
    elif action == "wrap":
        changed, focus = _changed(root, where, lambda inner: Node("all", (inner,))), f"{_name(where)}-kind"
    elif action == "unwrap" and node.is_group:
        changed, focus = _unwrapped(root, node, where), f"{_name(where)}-kind"
    else:
        return root, ""
    if changed is not None and size(changed) > MOST_NODES:
        raise TooLarge(TOO_MANY)
    if changed is not None and depth(changed) > MAX_DEPTH + 1 and depth(changed) > depth(root):
        raise TooLarge(TOO_DEEP)
    return changed, focus


def _added(root: Node, node: Node, where: tuple[int, ...], new: Node) -> tuple[Node | None, str]:
    at = where
    if node.kind == "not" and node.items:
        return _added(root, node.items[0], (*where, 0), new)
    if not node.is_group:  # a lone comparison becomes the first of a group
        changed = _changed(root, where, lambda inner: Node("all", (inner, new)))
        at = (*where, 1)
    else:
        changed = _changed(root, where, lambda group: replace(group, items=(*group.items, new)))
        at = (*where, len(node.items))
    return changed, f"{_name(at if new.kind == 'fact' else (*at, 0))}-fact"


def _unwrapped(root: Node, node: Node, where: tuple[int, ...]) -> Node | None:
    """The parts of a group take its place; the last group of all stays unless it holds one part."""
    if node.kind == "not" or (not where and len(node.items) != 1):
        return root
    if not where:
        return node.items[0]

    def spliced(parent: Node) -> Node:
        i = where[-1]
        return _tidy(replace(parent, items=(*parent.items[:i], *node.items, *parent.items[i + 1 :])))

    return _changed(root, where[:-1], spliced)


def _swapped(group: Node, i: int, j: int) -> Node:
    if not 0 <= j < len(group.items):
        return group
    items = list(group.items)
    items[i], items[j] = items[j], items[i]
    return replace(group, items=tuple(items))


def _changed(node: Node, where: tuple[int, ...], change: Change) -> Node | None:
    if not where:
        return change(node)
    i = where[0]
    inner = _changed(node.items[i], where[1:], change)
    return replace(node, items=(*node.items[:i], *([] if inner is None else [inner]), *node.items[i + 1 :]))


def _at(node: Node, where: tuple[int, ...]) -> Node | None:
    for i in where:
        if i >= len(node.items):
            return None
        node = node.items[i]
    return node


def _indices(path: str) -> tuple[int, ...]:
    return tuple(
        int(part) for part in path.split("-")[1:] if part.isascii() and part.isdigit() and len(part) < 4
    )


def _name(where: tuple[int, ...]) -> str:
    return "-".join([ROOT, *map(str, where)])


# --- in words --------------------------------------------------------------------------------------------

#: stands for what is not filled in; its sentence is replaced
_GAP = Leaf("\ufffc", "exists", None, "text")
UNFINISHED = Text(zh="（還沒填完的條件）", en="(a condition that is not finished)")


def in_words(
    data: object,
    labels: Mapping[str, Text],
    params: Mapping[str, object],
    lang: str,
    catalogue: Mapping[str, Fact] = FACTS,
) -> str:
    """The sentence of a condition as far as it is filled in; what is not, says so."""
    types = {name: fact.type for name, fact in catalogue.items()} | {_GAP.fact: "text"}
    problems: list[Problem] = []
    condition = parse(_filled(data, types, params, 0), path="", facts=types, params=params, problems=problems)
    if condition is None:
        return UNFINISHED.in_(lang)
    text = sentence(condition, labels, params, lang)
    for gap in (Not(_GAP), _GAP):  # the longer words hold the shorter
        text = text.replace(sentence(gap, {}, {}, lang), UNFINISHED.in_(lang))
    return text


def _filled(data: object, types: Mapping[str, FactType], params: Mapping[str, object], level: int) -> object:
    """The same condition with a gap for each comparison that cannot be read."""
    gap = {"fact": _GAP.fact, "op": "exists"}
    if not isinstance(data, Mapping) or level > MAX_DEPTH:
        return gap
    if len(data) == 1 and (kind := next(iter(data))) in GROUPS:
        if kind == "not":
            return {"not": _filled(data["not"], types, params, level + 1)}
        if isinstance(data[kind], list) and data[kind]:
            return {kind: [_filled(item, types, params, level + 1) for item in data[kind]]}
        return gap
    problems: list[Problem] = []
    return gap if parse(data, path="", facts=types, params=params, problems=problems) is None else data
