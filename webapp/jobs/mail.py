"""Sending the outbox: e-mail by SMTP where SMTP_URL is set; texts and post wait for a gateway to fetch them."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Message
from webapp.uow import unit_of_work

log = logging.getLogger(__name__)

BATCH = 100


def send_pending(now: datetime) -> int:
    """Sends unsent e-mails, a transaction each; the Message-ID is its key, so that a repeat is recognised."""
    url = str(current_app.config.get("SMTP_URL") or "")
    if not url:
        return 0
    waiting = db.session.scalars(
        select(Message.id)
        .where(Message.channel == "email", Message.sent_at.is_(None))
        .order_by(Message.id)
        .limit(BATCH)
    ).all()
    sent = 0
    for message_id in waiting:
        with unit_of_work():
            message = db.session.get(Message, message_id, with_for_update={"skip_locked": True})
            if message is None or message.sent_at is not None:
                continue
            try:
                _send(url, message)
            except (smtplib.SMTPException, OSError):
                log.warning("message %s could not be sent; it stays in the outbox", message_id)
                continue
            message.sent_at = now
            sent += 1
    return sent


def _send(url: str, message: Message) -> None:
    parts = urlsplit(url)
    mail = EmailMessage()
    mail["From"] = current_app.config.get("MAIL_FROM") or "noreply@localhost"
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Message-ID"] = f"<{message.public_id}@ecounter>"
    mail.set_content(message.body)
    server = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with server(parts.hostname or "localhost", parts.port or 0, timeout=15) as connection:
        if parts.username:
            connection.login(unquote(parts.username), unquote(parts.password or ""))
        connection.send_message(mail)
