"""The rules of a draft: their order, and one rule with its condition and its actions.

Every button posts the whole form and comes back with the focus where it was; only 儲存 writes the draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from rules import action_editing, rule_editing, vocabulary
from rules.action_editing import Act, RuleForm
from rules.rule_editing import TooLarge
from rules.saying import Words, as_text
from rules.typed import as_json
from rules.values import Text
from webapp.admin import bp, grid, rule_places, rule_words
from webapp.admin.rule_page import Offers
from webapp.errors import Conflict, NotFound, Refused
from webapp.presentation import in_language, language
from webapp.queries import editing as queries

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
#: a button of a part: what it does and where
_BUTTON = re.compile(r"(up|down|delete|copy|confirm):(\d{1,5})")


@dataclass(frozen=True)
class Row:
    """A rule in the list."""

    number: int
    key: str
    label: Text
    sentence: str
    source: str
    status: Text | None
    colour: str
    priority: object
    problems: int
    #: the address of its page; none where its key cannot stand in one
    url: str | None


@dataclass
class Page:
    """One rule as it is typed, with what is wrong with it."""

    opened: grid.Opened
    index: int
    form: RuleForm
    focus: str = ""
    refusal: Text | None = None
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    told: bool = False

    @property
    def rules(self) -> list[dict[str, Any]]:
        return action_editing.rules_of(self.opened.body)

    @property
    def body(self) -> dict[str, Any]:
        """The ruleset with this rule as it is typed."""
        rules = list(self.opened.body["rules"])
        rules[self.index] = action_editing.write_rule(
            self.form, self.rules[self.index], vocabulary.of(self.opened.body)
        )
        return action_editing.with_rules(self.opened.body, rules)


# --- the list --------------------------------------------------------------------------------------------


@bp.get("/drafts/<int:draft>/edit/rules")
def edit_rules(draft: int) -> ResponseReturnValue:
    return _list(grid.opened(draft))


def _list(opened: grid.Opened, refusal: Text | None = None) -> str:
    policy = opened.body.get("hit_policy")
    return render_template(
        "admin/rules.html",
        opened=opened,
        rows=_rows(opened),
        order=rule_words.HIT_POLICIES.get(policy) if isinstance(policy, str) else None,
        focus=request.args.get("focus", ""),
        refusal=refusal,
        has_errors=refusal is not None,
    )


def _rows(opened: grid.Opened) -> list[Row]:
    words, lang = Words(opened.body, rule_words.names()), language()
    rows = []
    for i, rule in enumerate(action_editing.rules_of(opened.body)):
        key = str(rule.get("key", ""))
        usable = _KEY.fullmatch(key) and action_editing.index_of(opened.body, key) == i
        status = rule.get("status")
        known = status if isinstance(status, str) else ""
        rows.append(
            Row(
                i + 1,
                key,
                as_text(rule.get("label")),
                words.rule(rule, lang),
                in_language(as_text(rule["source"])) if rule.get("source") else "",
                rule_words.STATUSES.get(known),
                rule_words.STATUS_COLOURS.get(known, ""),
                rule.get("priority"),
                len(opened.problems_of(f"rules[{i}]")),
                url_for("admin.edit_rule", draft=opened.draft.id, key=key) if usable else None,
            )
        )
    return rows


@bp.post("/drafts/<int:draft>/edit/rules")
def change_rules(draft: int) -> ResponseReturnValue:
    """Adds, copies, moves or, after a question, deletes a rule, and saves at once."""
    opened = grid.opened(draft)
    stored = opened.body.get("rules")
    rules = list(stored) if isinstance(stored, list) else []
    action = request.form.get("action", "")
    button = _BUTTON.fullmatch(action)
    at = int(button[2]) if button else len(rules)
    if action == "add":
        key = action_editing.new_key(opened.body, "new_rule")
        rules.append({"key": key, "label": {"zh": "新規則", "en": "New rule"}, "then": []})
        return _saved(opened, rules, redirect_to=url_for("admin.edit_rule", draft=draft, key=key))
    if button is None or at >= len(rules):
        return redirect(url_for("admin.edit_rules", draft=draft))
    if button[1] == "delete":
        row = _rows(opened)[at]
        return render_template("admin/rule_delete.html", opened=opened, row=row)
    focus = f"rule-{at + 1}"
    if button[1] == "confirm":
        gone = in_language(_rows(opened)[at].label)
        del rules[at]
        flash(_("已刪除規則「%(name)s」。", name=gone), "success")
        focus = f"rule-{max(at, 1)}"
    elif button[1] == "copy":
        rules.insert(at + 1, _copied(opened.body, rules[at]))
        focus = f"rule-{at + 2}"
    else:
        to = at + (-1 if button[1] == "up" else 1)
        if 0 <= to < len(rules):
            rules[at], rules[to] = rules[to], rules[at]
            ends = {0: "down", len(rules) - 1: "up"}
            focus = f"{ends.get(to, button[1])}-{to + 1}"
    return _saved(opened, rules, redirect_to=url_for("admin.edit_rules", draft=draft, focus=focus))


def _copied(body: Mapping[str, Any], rule: object) -> object:
    if not isinstance(rule, Mapping):
        return rule
    key = rule.get("key")
    wanted = key if isinstance(key, str) and _KEY.fullmatch(key) else "new_rule"
    label = as_text(rule.get("label"))
    named = action_editing.one_text(f"{label.zh}（複本）", f"{label.en} (copy)" if label.en else "")
    return {**rule, "key": action_editing.new_key(body, wanted), "label": named}


def _saved(opened: grid.Opened, rules: Sequence[object], redirect_to: str) -> ResponseReturnValue:
    try:
        grid.save(opened.draft.id, action_editing.with_rules(opened.body, rules))
    except Conflict as conflict:
        return grid.overtaken(opened.draft.id, conflict, [])
    except Refused as refusal:
        return _list(grid.opened(opened.draft.id), refusal.text), refusal.status
    return redirect(redirect_to)


# --- one rule --------------------------------------------------------------------------------------------


@bp.get("/drafts/<int:draft>/edit/rules/<key>")
def edit_rule(draft: int, key: str) -> ResponseReturnValue:
    opened = grid.opened(draft)
    index = _index(opened, key)
    stored = action_editing.rules_of(opened.body)[index]
    form = action_editing.read_rule(stored, vocabulary.of(opened.body))
    return _page(Page(opened, index, form, told=True), key)


@bp.post("/drafts/<int:draft>/edit/rules/<key>")
def change_rule(draft: int, key: str) -> ResponseReturnValue:
    opened = grid.opened(draft)
    posted = request.form.to_dict(flat=False)
    try:
        form = action_editing.rule_from_form(posted)
    except TooLarge as large:
        raise Refused(large.text) from None
    index = action_editing.index_of(opened.body, key)
    if index is None:
        return _gone(draft, form)
    page = Page(opened, index, form)
    action = request.form.get("action", "update")
    if action == "save":
        return _save(page, key)
    page.told = action == "update"
    try:
        _press(page, action)
    except TooLarge as large:
        page.refusal = large.text
        return _page(page, key), 422
    return _page(page, key)


def _index(opened: grid.Opened, key: str) -> int:
    index = action_editing.index_of(opened.body, key)
    if index is None:
        raise NotFound(
            Text(
                zh="這份草稿沒有這條規則，可能剛被刪除或改名。",
                en="This draft has no such rule; it may just have been deleted or renamed.",
            )
        )
    return index


def _press(page: Page, action: str) -> None:
    """A button of the condition (add:c-0) or of the actions (up:t-1)."""
    name, _colon, path = action.partition(":")
    if path == "t" or path.startswith("t-"):
        number = path.removeprefix("t").removeprefix("-")
        at = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else len(page.form.then)
        new = Act(request.form.get("t-new", ""))
        then, page.focus = action_editing.apply(page.form.then, "t", name, at, new)
        page.form = RuleForm(page.form.lines, page.form.when, then)
    elif path:
        when, page.focus = rule_editing.apply(page.form.when, name, path)
        page.form = RuleForm(page.form.lines, when, page.form.then)


def _save(page: Page, key: str) -> ResponseReturnValue:
    draft, wanted = page.opened.draft.id, page.form.lines["key"]
    others = [rule.get("key") for i, rule in enumerate(page.rules) if i != page.index]
    if not _KEY.fullmatch(wanted):
        page.mistakes["key"] = [_("代碼只能用小寫英文字母開頭的字母、數字與底線，最多 60 字。")]
    elif wanted in others:
        page.mistakes["key"] = [_("另一條規則已經使用這個代碼。")]
    if page.mistakes:
        return _page(page, key), 422
    try:
        grid.save(draft, page.body)
    except Conflict as conflict:
        return grid.overtaken(draft, conflict, typed_of(page.form))
    except Refused as refusal:
        page.refusal = refusal.text
        return _page(page, key), refusal.status
    left = sum(map(len, _mistakes(page, Offers(page.body)).values()))
    if left:
        message = ngettext(
            "已儲存。還有 %(num)d 個地方要修正，才能送審。",
            "已儲存。還有 %(num)d 個地方要修正，才能送審。",
            left,
        )
        flash(message, "warning")
    else:
        flash(_("已儲存。"), "success")
    return redirect(url_for("admin.edit_rule", draft=draft, key=wanted))


def typed_of(form: RuleForm) -> list[tuple[object, str]]:
    """What was typed, to be copied by whoever came too late."""
    rule = action_editing.write_rule(form, {})
    return [(_("規則"), as_json(rule))]


def _gone(draft: int, form: RuleForm) -> ResponseReturnValue:
    name = queries.last_editor(queries.draft(draft))
    gone = Text(
        zh=f"{name}已經刪除這條規則或改了它的代碼，您的修改還沒有儲存。",
        en=f"{name} has deleted this rule or changed its key; yours is not saved.",
    )
    return grid.overtaken(draft, Conflict(gone), typed_of(form))


def _mistakes(page: Page, offers: Offers) -> dict[str, list[str]]:
    return rule_places.of_rule(queries.problems(page.body), page.index, page.form, offers)


def _page(page: Page, key: str) -> str:
    body = page.body
    offers, rule = Offers(body), action_editing.rules_of(body)[page.index]
    found = _mistakes(page, offers)
    shown = page.mistakes or (found if page.told else {})
    return render_template(
        "admin/rule.html",
        opened=page.opened,
        version=request.form.get("version", page.opened.draft.version),
        key=key,
        form=None,
        lines=page.form.lines,
        label=as_text(rule.get("label")),
        tree=offers.tree(page.form.when),
        acts=offers.acts(page.form.then, "t"),
        offers=offers,
        group_kinds=[(kind, in_language(label)) for kind, label in rule_words.GROUP_KINDS.items()],
        statuses=[(status, in_language(label)) for status, label in rule_words.STATUSES.items()],
        sentence=offers.words.rule(rule, language()),
        mistakes=shown,
        left=sum(len(each) for each in found.values()),
        refusal=page.refusal,
        focus=page.focus,
        has_errors=bool(shown) or page.refusal is not None,
        most_nodes=rule_editing.MOST_NODES,
        lines_wrong=not shown.keys().isdisjoint(action_editing.LINES),
    )
