"""The editorial desk on the real database: one live draft, a version to save against, every step recorded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from rules import tryout
from tests import factory, journeys
from tests.journeys import NOW, account, officer
from webapp.errors import Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import AuditEntry, Case, DefinitionDraft, Escalation, Message, Revision
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import definitions, editing, publications, trials
from webapp.queries import desk as queries
from webapp.services import desk, publishing
from webapp.uow import unit_of_work

ADMIN, RESEARCH = "admin", "guo.shiming"


@pytest.fixture
def counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def quick(counter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts are checked in this process, for tests of what comes after the check."""
    monkeypatch.setattr(tryout, "try_out", lambda body, *known: tryout._problems(body, *map(sorted, known)))


def test_one_definition_has_one_live_draft(counter: None) -> None:
    with unit_of_work():
        desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
    with pytest.raises(Conflict, match="系統管理員"), unit_of_work():
        desk.open_draft(officer(RESEARCH), "ruleset", "progress_lag", NOW)
    with unit_of_work():
        desk.open_draft(officer(RESEARCH), "ruleset", "case_deadlines", NOW)


def test_a_stale_save_is_refused_and_names_who_was_faster(counter: None) -> None:
    with unit_of_work():
        draft = desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        opened = draft.version
        body = draft.mapping
    body["parameters"]["severe_lag"]["value"] = 10
    with unit_of_work():
        saved = desk.save(officer(RESEARCH), draft.id, body, NOW, version=opened)
        assert (saved.version, saved.editor_ids) == (opened + 1, [officer(RESEARCH).account_id])
    with pytest.raises(Conflict, match="郭士銘"), unit_of_work():
        desk.save(officer(ADMIN), draft.id, {}, NOW, version=opened)
    with unit_of_work():
        assert desk.hold(draft.id, opened + 1).mapping["parameters"]["severe_lag"]["value"] == 10


def test_a_discarded_draft_makes_room_and_changes_no_more(counter: None) -> None:
    with unit_of_work():
        draft = desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        desk.discard(officer(ADMIN), draft.id, NOW, version=1)
    with pytest.raises(Refused), unit_of_work():
        desk.save(officer(ADMIN), draft.id, {}, NOW, version=2)
    with unit_of_work():
        desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        steps = db.session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject.like("ruleset/progress_lag draft%"))
        ).all()
    assert sorted(steps) == ["draft discarded", "draft opened", "draft opened"]


def test_others_edit_nothing(counter: None) -> None:
    with pytest.raises(Forbidden), unit_of_work():
        desk.open_draft(officer("chen.shufen"), "ruleset", "progress_lag", NOW)


# --- a second person ---------------------------------------------------------------------------------------

TODAY = taipei_day(NOW)
LATER = TODAY + timedelta(days=7)
KEY = "case_deadlines"


def earlier_warning() -> dict[str, Any]:
    """Three working days instead of two, and the examples that go with it."""
    body = factory.ruleset(KEY)
    body["parameters"]["warn_days"]["value"] = 3
    body["examples"][0] |= {"facts": {"case.days_left": 4, "case.paused": False}}
    return body


def drafted(body: dict[str, Any], login: str = ADMIN) -> DefinitionDraft:
    with unit_of_work():
        draft = desk.open_draft(officer(login), "ruleset", body["key"], NOW)
    with unit_of_work():
        return desk.save(officer(login), draft.id, body, NOW, version=draft.version)


def submitted(body: dict[str, Any], day: date = TODAY, login: str = ADMIN) -> DefinitionDraft:
    draft = drafted(body, login)
    with unit_of_work():
        return desk.submit(officer(login), draft.id, "提早提醒承辦人", day, NOW, version=draft.version)


def approved(draft: DefinitionDraft, login: str = RESEARCH) -> None:
    with unit_of_work():
        desk.approve(officer(login), draft.id, NOW, version=draft.version)


def warns_at(day: date) -> object:
    revision = definitions.revision_id("ruleset", KEY, day)
    return definitions.ruleset(revision).ruleset.params["warn_days"]


def told(login: str) -> list[str]:
    rows = select(Message.subject).where(Message.account_id == account(login).id).order_by(Message.id)
    return list(db.session.scalars(rows))


