"""The org chart: units, positions, dated holders, absences with their deputies, and the working-day overrides."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, ref


class Unit(db.Model):
    __tablename__ = "unit"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    parent_id: Mapped[int | None] = ref("unit.id")
    #: the 字 of the numbers of its letters, for example 府建農字
    letter_word: Mapped[str] = mapped_column(String(20), default="府")
    phone: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(200), default="")

    __table_args__ = (
        CheckConstraint(
            "kind in ('county','department','bureau','township','section','agency')", name="kind_is_known"
        ),
    )


class Position(db.Model):
    __tablename__ = "position"

    id: Mapped[Key]
    unit_id: Mapped[int] = ref("unit.id", index=True)
    function: Mapped[str] = mapped_column(String(40))
    title_zh: Mapped[str] = mapped_column(String(40))
    title_en: Mapped[str] = mapped_column(String(80))
    #: the townships that this officer looks after, when routing goes by township
    townships: Mapped[str] = mapped_column(String(60), default="")


class Holder(db.Model):
    """Who holds a position, from when to when. History stays: an old letter still names its signer."""

    __tablename__ = "holder"

    id: Mapped[Key]
    position_id: Mapped[int] = ref("position.id", index=True)
    account_id: Mapped[int] = ref("account.id", index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    __table_args__ = (CheckConstraint("ends_on is null or ends_on >= starts_on", name="ends_after_start"),)


class Absence(db.Model):
    """A leave with its deputy (職務代理)."""

    __tablename__ = "absence"

    id: Mapped[Key]
    account_id: Mapped[int] = ref("account.id", index=True)
    deputy_id: Mapped[int | None] = ref("account.id")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Encrypted, default="")

    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("deputy_id is null or deputy_id <> account_id", name="deputy_is_another"),
        # nobody is away twice on one day
        ExcludeConstraint(
            (text("int8range(account_id, account_id, '[]')"), "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            name="ex_absence_once_a_day",
        ),
    )


class CalendarOverride(db.Model):
    """A stop-work day or an extra working day that no published calendar knows."""

    __tablename__ = "calendar_override"

    id: Mapped[Key]
    day: Mapped[date]
    #: national, county, or the code of a township or agency
    scope: Mapped[str] = mapped_column(String(20), default="county")
    #: stop: nobody works, and limits in calendar days and months stand still too (行政程序法 51 V)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(200))
    legal_source: Mapped[str] = mapped_column(String(200), default="")
    created_by_id: Mapped[int | None] = ref("account.id")
    created_at: Mapped[Moment]
    #: entered by mistake: by whom and why it was taken back
    revoked_at: Mapped[MaybeMoment]
    revoked_by_id: Mapped[int | None] = ref("account.id")
    revoke_reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        CheckConstraint(
            "(revoked_at is null) = (revoke_reason is null) and (revoked_by_id is null or revoked_at is not null)",
            name="revoked_with_reason",
        ),
        CheckConstraint("kind in ('off','stop','work','half_off_am','half_off_pm')", name="kind_is_known"),
        Index("ix_calendar_override_day_scope", "day", "scope"),
    )


class Generation(db.Model):
    """A counter for each kind of slow-changing data, so that every process knows at once when its copy is old."""

    __tablename__ = "generation"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
