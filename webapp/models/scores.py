"""施政績效: what a year is measured by, what was achieved, who assessed it, and what came of it.

A published edition never changes (triggers of migration 0033): a correction is a new edition with its reason.
"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Json, Key, MaybeMoment, Moment, PublicId, ref

STATES = ("drafting", "self_assessed", "paper_review", "meeting", "on_site", "published")
#: the stages in which somebody says what an indicator is worth
STAGES = ("self", "paper_review", "meeting", "on_site")
VERDICTS = ("confirmed", "adjusted", "scored", "not_assessable")
LEVELS = ("dimension", "group", "goal")
ORIGINS = ("published", "demonstration", "entered")
FIGURES = ("budget", "final_account", "staff", "execution_rate")

Points = Numeric(9, 4)
Quantity = Numeric(20, 4)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    quoted = ",".join(f"'{value}'" for value in values)
    return f"{column} in ({quoted})"


class ScoreYear(db.Model):
    """One edition of the performance table of a unit for a ROC year."""

    __tablename__ = "score_year"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    year: Mapped[int]
    unit_id: Mapped[int] = ref("unit.id", index=True)
    #: as it was printed: units are renamed, published tables are not
    unit_name: Mapped[str] = mapped_column(String(80))
    edition: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[int | None] = ref("score_year.id")
    #: why there is another edition
    reason: Mapped[str] = mapped_column(Text, default="")
    origin: Mapped[str] = mapped_column(String(15), default="entered")
    state: Mapped[str] = mapped_column(String(15), default="drafting")
    #: how often it was handed in; what was assessed before it went back does not count
    round: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    #: of the file that it was imported from
    source_digest: Mapped[str | None] = mapped_column(String(64))
    published_total: Mapped[Decimal | None] = mapped_column(Points)
    created_by_id: Mapped[int | None] = ref("account.id")
    created_at: Mapped[Moment]
    published_at: Mapped[MaybeMoment]

    __table_args__ = (
        CheckConstraint("year between 1 and 999", name="year_is_roc"),
        CheckConstraint(_one_of("state", STATES), name="state_is_known"),
        CheckConstraint(_one_of("origin", ORIGINS), name="origin_is_known"),
        CheckConstraint("(state = 'published') = (published_at is not null)", name="published_has_a_moment"),
        CheckConstraint(
            "(edition = 1) = (replaces_id is null) and (edition = 1 or reason <> '')",
            name="correction_says_why",
        ),
        UniqueConstraint("unit_id", "year", "edition"),
        Index(
            "uq_score_year_in_work",
            "unit_id",
            "year",
            unique=True,
            postgresql_where=text("state <> 'published'"),
        ),
    )
    __mapper_args__ = {"version_id_col": version}


class ScoreHeading(db.Model):
    """面向、分組、目標: what stands above the indicators, each with the weight of what is below it."""

    __tablename__ = "score_heading"

    id: Mapped[Key]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    parent_id: Mapped[int | None]
    level: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]
    #: of a dimension: by what the ruleset chooses the decimals
    aspect: Mapped[str | None] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(10), default="")
    #: as it is printed: 一, 十二
    number: Mapped[str] = mapped_column(String(10), default="")
    title: Mapped[str] = mapped_column(String(300))
    weight: Mapped[Decimal] = mapped_column(Points)
    #: of a goal: the mid-term plan that it comes from
    mid_term_id: Mapped[int | None] = ref("plan.id", index=True)
    published_score: Mapped[Decimal | None] = mapped_column(Points)
    published_rate: Mapped[Decimal | None] = mapped_column(Points)

    __table_args__ = (
        CheckConstraint(_one_of("level", LEVELS), name="level_is_known"),
        CheckConstraint("(level = 'dimension') = (parent_id is null)", name="dimension_is_on_top"),
        CheckConstraint(
            "(level = 'dimension') = (aspect is not null) and aspect in ('business','staff','budget')",
            name="dimension_has_an_aspect",
        ),
        CheckConstraint("weight > 0 and weight <= 100", name="weight_is_a_share"),
        CheckConstraint("mid_term_id is null or level = 'goal'", name="goal_has_a_mid_term_plan"),
        UniqueConstraint("id", "year_id"),
        ForeignKeyConstraint(["parent_id", "year_id"], ["score_heading.id", "score_heading.year_id"]),
    )


class ScoreIndicator(db.Model):
    """衡量指標, with what was achieved."""

    __tablename__ = "score_indicator"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    goal_id: Mapped[int]
    position: Mapped[int]
    number: Mapped[str] = mapped_column(String(10), default="")
    title: Mapped[str] = mapped_column(String(300))
    weight: Mapped[Decimal] = mapped_column(Points)
    #: A as it is printed (200人次), and as it counts
    target_raw: Mapped[str] = mapped_column(String(40))
    target: Mapped[Decimal] = mapped_column(Quantity)
    unit: Mapped[str] = mapped_column(String(20), default="")
    direction: Mapped[str] = mapped_column(String(10))
    #: instead of what the ruleset says
    cap: Mapped[Decimal | None] = mapped_column(Points)
    decimals: Mapped[int | None]
    #: the figure of the system that B is taken from; none: the unit enters it with its evidence
    figure: Mapped[str | None] = mapped_column(String(40))
    achieved_raw: Mapped[str] = mapped_column(String(40), default="")
    achieved: Mapped[Decimal | None] = mapped_column(Quantity)
    evidence: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    published_ratio: Mapped[str] = mapped_column(String(20), default="")
    published_score: Mapped[Decimal | None] = mapped_column(Points)
    changed_by_id: Mapped[int | None] = ref("account.id")
    changed_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("direction in ('higher','lower','equal')", name="direction_is_known"),
        CheckConstraint("weight > 0 and weight <= 100", name="weight_is_a_share"),
        CheckConstraint("target >= 0 and (achieved is null or achieved >= 0)", name="no_negative_value"),
        CheckConstraint("cap is null or cap > 0", name="cap_is_positive"),
        CheckConstraint("decimals is null or decimals between 0 and 4", name="decimals_can_be_kept"),
        UniqueConstraint("id", "year_id"),
        ForeignKeyConstraint(["goal_id", "year_id"], ["score_heading.id", "score_heading.year_id"]),
    )
    __mapper_args__ = {"version_id_col": version}


class ScoreAssessment(db.Model):
    """What one stage said of an indicator; a later word of the same round stands before an earlier one."""

    __tablename__ = "score_assessment"

    id: Mapped[Key]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    indicator_id: Mapped[int] = mapped_column(index=True)
    round: Mapped[int]
    stage: Mapped[str] = mapped_column(String(15))
    verdict: Mapped[str] = mapped_column(String(15))
    #: adjusted: B as the reviewers see it; scored: the points by hand
    value: Mapped[Decimal | None] = mapped_column(Quantity)
    comment: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(_one_of("stage", STAGES), name="stage_is_known"),
        CheckConstraint(_one_of("verdict", VERDICTS), name="verdict_is_known"),
        CheckConstraint(
            "(verdict in ('adjusted','scored')) = (value is not null)", name="value_where_changed"
        ),
        CheckConstraint("value >= 0", name="no_negative_value"),
        CheckConstraint("verdict = 'confirmed' or comment <> ''", name="change_has_a_reason"),
        CheckConstraint("stage <> 'self' or verdict = 'confirmed'", name="self_changes_nothing"),
        ForeignKeyConstraint(["indicator_id", "year_id"], ["score_indicator.id", "score_indicator.year_id"]),
    )


class ScoreStep(db.Model):
    """How a year went from state to state: who, when, and what they said."""

    __tablename__ = "score_step"

    id: Mapped[Key]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    state: Mapped[str] = mapped_column(String(15))
    comment: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (CheckConstraint(_one_of("state", STATES), name="state_is_known"),)


class ScoreResult(db.Model):
    """How an indicator was scored when its year was published, and why: the firing of the ruleset is kept whole."""

    __tablename__ = "score_result"

    indicator_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    year_id: Mapped[int] = ref("score_year.id", index=True)
    #: none: not assessable
    ratio: Mapped[Decimal | None] = mapped_column(Points)
    score: Mapped[Decimal | None] = mapped_column(Points)
    ruleset_revision_id: Mapped[int] = ref("revision.id", index=True)
    facts: Mapped[Json]
    outcomes: Mapped[Json]
    explanation: Mapped[Json]
    engine: Mapped[str] = mapped_column(String(12))
    at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("(ratio is null) = (score is null)", name="scored_whole"),
        ForeignKeyConstraint(["indicator_id", "year_id"], ["score_indicator.id", "score_indicator.year_id"]),
    )


class ScoreNote(db.Model):
    """以公布為準: where a published table disagrees with itself or with another source. Shown, never repaired."""

    __tablename__ = "score_note"

    id: Mapped[Key]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    number: Mapped[int]
    #: none: of the table as a whole
    indicator_id: Mapped[int | None]
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        ForeignKeyConstraint(["indicator_id", "year_id"], ["score_indicator.id", "score_indicator.year_id"]),
    )


class ScoreFigure(db.Model):
    """One figure of the budget and staff tables of the yearly report, with its source."""

    __tablename__ = "score_figure"

    id: Mapped[Key]
    year_id: Mapped[int] = ref("score_year.id", index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    of_year: Mapped[int]
    #: what it is a part of the sum of; empty for a figure that stands alone
    part: Mapped[str] = mapped_column(String(80), default="")
    value: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    source: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        CheckConstraint(_one_of("kind", FIGURES), name="kind_is_known"),
        CheckConstraint("of_year between 1 and 999", name="year_is_roc"),
        CheckConstraint("value >= 0", name="no_negative_value"),
    )
