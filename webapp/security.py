"""Headers of every answer, the browser's token, and who is acting in a request."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request, session
from flask_login import current_user, logout_user

from webapp import crypto
from webapp.moments import utc_now
from webapp.permissions import Actor, staff_actor
from webapp.services import accounts

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


#: a desk that nobody touches for so long is signed out; drafts and what is being typed stay
IDLE = timedelta(hours=2)
#: how often the cookie is written again for it
SEEN_EVERY = timedelta(minutes=5)


def init_app(app: Flask) -> None:
    app.before_request(_end_idle_session)
    app.after_request(_headers)


def _end_idle_session() -> None:
    """The whole session goes: whoever sits down next is not somebody with the clerk's opened cases."""
    if "_user_id" not in session:
        return
    moment, seen = now().timestamp(), session.get("seen")
    if seen is not None and moment - seen > IDLE.total_seconds():
        forget_browser()
    elif seen is None or (moment - seen > SEEN_EVERY.total_seconds() and not _asked_by_the_page_itself()):
        session["seen"] = moment


def _asked_by_the_page_itself() -> bool:
    """A page that refreshes its parts does so without anybody before it."""
    return request.endpoint == "staff.inbox_counts" or request.args.get("part") == "progress"


def forget_browser() -> None:
    """Signs out, and forgets drafts and cases that were opened without signing in."""
    logout_user()
    session.clear()
    g.pop("actor", None)


def now() -> datetime:
    """The moment of this request, one for all its parts. Tests move it by the app's CLOCK."""
    if "now" not in g:
        clock = current_app.config.get("CLOCK", utc_now)
        g.now = clock()
    return g.now


def actor() -> Actor:
    """Who acts in this request."""
    if "actor" not in g:
        g.actor = _actor()
    return g.actor


def unlock(case_id: int) -> None:
    """Remembers in this browser, and for whom, a case that was opened by its number and code, or taken in."""
    opened = [*session.get("opened", []), [actor().account_id, case_id]]
    session["opened"] = opened[-50:]
    session.permanent = True
    g.pop("actor", None)


def device_token() -> str:
    """The browser's own token, owner of drafts without an account. Kept in the signed session cookie."""
    if "device" not in session:
        session["device"] = secrets.token_urlsafe(16)
        session.permanent = True
    return str(session["device"])


def device_hash() -> str | None:
    token = session.get("device")
    return crypto.keyed_hash(token, "device") if token else None


def _unlocked(*openers: int | None) -> frozenset[int]:
    """What an account opened is open to that account alone; None is somebody without one."""
    return frozenset(case_id for opener, case_id in session.get("opened", []) if opener in openers)


def _actor() -> Actor:
    demo = bool(current_app.config["DEMO"])
    language = "en" if request.cookies.get("lang") == "en" else "zh"
    if not current_user.is_authenticated:
        return Actor(
            "anonymous", language=language, unlocked=_unlocked(None), device_hash=device_hash(), demo=demo
        )
    if current_user.kind == "staff":
        unlocked = _unlocked(current_user.id)
        return staff_actor(
            current_user.id, current_user.name, now(), language=language, unlocked=unlocked, demo=demo
        )
    return Actor(
        "citizen",
        current_user.id,
        current_user.name,
        language,
        unlocked=_unlocked(current_user.id, None),
        device_hash=device_hash(),
        demo=demo,
    )


def load_user(session_id: str) -> object:
    return accounts.by_session(session_id)


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(self)"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    # what says that it is for everybody may be kept; all else may not, downloads neither
    if request.endpoint != "static" and not response.cache_control.public:
        response.headers["Cache-Control"] = "no-store"
    return response
