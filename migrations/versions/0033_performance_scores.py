"""施政績效: the yearly performance table with its assessments; what is published never changes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

#: what belongs to an edition, and is frozen with it
PARTS = (
    "score_heading",
    "score_indicator",
    "score_assessment",
    "score_step",
    "score_result",
    "score_note",
    "score_figure",
)
FROZEN = """
create function refuse_change_of_published_scores() returns trigger language plpgsql as $$
declare of_year bigint;
begin
    if tg_op = 'INSERT' then of_year := new.year_id; else of_year := old.year_id; end if;
    -- locked: nothing is added while somebody publishes
    if (select state from score_year where id = of_year for share) = 'published' then
        raise exception 'what a published performance table says does not change'
            using errcode = 'restrict_violation';
    end if;
    if tg_op = 'UPDATE' and new.year_id <> old.year_id then
        raise exception 'a row stays in its performance table' using errcode = 'restrict_violation';
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "score_year",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_name", sa.String(length=80), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=15), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=True),
        sa.Column("published_total", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(edition = 1) = (replaces_id is null) and (edition = 1 or reason <> '')",
            name=op.f("ck_score_year_correction_says_why"),
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at is not null)",
            name=op.f("ck_score_year_published_has_a_moment"),
        ),
        sa.CheckConstraint(
            "origin in ('published','demonstration','entered')", name=op.f("ck_score_year_origin_is_known")
        ),
        sa.CheckConstraint(
            "state in ('drafting','self_assessed','paper_review','meeting','on_site','published')",
            name=op.f("ck_score_year_state_is_known"),
        ),
        sa.CheckConstraint("year between 1 and 999", name=op.f("ck_score_year_year_is_roc")),
        sa.ForeignKeyConstraint(["created_by_id"], ["account.id"], name=op.f("fk_score_year_created_by_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["score_year.id"], name=op.f("fk_score_year_replaces_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_score_year_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_year")),
        sa.UniqueConstraint("public_id", name=op.f("uq_score_year_public_id")),
        sa.UniqueConstraint("unit_id", "year", "edition", name=op.f("uq_score_year_unit_id_year_edition")),
    )
    op.create_index(op.f("ix_score_year_unit_id"), "score_year", ["unit_id"], unique=False)
    op.create_index(
        "uq_score_year_in_work",
        "score_year",
        ["unit_id", "year"],
        unique=True,
        postgresql_where=sa.text("state <> 'published'"),
    )
    op.create_table(
        "score_figure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("of_year", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "kind in ('budget','final_account','staff','execution_rate')",
            name=op.f("ck_score_figure_kind_is_known"),
        ),
        sa.CheckConstraint("of_year between 1 and 999", name=op.f("ck_score_figure_year_is_roc")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_score_figure_no_negative_value")),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_figure_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_figure")),
    )
    op.create_index(op.f("ix_score_figure_year_id"), "score_figure", ["year_id"], unique=False)
    op.create_table(
        "score_heading",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("aspect", sa.String(length=10), nullable=True),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("weight", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("published_score", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("published_rate", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.CheckConstraint(
            "(level = 'dimension') = (aspect is not null) and aspect in ('business','staff','budget')",
            name=op.f("ck_score_heading_dimension_has_an_aspect"),
        ),
        sa.CheckConstraint(
            "(level = 'dimension') = (parent_id is null)", name=op.f("ck_score_heading_dimension_is_on_top")
        ),
        sa.CheckConstraint(
            "level in ('dimension','group','goal')", name=op.f("ck_score_heading_level_is_known")
        ),
        sa.CheckConstraint("weight > 0 and weight <= 100", name=op.f("ck_score_heading_weight_is_a_share")),
        sa.ForeignKeyConstraint(
            ["parent_id", "year_id"],
            ["score_heading.id", "score_heading.year_id"],
            name=op.f("fk_score_heading_parent_id_year_id"),
        ),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_heading_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_heading")),
        sa.UniqueConstraint("id", "year_id", name=op.f("uq_score_heading_id_year_id")),
    )
    op.create_index(op.f("ix_score_heading_year_id"), "score_heading", ["year_id"], unique=False)
    op.create_table(
        "score_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("acting_for_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('drafting','self_assessed','paper_review','meeting','on_site','published')",
            name=op.f("ck_score_step_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["acting_for_id"], ["account.id"], name=op.f("fk_score_step_acting_for_id")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_score_step_by_id")),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_step_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_step")),
    )
    op.create_index(op.f("ix_score_step_year_id"), "score_step", ["year_id"], unique=False)
    op.create_table(
        "score_indicator",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("goal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("weight", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("target_raw", sa.String(length=40), nullable=False),
        sa.Column("target", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("cap", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("figure", sa.String(length=40), nullable=True),
        sa.Column("achieved_raw", sa.String(length=40), nullable=False),
        sa.Column("achieved", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_ratio", sa.String(length=20), nullable=False),
        sa.Column("published_score", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "direction in ('higher','lower','equal')", name=op.f("ck_score_indicator_direction_is_known")
        ),
        sa.CheckConstraint("cap is null or cap > 0", name=op.f("ck_score_indicator_cap_is_positive")),
        sa.CheckConstraint(
            "decimals is null or decimals between 0 and 4",
            name=op.f("ck_score_indicator_decimals_can_be_kept"),
        ),
        sa.CheckConstraint(
            "target >= 0 and (achieved is null or achieved >= 0)",
            name=op.f("ck_score_indicator_no_negative_value"),
        ),
        sa.CheckConstraint("weight > 0 and weight <= 100", name=op.f("ck_score_indicator_weight_is_a_share")),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["account.id"], name=op.f("fk_score_indicator_changed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["goal_id", "year_id"],
            ["score_heading.id", "score_heading.year_id"],
            name=op.f("fk_score_indicator_goal_id_year_id"),
        ),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_indicator_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_indicator")),
        sa.UniqueConstraint("id", "year_id", name=op.f("uq_score_indicator_id_year_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_score_indicator_public_id")),
    )
    op.create_index(op.f("ix_score_indicator_year_id"), "score_indicator", ["year_id"], unique=False)
    op.create_table(
        "score_assessment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=15), nullable=False),
        sa.Column("verdict", sa.String(length=15), nullable=False),
        sa.Column("value", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=False),
        sa.Column("acting_for_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(verdict in ('adjusted','scored')) = (value is not null)",
            name=op.f("ck_score_assessment_value_where_changed"),
        ),
        sa.CheckConstraint(
            "stage <> 'self' or verdict = 'confirmed'", name=op.f("ck_score_assessment_self_changes_nothing")
        ),
        sa.CheckConstraint(
            "stage in ('self','paper_review','meeting','on_site')",
            name=op.f("ck_score_assessment_stage_is_known"),
        ),
        sa.CheckConstraint(
            "verdict = 'confirmed' or comment <> ''", name=op.f("ck_score_assessment_change_has_a_reason")
        ),
        sa.CheckConstraint(
            "verdict in ('confirmed','adjusted','scored','not_assessable')",
            name=op.f("ck_score_assessment_verdict_is_known"),
        ),
        sa.CheckConstraint("value >= 0", name=op.f("ck_score_assessment_no_negative_value")),
        sa.ForeignKeyConstraint(
            ["acting_for_id"], ["account.id"], name=op.f("fk_score_assessment_acting_for_id")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_score_assessment_by_id")),
        sa.ForeignKeyConstraint(
            ["indicator_id", "year_id"],
            ["score_indicator.id", "score_indicator.year_id"],
            name=op.f("fk_score_assessment_indicator_id_year_id"),
        ),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_assessment_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_assessment")),
    )
    op.create_index(
        op.f("ix_score_assessment_indicator_id"), "score_assessment", ["indicator_id"], unique=False
    )
    op.create_index(op.f("ix_score_assessment_year_id"), "score_assessment", ["year_id"], unique=False)
    op.create_table(
        "score_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=True),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator_id", "year_id"],
            ["score_indicator.id", "score_indicator.year_id"],
            name=op.f("fk_score_note_indicator_id_year_id"),
        ),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_note_year_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_note")),
    )
    op.create_index(op.f("ix_score_note_year_id"), "score_note", ["year_id"], unique=False)
    op.create_table(
        "score_result",
        sa.Column("indicator_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("year_id", sa.BigInteger(), nullable=False),
        sa.Column("ratio", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("score", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outcomes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("engine", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(ratio is null) = (score is null)", name=op.f("ck_score_result_scored_whole")),
        sa.ForeignKeyConstraint(
            ["indicator_id", "year_id"],
            ["score_indicator.id", "score_indicator.year_id"],
            name=op.f("fk_score_result_indicator_id_year_id"),
        ),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_score_result_ruleset_revision_id")
        ),
        sa.ForeignKeyConstraint(["year_id"], ["score_year.id"], name=op.f("fk_score_result_year_id")),
        sa.PrimaryKeyConstraint("indicator_id", name=op.f("pk_score_result")),
    )
    op.create_index(
        op.f("ix_score_result_ruleset_revision_id"), "score_result", ["ruleset_revision_id"], unique=False
    )
    op.create_index(op.f("ix_score_result_year_id"), "score_result", ["year_id"], unique=False)
    op.execute(FROZEN)
    op.execute(
        "create function refuse_change_of_published_year() returns trigger language plpgsql as $$ begin "
        "raise exception 'performance table % is published', old.id using errcode = 'restrict_violation'; end $$"
    )
    op.execute(
        "create trigger published before update or delete on score_year for each row "
        "when (old.state = 'published') execute function refuse_change_of_published_year()"
    )
    for table in PARTS:
        op.execute(
            f"create trigger published before insert or update or delete on {table} "
            "for each row execute function refuse_change_of_published_scores()"
        )
    for table in ("score_assessment", "score_step"):
        op.execute(
            f"create trigger append_only before update or delete on {table} "
            "for each row execute function refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(PARTS):
        op.drop_table(table)
    op.drop_table("score_year")
    op.execute("drop function refuse_change_of_published_scores()")
    op.execute("drop function refuse_change_of_published_year()")
