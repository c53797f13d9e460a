"""The actions on a case that no workflow repeats: who may take which now, and taking one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from rules.values import Text
from webapp.errors import Forbidden
from webapp.extensions import db
from webapp.models import Case, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import chart
from webapp.services import cases, co_review, competence, duties, expected, steps, tasks
from webapp.services.steps import Context
from workflows.functions import FUNCTION_LABELS
from workflows.model import Transition

Input = Literal["desk", "unit", "days", "question", "number", "agency", "until", "reason"]


@dataclass(frozen=True)
class Asked:
    """What an actor hands in with a case action, by the names of the inputs."""

    desk: str = ""
    #: a unit code
    unit: str = ""
    days: str = ""
    question: str = ""
    #: of the leading case
    number: str = ""
    agency: str = ""
    until: date | None = None
    reason: str = ""


@dataclass(frozen=True)
class Offer:
    name: str
    task: Task | None
    #: whom the actor stands in for
    acting_for_id: int | None


@dataclass(frozen=True)
class CaseAction:
    label: Text
    hint: Text
    #: every one must be filled in
    asks: tuple[Input, ...]
    take: Callable[[Actor, Context, Offer, Asked, datetime], None]
    #: the applicant reads the reason
    tells: bool = False


def offers(actor: Actor, ctx: Context, now: datetime) -> list[Offer]:
    """The pages show exactly these."""
    case, day = ctx.case, taipei_day(now)
    if case.status == "closed" or not actor.is_staff:
        return []
    found = []
    mine = _officer(actor, case, now)
    for task in open_tasks(case):
        head, place = duties.head_over(actor, task.unit_id, task.function), cases.mandate(actor, task, day)
        if head is not None:
            found.append(Offer("reassign", task, head.acting_for_id))
        elif place is not None:
            found.append(Offer("ask_head", task, place[0]))
        by = head.acting_for_id if head is not None else mine[0] if mine else None
        if (head or mine) and task.assignee_id != actor.account_id:
            found.append(Offer("remind", task, by))
    over_case = duties.head_over(actor, case.handling_unit_id)
    if (mine is not None or over_case is not None) and expected.is_late(case, now):
        found.append(
            Offer("promise", None, mine[0] if mine else over_case.acting_for_id if over_case else None)
        )
    if over_case is not None:
        found += [Offer("waive_opinion", task, over_case.acting_for_id) for task in co_review.open_of(case)]
        found += [Offer(name, None, over_case.acting_for_id) for name in ("move", "transfer_out")]
    if mine is not None:
        found += [Offer("ask_opinion", None, mine[0]), Offer("merge", None, mine[0])]
    parties = duties.party_of(case)
    return [offer for offer in found if parties.isdisjoint(cases.people_of(actor, offer.acting_for_id))]


def take(
    actor: Actor, case: Case, name: str, task_id: str, asked: Asked, now: datetime, *, version: int
) -> None:
    """Raises Conflict if somebody acted since the page was made, Forbidden if the action is not the actor's."""
    cases.hold(case, version)
    ctx = steps.context(case)
    offer = find(offers(actor, ctx, now), name, task_id)
    if offer is None:
        raise Forbidden(
            Text(
                zh="這個動作現在不能執行，或不是由您辦理。",
                en="This action is not possible now, or it is not yours.",
            )
        )
    # pages that were made before are out of date, whether or not the case's own row says anything new
    flag_modified(case, "state")
    ACTIONS[name].take(actor, ctx, offer, asked, now)
    db.session.flush()


def find(offered: list[Offer], name: str, task_id: str) -> Offer | None:
    return next(
        (o for o in offered if o.name == name and (o.task.public_id if o.task else "") == task_id), None
    )


