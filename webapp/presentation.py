"""How values look on a page: language, dates, money, sizes, due words, and the entries of the header."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import Flask, current_app, redirect, request, url_for
from flask.globals import request_ctx
from flask_babel import Babel, get_locale, gettext, ngettext
from flask_login import current_user
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from rules.values import Text, format_day
from webapp import county_map, county_places

TAIPEI = ZoneInfo("Asia/Taipei")
LANGUAGES = {"zh": "zh_Hant_TW", "en": "en"}
HTML_LANG = {"zh": "zh-Hant-TW", "en": "en"}
COOKIE_AGE = 365 * 24 * 3600

#: entries of the header: endpoint, label, who sees it. A blueprint that is not registered has no entry.
NAVIGATION: tuple[tuple[str, Text, Literal["all", "citizen", "staff"]], ...] = (
    ("citizen.catalogue", Text(zh="申辦項目", en="Services"), "all"),
    ("citizen.follow", Text(zh="查詢進度", en="Track a case"), "all"),
    ("citizen.mine", Text(zh="我的申請", en="My applications"), "citizen"),
    ("staff.inbox", Text(zh="承辦作業", en="Casework"), "staff"),
    ("staff.notices", Text(zh="通知", en="Notices"), "staff"),
)


def init_app(app: Flask) -> None:
    Babel(app, default_locale=LANGUAGES["zh"], default_timezone=str(TAIPEI), locale_selector=select_locale)
    app.add_url_rule("/language/<any(zh, en):code>", "language", change_language)
    app.jinja_env.filters |= {
        "t": in_language,
        "roc_date": roc_date,
        "roc_datetime": roc_datetime,
        "clock_time": clock_time,
        "money": money,
        "number": number,
        "filesize": filesize,
        "due": due,
        "lines": lines,
    }
    app.jinja_env.globals |= {
        "language": language,
        "html_lang": html_lang,
        "site_name": site_name,
        "agency_name": agency_name,
        "navigation": navigation,
        "url_if_any": url_if_any,
        "language_url": language_url,
        "county_map": county_map,
        "places_of": county_places.places_of,
    }
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


# --- language --------------------------------------------------------------------------------------------


def select_locale() -> str:
    """Chinese, unless the visitor chose English; what the browser prefers is not asked."""
    return LANGUAGES.get(request.cookies.get("lang", "zh"), LANGUAGES["zh"])


def language() -> str:
    """zh or en, as the present page (or `force_locale`) has it; outside of both, zh."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def html_lang(lang: str = "") -> str:
    """For the attribute `lang`: of the page, or of a part of it that stays in its own language."""
    return HTML_LANG[lang or language()]


def in_language(value: Text | str | None) -> str:
    if value is None:
        return ""
    return value.in_(language()) if isinstance(value, Text) else value  # markup stays markup


def change_language(code: str) -> Response:
    """Remember the language and go back to the page the visitor came from."""
    answer = redirect(local_path(request.args.get("next", "")))
    answer.set_cookie(
        "lang",
        code,
        max_age=COOKIE_AGE,
        samesite="Lax",
        httponly=True,
        secure=bool(current_app.config.get("SESSION_COOKIE_SECURE")),
    )
    return answer


def language_url(code: str) -> str:
    """The switch on the present page; one that answered a POST is asked for again, where it can be."""
    back = request.full_path.rstrip("?") if request.query_string else request.path
    site = request_ctx.url_adapter
    if request.method != "GET" and not (site and site.test(request.path, method="GET")):
        back = "/"
    return url_for("language", code=code, next=back)


