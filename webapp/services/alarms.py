"""What must not stay unseen: told to the plan-control office and the administrators, once a day."""

from __future__ import annotations

from datetime import date, datetime

from rules.values import Text
from webapp.models import Case
from webapp.moments import taipei_day
from webapp.queries.org import UnitInfo, chart
from webapp.services import duties, notices
from workflows.functions import FUNCTION_LABELS

WATCHING = frozenset({"research_office", "administrator"})


def vacant(unit: UnitInfo, function: str, now: datetime) -> None:
    """A task was opened for a function that nobody holds: it waits in the pool of the unit."""
    today, label = taipei_day(now), FUNCTION_LABELS[function]
    notices.tell_staff(
        watchers(today),
        f"vacant:{unit.code}:{function}:{today}",
        Text(zh=f"{unit.zh}沒有人擔任{label.zh}", en=f"Nobody is {label.in_('en')} of {unit.en}"),
        Text(
            zh=f"{unit.zh}目前沒有人擔任「{label.zh}」，新的待辦留在單位待分派，請儘快指派人員。",
            en=f"{unit.en} has no {label.in_('en')}; new tasks wait in its pool. Please appoint somebody.",
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


def watchers(today: date) -> set[int]:
    """Who keeps the whole counter in sight, and edits its definitions."""
    return {seat.account_id for seat in chart().seats if seat.function in WATCHING and seat.held_on(today)}