def halted(ctx: Context, now: datetime) -> list[Text]:
    """Why nobody may go on with the case, and who may put that right."""
    case, day, tree = ctx.case, taipei_day(now), chart()
    waits = co_review.waiting(case)
    found = [waits] if waits is not None else []
    if case.status == "closed" or case.state not in duties.approval_states(ctx.workflow):
        return found
    separation = duties.of(ctx)
    for task in steps.tasks_of_visit(case):
        if task.state != "open" or not duties.nobody_left(
            separation, task.unit_id, task.function, case.state, day
        ):
            continue
        label, unit = FUNCTION_LABELS[task.function], tree.units[task.unit_id]
        above, below = duties.who_may_pass_on(separation, task, case.state, day)
        heads = [tree.names[p] for p in above]
        others = [tree.names[p] for p in below[:5]]
        found.append(
            Text(
                zh=f"{unit.zh}的{label.zh}都已經手本案或與本案有關，依法應迴避，現在沒有人可以核。"
                f"請{'、'.join(heads) or '系統管理者'}改分給其他單位的{label.zh}"
                + (f"，例如{'、'.join(others)}。" if others else "。"),
                en=f"Every {label.in_('en')} of {unit.en} has acted on this case or has an interest in it, "
                f"so nobody may act now. {', '.join(heads) or 'An administrator'} can reassign the task to another unit"
                + (f", for example to {', '.join(others)}." if others else "."),
            )
        )
    return found


@dataclass(frozen=True)
class Withheld:
    """An action on the actor's own desk that separation of duties keeps from them."""

    action: Text
    why: Text


def withheld(actor: Actor, ctx: Context, now: datetime, name: str = "") -> list[Withheld]:
    """Every one, or those of a name, so that the page does not just leave them out."""
    case, separation = ctx.case, duties.of(ctx)
    if case.status == "closed" or not actor.is_staff:
        return []
    found = []
    for task in open_tasks(case):
        place = cases.mandate(actor, task, taipei_day(now))
        if place is None:
            continue
        people = cases.people_of(actor, place[0])
        taken = case.state if task.visit == case.visit else ""
        for transition in _of_task(ctx, taken, task):
            why = separation.refusal(people, transition)
            if why is not None and name in ("", transition.name):
                found.append(Withheld(transition.label, why))
    return found


def _of_task(ctx: Context, state: str, task: Task) -> list[Transition]:
    if not state:
        return [co_review.ANSWER]
    return [
        each
        for each in ctx.workflow.state(state).transitions.values()
        if each.by == "task" and each.task == task.key and task.function in each.functions
    ]


def open_tasks(case: Case) -> list[Task]:
    """Of whatever visit, as they stand now."""
    wanted = select(Task).where(Task.case_id == case.id, Task.state == "open").order_by(Task.id)
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def _officer(actor: Actor, case: Case, now: datetime) -> tuple[int | None] | None:
    """(whom the actor stands in for,) if the actor is the officer of the case: holds its newest officer's task."""
    newest = db.session.scalars(
        select(Task)
        .where(Task.case_id == case.id, Task.function == "officer")
        .order_by(Task.id.desc())
        .limit(1)
    ).first()
    return cases.mandate(actor, newest, taipei_day(now)) if newest is not None else None


def _task(offer: Offer) -> Task:
    assert offer.task is not None, "offered on a task"
    return offer.task


