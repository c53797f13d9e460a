"""One draft: what is wrong with it, what it changes and for whom, and who puts it into force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.differences import differences
from rules.values import Problem, Text, parse_roc_date, roc_year, say
from webapp import pending
from webapp.admin import bp, words
from webapp.errors import Misfit, Refused
from webapp.models import DefinitionDraft
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.queries import desk as queries
from webapp.queries import live_cases, publications, trials
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import desk
from webapp.uow import unit_of_work

Typed = MultiDict[str, str]
Mistakes = dict[str, list[str]]


@bp.get("/drafts/<int:draft>")
def draft(draft: int) -> ResponseReturnValue:
    return _page(draft)


@bp.post("/drafts/<int:draft>/submit")
def submit_draft(draft: int) -> ResponseReturnValue:
    def act() -> None:
        day = _day(request.form)
        reason = request.form.get("reason", "")
        desk.submit(actor(), draft, reason, day, now(), version=_version())

    return _done(draft, act, _("已送審，其他編輯人員已收到通知。現行版本照常執行。"))


@bp.post("/drafts/<int:draft>/send-back")
def send_draft_back(draft: int) -> ResponseReturnValue:
    def act() -> None:
        desk.send_back(actor(), draft, request.form.get("comment", ""), now(), version=_version())

    return _done(draft, act, _("已退回，草稿可以再修改。"))


@bp.post("/drafts/<int:draft>/approve")
def approve_draft(draft: int) -> ResponseReturnValue:
    def act() -> None:
        desk.approve(actor(), draft, now(), version=_version())

    return _done(draft, act, _("已核准發布。"))


@bp.post("/drafts/<int:draft>/catch-up")
def catch_draft_up(draft: int) -> ResponseReturnValue:
    def act() -> None:
        desk.catch_up(actor(), draft, now(), version=_version())

    return _done(draft, act, _("已納入新版本，請看過差異再送審。"))


@bp.post("/drafts/<int:draft>/discard")
def discard_draft(draft: int) -> ResponseReturnValue:
    """Asks first."""
    found = queries.draft(draft)
    if request.form.get("do") != "discard":
        standing = queries.standing(found.kind, found.key, taipei_day(now()))
        return render_template(
            "admin/draft_discard.html", draft=found, title=standing.title, version=_version()
        )
    back = url_for("admin.definition", kind=found.kind, key=found.key)
    with unit_of_work():
        desk.discard(actor(), draft, now(), version=_version())
    flash(_("草稿已捨棄，現行版本不受影響。"), "success")
    return redirect(back)


@pending.takes_in("admin.submit_draft")
@pending.takes_in("admin.send_draft_back")
def typed_again(draft: int, typed: Typed) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was typed, nothing happened yet."""
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _page(draft, typed), 400


def _done(draft: int, act: Callable[[], None], said: str) -> ResponseReturnValue:
    """The page again, with what was typed where it was refused."""
    try:
        with unit_of_work():
            act()
    except desk.NotFit as refusal:
        body = queries.draft(draft).mapping
        mistakes = [in_language(_located(each, body)) for each in refusal.problems]
        return _page(draft, request.form, {"": mistakes}), 422
    except Misfit as mistake:
        return _page(draft, request.form, {mistake.field: [in_language(mistake.text)]}), 422
    except Refused as refusal:
        return _page(draft, request.form, {"": [in_language(refusal.text)]}), 422
    flash(said, "success")
    return redirect(url_for("admin.draft", draft=draft))


def _located(problem: Problem, body: dict[str, object]) -> Text:
    if not problem.path:
        return problem.message
    return say(
        "{place}：{said}", "{place}: {said}", place=trials.place(problem.path, body), said=problem.message
    )


def _page(draft: int, typed: Typed | None = None, mistakes: Mistakes | None = None) -> str:
    found = queries.draft(draft)
    today = taipei_day(now())
    standing = queries.standing(found.kind, found.key, today)
    live = found.state in queries.LIVE
    before = standing.in_force if live else queries.base(found) or standing.in_force
    checked = trials.check(found.mapping, found.key)
    newest = publications.newest(found.kind, found.key)
    me = actor().account_id
    hands = desk.hands(found)
    overtaken = live and newest is not None and newest.id != found.known_publication_id
    return render_template(
        "admin/draft.html",
        draft=found,
        standing=standing,
        live=live,
        before=before,
        checked=checked,
        differences=differences(before.mapping, found.mapping, queries.names()),
        overtaken=overtaken,
        both=queries.caught_up(found)[1] if overtaken else [],
        tried=_tried(found, standing, checked, today) if live else None,
        may_approve=me not in hands,
        mine=me in hands,
        people=chart().names,
        hands=", ".join(chart().names.get(each, "") for each in sorted(hands)),
        words=words,
        typed=typed or MultiDict(),
        boxes=_boxes(typed, found.effective_from or today),
        mistakes=mistakes or {},
        longest=desk.LONGEST_REASON,
        today=today,
    )


def _tried(
    found: DefinitionDraft, standing: queries.Standing, checked: trials.Checked, today: date
) -> tuple[trials.Trial, live_cases.Touched] | None:
    """A sample of the newest decisions and what is open; the page of the trial looks at all of them."""
    if checked.decider is None:
        return None
    current = trials.in_force(standing.in_force)
    if current is None:
        return None
    since = found.effective_from or today
    return (
        trials.over_past(
            actor(), current, checked.decider, today - desk.PAST, today, QUICK, newest=trials.NEWEST
        ),
        live_cases.touched(actor(), current, checked.decider, today, since, QUICK),
    )


#: seconds that the page of a draft waits for each part of its trial
QUICK = 1.5


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _day(form: Typed) -> date:
    parts = {part: form.get(f"effective_from-{part}", "").strip() for part in ("year", "month", "day")}
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(parts))
    except ValueError:
        raise Misfit(
            "effective_from",
            Text(
                zh="請填寫真實存在的日期，例如 115 年 12 月 3 日。",
                en="Enter a real date, for example 3 12 115.",
            ),
        ) from None


def _boxes(typed: Typed | None, day: date) -> dict[str, str]:
    if typed and "effective_from-year" in typed:
        return {part: typed.get(f"effective_from-{part}", "") for part in ("year", "month", "day")}
    return {"year": str(roc_year(day)), "month": str(day.month), "day": str(day.day)}
