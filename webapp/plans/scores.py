"""施政績效: the tables of all years, one table, its indicators, the review, and the reports."""

from __future__ import annotations

import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict

from rules.values import Text
from webapp import error_pages, pending, sheets
from webapp.citizen.cases import being_printed
from webapp.errors import Conflict, DomainError, Misfit, Refused
from webapp.models import ScoreIndicator, ScoreYear
from webapp.models.scores import STATES
from webapp.moments import taipei_day
from webapp.plans import bp, score_words
from webapp.presentation import in_language, language
from webapp.queries import definitions, plan_tree
from webapp.queries.org import chart
from webapp.queries.score_figures import FIGURES
from webapp.security import actor, now
from webapp.services import documents, score_editions, score_import, score_reports, scores
from webapp.services import score_table as tables
from webapp.services.plan_control import require
from webapp.services.score_table import Table, plain
from webapp.staff.typed import Mistakes, version, year_in
from webapp.uow import unit_of_work

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: bad rows that the page names
MOST_NAMED = 50
#: what the pages say of a table, its lines and its states
WORDS: dict[str, Any] = {
    "plain": plain,
    "states": scores.NAMES,
    "colours": score_words.COLOURS,
    "lights": score_words.LIGHTS,
    "origins": score_words.ORIGINS,
    "directions": score_words.DIRECTIONS,
    "verdicts": score_words.VERDICTS,
    "stages": score_words.STAGES,
}


@bp.route("/scores", methods=["GET", "POST"])
def score_years() -> ResponseReturnValue:
    """All tables, and a new one: with the indicators of another, or from a file."""
    mistakes = Mistakes()
    if request.method == "POST":
        require(actor())
        begin = _from_file if request.form.get("action") == "import" else _from_pattern
        try:
            with unit_of_work():
                key = begin().public_id
        except sheets.BadSheet as bad:
            mistakes["file"] = [in_language(each.words) for each in bad.problems[:MOST_NAMED]]
            if (more := len(bad.problems) - MOST_NAMED) > 0:
                mistakes["file"].append(_("還有 %(n)s 個錯誤。", n=more))
        except (Refused, Conflict) as refusal:
            mistakes[getattr(refusal, "field", "year")] = [in_language(refusal.text)]
        else:
            flash(_("績效表已建立。"), "success")
            return redirect(url_for("plans.score_table", pid=key))
    listed, tree = scores.years(), chart()
    page = render_template(
        "plans/scores.html",
        years=[(year, scores.totals(year)) for year in listed],
        units=tree.units,
        unit_options=[(unit.code, unit.name(language())) for unit in tree.units.values()],
        action=request.form.get("action", ""),
        patterns=[(year.public_id, _called(year)) for year in listed],
        next_year=taipei_day(now()).year - 1911,
        may_start=actor().may("control_plans"),
        typed=request.form,
        mistakes=mistakes,
        **WORDS,
    )
    return page, 422 if mistakes else 200


def _from_pattern() -> ScoreYear:
    pattern = scores.find(request.form.get("pattern", ""))
    return score_editions.start(actor(), pattern, _typed_year(), now())


def _from_file() -> ScoreYear:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Misfit("file", Text(zh="請選擇檔案。", en="Choose a file."))
    source = score_import.Source(_typed_year(), request.form.get("unit", ""))
    annex = request.files.get("annex")
    beside = annex.read() if annex is not None and annex.filename else None
    return score_import.take_in(actor(), source, upload.read(), beside, now())[0]


def _typed_year() -> int:
    year = year_in(request.form.get("year", ""))
    if year is None:
        raise Misfit("year", Text(zh="請填民國年度，例如 115。", en="Give a ROC year, such as 115."))
    return year


def _called(year: ScoreYear) -> str:
    return _("%(year)s 年度 %(unit)s 第 %(n)s 版", year=year.year, unit=year.unit_name, n=year.edition)


@bp.get("/scores/<pid>")
def score_table(pid: str) -> ResponseReturnValue:
    return _table_page(scores.find(pid))


