"""The open request for an extension of a case, and how it ends without being decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, ExtensionRequest
from webapp.permissions import SYSTEM, Actor
from webapp.services import events


def open_of(case_id: int) -> ExtensionRequest | None:
    return db.session.scalars(
        select(ExtensionRequest).where(ExtensionRequest.case_id == case_id, ExtensionRequest.state == "open")
    ).one_or_none()


def end(
    actor: Actor, case: Case, request: ExtensionRequest, state: Literal["lapsed", "withdrawn"], now: datetime
) -> None:
    """The caller holds the case."""
    request.state, request.decided_at = state, now
    db.session.flush()
    events.record(actor, case, f"extension_{state}", now, from_state=case.state)


def lapse_of(case: Case, now: datetime) -> None:
    """A case that is decided needs no more time."""
    request = open_of(case.id)
    if request is not None:
        end(SYSTEM, case, request, "lapsed", now)
