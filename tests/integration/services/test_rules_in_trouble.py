"""A published ruleset that cannot decide costs nobody their submission, holds up no other clock, and is heard of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import rules.engine
from tests.journeys import NOW, open_tasks, submitted
from tests.officers import at, made, signed_in
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Escalation, Firing, Message, Revision, RuleAlarm
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import publishing
from webapp.uow import unit_of_work

pytestmark = pytest.mark.usefixtures("committed")


def published(key: str, /, **changes: Any) -> None:
    """An administrator's ruleset, past every check."""
    with unit_of_work():
        revision = definitions.revision_id("ruleset", key, NOW.date())
        body = {**db.session.get_one(Revision, revision).mapping, **changes}
        new = publishing.insert(SYSTEM, "ruleset", key, body, NOW, origin="editor")
        publishing.publish(SYSTEM, new, NOW.date(), NOW)


def contradicting(action: dict[str, Any]) -> dict[str, Any]:
    """Two rules that always hold, where only one may."""
    two = [{"key": key, "label": f"規則{key}", "then": [action]} for key in ("a", "b")]
    return {"hit_policy": "unique", "rules": two, "tables": [], "parameters": {}, "examples": []}


def alarms() -> list[tuple[str, list[str] | None, list[str] | None]]:
    rows = db.session.scalars(select(RuleAlarm).order_by(RuleAlarm.id))
    return [(alarm.kind, alarm.engine_said, alarm.reference_said) for alarm in rows]


def told() -> list[str]:
    rows = db.session.scalars(
        select(Message.recipient).where(Message.idempotency_key.like("rules:%")).order_by(Message.id)
    )
    return sorted(recipient.split("@")[0] for recipient in rows)


def engine_of(case: Case) -> dict[str, str]:
    rows = db.session.execute(
        select(Revision.key, Firing.engine)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Firing.case_id == case.id)
    )
    return dict(iter(rows))


def test_rules_that_contradict_each_other_cost_no_submission(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> str:
        published("intake_routing", **contradicting({"action": "pick_officer", "by": "turn"}))
        first, second = submitted("EC09"), submitted("EC09")
        # the unit that the service names, and its pool
        assert first.handling_unit_id == second.handling_unit_id
        assert [task.assignee_id for task in open_tasks(first)] == [None]
        assert engine_of(first) == {"intake_routing": "none", "intake_risk": "durable"}
        assert alarms() == [("not_unique", None, ["a", "b"])]
        assert told() == ["admin", "guo.shiming"]
        return first.public_id

    case = made(app, prepare)
    at(app, monkeypatch, NOW)
    # the head of the unit finds out why, and the administrator what to mend
    page = signed_in(app, "chen.shufen").get(f"/staff/cases/{case}/why").text
    assert "規則集無法判斷，沒有採用任何結果" in page and "成立，無法採用 規則a" in page
    page = signed_in(app, "admin").get("/staff/rule-alarms").text
    assert "只容許一條規則成立，但同時成立的有：a、b" in page and "規則a、規則b" in page
    assert signed_in(app, "chen.shufen").get("/staff/rule-alarms").status == 403


def test_a_ruleset_that_cannot_be_read_costs_no_submission(app: Flask) -> None:
    def prepare() -> None:
        published("intake_risk", rules=[{"key": "a", "label": "甲", "then": [{"action": "gone"}]}])
        case = submitted("EC09")
        assert (case.risk, engine_of(case)["intake_risk"]) == (None, "none")
        assert alarms() == [("fault", None, None)]

    made(app, prepare)


def test_a_ladder_that_cannot_decide_is_kept_once_and_the_next_one_goes_on(app: Flask) -> None:
    def prepare() -> None:
        late = NOW + timedelta(days=26)
        case = submitted("EC09")
        escalate = {"action": "escalate", "rung": "warn", "to": ["officer"], "kind": "warn"}
        published("case_deadlines", **contradicting(escalate))
        for day in (late, late + timedelta(days=1)):
            counts = sweeps.run_deadlines(day)
            assert (counts["clocks"], counts["rungs"], counts["failed"]) == (1, 0, 0)
        undecided = select(Firing).where(Firing.case_id == case.id, Firing.engine == "none")
        assert len(db.session.scalars(undecided).all()) == 1
        assert [kind for kind, _, _ in alarms()] == ["not_unique"] * 2  # once a day
        published("case_deadlines", **definitions_of("case_deadlines"))
        assert sweeps.run_deadlines(late + timedelta(days=2))["rungs"] > 0
        assert db.session.scalars(select(Escalation.rung)).first() == "warn"

    made(app, prepare)


def definitions_of(key: str) -> dict[str, Any]:
    """The first revision: what a rollback publishes again."""
    first = select(Revision).where(Revision.kind == "ruleset", Revision.key == key, Revision.number == 1)
    return db.session.scalars(first).one().mapping


def test_an_engine_that_differs_is_told_and_the_reference_decides(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> None:
        published(
            "intake_risk", effective_from="2000-01-01"
        )  # a ruleset of its own, that no other test shares
        compiled = definitions.ruleset(definitions.revision_id("ruleset", "intake_risk", NOW.date()))
        monkeypatch.setattr(compiled, "_shadow_every", 1)
        with monkeypatch.context() as patch:
            patch.setattr(rules.engine._Handle, "match", lambda handle, fact: [0])
            case = submitted("EC09")
        assert (case.risk, engine_of(case)["intake_risk"]) == ("low", "reference")
        assert ("difference", ["often_rejected"], ["otherwise"]) in alarms()

    made(app, prepare)
