"""A draft is tried out in a process of its own."""

import sys
from pathlib import Path
from typing import Any

import pytest

from rules import tryout
from rules.loader import read_all
from rules.tryout import try_out


@pytest.fixture
def draft() -> dict[str, Any]:
    return read_all()["year_end_grade"]


def test_a_good_draft(draft: dict[str, Any]) -> None:
    assert try_out(draft, ["officer"]) == []


def test_mistakes_and_failing_examples_come_back(draft: dict[str, Any]) -> None:
    draft["parameters"]["excellent_from"]["value"] = 91
    (problem,) = try_out(draft)
    assert problem.path == "examples"
    assert problem.message.startswith("九十分為優等: 預期 ")
    draft["hit_policy"] = "any"
    assert [str(each) for each in try_out(draft)] == [
        "hit_policy: 「any」不在可選的值之中：unique、first、priority、collect、rule_order、output_order"
    ]


@pytest.mark.parametrize(
    ("code", "seconds", "message"),
    [
        ("import os; os.abort()", 60, "規則引擎無法編譯這個規則集"),
        ("print('nothing')", 60, "規則引擎無法編譯這個規則集"),
        ("import time; time.sleep(60)", 0.5, "規則集在 0.5 秒內無法編譯完成，請減少規則或條件"),
    ],
)
def test_a_process_that_dies_or_hangs(
    draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch, code: str, seconds: float, message: str
) -> None:
    monkeypatch.setattr(tryout, "COMMAND", (sys.executable, "-c", code))
    assert [each.message for each in try_out(draft, seconds=seconds)] == [message]


def test_the_process_knows_no_secrets(
    draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not to be told")
    code = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    monkeypatch.setattr(tryout, "COMMAND", (sys.executable, "-c", code))
    try_out(draft)
    assert "PYTHONPATH" in (tmp_path / "seen").read_text()
    assert "not to be told" not in (tmp_path / "seen").read_text()
