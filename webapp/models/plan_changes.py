"""What a unit asks of a plan in a register: another planned curve (計畫修正), or its release (解除列管)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Key, Moment, ref


class PlanRequest(db.Model):
    """The case of a unit about an entry; an entry has one that is open, whatever it asks for."""

    __tablename__ = "plan_request"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id", unique=True)
    entry_id: Mapped[int] = ref("register_entry.id", index=True)
    kind: Mapped[str] = mapped_column(String(8))
    #: ended: refused or taken back
    state: Mapped[str] = mapped_column(String(8), default="open")
    #: the function that the rules name, as the request was sent last
    approver: Mapped[str | None] = mapped_column(String(40))
    opened_by_id: Mapped[int] = ref("account.id")
    opened_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("kind in ('change','release')", name="kind_is_known"),
        CheckConstraint("state in ('open','granted','ended')", name="state_is_known"),
        Index("uq_plan_request_open", "entry_id", unique=True, postgresql_where=text("state = 'open'")),
    )
