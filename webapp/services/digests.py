"""What officers and heads are told of time limits: one digest a person, day and channel, with links.

A rule may ask for a message at once (`delivery: at_once`); what was told so is not told again by the digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import exists, func, select, update

from rules.values import Text, format_day
from webapp.extensions import db
from webapp.models import Account, Case, Clock, Escalation, EscalationNotice, Firing, Task
from webapp.moments import taipei_day
from webapp.permissions import staff_actor
from webapp.queries import definitions, holding, payouts
from webapp.queries.org import calendar, chart
from webapp.queries.standing import RUNNING, Standing
from webapp.rows import among
from webapp.services import notices

SUBJECTS: Mapping[str, Text] = {
    "warn": Text(zh="案件即將到期", en="A case is nearly due"),
    "due": Text(zh="案件今天要辦完", en="A case must be finished today"),
    "overdue": Text(zh="案件逾期稽催", en="A case is overdue"),
    "review": Text(zh="案件逾期調卷分析", en="An overdue case needs analysis"),
}
#: the digest begins with what presses most
HEADINGS: Mapping[str, Text] = {
    "review": Text(zh="逾期調卷分析（{n} 件）", en="Overdue, the file is to be reviewed ({n})"),
    "overdue": Text(zh="逾期稽催（{n} 件）", en="Overdue ({n})"),
    "due": Text(zh="今天要辦完（{n} 件）", en="To be finished today ({n})"),
    "warn": Text(zh="即將到期（{n} 件）", en="Nearly due ({n})"),
}
_SUBJECT = Text(zh="{what}：{number} {service}", en="{what}: {number} {service}")
_BODY = Text(zh="{left}（{due}）。{deputy}\n{url}", en="{left} ({due}).{deputy}\n{url}")
_DIGEST = Text(zh="{day} 案件稽催彙整：{n} 件", en="Time limits on {day}: {n} cases")
_LINE = Text(
    zh="・{number} {service}：{left}（{due}）{deputy}\n　{url}",
    en="- {number} {service}: {left} ({due}){deputy}\n  {url}",
)
_DEPUTY = Text(zh="〔代理{name}〕", en=" [as deputy of {name}]")
_LONGEST = Text(
    zh="　停留最久：{unit}「{step}」{n} 個工作天", en="  Longest at {unit}, “{step}”: {n} working days"
)
_MORE = Text(zh="　另有 {n} 件，請至系統查看。", en="  and {n} more in the system.")
_STANDING = Text(zh="先前已通知、目前仍逾期未辦結：{n} 件。", en="Told before and still overdue: {n}.")
_LISTS = Text(zh="待您核定的撥款清冊：{n} 份。", en="Payment lists that wait for your approval: {n}.")
_INBOX = Text(zh="待辦清單：{url}", en="Your list: {url}")
#: lines of one kind in one message
MOST_LINES = 50


@dataclass(frozen=True)
class _Item:
    """What one person hears of one clock: the highest rung that was reached."""

    clock_id: int
    case_id: int
    public_id: str
    number: str
    service_revision_id: int
    unit_id: int
    due_on: date
    kind: str
    #: the absent colleague in whose place the person hears of it
    acting_for_id: int | None


def at_once(
    clock: Standing,
    params: Mapping[str, Any],
    days_left: int,
    people: Mapping[int, int | None],
    now: datetime,
) -> None:
    """A message of its own for each of these people, because the rule says so; with whom they stand in for."""
    for account in db.session.scalars(select(Account).where(Account.id.in_(people))):
        lang = account.language
        service = definitions.service(clock.service_revision_id).title.in_(lang)
        what = SUBJECTS[params["kind"]].in_(lang)
        _post(
            f"escalation:{clock.clock_id}:{clock.period_number}:{params['rung']}:{account.id}",
            account,
            _SUBJECT.in_(lang).format(what=what, number=clock.number, service=service),
            _BODY.in_(lang).format(
                left=left(days_left).in_(lang),
                due=format_day(clock.due_on, lang),
                deputy=_as_deputy(people[account.id], lang),
                url=_case_url(clock.public_id),
            ),
            now,
            case_id=clock.case_id,
        )


def to_tell(now: datetime) -> list[int]:
    """Accounts with something untold that have had no digest today. On a day off nobody is pressed."""
    today = taipei_day(now)
    if not calendar().is_working_day(today):
        return []
    told = EscalationNotice.__table__.alias("told")
    return list(
        db.session.scalars(
            select(EscalationNotice.account_id)
            .where(EscalationNotice.told_on.is_(None))
            .group_by(EscalationNotice.account_id)
            .having(
                ~exists().where(
                    told.c.account_id == EscalationNotice.account_id,
                    told.c.told_on == today,
                    told.c.digest,
                )
            )
            .order_by(EscalationNotice.account_id)
        )
    )


def tell(account_id: int, now: datetime) -> bool:
    """The digest of one person. What has been settled meanwhile is not told any more."""
    today = taipei_day(now)
    account = db.session.get_one(Account, account_id)
    untold = select(EscalationNotice.id).where(
        EscalationNotice.account_id == account_id, EscalationNotice.told_on.is_(None)
    )
    taken = db.session.scalars(untold.with_for_update(skip_locked=True)).all()
    items = _items(taken)
    still = _still_overdue(account_id, [item.clock_id for item in items], today) if items else 0
    if taken:
        db.session.execute(
            update(EscalationNotice)
            .where(among(EscalationNotice.id, taken))
            .values(told_on=today, digest=bool(items))
            .execution_options(synchronize_session=False)
        )
    if not items:
        return False
    subject, body = _compose(account_id, items, still, account.language, now)
    _post(f"digest:{account_id}:{today}", account, subject, body, now)
    return True


def _items(notice_ids: Sequence[int]) -> list[_Item]:
    """By clock the last rung of those that still stand: after days without a worker people hear once."""
    rows = db.session.execute(
        select(
            Clock.id,
            Case.id,
            Case.public_id,
            func.coalesce(Case.number, ""),
            Case.service_revision_id,
            func.coalesce(Task.unit_id, Case.handling_unit_id),
            Clock.due_on,
            EscalationNotice.acting_for_id,
            Escalation.rung,
            Firing.outcomes,
        )
        .select_from(EscalationNotice)
        .join(Escalation, Escalation.id == EscalationNotice.escalation_id)
        .join(Firing, Firing.id == Escalation.firing_id)
        .join(Clock, Clock.id == Escalation.clock_id)
        .join(Case, Case.id == Clock.case_id)
        .outerjoin(Task, Task.id == Clock.task_id)
        .where(
            among(EscalationNotice.id, notice_ids),
            RUNNING,
            Clock.period_number == Escalation.period_number,
            Case.status == "open",
        )
        .order_by(Clock.due_on, Clock.id, Escalation.id)
    )
    found: dict[int, _Item] = {}
    for *columns, absent, rung, outcomes in rows:
        kind = next(o["params"]["kind"] for o in outcomes if o["params"].get("rung") == rung)
        item = _Item(*columns, kind, absent)
        found[item.clock_id] = item
    return list(found.values())


def _still_overdue(account_id: int, besides: Sequence[int], today: date) -> int:
    """Other clocks of which this person heard before and that are late still."""
    return db.session.scalars(
        select(func.count(Clock.id.distinct()))
        .select_from(EscalationNotice)
        .join(Escalation, Escalation.id == EscalationNotice.escalation_id)
        .join(Clock, Clock.id == Escalation.clock_id)
        .where(
            EscalationNotice.account_id == account_id,
            EscalationNotice.told_on < today,
            Clock.period_number == Escalation.period_number,
            Clock.due_on < today,
            ~among(Clock.id, besides),
            RUNNING,
        )
    ).one()


def _compose(
    account_id: int, items: Sequence[_Item], still: int, lang: str, now: datetime
) -> tuple[str, str]:
    today = taipei_day(now)
    by_kind: dict[str, list[_Item]] = defaultdict(list)
    for item in items:
        by_kind[item.kind].append(item)
    longest = holding.longest([item.case_id for item in by_kind["review"][:MOST_LINES]], now)
    lines = []
    for kind, heading in HEADINGS.items():
        if not by_kind[kind]:
            continue
        lines.append(heading.in_(lang).format(n=len(by_kind[kind])))
        for item in by_kind[kind][:MOST_LINES]:
            days = calendar(item.unit_id).working_days_between(today, item.due_on)
            lines.append(
                _LINE.in_(lang).format(
                    number=item.number,
                    service=definitions.service(item.service_revision_id).title.in_(lang),
                    left=left(days).in_(lang),
                    due=format_day(item.due_on, lang),
                    deputy=_as_deputy(item.acting_for_id, lang),
                    url=_case_url(item.public_id),
                )
            )
            held = longest.get(item.case_id) if kind == "review" else None
            if held is not None:
                words = {"unit": held.unit.in_(lang), "step": held.step.in_(lang), "n": held.days}
                lines.append(_LONGEST.in_(lang).format(**words))
        if len(by_kind[kind]) > MOST_LINES:
            lines.append(_MORE.in_(lang).format(n=len(by_kind[kind]) - MOST_LINES))
        lines.append("")
    if still:
        lines.append(_STANDING.in_(lang).format(n=still))
    if waiting := payouts.to_approve(staff_actor(account_id, "", now)):
        lines.append(_LISTS.in_(lang).format(n=waiting))
    lines.append(_INBOX.in_(lang).format(url=f"{current_app.config['BASE_URL']}/staff/inbox"))
    return _DIGEST.in_(lang).format(day=format_day(today, lang), n=len(items)), "\n".join(lines)


def _post(
    key: str, account: Account, subject: str, body: str, now: datetime, *, case_id: int | None = None
) -> None:
    """In the system, and by e-mail where there is an address."""
    channels = [
        ("inbox", account.email or account.name),
        *([("email", account.email)] if account.email else []),
    ]
    for channel, recipient in channels:
        notices.post(
            f"{key}:{channel}", channel, recipient, subject, body, now, case_id=case_id, account_id=account.id
        )


def _as_deputy(absent: int | None, lang: str) -> str:
    return _DEPUTY.in_(lang).format(name=chart().names[absent]) if absent is not None else ""


def _case_url(public_id: str) -> str:
    return f"{current_app.config['BASE_URL']}/staff/cases/{public_id}"


def left(days_left: int) -> Text:
    n = abs(days_left)
    days = f"{n} working day{'' if n == 1 else 's'}"
    if days_left > 0:
        return Text(zh=f"距離期限還有 {n} 個工作天", en=f"{days} left")
    if days_left == 0:
        return Text(zh="今天要辦完", en="To be finished today")
    return Text(zh=f"已逾期 {n} 個工作天", en=f"{days} late")