def test_a_second_person_puts_it_into_force_on_its_day(counter: None) -> None:
    draft = submitted(earlier_warning(), LATER)
    assert told(RESEARCH) == ["請審核規則的修改：案件期限與稽催"]
    assert told(ADMIN) == []
    with pytest.raises(Refused), unit_of_work():
        desk.save(officer(ADMIN), draft.id, {}, NOW, version=draft.version)
    with pytest.raises(Forbidden, match="另一位"), unit_of_work():
        desk.approve(officer(ADMIN), draft.id, NOW, version=draft.version)
    approved(draft)
    assert (warns_at(TODAY), warns_at(LATER - timedelta(days=1)), warns_at(LATER)) == (2, 2, 3)
    assert draft.state == "published"
    assert told(ADMIN) == ["已核准：案件期限與稽催"]
    with pytest.raises(Conflict), unit_of_work():
        desk.approve(officer(RESEARCH), draft.id, NOW, version=draft.version - 1)
    steps = db.session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject.like(f"ruleset/{KEY}%"), AuditEntry.at == NOW)
        .order_by(AuditEntry.id)
    ).all()
    assert steps == ["draft opened", "draft saved", "draft submitted", "published", "draft approved"]
    with unit_of_work():
        desk.open_draft(officer(ADMIN), "ruleset", KEY, NOW)


def test_whoever_saved_it_is_no_second_person(quick: None) -> None:
    draft = drafted(earlier_warning())
    body = copy.deepcopy(draft.mapping)
    body["title"]["zh"] = "案件期限"
    with unit_of_work():
        draft = desk.save(officer(RESEARCH), draft.id, body, NOW, version=draft.version)
    with unit_of_work():
        draft = desk.submit(officer(ADMIN), draft.id, "提早", TODAY, NOW, version=draft.version)
    with pytest.raises(Forbidden, match="另一位"):
        approved(draft)


def test_whoever_wrote_what_a_draft_begins_from_is_no_second_person(quick: None) -> None:
    """Returned, discarded and begun again by a colleague: it is still the author's text, twice over."""
    draft = submitted(earlier_warning())
    for login in (RESEARCH, RESEARCH):
        base = draft.revision_id
        with unit_of_work():
            draft = desk.send_back(officer(login), draft.id, "再想想", NOW, version=draft.version)
            desk.discard(officer(login), draft.id, NOW, version=draft.version)
        with unit_of_work():
            draft = desk.open_draft(officer(login), "ruleset", KEY, NOW, base=base)
            desk.submit(officer(login), draft.id, "提早", TODAY, NOW, version=draft.version)
        with pytest.raises(Forbidden, match="另一位"):
            approved(draft, ADMIN)


def test_what_was_approved_once_is_nobody_s_text_any_more(quick: None) -> None:
    draft = submitted(earlier_warning())
    approved(draft)
    undone()
    with unit_of_work():
        again = desk.open_draft(officer(RESEARCH), "ruleset", KEY, NOW, base=draft.revision_id)
        desk.submit(officer(RESEARCH), again.id, "還是需要", TODAY, NOW, version=again.version)
    approved(again, ADMIN)
    assert warns_at(TODAY) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "other"}, "不能改"),
        ({"rules": []}, "沒有任何規則使用"),
        ({"examples": [{"name": "錯的", "facts": {"case.days_left": 3}, "expect": []}]}, "錯的: 預期"),
    ],
)
def test_what_is_wrong_is_not_submitted(counter: None, change: dict[str, Any], words: str) -> None:
    draft = drafted(earlier_warning())
    with unit_of_work():
        desk.save(officer(ADMIN), draft.id, draft.mapping | change, NOW, version=draft.version)
    with pytest.raises(desk.NotFit, match=words), unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "提早", TODAY, NOW, version=draft.version)
    db.session.rollback()
    assert db.session.get_one(DefinitionDraft, draft.id).state == "editing"


