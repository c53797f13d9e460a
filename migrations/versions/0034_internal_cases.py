"""Cases that the counter or a unit opens itself"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

CHECK = "ck_case_channel_is_known"


def upgrade() -> None:
    _known("'web','counter','telephone','post','internal'")


def downgrade() -> None:
    _known("'web','counter','telephone','post'")


def _known(channels: str) -> None:
    op.drop_constraint(op.f(CHECK), "case", type_="check")
    op.create_check_constraint(op.f(CHECK), "case", f"channel in ({channels})")
