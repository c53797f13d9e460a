"""The diagram of a workflow as boxes and edges with coordinates: one column, so that it is read on a telephone.

The main path runs down the left of the column; states beside it are indented. Every way out stands as a row in the
box that it leaves. Ways forward run in lanes on the right, ways back in lanes on the left; those that lead to the
same state share a lane. Nothing but an edge's own ends touches a box.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from rules.values import Text
from workflows.counting import amount
from workflows.functions import FUNCTION_LABELS
from workflows.model import State, TaskTemplate, WorkflowDefinition
from workflows.paths import Exit, everywhere, exits, layers, main_path

Mark = Literal["", "current", "visited"]
Role = Literal["title", "task", "exit", "note"]
Side = Literal["down", "right", "left"]
Point = tuple[float, float]

TITLE_SIZE, TEXT_SIZE = 16.0, 14.0
WIDTH, INDENT, SPINE = 258.0, 26.0, 13.0
PADDING, MARGIN, GAP = 12.0, 8.0, 26.0
TITLE_LINE, TEXT_LINE, BREAK, BETWEEN = 23.0, 19.0, 9.0, 3.0
LANE, FIRST_LANE = 8.0, 13.0
#: kept free beside the title for the sign of a passed state, and beside an action for an arrow
SIGN = 24.0
#: whose the cases are that come from outside
APPLICANT = Text(zh="申請人", en="Applicant")


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class Box:
    state: str
    kind: Literal["active", "correction", "closed"]
    outcome: str | None
    layer: int
    main: bool
    mark: Mark
    x: float
    y: float
    width: float
    height: float
    #: where the ways out begin; 0 when there are none
    rule: float
    labels: tuple[Label, ...]
    #: the middles of the rows that lead on down the main path
    onward: tuple[float, ...]

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def entry(self) -> float:
        """The height at which edges arrive from the sides."""
        return self.y + PADDING + TITLE_LINE / 2


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    #: the actions that it stands for
    names: tuple[str, ...]
    side: Side
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    key: str
    width: float
    height: float
    title: str
    description: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One state in words, for the list beside the picture."""

    label: str
    mark: Mark
    tasks: tuple[str, ...]
    #: (action, where it leads)
    ways: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """A row of a box: an exit, where it leaves, and its middle."""

    exit: Exit
    side: Side
    y: float


@dataclass(frozen=True, slots=True)
class _Plan:
    """What every box is drawn by."""

    definition: WorkflowDefinition
    lang: str
    path: tuple[str, ...]
    #: the boxes from top to bottom
    position: Mapping[str, int]
    shared: Mapping[tuple[str, str], Exit]
    filer: Text


def layout(
    definition: WorkflowDefinition,
    lang: str = "zh",
    current: str | None = None,
    visited: Iterable[str] = (),
    filer: Text = APPLICANT,
) -> Diagram:
    """Where everything stands. `current` and `visited` are the states of a case, `filer` is whose case it is."""
    path = main_path(definition)
    order = layers(definition, path)
    position = {key: at for at, key in enumerate(order)}
    plan = _Plan(definition, lang, path, position, everywhere(definition), filer)
    marks = _marks(current, visited)
    boxes: dict[str, Box] = {}
    ways: dict[str, list[_Way]] = {}
    last, y = 0.0, MARGIN + (FIRST_LANE if current == definition.initial else 0)
    for key, layer in order.items():
        box, ways[key] = _box(plan, definition.states[key])
        box = replace(box, layer=layer, mark=marks.get(key, ""))
        boxes[key] = _moved(box, 0, y)
        ways[key] = [replace(way, y=way.y + y) for way in ways[key]]
        last = boxes[key].bottom
        y = last + (GAP if box.kind != "closed" else GAP / 2)
    lanes = _lanes(boxes, ways)
    shift = MARGIN + _room(lanes, "left")
    placed = {key: _moved(box, shift, 0) for key, box in boxes.items()}
    return Diagram(
        key=definition.key,
        width=shift + WIDTH + _room(lanes, "right") + MARGIN,
        height=last + MARGIN,
        title=_TITLE.in_(lang).format(definition.title.in_(lang)),
        description=_description(definition, path, current, lang),
        boxes=tuple(placed.values()),
        edges=tuple(_edges(placed, ways, lanes, shift)),
    )


