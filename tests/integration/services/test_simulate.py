"""`ecounter rules simulate`: a draft over the facts of past decisions, acting on nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from tests import factory, journeys
from webapp import rules_commands
from webapp.cli import main
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Escalation, Firing
from webapp.queries import snapshots

#: EC09 filed on journeys.NOW is due on 2025-10-20
LATE = datetime(2025, 10, 21, 1, tzinfo=UTC)


@pytest.fixture
def simulate(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(rules_commands, "_application", lambda: app)

    def simulate(
        draft: dict[str, Any], *more: str, since: str = "2025-01-01", key: str = "case_deadlines"
    ) -> Result:
        (tmp_path / "draft.yaml").write_text(yaml.safe_dump(draft, allow_unicode=True), encoding="utf-8")
        arguments = [key, "--draft", str(tmp_path / "draft.yaml"), "--since", since]
        return CliRunner().invoke(main, ["rules", "simulate", *arguments, *more])

    return simulate


def test_a_draft_over_past_decisions(app: Flask, simulate: Any) -> None:
    with app.app_context():
        number = journeys.submitted("EC09").number
        assert sweeps.run_deadlines(LATE)["failed"] == 0
        before = [
            db.session.scalar(select(func.count()).select_from(table)) for table in (Firing, Escalation, Case)
        ]
        ((name, facts),) = snapshots.of_ruleset("case_deadlines", LATE.date())
        assert (name, facts["case.days_left"]) == (f"{number} 2025-10-21", -1)
        assert list(snapshots.of_ruleset("case_deadlines", datetime(2025, 10, 22, tzinfo=UTC).date())) == []
        db.session.rollback()
    draft = factory.ruleset("case_deadlines")
    assert simulate(draft).stdout.splitlines()[0] == "1 decisions, 0 would change"
    draft["parameters"]["first_days"]["value"] = -2
    draft["rules"][0]["when"]["all"].append({"fact": "case.fee", "op": "missing"})
    changed = simulate(draft)
    assert changed.exit_code == 0, changed.output
    ladder = "Escalate: warn, officer, warning; Escalate: due, officer, due"
    first = "Escalate: overdue_first, officer, section_head, overdue"
    assert changed.stdout.splitlines() == [
        "1 decisions, 1 would change",
        f"       1 {ladder}; {first}  ->  {ladder}",
        f"{number} 2025-10-21: {ladder}; {first}  ->  {ladder}",
        "  “First reminder” changes from -1 working days to -2 working days; no longer “First overdue reminder”",
    ]
    assert "past decisions did not keep case.fee: taken as missing" in changed.stderr
    assert simulate(draft, since="2025-10-22").stdout == "0 decisions, 0 would change\n"
    cut = simulate(draft, "--seconds", "0")
    assert cut.stdout == "0 decisions, 0 would change\n"
    assert "not all past decisions were looked at: --seconds ended it" in cut.stderr
    assert simulate(draft, "--rows", "1").stdout == changed.stdout
    with app.app_context():
        after = [
            db.session.scalar(select(func.count()).select_from(table)) for table in (Firing, Escalation, Case)
        ]
    assert after == before


def test_a_draft_that_is_not_one(simulate: Any) -> None:
    draft = factory.ruleset("case_deadlines")
    assert (
        "the draft is of case_deadlines, not of intake_routing"
        in simulate(draft, key="intake_routing").output
    )
    draft["rules"][0]["then"][0]["to"] = ["oficer"]
    refused = simulate(draft)
    assert refused.exit_code == 1
    assert "rules[0].then[0].to: 沒有「oficer」這個通知職務，是否為「officer」？" in refused.output
