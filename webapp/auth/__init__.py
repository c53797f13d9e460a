"""Signing in by e-mail and password, or by mobile number and one-time code."""

from flask import Blueprint

bp = Blueprint("auth", __name__, template_folder="templates")

from webapp.auth import views  # noqa: E402  # the views need the blueprint

__all__ = ["bp", "views"]
