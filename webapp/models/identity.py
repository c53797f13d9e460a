"""Accounts, one-time codes, and the brake on guessing."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Instant, Key, MaybeMoment, Moment, PublicId, ref


class Account(db.Model, UserMixin):
    __tablename__ = "account"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(Encrypted)
    email: Mapped[str | None] = mapped_column(Encrypted)
    mobile: Mapped[str | None] = mapped_column(Encrypted)
    #: keyed hashes: sign-in finds the account without the address standing in the clear
    email_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    mobile_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(5), default="zh")
    active: Mapped[bool] = mapped_column(default=True)
    #: raised by sign-out everywhere and by a new password; older session cookies then stop working
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("kind in ('citizen','staff')", name="kind_is_known"),
        CheckConstraint("email_hash is not null or mobile_hash is not null", name="has_a_login"),
    )

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return f"{self.id}.{self.session_epoch}"


class LoginCode(db.Model):
    """A one-time code sent to a mobile number. Only its hash is kept."""

    __tablename__ = "login_code"

    id: Mapped[Key]
    destination_hash: Mapped[str] = mapped_column(String(64), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[MaybeMoment]


class Throttle(db.Model):
    """How often a key (account, number, address) was tried in the present window."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    count: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(Instant)


class AuditEntry(db.Model):
    """What was done outside a case: sign-ins, definitions, org chart."""

    __tablename__ = "audit_entry"

    id: Mapped[Key]
    at: Mapped[Moment]
    actor_id: Mapped[int | None] = ref("account.id")
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="", index=True)
    #: what was said with it, such as the reason of a rollback; no personal data
    detail: Mapped[str] = mapped_column(Text, default="")
