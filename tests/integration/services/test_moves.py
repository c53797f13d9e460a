"""Running cases go on under a new revision: only where nothing stands against it, with a trace of both."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests import factory
from tests.journeys import NOW, officer, open_tasks, submitted, take
from tests.officers import corrected, login_of
from webapp import cli
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, CaseMove, Revision
from webapp.permissions import SYSTEM
from webapp.queries import definitions, history
from webapp.services import cases, events, moves, publishing, steps
from webapp.uow import unit_of_work

TODAY = date(2025, 9, 25)
Body = dict[str, Any]


def flow() -> Body:
    return factory.workflow("single_review")


def renamed() -> Body:
    """主管決行 is called decide, and whoever sends it back does so by another word."""
    body = flow()
    body["states"]["decide"] = {**body["states"].pop("approve"), "label": {"zh": "核定", "en": "Decide"}}
    ways = [way for state in body["states"].values() for way in state.get("transitions", {}).values()]
    for way in ways:
        if way.get("to") == "approve":
            way["to"] = "decide"
    return body


def with_a_parameter() -> Body:
    body = flow()
    return {**body, "parameters": {**body.get("parameters", {}), "again": 1}}


def published(kind: str, key: str, body: Body) -> Revision:
    with unit_of_work():
        definitions.parse(kind, body)
        revision = publishing.insert(SYSTEM, kind, key, body, NOW, origin="editor")
        publishing.publish(SYSTEM, revision, TODAY, NOW)
    return revision


def moved(case: Case, to: Revision, **mapping: str) -> moves.Verdict:
    with unit_of_work():
        return moves.move(SYSTEM, case.id, to, mapping, NOW + timedelta(hours=1))


def words(case: Case) -> list[str]:
    ctx = steps.context(case)
    return [str(entry.what) for entry in history.of_case(case, ctx.workflow, ctx.form)]


@pytest.fixture
def proposed(app: Flask, committed: None) -> Any:
    with app.app_context():
        case = submitted("EC09")
        take(case, "propose_approval", comment="符合規定")
        yield case


def test_a_case_moves_with_a_trace_and_goes_on(proposed: Case) -> None:
    body = flow()
    body["states"]["correction"]["citizen_label"] = {"zh": "請補正", "en": "Please correct"}
    before = db.session.get_one(Revision, proposed.workflow_revision_id)
    to = published("workflow", "single_review", body)
    stale = proposed.version
    assert moved(proposed, to).against == ()
    assert proposed.workflow_revision_id == to.id and proposed.state == "approve"
    trace = db.session.scalars(select(CaseMove)).one()
    assert (trace.from_revision_id, trace.to_revision_id) == (before.id, to.id)
    event = history.of_case(proposed, definitions.workflow(to.id), steps.context(proposed).form)[-1]
    assert (str(event.what), str(event.who)) == ("改依新版的流程或表單辦理", "系統")
    audit = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "case_moved")).one()
    assert before.checksum[:12] in audit.subject and to.checksum[:12] in audit.subject
    assert events.broken_links(proposed.id) == []
    [task] = open_tasks(proposed)
    with pytest.raises(Conflict, match="系統"):
        cases.take_transition(
            officer(login_of(task.assignee_id or 0)),
            proposed,
            "approve",
            NOW,
            version=stale,
            task_id=task.id,
            given=steps.Given(),
        )
    take(proposed, "approve")
    assert proposed.outcome == "granted"


def test_a_renamed_state_keeps_its_history_and_its_proposal(proposed: Case) -> None:
    take(proposed, "send_back", comment="請補充")
    take(proposed, "propose_approval", comment="已補充")
    told = words(proposed)
    to = published("workflow", "single_review", renamed())
    assert len(moved(proposed, to).against) == 2
    assert proposed.state == "approve"
    assert moved(proposed, to, approve="decide", review="review").against == ()
    assert proposed.state == "decide"
    assert words(proposed)[:-1] == told
    ctx = steps.context(proposed)
    entered = [str(e.entered) for e in history.of_case(proposed, ctx.workflow, ctx.form) if e.entered]
    assert entered == ["承辦審查", "主管決行", "承辦審查", "主管決行", "核定"]
    assert history.visited(proposed, ctx.workflow) == {"review", "decide"}
    proposal = history.proposal_now(proposed, ctx.workflow, ctx.form)
    assert proposal is not None and proposal.comment == "已補充"
    take(proposed, "approve")
    assert proposed.outcome == "granted"


def test_a_case_that_moved_twice_is_still_understood(proposed: Case) -> None:
    to = published("workflow", "single_review", renamed())
    moved(proposed, to, approve="decide", review="review")
    back = published("workflow", "single_review", with_a_parameter())
    assert moved(proposed, back, decide="approve", review="review").against == ()
    ctx = steps.context(proposed)
    assert history.visited(proposed, ctx.workflow) == {"review", "approve"}
    proposal = history.proposal_now(proposed, ctx.workflow, ctx.form)
    assert proposal is not None and proposal.comment == "符合規定"


def test_the_preview_says_per_case_and_a_closed_one_never_moves(proposed: Case) -> None:
    fresh, done = submitted("EC09"), submitted("EC09")
    take(done, "return_application", comment="非本縣")
    body = flow()
    body["states"]["approve"]["tasks"][0]["label"] = {"zh": "核定", "en": "Decide"}
    to = published("workflow", "single_review", body)
    verdicts = {verdict.number: [str(t) for t in verdict.against] for verdict in moves.preview(to, {})}
    assert list(verdicts) == [proposed.number, fresh.number]
    assert verdicts[str(fresh.number)] == []
    assert "主管決行" in verdicts[str(proposed.number)][0]
    assert [str(t) for t in moved(done, to).against] == ["案件已經結案"]


def test_a_correction_that_is_asked_for_is_handed_in_after_the_move(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("amount",), comment="不符")
        body = flow()
        body["states"]["approve"]["citizen_label"] = {"zh": "主管核定中", "en": "The head decides"}
        assert moved(case, published("workflow", "single_review", body)).against == ()
        corrected(case, NOW + timedelta(days=1), amount=["3200"])
        assert case.state == "review"


def test_a_form_may_gain_fields_but_not_change_one(proposed: Case) -> None:
    form = db.session.get_one(Revision, proposed.form_revision_id)
    body = copy.deepcopy(form.mapping)
    section = body["sections"][-1]
    section["fields"].append({"key": "note_2", "type": "text", "label": {"zh": "備註二", "en": "Note 2"}})
    to = published("form", form.key, body)
    assert moved(proposed, to).against == ()
    assert proposed.form_revision_id == to.id
    changed = copy.deepcopy(body)
    changed["sections"][-1]["fields"][-1]["label"] = {"zh": "備註", "en": "Note"}
    assert "note_2" in str(moved(proposed, published("form", form.key, changed)).against[0])


def test_what_does_not_exist_is_refused(proposed: Case) -> None:
    with pytest.raises(Refused, match="第 99 版"):
        moves.target("workflow", "single_review", 99, TODAY)
    with pytest.raises(Refused, match="沒有發布過"):
        moves.target("workflow", "single_revue", None, TODAY)
    to = published("workflow", "single_review", renamed())
    with pytest.raises(Refused, match="aprove"):
        moves.preview(to, {"aprove": "decide"})


def test_the_trace_cannot_be_rewritten(proposed: Case) -> None:
    body = with_a_parameter()
    moved(proposed, published("workflow", "single_review", body))
    trace = db.session.scalars(select(CaseMove)).one()
    trace.states = {"approve": "review"}
    with pytest.raises(IntegrityError, match="append-only") as refused:
        db.session.flush()
    assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)
    db.session.rollback()


def test_the_command_previews_then_applies(
    app: Flask, proposed: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = proposed.number
    to = published("workflow", "single_review", with_a_parameter()).id
    monkeypatch.setattr(cli, "_application", lambda: app)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.main, ["cases", "migrate", *arguments])

    seen = run("--workflow", "single_review", "--preview")
    assert seen.output.splitlines() == [f"{number}  may move", "1 may move, 0 stay"], seen.output
    assert run("--workflow", "single_review", "--apply").output.endswith("1 moved, 0 stay\n")
    db.session.expire_all()
    assert proposed.workflow_revision_id == to
    assert run("--workflow", "single_review").output == "0 may move, 0 stay\n"
    assert run().exit_code == 2
    assert run("--workflow", "x", "--map", "review").exit_code == 2
    assert "沒有發布過" in run("--workflow", "x").output
