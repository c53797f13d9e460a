"""What was posted after a sign-in had ended: sealed into the sign-in page, and taken in again after it.

Nothing of it is kept on the server meanwhile, and only the owner of the draft can have it taken in.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from webapp import crypto

LIFETIME = timedelta(days=1)
#: what is longer is refused by its field anyway; this much of it is carried
LONGEST = 20_000

Taker = Callable[..., ResponseReturnValue]
_takers: dict[str, tuple[Taker, int]] = {}


def takes_in(endpoint: str, longest: int = LONGEST) -> Callable[[Taker], Taker]:
    """Registers who takes in what was posted to an endpoint: called with its arguments and `typed`."""

    def register(function: Taker) -> Taker:
        _takers[endpoint] = function, longest
        return function

    return register


def taker() -> Taker | None:
    """Who takes in what is being posted: for a page that expired while its person is signed in."""
    found = _takers.get(request.endpoint or "") if request.method == "POST" else None
    return found[0] if found else None


def sealed(now: datetime) -> str:
    """The posted page as the text of a hidden input; empty when nobody takes it in again."""
    if request.method != "POST" or request.endpoint not in _takers:
        return ""
    _taker, longest = _takers[request.endpoint]
    content = {
        "endpoint": request.endpoint,
        "args": request.view_args or {},
        "typed": [[k, v[:longest]] for k, v in request.form.items(multi=True) if k != "csrf_token"],
        "until": (now + LIFETIME).timestamp(),
    }
    plain = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(crypto.seal(plain)).decode()


def take_in(token: str, now: datetime) -> ResponseReturnValue | None:
    """After the sign-in: does what was posted, and answers with the page that follows. None if there is nothing."""
    if not token:
        return None
    try:
        content = json.loads(crypto.unseal(base64.urlsafe_b64decode(token)).decode("utf-8", "surrogatepass"))
    except (ValueError, binascii.Error, crypto.DataKeyError):
        return None
    found = _takers.get(content["endpoint"])
    if found is None or content["until"] < now.timestamp():
        return None
    return found[0](**content["args"], typed=MultiDict(content["typed"]))


def ask_to_sign_in(back: str, now: datetime) -> ResponseReturnValue:
    """The sign-in page, on the way back to `back`. What was posted goes along."""
    token = sealed(now)
    if not token:
        return redirect(url_for("auth.sign_in", next=back))
    return render_template(
        "auth/sign_in.html", next=back, pending=token, expired=True, email="", mistake=None
    ), 401
