"""Plan control: registers, plans, planned curves, reports, published figures and closed periods"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

#: the planned curve never falls; an approved one ends at 100 and is not changed any more
CURVE_HOLDS = """
create function plan_curve_holds() returns trigger language plpgsql as $$
declare
    of_baseline bigint;
begin
    if tg_table_name = 'baseline' then
        of_baseline := new.id;
    else
        of_baseline := new.baseline_id;
    end if;
    if exists (
        select from (
            select planned, budget, lag(planned) over curve as before, max(budget) over earlier as spent
            from baseline_point where baseline_id = of_baseline
            window curve as (order by month),
                earlier as (order by month rows between unbounded preceding and 1 preceding)
        ) as points
        where planned < before or budget < spent
    ) then
        raise exception 'the planned curve of baseline % falls', of_baseline
            using errcode = 'check_violation', constraint = 'ck_baseline_point_never_falls';
    end if;
    if exists (select from baseline where id = of_baseline and approved_at is not null) and 100 is distinct from (
        select planned from baseline_point where baseline_id = of_baseline order by month desc limit 1
    ) then
        raise exception 'the planned curve of baseline % does not reach 100', of_baseline
            using errcode = 'check_violation', constraint = 'ck_baseline_reaches_100';
    end if;
    return null;
end $$
"""
APPROVED_STAYS = """
create function approved_baseline_stays() returns trigger language plpgsql as $$
declare
    approved boolean;
