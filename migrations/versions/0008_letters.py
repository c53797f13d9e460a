"""Letters: drafts in versions, reusable reasons, how they were sent and served, and the letters that change them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

REFERENCES = {"served_recorded_by_id": "account", "slip_id": "document", "changes_id": "letter"}
CHECKS = {
    "kind_is_known": "kind in ('grant','reject','return','correction','correction_of','revocation','withdrawal')",
    "channel_is_known": "channel in ('electronic','post','counter','notice')",
    "service_method_is_known": (
        "service_method in ('opened','return_slip','handed_over','deposited','public_notice')"
    ),
    "served_has_a_method": "(served_on is null) = (service_method is null)",
    "served_after_it_was_issued": "served_on is null or served_on >= issued_on",
    "a_change_names_what_it_changes": (
        "(changes_id is not null) = (kind in ('correction_of','revocation','withdrawal'))"
    ),
}


def upgrade() -> None:
    op.create_table(
        "letter_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger(), nullable=True),
        sa.Column("acting_for_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_letter_draft_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["acting_for_id"], ["account.id"], name=op.f("fk_letter_draft_acting_for_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_letter_draft_case_id")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["account.id"], name=op.f("fk_letter_draft_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_draft")),
        sa.UniqueConstraint("case_id", "kind", "number", name=op.f("uq_letter_draft_case_id")),
    )
    op.create_table(
        "phrase",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("service_code", sa.String(length=20), nullable=True),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_phrase_unit_id")),
        sa.ForeignKeyConstraint(["written_by_id"], ["account.id"], name=op.f("fk_phrase_written_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phrase")),
        sa.UniqueConstraint("public_id", name=op.f("uq_phrase_public_id")),
    )
    op.create_index(op.f("ix_phrase_unit_id"), "phrase", ["unit_id"], unique=False)
    # letters until now went out by download
    op.add_column(
        "letter", sa.Column("channel", sa.String(length=10), nullable=False, server_default="electronic")
    )
    op.alter_column("letter", "channel", server_default=None)
    op.add_column(
        "letter", sa.Column("transit", sa.String(length=10), nullable=False, server_default="kinmen")
    )
    op.alter_column("letter", "transit", server_default=None)
    op.add_column("letter", sa.Column("served_on", sa.Date(), nullable=True))
    op.add_column("letter", sa.Column("service_method", sa.String(length=15), nullable=True))
    for name, target in REFERENCES.items():
        op.add_column("letter", sa.Column(name, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_letter_{name}"), "letter", target, [name], ["id"])
    op.drop_constraint(op.f("ck_letter_kind_is_known"), "letter")
    for name, check in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_letter_{name}"), "letter", check)
    op.create_index(op.f("ix_letter_changes_id"), "letter", ["changes_id"], unique=False)
    op.create_index("ix_letter_to_send", "letter", ["channel", "issued_on", "id"], unique=False)
    op.create_table(
        "letter_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("letter_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_by_id", sa.BigInteger(), nullable=False),
        sa.Column("proposed_for_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "kind in ('correction_of','revocation','withdrawal')", name=op.f("ck_letter_change_kind_is_known")
        ),
        sa.CheckConstraint(
            "state in ('open','issued','declined')", name=op.f("ck_letter_change_state_is_known")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at is null)", name=op.f("ck_letter_change_decided_has_a_moment")
        ),
        sa.CheckConstraint(
            "decided_by_id <> proposed_by_id", name=op.f("ck_letter_change_decided_by_another")
        ),
        *(
            sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_letter_change_{name}"))
            for name, target in (
                ("letter_id", "letter.id"),
                ("proposed_by_id", "account.id"),
                ("proposed_for_id", "account.id"),
                ("decided_by_id", "account.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_letter_change_public_id")),
    )
    op.create_index(
        "uq_letter_change_open",
        "letter_change",
        ["letter_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "letter_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("letter_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ordered_by_id", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ordered_by_id"], ["account.id"], name=op.f("fk_letter_batch_ordered_by_id")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_letter_batch_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_letter_batch_public_id")),
    )


def downgrade() -> None:
    op.drop_table("letter_batch")
    op.drop_table("letter_change")
    op.drop_index("ix_letter_to_send", table_name="letter")
    op.drop_index(op.f("ix_letter_changes_id"), table_name="letter")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_letter_{name}"), "letter")
    op.execute("update letter set kind = 'correction' where changes_id is not null")
    op.create_check_constraint(
        op.f("ck_letter_kind_is_known"), "letter", "kind in ('grant','reject','return','correction')"
    )
    for name in (*REFERENCES, "channel", "transit", "served_on", "service_method"):
        op.drop_column("letter", name)
    op.drop_table("phrase")
    op.drop_table("letter_draft")
