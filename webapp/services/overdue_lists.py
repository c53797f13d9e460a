"""每月逾期未辦畢清單 (稽催 exp.monthly): made by the sweep on the first working day of a month, for heads and control.

Whoever was away then is late, not forgotten: the first sweep on a working day of the month makes it. It stays as made.
"""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from rules.values import Text
from webapp.extensions import db
from webapp.models import OverdueLine, OverdueList
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, staff_actor
from webapp.queries import expediting, overdue_lists
from webapp.queries.org import calendar, chart
from webapp.services import notices

#: the heads of units, and the office that controls time limits
HEARERS = frozenset({"section_head", "department_head", "research_office"})
_SUBJECT = Text(zh="{month}逾期未辦畢清單：{n} 件", en="Overdue cases, {month}: {n}")
_BODY = Text(
    zh="{month}的逾期未辦畢清單已製作，您可以看到 {n} 件{deputy}。請至「稽催」查看、下載並陳核。\n{url}",
    en="The list of overdue cases for {month} is made; you see {n}{deputy}. Look at it on the page Expediting.\n{url}",
)
_DEPUTY = Text(zh="（代理{names}）", en=" (as deputy of {names})")


def is_due(now: datetime) -> bool:
    today = taipei_day(now)
    made = select(OverdueList.id).where(OverdueList.month == today.replace(day=1))
    return calendar().is_working_day(today) and db.session.scalars(made).first() is None


def make(now: datetime) -> bool:
    """Whether this worker made it: of several at once one does."""
    month = taipei_day(now).replace(day=1)
    list_id = db.session.scalars(
        insert(OverdueList)
        .values(month=month, made_at=now)
        .on_conflict_do_nothing(index_elements=["month"])
        .returning(OverdueList.id)
    ).one_or_none()
    if list_id is None:
        return False
    units = {unit_id: place for place, unit_id in enumerate(chart().units)}
    found = sorted(expediting.every_overdue(SYSTEM, now), key=lambda line: units[line.unit_id])
    for line in found:
        content = overdue_lists.LINE.dump_python(line, mode="json")
        db.session.add(OverdueLine(list_id=list_id, case_id=line.case_id, content=content))
    db.session.flush()
    made = overdue_lists.Month(month, now, len(found))
    for reader, absent in _readers(now):
        _tell(reader, absent, made, now)
    return True


def _readers(now: datetime) -> list[tuple[Actor, list[str]]]:
    """Heads, the control office and who stands in for them; with whom, if they read it only as deputies."""
    tree, today = chart(), taipei_day(now)
    own = {seat.account_id for seat in tree.seats if seat.function in HEARERS and seat.held_on(today)}
    people = own.union(*(tree.deputies(person, today) for person in own))
    found = []
    for person in sorted(people):
        reader = staff_actor(person, tree.names[person], now)
        lent = {m.acting_for_id for m in reader.mandates if m.function in HEARERS} - {None}
        found.append((reader, [] if person in own else [tree.names[absent or 0] for absent in sorted(lent)]))
    return found


def _tell(reader: Actor, absent: list[str], month: overdue_lists.Month, now: datetime) -> None:
    seen = overdue_lists.month(reader, month.key) if month.count else month
    assert seen is not None, "it was made just now"
    said = {}
    for lang in ("zh", "en"):
        names = ("、" if lang == "zh" else ", ").join(absent)
        words = {
            "month": month.label.in_(lang),
            "n": seen.count,
            "deputy": _DEPUTY.in_(lang).format(names=names) if names else "",
            "url": f"{current_app.config['BASE_URL']}/staff/expediting/months/{month.key}",
        }
        said[lang] = (_SUBJECT.in_(lang).format(**words), _BODY.in_(lang).format(**words))
    notices.tell_staff(
        {reader.account_id or 0},
        f"overdue-list:{month.key}",
        Text(zh=said["zh"][0], en=said["en"][0]),
        Text(zh=said["zh"][1], en=said["en"][1]),
        now,
    )
