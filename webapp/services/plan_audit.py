"""What was changed of a register, a plan or an entry, by whom: field: before → after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webapp.extensions import db
from webapp.models import AuditEntry, Plan, Register, RegisterEntry
from webapp.permissions import Actor

Answers = Mapping[str, Any]


def subject(of: Register | Plan | RegisterEntry) -> str:
    if isinstance(of, Register):
        return f"register {of.key}"
    if isinstance(of, Plan):
        return f"plan {of.code}"
    register, plan = db.session.get_one(Register, of.register_id), db.session.get_one(Plan, of.plan_id)
    return f"entry {register.key} {plan.code}"


def write(
    actor: Actor,
    action: str,
    of: Register | Plan | RegisterEntry,
    before: Answers,
    after: Answers,
    now: datetime,
) -> None:
    """What is otherwise, line by line."""
    lines = [
        f"{name}: {_plain(before.get(name))} → {_plain(value)}"
        for name, value in after.items()
        if _plain(before.get(name)) != _plain(value)
    ]
    db.session.add(
        AuditEntry(
            at=now, actor_id=actor.account_id, action=action, subject=subject(of), detail="\n".join(lines)
        )
    )
    db.session.flush()


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(each) for each in value)
    if isinstance(value, dict):
        return str(value["value"]) if "value" in value else " ".join(_plain(each) for each in value.values())
    return "–" if value is None else str(value)
