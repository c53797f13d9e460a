"""年終考核 and 出國報告: grades of plans, journeys and their reports; what is published never changes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

FROZEN = """
create function refuse_change_of_published_grade() returns trigger language plpgsql as $$ begin
    raise exception 'the grade of entry % is published', old.entry_id using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "plan_grade",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("self_points", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("self_words", sa.Text(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("total", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("grade", sa.String(length=10), nullable=True),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("reviewed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", moment, nullable=True),
        sa.Column("published_by_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", moment, nullable=True),
        sa.CheckConstraint(
            "case_id is not null or origin = 'demonstration'", name=op.f("ck_plan_grade_entered_by_a_case")
        ),
        sa.CheckConstraint("grade in ('excellent','a','b','c')", name=op.f("ck_plan_grade_grade_is_known")),
        sa.CheckConstraint(
            "origin in ('entered','demonstration')", name=op.f("ck_plan_grade_origin_is_known")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at is not null)",
            name=op.f("ck_plan_grade_published_has_a_moment"),
        ),
        sa.CheckConstraint(
            "state = 'open' or (total is not null and grade is not null and result is not null and said is not null"
            " and ruleset_revision_id is not null and reviewed_at is not null)",
            name=op.f("ck_plan_grade_reviewed_is_graded"),
        ),
        sa.CheckConstraint(
            "state in ('open','reviewed','published')", name=op.f("ck_plan_grade_state_is_known")
        ),
        sa.CheckConstraint("total between 0 and 100", name=op.f("ck_plan_grade_total_is_a_score")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_plan_grade_case_id")),
        sa.ForeignKeyConstraint(
            ["entry_id", "register_id"],
            ["register_entry.id", "register_entry.register_id"],
            name=op.f("fk_plan_grade_entry_id_register_id"),
        ),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["account.id"], name=op.f("fk_plan_grade_published_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"], ["account.id"], name=op.f("fk_plan_grade_reviewed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_plan_grade_ruleset_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_grade")),
        sa.UniqueConstraint("case_id", name=op.f("uq_plan_grade_case_id")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_plan_grade_entry_id")),
    )
    op.create_index(op.f("ix_plan_grade_register_id"), "plan_grade", ["register_id"], unique=False)
    op.execute(FROZEN)
    op.execute(
        "create trigger published before update or delete on plan_grade for each row "
        "when (old.state = 'published') execute function refuse_change_of_published_grade()"
    )

    _journeys()


def _journeys() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "journey",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("traveller", sa.LargeBinary(), nullable=False),
        sa.Column("destination", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("registered_by_id", sa.BigInteger(), nullable=True),
        sa.Column("registered_at", moment, nullable=False),
        sa.Column("published_at", moment, nullable=True),
        sa.CheckConstraint("returned_on >= left_on", name=op.f("ck_journey_returns_after_leaving")),
        sa.CheckConstraint("destination <> '' and purpose <> ''", name=op.f("ck_journey_says_where_and_why")),
        sa.CheckConstraint(
            "state in ('awaited','reported','published','cancelled')", name=op.f("ck_journey_state_is_known")
        ),
        sa.CheckConstraint("origin in ('entered','demonstration')", name=op.f("ck_journey_origin_is_known")),
        sa.CheckConstraint(
            "case_id is not null or origin = 'demonstration'", name=op.f("ck_journey_entered_by_a_case")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at is not null)",
            name=op.f("ck_journey_published_has_a_moment"),
        ),
        sa.CheckConstraint(
            "state in ('awaited','cancelled')"
            " or (title <> '' and (document_id is not null or origin = 'demonstration'))",
            name=op.f("ck_journey_reported_has_a_report"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_journey_case_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_journey_document_id")),
        sa.ForeignKeyConstraint(
            ["registered_by_id"], ["account.id"], name=op.f("fk_journey_registered_by_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_journey_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
        sa.UniqueConstraint("case_id", name=op.f("uq_journey_case_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_journey_public_id")),
    )
    op.create_index(op.f("ix_journey_unit_id"), "journey", ["unit_id"], unique=False)
    op.create_index("ix_journey_returned_on", "journey", ["returned_on"], unique=False)
    op.execute(
        "create function refuse_change_of_published_journey() returns trigger language plpgsql as $$ begin "
        "raise exception 'the report on journey % is published', old.id using errcode = 'restrict_violation'; end $$"
    )
    op.execute(
        "create trigger published before update or delete on journey for each row "
        "when (old.state = 'published') execute function refuse_change_of_published_journey()"
    )


def downgrade() -> None:
    op.drop_table("journey")
    op.execute("drop function refuse_change_of_published_journey()")
    op.drop_table("plan_grade")
    op.execute("drop function refuse_change_of_published_grade()")
