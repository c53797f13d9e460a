"""The year before this one of the demonstration county: plans that ended, some graded already, and a journey with its
published report."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from webapp.demo.plan_control import Invented, entry_of, reports_of
from webapp.extensions import db
from webapp.models import Journey, PlanGrade, RegisterEntry
from webapp.moments import TAIPEI, taipei_day
from webapp.queries.org import chart
from webapp.services import plan_grades, plan_imports, plan_progress, plan_years
from webapp.services.plan_grades import Said

GRADED = (
    (Invented("港區夜間照明", "TR", 46_000_000, "0", "0", "0.96"), "92"),
    (Invented("農水路改善", "PW", 31_000_000, "2.5", "4", "0.84", reason="連日降雨", countermeasure="調整工序"), "85"),
)  # fmt: skip
#: for whoever tries the evaluation; no lag lies between 6.5 and 10, as in plan_control
LEFT = (
    Invented("社區活動中心修繕", "SW", 18_000_000, "0", "0", "0.91"),
    Invented(
        "校園遮陽棚", "ED", 24_000_000, "10.4", "5", "0.71", reason="流標二次", countermeasure="調整底價"
    ),
)


def load(approver_id: int, now: datetime) -> None:
    december = date(taipei_day(now).year - 1, 12, 1)
    register = plan_imports.register_for(f"selected-{december.year - 1911}")
    made = []
    for number, invented in enumerate((*(each for each, _points in GRADED), *LEFT), start=1):
        entry = entry_of(invented, register, december, approver_id, now)
        entry.case_no = str(number)
        made.append(entry)
        reports = reports_of(entry, invented, december, now)
        for report in reports:
            sent = report.month + timedelta(days=34)
            report.reported_at = datetime(sent.year, sent.month, 4, 2, tzinfo=TAIPEI)
        db.session.add_all(reports)
        db.session.flush()
        plan_progress.evaluate(reports, now)
    figures = plan_years.figures(register, made)
    for entry, (_invented, points) in zip(made, GRADED, strict=False):
        said = Said({"administration": Decimal(points)}, administration_reason="會議出席與資料完整（示範）")
        row = _graded(entry, approver_id, now)
        plan_grades.keep(
            row, figures[entry.id], said, plan_grades.assess(register, figures[entry.id], said)[0], now
        )
        row.state, row.published_by_id, row.published_at = "published", approver_id, now
    db.session.add(_journey(december, now))
    db.session.flush()


def _journey(december: date, now: datetime) -> Journey:
    return Journey(
        unit_id=chart().by_code["TR"].id,
        traveller="觀光處考察團 4 人（示範）",
        destination="日本沖繩縣",
        purpose="考察離島低碳旅遊",
        left_on=december.replace(month=5, day=12),
        returned_on=december.replace(month=5, day=16),
        state="published",
        title="離島低碳旅遊考察報告（示範）",
        summary="租車電動化、旅宿節水與自行車路網的作法。",
        origin="demonstration",
        registered_at=now,
        published_at=now,
    )


def _graded(entry: RegisterEntry, by: int, now: datetime) -> PlanGrade:
    row = PlanGrade(
        entry_id=entry.id,
        register_id=entry.register_id,
        self_points=dict.fromkeys(plan_grades.ITEMS, "90"),
        self_words="如期完成年度工作項目（示範）",
        origin="demonstration",
        opened_at=now,
        reviewed_by_id=by,
    )
    db.session.add(row)
    return row
