"""A public notice says on which ground it serves; where the addressee lives is told county by county."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letter", sa.Column("notice_ground", sa.String(length=10), nullable=True))
    op.create_check_constraint(
        op.f("ck_letter_notice_ground_is_known"), "letter", "notice_ground in ('unknown','abroad','again')"
    )
    op.create_check_constraint(
        op.f("ck_letter_ground_of_a_public_notice"),
        "letter",
        "notice_ground is null or service_method = 'public_notice'",
    )
    # which county it was is not known: the nearest one, rather a day too early than too late
    op.execute("update letter set transit = 'taipei' where transit = 'taiwan'")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_letter_ground_of_a_public_notice"), "letter", type_="check")
    op.drop_constraint(op.f("ck_letter_notice_ground_is_known"), "letter", type_="check")
    op.drop_column("letter", "notice_ground")
