"""決議: taken in as pasted lines or as a spreadsheet, each followed up as a case; and how many are released."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select

from rules.values import Text, format_day, parse_roc_date
from webapp import sheets
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Resolution, ResolutionUnit, ReviewMeeting
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.audit import last_hand
from webapp.queries.meetings import Tally
from webapp.queries.org import chart
from webapp.services import evaluation, internal_cases
from webapp.services.meetings import subject_of
from webapp.services.plan_control import require
from webapp.services.plan_progress import said
from webapp.services.resolution_steps import RULESET
from webapp.sheets import BadSheet, Problem

SERVICE = "KM06"
LONGEST = 2000
#: of one paste or file
MOST = 500
COLUMNS = {"text": ("決議事項",), "unit": ("權責單位",), "due": ("辦理期限",)}


@dataclass(frozen=True)
class Asked:
    """One resolution; the first unit leads."""

    text: str
    units: tuple[int, ...]
    #: none: as the ruleset says
    due_on: date | None


def read_lines(typed: str, meeting: ReviewMeeting) -> list[Asked]:
    """One a line: 決議 | 單位 | 期限. BadSheet names every line that cannot be read."""
    lines = [(n, line) for n, line in enumerate(typed.splitlines(), start=1) if line.strip()]
    cells = [(n, [cell.strip() for cell in re.split(r"[|｜\t]", line)]) for n, line in lines]
    long = [
        Problem(
            n, "", Text(zh="一行最多三欄：決議 | 單位 | 期限。", en="At most three parts: text | unit | due.")
        )
        for n, parts in cells
        if len(parts) > len(COLUMNS)
    ]
    if long:
        raise BadSheet(long)
    return _read([(n, *parts, *[""] * (len(COLUMNS) - len(parts))) for n, parts in cells], meeting)


def read_file(content: bytes, meeting: ReviewMeeting) -> list[Asked]:
    """XLSX or CSV with the columns text, unit and due, or 決議事項, 權責單位 and 辦理期限."""
    sheet = sheets.read_content(content, COLUMNS, ("text", "unit"))
    sheet.require()
    cells = [(row.number, *(row.cells.get(name, "") for name in COLUMNS)) for row in sheet.rows]
    return _read(cells, meeting)


def _read(rows: Sequence[tuple[int, str, str, str]], meeting: ReviewMeeting) -> list[Asked]:
    mistakes: list[Problem] = []
    if not rows:
        mistakes.append(Problem(None, "", Text(zh="沒有決議事項。", en="There is no resolution.")))
    if len(rows) > MOST:
        mistakes.append(Problem(None, "", Text(zh=f"一次最多 {MOST} 項。", en=f"At most {MOST} at a time.")))
    found = []
    for number, text, unit, due in rows[: MOST + 1]:
        if not 0 < len(text) <= LONGEST:
            words = Text(zh=f"請寫決議內容，最多 {LONGEST} 字。", en=f"1 to {LONGEST} characters.")
            mistakes.append(Problem(number, "決議事項", words))
        units = _units(number, unit, mistakes)
        found.append(Asked(text, units, _due(number, due, meeting.held_on, mistakes)))
    if mistakes:
        raise BadSheet(mistakes)
    return found


def _units(number: int, typed: str, mistakes: list[Problem]) -> tuple[int, ...]:
    """Codes or names, several with 、 between them."""
    known: dict[str, list[int]] = {}
    for unit in chart().units.values():
        for called in (unit.zh, unit.code):
            known.setdefault(unicodedata.normalize("NFKC", called).strip(), []).append(unit.id)
    names = [
        name
        for part in re.split(r"[、,，;；/]", typed)
        if (name := unicodedata.normalize("NFKC", part).strip())
    ]
    if not names:
        words = Text(zh="請寫權責單位。", en="Name the unit.")
        mistakes.append(Problem(number, "權責單位", words))
    for name in names:
        if name not in known:
            words = Text(zh=f"沒有「{name[:40]}」這個單位。", en=f"There is no unit “{name[:40]}”.")
            mistakes.append(Problem(number, "權責單位", words))
        elif len(known[name]) > 1:
            words = Text(
                zh=f"有幾個單位都叫「{name}」，請寫單位代碼。",
                en=f"Several units are called “{name}”: give the code.",
            )
            mistakes.append(Problem(number, "權責單位", words))
    return tuple(dict.fromkeys(known[name][0] for name in names if name in known))


def _due(number: int, typed: str, held_on: date, mistakes: list[Problem]) -> date | None:
    if not typed:
        return None
    try:
        due = parse_roc_date(typed)
    except ValueError:
        words = Text(
            zh="期限不是真實存在的日期，例如 115/12/3。", en="No such day; write 115/12/3 or 2026-12-03."
        )
        mistakes.append(Problem(number, "辦理期限", words))
        return None
    if not held_on < due <= held_on + timedelta(days=3650):
        words = Text(zh="期限須在會議日之後，十年以內。", en="It lies after the meeting, within ten years.")
        mistakes.append(Problem(number, "辦理期限", words))
    return due


def resolve(
    actor: Actor, meeting: ReviewMeeting, asked: Sequence[Asked], now: datetime, *, version: int
) -> list[Resolution]:
    """Each becomes a case of its unit; sent twice, nothing is resolved twice."""
    require(actor)
    held = db.session.get_one(ReviewMeeting, meeting.id, with_for_update=True, populate_existing=True)
    if held.version != version:
        name = last_hand(subject_of(held))
        raise Conflict(
            Text(
                zh=f"{name}剛剛更新了這場會議或它的決議，請先查看；您貼上的內容還在下面。",
                en=f"{name} has just changed this meeting or its resolutions: look first. Your lines are still below.",
            )
        )
    if held.held_on > taipei_day(now):
        raise Refused(
            Text(
                zh="會議還沒有召開，不能登錄決議；請先更正會議日期。",
                en="The meeting is yet to come and has resolved nothing: correct its day first.",
            )
        )
    if not asked:
        raise Misfit("lines", Text(zh="沒有決議事項。", en="There is no resolution."))
    last = db.session.scalar(select(func.max(Resolution.number)).where(Resolution.meeting_id == held.id))
    made = [_open(actor, held, number, each, now) for number, each in enumerate(asked, start=(last or 0) + 1)]
    held.version += 1
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action="resolutions_entered",
            subject=subject_of(held),
            detail=f"{made[0].number}–{made[-1].number}",
        )
    )
    db.session.flush()
    return made


def _open(actor: Actor, meeting: ReviewMeeting, number: int, asked: Asked, now: datetime) -> Resolution:
    facts = {"directive.due_given": asked.due_on is not None, "directive.done": False}
    decision, revision = evaluation.decide(RULESET, facts, taipei_day(now))
    due = asked.due_on
    if due is None:
        days = next(int(o.params["days"]) for o in decision.outcomes if o.action == "due_within")
        due = meeting.held_on + timedelta(days=days)
    limit = format_day(due, "zh")
    if asked.due_on is None:
        limit += f"（未訂期限，依「{decision.ruleset.title.zh}」{(due - meeting.held_on).days} 日）"
    names = [chart().units[unit].zh for unit in asked.units]
    case = internal_cases.open_case(
        actor,
        SERVICE,
        {
            "meeting": meeting.title,
            "held_on": meeting.held_on.isoformat(),
            "number": number,
            "text": asked.text,
            "units": "、".join(names)[:400],
            "limit": limit,
        },
        asked.units[0],
        meeting.held_on,
        now,
        period=(due - meeting.held_on).days,
    )
    db.session.add(evaluation.firing(case.id, decision, revision, now))
    made = Resolution(
        meeting_id=meeting.id,
        number=number,
        text=asked.text,
        unit_id=asked.units[0],
        due_on=due,
        due_given=asked.due_on is not None,
        state=said(decision, "set_control"),
        ruleset_revision_id=revision,
        case_id=case.id,
    )
    db.session.add(made)
    db.session.flush()
    db.session.add_all(ResolutionUnit(resolution_id=made.id, unit_id=unit) for unit in asked.units[1:])
    db.session.flush()
    return made


def released_share(tally: Tally, on: date) -> Decimal | None:
    """解除 n 件，占 n%: rounded as the ruleset plan_reporting says, half up, once."""
    if not tally.all:
        return None
    decision, _revision = evaluation.decide("plan_reporting", {}, on)
    decimals = next(
        int(o.params["decimals"])
        for o in decision.outcomes
        if o.action == "set_rounding" and o.params["of"] == "shown"
    )
    return (Decimal(tally.released) * 100 / tally.all).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