begin
    if tg_table_name = 'baseline' then
        approved := old.approved_at is not null;
    elsif tg_op = 'INSERT' then
        approved := exists (select from baseline where id = new.baseline_id and approved_at is not null);
    else
        approved := exists (select from baseline where id = old.baseline_id and approved_at is not null);
    end if;
    if approved then
        raise exception 'an approved baseline is append-only' using errcode = 'restrict_violation';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "register",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("roc_year", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.String(length=12), nullable=False),
        sa.Column("report_day", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "cycle in ('monthly','quarterly','half_yearly')", name=op.f("ck_register_cycle_is_known")
        ),
        sa.CheckConstraint(
            "kind in ('selected','infrastructure_subsidy','major_policy','major_project','pledge','island_fund','proposal','request','suggestion')",
            name=op.f("ck_register_kind_is_known"),
        ),
        sa.CheckConstraint("report_day between 1 and 28", name=op.f("ck_register_report_day_in_every_month")),
        sa.CheckConstraint("roc_year between 1 and 999", name=op.f("ck_register_year_is_roc")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register")),
        sa.UniqueConstraint("key", name=op.f("uq_register_key")),
    )
    op.create_table(
        "plan_paper",
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_plan_paper_register_id")),
        sa.PrimaryKeyConstraint("register_id", "period", "name", name=op.f("pk_plan_paper")),
    )
    op.create_table(
        "published_figure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_published_figure_has_a_source")),
        sa.ForeignKeyConstraint(
            ["register_id"], ["register.id"], name=op.f("fk_published_figure_register_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_figure")),
        sa.UniqueConstraint(
            "register_id", "period", "name", name=op.f("uq_published_figure_register_id_period_name")
        ),
    )
    op.create_table(
        "edition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("closed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "extract(day from first_month) = 1", name=op.f("ck_edition_first_month_is_a_first_day")
        ),
        sa.CheckConstraint(
            "extract(day from last_month) = 1", name=op.f("ck_edition_last_month_is_a_first_day")
        ),
        sa.CheckConstraint("last_month >= first_month", name=op.f("ck_edition_ends_after_start")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["account.id"], name=op.f("fk_edition_closed_by_id")),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_edition_register_id")),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_edition_ruleset_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("register_id", "period", name=op.f("uq_edition_register_id_period")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("roc_year", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("lead_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind in ('yearly','mid_term','pledge_vision','pledge_indicator','project','subsidy')",
            name=op.f("ck_plan_kind_is_known"),
        ),
        sa.CheckConstraint("level in ('magistrate','county','unit')", name=op.f("ck_plan_level_is_known")),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')", name=op.f("ck_plan_origin_is_known")
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_plan_has_a_title")),
        sa.CheckConstraint("accepted_on >= completed_on", name=op.f("ck_plan_accepted_after_completion")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_plan_ends_after_start")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_plan_is_no_parent_of_itself")),
        sa.CheckConstraint("roc_year between 1 and 999", name=op.f("ck_plan_year_is_roc")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_plan_case_id")),
        sa.ForeignKeyConstraint(["lead_unit_id"], ["unit.id"], name=op.f("fk_plan_lead_unit_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["plan.id"], name=op.f("fk_plan_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("case_id", name=op.f("uq_plan_case_id")),
        sa.UniqueConstraint("code", name=op.f("uq_plan_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
    )
    op.create_index(op.f("ix_plan_lead_unit_id"), "plan", ["lead_unit_id"], unique=False)
    op.create_index(op.f("ix_plan_parent_id"), "plan", ["parent_id"], unique=False)
    op.create_index("ix_plan_title", "plan", ["title"], unique=False)
    op.create_table(
        "plan_budget",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("roc_year", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=0), nullable=False),
        sa.CheckConstraint(
            "source in ('all','county','central','island_fund','other')",
            name=op.f("ck_plan_budget_source_is_known"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_plan_budget_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_budget_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_budget")),
        sa.UniqueConstraint(
            "plan_id",
            "roc_year",
            "source",
            name=op.f("uq_plan_budget_plan_id_roc_year_source"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "plan_site",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_site_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("pk_plan_site")),
    )
    op.create_table(
        "plan_unit",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "role in ('co_lead','executing','assisting')", name=op.f("ck_plan_unit_role_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_unit_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_plan_unit_unit_id")),
        sa.PrimaryKeyConstraint("plan_id", "unit_id", name=op.f("pk_plan_unit")),
    )
    op.create_index(op.f("ix_plan_unit_unit_id"), "plan_unit", ["unit_id"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("project_no", sa.Integer(), nullable=True),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("case_no", sa.String(length=20), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("supervisor", sa.String(length=80), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("carried_over_from", sa.Integer(), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(released_on is null) = (release_reason is null) and release_reason <> ''",
            name=op.f("ck_register_entry_released_with_reason"),
        ),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')",
            name=op.f("ck_register_entry_origin_is_known"),
        ),
        sa.CheckConstraint(
            "carried_over_from between 1 and 999", name=op.f("ck_register_entry_carried_over_year_is_roc")
        ),
        sa.CheckConstraint("released_on >= since", name=op.f("ck_register_entry_released_after_entry")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_register_entry_plan_id")),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_register_entry_register_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_register_entry_public_id")),
        sa.UniqueConstraint("id", "register_id", name=op.f("uq_register_entry_id_register_id")),
        sa.UniqueConstraint("register_id", "case_no", name=op.f("uq_register_entry_register_id_case_no")),
    )
    op.create_index(op.f("ix_register_entry_plan_id"), "register_entry", ["plan_id"], unique=False)
    op.create_index(
        "uq_register_entry_live",
        "register_entry",
        ["register_id", "plan_id"],
        unique=True,
        postgresql_where=sa.text("released_on is null"),
    )
    op.create_table(
        "baseline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_month", sa.Date(), nullable=False),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "approved_at is null or approved_by_id is not null or origin <> 'entered'",
            name=op.f("ck_baseline_approved_by_somebody"),
        ),
        sa.CheckConstraint("number >= 1 and reason <> ''", name=op.f("ck_baseline_has_number_and_reason")),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')", name=op.f("ck_baseline_origin_is_known")
        ),
        sa.CheckConstraint(
            "extract(day from effective_month) = 1", name=op.f("ck_baseline_effective_month_is_a_first_day")
        ),
        sa.ForeignKeyConstraint(["approved_by_id"], ["account.id"], name=op.f("fk_baseline_approved_by_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_baseline_case_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["register_entry.id"], name=op.f("fk_baseline_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline")),
        sa.UniqueConstraint("entry_id", "number", name=op.f("uq_baseline_entry_id_number")),
    )
    op.create_table(
        "progress_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("planned", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("actual", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column(
            "lag",
            sa.Numeric(precision=9, scale=4),
            sa.Computed("planned - actual", persisted=True),
            nullable=True,
        ),
        sa.Column("published_class", sa.String(length=10), nullable=True),
        sa.Column("budget_due", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.Column("budget_spent", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.Column(
            "budget_execution",
            sa.Numeric(precision=9, scale=4),
            sa.Computed("case when budget_due > 0 then budget_spent * 100 / budget_due end", persisted=True),
            nullable=True,
        ),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("reason_class", sa.String(length=30), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("countermeasure", sa.Text(), nullable=False),
        sa.Column("catch_up_date", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("light", sa.String(length=10), nullable=True),
        sa.Column("standing", sa.String(length=10), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "light in ('green','yellow','red','blue','grey')", name=op.f("ck_progress_report_light_is_known")
        ),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')",
            name=op.f("ck_progress_report_origin_is_known"),
        ),
        sa.CheckConstraint(
            "published_class in ('severe','behind','on_track','ahead','no_report')",
            name=op.f("ck_progress_report_published_class_is_known"),
        ),
        sa.CheckConstraint(
            "published_class is null or origin = 'published'",
            name=op.f("ck_progress_report_class_alone_was_published"),
        ),
        sa.CheckConstraint(
            "standing in ('severe','behind','on_track','ahead','no_report')",
            name=op.f("ck_progress_report_standing_is_known"),
        ),
        sa.CheckConstraint(
            "state = 'open' or (planned is not null and actual is not null) or published_class is not null",
            name=op.f("ck_progress_report_says_something"),
        ),
        sa.CheckConstraint(
            "state in ('open','reported','checked')", name=op.f("ck_progress_report_state_is_known")
        ),
        sa.CheckConstraint(
            "(published_class is null) or actual is null", name=op.f("ck_progress_report_class_or_figures")
        ),
        sa.CheckConstraint("actual between 0 and 100", name=op.f("ck_progress_report_actual_is_a_share")),
        sa.CheckConstraint(
            "budget_due >= 0 and budget_spent >= 0", name=op.f("ck_progress_report_budget_is_not_negative")
        ),
        sa.CheckConstraint(
            "extract(day from month) = 1", name=op.f("ck_progress_report_month_is_a_first_day")
        ),
        sa.CheckConstraint("planned between 0 and 100", name=op.f("ck_progress_report_planned_is_a_share")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_progress_report_case_id")),
        sa.ForeignKeyConstraint(
            ["entry_id", "register_id"],
            ["register_entry.id", "register_entry.register_id"],
            name=op.f("fk_progress_report_entry_id_register_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_progress_report")),
        sa.UniqueConstraint("case_id", name=op.f("uq_progress_report_case_id")),
        sa.UniqueConstraint("entry_id", "month", name=op.f("uq_progress_report_entry_id_month")),
        sa.UniqueConstraint("public_id", name=op.f("uq_progress_report_public_id")),
    )
    op.create_index(
        "ix_progress_report_register_id_month",
        "progress_report",
        ["register_id", "month"],
        unique=False,
        postgresql_include=["entry_id", "light", "standing", "lag", "budget_due", "budget_spent"],
    )
    op.create_table(
        "baseline_point",
        sa.Column("baseline_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("planned", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("budget", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.CheckConstraint("budget >= 0", name=op.f("ck_baseline_point_budget_is_not_negative")),
        sa.CheckConstraint(
            "extract(day from month) = 1", name=op.f("ck_baseline_point_month_is_a_first_day")
        ),
        sa.CheckConstraint("planned between 0 and 100", name=op.f("ck_baseline_point_planned_is_a_share")),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["baseline.id"], name=op.f("fk_baseline_point_baseline_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("baseline_id", "month", name=op.f("pk_baseline_point")),
    )
    op.add_column("firing", sa.Column("progress_report_id", sa.BigInteger(), nullable=True))
    op.alter_column("firing", "case_id", existing_type=sa.BigInteger(), nullable=True)
    op.create_index(op.f("ix_firing_progress_report_id"), "firing", ["progress_report_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_firing_progress_report_id"), "firing", "progress_report", ["progress_report_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_firing_of_one_thing"), "firing", "num_nonnulls(case_id, progress_report_id) = 1"
    )
    op.execute(CURVE_HOLDS)
    op.execute(
        "create constraint trigger plan_curve_holds after insert or update on baseline_point "
        "deferrable initially deferred for each row execute function plan_curve_holds()"
    )
    op.execute(
        "create constraint trigger plan_curve_holds after insert or update on baseline "
        "deferrable initially deferred for each row execute function plan_curve_holds()"
    )
    op.execute(APPROVED_STAYS)
    op.execute(
        "create trigger approved_stays before update or delete on baseline "
        "for each row execute function approved_baseline_stays()"
    )
    op.execute(
        "create trigger approved_stays before insert or update or delete on baseline_point "
        "for each row execute function approved_baseline_stays()"
    )
    op.execute(
        "create trigger append_only before update or delete on edition "
        "for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_firing_progress_report_id"), "firing", type_="foreignkey")
    op.drop_index(op.f("ix_firing_progress_report_id"), table_name="firing")
    op.execute("alter table firing disable trigger append_only")
    op.execute("delete from firing where case_id is null")
    op.execute("alter table firing enable trigger append_only")
    op.drop_constraint(op.f("ck_firing_of_one_thing"), "firing", type_="check")
    op.alter_column("firing", "case_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("firing", "progress_report_id")
    op.drop_table("baseline_point")
    op.drop_index("ix_progress_report_register_id_month", table_name="progress_report")
    op.drop_table("progress_report")
    op.drop_table("baseline")
    op.drop_index(
        "uq_register_entry_live", table_name="register_entry", postgresql_where=sa.text("released_on is null")
    )
    op.drop_index(op.f("ix_register_entry_plan_id"), table_name="register_entry")
    op.drop_table("register_entry")
    op.drop_index(op.f("ix_plan_unit_unit_id"), table_name="plan_unit")
    op.drop_table("plan_unit")
    op.drop_table("plan_site")
    op.drop_table("plan_budget")
    op.drop_index("ix_plan_title", table_name="plan")
    op.drop_index(op.f("ix_plan_parent_id"), table_name="plan")
    op.drop_index(op.f("ix_plan_lead_unit_id"), table_name="plan")
    op.drop_table("plan")
    op.drop_table("edition")
    op.drop_table("published_figure")
    op.drop_table("plan_paper")
    op.drop_table("register")
    op.execute("drop function plan_curve_holds()")
    op.execute("drop function approved_baseline_stays()")
