"""A unit asks something of a plan that it leads, in one register: the case is opened, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rules.conditions import leaves_of
from rules.decision import Decision
from rules.model import Outcome, Rule, Ruleset
from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, Plan, PlanRequest, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import month_label
from webapp.permissions import Actor
from webapp.queries import definitions, plan_facts, plan_requests
from webapp.queries.org import chart
from webapp.services import evaluation, internal_cases
from workflows.functions import FUNCTION_LABELS, RANKS

RULESET = "plan_reporting"
SERVICES: Mapping[str, str] = {"change": "KM03", "release": "KM04"}
#: the case quotes the rules that read these
QUOTED: Mapping[str, tuple[str, ...]] = {
    "change": ("plan.schedule_change",),
    "release": ("plan.accepted", "plan.given_up"),
}


def ask(actor: Actor, entry_id: int, kind: str, now: datetime) -> Case:
    """Opens the case of a unit about an entry. Refused where it has one, is released, or stands as it was published."""
    entry = db.session.get_one(RegisterEntry, entry_id, with_for_update=True, populate_existing=True)
    plan, register = db.session.get_one(Plan, entry.plan_id), db.session.get_one(Register, entry.register_id)
    if not plan_requests.may_ask(actor, plan):
        raise Forbidden(
            Text(
                zh="只有計畫主辦單位可以申請修正或解除列管。",
                en="Only the unit that leads the plan asks for a change or a release.",
            )
        )
    if kind not in SERVICES:
        raise Refused(Text(zh="請選擇要申請的事項。", en="Choose what to ask for."))
    require_live(entry)
    _none_is_open(entry.id)
    today = taipei_day(now)
    case = internal_cases.open_case(
        actor,
        SERVICES[kind],
        {
            "plan": entry.title or plan.title,
            "register": register.name_zh,
            "case_no": entry.case_no or "",
            "curve": _curve(entry.id),
            "rules": _rules(kind, now),
        },
        plan.lead_unit_id,
        today,
        now,
    )
    db.session.add(
        PlanRequest(
            case_id=case.id,
            entry_id=entry.id,
            kind=kind,
            state="open",
            opened_by_id=actor.account_id,
            opened_at=now,
        )
    )
    db.session.flush()
    return case


def _none_is_open(entry_id: int) -> None:
    held = plan_requests.open_request(entry_id)
    if held is None:
        return
    case = db.session.get_one(Case, held.case_id)
    if case.status == "closed":
        held.state = "ended"  # otherwise than by its workflow: merged into another case, for example
        db.session.flush()
        return
    who, day = chart().names.get(held.opened_by_id, ""), taipei_day(held.opened_at)
    raise Conflict(
        Text(
            zh=f"這個列管案已有申請中的案件 {case.number}（{who}，{day}），辦完或撤回後才能再申請。",
            en=f"{case.number} ({who}, {day}) is still open for this entry; it is finished or taken back first.",
        )
    )


def require_live(entry: RegisterEntry) -> None:
    if entry.released_on is not None:
        raise Refused(
            Text(
                zh=f"這個計畫在本列管別已於 {entry.released_on} 解除列管：{entry.release_reason}。",
                en=f"The plan was released from this register on {entry.released_on}: {entry.release_reason}.",
            )
        )
    if entry.origin == "published":
        raise Refused(
            Text(
                zh="這是照公布資料匯入的列管案，以公布為準，不能申請修正或解除。",
                en="This entry stands as it was published; it is neither changed nor released here.",
            )
        )


def named(decision: Decision) -> str:
    """The function that approves: the highest that the rules name; the plan-control office where they name nobody.

    Refused where they name one that approves nothing in the workflow: nobody could act on its task.
    """
    found = {str(o.params["function"]) for o in decision.outcomes if o.action == "require_approval"}
    strange = sorted(found - RANKS.keys() - {plan_requests.RESEARCH})
    if strange:
        label = FUNCTION_LABELS[strange[0]]
        raise Refused(
            Text(
                zh=f"規則指定由「{label.zh}」核定，但這個職務不能核定計畫的申請，請通知研考單位修正規則。",
                en=f"The rules name the {label.in_('en')}, who cannot approve such a request; tell the plan-control "
                "office to correct them.",
            )
        )
    return max(found or {plan_requests.RESEARCH}, key=lambda function: RANKS.get(function, 0))


def decide(facts: Mapping[str, object], now: datetime) -> Decision:
    """What the rules of the day say of a request."""
    return evaluation.decide(RULESET, facts, taipei_day(now))[0]


def keep(case: Case, facts: Mapping[str, object], now: datetime) -> Decision:
    """The same, kept with the case: by this it is granted."""
    decision, revision = evaluation.decide(RULESET, facts, taipei_day(now))
    db.session.add(evaluation.firing(case.id, decision, revision, now))
    return decision


def label_of(rule: str, decision: Decision) -> dict[str, str]:
    return next(each["label"] for each in decision.explanation if each["rule"] == rule)


def why_not(decision: Decision, fact: str) -> Text:
    """The rules that release for a fact, each by name with what of it does not hold."""
    rules = {rule.key for rule in reading(decision.ruleset, fact) if releases(rule.then)}
    told = [
        each
        for each in decision.explanation
        if each["rule"] in rules and each["status"] not in ("fired", "superseded")
    ]
    return Text(
        zh=" ".join(f"{each['label']['zh']}：{each['sentence']['zh']}" for each in told)
        or "現行規則沒有允許解除列管。",
        en=" ".join(f"{each['label']['en']}: {each['sentence']['en']}" for each in told)
        or "The rules in force release no plan for this.",
    )


def releases(outcomes: Iterable[Outcome]) -> bool:
    return any(o.action == "set_control" and o.params["status"] == "released" for o in outcomes)


def reading(ruleset: Ruleset, fact: str) -> list[Rule]:
    return [
        rule for rule in ruleset.rules if rule.when and fact in {leaf.fact for leaf in leaves_of(rule.when)}
    ]


def _curve(entry_id: int) -> str:
    held = plan_facts.versions([entry_id]).get(entry_id)
    return f"第 {held[-1].number} 版，自 {month_label(held[-1].effective_month).zh}起" if held else ""


def _rules(kind: str, now: datetime) -> str:
    return "\n".join(line.zh for line in quoted(kind, now))


def quoted(kind: str, now: datetime) -> list[Text]:
    """What the case and the page quote of the ruleset in force: its rules about such a request, and who approves."""
    revision = definitions.revision_id("ruleset", RULESET, taipei_day(now))
    ruleset, number = definitions.ruleset(revision).ruleset, definitions.name_of(revision)[1]
    lines = [
        Text(zh=f"「{ruleset.title.zh}」第 {number} 版", en=f"“{ruleset.title.in_('en')}”, revision {number}")
    ]
    for rule in {rule.key: rule for fact in QUOTED[kind] for rule in reading(ruleset, fact)}.values():
        if not {o.action for o in rule.then} & {"require_approval", "require_document"}:
            continue
        who = [
            FUNCTION_LABELS[str(o.params["function"])]
            for o in rule.then
            if o.action == "require_approval" and o.params["function"] in FUNCTION_LABELS
        ]
        zh, en = "、".join(each.zh for each in who), ", ".join(each.in_("en") for each in who)
        lines.append(
            Text(
                zh=rule.label.zh + (f"（{zh}核定）" if who else ""),
                en=rule.label.in_("en") + (f" (approved by: {en})" if who else ""),
            )
        )
    return lines
