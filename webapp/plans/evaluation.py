"""年終考核 of a register: every plan with its points and grade, why, and what the plan-control office does about it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from flask import current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import DomainError, Misfit, NotFound
from webapp.models import Register
from webapp.moments import taipei_day
from webapp.plans import bp, grade_words
from webapp.plans.papers import XLSX
from webapp.plans.register import names
from webapp.plans.words import ORIGINS
from webapp.presentation import in_language, language
from webapp.queries import definitions, plan_grades, plan_lists, plans
from webapp.queries.org import chart
from webapp.queries.plan_grades import Row
from webapp.security import actor, now
from webapp.services import plan_evaluations, plan_papers, plan_years
from webapp.services import plan_grades as grading
from webapp.services.plan_control import require
from webapp.services.plan_grades import Assessment, Said
from webapp.services.plan_years import YearFigures
from webapp.staff.typed import Mistakes, day_in, posted_day, version
from webapp.staff.words import ORIGINS as SOURCES
from webapp.staff.words import RULE_STATUS
from webapp.uow import unit_of_work

PAPER = "grades"


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it: as it was graded, or what the rules say of the year so far."""

    row: Row
    figures: YearFigures
    made: Assessment
    #: whether points of the office and the grade are there to be seen
    open: bool

    @property
    def state(self) -> tuple[Text, str]:
        said = self.row.case_state if self.row.state == "open" else None
        return grade_words.STATES.get(said or self.row.state, grade_words.STATES["open"])


@bp.get("/registers/<key>/evaluation")
def evaluation(key: str) -> ResponseReturnValue:
    of = plans.register(key)
    if (asked := request.args.get("year", type=int)) not in (None, of.roc_year):
        return redirect(url_for("plans.evaluation", key=_of_year(of, asked).key))
    return _page(of)


