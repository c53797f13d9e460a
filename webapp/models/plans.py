"""Plan control: registers, the plans that stand in them, their planned curves and reports, and what was published."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from webapp.extensions import db
from webapp.models.types import Json, Key, MaybeMoment, Moment, PublicId, ref

REGISTER_KINDS = (
    "selected",
    "infrastructure_subsidy",
    "major_policy",
    "major_project",
    "pledge",
    "island_fund",
    "proposal",
    "request",
    "suggestion",
)
CYCLES = ("monthly", "quarterly", "half_yearly")
PLAN_KINDS = ("yearly", "mid_term", "pledge_vision", "pledge_indicator", "project", "subsidy")
RELEASES = ("completed", "withdrawn", "carried_over")
LEVELS = ("magistrate", "county", "unit")
#: entered in this system, taken over as the county published it, or invented for the demonstration
ORIGINS = ("entered", "published", "demonstration")
STANDINGS = ("severe", "behind", "on_track", "ahead", "no_report")

#: a percentage, as the ministry keeps it
Percent = Annotated[Decimal, mapped_column(Numeric(9, 4))]
MaybePercent = Annotated[Decimal | None, mapped_column(Numeric(9, 4))]
#: whole dollars
Money = Annotated[Decimal, mapped_column(Numeric(14, 0))]
MaybeMoney = Annotated[Decimal | None, mapped_column(Numeric(14, 0))]


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ",".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_is_known")


def _first_day(column: str) -> CheckConstraint:
    return CheckConstraint(f"extract(day from {column}) = 1", name=f"{column}_is_a_first_day")


class Register(db.Model):
    """列管別 of a year: what is controlled together, how often and by which day it reports."""

    __tablename__ = "register"

    id: Mapped[Key]
    key: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    roc_year: Mapped[int]
    cycle: Mapped[str] = mapped_column(String(12), default="monthly")
    #: of the month after; none: as the ruleset plan_reporting says
    report_day: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("kind", REGISTER_KINDS),
        _one_of("cycle", CYCLES),
        CheckConstraint("report_day between 1 and 28", name="report_day_in_every_month"),
        CheckConstraint("roc_year between 1 and 999", name="year_is_roc"),
    )


class PublishedFigure(db.Model):
    """A figure as the county printed it for a register and a period, with where; never computed, never repaired."""

    __tablename__ = "published_figure"

    id: Mapped[Key]
    register_id: Mapped[int] = ref("register.id")
    period: Mapped[str] = mapped_column(String(7))
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        UniqueConstraint("register_id", "period", "name"),
        CheckConstraint("source <> ''", name="has_a_source"),
    )


class Plan(db.Model):
    """計畫: what is carried out, once, however many registers control it."""

    __tablename__ = "plan"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    roc_year: Mapped[int]
    #: of a mid-term plan; roc_year is the first
    last_year: Mapped[int | None]
    #: vision -> indicator -> mid-term plan -> plan of a year (trigger of migration 0044)
    parent_id: Mapped[int | None] = ref("plan.id", index=True)
    level: Mapped[str] = mapped_column(String(10))
    lead_unit_id: Mapped[int] = ref("unit.id", index=True)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    completed_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    origin: Mapped[str] = mapped_column(String(13))
    note: Mapped[str] = mapped_column(Text, default="")
    #: the proposal that was approved
    case_id: Mapped[int | None] = ref("case.id", unique=True)
    #: why it is controlled, as the fact plan.origins says it
    origins: Mapped[Json] = mapped_column(default=list, server_default="[]")
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("kind", PLAN_KINDS),
        _one_of("level", LEVELS),
        _one_of("origin", ORIGINS),
        CheckConstraint("title <> ''", name="has_a_title"),
        CheckConstraint("roc_year between 1 and 999", name="year_is_roc"),
        CheckConstraint("last_year between roc_year and 999", name="years_in_order"),
        CheckConstraint("(kind = 'mid_term') = (last_year is not null)", name="mid_term_has_a_last_year"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("accepted_on >= completed_on", name="accepted_after_completion"),
        CheckConstraint("parent_id <> id", name="is_no_parent_of_itself"),
        CheckConstraint(
            'jsonb_typeof(origins) = \'array\' and origins <@ \'["pledge","directive","central_subsidy"]\'',
            name="origins_are_known",
        ),
        Index("ix_plan_title", "title"),
    )


class PlanUnit(db.Model):
    """A further unit of a plan, beside the one that leads."""

    __tablename__ = "plan_unit"

    plan_id: Mapped[int] = ref("plan.id", primary_key=True, ondelete="CASCADE")
    unit_id: Mapped[int] = ref("unit.id", primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(10), default="co_lead")
    position: Mapped[int]

    __table_args__ = (CheckConstraint("role in ('co_lead','executing','assisting')", name="role_is_known"),)


class PlanSite(db.Model):
    """A part of a plan at a place of its own."""

    __tablename__ = "plan_site"

    plan_id: Mapped[int] = ref("plan.id", primary_key=True, ondelete="CASCADE")
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))


class PlanBudget(db.Model):
    """Money of a plan by year and source; no year: of the whole plan, as it was published."""

    __tablename__ = "plan_budget"

    id: Mapped[Key]
    plan_id: Mapped[int] = ref("plan.id", ondelete="CASCADE")
    roc_year: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(12))
    amount: Mapped[Money]

    __table_args__ = (
        UniqueConstraint("plan_id", "roc_year", "source", postgresql_nulls_not_distinct=True),
        CheckConstraint("source in ('all','county','central','island_fund','other')", name="source_is_known"),
        CheckConstraint("amount >= 0", name="is_not_negative"),
    )


class Milestone(db.Model):
    """查核點 of a plan: what is to be reached by the end of a month, and the report that said when it was."""

    __tablename__ = "plan_milestone"

    id: Mapped[Key]
    plan_id: Mapped[int] = ref("plan.id", ondelete="CASCADE")
    ordinal: Mapped[int]
    what: Mapped[str] = mapped_column(String(120))
    due_month: Mapped[date]
    reached_on: Mapped[date | None]
    report_id: Mapped[int | None] = ref("progress_report.id")

    __table_args__ = (
        UniqueConstraint("plan_id", "ordinal"),
        # by these people know it
        UniqueConstraint("plan_id", "what", "due_month"),
        _first_day("due_month"),
        CheckConstraint("ordinal >= 1 and what <> ''", name="says_what"),
        CheckConstraint("(reached_on is null) = (report_id is null)", name="reached_as_reported"),
    )


class RegisterEntry(db.Model):
    """A plan in a register: there it has its own number, supervisor, planned curve, reports and lag."""

    __tablename__ = "register_entry"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    register_id: Mapped[int] = ref("register.id")
    plan_id: Mapped[int] = ref("plan.id", index=True)
    #: 項次 and 專案, which group the plans of some registers
    project_no: Mapped[int | None]
    project: Mapped[str] = mapped_column(String(80), default="")
    #: 案號
    #: narrow, however it was typed
    case_no: Mapped[str | None] = mapped_column(String(20))
    #: as this register calls the plan, where it says otherwise
    title: Mapped[str | None] = mapped_column(String(200))
    supervisor: Mapped[str] = mapped_column(String(80), default="")
    since: Mapped[date]
    carried_over_from: Mapped[int | None]
    released_on: Mapped[date | None]
    release_reason: Mapped[str | None] = mapped_column(Text)
    #: completed and accepted, given up (撤案), or standing in the next year's register; none: as it was published
    released_as: Mapped[str | None] = mapped_column(String(12))
    origin: Mapped[str] = mapped_column(String(13))
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("origin", ORIGINS),
        CheckConstraint(
            "(released_on is null) = (release_reason is null) and release_reason <> ''",
            name="released_with_reason",
        ),
        _one_of("released_as", RELEASES),
        CheckConstraint("released_as is null or released_on is not null", name="released_as_something"),
        CheckConstraint("released_on >= since", name="released_after_entry"),
        CheckConstraint("carried_over_from between 1 and 999", name="carried_over_year_is_roc"),
        UniqueConstraint("register_id", "case_no"),
        # what its reports refer to
        UniqueConstraint("id", "register_id"),
        Index(
            "uq_register_entry_live",
            "register_id",
            "plan_id",
            unique=True,
            postgresql_where=text("released_on is null"),
        ),
    )

    @validates("case_no")
    def _narrow(self, _name: str, typed: str | None) -> str | None:
        """１ and 1 are one number, whoever stores it."""
        return unicodedata.normalize("NFKC", typed).strip() or None if typed is not None else None


class Baseline(db.Model):
    """預定進度: a version of the planned curve of an entry. An approved one never changes; its curve ends at 100."""

    __tablename__ = "baseline"

    id: Mapped[Key]
    entry_id: Mapped[int] = ref("register_entry.id")
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    #: from this month on reports are measured against it
    effective_month: Mapped[date]
    approved_by_id: Mapped[int | None] = ref("account.id")
    approved_at: Mapped[MaybeMoment]
    origin: Mapped[str] = mapped_column(String(13))
    case_id: Mapped[int | None] = ref("case.id")

    __table_args__ = (
        _one_of("origin", ORIGINS),
        _first_day("effective_month"),
        UniqueConstraint("entry_id", "number"),
        CheckConstraint("number >= 1 and reason <> ''", name="has_number_and_reason"),
        CheckConstraint(
            "approved_at is null or approved_by_id is not null or origin <> 'entered'",
            name="approved_by_somebody",
        ),
    )


class BaselinePoint(db.Model):
    __tablename__ = "baseline_point"

    baseline_id: Mapped[int] = ref("baseline.id", primary_key=True, ondelete="CASCADE")
    month: Mapped[date] = mapped_column(primary_key=True)
    #: cumulative, as is the budget
    planned: Mapped[Percent]
    budget: Mapped[MaybeMoney]

    __table_args__ = (
        _first_day("month"),
        CheckConstraint("planned between 0 and 100", name="planned_is_a_share"),
        CheckConstraint("budget >= 0", name="budget_is_not_negative"),
    )


class ProgressReport(db.Model):
    """進度填報 of an entry for a month. Light and standing are what the newest firing says, or what was published."""

    __tablename__ = "progress_report"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    entry_id: Mapped[int] = mapped_column(BigInteger)
    #: of the entry: a register is read month by month
    register_id: Mapped[int] = mapped_column(BigInteger)
    month: Mapped[date]
    planned: Mapped[MaybePercent]
    actual: Mapped[MaybePercent]
    lag: Mapped[MaybePercent] = mapped_column(Computed("planned - actual", persisted=True))
    #: 以公布為準: the class alone was published, without percentages
    published_class: Mapped[str | None] = mapped_column(String(10))
    #: cumulative: what may be spent by now, and what is
    budget_due: Mapped[MaybeMoney]
    budget_spent: Mapped[MaybeMoney]
    #: wide enough for all the money of a plan that has one dollar to spend by now
    budget_execution: Mapped[Decimal | None] = mapped_column(
        Numeric(20, 4),
        Computed("case when budget_due > 0 then budget_spent * 100 / budget_due end", persisted=True),
    )
    phase: Mapped[str] = mapped_column(Text, default="")
    reason_class: Mapped[str | None] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(Text, default="")
    countermeasure: Mapped[str] = mapped_column(Text, default="")
    catch_up_date: Mapped[date | None]
    #: open: asked for; reported; checked by the supervisor
    state: Mapped[str] = mapped_column(String(10), default="reported")
    light: Mapped[str | None] = mapped_column(String(10))
    standing: Mapped[str | None] = mapped_column(String(10))
    origin: Mapped[str] = mapped_column(String(13))
    note: Mapped[str] = mapped_column(Text, default="")
    #: the plan-control office takes it after the cut-off, until this day
    open_until: Mapped[date | None]
    reported_at: Mapped[MaybeMoment]
    version: Mapped[int] = mapped_column(default=1)
    #: the newest that asks for it
    case_id: Mapped[int | None] = ref("case.id", unique=True)
    #: before it was opened for correction: the case that asked for it, and when it came
    first_case_id: Mapped[int | None] = ref("case.id", unique=True)
    first_reported_at: Mapped[MaybeMoment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["entry_id", "register_id"], ["register_entry.id", "register_entry.register_id"]
        ),
        UniqueConstraint("entry_id", "month"),
        _first_day("month"),
        _one_of("origin", ORIGINS),
        _one_of("published_class", STANDINGS),
        _one_of("standing", STANDINGS),
        CheckConstraint("light in ('green','yellow','red','blue','grey')", name="light_is_known"),
        CheckConstraint("state in ('open','reported','checked')", name="state_is_known"),
        CheckConstraint("planned between 0 and 100", name="planned_is_a_share"),
        CheckConstraint("actual between 0 and 100", name="actual_is_a_share"),
        CheckConstraint("budget_due >= 0 and budget_spent >= 0", name="budget_is_not_negative"),
        CheckConstraint("published_class is null or origin = 'published'", name="class_alone_was_published"),
        CheckConstraint(
            "state = 'open' or (planned is not null and actual is not null) or published_class is not null",
            name="says_something",
        ),
        CheckConstraint("(published_class is null) or actual is null", name="class_or_figures"),
        CheckConstraint(
            "first_case_id is null or (first_case_id <> case_id and first_reported_at is not null)",
            name="corrected_by_another_case",
        ),
        # an overview reads nothing else of ten thousand reports
        Index(
            "ix_progress_report_register_id_month",
            "register_id",
            "month",
            postgresql_include=["entry_id", "light", "standing", "lag", "budget_due", "budget_spent"],
        ),
    )


class Edition(db.Model):
    """A register as it was closed for a period: what was printed then is printed ever after. Append-only."""

    __tablename__ = "edition"

    id: Mapped[Key]
    register_id: Mapped[int] = ref("register.id")
    period: Mapped[str] = mapped_column(String(7))
    first_month: Mapped[date]
    last_month: Mapped[date]
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    #: the rows, figures and stated rules of its papers
    data: Mapped[Json]
    closed_by_id: Mapped[int | None] = ref("account.id")
    closed_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("register_id", "period"),
        _first_day("first_month"),
        _first_day("last_month"),
        CheckConstraint("last_month >= first_month", name="ends_after_start"),
    )


class PlanPaper(db.Model):
    """A list of a register on paper, printed by the worker; printed anew when what stands in it has changed."""

    __tablename__ = "plan_paper"

    register_id: Mapped[int] = ref("register.id", primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    printed_at: Mapped[Moment]
