"""The examples of a draft, which are its tests: run, written, taken from what comes out or from a real decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import action_editing, example_editing, example_runs, rule_editing, testing, vocabulary
from rules.action_editing import Act
from rules.conditions import label_of, show_value
from rules.example_editing import ExampleForm, FactRow, examples_of
from rules.example_runs import Run
from rules.rule_editing import TooLarge
from rules.saying import Words
from rules.typed import as_json
from rules.values import Problem, Text
from webapp.admin import bp, grid, rule_places, rule_words
from webapp.admin.rule_page import Offers, Option, option_texts
from webapp.errors import Conflict, NotFound, Refused
from webapp.presentation import in_language, language
from webapp.queries import snapshots
from webapp.queries.org import chart
from webapp.security import actor
from workflows.functions import FUNCTIONS


@dataclass(frozen=True)
class FactView:
    """A fact of an example with what its inputs offer."""

    path: str
    number: int
    row: FactRow
    widget: str
    unit: str
    values: list[Option]
    is_date: bool


@dataclass(frozen=True)
class Verdict:
    """How an example came out: line by line beside what was expected, and the rules that decided."""

    passed: bool
    #: expected, actual, whether they agree
    lines: list[tuple[str, str, bool]]
    messages: list[str]
    #: the rules that fired, then those that did not, each with its sentence
    fired: list[tuple[str, str]]
    others: list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    number: int
    name: str
    facts: list[str]
    expect: list[str]
    problems: list[Problem]
    verdict: Verdict | None
    editable: bool


@dataclass
class Page:
    """One example as it is typed."""

    opened: grid.Opened
    index: int
    form: ExampleForm
    focus: str = ""
    refusal: Text | None = None
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    told: bool = False
    verdict: Verdict | None = None
    #: why it could not be run
    hindered: list[Problem] = field(default_factory=list)

    @property
    def examples(self) -> list[Any]:
        return examples_of(self.opened.body)

    @property
    def is_new(self) -> bool:
        return self.index >= len(self.examples)

    @property
    def written(self) -> dict[str, Any]:
        stored = {} if self.is_new else self.examples[self.index]
        return example_editing.write(self.form, stored, vocabulary.of(self.opened.body))

    @property
    def body(self) -> dict[str, Any]:
        """The ruleset with this example as it is typed."""
        examples = self.examples
        examples[self.index : self.index + 1] = [self.written]
        return {**self.opened.body, "examples": examples}


# --- the list --------------------------------------------------------------------------------------------


@bp.get("/drafts/<int:draft>/edit/examples")
def edit_examples(draft: int) -> ResponseReturnValue:
    """With ?run=all every example is run."""
    opened = grid.opened(draft)
    words = Words(opened.body, rule_words.names())
    report = (
        example_runs.run(opened.body, FUNCTIONS, chart().codes) if request.args.get("run") == "all" else None
    )
    runs = report.runs if report else []
    rows = [
        _row(opened, words, i, example, runs[i] if i < len(runs) else None)
        for i, example in enumerate(examples_of(opened.body))
    ]
    return render_template(
        "admin/examples.html",
        opened=opened,
        rows=rows,
        report=report,
        differing=sum(not run.passed for run in runs),
        focus=request.args.get("focus", ""),
    )


def _row(opened: grid.Opened, words: Words, i: int, example: object, run: Run | None) -> Row:
    if not isinstance(example, Mapping):
        return Row(
            i + 1, _("第 %(n)s 個", n=i + 1), [], [], opened.problems_of(f"examples[{i}]"), None, False
        )
    given = example.get("facts")
    expect = example.get("expect")
    return Row(
        i + 1,
        str(example.get("name") or _("第 %(n)s 個", n=i + 1)),
        [fact_in_words(words, str(name), value) for name, value in given.items()]
        if isinstance(given, Mapping)
        else [],
        [words.action(each, language()) for each in expect] if isinstance(expect, list) else [],
        opened.problems_of(f"examples[{i}]"),
        verdict_of(words, expect, run) if run else None,
        True,
    )


def fact_in_words(words: Words, name: str, value: object) -> str:
    """進度落後 6.5 個百分點."""
    fact, lang = words.vocabulary.catalogue.get(name), language()
    text = show_value(value, fact=name, labels=words.labels, lang=lang)
    unit = f" {fact.unit.in_(lang)}" if fact and fact.unit else ""
    return f"{label_of(name, words.labels, lang)} {text}{unit}"


def verdict_of(words: Words, expect: object, run: Run) -> Verdict:
    lang = language()
    wanted = [each for each in expect if isinstance(each, Mapping)] if isinstance(expect, list) else []
    lines = []
    for i in range(max(len(wanted), len(run.outcomes))):
        one = wanted[i] if i < len(wanted) else None
        other = run.outcomes[i] if i < len(run.outcomes) else None
        agree = one is not None and other is not None and testing.meets(one, other)
        lines.append(
            (words.action(one, lang) if one else "", words.action(other, lang) if other else "", agree)
        )
    told = [] if run.why else run.failures
    by_status: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for entry in run.why:
        by_status[entry["status"] == "fired"].append((entry["label"][lang], entry["sentence"][lang]))
    return Verdict(run.passed, lines, told, by_status[True], by_status[False])


# --- one example -----------------------------------------------------------------------------------------


@bp.get("/drafts/<int:draft>/edit/examples/<int:number>")
def edit_example(draft: int, number: int) -> ResponseReturnValue:
    """The one after the last is a new one; ?firing= fills it in from a real decision."""
    page = _opened(draft, number)
    if not page.is_new:
        page.form = example_editing.read(page.examples[page.index], vocabulary.of(page.opened.body))
        page.told = True
    elif firing := request.args.get("firing", type=int):
        page.form = _recorded(page.opened, firing)
    return _page(page)


@bp.post("/drafts/<int:draft>/edit/examples/<int:number>")
def change_example(draft: int, number: int) -> ResponseReturnValue:
    try:
        form = example_editing.from_form(request.form.to_dict(flat=False))
    except TooLarge as large:
        raise Refused(large.text) from None
    opened = grid.opened(draft)
    if grid.version() != opened.draft.version or not 1 <= number <= len(examples_of(opened.body)) + 1:
        return _late(opened, number, form)
    page = _opened(draft, number)
    page.form = form
    action = request.form.get("action", "update")
    if action == "save":
        return _save(page)
    if action == "delete":
        return render_template("admin/example_delete.html", opened=page.opened, page=page, number=number)
    if action == "confirm":
        return _delete(page)
    page.told = action == "update"
    try:
        _press(page, action)
    except TooLarge as large:
        page.refusal = large.text
        return _page(page), 422
    return _page(page)


def _opened(draft: int, number: int) -> Page:
    opened = grid.opened(draft)
    examples = examples_of(opened.body)
    if not 1 <= number <= len(examples) + 1:
        raise NotFound()
    if number <= len(examples) and not isinstance(examples[number - 1], Mapping):
        raise NotFound(
            Text(
                zh="這個測試案例的寫法有誤，請在 YAML 頁修正。",
                en="This example is not written as one; mend it on the YAML page.",
            )
        )
    return Page(opened, number - 1, ExampleForm())


def _late(opened: grid.Opened, number: int, form: ExampleForm) -> ResponseReturnValue:
    """An example is known by its place, so every button of a stale page stops here."""
    name = opened.saved_by
    late = Conflict(
        Text(
            zh=f"{name}已經改過這份草稿，您的修改還沒有儲存。請開啟新的內容，再改一次。",
            en=f"{name} has changed this draft meanwhile; yours is not saved. Open it and repeat the change.",
        )
    )
    return grid.overtaken(opened.draft.id, late, _typed(form, opened))


def _typed(form: ExampleForm, opened: grid.Opened) -> list[tuple[object, str]]:
    return [(_("測試案例"), as_json(example_editing.write(form, {}, vocabulary.of(opened.body))))]


def _press(page: Page, action: str) -> None:
    name, _colon, path = action.partition(":")
    if name in ("try", "take"):
        _try(page, take=name == "take")
        return
    kind, _dash, number = path.partition("-")
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
    if kind == "f":
        rows, page.focus = example_editing.apply(page.form.facts, name, at)
        page.form = replace(page.form, facts=rows)
    elif kind == "e":
        new = Act(request.form.get("e-new", ""))
        acts, page.focus = action_editing.apply(page.form.expect, "e", name, at, new)
        page.form = replace(page.form, expect=acts)


def _try(page: Page, *, take: bool) -> None:
    """Runs this example alone, as it is typed; `take` writes what comes out as what is expected."""
    body = {**page.opened.body, "examples": [page.written]}
    report = example_runs.run(body, FUNCTIONS, chart().codes)
    page.hindered = report.problems
    if not report.runs:
        return
    run = report.runs[0]
    words = Words(body, rule_words.names())
    if take and run.why:
        known = vocabulary.of(body)
        page.form = replace(
            page.form, expect=tuple(action_editing.read(each, known) for each in run.outcomes)
        )
        run = replace(run, failures=[])
        page.verdict = verdict_of(words, run.outcomes, run)
    else:
        page.verdict = verdict_of(words, page.written["expect"], run)
    page.focus = "verdict"


def _save(page: Page) -> ResponseReturnValue:
    draft = page.opened.draft.id
    if not page.form.name:
        page.mistakes["name"] = [_("請寫這個測試案例在測什麼。")]
    for i in page.form.twice:
        page.mistakes[f"f-{i}-fact"] = [_("這項事實前面已經有了。")]
    if page.mistakes:
        return _page(page), 422
    try:
        grid.save(draft, page.body)
    except Conflict as conflict:
        return grid.overtaken(draft, conflict, _typed(page.form, page.opened))
    except Refused as refusal:
        page.refusal = refusal.text
        return _page(page), refusal.status
    flash(_("已儲存「%(name)s」。", name=page.form.name), "success")
    return redirect(url_for("admin.edit_examples", draft=draft, run="all", focus=f"example-{page.index + 1}"))


def _delete(page: Page) -> ResponseReturnValue:
    draft, examples = page.opened.draft.id, page.examples
    if page.is_new:
        return redirect(url_for("admin.edit_examples", draft=draft))
    gone = example_editing.read(examples.pop(page.index)).name
    try:
        grid.save(draft, {**page.opened.body, "examples": examples})
    except Conflict as conflict:
        return grid.overtaken(draft, conflict, [])
    except Refused as refusal:
        page.refusal = refusal.text
        return _page(page), refusal.status
    flash(_("已刪除測試案例「%(name)s」。", name=gone), "success")
    return redirect(url_for("admin.edit_examples", draft=draft, focus=f"example-{max(page.index, 1)}"))


def _mistakes(page: Page, offers: Offers) -> dict[str, list[str]]:
    """Of this example by the input where they are to be mended."""
    found: dict[str, list[str]] = {}
    start = f"examples[{page.index}]."
    opened = replace(page.opened, body=page.body)
    for problem in opened.problems_of(start):
        rest = problem.path.removeprefix(start)
        place = "name"
        if rest.startswith("facts."):
            name = rest.removeprefix("facts.")
            rows = [i for i, row in enumerate(page.form.facts) if row.fact == name]
            place = f"f-{rows[0]}-value" if rows and name in offers.vocabulary.catalogue else "f-add"
            place = f"f-{rows[0]}-fact" if rows and place == "f-add" else place
        elif rest.startswith("expect"):
            place = rule_places.of_act(rest.removeprefix("expect"), page.form.expect, "e", offers)
        found.setdefault(place, []).append(problem.message)
    return found


def _page(page: Page) -> str:
    offers = Offers(page.opened.body)
    shown = page.mistakes or (_mistakes(page, offers) if page.told else {})
    words, written = offers.words, page.written
    return render_template(
        "admin/example.html",
        opened=page.opened,
        page=page,
        number=page.index + 1,
        version=request.form.get("version", page.opened.draft.version),
        form=None,
        facts=[_fact_view(offers, i, row) for i, row in enumerate(page.form.facts)],
        acts=offers.acts(page.form.expect, "e", expected=True),
        offers=offers,
        given=[fact_in_words(words, name, value) for name, value in written["facts"].items()]
        if isinstance(written["facts"], Mapping)
        else [],
        expected=[words.action(each, language()) for each in written["expect"]]
        if isinstance(written["expect"], list)
        else [],
        mistakes=shown,
        refusal=page.refusal,
        focus=page.focus,
        has_errors=bool(shown) or page.refusal is not None,
    )


def _fact_view(offers: Offers, i: int, row: FactRow) -> FactView:
    fact = offers.vocabulary.catalogue.get(row.fact)
    widget = example_editing.widget(row, fact)
    return FactView(
        f"f-{i}",
        i + 1,
        row,
        widget,
        in_language(fact.unit) if fact and fact.unit else "",
        option_texts(fact.options if fact else {}, row.values, widget),
        rule_editing.type_of(row.fact, offers.vocabulary.catalogue) == "date",
    )


# --- from a real decision --------------------------------------------------------------------------------


@bp.get("/drafts/<int:draft>/edit/examples/record")
def record_example(draft: int) -> ResponseReturnValue:
    """The stored decisions of a case or a plan by this ruleset, to make an example of one."""
    opened = grid.opened(draft)
    subject = request.args.get("subject", "").strip()
    found = snapshots.of_subject(actor(), subject, opened.draft.key) if subject else []
    words = Words(opened.body, rule_words.names())
    decisions = [
        (each, [fact_in_words(words, name, value) for name, value in _useful(opened, each.facts).items()])
        for each in found
    ]
    return render_template(
        "admin/example_record.html",
        opened=opened,
        subject=subject,
        decisions=decisions,
        new=len(examples_of(opened.body)) + 1,
    )


def _useful(opened: grid.Opened, facts: Mapping[str, object]) -> dict[str, object]:
    """Those of the catalogue that say something and that some rule of the draft reads."""
    catalogue = vocabulary.of(opened.body).catalogue
    read = as_json({name: opened.body.get(name) for name in ("rules", "tables")})
    return {
        name: value
        for name, value in facts.items()
        if name in catalogue and value not in (None, "", [], ()) and f'"{name}"' in read
    }


def _recorded(opened: grid.Opened, firing: int) -> ExampleForm:
    decision = snapshots.decision(actor(), firing, opened.draft.key)
    expect = [testing.flattened(outcome) for outcome in decision.outcomes]
    example = {
        "name": _("依 %(day)s 的實際判斷", day=decision.as_of.isoformat()),
        "facts": _useful(opened, decision.facts),
        "expect": expect,
    }
    return example_editing.read(example, vocabulary.of(opened.body))
