"""All definitions and where each stands; one of them in words, its versions, what changed, and the way back."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules import yaml_text
from rules.differences import differences
from rules.shown import STATUSES, show
from rules.values import Text
from webapp import pending
from webapp.admin import bp, words
from webapp.errors import Misfit, NotFound
from webapp.moments import taipei_day
from webapp.presentation import in_language, roc_date
from webapp.queries import desk as queries
from webapp.queries import publications
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import desk
from webapp.uow import unit_of_work

OTHERS = ("workflow", "form", "service")


@bp.get("/definitions")
def definitions() -> ResponseReturnValue:
    today = taipei_day(now())
    return render_template(
        "admin/definitions.html",
        rulesets=queries.listing(["ruleset"], today),
        others=[(kind, queries.listing([kind], today)) for kind in OTHERS],
        words=words,
        people=chart().names,
    )


@bp.get("/definitions/<kind>/<key>")
def definition(kind: str, key: str) -> ResponseReturnValue:
    return _definition(kind, key)


@bp.post("/definitions/<kind>/<key>/rollback")
def rollback(kind: str, key: str) -> ResponseReturnValue:
    """One action with a reason."""
    try:
        with unit_of_work():
            seen = request.form.get("seen", 0, type=int)
            undo = desk.rollback(actor(), kind, key, request.form.get("reason", ""), now(), seen=seen)
            said = _undone(undo)
    except Misfit as mistake:
        return _definition(kind, key, request.form.get("reason", ""), mistake.text), 422
    flash(said, "success")
    return redirect(url_for("admin.definition", kind=kind, key=key))


def _undone(undo: publications.Undo) -> str:
    day = roc_date(undo.day)
    if undo.publication.effective_from > taipei_day(now()):
        return _(
            "已取消排定的版本 %(n)s，原定 %(day)s 起生效。現行版本照常執行。", n=undo.undone.number, day=day
        )
    return _("已復原到版本 %(n)s，%(day)s 起生效。已經決定的案件都不變。", n=undo.revision.number, day=day)


@pending.takes_in("admin.rollback")
def rollback_again(kind: str, key: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _definition(kind, key, typed.get("reason", "")), 400


@bp.post("/definitions/<kind>/<key>/drafts")
def open_draft(kind: str, key: str) -> ResponseReturnValue:
    """From what is in force, or from another version."""
    number = request.form.get("base", type=int)
    with unit_of_work():
        base = queries.revision(kind, key, number).id if number is not None else None
        draft = desk.open_draft(actor(), kind, key, now(), base=base)
        made = draft.id
    return redirect(url_for("admin.draft", draft=made))


@bp.get("/definitions/<kind>/<key>/versions/<int:number>")
def version(kind: str, key: str, number: int) -> ResponseReturnValue:
    revision = queries.revision(kind, key, number)
    standing = queries.standing(kind, key, taipei_day(now()))
    return render_template(
        "admin/version.html",
        standing=standing,
        version=next(each for each in standing.history if each.number == number),
        shown=show(revision.mapping, queries.names()) if kind == "ruleset" else None,
        text=yaml_text.write(revision.mapping),
        editable=kind in desk.EDITABLE,
        statuses=STATUSES,
        words=words,
    )


@bp.get("/definitions/<kind>/<key>/versions/<int:number>.yaml")
def version_file(kind: str, key: str, number: int) -> ResponseReturnValue:
    """As `definitions sync` reads it back."""
    answer = Response(
        yaml_text.write(queries.revision(kind, key, number).mapping), mimetype="application/yaml"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}.yaml"'
    return answer


@bp.get("/definitions/<kind>/<key>/compare")
def compare(kind: str, key: str) -> ResponseReturnValue:
    """Any two versions; without a choice, the one in force and the one before it."""
    standing = queries.standing(kind, key, taipei_day(now()))
    if kind != "ruleset":
        raise NotFound()
    numbers = [each.number for each in standing.history]
    after = _among(numbers, request.args.get("after", type=int), standing.in_force.number)
    before = _among(
        numbers, request.args.get("before", type=int), max([n for n in numbers if n < after] or [after])
    )
    old, new = (queries.revision(kind, key, number) for number in (before, after))
    return render_template(
        "admin/compare.html",
        standing=standing,
        options=[(n, str(n)) for n in numbers],
        before=before,
        after=after,
        differences=differences(old.mapping, new.mapping, queries.names()),
    )


def _definition(kind: str, key: str, typed: str = "", mistake: Text | None = None) -> str:
    standing = queries.standing(kind, key, taipei_day(now()))
    return render_template(
        "admin/definition.html",
        standing=standing,
        shown=show(standing.in_force.mapping, queries.names()) if kind == "ruleset" else None,
        text=yaml_text.write(standing.in_force.mapping),
        entries=queries.audit(kind, key),
        editable=kind in desk.EDITABLE,
        options=[(each.number, str(each.number)) for each in standing.history],
        today=taipei_day(now()),
        people=chart().names,
        statuses=STATUSES,
        words=words,
        typed=typed,
        mistakes=[in_language(mistake)] if mistake is not None else [],
        longest=desk.LONGEST_REASON,
    )


def _among(numbers: list[int], asked: int | None, otherwise: int) -> int:
    return asked if asked in numbers else otherwise
