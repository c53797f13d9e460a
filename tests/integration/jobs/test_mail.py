"""What the outbox does when a mail server refuses, breaks off, is away, or is not who it says it is."""

from __future__ import annotations

import ipaddress
import smtplib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW
from webapp.extensions import db
from webapp.jobs import mail
from webapp.jobs.sweeps import send_mail
from webapp.models import Message
from webapp.services import notices
from webapp.uow import unit_of_work


@dataclass
class Post:
    """A mail server that remembers what it was told."""

    port: int = 0
    #: recipients that it does not know, and one whose message ends the connection
    refuses: frozenset[str] = frozenset()
    breaks_off_at: str = ""
    tls: ssl.SSLContext | None = None
    connections: int = 0
    received: list[str] = field(default_factory=list)
    #: every command, and whether it came encrypted
    heard: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        post.connections += 1
        secure, recipient = False, ""
        self.say("220 post")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            post.heard.append((word, secure))
            if word == "EHLO":
                offer = "STARTTLS" if post.tls and not secure else "AUTH PLAIN"
                self.say(f"250-post\r\n250 {offer}")
            elif word == "STARTTLS" and post.tls:
                self.say("220 go")
                try:
                    self.request = post.tls.wrap_socket(self.request, server_side=True)
                except (ssl.SSLError, OSError):
                    return
                self.setup()
                secure = True
            elif word == "RCPT":
                recipient = line.split("<")[1].split(">")[0]
                if recipient == post.breaks_off_at:
                    return
                self.say("550 no such person" if recipient in post.refuses else "250 ok")
            elif word == "DATA":
                self.say("354 go on")
                while self.rfile.readline().strip() != b".":
                    pass
                post.received.append(recipient)
                self.say("250 ok")
            else:
                self.say("235 ok" if word == "AUTH" else "250 ok")

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def opened(post: Post) -> Iterator[Post]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads, server.post = True, post  # type: ignore[attr-defined]
        post.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield post
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def written(*recipients: str) -> None:
    with unit_of_work():
        for number, recipient in enumerate(recipients):
            notices.post(f"{number}", "email", recipient, "主旨", "內容", NOW)


def run(app: Flask, monkeypatch: pytest.MonkeyPatch, url: str, now: datetime = NOW) -> int:
    monkeypatch.setitem(app.config, "SMTP_URL", url)
    return mail.send_pending(now)


def rows() -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def test_all_go_over_one_connection(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    written("a@example.com", "b@example.com")
    with opened(Post()) as post:
        assert run(app, monkeypatch, post.url) == 2
        assert run(app, monkeypatch, post.url) == 0
    assert post.received == ["a@example.com", "b@example.com"]
    assert post.connections == 1, "nobody is called when nothing waits"


def test_refused_recipients_hold_up_nobody_and_are_given_up(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "BATCH", 2)
    written("gone1@example.com", "gone2@example.com", "here@example.com")
    now = NOW
    with opened(Post(refuses=frozenset({"gone1@example.com", "gone2@example.com"}))) as post:
        assert run(app, monkeypatch, post.url) == 0
        assert rows()[0].next_try_at == NOW + timedelta(minutes=5)
        assert run(app, monkeypatch, post.url) == 1
        assert post.received == ["here@example.com"]
        for _try in range(2, mail.MOST_ATTEMPTS + 1):
            now += timedelta(days=1)
            assert run(app, monkeypatch, post.url, now) == 0
        assert [(row.attempts, row.dead) for row in rows()] == [(5, True), (5, True), (0, False)]
        assert rows()[0].last_error == "SMTPRecipientsRefused 550"
        before = post.connections
        assert run(app, monkeypatch, post.url, now + timedelta(days=9)) == 0
        assert post.connections == before


def test_a_header_that_cannot_be_written_holds_up_nobody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    written("a@example.com\nBcc: b@example.com", "here@example.com")
    with opened(Post()) as post:
        assert run(app, monkeypatch, post.url) == 1
    assert post.received == ["here@example.com"]
    assert [row.last_error for row in rows()] == ["ValueError", None]


def test_a_connection_that_breaks_off_ends_the_run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    written("first@example.com", "bad@example.com", "last@example.com")
    with opened(Post(breaks_off_at="bad@example.com")) as post:
        assert run(app, monkeypatch, post.url) == 1
        assert [row.attempts for row in rows()] == [0, 1, 0]
        assert run(app, monkeypatch, post.url) == 1
    assert post.received == ["first@example.com", "last@example.com"]


def test_a_server_that_is_away_is_called_once_and_counts_against_nobody(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    written("a@example.com", "b@example.com")
    calls = []

    def away(*args: object, **kwargs: object) -> None:
        calls.append(args)
        raise TimeoutError

    monkeypatch.setattr(smtplib, "SMTP", away)
    assert run(app, monkeypatch, "smtp://127.0.0.1:1") == 0
    assert len(calls) == 1
    assert [row.attempts for row in rows()] == [0, 0]


def test_only_one_run_waits_at_a_time() -> None:
    assert (send_mail.queueing_lock, send_mail.lock) == ("send_mail", None)


# --- encryption --------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself; the key stands in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=9999))
        .not_valid_after(NOW + timedelta(days=9999))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "post.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_letters_and_passwords_are_encrypted_where_the_server_can(
    app: Flask, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    written("a@example.com")
    with opened(Post(tls=served(certificate))) as post:
        assert run(app, monkeypatch, post.url.replace("//", "//user:secret@")) == 1
    assert ("AUTH", True) in post.heard and ("DATA", True) in post.heard
    assert {word for word, secure in post.heard if not secure} == {"EHLO", "STARTTLS"}


def test_a_server_that_nobody_vouches_for_gets_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    written("a@example.com")
    with opened(Post(tls=served(certificate))) as post:
        assert run(app, monkeypatch, post.url) == 0
    assert post.received == []
    assert [row.attempts for row in rows()] == [0]


def test_a_password_is_never_sent_in_the_clear(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    written("a@example.com")
    with opened(Post()) as post:
        assert run(app, monkeypatch, post.url.replace("//", "//user:secret@")) == 0
    assert "AUTH" not in {word for word, _secure in post.heard}
    assert post.received == []