def _page(of: Register, mistakes: Mistakes | None = None) -> str:
    year, today = plan_years.period_of(of), taipei_day(now())
    states, grades = plan_grades.counts(of, year)
    page = max(request.args.get("page", 1, type=int), 1)
    found = plan_grades.rows(actor(), of, year, page)
    ruleset = definitions.ruleset(definitions.revision_id("ruleset", grading.RULESET, year.last_day)).ruleset
    total, is_over = states.total(), today > year.last_day
    may_control = actor().may("control_plans")
    return render_template(
        "plans/evaluation.html",
        register=of,
        year=year,
        others=[each for each in plan_grades.others(of) if each.id != of.id],
        lines=_lines(of, found),
        states=states,
        grades=grades,
        total=total,
        page=page,
        pages=max(-(-total // plans.PAGE), 1),
        paged=lambda n: url_for("plans.evaluation", key=of.key, page=n, _anchor="plans"),
        weights=grading.weights(of),
        deadlines=grading.deadlines(of),
        is_over=is_over,
        may_start=may_control and is_over and states["none"] > 0,
        is_late=plan_evaluations.is_late(of, today),
        limits=plan_evaluations.LIMITS,
        typed={name: posted_day(name) for name in plan_evaluations.LIMITS},
        mistakes=mistakes or {},
        may_publish=may_control and states["reviewed"] > 0,
        seen=plan_evaluations.seen(of),
        most=plan_evaluations.AT_ONCE,
        parameters=ruleset.parameters.values(),
        **_words(of),
    )


def _of_year(of: Register, year: int | None) -> Register:
    """The register of the same kind in another year."""
    found = next((each for each in plan_grades.others(of) if each.roc_year == year), None)
    if found is None:
        raise NotFound()
    return found


@bp.get("/registers/<key>/evaluation/<pid>")
def evaluated(key: str, pid: str) -> str:
    """One plan: its figures, its points with the rules behind them, and what unit and office said."""
    of = plans.register(key)
    row = plan_grades.row(actor(), of, plan_years.period_of(of), pid)
    (line,) = _lines(of, [row])
    grade = row.grade
    return render_template(
        "plans/evaluated.html",
        register=of,
        line=line,
        row=row,
        grade=grade,
        said=Said.from_json(grade.said if grade is not None and line.open else None),
        figure=lambda item: (
            grading.kept_figure(grade, item)
            if line.open and grade is not None
            else grading.words_of(line.figures, item)
        ),
        people=chart().names,
        statuses=RULE_STATUS,
        kept_revision=definitions.name_of(line.made.revision)[1],
        **_words(of),
    )


@bp.post("/registers/<key>/evaluation/start")
def start_evaluation(key: str) -> ResponseReturnValue:
    require(actor())
    of = plans.register(key)
    given = {name: day for name in plan_evaluations.LIMITS if (day := day_in(posted_day(name)))}
    try:
        with unit_of_work():
            asked, left = plan_evaluations.start(actor(), of, now(), given)
    except Misfit as misfit:
        return _page(of, {misfit.field: [in_language(misfit.text)]}), misfit.status
    except DomainError as refusal:
        flash(in_language(refusal.text), "error")
    else:
        flash(_("已請主辦單位自評 %(n)s 件計畫。", n=asked), "success")
        if left:
            flash(_("還有 %(n)s 件，請再按一次。", n=left), "warning")
    return redirect(url_for("plans.evaluation", key=key))


@bp.post("/registers/<key>/evaluation/publish")
def publish_evaluation(key: str) -> ResponseReturnValue:
    require(actor())
    of = plans.register(key)
    try:
        with unit_of_work():
            done, stale = plan_evaluations.publish(actor(), of, now(), version=version())
    except DomainError as refusal:
        flash(in_language(refusal.text), "error")
    else:
        if done:
            flash(_("已公布 %(n)s 件，之後規則怎麼改都不變。", n=done), "success")
        if stale:
            between = "、" if language() == "zh" else ", "
            flash(
                _("這些計畫的資料或規則在複評後有變動，請重新複評：%(names)s", names=between.join(stale)),
                "warning",
            )
    return redirect(url_for("plans.evaluation", key=key))


@bp.get("/registers/<key>/evaluation.xlsx")
def evaluation_xlsx(key: str) -> ResponseReturnValue:
    of = plans.register(key)
    year = plan_years.period_of(of)
    content = plan_papers.xlsx(plan_papers.table(of, year, PAPER, current_app.config))
    return send_file(
        io.BytesIO(content), mimetype=XLSX, download_name=f"{of.key}-{PAPER}.xlsx", as_attachment=True
    )


@bp.get("/registers/<key>/evaluation.pdf")
def evaluation_pdf(key: str) -> ResponseReturnValue:
    """Whoever asks first has it printed; the page asks again by itself until it is there."""
    of = plans.register(key)
    with unit_of_work():
        found = plan_papers.pdf(of, plan_years.period_of(of), PAPER, now(), current_app.config)
    if found is not None:
        return send_file(io.BytesIO(found), mimetype="application/pdf", download_name=f"{of.key}-{PAPER}.pdf")
    page = render_template(
        "citizen/being_printed.html",
        what=_("年終考核"),
        of=of.name_en if language() == "en" else of.name_zh,
        back=url_for("plans.evaluation", key=key),
        back_words=_("回到年終考核"),
        again=request.path,
    )
    answer = make_response(page, 202)
    answer.headers["Refresh"] = "5"
    return answer


def _lines(of: Register, rows: list[Row]) -> list[Line]:
    figures = plan_years.figures(of, [row.entry for row in rows])
    sees_all = actor().may("control_plans")
    lines = []
    for row in rows:
        graded = row.state == "published" or (row.state == "reviewed" and sees_all)
        if graded and row.grade is not None:
            made = grading.as_kept(row.grade)
        else:
            made, _decision = grading.assess(of, figures[row.entry.id], Said())
        lines.append(Line(row, figures[row.entry.id], made, graded))
    return lines


def _words(of: Register) -> dict[str, object]:
    revision = definitions.revision_id("ruleset", grading.RULESET, plan_years.last_day_of(of))
    return {
        "items": grading.ITEMS,
        "item_names": grading.NAMES,
        "grade_words": grade_words.GRADES,
        "ruleset": definitions.ruleset(revision).ruleset.title,
        "revision": definitions.name_of(revision)[1],
        "sources": SOURCES,
        "origins": ORIGINS,
        "written": plan_lists.written,
        "unit_names": names,
    }
