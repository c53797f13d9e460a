"""The inbox with its tabs, claiming in place, and the search by case number."""

from __future__ import annotations

import hashlib
import re

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text, normalise_code
from webapp.moments import taipei_day
from webapp.presentation import in_language, local_path
from webapp.queries import case_page, committees, definitions, payouts
from webapp.queries import inbox as desk
from webapp.security import actor, now
from webapp.services import dispatch, letter_changes, phrases, tasks
from webapp.staff import bp, limits
from webapp.staff.words import CHANNELS, RISKS
from webapp.uow import unit_of_work

TITLES: dict[desk.Tab, Text] = {
    "mine": Text(zh="我的待辦", en="My tasks"),
    "pool": Text(zh="科內待分派", en="Unclaimed in my unit"),
    "co_review": Text(zh="會辦中", en="With other units"),
    "correction": Text(zh="待補正", en="Waiting for applicants"),
    "deputy": Text(zh="代理案件", en="As a deputy"),
    "due": Text(zh="今日到期", en="Due today"),
    "overdue": Text(zh="逾期", en="Overdue"),
    "done": Text(zh="已辦", en="Done"),
}
#: what an empty tab says
NOTHING: dict[desk.Tab, Text] = {
    "mine": Text(zh="您目前沒有待辦案件。", en="You have no open tasks."),
    "pool": Text(zh="科內沒有待分派的案件。", en="Nothing waits to be claimed."),
    "co_review": Text(zh="您的案件目前沒有在會辦。", en="None of your cases is with another unit."),
    "correction": Text(
        zh="您的案件目前沒有等候申請人補正。", en="No applicant has been asked for a correction."
    ),
    "deputy": Text(zh="今天您沒有代理的案件。", en="You stand in for nobody's cases today."),
    "due": Text(zh="今天沒有到期的案件。", en="Nothing is due today."),
    "overdue": Text(zh="沒有逾期案件。", en="Nothing is overdue."),
    "done": Text(zh="您還沒有辦完的案件。", en="You have finished nothing yet."),
}

#: EC06-115-000123, also without hyphens or leading zeros
_NUMBER = re.compile(r"([A-Z]{2,4}[0-9]{2})([0-9]{3})([0-9]{1,6})")
_PARTS = re.compile(r"([A-Z]{2,4}[0-9]{2})-([0-9]{2,3})-([0-9]{1,6})")


@bp.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("staff.inbox"))


@bp.get("/inbox")
def inbox() -> ResponseReturnValue:
    tab = _tab()
    filters = desk.Filters(request.args.get("service", ""), request.args.get("channel", ""))
    page = desk.page(actor(), tab, now(), filters, request.args.get("after", ""))
    services = definitions.current_services(taipei_day(now()))
    counts = desk.counts(actor(), now())
    return render_template(
        "staff/inbox.html",
        tab=tab,
        title=TITLES[tab],
        nothing=NOTHING[tab],
        **_sidebar(tab, counts),
        count=_shown(counts[tab]),
        page=page,
        extensions=limits.waiting(),
        minutes_waiting=len(committees.to_approve(actor())),
        filters=filters,
        is_filtered=bool(filters.service or filters.channel),
        services=[(s.code, f"{s.code} {in_language(s.title)}") for s in services],
        channels=list(CHANNELS.items()),
        channel_words=CHANNELS,
        risks=RISKS,
        here=request.full_path.rstrip("?"),
        first=_url(tab, filters),
        following=_url(tab, filters, page.after) if page.after else None,
    )


@bp.get("/inbox/counts")
def inbox_counts() -> ResponseReturnValue:
    """The column of tabs alone, asked for again and again; unchanged it costs a 304."""
    tab = _tab()
    counts = desk.counts(actor(), now())
    answer = make_response(render_template("staff/_tabs.html", tabs=_tabs(tab, counts)))
    answer.set_etag(_etag(tab, counts))
    return answer.make_conditional(request)


