"""Two changes of one mapping brought together: what only one side changed is taken from that side."""

from collections.abc import Mapping, Sequence
from typing import Any

#: by what the items of a list are told apart
NAMES = ("key", "name")
_GONE = object()


def merge(base: Any, theirs: Any, mine: Any) -> Any:
    """Mine, with what only they changed since the base; where both changed the same thing, mine stays."""
    if theirs == base or mine == theirs:
        return mine
    if mine == base:
        return theirs
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping):
        return _merged(base if isinstance(base, Mapping) else {}, theirs, mine)
    named = [_named(each) for each in (base, theirs, mine)]
    if named[1] is not None and named[2] is not None:
        return list(_merged(named[0] or {}, named[1], named[2]).values())
    return mine


def _merged(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """In my order; what they added comes last."""
    found = {}
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        each = merge(base.get(name, _GONE), theirs.get(name, _GONE), mine.get(name, _GONE))
        if each is not _GONE:
            found[name] = each
    return found


def _named(items: Any) -> dict[str, Any] | None:
    """A list of items that each have a name of their own, by these names."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        return None
    for key in NAMES:
        names = [each.get(key) for each in items if isinstance(each, Mapping)]
        if names and len(names) == len(items) == len({str(name) for name in names}):
            return dict(zip(map(str, names), items, strict=True))
    return None
