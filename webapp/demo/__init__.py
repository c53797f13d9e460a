"""The demonstration county: units, people, committees, rooms, plans, performance tables. Loaded once into an empty org
chart, never overwritten."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from webapp import crypto
from webapp.demo import desks, people, performance, plan_control, reviews, year_end
from webapp.demo.people import county
from webapp.extensions import db
from webapp.models import Account, Holder, Position, Unit
from webapp.queries.generations import bump

DOMAIN = "ecounter.example"
IN_OFFICE_SINCE = date(2019, 1, 1)


def login(name: str) -> str:
    return f"{name}@{DOMAIN}"


def password(secret: str) -> str:
    """One for all demonstration accounts of an installation, different in every installation."""
    digest = hmac.new(secret.encode(), b"demonstration", hashlib.sha256).hexdigest()
    return "-".join((digest[:4], digest[4:8], digest[8:12]))


def logins(secret: str) -> list[tuple[str, str, str]]:
    """Somebody for every function."""
    return [(person["role"], login(person["login"]), password(secret)) for person in county()["shown"]]


def directory() -> list[tuple[str, str, str]]:
    """Everybody: login, name, and what they do in which unit."""
    names = {unit["code"]: unit["zh"] for unit in people.units()}
    found = [
        (
            login(person["login"]),
            person["name"],
            "、".join(dict.fromkeys(f"{names[seat['unit']]}{seat['zh']}" for seat in person["seats"])),
        )
        for person in people.people()
    ]
    return [(login(each["login"]), each["name"], "民眾") for each in county()["citizens"]] + found


def load(secret: str, now: datetime) -> bool:
    """Fills an empty org chart. False if there is one already."""
    if db.session.scalars(select(Unit.id).limit(1)).first() is not None:
        return False
    units, staff = _units(), people.people()
    shared_hash = crypto.hash_password(password(secret))
    accounts = {person["login"]: _account(person, "staff", shared_hash, now) for person in staff}
    db.session.add_all(
        [*accounts.values(), *(_account(x, "citizen", shared_hash, now) for x in county()["citizens"])]
    )
    seats = [
        (
            accounts[person["login"]],
            Position(
                unit_id=units[seat["unit"]].id,
                function=seat["function"],
                title_zh=seat["zh"],
                title_en=seat["en"],
                townships=" ".join(seat.get("townships", ())),
            ),
        )
        for person in staff
        for seat in person["seats"]
    ]
    db.session.add_all(position for _account, position in seats)
    db.session.flush()
    db.session.add_all(
        Holder(position_id=position.id, account_id=account.id, starts_on=IN_OFFICE_SINCE)
        for account, position in seats
    )
    desks.load({code: unit.id for code, unit in units.items()}, {x: a.id for x, a in accounts.items()}, now)
    bump("org")
    bump("calendar")
    db.session.flush()
    selected = plan_control.load(accounts["guo.shiming"].id, now)
    year_end.load(accounts["guo.shiming"].id, now)
    reviews.load(accounts["guo.shiming"], selected, now)
    performance.load(now)
    return True


def unit_codes() -> frozenset[str]:
    """Every unit of the county for which the definitions are shipped."""
    return frozenset(unit["code"] for unit in people.units())


def _units() -> dict[str, Unit]:
    """Level by level: each unit names the one above it."""
    data, units = county(), dict[str, Unit]()
    top, *_below = data["units"]
    left = list(people.units())
    while left:
        ready = [row for row in left if row.get("parent") in {None, *units}]
        left = [row for row in left if row not in ready]
        made = {row["code"]: _unit(row, units, data, top) for row in ready}
        db.session.add_all(made.values())
        db.session.flush()
        units |= made
    return units


def _unit(row: dict[str, str], units: dict[str, Unit], data: dict[str, Any], top: dict[str, str]) -> Unit:
    return Unit(
        code=row["code"],
        name_zh=row["zh"],
        name_en=row["en"],
        kind=row["kind"],
        parent_id=units[row["parent"]].id if "parent" in row else None,
        letter_word=data["letter_words"].get(row["code"], row.get("word", "府")),
        phone=row.get("phone") or data["phones"].get(row["code"], top["phone"]),
        address=row.get("address", top["address"]),
    )


def _account(person: dict[str, Any], kind: str, password_hash: str, now: datetime) -> Account:
    email, mobile = login(person["login"]), person.get("mobile")
    return Account(
        kind=kind,
        name=person["name"],
        email=email,
        email_hash=crypto.keyed_hash(email, "email"),
        mobile=mobile,
        mobile_hash=crypto.keyed_hash(mobile, "mobile") if mobile else None,
        password_hash=password_hash,
        created_at=now,
    )
