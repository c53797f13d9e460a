"""Blank forms to print, kept once they are made"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blank_form",
        sa.Column("service_code", sa.String(20), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language in ('zh','en')", name=op.f("ck_blank_form_language_is_known")),
        sa.CheckConstraint("pages > 0", name=op.f("ck_blank_form_has_pages")),
        sa.PrimaryKeyConstraint("service_code", "language", name=op.f("pk_blank_form")),
    )


def downgrade() -> None:
    op.drop_table("blank_form")
