"""Uploads and PDFs: checked by content and size, stored encrypted in chunks under random names."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath

import puremagic
from PIL import Image, UnidentifiedImageError
from sqlalchemy import delete, select

from forms.model import Field
from rules.values import Text
from webapp import crypto
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.models import Document, DocumentChunk
from webapp.permissions import Actor

CHUNK = 256 * 1024
MEDIA_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
#: a picture that unpacks to more than this is an attack on the viewer, not a scan
MOST_PIXELS = 80_000_000
ACCEPTED = ("pdf", "jpg", "png")
DEFAULT_MB = 10
DEFAULT_FILES = 5


def check(field: Field, filename: str, content: bytes) -> str:
    """The media type of an upload that the field accepts. Raises Refused with what to do instead."""
    accepted = field.accept or ACCEPTED
    limit = field.max_mb or DEFAULT_MB
    names = "、".join(kind.upper() for kind in accepted)
    if not content:
        raise Refused(
            Text(zh=f"「{filename}」是空的檔案，請重新選擇。", en=f"“{filename}” is empty. Choose it again.")
        )
    if len(content) > limit * 1024 * 1024:
        raise Refused(
            Text(
                zh=f"「{filename}」超過 {limit} MB，請縮小後再上傳。",
                en=f"“{filename}” is larger than {limit} MB. Make it smaller and try again.",
            )
        )
    kind = _kind(content)
    if kind is None or kind not in {MEDIA_TYPES[name] for name in accepted}:
        raise Refused(
            Text(
                zh=f"「{filename}」的內容不是 {names}，請改傳這些格式的檔案。",
                en=f"The content of “{filename}” is not {names.replace('、', ', ')}. Upload one of these formats.",
            )
        )
    return kind


def fits(field: Field, document: Document) -> bool:
    """Whether the field would take a file that is stored already."""
    accepted = {MEDIA_TYPES[name] for name in field.accept or ACCEPTED}
    return document.media_type in accepted and document.size <= (field.max_mb or DEFAULT_MB) * 1024 * 1024


def upload(
    actor: Actor, draft_key: str, field: Field, filename: str, content: bytes, now: datetime
) -> Document:
    """Stores one file of a draft (or of a correction, whose key stands in for the draft's)."""
    name = clean_name(filename)
    media_type = check(field, name, content)
    present = db.session.scalars(
        select(Document.id).where(Document.draft_key == draft_key, Document.field_key == field.key)
    ).all()
    most = field.max_files or DEFAULT_FILES
    if len(present) >= most:
        raise Refused(
            Text(
                zh=f"「{field.label.zh}」最多 {most} 個檔案，請先移除不需要的檔案。",
                en=f"“{field.label.in_('en')}” takes at most {most} files. Remove one first.",
            )
        )
    return store(
        name, media_type, content, now, kind="upload", draft_key=draft_key, field_key=field.key, actor=actor
    )


def store(
    filename: str,
    media_type: str,
    content: bytes,
    now: datetime,
    *,
    kind: str,
    draft_key: str | None = None,
    case_id: int | None = None,
    field_key: str | None = None,
    actor: Actor | None = None,
) -> Document:
    document = Document(
        public_id=crypto.public_id(),
        draft_key=draft_key,
        case_id=case_id,
        kind=kind,
        field_key=field_key,
        filename=filename,
        media_type=media_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_by_id=actor.account_id if actor else None,
        created_at=now,
    )
    db.session.add(document)
    db.session.flush()
    db.session.add_all(
        DocumentChunk(
            document_id=document.id, number=number, data=crypto.seal(content[start : start + CHUNK])
        )
        for number, start in enumerate(range(0, len(content), CHUNK))
    )
    db.session.flush()
    return document


def content_of(document: Document) -> bytes:
    chunks = db.session.scalars(
        select(DocumentChunk.data)
        .where(DocumentChunk.document_id == document.id)
        .order_by(DocumentChunk.number)
    )
    content = b"".join(crypto.unseal(bytes(chunk)) for chunk in chunks)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise Refused(Text(zh="檔案內容與紀錄不符，已停止下載。", en="The file does not match its record."))
    return content


def remove(draft_key: str, public_id: str) -> None:
    found = db.session.execute(
        delete(Document)
        .where(Document.draft_key == draft_key, Document.public_id == public_id, Document.case_id.is_(None))
        .returning(Document.id)
    ).one_or_none()
    if found is None:
        raise NotFound()


def clean_name(filename: str) -> str:
    """A name to show and to offer for saving; never used as a path."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    name = "".join(c for c in name if c.isprintable() and c not in '<>:"/|?*').strip(". ")
    return name[-120:] or "file"


def of_draft(draft_key: str) -> dict[str, list[Document]]:
    """The uploads of a draft, by field."""
    return _by_field(
        db.session.scalars(select(Document).where(Document.draft_key == draft_key).order_by(Document.id))
    )


def of_case(case_id: int) -> list[Document]:
    return list(db.session.scalars(select(Document).where(Document.case_id == case_id).order_by(Document.id)))


def _by_field(found: Iterable[Document]) -> dict[str, list[Document]]:
    result: dict[str, list[Document]] = {}
    for document in found:
        result.setdefault(document.field_key or "", []).append(document)
    return result


def _kind(content: bytes) -> str | None:
    """The media type by content: the signature names it, and a picture must really open."""
    if content[:5] == b"%PDF-":
        return "application/pdf" if b"%%EOF" in content[-2048:] else None
    try:
        media_type = puremagic.from_string(content[:4096], mime=True)
    except (puremagic.PureError, ValueError):
        return None
    if media_type not in {"image/jpeg", "image/png"}:
        return None
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.verify()
            return Image.MIME.get(picture.format or "")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
