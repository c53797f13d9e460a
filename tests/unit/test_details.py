"""The twenty-five details of what using the counter feels like to a citizen: each has a test that is named after it."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_every_detail_has_its_test() -> None:
    files = [*(TESTS / "functional").rglob("test_*.py"), *(TESTS / "browser").rglob("test_*.py")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    named = {
        int(n) for text in texts for n in re.findall(r"^def test_detail_([0-9]{2})_[a-z]", text, re.MULTILINE)
    }
    assert named == set(range(1, 26))
