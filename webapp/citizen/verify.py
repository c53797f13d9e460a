"""Whether a letter is genuine: asked by anybody who has it in hand."""

from __future__ import annotations

import hmac

from flask import render_template, request
from flask.typing import ResponseReturnValue

from rules.values import normalise_code
from webapp.citizen import bp
from webapp.errors import TooMany
from webapp.models import Letter
from webapp.presentation import language
from webapp.queries import letters, tracking
from webapp.security import now
from webapp.services import accounts, printing
from webapp.uow import unit_of_work


@bp.get("/verify")
def verify() -> ResponseReturnValue:
    """Says only that such a letter was issued, when and by whom: not to whom, nor what it says."""
    number, code = request.args.get("number", "")[:40], request.args.get("code", "")[:40]
    asked, found, mistake, status = bool(number.strip() and code.strip()), None, "", 200
    if asked:
        try:
            with unit_of_work():
                accounts.count_attempt("verify", request.remote_addr or "", now())
            found = _genuine(number, code)
        except TooMany as refusal:
            asked, mistake, status = False, refusal.text.in_(language()), refusal.status
    page = render_template(
        "citizen/verify.html",
        number=number,
        code=code,
        asked=asked,
        letter=found,
        agency=letters.township_of(found) if found is not None else None,
        changes=letters.changes_of(found) if found is not None else (),
        mistake=mistake,
        has_errors=bool(mistake),
    )
    return page, status


def _genuine(number: str, code: str) -> Letter | None:
    letter = tracking.letter_of(number)
    if letter is None:
        return None
    given = normalise_code(code).lower().encode("utf-8", "replace")
    return letter if hmac.compare_digest(printing.fingerprint(letter).encode(), given) else None