@bp.post("/scores/<pid>")
def take_score_step(pid: str) -> ResponseReturnValue:
    """Handed in, moved on, sent back, or corrected by a new edition."""
    year, action = scores.find(pid), request.form.get("action", "")
    comment, following = request.form.get(f"comment-{action}", "").strip(), pid
    try:
        with unit_of_work():
            if action == "send_back":
                scores.send_back(actor(), year, comment, now(), version=version())
            elif action == "correct":
                made = score_editions.correct(actor(), year, comment, now(), version=version())
                following = made.public_id
            else:
                scores.advance(actor(), year, comment, now(), version=version())
    except (Refused, Conflict) as refusal:
        field = getattr(refusal, "field", "")
        mistakes = {f"comment-{action}" if field else "": [in_language(refusal.text)]}
        return _table_page(scores.find(pid), mistakes, comment), refusal.status
    done = scores.NAMES[scores.find(following).state]
    flash(_("已完成，這張表現在是「%(state)s」。", state=in_language(done)), "success")
    return redirect(url_for("plans.score_table", pid=following))


def _table_page(year: ScoreYear, mistakes: Mistakes | None = None, comment: str = "") -> str:
    table = tables.build(year)
    following = STATES[STATES.index(year.state) + 1] if year.state != "published" else None
    may_control = actor().may("control_plans")
    moves = scores.may_hand_in(actor(), year) if year.state == "drafting" else may_control
    return render_template(
        "plans/score_table.html",
        year=year,
        table=table,
        unit=chart().units[year.unit_id],
        names=chart().names,
        mid_terms=plan_tree.mid_terms_of_goals(year.id),
        steps=scores.steps(year),
        figures=score_reports.figures(year),
        notes=score_reports.all_notes(table),
        weight_mistakes=tables.weight_mistakes(year) if year.state == "drafting" else [],
        editions=[each for each in scores.years() if _is_sister(each, year)],
        following=following if moves else None,
        may_control=may_control,
        lights_rule=score_words.lights_rule(table),
        mistakes=mistakes or {},
        comment=comment,
        longest=scores.LONGEST_COMMENT,
        **WORDS,
    )


def _is_sister(other: ScoreYear, year: ScoreYear) -> bool:
    return (other.unit_id, other.year) == (year.unit_id, year.year) and other.id != year.id


# --- one indicator ------------------------------------------------------------------------------------------


@bp.get("/scores/<pid>/indicators/<key>")
def score_indicator(pid: str, key: str) -> ResponseReturnValue:
    year = scores.find(pid)
    return _indicator_page(year, scores.indicator(year, key))


@bp.post("/scores/<pid>/indicators/<key>")
def change_score_indicator(pid: str, key: str) -> ResponseReturnValue:
    """What the unit reports, or what the research office asks for."""
    year = scores.find(pid)
    row, action, mistakes = scores.indicator(year, key), request.form.get("action", ""), Mistakes()
    try:
        if action == "define":
            asked = _definition(mistakes)
            if not mistakes and asked is not None:
                with unit_of_work():
                    scores.define(actor(), year, row, asked, now(), version=version())
        elif action.startswith("remove:"):
            with unit_of_work():
                scores.remove_file(actor(), year, row, action.removeprefix("remove:"), now())
        else:
            _report(year, row, mistakes)
    except (Refused, Conflict) as refusal:
        mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
        year = scores.find(pid)
        return _indicator_page(year, scores.indicator(year, key), mistakes), refusal.status
    if mistakes:
        return _indicator_page(year, row, mistakes), 422
    flash(_("已儲存。"), "success")
    return redirect(url_for("plans.score_indicator", pid=pid, key=key))


def _report(year: ScoreYear, row: ScoreIndicator, mistakes: Mistakes) -> None:
    typed = request.form
    raw = typed.get("achieved", "").strip()
    achieved = _quantity("achieved", raw, mistakes, optional=True)
    upload = request.files.get("file")
    if mistakes:
        return
    said = scores.Report(raw[:40], achieved, typed.get("evidence", "").strip(), typed.get("comment", ""))
    with unit_of_work():
        scores.report(actor(), year, row, said, now(), version=version())
        if upload is not None and upload.filename:
            scores.add_file(actor(), year, row, upload.filename, upload.read(), now())


def _quantity(name: str, typed: str, mistakes: Mistakes, *, optional: bool = False) -> Decimal | None:
    """The number that a typed value begins with: 378人, 20%, １，０６９."""
    if not typed and optional:
        return None
    found = sheets.leading_number(typed)
    if found is None or found < 0 or found >= 10**12 or found != round(found, 4):
        mistakes[name] = [_("請填 0 以上、最多四位小數的數字，例如 378 或 20%。")]
        return None
    return found


