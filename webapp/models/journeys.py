"""出國報告: official journeys abroad, and the reports on them that were published.

What is published never changes (trigger of migration 0040).
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref


class Journey(db.Model):
    """One journey, registered by the unit of whoever travels; its case asks for the report."""

    __tablename__ = "journey"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    #: none: invented for the demonstration
    case_id: Mapped[int | None] = ref("case.id", unique=True)
    unit_id: Mapped[int] = ref("unit.id", index=True)
    traveller: Mapped[str] = mapped_column(Encrypted)
    destination: Mapped[str] = mapped_column(String(100))
    purpose: Mapped[str] = mapped_column(Text)
    left_on: Mapped[date]
    returned_on: Mapped[date]
    #: awaited; reported: being looked at; published; cancelled: it did not take place
    state: Mapped[str] = mapped_column(String(10), default="awaited")
    title: Mapped[str] = mapped_column(String(100), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    document_id: Mapped[int | None] = ref("document.id")
    origin: Mapped[str] = mapped_column(String(13), default="entered")
    registered_by_id: Mapped[int | None] = ref("account.id")
    registered_at: Mapped[Moment]
    published_at: Mapped[MaybeMoment]

    __table_args__ = (
        CheckConstraint("returned_on >= left_on", name="returns_after_leaving"),
        CheckConstraint("destination <> '' and purpose <> ''", name="says_where_and_why"),
        CheckConstraint("state in ('awaited','reported','published','cancelled')", name="state_is_known"),
        CheckConstraint("origin in ('entered','demonstration')", name="origin_is_known"),
        CheckConstraint("case_id is not null or origin = 'demonstration'", name="entered_by_a_case"),
        CheckConstraint("(state = 'published') = (published_at is not null)", name="published_has_a_moment"),
        CheckConstraint(
            "state in ('awaited','cancelled')"
            " or (title <> '' and (document_id is not null or origin = 'demonstration'))",
            name="reported_has_a_report",
        ),
        Index("ix_journey_returned_on", "returned_on"),
    )
