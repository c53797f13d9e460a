"""Two mappings of a ruleset as a reader compares them: what was where, and what is there now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from rules.shown import NOTHING, STATUSES, More, Origin, Shown, ShownRow, ShownTable, show
from rules.values import Text


@dataclass(frozen=True, slots=True)
class Difference:
    """None before: it is new. None after: it is gone."""

    where: Text
    before: Text | None
    after: Text | None


_NO_OUTCOME = (Text(zh="沒有結果", en="nothing"),)
_Pairs = Iterator[tuple[Text, Text, Text]]


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, Text] | None = None
) -> list[Difference]:
    """In the order of the ruleset; what only moved is said as such."""
    old, new = show(before, names), show(after, names)
    same_parameters = show(_with_parameters_of(before, after), names)
    return list(_all(replace(old, rules=same_parameters.rules, tables=same_parameters.tables), new))


def _with_parameters_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that changed is said once, not again in every sentence that names it."""
    old, new = before.get("parameters"), after.get("parameters")
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return dict(before)
    return {**before, "parameters": {**old, **{name: each for name, each in new.items() if name in old}}}


def _all(old: Shown, new: Shown) -> Iterator[Difference]:
    yield from _changed(
        (label, was.get(label, NOTHING), now.get(label, NOTHING))
        for was, now in [(dict(old.settings), dict(new.settings))]
        for label in {**was, **now}
    )
    yield from _named(
        {each.name: each for each in old.parameters},
        {each.name: each for each in new.parameters},
        lambda each: _of("參數「{}」", "Parameter “{}”", each.label),
        lambda each: _with(each.value, each.unit),
        lambda place, was, now: _changed(
            [
                (_at(place, "的名稱", "label"), was.label, now.label),
                (place, _with(was.value, was.unit), _with(now.value, now.unit)),
                *_origins(place, was.origin, now.origin),
            ]
        ),
    )
    yield from _named(
        {each.key: each for each in old.rules},
        {each.key: each for each in new.rules},
        lambda each: _of("規則「{}」", "Rule “{}”", each.label),
        lambda each: _if_then(each.when, each.then),
        lambda place, was, now: _changed(
            [
                (_at(place, "的名稱", "label"), was.label, now.label),
                (_at(place, "的條件", "condition"), was.when, now.when),
                (_at(place, "的動作", "actions"), _list(was.then), _list(now.then)),
                (_at(place, "的優先順序", "priority"), _plain(was.priority), _plain(now.priority)),
                *_more(place, was.more, now.more),
                *_origins(place, was.origin, now.origin),
            ]
        ),
    )
    yield from _named(
        {each.key: each for each in old.tables},
        {each.key: each for each in new.tables},
        lambda each: _of("表格「{}」", "Table “{}”", each.label),
        lambda each: Text(zh=f"{len(each.rows)} 列", en=f"{len(each.rows)} rows"),
        _tables,
    )
    yield from _named(
        {each.name: each for each in old.examples},
        {each.name: each for each in new.examples},
        lambda each: _of("測試案例「{}」", "Example “{}”", Text(zh=each.name)),
        lambda each: _if_then(_list(each.facts), each.expect),
        lambda place, was, now: _changed(
            [
                (_at(place, "的事實", "facts"), _list(was.facts), _list(now.facts)),
                (
                    _at(place, "的預期", "expectation"),
                    _list(was.expect or _NO_OUTCOME),
                    _list(now.expect or _NO_OUTCOME),
                ),
                *_more(place, was.more, now.more),
            ]
        ),
    )


def _named(
    old: Mapping[str, Any], new: Mapping[str, Any], place: Any, whole: Any, inside: Any
) -> Iterator[Difference]:
    """Items told apart by their names: changed, new, gone, in another order."""
    for name, each in new.items():
        if name in old:
            yield from inside(place(each), old[name], each)
        else:
            yield Difference(place(each), None, whole(each))
    for name, each in old.items():
        if name not in new:
            yield Difference(place(each), whole(each), None)
    kept_old, kept_new = [n for n in old if n in new], [n for n in new if n in old]
    for name in _moved(kept_old, kept_new):
        yield Difference(place(new[name]), _nth(kept_old.index(name)), _nth(kept_new.index(name)))


def _moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    stay = {
        name
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        for name in new[block.b : block.b + block.size]
    }
    return [name for name in new if name not in stay]