ACTIONS: Mapping[str, CaseAction] = {
    "reassign": CaseAction(
        Text(zh="改分", en="Reassign"),
        Text(
            zh="原承辦人與新承辦人都會收到通知；期限照舊計算。",
            en="Both officers are told. The time limit goes on.",
        ),
        ("desk", "reason"),
        lambda actor, ctx, offer, asked, now: tasks.reassign(
            actor, ctx, _task(offer), asked.desk, asked.reason, now, offer.acting_for_id
        ),
    ),
    "ask_head": CaseAction(
        Text(zh="請主管改分或移轉", en="Ask the head to reassign"),
        Text(
            zh="主管會收到您寫的理由；在主管處理以前，這件待辦仍由您承辦。",
            en="Your head reads your reason. The task stays yours until they act.",
        ),
        ("reason",),
        lambda actor, ctx, offer, asked, now: tasks.ask_head(
            actor, ctx, _task(offer), asked.reason, now, offer.acting_for_id
        ),
    ),
    "ask_opinion": CaseAction(
        Text(zh="加會其他單位", en="Ask another unit"),
        Text(
            zh="案件留在目前的關卡，受會單位有自己的期限；決行前須等到意見，或由主管敘明理由免待。",
            en="The case stays where it is and the unit has its own time limit. The decision waits for the opinion, "
            "unless the head waives it with a reason.",
        ),
        ("unit", "question", "days"),
        lambda actor, ctx, offer, asked, now: co_review.ask(
            actor, ctx, asked.unit, asked.question, asked.days, now, offer.acting_for_id
        ),
    ),
    "merge": CaseAction(
        Text(zh="併案", en="Merge into another case"),
        Text(
            zh="本案結案，併入同一申請人（陳情案則為同一地點）的另一件辦理；申請人會收到主案案號與之後的決定，本案文件保留。",
            en="This case closes and is dealt with in another one of the same applicant (petitions: or place). "
            "The applicant is told its number and later the decision; the papers stay here.",
        ),
        ("number", "reason"),
        lambda actor, ctx, offer, asked, now: competence.merge(
            actor, ctx, asked.number, asked.reason, now, offer.acting_for_id
        ),
    ),
    "move": CaseAction(
        Text(zh="移轉其他單位", en="Hand to another unit"),
        Text(
            zh="本府其他單位有管轄權時使用：待辦移到新單位，期限繼續計算，申請人會收到通知。",
            en="For a matter of another unit of the county: the tasks move, the time limit goes on, "
            "the applicant is told.",
        ),
        ("unit", "reason"),
        lambda actor, ctx, offer, asked, now: competence.move(
            actor, ctx, asked.unit, asked.reason, now, offer.acting_for_id
        ),
    ),
    "transfer_out": CaseAction(
        Text(zh="移送其他機關", en="Transfer to another agency"),
        Text(
            zh="不屬本府管轄時使用：本案結案，申請人會收到移送機關的名稱。",
            en="For a matter that is not the county's: the case closes and the applicant is told where it went.",
        ),
        ("agency", "reason"),
        lambda actor, ctx, offer, asked, now: competence.transfer_out(
            actor, ctx, asked.agency, asked.reason, now, offer.acting_for_id
        ),
    ),
    "promise": CaseAction(
        Text(zh="告知新的預計完成日", en="Tell a new expected date"),
        Text(
            zh="案件已逾期時使用：申請人會收到原因與您訂的日期；法定期限不變，案件仍列為逾期。",
            en="For a case that is late: the applicant reads the reason and the day that you set. The legal limit "
            "stays, and the case remains late.",
        ),
        ("until", "reason"),
        lambda actor, ctx, offer, asked, now: expected.tell(
            actor, ctx, asked.until, asked.reason, now, offer.acting_for_id
        ),
        tells=True,
    ),
    "waive_opinion": CaseAction(
        Text(zh="會辦意見免待", en="Waive the opinion"),
        Text(
            zh="這個單位的待辦會取消，案件可以不等意見就決行。",
            en="The unit's task is cancelled and the case can be decided without its opinion.",
        ),
        ("reason",),
        lambda actor, ctx, offer, asked, now: co_review.waive(
            actor, ctx, _task(offer), asked.reason, now, offer.acting_for_id
        ),
    ),
    "remind": CaseAction(
        Text(zh="催辦", en="Remind"),
        Text(
            zh="承辦的人（請假時連同代理人）會收到通知。每件待辦一天一次。",
            en="Whoever holds the task, and their deputy, is told. Once a day for each task.",
        ),
        ("reason",),
        lambda actor, ctx, offer, asked, now: tasks.remind(
            actor, ctx, _task(offer), asked.reason, now, offer.acting_for_id
        ),
    ),
}
