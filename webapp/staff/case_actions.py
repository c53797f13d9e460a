"""The page of an action on a case that no workflow repeats: one page for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from rules.values import Text, parse_roc_date
from webapp.errors import Conflict, DomainError, Forbidden, Refused
from webapp.models import Case
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import case_actions, cases, co_review, competence, steps, tasks
from webapp.services.case_actions import ACTIONS, Asked, Input, Offer
from webapp.services.steps import Context
from webapp.staff import bp, limits, shown
from webapp.uow import unit_of_work

DATE_PARTS = ("year", "month", "day")
LONGEST = {"reason": 2000, "question": 2000, "number": 40, "agency": 80}

MISSING: dict[Input, Text] = {
    "unit": Text(zh="請選擇單位。", en="Choose a unit."),
    "days": Text(zh="請選擇期限。", en="Choose a time limit."),
    "question": Text(zh="請寫明要請教的事項。", en="Say what you want to know."),
    "number": Text(zh="請填寫主案案號。", en="Give the number of the leading case."),
    "agency": Text(zh="請填寫機關名稱。", en="Give the name of the agency."),
    "until": Text(
        zh="請填寫真實存在的日期，例如 115 年 12 月 3 日。", en="Give a real date, such as 3 December 2026."
    ),
    "desk": Text(zh="請選擇要交給誰。", en="Choose who takes it."),
    "reason": Text(zh="請寫明理由。", en="Give a reason."),
}


@dataclass(frozen=True)
class Link:
    label: Text
    url: str


@dataclass(frozen=True)
class Links:
    """What the case page offers besides the actions of the workflow."""

    on_case: list[Link] = field(default_factory=list)
    on_tasks: dict[int, list[Link]] = field(default_factory=dict)


def links(ctx: Context) -> Links:
    found = Links()
    for offer in case_actions.offers(actor(), ctx, now()):
        link = Link(ACTIONS[offer.name].label, _url(ctx.case, offer))
        if offer.task is None:
            found.on_case.append(link)
        else:
            found.on_tasks.setdefault(offer.task.id, []).append(link)
    return found


@bp.route("/cases/<pid>/also/<name>", methods=["GET", "POST"])
def also(pid: str, name: str) -> ResponseReturnValue:
    ctx = steps.context(cases.visible(actor(), pid))
    task_id = request.args.get("task", "")
    offer = case_actions.find(case_actions.offers(actor(), ctx, now()), name, task_id)
    if request.method == "GET":
        if offer is None:
            flash(why_not(ctx, name), "warning")
            return redirect(url_for("staff.case", pid=pid))
        return _page(ctx, offer, Asked(), ctx.case.version)
    asked, version = _asked(), _version(request.form.get("version", ""))
    if offer is None:
        error = (
            cases.overtaken(ctx.case)
            if cases.has_moved_on(ctx.case, version)
            else Forbidden(
                Text(
                    zh="這個動作現在不能執行，或不是由您辦理。",
                    en="This action is not possible now, or it is not yours.",
                )
            )
        )
        return _stale(ctx.case, error, asked)
    mistakes = _mistakes(offer, asked)
    if mistakes:
        return _page(ctx, offer, asked, version, mistakes, status=422)
    try:
        with unit_of_work():
            case_actions.take(actor(), ctx.case, name, task_id, asked, now(), version=version)
    except (Conflict, Forbidden) as error:
        return _stale(ctx.case, error, asked)
    except Refused as refusal:
        return _page(ctx, offer, asked, version, refusal=refusal.text, status=422)
    flash(
        _(
            "%(number)s 已完成「%(action)s」。",
            number=ctx.case.number,
            action=in_language(ACTIONS[name].label),
        ),
        "success",
    )
    return redirect(_onwards(pid))


def why_not(ctx: Context, name: str) -> str:
    """What stands against an action that is not offered, as far as separation of duties is why."""
    reasons = case_actions.withheld(actor(), ctx, now(), name)
    if reasons:
        return " ".join(in_language(reason.why) for reason in reasons)
    return _("這個動作現在不能執行：案件可能已有人先處理，或不是由您承辦。")


def _onwards(pid: str) -> str:
    """The case, as long as the officer still sees it."""
    try:
        cases.visible(actor(), pid)
    except DomainError:
        return url_for("staff.inbox")
    return url_for("staff.case", pid=pid)


def _url(case: Case, offer: Offer) -> str:
    task = offer.task.public_id if offer.task else None
    return url_for("staff.also", pid=case.public_id, name=offer.name, task=task)


def _asked() -> Asked:
    sent = request.form
    return Asked(
        desk=sent.get("desk", ""),
        unit=sent.get("unit", ""),
        days=sent.get("days", ""),
        question=_text("question"),
        number=_text("number"),
        agency=_text("agency"),
        until=_day(),
        reason=_text("reason"),
    )


def _typed_day() -> dict[str, str]:
    return {part: request.form.get(f"until-{part}", "").strip() for part in DATE_PARTS}


def _day() -> date | None:
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(_typed_day()))
    except ValueError:
        return None


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _version(sent: str) -> int:
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else -1


def _mistakes(offer: Offer, asked: Asked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {
        name: [in_language(MISSING[name])] for name in ACTIONS[offer.name].asks if not getattr(asked, name)
    }
    for name, most in LONGEST.items():
        length = len(getattr(asked, name))
        if length > most:
            found[name] = [_("最多 %(n)s 字，目前 %(now)s 字。", n=most, now=length)]
    return found


def _page(
    ctx: Context,
    offer: Offer,
    asked: Asked,
    version: int,
    mistakes: dict[str, list[str]] | None = None,
    *,
    refusal: Text | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "staff/also.html",
        standing_still=limits.standing_still(ctx.case),
        case=ctx.case,
        service=ctx.service,
        action=ACTIONS[offer.name],
        here=_url(ctx.case, offer),
        acts_for=shown.staff_name(offer.acting_for_id),
        desk=shown.desk(ctx.workflow, offer.task, taipei_day(now())) if offer.task else None,
        asked=asked,
        until=_typed_day(),
        version=version,
        mistakes=mistakes or {},
        refusal=refusal,
        has_errors=status == 422,
        desks=_desks(ctx, offer),
        units=_units(ctx.case, offer),
        periods=[
            (days, ngettext("%(num)d 個工作天", "%(num)d 個工作天", int(days))) for days in co_review.PERIODS
        ],
    )
    return page, status


def _desks(ctx: Context, offer: Offer) -> list[tuple[str, str]]:
    if "desk" not in ACTIONS[offer.name].asks or offer.task is None:
        return []
    found = tasks.desks(actor(), ctx, offer.task, taipei_day(now()))
    return [(d.key, f"{shown.unit_name(d.unit_id)}　{shown.staff_name(d.account_id)}") for d in found]


def _units(case: Case, offer: Offer) -> list[tuple[str, str]]:
    found = {
        "ask_opinion": lambda: co_review.units(taipei_day(now())),
        "move": lambda: competence.units(case, now()),
    }.get(offer.name, list)()
    return [(chart().units[u].code, shown.unit_name(u)) for u in found]


def _stale(case: Case, error: DomainError, asked: Asked) -> ResponseReturnValue:
    page = render_template(
        "staff/stale.html",
        case=case,
        message=error.text,
        is_conflict=isinstance(error, Conflict),
        typed={"comment": asked.reason or asked.question},
        fields=[],
        day="",
        written=[],
    )
    return page, error.status
