"""Files: every upload and every PDF, in chunks inside the database so that one transaction and one backup hold all."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, Moment, PublicId, ref


class Document(db.Model):
    __tablename__ = "document"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    #: the draft that it was uploaded to; no foreign key, since a submitted draft is gone
    draft_key: Mapped[str | None] = mapped_column(String(32), index=True)
    case_id: Mapped[int | None] = ref("case.id", index=True)
    #: upload, scan, slip, receipt, application, draft_form, letter, letter_batch, payment_slip, or payment_receipt
    kind: Mapped[str] = mapped_column(String(20))
    field_key: Mapped[str | None] = mapped_column(String(80))
    filename: Mapped[str] = mapped_column(Encrypted)
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="ready")
    uploaded_by_id: Mapped[int | None] = ref("account.id")
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("state in ('pending','ready','failed')", name="state_is_known"),
        CheckConstraint("draft_key is not null or case_id is not null", name="belongs_somewhere"),
    )


class DocumentChunk(db.Model):
    __tablename__ = "document_chunk"

    document_id: Mapped[int] = ref("document.id", ondelete="CASCADE", primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    #: encrypted: an upload is as personal as an answer
    data: Mapped[bytes] = mapped_column(LargeBinary)


class BlankForm(db.Model):
    """空白申請書: the paper of a service in a language, printed once for everybody."""

    __tablename__ = "blank_form"

    service_code: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    #: of what stands in it: where a definition or the address of the unit changed, it is printed anew
    digest: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int]
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    printed_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("language in ('zh','en')", name="language_is_known"),
        CheckConstraint("pages > 0", name="has_pages"),
    )
