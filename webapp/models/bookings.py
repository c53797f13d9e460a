"""Bookable resources: their slots, who has a seat in one, and who waits for one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, FetchedValue, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.cases import Case
from webapp.models.org import Unit
from webapp.models.types import Instant, Key, MaybeMoment, Moment, PublicId, ref

#: bookings that the applicant still has, and those that take seats; a trigger of the database counts the latter
ACTIVE = ("waiting", "held", "confirmed")
SEATED = ("held", "confirmed", "attended", "no_show")


class Resource(db.Model):
    """A room, a desk, a lorry: what the slots of a unit are of."""

    __tablename__ = "resource"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    unit_id: Mapped[int] = ref("unit.id", index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    #: seats of a new slot
    capacity: Mapped[int]
    #: services whose cases may book it
    service_codes: Mapped[list[str]] = mapped_column(JSONB)
    #: until so many hours before the slot the applicant may cancel
    cancel_hours: Mapped[int] = mapped_column(default=24)
    remind_hours: Mapped[int] = mapped_column(default=24)
    #: a closed one has no slots to come; that nobody books one then is a trigger of the migration
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    unit: Mapped[Unit] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("capacity > 0", name="has_capacity"),
        CheckConstraint("cancel_hours >= 0 and remind_hours >= 0", name="hours_before"),
    )


class Slot(db.Model):
    """A time of one resource. Two of them never overlap, and no more seats are taken than there are."""

    __tablename__ = "slot"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    resource_id: Mapped[int] = ref("resource.id")
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    capacity: Mapped[int]
    #: counted by the database with every booking; nobody else writes it
    taken: Mapped[int] = mapped_column(server_default=text("0"), server_onupdate=FetchedValue())

    resource: Mapped[Resource] = relationship(viewonly=True)

    # that slots of one resource never overlap is an exclusion constraint of the migration: slot_no_overlap
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("taken between 0 and capacity", name="not_overbooked"),
        Index("ix_slot_resource_starts", "resource_id", "starts_at"),
        Index("ix_slot_starts", "starts_at"),
    )


class Booking(db.Model):
    """The seats of one case in one slot, or its place in the queue for them."""

    __tablename__ = "booking"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    slot_id: Mapped[int] = ref("slot.id")
    case_id: Mapped[int] = ref("case.id")
    seats: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10))
    #: place in the queue of the slot: numbers grow, the smallest moves up first
    position: Mapped[int | None]
    created_at: Mapped[Moment]
    changed_at: Mapped[datetime] = mapped_column(Instant)
    reminded_at: Mapped[MaybeMoment]

    slot: Mapped[Slot] = relationship(viewonly=True)
    case: Mapped[Case] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint(
            "state in ('waiting','held','confirmed','cancelled','no_show','attended')", name="state_is_known"
        ),
        CheckConstraint("seats > 0", name="has_seats"),
        CheckConstraint("(state = 'waiting') = (position is not null)", name="waiting_has_a_place"),
        UniqueConstraint("slot_id", "position"),
        # a case has one appointment at a time
        Index(
            "uq_booking_active",
            "case_id",
            unique=True,
            postgresql_where=text("state in ('waiting','held','confirmed')"),
        ),
        Index("ix_booking_case", "case_id", "id"),
        Index("ix_booking_slot", "slot_id", "state"),
    )
