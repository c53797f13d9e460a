"""併案與移轉管轄: a case that is dealt with in another one, in another unit, or by another agency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.attributes import flag_modified

from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import Case, Clock, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import definitions, merging, submissions, tracking
from webapp.queries.org import UnitInfo, chart
from webapp.services import (
    alarms,
    clocks,
    corrections,
    duties,
    evaluation,
    events,
    extension_requests,
    fees,
    notices,
    parties,
    routing,
    steps,
)
from webapp.services.steps import Context

#: the pattern of petitions and reports
PETITION = "P10"
#: answers of these types say where; the applicant's own address says nothing about the matter
PLACES = frozenset({"land_parcel", "position", "route", "address"})


def merge(
    actor: Actor, ctx: Context, number: str, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """併案: the case ends in another open one of the same service; its papers stay with it.

    Everybody's application is due a decision of its own (行政程序法 51, 96); several petitions about one place are
    answered together, and each petitioner gets the answer (`decisions.issue`).
    """
    case, leading = ctx.case, _leading(actor, ctx, number)
    of_one_person = parties.same_applicant(case, leading)
    if not of_one_person and not (ctx.workflow.code == PETITION and _same_place(ctx, leading)):
        raise Refused(
            Text(
                zh="併案限同一申請人的案件；不同人的陳情，限同一地點的才能併案。",
                en="Only cases of the same applicant can be merged, and petitions of several people about one place.",
            )
        )
    _close(actor, ctx, "merged", now, into=leading.id)
    _record(
        actor,
        case,
        "merged",
        reason,
        Text(zh=f"併入 {leading.number}", en=f"Into {leading.number}"),
        now,
        acting_for_id,
    )
    flag_modified(leading, "state")
    _record(
        actor,
        leading,
        "merged_in",
        reason,
        Text(zh=f"{case.number} 併入本案", en=f"{case.number} was merged into this one"),
        now,
        acting_for_id,
    )
    notices.notify(case, "merged", now, comment=leading.number or "")


def move(
    actor: Actor, ctx: Context, unit_code: str, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """移轉管轄 between units of the county, which is one agency: another unit handles the case, the clock goes on."""
    case = ctx.case
    unit = chart().by_code.get(unit_code)
    if unit is None or unit.id not in units(case, now):
        raise Refused(
            Text(
                zh="這個單位現在沒有承辦人，請另選。",
                en="This unit has no officer now; choose another.",
            )
        )
    hand_to(actor, ctx, unit, reason, now, acting_for_id)
    notices.notify(case, "moved", now, comment=unit.name(case.language), occasion=str(case.version))


def hand_to(
    actor: Actor, ctx: Context, unit: UnitInfo, reason: str, now: datetime, acting_for_id: int | None = None
) -> None:
    """The case and what its unit has open of it go to another unit; the history says from where."""
    case, tree, today = ctx.case, chart(), taipei_day(now)
    before = tree.units[case.handling_unit_id]
    case.handling_unit_id = unit.id
    for task in steps.tasks_of_visit(case):
        if task.state != "open" or not _is_of_handling_unit(ctx, task):
            continue
        task.unit_id, seats = tree.holders(unit.id, task.function, today)
        people = {seat.account_id for seat in seats} - duties.party_of(case)
        task.assignee_id, task.claimed_at = (people.pop() if len(people) == 1 else None), None
        if not seats:
            alarms.vacant(unit, task.function, now)
    db.session.flush()
    clock = clocks.of_case(case.id)
    if clock.state != "stopped":
        clocks.recompute(actor, clock, case, now, "移轉管轄")
    note = Text(zh=f"由{before.zh}移轉{unit.zh}辦理", en=f"From {before.en} to {unit.en}")
    _record(actor, case, "moved", reason, note, now, acting_for_id)


def transfer_out(
    actor: Actor, ctx: Context, agency: str, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """移送 to an agency outside of the county (行政程序法 17): the case ends here, the applicants are told where it goes."""
    _close(actor, ctx, "transferred", now)
    note = Text(zh=f"移送{agency}", en=f"To {agency}")
    _record(actor, ctx.case, "transferred", reason, note, now, acting_for_id)
    for case in (ctx.case, *merging.merged_into(ctx.case.id)):
        notices.notify(case, "transferred", now, comment=agency)


def _is_of_handling_unit(ctx: Context, task: Task) -> bool:
    """What the township, the owner or a unit by its code does stays there."""
    name = next(
        (each.unit for each in ctx.workflow.state(ctx.case.state).tasks if each.key == task.key), None
    )
    if name == "county":
        return not routing.has_county(ctx.service)
    if name != "township":
        return name == "handling" and not task.branch
    township = evaluation.township_of(ctx.service, ctx.form, submissions.application(ctx.case.id).all_answers)
    return township not in chart().by_code


def units(case: Case, now: datetime) -> list[int]:
    """Where another officer works."""
    today = taipei_day(now)
    found = {s.unit_id for s in chart().seats if s.function == "officer" and s.held_on(today)}
    return sorted(found - {case.handling_unit_id})


def _leading(actor: Actor, ctx: Context, number: str) -> Case:
    wanted = select(Case).where(Case.number == tracking.case_number(number), visible_to(actor))
    try:
        # two cases that are merged into each other at one moment must not wait for one another
        leading = db.session.scalars(
            wanted.with_for_update(key_share=True, nowait=True).execution_options(populate_existing=True)
        ).one_or_none()
    except OperationalError:
        raise Conflict(
            Text(
                zh="主案正由別人處理中，請稍後再試。",
                en="Somebody is acting on the leading case right now; try again in a moment.",
            )
        ) from None
    if leading is None or leading.id == ctx.case.id:
        raise Refused(
            Text(zh="找不到這個主案，請檢查案號。", en="There is no such leading case; check its number.")
        )
    if leading.status != "open" or leading.service_code != ctx.case.service_code:
        raise Refused(
            Text(
                zh="主案必須是同一個申辦項目、還在辦理中的案件。",
                en="The leading case must be an open case of the same service.",
            )
        )
    return leading


def _same_place(ctx: Context, leading: Case) -> bool:
    mine = submissions.application(ctx.case.id).all_answers
    theirs = submissions.application(leading.id).all_answers
    asked = definitions.form(leading.form_revision_id)
    return any(
        field.type in PLACES
        and field.key != "address"
        and field.key in asked
        and mine.get(field.key)
        and mine[field.key] == theirs.get(field.key)
        for field in ctx.form.fields
    )


def _close(actor: Actor, ctx: Context, outcome: str, now: datetime, into: int | None = None) -> None:
    """Ends a case where it stands: nobody has a task in it any more, nothing runs."""
    case, today = ctx.case, taipei_day(now)
    request = tracking.open_request(case.id)
    if request is not None:
        corrections.close(request, "withdrawn", now)
    for task in db.session.scalars(select(Task).where(Task.case_id == case.id, Task.state == "open")):
        task.state = "cancelled"
    clocks.end(actor, case, now)
    extension_requests.lapse_of(case, now)
    for clock in db.session.scalars(select(Clock).where(Clock.case_id == case.id)):
        clocks.stop(clock, today)
    fees.fix(ctx.service, case, {})
    case.status, case.outcome, case.closed_at, case.merged_into_id = "closed", outcome, now, into
    db.session.flush()
    steps.let_go(actor, case, now)


def _record(
    actor: Actor, case: Case, kind: str, reason: str, note: Text, now: datetime, acting_for_id: int | None
) -> None:
    events.record(
        actor,
        case,
        kind,
        now,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"comment": reason, "note": {"zh": note.zh, "en": note.in_("en")}},
    )