def test_a_submission_says_why_and_from_when_and_changes_something(counter: None) -> None:
    draft = drafted(earlier_warning())
    version = draft.version
    for reason, day, field in (
        (" \u200b", TODAY, "reason"),
        ("長" * 1001, TODAY, "reason"),
        ("提早", TODAY - timedelta(days=1), "effective_from"),
    ):
        with pytest.raises(Misfit) as refused, unit_of_work():
            desk.submit(officer(ADMIN), draft.id, reason, day, NOW, version=version)
        assert refused.value.field == field
    with unit_of_work():
        desk.save(officer(ADMIN), draft.id, factory.ruleset(KEY), NOW, version=version)
    with pytest.raises(Refused, match="相同"), unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "提早", TODAY, NOW, version=version + 1)


def test_returned_with_a_reason_and_submitted_again(quick: None) -> None:
    draft = submitted(earlier_warning())
    revision = draft.revision_id
    with pytest.raises(Misfit), unit_of_work():
        desk.send_back(officer(RESEARCH), draft.id, " ", NOW, version=draft.version)
    with unit_of_work():
        desk.send_back(officer(RESEARCH), draft.id, "請說明試算結果", NOW, version=draft.version)
    assert (draft.state, draft.comment) == ("editing", "請說明試算結果")
    assert told(ADMIN) == ["退回修改：案件期限與稽催"]
    with unit_of_work():
        draft = desk.submit(officer(ADMIN), draft.id, "試算 0 件改變", TODAY, NOW, version=draft.version)
    assert draft.revision_id == revision, "what did not change is not another revision"
    with unit_of_work():
        desk.send_back(officer(ADMIN), draft.id, "再想想", NOW, version=draft.version)
    details = db.session.execute(
        select(AuditEntry.action, AuditEntry.detail)
        .where(AuditEntry.action.in_(("draft sent back", "draft taken back")))
        .order_by(AuditEntry.id)
    ).all()
    assert [tuple(row) for row in details] == [
        ("draft sent back", "請說明試算結果"),
        ("draft taken back", "再想想"),
    ]


def test_what_was_published_meanwhile_is_taken_over_first(quick: None) -> None:
    draft = submitted(earlier_warning())
    other = factory.ruleset(KEY)
    other["parameters"]["review_days"]["value"] = -20
    other["examples"] = [each for each in other["examples"] if "十五" not in each["name"]]
    with unit_of_work():
        revision = publishing.insert(SYSTEM, "ruleset", KEY, other, NOW, origin="file")
        publishing.publish(SYSTEM, revision, TODAY, NOW)
    with pytest.raises(Refused, match="納入新版本"):
        approved(draft)
    with unit_of_work():
        desk.send_back(officer(RESEARCH), draft.id, "請納入新版本", NOW, version=draft.version)
    other["parameters"]["warn_days"]["value"] = 5
    with unit_of_work():
        revision = publishing.insert(SYSTEM, "ruleset", KEY, other, NOW, origin="file")
        publishing.publish(SYSTEM, revision, TODAY, NOW)
    both = [each.zh for each in queries.caught_up(draft)[1]]
    with unit_of_work():
        desk.catch_up(officer(ADMIN), draft.id, NOW, version=draft.version)
    values = {name: each["value"] for name, each in draft.mapping["parameters"].items()}
    assert (values["warn_days"], values["review_days"]) == (3, -20)
    assert "參數「預警天數」，值" in both
    assert len(draft.mapping["examples"]) == len(other["examples"])
    with pytest.raises(Refused, match="最新"), unit_of_work():
        desk.catch_up(officer(ADMIN), draft.id, NOW, version=draft.version)
    with unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "提早", TODAY, NOW, version=draft.version)
    approved(draft)
    assert warns_at(TODAY) == 3


def test_a_draft_of_an_old_version_keeps_what_it_means_to_undo(quick: None) -> None:
    approved(submitted(earlier_warning()))
    with unit_of_work():
        first = db.session.scalars(
            select(Revision.id).where(Revision.kind == "ruleset", Revision.key == KEY, Revision.number == 1)
        ).one()
        draft = desk.open_draft(officer(ADMIN), "ruleset", KEY, NOW, base=first)
    other = earlier_warning()
    other["parameters"]["review_days"]["value"] = -20
    with unit_of_work():
        revision = publishing.insert(SYSTEM, "ruleset", KEY, other, NOW, origin="file")
        publishing.publish(SYSTEM, revision, TODAY, NOW)
    with unit_of_work():
        desk.catch_up(officer(ADMIN), draft.id, NOW, version=draft.version)
    values = {name: each["value"] for name, each in draft.mapping["parameters"].items()}
    assert (values["warn_days"], values["review_days"]) == (2, -20)