@bp.post("/tasks/<pid>/claim")
def claim(pid: str) -> ResponseReturnValue:
    with unit_of_work():
        task = tasks.visible(actor(), pid)
        tasks.claim(actor(), task, now())
    flash(_("已受理 %(number)s，案件在「我的待辦」。", number=task.case.number), "success")
    return redirect(_back())


@bp.post("/tasks/<pid>/release")
def release(pid: str) -> ResponseReturnValue:
    with unit_of_work():
        task = tasks.visible(actor(), pid)
        tasks.release(actor(), task, now())
    flash(_("%(number)s 已退回科內待分派。", number=task.case.number), "success")
    return redirect(_back())


@bp.get("/search")
def search() -> ResponseReturnValue:
    """A case by its number, however it is typed; one that the officer may not see is not found."""
    asked = request.args.get("q", "").strip()
    number = canonical_number(asked)
    found = case_page.by_number(actor(), number) if number else None
    if found is not None:
        return redirect(url_for("staff.case", pid=found))
    counts = desk.counts(actor(), now())
    return render_template("staff/search.html", asked=asked, number=number, **_sidebar(None, counts))


def canonical_number(asked: str) -> str | None:
    """EC06-115-000123 from 「ec06 115 123」, full-width forms and the like; None when it is no case number."""
    spaced = re.sub(r"[\s\-‐-―−－]+", "-", asked.strip())
    parts = _PARTS.fullmatch(
        "-".join(normalise_code(part) for part in spaced.split("-"))
    ) or _NUMBER.fullmatch(normalise_code(asked))
    if parts is None:
        return None
    service, year, serial = parts.groups()
    return f"{service}-{int(year):03d}-{int(serial):06d}"


def _tab() -> desk.Tab:
    asked = request.args.get("tab", "mine")
    return next((tab for tab in desk.TABS if tab == asked), "mine")


def _sidebar(current: desk.Tab | None, counts: dict[desk.Tab, int]) -> dict[str, object]:
    return {
        "tabs": _tabs(current, counts),
        "etag": _etag(current, counts),
        "takes_in": actor().may("take_in_at_counter"),
        "manages_slots": actor().may("manage_slots"),
        "keeps_phrases": bool(phrases.units_of(actor())),
        "changes_waiting": len(letter_changes.waiting_for(actor())),
        "sends_letters": any(m.function in dispatch.SENDERS for m in actor().mandates),
        "resends": actor().may("resend_effects"),
        "sees_rule_alarms": actor().may("see_rule_alarms"),
        "administers": actor().may("administer"),
        "edits_definitions": actor().may("edit_definitions"),
        "expedites": actor().may("see_expediting"),
        "checks_samples": actor().may("check_samples"),
        "sees_surveys": actor().may("see_cases_of_unit") or actor().may("see_every_case"),
        "takes_payments": actor().may("take_payments"),
        "sees_payouts": payouts.may_see(actor()),
    }


def _tabs(current: desk.Tab | None, counts: dict[desk.Tab, int]) -> list[dict[str, object]]:
    return [
        {
            "title": TITLES[tab],
            "url": url_for("staff.inbox", tab=tab),
            "count": _shown(counts[tab]),
            "current": tab == current,
        }
        for tab in desk.TABS
    ]


def _shown(count: int) -> str:
    return f"{desk.MOST_COUNTED - 1}+" if count >= desk.MOST_COUNTED else str(count)


def _etag(tab: desk.Tab | None, counts: dict[desk.Tab, int]) -> str:
    plain = f"{tab}{sorted(counts.items())}"
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _url(tab: desk.Tab, filters: desk.Filters, after: str | None = None) -> str:
    return url_for(
        "staff.inbox",
        tab=tab,
        service=filters.service or None,
        channel=filters.channel or None,
        after=after,
    )


def _back() -> str:
    """The page on which the button stood."""
    target = local_path(request.form.get("next", ""))
    return target if target != "/" else url_for("staff.inbox")