def _tables(place: Text, was: ShownTable, now: ShownTable) -> Iterator[Difference]:
    yield from _changed(
        [
            (_at(place, "的名稱", "label"), was.label, now.label),
            *_more(place, was.settings, now.settings),
            *_origins(place, was.origin, now.origin),
        ]
    )
    heads_old, heads_new = (*was.inputs, *was.outputs), (*now.inputs, *now.outputs)
    if heads_old != heads_new:
        yield Difference(_at(place, "的欄位", "columns"), _list(heads_old), _list(heads_new))
    matcher = SequenceMatcher(None, was.rows, now.rows, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(b - a, d - c)
        for i in range(both):
            yield from _rows(place, c + i, was.rows[a + i], now.rows[c + i], heads_new)
        for i in range(a + both, b):
            yield Difference(_row(place, i, was.rows[i]), _cells(was.rows[i], heads_old), None)
        for i in range(c + both, d):
            yield Difference(_row(place, i, now.rows[i]), None, _cells(now.rows[i], heads_new))


def _more(place: Text, was: More, now: More) -> _Pairs:
    old, new = dict(was), dict(now)
    for label in {**old, **new}:
        where = Text(zh=f"{place.zh}的{label.zh}", en=f"{place.in_('en')}, {label.in_('en')}")
        yield where, old.get(label, NOTHING), new.get(label, NOTHING)


def _rows(
    place: Text, index: int, was: ShownRow, now: ShownRow, heads: Sequence[Text]
) -> Iterator[Difference]:
    here = _row(place, index, now)
    old, new = (*was.when, *was.then), (*now.when, *now.then)
    if len(old) != len(new) or len(new) != len(heads):
        yield Difference(here, _list(old), _list(new))
        return
    yield from _changed(
        [
            (_at(here, "的名稱", "label"), was.label or NOTHING, now.label or NOTHING),
            *(
                (Text(zh=f"{here.zh}，{head.zh}", en=f"{here.in_('en')}, {head.in_('en')}"), *pair)
                for head, *pair in zip(heads, old, new, strict=True)
            ),
            *_more(here, was.more, now.more),
            *_origins(here, was.origin, now.origin),
        ]
    )


def _changed(pairs: Any) -> Iterator[Difference]:
    for where, before, after in pairs:
        if before != after:
            yield Difference(where, before, after)


def _origins(place: Text, was: Origin, now: Origin) -> list[tuple[Text, Text, Text]]:
    return [
        (_at(place, "的依據", "source"), was.source or NOTHING, now.source or NOTHING),
        (_at(place, "的依據狀態", "status of the source"), _status(was), _status(now)),
    ]


def _status(origin: Origin) -> Text:
    return STATUSES.get(origin.status) or _plain(origin.status)


def _row(place: Text, index: int, row: ShownRow) -> Text:
    zh, en = f"{place.zh}第 {index + 1} 列", f"{place.in_('en')}, row {index + 1}"
    return (
        Text(zh=f"{zh}「{row.label.zh}」", en=f"{en} “{row.label.in_('en')}”")
        if row.label
        else Text(zh=zh, en=en)
    )


def _cells(row: ShownRow, heads: Sequence[Text]) -> Text:
    parts = [
        Text(zh=f"{head.zh} {cell.zh}", en=f"{head.in_('en')} {cell.in_('en')}")
        for head, cell in zip(heads, (*row.when, *row.then), strict=False)
    ]
    return _list(parts)


def _of(zh: str, en: str, name: Text) -> Text:
    return Text(zh=zh.format(name.zh), en=en.format(name.in_("en")))


def _at(place: Text, zh: str, en: str) -> Text:
    return Text(zh=f"{place.zh}{zh}", en=f"{place.in_('en')}, {en}")


def _with(value: Text, unit: Text | None) -> Text:
    return Text(zh=f"{value.zh} {unit.zh}", en=f"{value.in_('en')} {unit.in_('en')}") if unit else value


def _if_then(when: Text, then: Sequence[Text]) -> Text:
    done = _list(then)
    return Text(zh=f"{when.zh} → {done.zh}", en=f"{when.in_('en')} → {done.in_('en')}")


def _list(parts: Sequence[Text]) -> Text:
    if not parts:
        return NOTHING
    return Text(zh="；".join(p.zh for p in parts), en="; ".join(p.in_("en") for p in parts))


def _plain(word: str) -> Text:
    return Text(zh=word) if word else NOTHING


def _nth(index: int) -> Text:
    return Text(zh=f"順序第 {index + 1}", en=f"place {index + 1}")