def outline(
    definition: WorkflowDefinition,
    lang: str = "zh",
    current: str | None = None,
    visited: Iterable[str] = (),
    filer: Text = APPLICANT,
) -> list[Step]:
    """The same as an ordered list of words."""
    marks = _marks(current, visited)
    return [
        Step(
            label=state.label.in_(lang),
            mark=marks.get(key, ""),
            tasks=tuple(_task(task, lang) for task in state.tasks),
            ways=tuple(
                (
                    _action(way, lang, filer),
                    definition.states[way.target].label.in_(lang) if way.target else "",
                )
                for way in exits(definition, state)
            ),
        )
        for key in layers(definition, main_path(definition))
        for state in (definition.states[key],)
    ]


def width_of(text: str, size: float) -> float:
    """About how wide a line is set: a Chinese character is a square, others are narrower."""
    return sum(size * _advance(character) for character in text)


@lru_cache(maxsize=4096)
def wrapped(text: str, size: float, room: float) -> tuple[str, ...]:
    """Lines that fit: broken between words, and between any two Chinese characters but not before a 。 or ，."""
    lines = [""]
    for part in _breakable(text):
        if lines[-1] and width_of((lines[-1] + part).rstrip(), size) > room:
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    return tuple(line.rstrip() for line in lines)


# --- words -----------------------------------------------------------------------------------------------

_TITLE = Text(zh="{}流程圖", en="{}: workflow")
_PATH = Text(zh="主要路徑：{}。", en="Main path: {}.")
_HERE = Text(zh="目前在「{}」。", en="It now stands at “{}”.")
_SYSTEM = Text(zh="系統", en="System")
_ANYTIME = Text(zh="結案前隨時：{}", en="At any time before the end: {}")
_EACH = Text(zh="各單位{}：{}", en="{} of each unit: {}")
_ONE = Text(zh="{}：{}", en="{}: {}")
_WITHIN = Text(zh="（{}內）", en=" (within {})")


def _description(
    definition: WorkflowDefinition, path: tuple[str, ...], current: str | None, lang: str
) -> str:
    steps = " → ".join(definition.states[key].label.in_(lang) for key in path)
    here = _HERE.in_(lang).format(definition.states[current].label.in_(lang)) if current else ""
    return " ".join(filter(None, (_PATH.in_(lang).format(steps), here)))


def _action(way: Exit, lang: str, filer: Text) -> str:
    label = way.label.in_(lang)
    who = {"citizen": filer, "system": _SYSTEM}.get(way.by)
    return _ONE.in_(lang).format(who.in_(lang), label) if who else label


def _task(task: TaskTemplate, lang: str) -> str:
    function = (task.holder or FUNCTION_LABELS.get(task.function, Text(zh=task.function))).in_(lang)
    pattern = _EACH if task.each else _ONE
    within = amount(task.period.kind, task.period.period).in_(lang) if task.period else ""
    said = pattern.in_(lang).format(function, task.label.in_(lang))
    return said + (_WITHIN.in_(lang).format(within) if within else "")


def _marks(current: str | None, visited: Iterable[str]) -> dict[str, Mark]:
    marks: dict[str, Mark] = dict.fromkeys(visited, "visited")
    if current is not None:
        marks[current] = "current"
    return marks


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WFA":
        return 1.0
    return 0.8 if character in "mwMWQOGD" else 0.53


def _breakable(text: str) -> Iterator[str]:
    part = ""
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WF"
        closes = character in "，。、；：）」！？"
        if part and (part.endswith(" ") or (wide and not closes and not part.endswith(("（", "「")))):
            yield part
            part = ""
        part += character
    yield part


# --- boxes -----------------------------------------------------------------------------------------------