def test_approved_after_its_day_it_takes_effect_on_the_day_of_approval(quick: None) -> None:
    draft = submitted(earlier_warning())
    with unit_of_work():
        desk.approve(officer(RESEARCH), draft.id, NOW + timedelta(days=3), version=draft.version)
    assert draft.effective_from == TODAY + timedelta(days=3)
    assert (warns_at(TODAY), warns_at(draft.effective_from)) == (2, 3)


def test_a_last_day_that_is_past_when_it_would_take_effect_is_refused(quick: None) -> None:
    """It would be approved with success, and nothing would happen."""
    day = {"effective_to": (LATER - timedelta(days=1)).isoformat()}
    draft = drafted(earlier_warning() | day)
    with pytest.raises(Refused, match="最後一天"), unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "提早", LATER, NOW, version=draft.version)
    db.session.rollback()
    with unit_of_work():
        draft = desk.submit(officer(ADMIN), draft.id, "提早", TODAY, NOW, version=draft.version)
    with pytest.raises(Refused, match="最後一天"), unit_of_work():
        desk.approve(officer(RESEARCH), draft.id, NOW + timedelta(days=7), version=draft.version)
    db.session.rollback()
    with unit_of_work():
        desk.approve(officer(RESEARCH), draft.id, NOW + timedelta(days=6), version=draft.version)


# --- rollback ----------------------------------------------------------------------------------------------


def seen() -> int:
    newest = publications.newest("ruleset", KEY)
    assert newest is not None
    return newest.id


def undone(reason: str = "通知太多", login: str = RESEARCH, at: int | None = None) -> None:
    with unit_of_work():
        desk.rollback(officer(login), "ruleset", KEY, reason, NOW, seen=seen() if at is None else at)


def test_a_rollback_is_one_action_and_the_same_click_twice_undoes_once(quick: None) -> None:
    approved(submitted(earlier_warning()))
    page = seen()
    undone(at=page)
    assert warns_at(TODAY) == 2
    with pytest.raises(Conflict, match="郭士銘"):
        undone(at=page)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "rolled back")).one()
    assert (entry.subject, entry.detail) == (f"ruleset/{KEY}#1", f"{TODAY} 通知太多")
    assert told(ADMIN)[-1] == "規則已復原：案件期限與稽催"
    undone("還是需要")
    assert warns_at(TODAY) == 3


def test_what_is_still_to_come_is_cancelled_from_its_day_and_nothing_else(quick: None) -> None:
    approved(submitted(earlier_warning(), LATER))
    published = publications.of("ruleset", KEY)
    assert [each[1].number for each in publications.to_come(published, TODAY)] == [2]
    undone()
    assert (warns_at(TODAY), warns_at(LATER)) == (2, 2)
    assert publications.to_come(publications.of("ruleset", KEY), TODAY) == []


def published_as_it_is(body: dict[str, Any]) -> None:
    """As an older release may have left it."""
    with unit_of_work():
        revision = publishing.insert(officer(ADMIN), "ruleset", KEY, body, NOW, origin="file")
        publishing.publish(officer(ADMIN), revision, TODAY, NOW)


def test_a_version_that_can_no_longer_be_read_is_not_put_into_force_again(quick: None) -> None:
    gone = factory.ruleset(KEY)
    gone["rules"][0]["when"] = {"fact": "case.gone", "op": "eq", "value": 1}
    published_as_it_is(gone)
    published_as_it_is(earlier_warning())
    with pytest.raises(Refused, match=r"版本 2 已經無法讀取.*\n.*case.gone"):
        undone()
    db.session.rollback()
    assert warns_at(TODAY) == 3


def test_a_unit_that_is_not_in_the_chart_is_refused(quick: None) -> None:
    body = factory.ruleset("intake_routing")
    then = {"action": "assign_unit", "unit": "EC-NONE"}
    body = {"rules": [{"key": "a", "label": "甲", "then": [then]}]} | {
        name: body[name] for name in ("key", "title", "revision_date", "hit_policy")
    }
    (problem,) = desk.check("intake_routing", body, NOW)
    assert str(problem).startswith("rules[0].then[0].unit: 沒有「EC-NONE」這個")
    assert [each.path for each in editing.problems(body)] == [problem.path]
    assert [each.path for each in trials.check(body, "intake_routing").problems] == [problem.path]
    then["unit"] = "EC-APH"
    assert desk.check("intake_routing", body, NOW) == editing.problems(body) == []


