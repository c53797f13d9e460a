"""The plan-control office opens registers, enters plans and edits them; the audit says what was before and after.

Answers are those of the forms plan_register, plan and plan_entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from rules.values import Text
from webapp.errors import AnswersInvalid, Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import (
    Account,
    AuditEntry,
    Baseline,
    Case,
    Plan,
    PlanBudget,
    PlanRequest,
    PlanSite,
    PlanUnit,
    ProgressReport,
    Register,
    RegisterEntry,
)
from webapp.moments import taipei_day
from webapp.periods import last_day, month_label
from webapp.permissions import Actor
from webapp.queries import milestones, plan_facts, plans
from webapp.queries.org import chart
from webapp.queries.plan_tree import UPPER
from webapp.services import (
    competence,
    plan_audit,
    plan_curves,
    plan_imports,
    plan_milestones,
    plan_progress,
    plan_tree,
    steps,
)
from webapp.services.plan_audit import Answers
from webapp.services.plan_control import require

LONGEST_NUMBER = 20

LONGEST_NUMBER = 20
FIRST_CURVE = "列管核定"
#: what the county published of a plan and of its place in a register (以公布為準)
PUBLISHED_PLAN = ("title", "lead_unit", "units", "sites", "budgets")
PUBLISHED_ENTRY = ("case_no", "project_no", "project", "title", "since")


# --- registers --------------------------------------------------------------------------------------------


def open_register(actor: Actor, said: Answers, now: datetime) -> Register:
    require(actor)
    key = f"{said['kind']}-{said['roc_year']}"
    made = Register(key=key, kind=said["kind"], roc_year=int(said["roc_year"]))
    _describe_register(made, said)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise Misfit(
            "kind",
            Text(zh=f"這一年度的這種列管別已經有了：{key}。", en=f"There is a register {key} already."),
        ) from None
    plan_audit.write(actor, "register_opened", made, {}, register_answers(made), now)
    return made


def edit_register(actor: Actor, key: str, said: Answers, now: datetime, *, version: int) -> Register:
    """Names, cycle and cut-off day; kind and year are what it is."""
    require(actor)
    found = plans.register(key)
    _hold(found, version)
    before = register_answers(found)
    _describe_register(found, said)
    db.session.flush()
    plan_audit.write(actor, "register_edited", found, before, register_answers(found), now)
    return found


def register_answers(of: Register) -> dict[str, Any]:
    return {
        "kind": of.kind,
        "roc_year": of.roc_year,
        "name_zh": of.name_zh,
        "name_en": of.name_en,
        "cycle": of.cycle,
        "report_day": of.report_day,
    }


def _describe_register(of: Register, said: Answers) -> None:
    of.name_zh, of.name_en, of.cycle = said["name_zh"], said["name_en"], said["cycle"]
    of.report_day = int(said["report_day"]) if said.get("report_day") is not None else None


# --- plans ------------------------------------------------------------------------------------------------


def enter_plan(actor: Actor, said: Answers, now: datetime) -> Plan:
    require(actor)
    made = Plan(code=plan_imports.next_code(int(said["roc_year"])), origin="entered", origins=[])
    above = plan_tree.hold_above(made, _code(said.get("parent")))
    _describe(made, said)
    db.session.add(made)
    plan_tree.place(actor, made, above, now, "parent")
    _describe_parts(actor, made, said)
    plan_audit.write(actor, "plan_entered", made, {}, plan_answers(made), now)
    return made


def edit_plan(actor: Actor, pid: str, said: Answers, now: datetime, *, version: int) -> Plan:
    """What is open of a plan goes with it to another leading unit."""
    require(actor)
    found = plans.plan(pid)
    if found.kind in UPPER:
        raise Refused(
            Text(
                zh="願景、指標與中程計畫請在政見與中程計畫的頁面修改。",
                en="Visions, indicators and mid-term plans are changed on their own page.",
            )
        )
    # cases, registers, the plan: in the order in which a report that is sent holds them
    if chart().by_code[said["lead_unit"]["value"]].id != found.lead_unit_id:
        db.session.scalars(_open_cases(found)).all()
    plan_progress.hold_registers_of(found.id)
    above = plan_tree.hold_above(found, _code(said.get("parent")))
    _hold(found, version)
    before, lead = plan_answers(found), found.lead_unit_id
    with db.session.no_autoflush:
        _describe(found, said)
        plan_tree.place(actor, found, above, now, "parent")
    _describe_parts(actor, found, said)
    flag_modified(found, "title")  # its units, sites or money may be all that changed
    db.session.flush()
    after = plan_answers(found)
    _stands(found, before, after, PUBLISHED_PLAN)
    if found.lead_unit_id != lead:
        _hand_over(actor, found, now)
    if before[plan_milestones.FIELD] != after[plan_milestones.FIELD]:
        plan_progress.decide_again(found.id, now)
    plan_audit.write(actor, "plan_edited", found, before, after, now)
    return found


def plan_answers(of: Plan) -> dict[str, Any]:
    """As the form `plan` asks for it."""
    tree = chart()
    above = db.session.get(Plan, of.parent_id) if of.parent_id is not None else None
    return {
        "title": of.title,
        "kind": of.kind,
        "level": of.level,
        "roc_year": of.roc_year,
        "starts_on": of.starts_on.isoformat() if of.starts_on else None,
        "ends_on": of.ends_on.isoformat() if of.ends_on else None,
        "origins": list(of.origins) or None,
        "parent": above.code if above is not None else None,
        "note": of.note or None,
        "lead_unit": _unit(of.lead_unit_id),
        "units": [
            {"unit": _unit(unit), "role": role} for unit, role in plans.units_of(of)[1:] if unit in tree.units
        ]
        or None,
        "sites": [{"name": name} for name in plans.sites_of(of)] or None,
        "budgets": [
            {"roc_year": each.roc_year, "source": each.source, "amount": f"{each.amount:f}"}
            for each in plans.budget_of(of)
        ]
        or None,
        plan_milestones.FIELD: plan_milestones.written(milestones.of_plan(of.id)) or None,
    }


def _unit(unit_id: int) -> dict[str, str]:
    unit = chart().units[unit_id]
    return {"value": unit.code, "zh": unit.zh, "en": unit.en}


def _code(said: str | None) -> str:
    return (said or "").strip().upper()


def _describe(of: Plan, said: Answers) -> None:
    starts, ends = (_day(said.get(name)) for name in ("starts_on", "ends_on"))
    if starts is not None and ends is not None and ends < starts:
        raise Misfit("ends_on", Text(zh="結束日期不能早於開始日期。", en="It does not end before it starts."))
    if said["kind"] in UPPER:
        raise Misfit("kind", Text(zh="請選擇種類。", en="Choose a kind."))
    of.title, of.kind, of.level, of.roc_year = (
        said["title"],
        said["kind"],
        said["level"],
        int(said["roc_year"]),
    )
    of.starts_on, of.ends_on = starts, ends
    of.origins, of.note = list(said.get("origins") or ()), said.get("note") or ""
    of.lead_unit_id = chart().by_code[said["lead_unit"]["value"]].id


def _describe_parts(actor: Actor, of: Plan, said: Answers) -> None:
    """Further units, sites, money and milestones, as they are now."""
    tree = chart()
    further = [(tree.by_code[row["unit"]["value"]].id, row["role"]) for row in said.get("units") or ()]
    if len({unit for unit, _role in further} | {of.lead_unit_id}) != len(further) + 1:
        raise Misfit(
            "units",
            Text(
                zh="同一單位只能列一次，主辦單位不必再列。",
                en="Each unit is named once, the leading one above.",
            ),
        )
    money = [
        (
            int(row["roc_year"]) if row.get("roc_year") is not None else None,
            row["source"],
            Decimal(row["amount"]),
        )
        for row in said.get("budgets") or ()
    ]
    if len({(year, source) for year, source, _amount in money}) != len(money):
        raise Misfit(
            "budgets",
            Text(zh="同一年度的同一來源只能列一次。", en="Each source of a year is named once."),
        )
    sources: dict[int | None, set[str]] = {}
    for year, source, _amount in money:
        sources.setdefault(year, set()).add(source)
    if any("all" in each and len(each) > 1 for each in sources.values()):
        raise Misfit(
            "budgets",
            Text(
                zh="「各項經費合計」不能和同一年度的各來源並列，請只留一種。",
                en="“All sources” does not stand beside sources of the same year: leave one or the other.",
            ),
        )
    if None in sources and len(sources) > 1:
        raise Misfit(
            "budgets",
            Text(
                zh="不分年度的金額是整個計畫的，不能和各年度的金額並列，請只留一種。",
                en="Money without a year is that of the whole plan and does not stand beside that of years: leave one "
                "or the other.",
            ),
        )
    for table in (PlanUnit, PlanSite, PlanBudget):
        db.session.execute(delete(table).where(table.plan_id == of.id))
    db.session.add_all(
        PlanUnit(plan_id=of.id, unit_id=unit, role=role, position=n)
        for n, (unit, role) in enumerate(further, start=1)
    )
    db.session.add_all(
        PlanSite(plan_id=of.id, position=n, name=row["name"])
        for n, row in enumerate(said.get("sites") or (), start=1)
    )
    db.session.add_all(
        PlanBudget(plan_id=of.id, roc_year=year, source=source, amount=amount)
        for year, source, amount in money
    )
    db.session.flush()
    _describe_milestones(actor, of, said)


def _describe_milestones(actor: Actor, of: Plan, said: Answers) -> None:
    rows = said.get(plan_milestones.FIELD) or ()
    due, mistakes = plan_milestones.read(rows, of.starts_on, of.ends_on)
    if mistakes:
        raise AnswersInvalid({plan_milestones.FIELD: [each.in_(actor.language) for each in mistakes]})
    plan_milestones.put(of, due)


def _open_cases(of: Plan) -> Select[tuple[Case]]:
    """Reports and requests that are open, held."""
    entries = select(RegisterEntry.id).where(RegisterEntry.plan_id == of.id)
    reported = exists().where(ProgressReport.case_id == Case.id, ProgressReport.entry_id.in_(entries))
    asked = exists().where(PlanRequest.case_id == Case.id, PlanRequest.entry_id.in_(entries))
    found = select(Case).where(Case.status == "open", or_(reported, asked)).order_by(Case.id)
    return found.with_for_update(key_share=True)


def _hand_over(actor: Actor, of: Plan, now: datetime) -> None:
    """Reports and requests that are open go to the unit that leads the plan now."""
    unit = chart().units[of.lead_unit_id]
    for case in db.session.scalars(_open_cases(of)):
        competence.hand_to(actor, steps.context(case), unit, "計畫主辦單位變更", now)


# --- entries ----------------------------------------------------------------------------------------------


def put_in(actor: Actor, register_key: str, said: Answers, now: datetime) -> RegisterEntry:
    """An existing plan in one more register, with its own number and curve."""
    require(actor)
    register = plans.register(register_key)
    code = str(said["plan"]).strip().upper()
    plan = db.session.scalars(select(Plan).where(Plan.code == code)).one_or_none()
    if plan is None:
        raise Misfit("plan", Text(zh=f"沒有編號「{code}」的計畫。", en=f"There is no plan {code}."))
    made = RegisterEntry(register_id=register.id, plan_id=plan.id, origin="entered")
    _describe_entry(made, said)
    _number_is_free(made)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise Misfit(
            "plan",
            Text(
                zh=f"「{plan.title}」已經在這個列管別。",
                en=f"“{plan.title}” stands in this register already.",
            ),
        ) from None
    _first_curve(actor, made, said, now)
    plan_audit.write(actor, "plan_put_in", made, {}, entry_answers(made), now)
    return made


def edit_entry(actor: Actor, pid: str, said: Answers, now: datetime, *, version: int) -> RegisterEntry:
    """Number, project, supervisor; a curve only where there is none yet: another one is a change (計畫修正)."""
    require(actor)
    found = plans.entry(pid)
    _hold(found, version)
    before = entry_answers(found)
    _describe_entry(found, said)
    _number_is_free(found)
    flag_modified(found, "note")  # a first curve may be all that is new
    db.session.flush()
    _stands(found, before, entry_answers(found), PUBLISHED_ENTRY)
    if not before["curve"]:
        _first_curve(actor, found, said, now)
    plan_audit.write(actor, "entry_edited", found, before, entry_answers(found), now)
    return found


def entry_answers(of: RegisterEntry) -> dict[str, Any]:
    return {
        "plan": db.session.get_one(Plan, of.plan_id).code,
        "case_no": of.case_no,
        "project_no": of.project_no,
        "project": of.project or None,
        "title": of.title,
        "supervisor": of.supervisor or None,
        "since": of.since.isoformat(),
        "note": of.note or None,
        "curve": plan_curves.written(plan_facts.curves([of.id]).get(of.id, [])) or None if of.id else None,
    }


def _describe_entry(of: RegisterEntry, said: Answers) -> None:
    since = _day(said["since"])
    assert since is not None, "the form asks for it"
    if since != of.since:
        _may_begin(of, since)
    of.since = since
    of.case_no = said.get("case_no")
    if len(of.case_no or "") > LONGEST_NUMBER:  # some characters are several when they are narrow
        raise Misfit(
            "case_no", Text(zh=f"案號最多 {LONGEST_NUMBER} 字。", en=f"At most {LONGEST_NUMBER} characters.")
        )
    of.project_no = int(said["project_no"]) if said.get("project_no") is not None else None
    of.project, of.title = said.get("project") or "", said.get("title") or None
    of.supervisor, of.note = said.get("supervisor") or "", said.get("note") or ""


def _may_begin(of: RegisterEntry, since: date) -> None:
    """In the year of the register, before what is reported, and before its release."""
    year = db.session.get_one(Register, of.register_id).roc_year
    if since.year != year + 1911:
        raise Misfit(
            "since",
            Text(
                zh=f"列管日期須在列管別的年度（{year} 年）內。",
                en=f"The day lies in the year of the register, {year + 1911}.",
            ),
        )
    first = db.session.scalars(
        select(func.min(ProgressReport.month)).where(ProgressReport.entry_id == of.id)
    ).one()
    if first is not None and since > last_day(first):
        label = month_label(first)
        raise Misfit(
            "since",
            Text(
                zh=f"{label.zh}已有填報，不能更晚才列管。",
                en=f"There is a report for {label.en}: it cannot be controlled only later.",
            ),
        )
    if of.released_on is not None and since > of.released_on:
        raise Misfit("since", Text(zh="列管不能晚於解除列管。", en="It is not controlled after its release."))


def _number_is_free(of: RegisterEntry) -> None:
    if of.case_no is None:
        return
    with db.session.no_autoflush:
        holder = db.session.execute(
            select(Plan.title)
            .join(RegisterEntry, RegisterEntry.plan_id == Plan.id)
            .where(
                RegisterEntry.register_id == of.register_id,
                RegisterEntry.case_no == of.case_no,
                RegisterEntry.id != (of.id or 0),
            )
        ).scalar_one_or_none()
    if holder is not None:
        raise Misfit(
            "case_no",
            Text(
                zh=f"案號 {of.case_no} 已是「{holder}」的。", en=f"{of.case_no} is the number of “{holder}”."
            ),
        )


def _first_curve(actor: Actor, of: RegisterEntry, said: Answers, now: datetime) -> None:
    if not (said.get("curve") or "").strip():
        return
    points, mistakes = plan_curves.read(plan_curves.lines(said["curve"]))
    if mistakes:
        raise AnswersInvalid({"curve": [each.in_(actor.language) for each in mistakes]})
    plan_curves.approve(
        Baseline(
            entry_id=of.id,
            number=1,
            reason=FIRST_CURVE,
            effective_month=of.since.replace(day=1),
            approved_by_id=actor.account_id,
            approved_at=now,
            origin="entered",
        ),
        points,
    )


# --- both -------------------------------------------------------------------------------------------------


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _hold(row: Register | Plan | RegisterEntry, version: int) -> None:
    """One editor at a time; who comes late hears who was faster, and nothing is written."""
    db.session.refresh(row, with_for_update={"key_share": True})
    if row.version == version:
        return
    who, at = db.session.execute(
        select(Account.name, AuditEntry.at)
        .outerjoin(Account, Account.id == AuditEntry.actor_id)
        .where(AuditEntry.subject == plan_audit.subject(row))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none() or (None, None)
    day = taipei_day(at).isoformat() if at is not None else ""
    raise Conflict(
        Text(
            zh=f"這筆資料已由{who or '別人'}修改{f'（{day}）' if day else ''}，畫面已不是最新的。"
            "您填的還在下面，請重新載入、比對後再存。",
            en=f"{who or 'Somebody else'} changed this{f' on {day}' if day else ''} meanwhile. What you typed is still "
            "below; reload, compare and save again.",
        )
    )


def _stands(of: Plan | RegisterEntry, before: Answers, after: Answers, names: Sequence[str]) -> None:
    """What was published is not edited."""
    changed = next((name for name in names if before[name] != after[name]), None)
    if of.origin == "published" and changed is not None:
        raise Misfit(
            changed,
            Text(
                zh="這一欄是已公布的資料，以公布為準，不能修改。",
                en="This was published and stands as it was published.",
            ),
        )
