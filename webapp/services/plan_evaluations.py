"""年終考核 of a register: opened after the year for each of its plans, and published together, frozen from then on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import Account, AuditEntry, Case, Plan, PlanGrade, Register, RegisterEntry, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.services import cases, clocks, evaluation, internal_cases, plan_grades, plan_years
from webapp.services.plan_control import require
from webapp.services.plan_grades import ITEMS, Assessment, Said
from webapp.services.plan_years import YearFigures

SERVICE = "KM08"
#: cases that one press of the button opens
AT_ONCE = 100
LIMITS: Mapping[str, Text] = {
    "self_evaluation": Text(zh="自評期限", en="last day of the self-evaluation"),
    "review": Text(zh="複評期限", en="last day of the review"),
}
MOST_TIME = timedelta(days=366)


def to_open(register: Register) -> list[RegisterEntry]:
    """Entries of the year that nobody has been asked about."""
    asked = set(db.session.scalars(select(PlanGrade.entry_id).where(PlanGrade.register_id == register.id)))
    return [entry for entry in plan_years.entries(register) if entry.id not in asked]


def start(
    actor: Actor, register: Register, now: datetime, given: Mapping[str, date] | None = None
) -> tuple[int, int]:
    """Asks the units, a hundred plans at once. Returns how many were asked and how many are left.

    `given`: days in place of those of the rules, which only a start after those days has.
    """
    require(actor)
    if taipei_day(now) <= plan_years.last_day_of(register):
        raise Refused(
            Text(
                zh=f"{register.roc_year} 年度還沒有終了，不能開始年終考核。",
                en=f"{plan_years.year_of(register)} is not over yet.",
            )
        )
    db.session.execute(select(Register.id).where(Register.id == register.id).with_for_update())
    waiting = to_open(register)
    if not waiting:
        raise Conflict(_nothing_left(register))
    until, now_asked = _until(register, given or {}, taipei_day(now)), waiting[:AT_ONCE]
    found = plan_years.figures(register, now_asked)
    for entry in now_asked:
        _open(actor, register, entry, found[entry.id], until, now)
    days = f"{until['self_evaluation'].isoformat()} {until['review'].isoformat()}"
    _audit(actor, "evaluation_started", register, f"{len(now_asked)}: {days}", now)
    db.session.flush()
    return len(now_asked), len(waiting) - len(now_asked)


def is_late(register: Register, today: date) -> bool:
    """Whether a day that the rules set is over, or is set by none: nobody is asked to be done in the past."""
    days = plan_grades.deadlines(register)
    return not LIMITS.keys() <= days.keys() or today > min(days.values())


def _until(register: Register, given: Mapping[str, date], today: date) -> Mapping[str, date]:
    """By the rules; where those days are over, as the plan-control office says."""
    if not is_late(register, today):
        return plan_grades.deadlines(register)
    for name, label in LIMITS.items():
        day = given.get(name)
        if day is None or not today < day <= today + MOST_TIME:
            raise Misfit(
                name,
                Text(
                    zh=f"規則訂的期限已過（或沒有訂），請訂今天之後一年內的{label.zh}。",
                    en="The day of the rules is over, or they have none: "
                    f"give the {label.in_('en')}, within a year from today.",
                ),
            )
    if given["review"] < given["self_evaluation"]:
        raise Misfit(
            "review",
            Text(zh="複評期限不能早於自評期限。", en="The review does not end before the self-evaluation."),
        )
    return given


def _nothing_left(register: Register) -> Text:
    """Names who was faster."""
    row = db.session.execute(
        select(Account.name, AuditEntry.at)
        .join(Account, Account.id == AuditEntry.actor_id)
        .where(AuditEntry.action == "evaluation_started", AuditEntry.subject == register.key)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return Text(zh="這個列管別沒有可以考核的計畫。", en="This register has no plan to evaluate.")
    day = taipei_day(row[1]).isoformat()
    return Text(
        zh=f"{row[0]} 已在 {day} 開始年終考核，沒有其他計畫要考核。",
        en=f"{row[0]} started the evaluation on {day}; no other plan is left.",
    )


def _open(
    actor: Actor,
    register: Register,
    entry: RegisterEntry,
    figures: YearFigures,
    until: Mapping[str, date],
    now: datetime,
) -> None:
    plan = db.session.get_one(Plan, entry.plan_id)
    review, own = until["review"], until["self_evaluation"]
    case = internal_cases.open_case(
        actor,
        SERVICE,
        {
            "plan": entry.title or plan.title,
            "register": register.name_zh,
            "case_no": entry.case_no or "",
            "year": f"{register.roc_year} 年度",
            **{item: plan_grades.words_of(figures, item).zh for item in ITEMS[:3]},
        },
        plan.lead_unit_id,
        _month_before(review),
        now,
        period=review.day,
    )
    # the unit is done before the office is: its task has a limit of its own
    (task,) = db.session.scalars(select(Task).where(Task.case_id == case.id).order_by(Task.id))
    start_on = _month_before(own)
    task.due_on = clocks.due_on("DATE", own.day, start_on, task.unit_id)
    db.session.add(clocks.started(case.id, "DATE", own.day, start_on, task.due_on, task_id=task.id))
    db.session.add(PlanGrade(entry_id=entry.id, register_id=register.id, case_id=case.id, opened_at=now))


def _month_before(day: date) -> date:
    """From where a clock that ends on a day of the next month counts."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


