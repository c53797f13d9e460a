"""The public counter: find a service, apply, follow the case."""

from flask import Blueprint

bp = Blueprint("citizen", __name__, template_folder="templates")

from webapp.citizen import (  # noqa: E402  # the views need the blueprint
    apply,
    booking,
    cases,
    catalogue,
    corrections,
    files,
    follow,
    handover,
    money,
    pages,
    paper_forms,
    review,
    survey,
    verify,
)

__all__ = [
    "apply",
    "booking",
    "bp",
    "cases",
    "catalogue",
    "corrections",
    "files",
    "follow",
    "handover",
    "money",
    "pages",
    "paper_forms",
    "review",
    "survey",
    "verify",
]
