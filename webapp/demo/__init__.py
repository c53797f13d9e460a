"""The demonstration county: units and people. Loaded once into an empty org chart, never overwritten."""

from __future__ import annotations

import csv
import hashlib
import hmac
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from rules.values import read_yaml
from webapp import crypto
from webapp.extensions import db
from webapp.models import Account, Holder, Position, Unit
from webapp.queries.generations import bump

HERE = Path(__file__).parent
DOMAIN = "ecounter.example"
IN_OFFICE_SINCE = date(2019, 1, 1)


@cache
def county() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(HERE / "county.yaml")
    return found


def login(name: str) -> str:
    return f"{name}@{DOMAIN}"


def password(secret: str) -> str:
    """One for all demonstration accounts of an installation, different in every installation."""
    digest = hmac.new(secret.encode(), b"demonstration", hashlib.sha256).hexdigest()
    return "-".join((digest[:4], digest[4:8], digest[8:12]))


def logins(secret: str) -> list[tuple[str, str, str]]:
    return [(person["role"], login(person["login"]), password(secret)) for person in county()["shown"]]


def load(secret: str, now: datetime) -> bool:
    """Fills an empty org chart. False if there is one already."""
    if db.session.scalars(select(Unit.id).limit(1)).first() is not None:
        return False
    units = _units()
    shared_hash = crypto.hash_password(password(secret))
    for person in county()["people"]:
        account = _account(person, "staff", shared_hash, now)
        for seat in person["seats"]:
            position = Position(
                unit_id=units[seat["unit"]].id,
                function=seat["function"],
                title_zh=seat["zh"],
                title_en=seat["en"],
                townships=" ".join(seat.get("townships", ())),
            )
            db.session.add(position)
            db.session.flush()
            db.session.add(Holder(position_id=position.id, account_id=account.id, starts_on=IN_OFFICE_SINCE))
    for person in county()["citizens"]:
        _account(person, "citizen", shared_hash, now)
    bump("org")
    bump("calendar")
    db.session.flush()
    return True


def unit_codes() -> frozenset[str]:
    """Every unit of the county for which the definitions are shipped."""
    with (HERE / "units.csv").open(encoding="utf-8") as file:
        owners = {row["code"] for row in csv.DictReader(file)}
    return frozenset(owners | {row["code"] for row in county()["units"]})


def _units() -> dict[str, Unit]:
    data = county()
    with (HERE / "units.csv").open(encoding="utf-8") as file:
        owners = [
            {
                "code": row["code"],
                "parent": "KM",
                "zh": row["name_zh"],
                "en": row["name_en"],
                "kind": row["kind"],
            }
            for row in csv.DictReader(file)
        ]
    top, *below = data["units"]
    units: dict[str, Unit] = {}
    for row in (top, *owners, *below):
        parent = units.get(row.get("parent", ""))
        unit = Unit(
            code=row["code"],
            name_zh=row["zh"],
            name_en=row["en"],
            kind=row["kind"],
            parent_id=parent.id if parent else None,
            letter_word=data["letter_words"].get(row["code"], row.get("word", "府")),
            phone=row.get("phone") or data["phones"].get(row["code"], top["phone"]),
            address=row.get("address", top["address"]),
        )
        db.session.add(unit)
        db.session.flush()
        units[unit.code] = unit
    return units


def _account(person: dict[str, Any], kind: str, password_hash: str, now: datetime) -> Account:
    email, mobile = login(person["login"]), person.get("mobile")
    account = Account(
        kind=kind,
        name=person["name"],
        email=email,
        email_hash=crypto.keyed_hash(email, "email"),
        mobile=mobile,
        mobile_hash=crypto.keyed_hash(mobile, "mobile") if mobile else None,
        password_hash=password_hash,
        created_at=now,
    )
    db.session.add(account)
    db.session.flush()
    return account
