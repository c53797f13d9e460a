"""What other programs call: no session, no page, answers in JSON."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("api", __name__)

from webapp.api import payments  # noqa: E402, F401  # it puts its route on bp