def later_review(days: int) -> dict[str, Any]:
    body = factory.ruleset(KEY)
    body["parameters"]["warn_days"]["value"] = days
    body["examples"] = body["examples"][2:]
    return body


def test_what_was_approved_for_a_later_day_outlives_a_rollback(quick: None) -> None:
    """A mistake that was published over it is undone: the day that two people gave it stays."""
    approved(submitted(earlier_warning(), LATER))
    approved(submitted(later_review(4), TODAY))
    assert (warns_at(TODAY), warns_at(LATER)) == (4, 4)
    undone()
    assert (warns_at(TODAY), warns_at(LATER - timedelta(days=1)), warns_at(LATER)) == (2, 2, 3)
    published = publications.of("ruleset", KEY)
    assert [each[1].number for each in publications.to_come(published, TODAY)] == [2]
    bodies = select(Message.body).where(Message.account_id == account(ADMIN).id).order_by(Message.id.desc())
    assert f"版本 2 照原定於 {LATER} 生效。" in (db.session.scalars(bodies).first() or "")
    undone()
    assert (warns_at(TODAY), warns_at(LATER)) == (2, 2), "the newest of them is what is to come"


def test_a_rollback_restores_what_decides_only_for_some_days(quick: None) -> None:
    """After the last day of the version before, the one before that decides, and never what was undone."""
    body = earlier_warning() | {"effective_to": (LATER - timedelta(days=1)).isoformat()}
    approved(submitted(body, TODAY))
    approved(submitted(later_review(4), TODAY))
    undone()
    assert (warns_at(TODAY), warns_at(LATER)) == (3, 2)


def test_the_first_version_cannot_be_undone(counter: None) -> None:
    with pytest.raises(Refused, match="更早"):
        undone()
    with pytest.raises(Forbidden), unit_of_work():
        desk.rollback(officer("chen.shufen"), "ruleset", KEY, "不要", NOW, seen=seen())


def test_reminders_follow_at_once_though_the_day_was_walked_through(quick: None) -> None:
    """Three working days before its limit a case is warned of by the rule of this very day."""
    journeys.submitted("EC09")
    day = datetime(2025, 10, 15, 1, tzinfo=UTC)
    draft = submitted(earlier_warning())

    def rungs() -> list[str]:
        assert sweeps.run_deadlines(day)["failed"] == 0
        return list(db.session.scalars(select(Escalation.rung)))

    assert rungs() == []
    with unit_of_work():
        desk.approve(officer(RESEARCH), draft.id, day, version=draft.version)
    assert rungs() == ["warn"]
    assert rungs() == ["warn"]


# --- what was decided -------------------------------------------------------------------------------------


def test_a_ruleset_that_would_fail_on_past_facts_is_not_published(quick: None) -> None:
    """A submission of a citizen must never be lost to two rules that both hold."""
    case = journeys.submitted("EC09")
    body = factory.ruleset("intake_routing")
    draft = drafted(body | ambiguous(body))
    with pytest.raises(desk.NotFit, match="1 次判斷"), unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "合併", TODAY, NOW, version=draft.version)
    with pytest.raises(desk.NotFit), unit_of_work():
        desk.submit(officer(ADMIN), draft.id, "合併", TODAY, NOW, version=draft.version)
    db.session.rollback()
    assert db.session.get_one(Case, case.id).status == "open"


def ambiguous(body: dict[str, Any]) -> dict[str, Any]:
    """Two rules that hold for every case, where only one may."""
    rule = {"label": "一律", "then": [{"action": "set_risk", "level": "low"}]}
    return {
        "hit_policy": "unique",
        "parameters": {},
        "tables": [],
        "examples": [],
        "rules": [
            {**rule, "key": "one", "when": {"fact": "service.code", "op": "exists"}},
            {**rule, "key": "two"},
        ],
    }
