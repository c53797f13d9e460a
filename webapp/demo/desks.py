"""What the units of the demonstration county work with: committees, and rooms and lorries with times to book."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from webapp.demo.people import county, notables
from webapp.extensions import db
from webapp.models import Committee, CommitteeMember, Resource, Slot
from webapp.moments import TAIPEI, taipei_day
from webapp.queries.org import calendar

IN_OFFICE_SINCE = date(2019, 1, 1)
BOOKABLE_FOR = timedelta(weeks=3)


def load(units: Mapping[str, int], accounts: Mapping[str, int], now: datetime) -> None:
    """`units` by code, `accounts` by login."""
    data = county()
    committees = [
        Committee(
            unit_id=units[row["unit"]],
            name_zh=row["zh"],
            name_en=row["en"],
            service_codes=row["services"],
            mode=row.get("mode", "vote"),
            quorum="three" if row.get("mode") == "consent" else "majority",
        )
        for row in data["committees"]
    ]
    rooms = [
        Resource(
            unit_id=units[row["unit"]],
            name_zh=row["zh"],
            name_en=row["en"],
            capacity=row["seats"],
            service_codes=row["services"],
        )
        for row in data["rooms"]
    ]
    db.session.add_all([*committees, *rooms])
    db.session.flush()
    heads = [accounts[f"department_head.{unit.lower()}"] for unit in data["members"]]
    for row, committee in zip(data["committees"], committees, strict=True):
        db.session.add_all(_members(committee.id, heads, is_outside=row.get("outside", False)))
    days = _working_days(taipei_day(now))
    for row, room in zip(data["rooms"], rooms, strict=True):
        db.session.add_all(
            Slot(
                resource_id=room.id,
                starts_at=starts,
                ends_at=starts + timedelta(minutes=row["minutes"]),
                capacity=row["seats"],
            )
            for day in days
            if day.isoweekday() in row["weekdays"]
            for starts in (datetime.combine(day, time.fromisoformat(text), TAIPEI) for text in row["times"])
        )


def _members(committee_id: int, heads: list[int], *, is_outside: bool) -> Iterator[CommitteeMember]:
    if is_outside:
        for name in notables():
            yield CommitteeMember(
                committee_id=committee_id, name=name, organisation="地方公正人士", starts_on=IN_OFFICE_SINCE
            )
    else:
        for account in heads:
            yield CommitteeMember(committee_id=committee_id, account_id=account, starts_on=IN_OFFICE_SINCE)


def _working_days(today: date) -> list[date]:
    working = calendar()
    days = (today + timedelta(days=number) for number in range(1, BOOKABLE_FOR.days + 1))
    return [day for day in days if working.is_working_day(day)]
