"""Which output the before and after of a trial is told by."""

from __future__ import annotations

import pytest

from rules.values import Text
from webapp.queries.trials import NOTHING, Trial

RED, YELLOW, REPORT = Text(zh="紅燈"), Text(zh="黃燈"), Text(zh="落後原因、因應對策")
CONTENT, LIGHT = ("require_explanation", "parts"), ("set_light", "light")


def tried(content: Text, before: Text, after: Text) -> Trial:
    trial = Trial()
    trial._columns[CONTENT][content, content] += 3
    trial._columns[LIGHT][before, after] += 2
    trial._columns[LIGHT][RED, RED] += 1
    return trial


@pytest.mark.parametrize("content", [NOTHING, REPORT])
@pytest.mark.parametrize("after", [YELLOW, RED])
def test_the_light_tells_more_than_what_is_to_be_reported(content: Text, after: Text) -> None:
    matrix = tried(content, YELLOW, after).matrix
    assert matrix is not None and matrix.label.zh == "燈號"
    assert matrix.counts[YELLOW, after] == 2
