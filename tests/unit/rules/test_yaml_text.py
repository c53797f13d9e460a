"""The text of a ruleset: what is read is what was written, and every mistake has its line."""

from __future__ import annotations

import pytest
import yaml

from rules import loader, yaml_text
from rules.values import DefinitionError, Problem, Text

FACTORY = loader.read_all()


@pytest.mark.parametrize("key", list(FACTORY))
def test_what_is_written_is_read_the_same(key: str) -> None:
    assert yaml_text.read(yaml_text.write(FACTORY[key])) == FACTORY[key]


def test_values_that_yaml_would_take_for_others() -> None:
    same = {"x": FACTORY["case_deadlines"]["title"]}
    body = {
        "texts": ["no", "on", "0826", "07-31", "2026-01-31", "1.5", "true", "", "~", "一 : 二", "=", "<<"],
        "numbers": [0.000001, 6.5, 7.0, -3, 10**12],
        "none": None,
        "twice": [same, same],
    }
    assert yaml_text.read(yaml_text.write(body)) == body


TEXT = """key: one
title: 一
revision_date: filing
hit_policy: rule_order
rules:
  - key: a
    label: 甲
    when:
      all:
        - {fact: case.fee, op: gt,
           value: 一元}
        - {fact: nobody, op: exists}
    then: [{action: set_risk, level: high}]
examples:
  - name: 例
    facts:
      case.fee: 三
    expect: []
"""


def test_the_line_of_every_mistake() -> None:
    with pytest.raises(DefinitionError) as refused:
        loader.load(yaml_text.read(TEXT))
    found = {each.problem.path: each.line for each in yaml_text.locate(TEXT, refused.value.problems)}
    assert found == {
        "rules[0].when.all[0].value": 11,
        "rules[0].when.all[1].fact": 12,
        "examples[0].facts.case.fee": 17,
    }
    missing = Problem(path="rules[0].then[0].days.x", message=Text(zh="錯", en="wrong"))
    assert [each.line for each in yaml_text.locate(TEXT, [missing])] == [13]
    assert [each.line for each in yaml_text.locate("", [missing])] == [0]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: [", 2, ""),
        ("a: 1\na: 2", 2, "重複"),
        ("a: &x [1]\nb: *x", 2, "參照"),
        ("a: " + "[" * 100, 1, "最多 60 層"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", 2, ""),
        ("- 1", 0, "一組「名稱: 值」"),
        ("", 0, "一組「名稱: 值」"),
        ("a: " + "長" * 300_000, 0, "內容超過 512 KB"),
        ("a: \x00", 0, ""),
    ],
)
def test_what_is_refused(text: str, line: int, says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        yaml_text.read(text)
    (problem,) = refused.value.problems
    assert says in problem.message.zh
    assert yaml_text.line_of_refusal(problem) == line


def test_a_reader_of_files_reads_it_too() -> None:
    assert yaml.safe_load(yaml_text.write(FACTORY["progress_lag"]))["key"] == "progress_lag"
