"""A register over its months in three pictures, each with its table: lights, what is severe, money; and why plans are
behind. Register and unit show the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import request
from flask_babel import gettext as _
from markupsafe import Markup

from rules.values import Text
from webapp.models import Register
from webapp.moments import taipei_day
from webapp.plans import charts
from webapp.plans.charts import Bar, Series
from webapp.presentation import in_language
from webapp.queries import definitions, plan_trend
from webapp.queries.plan_lists import HUNDRED_MILLION
from webapp.queries.plan_trend import TWO_YEARS, YEAR, Month, Reason
from webapp.security import now

NO_REASON = Text(zh="未填類別", en="No class given")


@dataclass(frozen=True)
class Trend:
    """What the partial template plans/_trend.html shows."""

    months: Sequence[Month]
    #: how many months are asked for, and how many may be instead
    length: int
    other: int
    reasons: Sequence[Reason]
    lights: Markup
    severe: Markup
    #: none where no money was reported
    money: Markup | None
    why: Markup

    @property
    def behind(self) -> int:
        return sum(reason.plans for reason in self.reasons)


def trend(of: Register, month: date, unit_id: int | None = None) -> Trend:
    """Up to the month of the page; ?months=24 shows two years."""
    length = TWO_YEARS if request.args.get("months") == str(TWO_YEARS) else YEAR
    found = plan_trend.by_month(of, month, length, unit_id)
    reasons = plan_trend.by_reason(of, month, unit_id)
    return Trend(
        found,
        length,
        YEAR if length == TWO_YEARS else TWO_YEARS,
        reasons,
        _lights(found),
        _severe(found),
        _money(found) if any(each.due or each.spent for each in found) else None,
        _why(reasons),
    )


def reason_label(key: str | None) -> Text:
    """A class of reasons as the form of the report calls it; one that the form no longer offers by its key."""
    if key is None:
        return NO_REASON
    form = definitions.current_form("progress_report", taipei_day(now()))
    options = (option for field in form.fields if field.key == "reason_class" for option in field.options)
    return next((option.label for option in options if option.value == key), Text(zh=key, en=key))


def _lights(found: Sequence[Month]) -> Markup:
    rows = [Bar(_label(each.month), dict(each.lights)) for each in found]
    said = _("各月的燈號件數，詳見下方表格。")
    return Markup(charts.stacks("trend-lights", _("各月燈號"), said, rows))  # noqa: S704  # its texts are escaped there


def _severe(found: Sequence[Month]) -> Markup:
    last = found[-1] if found else None
    said = _("最近一期 %(n)s%%，詳見下方表格。", n=last.rate) if last and last.rate is not None else ""
    series = [Series(_("嚴重落後"), [each.rate for each in found], charts.LATE)]
    drawn = charts.lines(
        "trend-severe", _("嚴重落後比率"), said, [_label(each.month) for each in found], series, "%"
    )
    return Markup(drawn)  # noqa: S704  # its texts are escaped there


def _money(found: Sequence[Month]) -> Markup:
    series = [
        Series(_("預定"), [each.due / HUNDRED_MILLION for each in found], charts.PLANNED, dashes=True),
        Series(_("支用"), [each.spent / HUNDRED_MILLION for each in found], charts.ACTUAL),
    ]
    said = _("預定與實際支用的累計數（億元），詳見下方表格。")
    labels = [_label(each.month) for each in found]
    drawn = charts.lines("trend-money", _("各月預算執行"), said, labels, series, "")
    return Markup(drawn)  # noqa: S704  # its texts are escaped there


def _why(reasons: Sequence[Reason]) -> Markup:
    rows = [
        Bar(in_language(reason_label(each.key)), {"red": each.severe, "yellow": each.behind})
        for each in reasons
    ]
    said = _("各類落後原因的件數，詳見下方表格。")
    return Markup(charts.bars("by-reason", _("落後原因"), said, rows))  # noqa: S704  # its texts are escaped there


def _label(month: date) -> str:
    return f"{month.year - 1911}.{month.month:02}"
