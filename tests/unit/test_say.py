"""Sentences in both languages: the two say the same parts, and none of the English is Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from rules.values import Problem, Text, say

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def said() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("rules", "forms", "workflows", "webapp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if "say(" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_sentence_says_its_parts_in_both_languages() -> None:
    literal = [
        (where, call.args[0].value, call.args[1].value, call.keywords)
        for where, call in said()
        if all(isinstance(each, ast.Constant) for each in call.args)
    ]
    assert len(literal) > 150
    for where, zh, en, parts in literal:
        assert not CHINESE.search(en), (where, en)
        named = {part.arg for part in parts if part.arg}
        assert fields(zh) == fields(en), where
        assert None in {part.arg for part in parts} or fields(zh) == named, where


def test_parts_are_said_in_their_language() -> None:
    unit = Text(zh="單位", en="unit")
    assert say(
        "沒有{what}「{name}」{hint}", "No {what} “{name}”{hint}", what=unit, name="甲{x}", hint=None
    ) == Text(zh="沒有單位「甲{x}」", en="No unit “甲{x}”")
    assert say("可用：{all}", "There are: {all}", all=["a", unit, 3]) == Text(
        zh="可用：a、單位、3", en="There are: a, unit, 3"
    )


def test_a_problem_is_said_with_its_place() -> None:
    message = Text(zh="錯", en="wrong")
    assert Problem(path="a.b", message=message).text == Text(zh="a.b: 錯", en="a.b: wrong")
    assert Problem(path="", message=message).text == message
    assert str(Problem(path="a.b", message=message).below("f.yaml")) == "f.yaml a.b: 錯"
    assert str(Problem(path="", message=message).below("f.yaml")) == "f.yaml: 錯"
