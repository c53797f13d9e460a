"""Settings: an explicit mapping first, then the environment. Secrets never have a default."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

MEGABYTE = 1024 * 1024

REQUIRED = ("DATABASE_URL", "SECRET_KEY", "ECOUNTER_DATA_KEY")

DEFAULTS: dict[str, Any] = {
    "SITE_NAME": "金門縣政府線上申辦 E櫃檯",
    "SITE_NAME_EN": "Kinmen County e-Counter",
    "AGENCY_NAME": "金門縣政府",
    "AGENCY_NAME_EN": "Kinmen County Government",
    "HELP_PHONE": "1999",
    #: the head who signs decisions; the demonstration invents one
    "HEAD_TITLE": "縣長",
    "HEAD_NAME": "林永安",
    "BASE_URL": "http://127.0.0.1:8000",
    "DEMO": "0",
    "SMTP_URL": "",
    "MAIL_FROM": "",
    #: how many proxies of our own stand before the web server; what they say of the visitor is believed
    "TRUSTED_PROXIES": "0",
    #: the bank of the virtual accounts; the demonstration invents one
    "PAYMENT_BANK_CODE": "009",
    "PAYMENT_BANK_NAME": "示範銀行",
    "PAYMENT_AGENCY_CODE": "99371",
    #: signs the bank's notifications; without one, none is believed in production
    "PAYMENT_SECRET": "",
    #: the postal one-year deposit rate in percent, with which a fee goes back after a late decision (規費法 19 II);
    #: a later rate with its first day: "1.6, 2024-03-27 1.725"
    "REFUND_INTEREST": "1.725",
}

#: what has a default for the demonstration alone
NO_DEFAULT_IN_PRODUCTION = (
    "BASE_URL",
    "HEAD_TITLE",
    "HEAD_NAME",
    "PAYMENT_BANK_CODE",
    "PAYMENT_BANK_NAME",
    "PAYMENT_AGENCY_CODE",
)


class MissingSetting(RuntimeError):
    """A required setting is in neither the mapping nor the environment."""


def settings(overrides: Mapping[str, object] | None = None) -> dict[str, Any]:
    given = dict(overrides or {})

    def read(name: str) -> Any:
        return given.get(name, os.environ.get(name, DEFAULTS.get(name)))

    missing = [name for name in REQUIRED if not read(name)]
    if is_production():
        missing += [name for name in NO_DEFAULT_IN_PRODUCTION if not given.get(name, os.environ.get(name))]
    if missing:
        raise MissingSetting(f"set {', '.join(missing)} in the environment")
    values: dict[str, Any] = {name: read(name) for name in (*REQUIRED, *DEFAULTS)}
    base_url = str(values["BASE_URL"]).rstrip("/")
    https = base_url.startswith("https://")  # cookies are then sent over https only
    values |= {
        "BASE_URL": base_url,
        "TRUSTED_PROXIES": int(values["TRUSTED_PROXIES"]),
        "DEMO": _flag(values["DEMO"]),
        "REFUND_INTEREST": dated_rates(str(values["REFUND_INTEREST"])),
        "PAYMENT_SECRET": str(values["PAYMENT_SECRET"]) or _trial_secret(str(values["SECRET_KEY"])),
        "SQLALCHEMY_DATABASE_URI": driver_url(str(values["DATABASE_URL"])),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_pre_ping": False,
            "pool_size": 8,
            "max_overflow": 8,
            # the connection that was used last is warm; one that idled since the last peak is not trusted for long
            "pool_use_lifo": True,
            "pool_recycle": 1800,
            "hide_parameters": True,
        },
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_NAME": "__Host-ecounter" if https else "ecounter",
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SECURE": https,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "SESSION_REFRESH_EACH_REQUEST": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 64 * MEGABYTE,
        #: a pasted book is answered with an error beside its field, not with a lost page
        "MAX_FORM_MEMORY_SIZE": 16 * MEGABYTE,
        "MAX_FORM_PARTS": 5000,
    }
    values |= {name: value for name, value in given.items() if name not in DEFAULTS}
    return values


def dated_rates(text: str) -> tuple[tuple[date, Decimal], ...]:
    """Percent a year, each from its first day on; one without a day held before all others."""
    try:
        rates = []
        for part in text.split(","):
            *since, rate = part.split()
            day = date.fromisoformat(*since) if since else date.min
            rates.append((day, Decimal(rate)))
    except (ArithmeticError, TypeError, ValueError):
        raise ValueError(f"REFUND_INTEREST is like 1.6, 2024-03-27 1.725, not {text!r}") from None
    if min(rates)[0] != date.min or any(rate < 0 for _, rate in rates):
        raise ValueError("REFUND_INTEREST needs a first rate without a day, and none below 0")
    return tuple(sorted(rates))


def is_production() -> bool:
    return os.environ.get("ECOUNTER_ENV") == "production"


def _trial_secret(secret: str) -> str:
    """A trial pays by its own signed notifications; production waits for the secret agreed with the bank."""
    return "" if is_production() else hmac.new(secret.encode(), b"payments", hashlib.sha256).hexdigest()


def driver_url(url: str) -> str:
    """Any PostgreSQL address, spoken to by psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def _flag(value: object) -> bool:
    return str(value).lower() in {"1", "true", "yes", "on"}
