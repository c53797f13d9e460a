"""稽催: the last sweep and the next one, the overdue cases with their holders, and 調卷分析 of a case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.values import Text, format_day
from webapp import pending, spreadsheets
from webapp.errors import Forbidden, NotFound, Refused
from webapp.models import Case
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.queries import definitions, holding, overdue_lists
from webapp.queries import expediting as late
from webapp.queries.expediting import Named, Overdue, Rung
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import cases, deadlines, file_reviews
from webapp.staff import bp
from webapp.uow import unit_of_work

MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@bp.get("/expediting")
def expediting() -> ResponseReturnValue:
    _require()
    unit_id = _unit()
    run = late.last_run()
    tomorrow, coming = _coming()
    page = late.overdue(actor(), now(), unit_id, request.args.get("after", ""))
    count = late.count_overdue(actor(), now(), unit_id)
    return render_template(
        "staff/expediting.html",
        run=run,
        reached=late.rungs_of(run, actor()) if run is not None else [],
        tomorrow=tomorrow,
        coming=coming,
        page=page,
        count=f"{late.MOST_COUNTED - 1}+" if count >= late.MOST_COUNTED else str(count),
        months=overdue_lists.months(actor()),
        units=_units(),
        unit=request.args.get("unit", "") if unit_id is not None else "",
        first=url_for("staff.expediting", unit=request.args.get("unit") or None),
        following=url_for("staff.expediting", unit=request.args.get("unit") or None, after=page.after)
        if page.after
        else None,
    )


@bp.get("/expediting/overdue.<any(csv,xlsx):kind>")
def overdue_list(kind: str) -> ResponseReturnValue:
    """What is overdue today, by unit."""
    _require()
    found = late.every_overdue(actor(), now(), _unit())
    found.sort(key=lambda item: item.unit.zh)
    return _file(found, kind, f"overdue-{taipei_day(now())}")


@bp.get("/expediting/months/<month>")
def overdue_month(month: str) -> ResponseReturnValue:
    found = _month(month)
    return render_template("staff/overdue_month.html", month=found, lines=overdue_lists.lines(actor(), found))


@bp.get("/expediting/months/<month>/list.<any(csv,xlsx):kind>")
def overdue_month_file(month: str, kind: str) -> ResponseReturnValue:
    found = _month(month)
    return _file(overdue_lists.lines(actor(), found), kind, f"overdue-{found.key}")


def _month(key: str) -> overdue_lists.Month:
    _require()
    found = overdue_lists.month(actor(), key)
    if found is None:
        raise NotFound()
    return found


def _file(found: Sequence[Overdue], kind: str, name: str) -> Response:
    """逾期未辦畢公文清單, to be signed and sent to the heads of units; one row a step that is open."""
    lang = language()
    rows: list[spreadsheets.Row] = [
        [
            _("單位"),
            _("案號"),
            _("項目"),
            _("到期日"),
            _("逾期工作天"),
            _("關卡"),
            _("持有人"),
            _("停留工作天"),
            _("停留最久的單位"),
            _("停留最久的關卡"),
            _("停留最久的工作天"),
        ]
    ]
    for item in found:
        longest = item.longest
        for holder in item.holders or (None,):
            rows.append(
                [
                    in_language(item.unit),
                    item.case.number,
                    in_language(item.service),
                    format_day(item.due_on, lang),
                    -item.days_left,
                    *([in_language(holder.step), holder.name, holder.days] if holder else ("", "", "")),
                    *(
                        [in_language(longest.unit), in_language(longest.step), longest.days]
                        if longest
                        else ("", "", "")
                    ),
                ]
            )
    content = spreadsheets.as_csv(rows) if kind == "csv" else spreadsheets.as_xlsx(rows, _("逾期清單"))
    answer: Response = make_response(content)
    answer.mimetype = MEDIA_TYPES[kind]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer


@bp.get("/cases/<pid>/holding", endpoint="holding")
def holding_of(pid: str) -> ResponseReturnValue:
    return _holding(cases.visible(actor(), pid))


@bp.post("/cases/<pid>/holding")
def write_opinion(pid: str) -> ResponseReturnValue:
    typed = request.form.get("opinion", "")
    found = cases.visible(actor(), pid)
    try:
        with unit_of_work():
            file_reviews.write(actor(), found, typed, now())
    except Refused as refusal:
        return _holding(cases.visible(actor(), pid), typed, refusal.text), 422
    flash(_("已記錄您的意見。"), "success")
    return redirect(url_for("staff.holding", pid=pid))


@pending.takes_in("staff.write_opinion")
def opinion_again(pid: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was typed, nothing is recorded yet."""
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _holding(cases.visible(actor(), pid), typed.get("opinion", "")), 400


def _holding(case: Case, typed: str = "", mistake: Text | None = None) -> str:
    spans = holding.of_case(case, now())
    return render_template(
        "staff/holding.html",
        case=case,
        service=definitions.service(case.service_revision_id),
        spans=spans,
        totals=holding.by_unit(spans),
        opinions=holding.opinions(case.id),
        may_write=file_reviews.may_write(actor(), case),
        typed=typed,
        mistakes=[in_language(mistake)] if mistake is not None else [],
        longest=file_reviews.LONGEST,
    )


def _coming() -> tuple[object, list[Rung]]:
    """Which cases will reach which rung on the next working day, if nothing moves."""
    tomorrow, reached = deadlines.forecast(actor(), now())
    named: dict[str, list[Named]] = defaultdict(list)
    totals: Counter[str] = Counter()
    for each in reached:
        for params in each.rungs:
            totals[params["rung"]] += 1
            named[params["rung"]].append(Named(each.clock.public_id, each.clock.number))
    return tomorrow, late.in_order(named, totals, tomorrow)


def _unit() -> int | None:
    unit = chart().by_code.get(request.args.get("unit", ""))
    return unit.id if unit is not None else None


def _units() -> list[tuple[str, str]]:
    """The units whose cases the actor may see, for the filter."""
    tree, me = chart(), actor()
    own = {unit for m in me.mandates for unit in tree.within(m.unit_id)}
    return [
        (unit.code, unit.name(language()))
        for unit in tree.units.values()
        if me.may("see_every_case") or unit.id in own
    ]


def _require() -> None:
    if not actor().may("see_expediting"):
        raise Forbidden(
            Text(
                zh="只有單位主管與研考單位可以查看稽催。",
                en="Only heads of units and the research office see this page.",
            )
        )
