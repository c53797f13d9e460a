"""Whatever mistake of a definition a unit test brings about, it is said in English too."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from rules.values import Problem

_QUOTED = re.compile("“[^”]*”")
_CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


@pytest.fixture(scope="session", autouse=True)
def mistakes_are_said_in_english() -> Iterator[None]:
    """Chinese may stand in what is quoted: names and values that somebody typed."""
    as_made = Problem.__init__

    def made(self: Problem, **given: Any) -> None:
        as_made(self, **given)
        assert self.message.en, f"no English: {self.message.zh}"
        assert not _CHINESE.search(_QUOTED.sub("", self.message.en)), self.message.en

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "__init__", made)
        yield
