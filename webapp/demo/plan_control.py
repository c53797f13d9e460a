"""Plan control of the demonstration county: the third quarter of 109 as it was published, and invented plans of this
year, marked as such, so that curves, reports and changes have something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from webapp import sheets
from webapp.extensions import db
from webapp.models import (
    Baseline,
    BaselinePoint,
    Plan,
    PlanBudget,
    ProgressReport,
    ProposalCall,
    Register,
    RegisterEntry,
)
from webapp.moments import taipei_day
from webapp.periods import month_before, parse
from webapp.permissions import SYSTEM
from webapp.queries.org import chart
from webapp.services import plan_imports, plan_progress

HERE = Path(__file__).parent / "plans"
QUARTER = "109Q3"
CURVE = tuple(map(Decimal, (16, 22, 29, 37, 45, 54, 63, 71, 79, 87, 94, 100)))
STEEP = tuple(map(Decimal, (13, 14, 15, 17, 19, 22, 25, 28, 33, 40, 55, 100)))
#: reports of a month are due on this day of the next, as plan_reporting says
CUT_OFF = 7
MARK = "（示範）"
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
    countermeasure: str = ""
    supervisor: str = ""


#: no lag lies between 6.5 and 10: a change of that rule touches the published quarter alone
SELECTED = (
    Invented("環湖步道照明改善", "PW", 68_000_000, "12.5", "12.5", "0.62",
             reason="管線遷移尚未完成", countermeasure="增派工班，夜間施工"),
    Invented("老街排水系統更新", "PW", 125_000_000, "3.2", "0", reason="連日降雨", countermeasure="調整工序"),
    Invented("銀髮健身園地", "SW", 12_000_000, "0", "2"),
    Invented("校園圖書館改造", "ED", 36_500_000, "0", "0"),
    Invented("觀光巴士候車設施", "TR", 22_000_000, "-3.5", "-3.5"),
    Invented("資源回收分類站", "EP", 41_000_000, "-7", "-7"),
    Invented("衛生所數位掛號", "HE", 9_800_000, "1.1", "1.1", "0.75", reason="採購期程延後", countermeasure="併案採購"),
    Invented("文物典藏庫房整修", "CU", 58_000_000, "0", "0", curve=STEEP),
    Invented("消防車輛汰換", "FD", 76_000_000, "0", "0"),
)  # fmt: skip
#: nobody reported this one in time
SILENT = Invented("溼地步道維護", "EC", 15_000_000, "0", "0")
PROJECTS = (
    Invented("智慧路燈示範街區", "PW", 68_000_000, "0", "0", supervisor="副縣長"),
    Invented("島際航線候船室", "TR", 185_000_000, "4.5", "4.5", reason="船期調整", countermeasure="分區施工", supervisor="秘書長"),
)  # fmt: skip


def load(approver_id: int, now: datetime) -> None:
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
            entry = _entry(invented, register, month, approver_id, now)
            reports += _reports(entry, invented, month, now)
    silent = _entry(SILENT, selected, month, approver_id, now)
    *sent, missing = _reports(silent, SILENT, month, now)
    missing.actual, missing.state, missing.reported_at = None, "open", None
    reports += [*sent, missing]
    db.session.add_all(reports)
    db.session.flush()
    plan_progress.evaluate(reports, now)
    _pledge(pledges, year)
    _call(today, approver_id, now)


def _publish(now: datetime) -> None:
    """What the county printed, through the import like any other list."""
    period = parse(QUARTER)
    table = sheets.read(HERE / f"plans_{QUARTER}.csv", plan_imports.PLANS, ("project", "planned_pct"))
    plan_imports.plans(SYSTEM, table, "major_policy-109", period, now)
    table = sheets.read(HERE / f"severe_{QUARTER}.csv", plan_imports.SEVERE, ("no", "project"))
    plan_imports.severe(SYSTEM, table, "selected-109", "major_policy-109", period, now)
    table = sheets.read(HERE / f"figures_{QUARTER}.csv", plan_imports.FIGURES, ("register", "figure"))
    plan_imports.figures(SYSTEM, table, now)


def _entry(
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
    db.session.add(baseline)
    db.session.flush()
    db.session.add_all(
        BaselinePoint(
            baseline_id=baseline.id,
            month=date(month.year, number, 1),
            planned=share,
            budget=int(invented.budget * share / 100),
        )
        for number, share in enumerate(invented.curve, start=1)
    )
    db.session.flush()
    baseline.approved_by_id, baseline.approved_at = approver_id, now
    db.session.flush()
    return entry


def _reports(entry: RegisterEntry, invented: Invented, until: date, now: datetime) -> list[ProgressReport]:
    """Every month of the year so far."""
    made = []
    for number in range(1, until.month + 1):
        month, planned = date(until.year, number, 1), invented.curve[number - 1]
        lag = Decimal(invented.lag if month == until else invented.earlier)
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
                reason=invented.reason if lag > 0 else "",
                countermeasure=invented.countermeasure if lag > 0 else "",
                catch_up_date=date(until.year, 12, 31) if lag > 0 else None,
                state="reported",
                origin="demonstration",
                reported_at=now,
            )
        )
    return made


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


def _pledge(register: Register, year: int) -> None:
    """Vision -> indicator, as pledges are kept; the half-yearly review has not begun."""
    parent_id: int | None = None
    for kind, title in (("pledge_vision", "健康島嶼願景"), ("pledge_indicator", "社區照顧據點數")):
        plan = Plan(
            code=plan_imports.next_code(year),
            title=title + MARK,
            kind=kind,
            roc_year=year,
            level="magistrate",
            lead_unit_id=chart().by_code["SW"].id,
            parent_id=parent_id,
            origin="demonstration",
        )
        db.session.add(plan)
        db.session.flush()
        parent_id = plan.id
    db.session.add(
        RegisterEntry(
            register_id=register.id,
            plan_id=plan.id,
            since=date(year + 1911, 1, 1),
            origin="demonstration",
        )
    )
    served = db.session.query(Plan).filter_by(title=SELECTED[2].title + MARK, roc_year=year).one()
    served.parent_id = plan.id
    db.session.flush()
