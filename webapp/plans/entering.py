"""The plan-control office opens registers, enters plans, puts them into registers, and edits all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from forms.builder import AnswerForm
from webapp.errors import AnswersInvalid, Conflict, DomainError, Misfit, Refused
from webapp.moments import taipei_day
from webapp.plans import bp
from webapp.presentation import in_language, language
from webapp.queries import answering, definitions, plans
from webapp.queries.plan_tree import UPPER
from webapp.security import actor, now
from webapp.services import plan_entries
from webapp.services.plan_control import require
from webapp.staff.typed import version
from webapp.uow import unit_of_work

#: longer names of inputs belong to nobody
LONGEST_NAME = 200


@dataclass(frozen=True)
class Sheet:
    """A form of the plan-control office: which, what it begins with, who saves it, and where it leads."""

    form: str
    title: str
    back: str
    begins: Mapping[str, Any]
    save: Callable[[Mapping[str, Any]], str]
    version: int | None = None
    #: fields that this page does not ask again
    fixed: tuple[str, ...] = ()


@bp.route("/registers/new", methods=["GET", "POST"])
def new_register() -> ResponseReturnValue:
    def save(said: Mapping[str, Any]) -> str:
        return url_for("plans.register", key=plan_entries.open_register(actor(), said, now()).key)

    begins = {"roc_year": taipei_day(now()).year - 1911, "cycle": "monthly"}
    return _page(Sheet("plan_register", _("開辦列管別"), url_for("plans.registers"), begins, save))


@bp.route("/registers/<key>/edit", methods=["GET", "POST"])
def edit_register(key: str) -> ResponseReturnValue:
    of = plans.register(key)

    def save(said: Mapping[str, Any]) -> str:
        plan_entries.edit_register(actor(), key, said, now(), version=version())
        return back

    back = url_for("plans.register", key=key)
    begins = plan_entries.register_answers(of)
    return _page(
        Sheet("plan_register", _("修改列管別"), back, begins, save, of.version, fixed=("kind", "roc_year"))
    )


@bp.route("/new", methods=["GET", "POST"])
def new_plan() -> ResponseReturnValue:
    """A plan for a register goes on to its entry there."""
    require(actor())
    into = request.args.get("register", "")
    of = plans.register(into) if into else None

    def save(said: Mapping[str, Any]) -> str:
        made = plan_entries.enter_plan(actor(), said, now())
        if of is None:
            return url_for("plans.plan", pid=made.public_id)
        return url_for("plans.enter", key=of.key, plan=made.code)

    begins = {
        "roc_year": of.roc_year if of is not None else taipei_day(now()).year - 1911,
        "kind": "yearly",
        "level": "county",
    }
    back = url_for("plans.register", key=of.key) if of is not None else url_for("plans.registers")
    return _page(Sheet("plan", _("登錄計畫"), back, begins, save))


@bp.route("/<pid>/edit", methods=["GET", "POST"])
def edit_plan(pid: str) -> ResponseReturnValue:
    of = plans.plan(pid)
    if of.kind in UPPER:
        require(actor())
        return redirect(url_for("plans.upper", pid=pid))

    def save(said: Mapping[str, Any]) -> str:
        plan_entries.edit_plan(actor(), pid, said, now(), version=version())
        return back

    back = url_for("plans.plan", pid=pid)
    return _page(Sheet("plan", _("修改計畫"), back, plan_entries.plan_answers(of), save, of.version))


@bp.route("/registers/<key>/enter", methods=["GET", "POST"])
def enter(key: str) -> ResponseReturnValue:
    of = plans.register(key)

    def save(said: Mapping[str, Any]) -> str:
        made = plan_entries.put_in(actor(), key, said, now())
        return url_for("plans.plan", pid=plans.plan_of(made).public_id, _anchor=f"entry-{made.id}")

    name = of.name_en if language() == "en" else of.name_zh
    begins = {"plan": request.args.get("plan", "")[:20], "since": taipei_day(now()).isoformat()}
    return _page(
        Sheet(
            "plan_entry", _("列入「%(name)s」", name=name), url_for("plans.register", key=key), begins, save
        )
    )


@bp.route("/entries/<pid>/edit", methods=["GET", "POST"])
def edit_entry(pid: str) -> ResponseReturnValue:
    of = plans.entry(pid)

    def save(said: Mapping[str, Any]) -> str:
        plan_entries.edit_entry(actor(), pid, said, now(), version=version())
        return back

    begins = plan_entries.entry_answers(of)
    back = url_for("plans.plan", pid=plans.plan_of(of).public_id, _anchor=f"entry-{of.id}")
    fixed = ("plan", "curve") if begins["curve"] else ("plan",)
    return _page(Sheet("plan_entry", _("修改列管資料"), back, begins, save, of.version, fixed=fixed))


# --- the page ---------------------------------------------------------------------------------------------


def _page(sheet: Sheet) -> ResponseReturnValue:
    """Shows the form; takes rows in and out; saves, or says what is wrong with everything that was typed in sight."""
    require(actor())
    form = definitions.current_form(sheet.form, taipei_day(now()))
    keys = tuple(field.key for field in form.fields if field.key not in sheet.fixed)
    if request.method == "GET":
        known = {name: value for name, value in sheet.begins.items() if value is not None}
        return _shown(sheet, _unchecked(sheet, forms.answers.to_raw(form, known), keys), sheet.version)
    raw = {name: request.form.getlist(name) for name in request.form if len(name) <= LONGEST_NAME}
    action, _colon, argument = request.form.get("action", "save").partition(":")
    if action in ("add-row", "remove-row"):
        rows = forms.answers.with_rows(form, raw, action, argument)
        return _shown(sheet, _unchecked(sheet, rows, keys), version())
    cleaned = answering.clean(form, raw, now(), service_code="", lang=language(), keys=keys)
    if cleaned.errors:
        return _shown(sheet, cleaned.form, version(), status=422)
    try:
        with unit_of_work():
            onwards = sheet.save({**sheet.begins, **dict.fromkeys(keys), **cleaned.answers})
    except AnswersInvalid as invalid:
        return _refused(sheet, cleaned.form, invalid, invalid.errors)
    except Misfit as misfit:
        return _refused(sheet, cleaned.form, misfit, {misfit.field: [in_language(misfit.text)]})
    except (Conflict, Refused) as refusal:
        return _refused(sheet, cleaned.form, refusal, {})
    flash(_("已儲存。"), "success")
    return redirect(onwards)


def _refused(
    sheet: Sheet, form: AnswerForm, refusal: DomainError, errors: Mapping[str, list[str]]
) -> ResponseReturnValue:
    for answer in form:
        answer.errors = [*answer.errors, *errors.get(answer.name, ())]
    asked = {answer.name for answer in form}
    placed = [(f"#{name}", text) for name, texts in errors.items() if name in asked for text in texts]
    return _shown(
        sheet, form, version(), more=placed or [("", in_language(refusal.text))], status=refusal.status
    )


def _unchecked(sheet: Sheet, raw: dict[str, list[str]], keys: tuple[str, ...]) -> AnswerForm:
    form = definitions.current_form(sheet.form, taipei_day(now()))
    return answering.unchecked(form, raw, now(), service_code="", lang=language(), keys=keys)


def _shown(
    sheet: Sheet,
    form: AnswerForm,
    seen: int | None,
    *,
    more: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "plans/entering.html",
        sheet=sheet,
        form=form,
        seen=seen,
        more=more,
        form_revision=definitions.revision_id("form", sheet.form, taipei_day(now())),
    )
    return page, status
