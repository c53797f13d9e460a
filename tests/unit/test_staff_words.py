"""What a rule asked for, as the staff read it: names of choices, never their codes."""

from __future__ import annotations

from typing import Any

import pytest

from rules.actions import ACTIONS
from webapp.staff import words

SAID: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "set_period",
        {"kind": "CD-shift", "period": 30},
        "訂定處理期限：日曆天，末日遇假日順延，30",
        "Set the period: calendar days, moved past a day off, 30",
    ),
    ("set_risk", {"level": "high"}, "訂定風險等級：高", "Set the risk: high"),
    ("assign_function", {"function": "officer"}, "指定承辦職務：承辦人", "Assign the function: Case officer"),
    (
        "lock_report",
        {"unlock": "research_office"},
        "停止受理填報：研考人員",
        "Close the report: Plan-control office",
    ),
    (
        "report_every",
        {"period": "meeting", "to": ["secretary_general", "magistrate"]},
        "定期填報或彙報：每次會議，秘書長、縣長",
        "Report regularly: meeting, Secretary general, Magistrate",
    ),
    (
        "require_explanation",
        {"parts": ["reason", "countermeasure"]},
        "填報落後說明：落後原因、因應對策",
        "Ask for an explanation: reason, countermeasure",
    ),
    ("mark_confidential", {}, "身分保密", "Keep the identity secret"),
]


@pytest.mark.parametrize(("action", "params", "zh", "en"), SAID)
def test_words(action: str, params: dict[str, Any], zh: str, en: str) -> None:
    said = words.outcome({"action": action, "params": params})
    assert (said.zh, said.in_("en")) == (zh, en)


def test_no_choice_of_any_action_is_shown_as_its_code() -> None:
    for action in ACTIONS.values():
        for param in action.params:
            for value, label in param.choices.items():
                said = words.outcome({"action": action.name, "params": {param.name: value}})
                assert said.zh == f"{action.label.zh}：{label.zh}"
