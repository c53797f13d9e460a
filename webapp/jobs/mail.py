"""Sending the outbox: e-mail by SMTP where SMTP_URL is set; texts and post wait for a gateway to fetch them."""

from __future__ import annotations

import logging
import smtplib
import ssl
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app
from sqlalchemy import or_, select

from webapp.extensions import db
from webapp.models import Message
from webapp.uow import unit_of_work

log = logging.getLogger(__name__)

BATCH = 100
TIMEOUT_SECONDS = 15
#: a refused message waits longer each time, seven hours in all: a grey list lets it pass meanwhile
FIRST_WAIT = timedelta(minutes=5)
WAITS_GROW = 4
MOST_ATTEMPTS = 5


def send_pending(now: datetime) -> int:
    """Sends what is due over one connection, a transaction each; the Message-ID is its key, so that a repeat is
    recognised. What was refused goes behind all that was not, so that it holds up nothing."""
    url = str(current_app.config.get("SMTP_URL") or "")
    waiting = _waiting(now) if url else []
    if not waiting:
        return 0
    try:
        connection = connect(url)
    except OSError as error:  # an SMTPException is one too
        log.warning("the mail server cannot be used (%s); messages stay in the outbox", type(error).__name__)
        return 0
    sent = 0
    try:
        for message_id in waiting:
            with unit_of_work():
                message = db.session.get(Message, message_id, with_for_update={"skip_locked": True})
                if message is None or message.sent_at is not None or message.dead:
                    continue
                error = _failure(connection, message)
                if error is None:
                    message.sent_at = now
                    sent += 1
                elif not isinstance(
                    error, smtplib.SMTPSenderRefused
                ):  # that is our mistake, not the message's
                    _put_off(message, error, now)
            if error is not None and _ends_the_run(error):
                log.warning("the mail server broke off (%s)", type(error).__name__)
                break
    finally:
        _close(connection)
    return sent


def connect(url: str) -> smtplib.SMTP:
    """smtps:// is TLS from the start; smtp:// changes to it where the server can, and before a password always."""
    parts = urlsplit(url)
    host, port, trusted = parts.hostname or "localhost", parts.port or 0, ssl.create_default_context()
    connection: smtplib.SMTP
    if parts.scheme == "smtps":
        connection = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=trusted)
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.ehlo_or_helo_if_needed()
        if parts.scheme != "smtps" and (parts.username or connection.has_extn("starttls")):
            connection.starttls(context=trusted)
        if parts.username:
            connection.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _waiting(now: datetime) -> list[int]:
    with unit_of_work():  # no transaction stays open while the server is called
        due = or_(Message.next_try_at.is_(None), Message.next_try_at <= now)
        return list(
            db.session.scalars(
                select(Message.id)
                .where(
                    Message.channel == db.literal("email", literal_execute=True),
                    Message.sent_at.is_(None),
                    ~Message.dead,
                    due,
                )
                .order_by(Message.attempts, Message.id)
                .limit(BATCH)
            )
        )


def _failure(connection: smtplib.SMTP, message: Message) -> Exception | None:
    """Why it could not be sent. Whatever is wrong with one message must not end the run of the others."""
    try:
        connection.send_message(_mail(message))
    except Exception as error:  # noqa: BLE001  # the caller writes it down
        return error
    return None


def _ends_the_run(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPException):
        return isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPSenderRefused)
    return isinstance(error, OSError)


def _put_off(message: Message, error: Exception, now: datetime) -> None:
    message.attempts += 1
    message.last_error = f"{type(error).__name__}{_reply_codes(error)}"[:200]
    message.dead = message.attempts >= MOST_ATTEMPTS
    message.next_try_at = now + FIRST_WAIT * WAITS_GROW ** (message.attempts - 1)
    log.warning(
        "message %s could not be sent (%s), attempt %s", message.id, message.last_error, message.attempts
    )


def _reply_codes(error: Exception) -> str:
    """What the server said, without its words: they often repeat the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "".join(f" {code}" for code, _words in error.recipients.values())
    return f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""


def _mail(message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = current_app.config.get("MAIL_FROM") or "noreply@localhost"
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Message-ID"] = f"<{message.public_id}@ecounter>"
    mail.set_content(message.body)
    return mail


def _close(connection: smtplib.SMTP) -> None:
    try:
        connection.quit()
    except OSError:
        connection.close()