def _definition(mistakes: Mistakes) -> scores.Definition | None:
    typed = {name: value.strip() for name, value in request.form.items()}
    title, target_raw = typed.get("title", ""), typed.get("target", "")
    if not 0 < len(title) <= 300:
        mistakes["title"] = [_("請填寫指標，最多 300 字。")]
    target = _quantity("target", target_raw, mistakes)
    weight = _share("weight", typed.get("weight", ""), mistakes)
    cap = _quantity("cap", typed.get("cap", ""), mistakes, optional=True)
    if cap is not None and not 0 < cap <= 1000:
        mistakes["cap"] = [_("請填 1 到 1000，或留白依評分規則。")]
    decimals = typed.get("decimals", "")
    if decimals not in ("", "0", "1", "2", "3", "4"):
        mistakes["decimals"] = [_("請填 0 到 4，或留白依評分規則。")]
    if len(target_raw) > 40 or len(typed.get("unit", "")) > 20:
        mistakes["target"] = [_("目標值最多 40 字，單位最多 20 字。")]
    if mistakes or target is None or weight is None:
        return None
    direction = typed.get("direction", "")
    return scores.Definition(
        title=title,
        weight=weight,
        target_raw=target_raw,
        target=target,
        unit=typed.get("unit", ""),
        direction=direction if direction in score_words.DIRECTIONS else "higher",
        cap=cap,
        decimals=int(decimals) if decimals else None,
        figure=typed.get("figure") or None,
    )


def _share(name: str, typed: str, mistakes: Mistakes) -> Decimal | None:
    found = sheets.number(typed)
    if found is None or not 0 < found <= 100 or found != round(found, 4):
        mistakes[name] = [_("權重須大於 0、不超過 100。")]
        return None
    return found


