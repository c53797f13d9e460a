"""年終考核 of a plan: what the unit says of itself, what the rules make of the year, what the plan-control office grades.

Items, weights, how points are given and what grade they make stand in the ruleset year_end_grade, by when in
plan_reporting; a grade goes by the revisions in force on the last day of the year.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from rules.decision import Decision
from rules.scoring import Rounding
from rules.values import Text
from webapp.errors import AnswersInvalid
from webapp.extensions import db
from webapp.models import Case, Plan, PlanGrade, Register, RegisterEntry
from webapp.permissions import Actor
from webapp.queries import plan_lists, submissions
from webapp.services import evaluation, plan_years
from webapp.services.plan_years import YearFigures

RULESET, CALENDAR = "year_end_grade", "plan_reporting"
SELF_FORM, REVIEW_FORM = "plan_self_evaluation", "plan_evaluation_review"
ITEMS = ("progress", "budget", "reporting", "administration")
NAMES: Mapping[str, Text] = {
    "progress": Text(zh="執行進度", en="Progress"),
    "budget": Text(zh="預算執行", en="Budget execution"),
    "reporting": Text(zh="填報時效", en="Reporting"),
    "administration": Text(zh="行政作業", en="Administration"),
}
FULL = 100
TO_TYPE = Text(zh="由研考單位評分", en="given by the plan-control office")


@dataclass(frozen=True)
class Said:
    """What the plan-control office typed: points instead of those by the rules, what is left out, and why."""

    points: Mapping[str, Decimal] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    administration_reason: str = ""
    adjust_reason: str = ""
    opinion: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "points": {item: str(value) for item, value in sorted(self.points.items())},
            "left_out": sorted(self.left_out),
            "administration_reason": self.administration_reason,
            "adjust_reason": self.adjust_reason,
            "opinion": self.opinion,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Said:
        if data is None:
            return cls()
        points = {item: Decimal(value) for item, value in data["points"].items()}
        return cls(**{**data, "points": points, "left_out": frozenset(data["left_out"])})


@dataclass(frozen=True)
class Item:
    key: str
    weight: Decimal
    #: by the rules; none: figures are missing, or it is for the plan-control office to say
    computed: Decimal | None
    #: what counts
    points: Decimal | None
    left_out: bool
    missing: Text | None

    def reason(self, said: Said) -> str:
        if self.key == "administration":
            return said.administration_reason
        return said.adjust_reason if self.left_out or self.key in said.points else ""


@dataclass(frozen=True)
class Assessment:
    items: tuple[Item, ...]
    #: before it is rounded, to four decimals; none while an item is open
    exact: Decimal | None
    total: Decimal | None
    grade: str | None
    revision: int
    outcomes: Sequence[Mapping[str, Any]]
    explanation: Sequence[Mapping[str, Any]]

    @property
    def open(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.points is None and not item.left_out)

    @property
    def rescaled(self) -> bool:
        return any(
            each["action"] == "leave_out" and each["params"]["weights"] == "rescale" for each in self.outcomes
        )

    def to_json(self, figures: YearFigures) -> dict[str, Any]:
        """As it is kept: figures, points and reasons."""
        return {
            "facts": {name: str(value) for name, value in figures.facts.items()},
            "figures": {item: words_of(figures, item).model_dump() for item in ITEMS},
            "items": [
                {
                    "key": each.key,
                    "weight": str(each.weight),
                    "computed": None if each.computed is None else str(each.computed),
                    "points": None if each.points is None else str(each.points),
                    "left_out": each.left_out,
                    "missing": each.missing.model_dump() if each.missing else None,
                }
                for each in self.items
            ],
            "exact": str(self.exact),
            "revision": self.revision,
            "outcomes": list(self.outcomes),
            "explanation": list(self.explanation),
        }


def printed_as(entry: RegisterEntry) -> dict[str, str]:
    """The names of a plan and its unit in the list of published grades."""
    plan = db.session.get_one(Plan, entry.plan_id)
    (unit,) = plan_lists.names([plan.lead_unit_id])
    return {"title": entry.title or plan.title, "unit": unit, "case_no": entry.case_no or ""}


def kept_figure(row: PlanGrade, item: str) -> Text:
    """The figure of an item in the words of the review."""
    assert row.result is not None, "only what was reviewed is kept"
    return Text.model_validate(row.result["figures"][item])


def as_kept(row: PlanGrade) -> Assessment:
    """What was decided when it was reviewed, whatever the rules say now."""
    data = row.result
    assert data is not None, "only what was reviewed is kept"
    items = tuple(
        Item(
            each["key"],
            Decimal(each["weight"]),
            None if each["computed"] is None else Decimal(each["computed"]),
            None if each["points"] is None else Decimal(each["points"]),
            each["left_out"],
            Text.model_validate(each["missing"]) if each["missing"] else None,
        )
        for each in data["items"]
    )
    exact = Decimal(data["exact"])
    return Assessment(
        items, exact, row.total, row.grade, data["revision"], data["outcomes"], data["explanation"]
    )


# --- what the rules make of it ------------------------------------------------------------------------------


def assess(register: Register, figures: YearFigures, said: Said) -> tuple[Assessment, Decision]:
    """Points of the items, their total, rounded once, and the grade."""
    facts = figures.facts | {"score.assessable": not said.left_out}
    on = plan_years.last_day_of(register)
    decision, revision = evaluation.decide(RULESET, facts, on)
    items = tuple(_items(decision, figures, said))
    exact = _total(items, decision)
    total = None
    if exact is not None and exact <= FULL and (rounding := _rounding(decision)) is not None:
        total = rounding.of(exact)
        decision, revision = evaluation.decide(RULESET, {**facts, "score.total": total}, on)
    record = decision.to_json()
    made = Assessment(
        items=items,
        exact=None if exact is None else Rounding(4, "half_up").of(exact),
        total=total,
        grade=next((o.params["grade"] for o in decision.outcomes if o.action == "set_grade"), None),
        revision=revision,
        outcomes=record["outcomes"],
        explanation=record["explanation"],
    )
    return made, decision


def _items(decision: Decision, figures: YearFigures, said: Said) -> list[Item]:
    given = {o.params["item"]: o.params["points"] for o in decision.outcomes if o.action == "set_points"}
    each_time = {
        o.params["item"]: o.params["points"] for o in decision.outcomes if o.action == "deduct_points"
    }
    found = []
    for outcome in decision.outcomes:
        if outcome.action != "set_weight":
            continue
        key, computed = outcome.params["item"], None
        if key in given:
            computed = max(
                Decimal(str(given[key])) - figures.corrections * Decimal(str(each_time.get(key, 0))),
                Decimal(0),
            )
        missing = None if computed is not None else figures.missing.get(key, TO_TYPE)
        out = key in said.left_out
        points = None if out else said.points.get(key, computed)
        found.append(Item(key, Decimal(str(outcome.params["weight"])), computed, points, out, missing))
    return found


def _total(items: Sequence[Item], decision: Decision) -> Fraction | None:
    """Exact. None while an item is open, or where nothing counts: nothing is left, or what is left weighs nothing."""
    counted = [item for item in items if not item.left_out]
    if not counted or any(item.points is None for item in counted):
        return None
    rescale = any(o.action == "leave_out" and o.params["weights"] == "rescale" for o in decision.outcomes)
    whole = sum((Fraction(item.weight) for item in (counted if rescale else items)), Fraction())
    if not whole:
        return None
    return sum((Fraction(item.weight) * Fraction(item.points or 0) for item in counted), Fraction()) / whole


def _rounding(decision: Decision) -> Rounding | None:
    return next(
        (
            Rounding(int(o.params["decimals"]), o.params["mode"])
            for o in decision.outcomes
            if o.action == "set_rounding" and o.params["of"] == "grade"
        ),
        None,
    )


def weights(register: Register) -> dict[str, Decimal]:
    """Of the items, as the rules of the year say."""
    decision, _revision = evaluation.decide(RULESET, {}, plan_years.last_day_of(register))
    return {
        o.params["item"]: Decimal(str(o.params["weight"]))
        for o in decision.outcomes
        if o.action == "set_weight"
    }


def deadlines(register: Register) -> dict[str, date]:
    """By when units evaluate themselves and the plan-control office reviews, in the year after, as far as rules say."""
    on = plan_years.last_day_of(register)
    decision, _revision = evaluation.decide(CALENDAR, {"plan.completed": True, "plan.year_ended": True}, on)
    found = {}
    for outcome in decision.outcomes:
        if outcome.action == "due_on":
            month, day = map(int, outcome.params["day"].split("-"))
            last = monthrange(on.year + 1, month)[1]  # 02-29 in a year that has none
            found[outcome.params["what"]] = date(on.year + 1, month, min(day, last))
    return found


# --- evaluated and reviewed ----------------------------------------------------------------------------------


def words_of(figures: YearFigures, item: str) -> Text:
    """The figure of an item in words, or what is not known."""
    if item in figures.missing:
        said = figures.missing[item]
        return Text(zh=f"資料不全：{said.zh}", en=f"Not known: {said.in_('en')}")
    if item == "progress":
        assert figures.lag is not None and figures.planned is not None and figures.actual is not None
        p, a, lag = (f"{v.normalize() + 0:f}" for v in (figures.planned, figures.actual, figures.lag))
        return Text(
            zh=f"年終預定 {p}%、實際 {a}%，落後 {lag} 個百分點",
            en=f"{p} % planned, {a} % actual, lag {lag} percentage points",
        )
    if item == "budget":
        assert figures.execution is not None
        rate = Rounding(2, "half_up").of(Fraction(figures.execution))
        return Text(zh=f"年終預算執行率 {rate}%", en=f"{rate} % of the budget executed")
    if item == "reporting":
        return Text(
            zh=f"應填報 {figures.due} 次，準時 {figures.in_time} 次，研考退回 {figures.corrections} 次",
            en=f"{figures.due} reports due, {figures.in_time} in time, "
            f"sent back {figures.corrections} times by the plan-control office",
        )
    return TO_TYPE


def keep_self(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The points and words of the unit."""
    row = _of(case)
    sent = submissions.newest(case.id, SELF_FORM)
    assert sent is not None, "the transition requires the form"
    answers = sent.all_answers
    row.self_points = {item: str(Decimal(answers[f"{item}_points"])) for item in ITEMS}
    row.self_words = "\n".join(filter(None, (answers.get("results"), answers.get("shortcomings"))))
    db.session.flush()