# --- published ----------------------------------------------------------------------------------------------


def seen(register: Register) -> int:
    """What a page was made of: grows with everything that is done to the grades of a register."""
    return db.session.execute(
        select(func.coalesce(func.sum(PlanGrade.version), 0)).where(PlanGrade.register_id == register.id)
    ).scalar_one()


def publish(actor: Actor, register: Register, now: datetime, *, version: int) -> tuple[int, list[str]]:
    """Publishes what was reviewed; frozen from then on. Returns how many, and the plans that must be reviewed again.

    What the rules or the figures of the year now say otherwise than at the review is not published.
    """
    require(actor)
    db.session.execute(select(Register.id).where(Register.id == register.id).with_for_update())
    # as whoever reviews again: the case before its grade
    reviewed = select(PlanGrade.case_id).where(
        PlanGrade.register_id == register.id, PlanGrade.state == "reviewed"
    )
    db.session.execute(select(Case.id).where(Case.id.in_(reviewed)).order_by(Case.id).with_for_update())
    if seen(register) != version:
        raise Conflict(_who_acted(register))
    rows = db.session.execute(
        select(PlanGrade, RegisterEntry)
        .join(RegisterEntry, RegisterEntry.id == PlanGrade.entry_id)
        .where(PlanGrade.register_id == register.id, PlanGrade.state == "reviewed")
        .order_by(PlanGrade.id)
    ).all()
    if not rows:
        raise Refused(Text(zh="沒有等候公布的考核。", en="No grade waits to be published."))
    figures = plan_years.figures(register, [entry for _row, entry in rows])
    done, stale = 0, []
    for row, entry in rows:
        made, decision = plan_grades.assess(register, figures[entry.id], Said.from_json(row.said))
        if not _same(made, plan_grades.as_kept(row)):
            stale.append(_title(entry))
            continue
        # the printed list says ever after what it says today
        row.result = {**(row.result or {}), **plan_grades.printed_as(entry)}
        row.ruleset_revision_id, row.state = made.revision, "published"
        row.published_by_id, row.published_at = actor.account_id, now
        db.session.flush()
        if row.case_id is not None:
            case = db.session.get_one(Case, row.case_id, with_for_update=True)
            cases.take_as_system(case, "publish", now)
            db.session.add(evaluation.firing(case.id, decision, made.revision, now))
        done += 1
    if done:
        _audit(actor, "evaluation_published", register, f"{done}", now)
    db.session.flush()
    return done, stale


def _same(now: Assessment, then: Assessment) -> bool:
    def says(of: Assessment) -> object:
        points = [(each.key, each.weight, each.points, each.left_out) for each in of.items]
        return points, of.total, of.grade

    return says(now) == says(then)


def _title(entry: RegisterEntry) -> str:
    return entry.title or db.session.get_one(Plan, entry.plan_id).title


def _who_acted(register: Register) -> Text:
    """Names whoever reviewed or published last."""
    last = db.session.execute(
        select(Account.name)
        .join(
            PlanGrade,
            Account.id == func.coalesce(PlanGrade.published_by_id, PlanGrade.reviewed_by_id),
        )
        .where(PlanGrade.register_id == register.id)
        .order_by(func.coalesce(PlanGrade.published_at, PlanGrade.reviewed_at).desc(), PlanGrade.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    who = last or "有人"
    return Text(
        zh=f"{who}剛剛處理過這個列管別的考核，請重新查看再公布。",
        en=f"{last or 'Somebody'} has just worked on these grades: look again before you publish.",
    )


def _audit(actor: Actor, action: str, register: Register, detail: str, now: datetime) -> None:
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=register.key, detail=detail)
    )