def local_path(target: str) -> str:
    """The target when it is a path of this site, else the start page: no open redirect."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if plain and target.isprintable() else "/"


# --- header ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    label: str
    url: str
    current: bool
    endpoint: str


def navigation() -> list[Entry]:
    """The entries that this visitor sees; the one whose blueprint shows the page is current."""
    kind = getattr(current_user, "kind", None)
    shown = {"all", "citizen"} if kind != "staff" else {"all", "staff"}
    return [
        Entry(in_language(label), url_for(endpoint), _is_current(endpoint), endpoint)
        for endpoint, label, audience in NAVIGATION
        if audience in shown and endpoint in current_app.view_functions
    ]


def _is_current(endpoint: str) -> bool:
    if endpoint == "staff.inbox":
        return request.blueprint == "staff" and request.endpoint != "staff.notices"
    return request.endpoint == endpoint


def url_if_any(endpoint: str, **values: Any) -> str | None:
    """The address of an endpoint, None when its blueprint is not registered."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def site_name() -> str:
    return _name("SITE_NAME")


def agency_name() -> str:
    return _name("AGENCY_NAME")


def _name(setting: str) -> str:
    english = current_app.config.get(f"{setting}_EN")
    return english if language() == "en" and english else current_app.config[setting]


# --- dates -----------------------------------------------------------------------------------------------


def roc_date(value: date | datetime | str | None, style: Literal["long", "short"] = "long") -> str:
    """民國115年11月22日 or 115.11.22; in English 22 November 2026. Moments are taken to Taipei first."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    day = _in_taipei(value).date() if isinstance(value, datetime) else value
    return format_day(day, language(), style)


def roc_datetime(value: datetime | str | None, style: Literal["long", "short"] = "long") -> str:
    """The day and the minute in Taipei."""
    if value is None or value == "":
        return ""
    moment = _in_taipei(datetime.fromisoformat(value) if isinstance(value, str) else value)
    return f"{roc_date(moment.date(), style)} {clock_time(moment)}"


def clock_time(value: datetime | None) -> str:
    return "" if value is None else format_datetime(_in_taipei(value), "HH:mm", locale="en")


def _in_taipei(moment: datetime) -> datetime:
    """Stored moments are UTC, with or without saying so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("UTC"))).astimezone(TAIPEI)


# --- numbers ---------------------------------------------------------------------------------------------


def number(value: Decimal | int | str | None) -> str:
    """1234.50 -> 1,234.50: the decimals stay as they are; what is no number stays as it is."""
    if value is None or value == "":
        return ""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return f"{amount:,f}" if amount.is_finite() else str(value)


def money(value: Decimal | int | str | None) -> str:
    """NT$ 1,000; a no-break space keeps the sign with its number, whole amounts have no decimals."""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = value.to_integral_value()
    amount = number(value)
    return f"NT$\N{NO-BREAK SPACE}{amount}" if amount else ""


def filesize(size: int | None) -> str:
    """830 KB, 1.2 MB: at least 1 KB, so that no file seems empty."""
    if size is None:
        return ""
    if size < 1 << 20:
        return f"{max(1, round(size / 1024))}\N{NO-BREAK SPACE}KB"
    return f"{size / (1 << 20):.1f}\N{NO-BREAK SPACE}MB"


def lines(value: str | None) -> Markup:
    """Text with its line ends kept, escaped."""
    return Markup("<br>").join(escape(line) for line in (value or "").split("\n"))


# --- deadlines -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    level: Literal["green", "yellow", "red", "paused", "none"]
    sign: str
    words: str


def due(days_left: int | None, warn: int = 2, paused: bool = False) -> Due:
    """The state of a deadline by colour, shape and words. `warn`: from how many working days on it is near."""
    if paused:
        return Due("paused", "❚❚", gettext("暫停計算"))
    if days_left is None:
        return Due("none", "", gettext("無期限"))
    if days_left < 0:
        late = -days_left
        return Due("red", "▲", ngettext("逾期 %(num)d 個工作天", "逾期 %(num)d 個工作天", late))
    if days_left == 0:
        return Due("yellow", "◆", gettext("今天到期"))
    words = ngettext("剩 %(num)d 個工作天", "剩 %(num)d 個工作天", days_left)
    return Due("yellow", "◆", words) if days_left <= warn else Due("green", "●", words)