def _box(plan: _Plan, state: State) -> tuple[Box, list[_Way]]:
    """A box with its text, its top at 0, and the rows where ways leave it."""
    lang = plan.lang
    indent = 0.0 if state.key in plan.path or state.kind == "closed" else INDENT
    room, left = WIDTH - indent - 2 * PADDING, indent + PADDING
    labels: list[Label] = []
    y = PADDING

    def write(text: str, role: Role) -> float:
        """Adds the lines; returns the middle of them."""
        nonlocal y
        size, line = (TITLE_SIZE, TITLE_LINE) if role == "title" else (TEXT_SIZE, TEXT_LINE)
        top = y
        for each in wrapped(text, size, room - (SIGN if role in ("title", "exit") else 0)):
            labels.append(Label(left, y + line * 0.72, each, role))
            y += line
        return (top + y) / 2

    write(state.label.in_(lang), "title")
    for task in state.tasks:
        write(_task(task, lang), "task")
    for (_, target), way in plan.shared.items():
        if target == state.key:
            write(_ANYTIME.in_(lang).format(_action(way, lang, plan.filer)), "note")
    shown = [way for way in exits(plan.definition, state) if (way.name, way.target) not in plan.shared]
    rule = y + BREAK / 2 if shown else 0.0
    y += BREAK if shown else 0
    ways = []
    for way in shown:
        middle = write(_action(way, lang, plan.filer), "exit")
        y += BETWEEN
        if way.target is not None:
            ways.append(_Way(way, _side(plan, state.key, way.target), middle))
    box = Box(
        state=state.key,
        kind=state.kind,
        outcome=state.outcome,
        layer=0,
        main=state.key in plan.path,
        mark="",
        x=indent,
        y=0.0,
        width=WIDTH - indent,
        height=y + PADDING - BETWEEN,
        rule=rule,
        labels=tuple(labels),
        onward=tuple(way.y for way in ways if way.side == "down"),
    )
    return box, ways


def _side(plan: _Plan, source: str, target: str) -> Side:
    path = plan.path
    if source in path[:-1] and path[path.index(source) + 1] == target:
        return "down"
    return "right" if plan.position[target] > plan.position[source] else "left"


def _moved(box: Box, x: float, y: float) -> Box:
    labels = tuple(replace(label, x=label.x + x, y=label.y + y) for label in box.labels)
    onward = tuple(each + y for each in box.onward)
    return replace(
        box, x=box.x + x, y=box.y + y, rule=box.rule and box.rule + y, labels=labels, onward=onward
    )


# --- edges -----------------------------------------------------------------------------------------------


def _lanes(boxes: Mapping[str, Box], ways: Mapping[str, list[_Way]]) -> dict[tuple[Side, str], int]:
    """The lane of each (side, target), 0 next to the boxes; the shortest are innermost, none overlap."""
    spans: dict[tuple[Side, str], list[float]] = {}
    for way in (way for rows in ways.values() for way in rows if way.side != "down"):
        target = str(way.exit.target)
        spans.setdefault((way.side, target), [boxes[target].entry]).append(way.y)
    lanes: dict[tuple[Side, str], int] = {}
    taken: dict[tuple[Side, int], list[tuple[float, float]]] = {}
    for (side, target), heights in sorted(spans.items(), key=lambda item: max(item[1]) - min(item[1])):
        top, bottom = min(heights) - LANE, max(heights) + LANE
        lane = 0
        while any(top < end and begin < bottom for begin, end in taken.get((side, lane), ())):
            lane += 1
        taken.setdefault((side, lane), []).append((top, bottom))
        lanes[side, target] = lane
    return lanes


def _room(lanes: Mapping[tuple[Side, str], int], side: Side) -> float:
    used = [lane for (of, _), lane in lanes.items() if of == side]
    return FIRST_LANE + LANE * max(used) if used else 0.0


def _edges(
    boxes: Mapping[str, Box],
    ways: Mapping[str, list[_Way]],
    lanes: Mapping[tuple[Side, str], int],
    column: float,
) -> Iterator[Edge]:
    for source, rows in ways.items():
        down = [way for way in rows if way.side == "down"]
        if down:
            target, x = str(down[0].exit.target), column + SPINE
            points = ((x, boxes[source].bottom), (x, boxes[target].y))
            yield Edge(source, target, tuple(way.exit.name for way in down), "down", points)
        for way in rows:
            target = str(way.exit.target)
            if way.side == "down":
                continue
            away = FIRST_LANE + LANE * lanes[way.side, target]
            if way.side == "right":
                lane, start, end = column + WIDTH + away, boxes[source].right, boxes[target].right
            else:
                lane, start, end = column - away, boxes[source].x, boxes[target].x
            entry = boxes[target].entry
            points_ = ((start, way.y), (lane, way.y), (lane, entry), (end, entry))
            yield Edge(source, target, (way.exit.name,), way.side, points_)
