"""Lists of plans as the county publishes them, taken in row by row: 附件一, the severe list, and published figures.

All or nothing for a file; the same file again changes nothing. What disagrees is kept as published, with a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text

from rules.values import Text
from webapp.errors import Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.letters.wording import numeral
from webapp.models import (
    AuditEntry,
    Plan,
    PlanBudget,
    PlanSite,
    PlanUnit,
    ProgressReport,
    PublishedFigure,
    Register,
    RegisterEntry,
)
from webapp.periods import Period, parse
from webapp.permissions import Actor
from webapp.queries.org import chart
from webapp.queries.plan_lists import HUNDRED_MILLION
from webapp.services import plan_progress
from webapp.services.plan_curves import MOST_MONEY
from webapp.services.plan_progress import Figures
from webapp.sheets import Row, Sheet

PLANS: Mapping[str, tuple[str, ...]] = {
    "item_no": ("項次",),
    "policy": ("專案", "政策或專案"),
    "case_no": ("案號",),
    "project": ("工作項目", "計畫名稱"),
    "phase": ("辦理情形",),
    "planned_pct": ("預計進度", "預計%", "預定進度", "預定%"),
    "actual_pct": ("實際進度", "實際%"),
    "lag_pct": ("落後", "落後百分點"),
    "status": ("燈號", "狀態"),
    "budget_100m_twd": ("預算(億)", "預算(億元)"),
    "budget_twd": ("預算(元)", "預算"),
    "unit": ("單位", "主辦單位"),
    "in_severe9": ("嚴重落後清單所載",),
    "note": ("備註",),
}
SEVERE: Mapping[str, tuple[str, ...]] = {
    "no": ("編號", "項次"),
    "project": ("計畫名稱", "工作項目"),
    "unit": ("單位", "主辦單位"),
    "annex_case_no": ("附件一案號",),
    "unit_basis": ("單位依據", "備註"),
}
FIGURES: Mapping[str, tuple[str, ...]] = {
    "register": ("列管別",),
    "period": ("期別",),
    "figure": ("數據",),
    "value": ("數值",),
    "source": ("來源",),
    "note": ("備註",),
}
STATUSES = {
    "severe": "severe", "behind": "behind", "on_track": "on_track", "ahead": "ahead", "no_report": "no_report",
    "嚴重落後": "severe", "落後": "behind", "符合進度": "on_track", "超前": "ahead", "未填報": "no_report",
}  # fmt: skip
#: what a register of each kind is called, and how often it reports
KINDS: Mapping[str, tuple[Text, str]] = {
    "selected": (Text(zh="施政計畫選項列管", en="Selected plans"), "monthly"),
    "infrastructure_subsidy": (Text(zh="基本設施補助計畫", en="Infrastructure subsidies"), "monthly"),
    "major_policy": (Text(zh="重大政策暨計畫列管", en="Major policies and plans"), "monthly"),
    "major_project": (Text(zh="重大專案列管", en="Major projects"), "monthly"),
    "pledge": (Text(zh="縣長政見列管", en="Pledges of the magistrate"), "half_yearly"),
    "island_fund": (Text(zh="離島建設基金補助計畫", en="Islands fund plans"), "monthly"),
    "proposal": (Text(zh="中央部會拜會提案列管", en="Proposals to ministries"), "quarterly"),
    "request": (Text(zh="提請協助事項列管", en="Requests for assistance"), "quarterly"),
    "suggestion": (Text(zh="縣政顧問建言列管", en="Suggestions of advisers"), "half_yearly"),
}
#: figures that may be published for a register
FIGURE_NAMES = frozenset(
    {"plans", "plans_stated", "projects", "carried_over", "new", "released", "to_be_accepted", "budget", "usable",
     "severe", "severe_rate", "meetings", "visits", "approved"}
)  # fmt: skip
NUMERALS = {numeral(n): n for n in range(1, 100)}


@dataclass
class Imported:
    """What came in."""

    rows: int = 0
    changed: int = 0
    register_ids: set[int] = field(default_factory=set)
    notes: list[Text] = field(default_factory=list)


def alone() -> None:
    """Until the transaction ends no other list is taken in: two of the same plans would bring them twice."""
    if not db.session.execute(
        select(func.pg_try_advisory_xact_lock(func.hashtextextended("plan_imports", 0)))
    ).scalar_one():
        raise Conflict(
            Text(
                zh="另一份清單正在匯入，這一份還沒有收；請等它完成後再匯入一次。",
                en="Another list is being taken in; this one was not. Import it again when that one is done.",
            )
        )


def register_for(key: str) -> Register:
    """The register of that key; one that is not there yet is opened, when the key is KIND-YEAR: major_policy-109."""
    found = db.session.scalars(select(Register).where(Register.key == key)).one_or_none()
    if found is not None:
        return found
    kind, _dash, year = key.rpartition("-")
    if kind not in KINDS or not year.isdecimal() or not 1 <= int(year) <= 999:
        known = "、".join(db.session.scalars(select(Register.key).order_by(Register.key)))
        kinds = "、".join(KINDS)
        raise NotFound(
            Text(
                zh=f"沒有列管別「{key}」。已有：{known or '（無）'}；新的請寫「種類-年度」，種類為 {kinds}。",
                en=f"There is no register {key}. There are: {known or 'none'}; a new one is KIND-YEAR, "
                f"KIND one of {kinds}.",
            )
        )
    name, cycle = KINDS[kind]
    found = Register(
        key=f"{kind}-{int(year)}",
        kind=kind,
        name_zh=f"{int(year)}年度{name.zh}",
        name_en=f"{name.en} {int(year) + 1911}",
        roc_year=int(year),
        cycle=cycle,
    )
    db.session.add(found)
    db.session.flush()
    return found


def plans(actor: Actor, sheet: Sheet, register_key: str, period: Period, now: datetime) -> Imported:
    """附件一: each row a plan of the register with its report for the last month of the period."""
    alone()
    register, done, seen = register_for(register_key), Imported(), dict[str, int]()
    done.notes = list(sheet.notes)
    done.register_ids.add(register.id)
    for row in sheet.telling(sheet.rows):
        case_no, title = row.word("case_no"), row.text("project", needed=True, longest=200)
        once(row, seen, "case_no" if case_no else "project", case_no or title)
        units = _units(row)
        figures, item_no, budget = _figures(row), _item_no(row), _budget(row)
        if sheet.problems or figures is None or not units or not title:
            continue
        entry = _entry(register, case_no, title)
        changed = entry is None
        if entry is None:
            plan, made = _plan(title, register, units, row)
            entry = RegisterEntry(
                register_id=register.id,
                plan_id=plan.id,
                case_no=case_no or None,
                since=period.first_month,
                origin="published",
                title=title if plan.title != title else None,
            )
            db.session.add(entry)
            if made:
                _describe(plan, units, row)
        changed |= _set(
            entry,
            project_no=item_no,
            project=row.text("policy", longest=80),
            note=_remarks(row),
        )
        db.session.flush()
        changed |= _set_budget(entry.plan_id, budget)
        changed |= _report(row, entry, period, figures, now)
        done.rows += 1
        done.changed += changed
    sheet.require()
    audit(actor, f"plans {register.key} {period.key}: {done.rows} rows, {done.changed} new", now)
    return done


def severe(
    actor: Actor, sheet: Sheet, register_key: str, annex_key: str, period: Period, now: datetime
) -> Imported:
    """The plans named as severe, without percentages: their class counts as published (以公布為準)."""
    alone()
    register, done, seen = register_for(register_key), Imported(), dict[str, int]()
    done.notes = list(sheet.notes)
    done.register_ids.add(register.id)
    for row in sheet.telling(sheet.rows):
        number, title = row.word("no", needed=True), row.text("project", needed=True, longest=200)
        once(row, seen, "no", number)
        units, other = _units(row), row.word("annex_case_no")
        elsewhere = _entry_elsewhere(annex_key, other) if other else None
        if other and elsewhere is None:
            row.wrong(
                "annex_case_no", f"{annex_key} 沒有案號 {other}。", f"{annex_key} has no case number {other}."
            )
        if sheet.problems or not units:
            continue
        entry = _entry(register, number, title)
        changed = entry is None
        if entry is None:
            plan = db.session.get_one(Plan, elsewhere.plan_id) if elsewhere else None
            if plan is None:
                plan, _made = _plan(title, register, units, row)
            entry = RegisterEntry(
                register_id=register.id,
                plan_id=plan.id,
                case_no=number,
                title=title if plan.title != title else None,
                since=period.first_month,
                origin="published",
            )
            db.session.add(entry)
        changed |= _set(entry, note=row.text("unit_basis"))
        db.session.flush()
        note = _against_the_annex(elsewhere, period) if elsewhere else ""
        changed |= _report(row, entry, period, Figures(published_class="severe", note=note), now)
        if note:
            done.notes.append(Text(zh=f"{title}：{note}", en="the other register says otherwise"))
        done.rows += 1
        done.changed += changed
    sheet.require()
    audit(actor, f"severe {register.key} {period.key}: {done.rows} rows, {done.changed} new", now)
    return done


def figures(actor: Actor, sheet: Sheet, now: datetime) -> Imported:
    """Figures of whole registers as they were printed, each with its source."""
    alone()
    done = Imported(notes=list(sheet.notes))
    for row in sheet.telling(sheet.rows):
        name = row.word("figure", needed=True)
        if name and name not in FIGURE_NAMES:
            listed = "、".join(sorted(FIGURE_NAMES))
            row.wrong("figure", f"「{name}」不是這些數據之一：{listed}。", f"{name} is none of {listed}.")
        value = row.number_of("value", 0, MOST_MONEY, needed=True)
        source = row.text("source", needed=True)
        try:
            period = parse(row.word("period", needed=True))
        except ValueError:
            row.wrong(
                "period", "期別例如 109Q3、109M09、109H1、109。", "A period is 109Q3, 109M09, 109H1 or 109."
            )
            continue
        key = row.word("register", needed=True)
        if sheet.problems or value is None:
            continue
        try:
            register = register_for(key)
        except NotFound as refusal:
            row.wrong("register", refusal.text.zh, refusal.text.in_("en"))
            continue
        held = db.session.scalars(
            select(PublishedFigure).where(
                PublishedFigure.register_id == register.id,
                PublishedFigure.period == period.key,
                PublishedFigure.name == name,
            )
        ).one_or_none()
        if held is None:
            held = PublishedFigure(register_id=register.id, period=period.key, name=name)
            db.session.add(held)
        done.changed += _set(held, value=value, source=source, note=row.text("note"))
        done.rows += 1
        done.register_ids.add(register.id)
        db.session.flush()
    sheet.require()
    audit(actor, f"figures: {done.rows} rows, {done.changed} new", now)
    return done


# --- rows -------------------------------------------------------------------------------------------------


def once(row: Row, seen: dict[str, int], column: str, value: str) -> None:
    if value and value in seen:
        row.wrong(
            column,
            f"「{value}」在第 {seen[value]} 列已經出現。",
            f"“{value}” stands in row {seen[value]} already.",
        )
    seen.setdefault(value, row.number)


def _units(row: Row) -> list[int]:
    """The leading unit first."""
    tree, found = chart(), []
    for name in (
        row.text("unit", needed=True).replace("；", ";").replace("、", ";").replace("\n", ";").split(";")
    ):
        unit = tree.by_name.get(name.strip()) or tree.by_code.get(name.strip())
        if unit is None:
            row.wrong("unit", f"組織裡沒有「{name.strip()}」。", f"The org chart has no unit {name.strip()}.")
        elif unit.id not in found:
            found.append(unit.id)
    return found


def _figures(row: Row) -> Figures | None:
    planned = row.number_of("planned_pct", 0, 100, needed=True)
    actual = row.number_of("actual_pct", 0, 100, needed=True)
    lag = row.number_of("lag_pct", -100, 100)
    status = row.word("status")
    if status and status not in STATUSES:
        row.wrong("status", f"「{status}」不是燈號。", f"{status} is no status.")
    if planned is None or actual is None:
        return None
    if lag is not None and lag != planned - actual:
        row.wrong(
            "lag_pct",
            f"預定 {planned} 減實際 {actual} 是 {planned - actual}，不是 {lag}。",
            f"{planned} planned less {actual} actual is {planned - actual}, not {lag}.",
        )
    return Figures(planned=planned, actual=actual, phase=row.text("phase"))


def _budget(row: Row) -> Decimal | None:
    """In dollars, given as such or in 億."""
    dollars = row.number_of("budget_twd", 0, MOST_MONEY, decimals=0)
    millions = row.number_of("budget_100m_twd", 0, MOST_MONEY / HUNDRED_MILLION, decimals=8)
    if dollars is not None and millions is not None and dollars != millions * HUNDRED_MILLION:
        row.wrong(
            "budget_twd",
            f"{millions} 億元是 {millions * HUNDRED_MILLION:f} 元，不是 {dollars} 元。",
            f"{millions} hundred million are {millions * HUNDRED_MILLION:f}, not {dollars}.",
        )
    return dollars if dollars is not None or millions is None else millions * HUNDRED_MILLION


def _item_no(row: Row) -> int | None:
    written = row.word("item_no")
    if not written:
        return None
    number = NUMERALS.get(written) or (int(written) if written.isdecimal() and len(written) < 4 else None)
    if number is None:
        row.wrong("item_no", f"「{written}」不是項次。", f"“{written}” is no item number.")
    return number


def _remarks(row: Row) -> str:
    parts = [row.text("note")]
    if named := row.text("in_severe9"):
        parts.append(f"嚴重落後清單所載：{named}")
    return "\n".join(filter(None, parts))


# --- what is there ----------------------------------------------------------------------------------------


def _entry(register: Register, case_no: str, title: str) -> RegisterEntry | None:
    """By its number in the register, else by the title of its plan."""
    of_register = select(RegisterEntry).where(RegisterEntry.register_id == register.id)
    if case_no:
        return db.session.scalars(of_register.where(RegisterEntry.case_no == case_no)).one_or_none()
    called = func.coalesce(RegisterEntry.title, Plan.title)
    return db.session.scalars(
        of_register.join(Plan, Plan.id == RegisterEntry.plan_id).where(
            called == title, RegisterEntry.released_on.is_(None)
        )
    ).first()


def _entry_elsewhere(register_key: str, case_no: str) -> RegisterEntry | None:
    return db.session.scalars(
        select(RegisterEntry)
        .join(Register, Register.id == RegisterEntry.register_id)
        .where(Register.key == register_key, RegisterEntry.case_no == case_no)
    ).one_or_none()


def _plan(title: str, register: Register, units: Sequence[int], row: Row) -> tuple[Plan, bool]:
    """The plan of that title and leading unit, and whether it was made now."""
    held = db.session.scalars(
        select(Plan).where(Plan.title == title, Plan.lead_unit_id == units[0]).order_by(Plan.id).limit(1)
    ).one_or_none()
    if held is not None:
        return held, False
    made = Plan(
        code=next_code(register.roc_year),
        title=title,
        kind="project",
        roc_year=register.roc_year,
        level="county",
        lead_unit_id=units[0],
        origin="published",
    )
    db.session.add(made)
    db.session.flush()
    return made, True


def next_code(year: int) -> str:
    """P109-0001, counted for each year."""
    serial = db.session.execute(
        text(
            "insert into counter (name, year, value) values ('plan', :year, 1) "
            "on conflict (name, year) do update set value = counter.value + 1 returning value"
        ),
        {"year": year},
    ).scalar_one()
    return f"P{year:03}-{serial:04}"


def _describe(plan: Plan, units: Sequence[int], row: Row) -> None:
    """Further units and sub-sites of a new plan."""
    db.session.add_all(
        PlanUnit(plan_id=plan.id, unit_id=unit, position=place)
        for place, unit in enumerate(units[1:], start=1)
    )
    db.session.add_all(
        PlanSite(plan_id=plan.id, position=place, name=name)
        for place, name in enumerate(sites(row.text("phase")), start=1)
    )


def _set_budget(plan_id: int, amount: Decimal | None) -> bool:
    """Of the whole plan; a list that says nothing changes nothing."""
    if amount is None:
        return False
    held = db.session.scalars(
        select(PlanBudget).where(
            PlanBudget.plan_id == plan_id, PlanBudget.roc_year.is_(None), PlanBudget.source == "all"
        )
    ).one_or_none()
    if held is None:
        db.session.add(PlanBudget(plan_id=plan_id, source="all", amount=amount))
        return True
    return _set(held, amount=amount)


def sites(phase: str) -> list[str]:
    """Sub-sites, where the phase is told for each of them: 「甲-施工中；乙-設計中」."""
    parts = [part.partition("-") for part in phase.split("；")]
    return (
        [name for name, _dash, _phase in parts]
        if len(parts) > 1 and all(dash for _n, dash, _p in parts)
        else []
    )


def _report(row: Row, entry: RegisterEntry, period: Period, said: Figures, now: datetime) -> bool:
    month = period.last_month
    held = db.session.execute(
        select(ProgressReport.version, ProgressReport.note).where(
            ProgressReport.entry_id == entry.id, ProgressReport.month == month
        )
    ).one_or_none()
    if held is not None and said.published_class is None:  # the note that was made when it came in
        said = Figures(**{**vars(said), "note": held.note})
    try:
        report, changed = plan_progress.record(
            entry, month, said, now, origin="published", version=held.version if held else None
        )
    except Refused as refusal:
        row.wrong("project", refusal.text.zh, refusal.text.in_("en"))
        return False
    stated = STATUSES.get(row.word("status"))
    if changed and stated is not None and stated != report.standing:
        report.note = f"所載燈號為「{row.word('status')}」，依規則為「{report.standing}」。"
        db.session.flush()
    return changed


def _against_the_annex(entry: RegisterEntry, period: Period) -> str:
    """What the other register says of the same plan and month, where it is no severe lag: separate baselines."""
    report = db.session.scalars(
        select(ProgressReport).where(
            ProgressReport.entry_id == entry.id, ProgressReport.month == period.last_month
        )
    ).one_or_none()
    if report is None or report.standing == "severe" or report.lag is None:
        return ""
    planned, actual = (f"{value.normalize():f}" for value in (report.planned or 0, report.actual or 0))
    name = db.session.get_one(Register, entry.register_id).name_zh
    return (
        f"本表公布為嚴重落後；「{name}」案號 {entry.case_no} 同期預定 {planned}%、實際 {actual}%，未達嚴重落後。"
        "各列管別的預定進度各自訂定，均以公布為準。"
    )


def _set(row: Any, **values: Any) -> bool:
    changed = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def audit(actor: Actor, subject: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action="imported", subject=subject[:200]))
    db.session.flush()
