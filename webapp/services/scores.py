"""施政績效: the unit reports what was achieved, the research office assesses it stage by stage, and publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update

from forms.model import Field
from rules.values import Text
from webapp.errors import Conflict, Forbidden, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Document,
    ScoreAssessment,
    ScoreFigure,
    ScoreHeading,
    ScoreIndicator,
    ScoreResult,
    ScoreStep,
    ScoreYear,
)
from webapp.models.scores import STATES, VERDICTS
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries.audit import last_hand
from webapp.queries.org import chart
from webapp.queries.score_figures import FIGURES
from webapp.services import documents, score_table
from webapp.services.plan_control import require
from webapp.services.score_table import Line, plain

LONGEST_EVIDENCE = 500
LONGEST_COMMENT = 500
HAND_IN = "hand_in_scores"
REVIEWS = ("paper_review", "meeting", "on_site")
#: in which nobody may leave an indicator without a word
COMPLETE = ("paper_review", "meeting")
EVIDENCE = Field(
    key="evidence",
    type="file",
    label=Text(zh="佐證檔案", en="Evidence"),
    accept=("pdf", "jpg", "png"),
    max_files=5,
)
NAMES = {
    "drafting": Text(zh="填報中", en="Being reported"),
    "self_assessed": Text(zh="已自評，待審", en="Self-assessed, to be reviewed"),
    "paper_review": Text(zh="書面審查", en="Review on paper"),
    "meeting": Text(zh="會議評核", en="Review meeting"),
    "on_site": Text(zh="實地複評", en="On-site re-evaluation"),
    "published": Text(zh="已公布", en="Published"),
}


# --- who ----------------------------------------------------------------------------------------------------


def may_report(actor: Actor, year: ScoreYear) -> bool:
    """Officers and heads of the unit, of a section below it, or of what stands above it."""
    return _mandate(actor, "report_plans", year) is not None


def may_hand_in(actor: Actor, year: ScoreYear) -> bool:
    """自評 is handed in by a head, after the meeting of the unit."""
    return _mandate(actor, HAND_IN, year) is not None


def _mandate(actor: Actor, permission: str, year: ScoreYear | None = None) -> Any:
    """The first mandate, an own one if there is, that gives the permission (for the unit of the year)."""
    tree = chart()
    found = [
        m
        for m in actor.mandates
        if f"function:{m.function}" in PERMISSIONS[permission]
        and (year is None or year.unit_id in tree.within(m.unit_id) or m.unit_id in tree.within(year.unit_id))
    ]
    return min(found, key=lambda m: m.acting_for_id is not None) if found else None


def _acting_for(actor: Actor, permission: str, year: ScoreYear | None = None) -> int | None:
    mandate = _mandate(actor, permission, year)
    return mandate.acting_for_id if mandate is not None else None


def _require_reporter(actor: Actor, year: ScoreYear) -> None:
    if not may_report(actor, year):
        raise Forbidden(
            Text(zh="只有受評單位可以填報績效。", en="Only the unit itself reports its performance.")
        )


# --- a year -------------------------------------------------------------------------------------------------


def find(public_id: str) -> ScoreYear:
    found = db.session.scalars(select(ScoreYear).where(ScoreYear.public_id == public_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def years() -> Sequence[ScoreYear]:
    return db.session.scalars(
        select(ScoreYear).order_by(ScoreYear.year.desc(), ScoreYear.unit_id, ScoreYear.edition.desc())
    ).all()


def totals(year: ScoreYear) -> Decimal | None:
    """Of a published table; one in work has no total yet."""
    if year.state != "published":
        return None
    points = select(func.sum(ScoreResult.score)).where(ScoreResult.year_id == year.id)
    return db.session.scalars(points).one()


def indicators(year: ScoreYear) -> Sequence[ScoreIndicator]:
    return db.session.scalars(
        select(ScoreIndicator)
        .where(ScoreIndicator.year_id == year.id)
        .order_by(ScoreIndicator.position, ScoreIndicator.id)
    ).all()


# --- what is measured ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Definition:
    """What an indicator asks for."""

    title: str
    weight: Decimal
    target_raw: str
    target: Decimal
    unit: str
    direction: str
    cap: Decimal | None
    decimals: int | None
    figure: str | None


def indicator(year: ScoreYear, public_id: str) -> ScoreIndicator:
    found = db.session.scalars(
        select(ScoreIndicator).where(ScoreIndicator.year_id == year.id, ScoreIndicator.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def define(
    actor: Actor, year: ScoreYear, row: ScoreIndicator, asked: Definition, now: datetime, *, version: int
) -> None:
    require(actor)
    _hold_indicator(year, row, version, "drafting")
    if asked.figure is not None and asked.figure not in FIGURES:
        raise Misfit("figure", Text(zh="請選擇系統數字。", en="Choose a figure."))
    for name, value in vars(asked).items():
        setattr(row, name, value)
    _touch(actor, row, now)
    audit(actor, "score_indicator_defined", year, now)


def reweigh(
    actor: Actor, year: ScoreYear, weights: Mapping[str, Decimal], now: datetime, *, version: int
) -> None:
    """Weights of headings (h-<id>) and indicators (i-<id>), all at once: one alone seldom adds up."""
    require(actor)
    hold(year, version, "drafting")
    for row in db.session.scalars(select(ScoreHeading).where(ScoreHeading.year_id == year.id)):
        row.weight = weights.get(f"h-{row.id}", row.weight)
    for indicator in indicators(year):
        indicator.weight = weights.get(f"i-{indicator.id}", indicator.weight)
    db.session.flush()
    _bump(year)
    audit(actor, "score_weights_changed", year, now)


# --- what was achieved --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    achieved_raw: str
    achieved: Decimal | None
    evidence: str
    #: 自評: what the unit itself says of it
    comment: str = ""


def report(
    actor: Actor, year: ScoreYear, row: ScoreIndicator, said: Report, now: datetime, *, version: int
) -> None:
    """B with its evidence, and what the unit says of it. A figure of the system is counted, not typed."""
    _require_reporter(actor, year)
    _hold_indicator(year, row, version, "drafting")
    if len(said.evidence) > LONGEST_EVIDENCE:
        raise Misfit(
            "evidence",
            Text(zh=f"最多 {LONGEST_EVIDENCE} 字。", en=f"At most {LONGEST_EVIDENCE} characters."),
        )
    row.evidence = said.evidence
    if row.figure is None:
        row.achieved_raw, row.achieved = said.achieved_raw, said.achieved
    else:
        _count(year, row)
    if said.comment.strip():
        _assess(actor, year, row, "self", "confirmed", None, said.comment, now, "report_plans")
    _touch(actor, row, now)
    audit(actor, "score_reported", year, now)


def _count(year: ScoreYear, row: ScoreIndicator) -> None:
    figure = FIGURES[row.figure or ""]
    found = figure.count(year.unit_id, year.year)
    row.achieved = found.value
    row.achieved_raw = f"{plain(found.value)}{figure.unit}" if found.value is not None else ""
    row.evidence = f"系統統計：{found.zh}"


def files(row: ScoreIndicator) -> list[Document]:
    return documents.of_draft(_file_key(row)).get(EVIDENCE.key, [])


def file(year: ScoreYear, public_id: str) -> Document:
    """Evidence of one of the indicators of the year."""
    keys = [_file_key(row) for row in indicators(year)]
    found = db.session.scalars(
        select(Document).where(Document.public_id == public_id, Document.draft_key.in_(keys))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def add_file(
    actor: Actor, year: ScoreYear, row: ScoreIndicator, filename: str, content: bytes, now: datetime
) -> Document:
    _require_reporter(actor, year)
    _hold_indicator(year, row, row.version, "drafting")
    name = documents.clean_name(filename)
    media_type = documents.check(EVIDENCE, name, content)
    if len(files(row)) >= (EVIDENCE.max_files or 0):
        raise Misfit(
            "file", Text(zh="最多 5 個檔案，請先移除不需要的。", en="At most 5 files; remove one first.")
        )
    made = documents.store(
        name,
        media_type,
        content,
        now,
        kind="score_evidence",
        draft_key=_file_key(row),
        field_key=EVIDENCE.key,
        actor=actor,
    )
    _touch(actor, row, now)
    audit(actor, "score_evidence_added", year, now)
    return made


def remove_file(actor: Actor, year: ScoreYear, row: ScoreIndicator, public_id: str, now: datetime) -> None:
    _require_reporter(actor, year)
    _hold_indicator(year, row, row.version, "drafting")
    documents.remove(_file_key(row), public_id)
    _touch(actor, row, now)
    audit(actor, "score_evidence_removed", year, now)


def _file_key(row: ScoreIndicator) -> str:
    return f"score-{row.public_id}"[:32]


# --- the stages ---------------------------------------------------------------------------------------------


def advance(actor: Actor, year: ScoreYear, comment: str, now: datetime, *, version: int) -> None:
    """To the next state: handed in by the unit, then from stage to stage by the research office."""
    if year.state != "drafting":
        require(actor)
    elif not may_hand_in(actor, year):
        raise Forbidden(
            Text(zh="自評由受評單位的主管送出。", en="The head of the unit hands the self-assessment in.")
        )
    hold(year, version)
    if year.state == "published":
        raise Refused(Text(zh="已經公布，不再變動。", en="It is published and does not change."))
    _require_ready(year)
    following = STATES[STATES.index(year.state) + 1]
    if following == "published":
        freeze(actor, year, now, comment)
        return
    permission = HAND_IN if year.state == "drafting" else "control_plans"
    step(actor, year, following, comment, now, permission)
    year.state = following
    db.session.flush()
    audit(actor, f"scores_{following}", year, now)


def send_back(actor: Actor, year: ScoreYear, comment: str, now: datetime, *, version: int) -> None:
    """To the unit, with the reason. What was assessed so far stays on record and does not count any more."""
    require(actor)
    hold(year, version, "self_assessed", *REVIEWS)
    comment = a_reason(comment, "comment")
    step(actor, year, "drafting", comment, now, "control_plans")
    year.state, year.round = "drafting", year.round + 1
    db.session.flush()
    audit(actor, "scores_sent_back", year, now)


def decide(
    actor: Actor,
    year: ScoreYear,
    public_ids: Sequence[str],
    verdict: str,
    value: Decimal | None,
    comment: str,
    now: datetime,
    *,
    version: int,
) -> int:
    """One word on many indicators, in the stage at which the year is."""
    require(actor)
    hold(year, version, *REVIEWS)
    if verdict not in VERDICTS:
        raise Misfit("verdict", Text(zh="請選擇評核結果。", en="Choose a result."))
    chosen = [row for row in indicators(year) if row.public_id in set(public_ids)]
    if not chosen:
        raise Misfit("indicators", Text(zh="請至少選一個指標。", en="Choose at least one indicator."))
    if verdict != "confirmed":
        comment = a_reason(comment, "comment")
    if verdict in ("adjusted", "scored"):
        if value is None:
            raise Misfit("value", Text(zh="請填 0 以上的數字。", en="Give a number from 0."))
        if len(chosen) > 1:
            raise Misfit(
                "indicators",
                Text(zh="調整達成值與逕予評分一次只能選一個指標。", en="Change one indicator at a time."),
            )
        weight = chosen[0].weight
        if verdict == "scored" and value > weight:
            raise Misfit(
                "value",
                Text(zh=f"得分不能超過權重 {plain(weight)}。", en=f"Not more points than {plain(weight)}."),
            )
    else:
        value = None
    for row in chosen:
        _assess(actor, year, row, year.state, verdict, value, comment, now, "control_plans")
    _bump(year)
    audit(actor, "scores_assessed", year, now)
    return len(chosen)


def undecided(year: ScoreYear, table: score_table.Table) -> list[Line]:
    """Indicators of which nothing was said in the stage at which the year is."""
    return [line for line in table.lines if all(said.stage != year.state for said in line.assessments)]


def freeze(actor: Actor, year: ScoreYear, now: datetime, comment: str = "") -> None:
    """What every indicator came to, and why, is kept; from now on the database refuses changes."""
    table = score_table.build(year)
    for line in table.lines:
        db.session.add(
            ScoreResult(
                indicator_id=line.indicator.id,
                year_id=year.id,
                ratio=line.result.ratio if line.result else None,
                score=line.result.score if line.result else None,
                ruleset_revision_id=line.record.revision,
                facts=dict(line.record.facts),
                outcomes=list(line.record.outcomes),
                explanation=list(line.record.explanation),
                engine=line.record.engine,
                at=now,
            )
        )
    step(actor, year, "published", comment, now, "control_plans")
    db.session.flush()
    year.state, year.published_at = "published", now
    db.session.flush()
    audit(actor, "scores_published", year, now)


def steps(year: ScoreYear) -> Sequence[ScoreStep]:
    return db.session.scalars(
        select(ScoreStep).where(ScoreStep.year_id == year.id).order_by(ScoreStep.id)
    ).all()


def figures(year: ScoreYear) -> Sequence[ScoreFigure]:
    return db.session.scalars(
        select(ScoreFigure)
        .where(ScoreFigure.year_id == year.id)
        .order_by(ScoreFigure.position, ScoreFigure.id)
    ).all()


def _require_ready(year: ScoreYear) -> None:
    wrong = score_table.weight_mistakes(year)
    if wrong:
        raise Refused(
            Text(
                zh="權重不符，不能送出：" + "".join(each.zh for each in wrong),
                en="The weights do not add up: " + " ".join(each.in_("en") for each in wrong),
            )
        )
    table = score_table.build(year)
    missing = [line.indicator for line in table.lines if line.is_open]
    if missing:
        raise Refused(
            Text(
                zh=f"還有 {len(missing)} 個指標沒有達成值：{_some(missing)}。",
                en=f"{len(missing)} indicators have no value yet: {_some(missing)}.",
            )
        )
    if year.state in COMPLETE and (left := undecided(year, table)):
        rows = [line.indicator for line in left]
        raise Refused(
            Text(
                zh=f"還有 {len(rows)} 個指標沒有評核：{_some(rows)}。",
                en=f"{len(rows)} indicators are not assessed yet: {_some(rows)}.",
            )
        )


def _some(rows: Sequence[ScoreIndicator]) -> str:
    return "、".join(f"「{row.title}」" for row in rows[:5]) + ("…" if len(rows) > 5 else "")


# --- what all of them need ----------------------------------------------------------------------------------


def _assess(
    actor: Actor,
    year: ScoreYear,
    row: ScoreIndicator,
    stage: str,
    verdict: str,
    value: Decimal | None,
    comment: str,
    now: datetime,
    permission: str,
) -> None:
    comment = _comment(comment)
    db.session.add(
        ScoreAssessment(
            year_id=year.id,
            indicator_id=row.id,
            round=year.round,
            stage=stage,
            verdict=verdict,
            value=value,
            comment=comment,
            by_id=actor.account_id,
            acting_for_id=_acting_for(actor, permission, year if permission == "report_plans" else None),
            at=now,
        )
    )
    db.session.flush()


def _comment(typed: str) -> str:
    comment = typed.strip()
    if len(comment) > LONGEST_COMMENT:
        raise Misfit(
            "comment", Text(zh=f"最多 {LONGEST_COMMENT} 字。", en=f"At most {LONGEST_COMMENT} characters.")
        )
    return comment


def step(
    actor: Actor, year: ScoreYear, state: str, comment: str, now: datetime, permission: str = "control_plans"
) -> None:
    comment = _comment(comment)
    db.session.add(
        ScoreStep(
            year_id=year.id,
            state=state,
            comment=comment,
            by_id=actor.account_id,
            acting_for_id=_acting_for(actor, permission, year if permission == HAND_IN else None),
            at=now,
        )
    )
    db.session.flush()


def a_reason(comment: str, field: str) -> str:
    if not comment.strip():
        raise Misfit(field, Text(zh="請說明原因。", en="Say why."))
    return comment.strip()


def _bump(year: ScoreYear) -> None:
    """What belongs to the year has changed: whoever looks at an older page is told."""
    db.session.execute(update(ScoreYear).where(ScoreYear.id == year.id).values(version=ScoreYear.version + 1))
    db.session.refresh(year)


def _touch(actor: Actor, row: ScoreIndicator, now: datetime) -> None:
    row.changed_by_id, row.changed_at = actor.account_id, now
    db.session.flush()


def hold(year: ScoreYear, version: int, *states: str) -> None:
    db.session.flush()
    db.session.refresh(year, with_for_update=True)
    if year.version != version:
        raise _overtaken(last_hand(year.public_id))
    _require_state(year, states)


def _hold_indicator(year: ScoreYear, row: ScoreIndicator, version: int, *states: str) -> None:
    """Many report at once; nobody moves the year meanwhile."""
    db.session.flush()
    db.session.refresh(year, with_for_update={"read": True})
    db.session.refresh(row, with_for_update=True)
    _require_state(year, states)
    if row.version != version:
        raise _overtaken(chart().names.get(row.changed_by_id or 0, ""))


def _require_state(year: ScoreYear, states: tuple[str, ...]) -> None:
    if states and year.state not in states:
        state = NAMES[year.state]
        raise Conflict(
            Text(
                zh=f"這張績效表現在是「{state.zh}」，不能做這個動作。您的輸入沒有送出，請重新載入。",
                en=f"This table is “{state.in_('en')}” now, so this cannot be done. Nothing was sent; reload.",
            )
        )


def _overtaken(who: str) -> Conflict:
    return Conflict(
        Text(
            zh=f"這份資料剛剛由{who or '別人'}修改，您的輸入沒有送出，請重新載入。",
            en=f"{who or 'Somebody else'} has just changed this. Nothing was sent; reload.",
        )
    )


def audit(actor: Actor, action: str, year: ScoreYear, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=year.public_id))
    db.session.flush()
