"""Column types shared by all tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from webapp import crypto


class Encrypted(TypeDecorator[Any]):
    """Any JSON value, encrypted at rest. Not searchable: keep a keyed hash beside it where it must be found."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        return None if value is None else crypto.encrypt(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else crypto.decrypt(bytes(value))


class Instant(TypeDecorator[datetime]):
    """A moment, stored in UTC. A naive datetime is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


Key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
PublicId = Annotated[str, mapped_column(String(32), unique=True, default=crypto.public_id)]
Json = Annotated[Any, mapped_column(JSONB)]
Moment = Annotated[datetime, mapped_column(Instant)]
MaybeMoment = Annotated[datetime | None, mapped_column(Instant)]


def ref(target: str, **options: Any) -> Any:
    """A foreign key column."""
    ondelete = options.pop("ondelete", None)
    return mapped_column(BigInteger, ForeignKey(target, ondelete=ondelete), **options)