@pending.takes_in("plans.change_score_indicator")
def indicator_again(pid: str, key: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was typed, nothing is stored yet."""
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    year = scores.find(pid)
    return _indicator_page(year, scores.indicator(year, key), typed=typed), 400


def _indicator_page(
    year: ScoreYear,
    row: ScoreIndicator,
    mistakes: Mistakes | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    table = tables.build(year)
    line = table.line(row.id)
    posted = typed or (request.form if mistakes else {})
    drafting = year.state == "drafting"
    revision = definitions.name_of(line.record.revision)
    return render_template(
        "plans/score_indicator.html",
        year=year,
        row=row,
        line=line,
        goal=next(goal for goal in table.goals if any(each is line for each in goal[2].lines)),
        why=score_words.why(line, language()),
        rules=[entry for entry in line.record.explanation if entry["status"] == "fired"],
        revision=revision,
        names=chart().names,
        files=scores.files(row),
        may_report=drafting and scores.may_report(actor(), year),
        may_define=drafting and actor().may("control_plans"),
        figure_options=[(key, in_language(figure.label)) for key, figure in FIGURES.items()],
        figure=FIGURES.get(row.figure or ""),
        typed=posted,
        action=posted.get("action", ""),
        mistakes=mistakes or {},
        longest=scores.LONGEST_EVIDENCE,
        **WORDS,
    )


@bp.get("/scores/<pid>/files/<key>")
def score_file(pid: str, key: str) -> ResponseReturnValue:
    """Evidence, always saved and never opened here."""
    found = scores.file(scores.find(pid), key)
    return send_file(
        io.BytesIO(documents.content_of(found)),
        mimetype=found.media_type,
        download_name=found.filename,
        as_attachment=True,
    )


# --- weights and review -------------------------------------------------------------------------------------


@bp.route("/scores/<pid>/weights", methods=["GET", "POST"])
def score_weights(pid: str) -> ResponseReturnValue:
    """All weights at once: one alone seldom adds up."""
    require(actor())
    year, mistakes = scores.find(pid), Mistakes()
    status = 200
    if request.method == "POST":
        weights = {
            name: found
            for name, typed in request.form.items()
            if name.startswith(("h-", "i-")) and (found := _share(name, typed, mistakes)) is not None
        }
        if not mistakes:
            try:
                with unit_of_work():
                    scores.reweigh(actor(), year, weights, now(), version=version())
            except (Refused, Conflict) as refusal:
                mistakes[""], status = [in_language(refusal.text)], refusal.status
                year = scores.find(pid)
            else:
                flash(_("權重已儲存。"), "success")
                return redirect(url_for("plans.score_weights", pid=pid))
        status = status if status != 200 else 422
    page = render_template(
        "plans/score_weights.html",
        year=year,
        table=tables.build(year),
        wrong=tables.weight_mistakes(year),
        typed=request.form,
        mistakes=mistakes,
        **WORDS,
    )
    return page, status


@bp.route("/scores/<pid>/review", methods=["GET", "POST"])
def score_review(pid: str) -> ResponseReturnValue:
    """One word on the indicators that are ticked; those of which nothing was said yet come first."""
    require(actor())
    year, mistakes, status = scores.find(pid), Mistakes(), 200
    typed = request.form
    if request.method == "POST":
        value = None
        if typed.get("verdict") in ("adjusted", "scored"):
            value = _quantity("value", typed.get("value", "").strip(), mistakes)
        status = 422
        if not mistakes:
            try:
                with unit_of_work():
                    count = scores.decide(
                        actor(),
                        year,
                        typed.getlist("indicators"),
                        typed.get("verdict", ""),
                        value,
                        typed.get("comment", ""),
                        now(),
                        version=version(),
                    )
            except (Refused, Conflict) as refusal:
                mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
                status = refusal.status
                year = scores.find(pid)
            else:
                flash(_("已評核 %(n)s 個指標。", n=count), "success")
                return redirect(url_for("plans.score_review", pid=pid))
    if year.state not in scores.REVIEWS and not mistakes:
        return redirect(url_for("plans.score_table", pid=pid))
    return _review_page(year, typed, mistakes), status


@pending.takes_in("plans.score_review")
def review_again(pid: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was ticked and typed."""
    require(actor())
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _review_page(scores.find(pid), typed, Mistakes()), 400


def _review_page(year: ScoreYear, typed: MultiDict[str, str], mistakes: Mistakes) -> str:
    table = tables.build(year)
    left = {line.indicator.id for line in scores.undecided(year, table)}
    return render_template(
        "plans/score_review.html",
        year=year,
        lines=sorted(table.lines, key=lambda line: line.indicator.id not in left),
        labels=_labels(table),
        left=left,
        ticked=typed.getlist("indicators"),
        typed=typed,
        mistakes=mistakes,
        longest=scores.LONGEST_COMMENT,
        **WORDS,
    )


def _labels(table: Table) -> dict[int, str]:
    """What an indicator is called among all: 十二-一."""
    return {
        line.indicator.id: f"{goal.row.number}-{line.indicator.number}"
        for _dimension, _group, goal in table.goals
        for line in goal.lines
    }


# --- pages that had expired ---------------------------------------------------------------------------------


@bp.errorhandler(CSRFError)
def page_expired(error: CSRFError) -> ResponseReturnValue:
    """A page from before a sign-in or sign-out was sent: what was typed is shown again, ready to be sent."""
    if actor().kind == "anonymous":
        return pending.ask_to_sign_in(url_for("plans.score_years"), now())
    again = pending.taker()
    if again is None or not actor().may("see_plans"):
        return error_pages.page_expired(error)
    try:
        return again(**(request.view_args or {}), typed=request.form)
    except DomainError as refusal:  # what a handler raises is a crash
        return error_pages.refused(refusal)


# --- reports ------------------------------------------------------------------------------------------------


@bp.get("/scores/<pid>/report.xlsx")
def score_report_xlsx(pid: str) -> ResponseReturnValue:
    year = scores.find(pid)
    answer: Response = make_response(score_reports.as_xlsx(year, language()))
    answer.mimetype = XLSX
    name = f"performance-{year.year}-{year.edition}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/scores/<pid>/report.pdf")
def score_report_pdf(pid: str) -> ResponseReturnValue:
    """Printed by the worker; whoever asks first has it printed."""
    year = scores.find(pid)
    with unit_of_work():
        found = score_reports.printed(year, now(), current_app.config)
        content = documents.content_of(found) if found is not None else b""
    if found is None:
        back = url_for("plans.score_table", pid=pid)
        return being_printed(_("績效報告"), _called(year), back, _("回到績效表"))
    return send_file(io.BytesIO(content), mimetype=found.media_type, download_name=found.filename)
