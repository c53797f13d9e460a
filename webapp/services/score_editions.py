"""Editions of the performance table: a new year from an older table, and the correction of a published one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from rules.values import Text
from webapp import crypto
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import ScoreFigure, ScoreHeading, ScoreIndicator, ScoreNote, ScoreYear
from webapp.permissions import Actor
from webapp.queries import plan_tree
from webapp.queries.org import chart
from webapp.services.plan_control import require
from webapp.services.scores import a_reason, audit, hold, indicators, step


def refuse_second(unit_id: int, year: int) -> None:
    """One table a unit and year; another one is an edition with its reason."""
    there = db.session.scalars(
        select(ScoreYear.state).where(ScoreYear.unit_id == unit_id, ScoreYear.year == year)
    ).all()
    if "published" in there:
        raise Conflict(
            Text(
                zh=f"這個單位 {year} 年度的績效表已經公布，內容不再變動；要更正請在該表另立新版並說明原因。",
                en=f"The table of {year} is published and stays; a correction is a new edition with its reason.",
            )
        )
    if there:
        raise Conflict(
            Text(
                zh=f"這個單位 {year} 年度的績效表正在辦理，請直接開啟該表。",
                en=f"There is a table of {year} in work already. Open that one.",
            )
        )


def claim(year: ScoreYear) -> None:
    """Of two who begin the same table at once, the later one is told."""
    db.session.add(year)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(
            Text(
                zh="剛剛有人建立了同一張績效表，請重新載入。",
                en="Somebody else has just begun this table. Reload the page.",
            )
        ) from None


def start(actor: Actor, pattern: ScoreYear, year: int, now: datetime) -> ScoreYear:
    """A new year with the goals and indicators of another table of the unit; nothing is achieved yet."""
    require(actor)
    refuse_second(pattern.unit_id, year)
    made = _copy(actor, pattern, now, year=year, unit_name=chart().units[pattern.unit_id].zh)
    for indicator in indicators(made):
        indicator.achieved_raw, indicator.achieved, indicator.evidence, indicator.note = "", None, "", ""
        indicator.published_ratio, indicator.published_score = "", None
    for heading in db.session.scalars(select(ScoreHeading).where(ScoreHeading.year_id == made.id)):
        heading.published_score = heading.published_rate = None
        if heading.mid_term_id is not None and not plan_tree.covers(heading.mid_term_id, year):
            heading.mid_term_id = None
    audit(actor, "scores_started", made, now)
    return made


def correct(actor: Actor, year: ScoreYear, reason: str, now: datetime, *, version: int) -> ScoreYear:
    """Another edition of a published table, with all that it says; the published one stays as it is."""
    require(actor)
    hold(year, version)
    reason = a_reason(reason, "reason")
    if year.state != "published":
        raise Refused(Text(zh="還沒有公布，請直接修改。", en="It is not published yet: change it directly."))
    newest = db.session.scalars(
        select(func.max(ScoreYear.edition)).where(
            ScoreYear.unit_id == year.unit_id, ScoreYear.year == year.year
        )
    ).one()
    if newest != year.edition:
        raise Conflict(
            Text(zh="已經有更新的版次，請在最新一版更正。", en="There is a newer edition; correct that one.")
        )
    made = _copy(
        actor,
        year,
        now,
        year=year.year,
        unit_name=year.unit_name,
        edition=year.edition + 1,
        replaces_id=year.id,
        reason=reason,
        origin="demonstration" if year.origin == "demonstration" else "entered",
    )
    for model in (ScoreNote, ScoreFigure):
        _copy_beside(model, year, made)
    audit(actor, "scores_corrected", made, now)
    return made


def _copy(actor: Actor, pattern: ScoreYear, now: datetime, **values: Any) -> ScoreYear:
    made = ScoreYear(
        public_id=crypto.public_id(),
        unit_id=pattern.unit_id,
        created_by_id=actor.account_id,
        created_at=now,
        **values,
    )
    claim(made)
    new_ids: dict[int | None, int | None] = {None: None}
    for row in db.session.scalars(
        select(ScoreHeading).where(ScoreHeading.year_id == pattern.id).order_by(ScoreHeading.id)
    ).all():
        heading = ScoreHeading(
            **_values(row, "id", "year_id", "parent_id"), year_id=made.id, parent_id=new_ids[row.parent_id]
        )
        db.session.add(heading)
        db.session.flush()
        new_ids[row.id] = heading.id
    for old in indicators(pattern):
        skipped = ("id", "public_id", "year_id", "goal_id", "version", "changed_by_id", "changed_at")
        db.session.add(
            ScoreIndicator(
                **_values(old, *skipped),
                public_id=crypto.public_id(),
                year_id=made.id,
                goal_id=new_ids[old.goal_id],
                changed_by_id=actor.account_id,
                changed_at=now,
            )
        )
    step(actor, made, "drafting", values.get("reason", ""), now)
    return made


def _copy_beside(model: Any, year: ScoreYear, made: ScoreYear) -> None:
    """Notes and figures; a note follows its indicator, which stands at the same place."""
    places = {row.position: row.id for row in indicators(made)}
    by_id = {row.id: places[row.position] for row in indicators(year)}
    for row in db.session.scalars(select(model).where(model.year_id == year.id).order_by(model.id)).all():
        values = _values(row, "id", "year_id")
        if values.get("indicator_id"):
            values["indicator_id"] = by_id[values["indicator_id"]]
        db.session.add(model(**values, year_id=made.id))
    db.session.flush()


def _values(row: Any, *without: str) -> dict[str, Any]:
    names = [column.key for column in row.__table__.columns]
    return {name: getattr(row, name) for name in names if name not in without}
