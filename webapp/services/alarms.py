"""What must not stay unseen: told to the plan-control office and the administrators, once a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from rules.decision import Trouble
from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, RuleAlarm
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries.org import UnitInfo, chart
from webapp.services import duties, notices
from workflows.functions import FUNCTION_LABELS

WATCHING = frozenset({"research_office", "administrator"})


def vacant(unit: UnitInfo, function: str, now: datetime) -> None:
    """A task was opened for a function that nobody holds: it waits in the pool of the unit."""
    today, label = taipei_day(now), FUNCTION_LABELS[function]
    notices.tell_staff(
        watchers(today) | duties.heads_of(unit.id, function, today),
        f"vacant:{unit.code}:{function}:{today}",
        Text(zh=f"{unit.zh}沒有人擔任{label.zh}", en=f"Nobody is {label.in_('en')} of {unit.en}"),
        Text(
            zh=f"{unit.zh}目前沒有人擔任「{label.zh}」，新的待辦留在單位待分派：請主管在「科內待分派」移轉給所屬科室或改分，並儘快指派人員。",
            en=f"{unit.en} has no {label.in_('en')}; new tasks wait in its pool. A head moves or reassigns them; "
            "please appoint somebody.",
        ),
        now,
    )


def nobody_may_act(case: Case, unit: UnitInfo, function: str, now: datetime) -> None:
    """Whoever holds the function must stay away from the case: a head above gives it to somebody else."""
    today, label = taipei_day(now), FUNCTION_LABELS[function]
    notices.tell_staff(
        watchers(today) | duties.heads_of(unit.id, function, today),
        f"nobody:{case.public_id}:{case.visit}:{function}",
        Text(
            zh=f"{case.number} 依迴避規定無人可以辦理",
            en=f"{case.number}: separation of duties leaves nobody to act",
        ),
        Text(
            zh=f"{unit.zh}的「{label.zh}」都已經手或與本案有關，不能再核。請以「改分」交給其他單位的{label.zh}。",
            en=f"Every {label.in_('en')} of {unit.en} has acted on this case before or has an interest in it. "
            "Give the task to a holder of the function in another unit (reassign).",
        ),
        now,
        case.id,
    )


def rules_in_trouble(trouble: Trouble, revision: int, facts: Mapping[str, Any], now: datetime) -> None:
    """An engine that is not to be trusted, or a ruleset that cannot decide. Kept once for equal facts of a day."""
    today = taipei_day(now)
    kept = db.session.scalar(
        insert(RuleAlarm)
        .values(
            ruleset_revision_id=revision,
            kind=trouble.kind,
            as_of=today,
            at=now,
            text=trouble.text.model_dump(),
            facts=dict(facts),
            facts_digest=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest(),
            engine_said=trouble.engine_said,
            reference_said=trouble.reference_said,
        )
        .on_conflict_do_nothing()
        .returning(RuleAlarm.id)
    )
    if kept is None:
        return
    key, number = definitions.name_of(revision)
    notices.tell_staff(
        watchers(today),
        f"rules:{revision}:{trouble.kind}:{today}",
        Text(
            zh=f"規則集 {key} 第 {number} 版發生問題", en=f"Trouble with the ruleset {key}, version {number}"
        ),
        Text(
            zh=f"{trouble.text.zh}。案件已照常收件與辦理，沒有採用無法判斷的結果。請到「規則警示」查看內容，並修正或回復規則。",
            en=f"{trouble.text.in_('en')}. Cases were taken in and worked on as usual, without results that could not "
            "be decided. See the page of rule alarms, and mend the rules or roll them back.",
        ),
        now,
    )


def watchers(today: date) -> set[int]:
    """Who keeps the whole counter in sight, and edits its definitions."""
    return {seat.account_id for seat in chart().seats if seat.function in WATCHING and seat.held_on(today)}
