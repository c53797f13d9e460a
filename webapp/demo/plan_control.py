"""Plan control of the demonstration county: the third quarter of 109 as it was published, and invented plans of this
year, marked as such, so that curves, reports and changes have something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from webapp import sheets
from webapp.demo import plan_tree
from webapp.demo.plan_tree import MARK
from webapp.extensions import db
from webapp.models import (
    Baseline,
    Milestone,
    Plan,
    PlanBudget,
    ProgressReport,
    ProposalCall,
    Register,
    RegisterEntry,
)
from webapp.moments import taipei_day
from webapp.periods import last_day, month_before, parse
from webapp.permissions import SYSTEM
from webapp.queries import plan_facts
from webapp.queries.org import chart
from webapp.queries.plan_facts import Point
from webapp.services import plan_curves, plan_imports, plan_progress

HERE = Path(__file__).parent / "plans"
QUARTER = "109Q3"
CURVE = tuple(map(Decimal, (16, 22, 29, 37, 45, 54, 63, 71, 79, 87, 94, 100)))
STEEP = tuple(map(Decimal, (13, 14, 15, 17, 19, 22, 25, 28, 33, 40, 55, 100)))
#: reports of a month are due on this day of the next, as plan_reporting says
CUT_OFF = 7
CALL_DAYS = 45


@dataclass(frozen=True)
class Invented:
    title: str
    unit: str
    budget: int
    #: planned less actual: of the newest month, and of those before it
    lag: str
    earlier: str
    #: share of what may be spent that is
    spent: str = "0.9"
    curve: tuple[Decimal, ...] = CURVE
    reason: str = ""
    reason_class: str = ""
    countermeasure: str = ""
    supervisor: str = ""


#: no lag lies between 6.5 and 10: a change of that rule touches the published quarter alone
SELECTED = (
    Invented("環湖步道照明改善", "PW", 68_000_000, "12.5", "12.5", "0.62",
             reason="管線遷移尚未完成", reason_class="permit", countermeasure="增派工班，夜間施工"),
    Invented("老街排水系統更新", "PW", 125_000_000, "3.2", "0",
             reason="連日降雨", reason_class="weather", countermeasure="調整工序"),
    Invented("銀髮健身園地", "SW", 12_000_000, "0", "2"),
    Invented("校園圖書館改造", "ED", 36_500_000, "0", "0"),
    Invented("觀光巴士候車設施", "TR", 22_000_000, "-3.5", "-3.5"),
    Invented("資源回收分類站", "EP", 41_000_000, "-7", "-7"),
    Invented("衛生所數位掛號", "HE", 9_800_000, "1.1", "1.1", "0.75",
             reason="採購期程延後", reason_class="tender", countermeasure="併案採購"),
    Invented("文物典藏庫房整修", "CU", 58_000_000, "0", "0", curve=STEEP),
    Invented("消防車輛汰換", "FD", 76_000_000, "0", "0"),
)  # fmt: skip
#: reports its milestones: one was reached, one is late, one is not due yet
WITH_MILESTONES = "環湖步道照明改善"
#: nobody reported this one in time
SILENT = Invented("溼地步道維護", "EC-AFF", 15_000_000, "0", "0")
#: accepted this year, and released
DONE = Invented("魚市場屋頂整修", "EC", 18_000_000, "0", "0")
#: completed, and not accepted yet
COMPLETED = "消防車輛汰換"
#: its curve was changed: from the next month on it takes three months longer
CHANGED, LONGER = "校園圖書館改造", 3
PROJECTS = (
    Invented("智慧路燈示範街區", "PW", 68_000_000, "0", "0", supervisor="副縣長"),
    Invented("島際航線候船室", "TR", 185_000_000, "4.5", "4.5",
             reason="船期調整", reason_class="shipping", countermeasure="分區施工", supervisor="秘書長"),
)  # fmt: skip


def load(approver_id: int, now: datetime) -> Register:
    """Returns the register of selected plans of this year."""
    _publish(now)
    today = taipei_day(now)
    month = month_before((today - timedelta(days=CUT_OFF)).replace(day=1))
    year = month.year - 1911
    selected, projects, pledges = (
        plan_imports.register_for(f"{kind}-{year}") for kind in ("selected", "major_project", "pledge")
    )
    reports: list[ProgressReport] = []
    for register, plans in ((selected, SELECTED), (projects, PROJECTS)):
        for invented in plans:
            entry = entry_of(invented, register, month, approver_id, now)
            reports += reports_of(entry, invented, month, now)
    silent = entry_of(SILENT, selected, month, approver_id, now)
    *sent, missing = reports_of(silent, SILENT, month, now)
    missing.actual, missing.state, missing.reported_at = None, "open", None
    reports += [*sent, missing]
    db.session.add_all(reports)
    db.session.flush()
    _milestones(_plan(WITH_MILESTONES, year), month)
    plan_progress.evaluate(reports, now)
    _release(entry_of(DONE, selected, month, approver_id, now), month)
    _plan(COMPLETED, year).completed_on = month
    _change(_plan(CHANGED, year), month, approver_id, now)
    plan_tree.load(pledges, year)
    _call(today, approver_id, now)
    return selected


def _plan(title: str, year: int) -> Plan:
    return db.session.query(Plan).filter_by(title=title + MARK, roc_year=year).one()


def _milestones(plan: Plan, month: date) -> None:
    """The first was reached, as the report of its month said; the second was due in the newest month."""
    january = date(month.year, 1, 1)
    first = (
        db.session.query(ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .filter(RegisterEntry.plan_id == plan.id, ProgressReport.month == january)
        .one()
    )
    due = (("工程發包", january), ("管線遷移完成", month), ("完工驗收", date(month.year, 12, 1)))
    made = [
        Milestone(plan_id=plan.id, ordinal=n, what=what, due_month=each)
        for n, (what, each) in enumerate(due, start=1)
    ]
    made[0].reached_on, made[0].report_id = january.replace(day=20), first.id
    db.session.add_all(made)
    db.session.flush()


def _release(entry: RegisterEntry, month: date) -> None:
    plan = db.session.get_one(Plan, entry.plan_id)
    entry.since, entry.released_on = month, last_day(month)
    plan.completed_on = plan.accepted_on = month
    entry.release_reason, entry.released_as = "完工並驗收", "completed"


def _change(plan: Plan, month: date, approver_id: int, now: datetime) -> None:
    """A second version of the curve, as if it had been asked for and approved."""
    entry = db.session.query(RegisterEntry).filter_by(plan_id=plan.id).one()
    so_far, left = CURVE[: month.month], 12 - month.month + LONGER
    step = (100 - so_far[-1]) / left
    shares = [*so_far, *(round(so_far[-1] + step * n, 2) for n in range(1, left)), Decimal(100)]
    changed = Baseline(
        entry_id=entry.id,
        number=2,
        reason="缺工缺料，工期展延",
        effective_month=month_before(month, -1),
        approved_by_id=approver_id,
        approved_at=now,
        origin="demonstration",
    )
    january = date(month.year, 1, 1)
    # months that are over stand as they were approved
    money = {p.month: p.budget for p in plan_facts.curves([entry.id])[entry.id][: len(so_far)]}
    points = [
        Point(each, share, money.get(each))
        for each, share in ((month_before(january, -n), share) for n, share in enumerate(shares))
    ]
    plan_curves.approve(changed, points)


def _publish(now: datetime) -> None:
    """What the county printed, through the import like any other list."""
    period = parse(QUARTER)
    table = sheets.read(HERE / f"plans_{QUARTER}.csv", plan_imports.PLANS, ("project", "planned_pct"))
    plan_imports.plans(SYSTEM, table, "major_policy-109", period, now)
    table = sheets.read(HERE / f"severe_{QUARTER}.csv", plan_imports.SEVERE, ("no", "project"))
    plan_imports.severe(SYSTEM, table, "selected-109", "major_policy-109", period, now)
    table = sheets.read(HERE / f"figures_{QUARTER}.csv", plan_imports.FIGURES, ("register", "figure"))
    plan_imports.figures(SYSTEM, table, now)


def entry_of(
    invented: Invented, register: Register, month: date, approver_id: int, now: datetime
) -> RegisterEntry:
    """An invented plan with its money and its approved curve from January to December."""
    january = date(month.year, 1, 1)
    plan = Plan(
        code=plan_imports.next_code(register.roc_year),
        title=invented.title + MARK,
        kind="yearly",
        roc_year=register.roc_year,
        level="county",
        lead_unit_id=chart().by_code[invented.unit].id,
        starts_on=january,
        ends_on=date(month.year, 12, 31),
        origin="demonstration",
    )
    db.session.add(plan)
    db.session.flush()
    half = invented.budget // 2
    db.session.add_all(
        PlanBudget(plan_id=plan.id, roc_year=register.roc_year, source=source, amount=amount)
        for source, amount in (("county", half), ("central", invented.budget - half))
    )
    entry = RegisterEntry(
        register_id=register.id,
        plan_id=plan.id,
        supervisor=invented.supervisor,
        since=january,
        origin="demonstration",
    )
    db.session.add(entry)
    db.session.flush()
    baseline = Baseline(
        entry_id=entry.id, number=1, reason="年度核定", effective_month=january, origin="demonstration"
    )
    baseline.approved_by_id, baseline.approved_at = approver_id, now
    points = [
        Point(date(month.year, number, 1), share, Decimal(int(invented.budget * share / 100)))
        for number, share in enumerate(invented.curve, start=1)
    ]
    plan_curves.approve(baseline, points)
    return entry


def reports_of(entry: RegisterEntry, invented: Invented, until: date, now: datetime) -> list[ProgressReport]:
    """Every month of the year so far."""
    made = []
    for number in range(1, until.month + 1):
        month, planned = date(until.year, number, 1), invented.curve[number - 1]
        lag = (
            Decimal(invented.lag)
            if month == until
            else _grown(Decimal(invented.earlier), number, until.month)
        )
        due = Decimal(int(invented.budget * planned / 100))
        made.append(
            ProgressReport(
                entry_id=entry.id,
                register_id=entry.register_id,
                month=month,
                planned=planned,
                actual=min(planned - lag, Decimal(100)),
                budget_due=due,
                budget_spent=Decimal(int(due * Decimal(invented.spent))),
                phase="工程辦理中",
                reason_class=invented.reason_class or None if lag > 0 else None,
                reason=invented.reason if lag > 0 else "",
                countermeasure=invented.countermeasure if lag > 0 else "",
                catch_up_date=date(until.year, 12, 31) if lag > 0 else None,
                state="reported",
                origin="demonstration",
                reported_at=now,
            )
        )
    return made


def _grown(lag: Decimal, number: int, until: int) -> Decimal:
    """What a lag had come to in an earlier month, in tenths; never between 6.5 and 10."""
    grown = (lag * (number + 1) / until).quantize(Decimal("0.1"))
    return Decimal(6) if 6 < grown < 10 else grown


def _call(today: date, control_id: int, now: datetime) -> None:
    """Units may propose plans of the next year from the first day of the demonstration on."""
    year = today.year - 1911 + 1
    db.session.add(
        ProposalCall(
            register_id=plan_imports.register_for(f"selected-{year}").id,
            title=f"{year}年度施政計畫先期作業{MARK}",
            opens_on=today,
            closes_on=today + timedelta(days=CALL_DAYS),
            note="請提報次年度計畫，並填明各年度經費、查核點與每月預定進度。",
            origin="demonstration",
            changed_by_id=control_id,
            changed_at=now,
        )
    )
    db.session.flush()
