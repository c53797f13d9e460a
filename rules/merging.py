"""Two changes of one mapping brought together: what only one side changed is taken from that side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: by what the items of a list are told apart
NAMES = ("key", "name")
_GONE = object()


@dataclass(frozen=True)
class Merged:
    """The value, and the paths in it where both sides changed something: there it is mine."""

    value: Any
    both: tuple[str, ...] = ()


def merge(base: Any, theirs: Any, mine: Any, path: str = "") -> Merged:
    """Mine, with what only they changed since the base; where both changed the same thing, mine stays."""
    if theirs == base or mine == theirs:
        return Merged(mine)
    if mine == base:
        return Merged(theirs)
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping):
        return _mappings(base if isinstance(base, Mapping) else {}, theirs, mine, path)
    named = [_named(each) for each in (base, theirs, mine)]
    if named[1] is not None and named[2] is not None:
        return _lists(named[0] or {}, named[1], named[2], path)
    if _same_places(base, theirs, mine):
        triples = zip(base, theirs, mine, strict=True)
        found = [merge(*each, f"{path}[{n}]") for n, each in enumerate(triples)]
        return Merged([each.value for each in found], tuple(at for each in found for at in each.both))
    return Merged(mine, (path,))


def _mappings(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], path: str
) -> Merged:
    """In my order; what they added comes last."""
    value, both = {}, list[str]()
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        at = f"{path}.{name}" if path else str(name)
        each = merge(base.get(name, _GONE), theirs.get(name, _GONE), mine.get(name, _GONE), at)
        both += each.both
        if each.value is not _GONE:
            value[name] = each.value
    return Merged(value, tuple(both))


def _lists(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], path: str) -> Merged:
    """In the order of whoever moved something, else mine: what the other added stands after what it stood after."""
    moved = [
        [name for name in side if name in base] != [name for name in base if name in side]
        for side in (theirs, mine)
    ]
    first, second = (theirs, mine) if moved == [True, False] else (mine, theirs)
    value, both = list[Any](), [path] if all(moved) and list(theirs) != list(mine) else []
    for name in _woven(list(first), list(second)):
        each = merge(
            base.get(name, _GONE), theirs.get(name, _GONE), mine.get(name, _GONE), f"{path}[{len(value)}]"
        )
        if each.value is not _GONE:
            value.append(each.value)
            both += each.both
        elif each.both:
            both.append(path)
    return Merged(value, tuple(dict.fromkeys(both)))


def _woven(first: list[str], second: list[str]) -> list[str]:
    found = list(first)
    for n, name in enumerate(second):
        if name not in found:
            found.insert(found.index(second[n - 1]) + 1 if n else 0, name)
    return found


def _same_places(base: Any, theirs: Any, mine: Any) -> bool:
    """Three lists of one length in which nothing moved: what changed at its place stands nowhere else."""
    if not (_is_list(base) and _is_list(theirs) and _is_list(mine)):
        return False
    return len(base) == len(theirs) == len(mine) and all(
        one == other or (other not in base and one not in side)
        for side in (theirs, mine)
        for one, other in zip(base, side, strict=True)
    )


def _is_list(items: Any) -> bool:
    return isinstance(items, Sequence) and not isinstance(items, str)


def _named(items: Any) -> dict[str, Any] | None:
    """A list of items that each have a name of their own, by these names."""
    if not _is_list(items):
        return None
    for key in NAMES:
        names = [each.get(key) for each in items if isinstance(each, Mapping)]
        if names and len(names) == len(items) == len({str(name) for name in names}):
            return dict(zip(map(str, names), items, strict=True))
    return None