def keep_grade(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The grade by what was typed. AnswersInvalid names figures that are missing and reasons that are not given."""
    row = _of(case)
    sent = submissions.newest(case.id, REVIEW_FORM)
    assert sent is not None, "the transition requires the form"
    said = _said(sent.all_answers)
    register = db.session.get_one(Register, row.register_id)
    entry = db.session.get_one(RegisterEntry, row.entry_id)
    figures = plan_years.figures(register, [entry])[entry.id]
    made, _decision = assess(register, figures, said)
    if mistakes := _mistakes(said, made):
        raise AnswersInvalid({key: [text.in_(actor.language)] for key, text in mistakes.items()})
    keep(row, figures, said, made, now)
    row.reviewed_by_id = actor.account_id
    db.session.flush()


def keep(row: PlanGrade, figures: YearFigures, said: Said, made: Assessment, now: datetime) -> None:
    row.said, row.result = said.to_json(), made.to_json(figures)
    row.total, row.grade, row.ruleset_revision_id = made.total, made.grade, made.revision
    row.state, row.reviewed_at = "reviewed", now


def _said(answers: Mapping[str, Any]) -> Said:
    typed = {item: answers.get(f"{item}_points") for item in ITEMS}
    return Said(
        points={item: Decimal(value) for item, value in typed.items() if value not in (None, "")},
        left_out=frozenset(answers.get("left_out") or ()),
        administration_reason=str(answers.get("administration_reason") or ""),
        adjust_reason=str(answers.get("adjust_reason") or ""),
        opinion=str(answers.get("opinion") or ""),
    )


def _mistakes(said: Said, made: Assessment) -> dict[str, Text]:
    found = {}
    for item in sorted(said.left_out & set(said.points)):
        found[f"{item}_points"] = Text(
            zh="這一項列為不評分，請不要再給分。", en="This item is left out: give it no points."
        )
    for item in made.open:
        why = item.missing or TO_TYPE
        found[f"{item.key}_points"] = Text(
            zh=f"{why.zh}：請給分，或列為不評分。", en=f"{why.in_('en')}: give points, or leave it out."
        )
    changed = said.left_out or set(said.points) - {"administration"}
    if changed and not said.adjust_reason.strip():
        found["adjust_reason"] = Text(
            zh="改了分數或不評分的項目，請寫明理由。", en="Say why points are changed or an item is left out."
        )
    if not found and made.grade is None:
        found["administration_points"] = Text(
            zh="規則沒有評出等第，請洽規則的管理者。", en="The rules gave no grade: ask whoever keeps them."
        )
    return found


def reopen(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What was typed stays beside the new review."""
    _of(case).state = "open"
    db.session.flush()


#: effects of workflows that this room carries out
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_self_evaluation": keep_self,
    "keep_grade": keep_grade,
    "reopen_grade": reopen,
}


def _of(case: Case) -> PlanGrade:
    return db.session.scalars(select(PlanGrade).where(PlanGrade.case_id == case.id).with_for_update()).one()
