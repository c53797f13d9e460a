"""What a definition says, in the words of two pages."""

from __future__ import annotations

from rules.saying import Words as Saying
from rules.shown import Words as Shown


def test_an_expectation_is_said_in_one_way_by_both_pages() -> None:
    """Without its action a value is read by the first action that has such a value."""
    for expected in ({"kind": "due"}, {"kind": "review"}, {"kind": "WD"}):
        shown = Shown({}, {}).action(expected)
        for lang in ("zh", "en"):
            assert Saying({}, {}).action(expected, lang) == shown.in_(lang)
