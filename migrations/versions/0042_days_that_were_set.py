"""A limit may be moved to a day that somebody set; the share of a plan's money that was spent may be any"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

BEFORE = "kind in ('pause','resume','restart','extend','override')"
AFTER = "kind in ('pause','resume','restart','extend','until','override')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_clock_movement_kind_is_known"), "clock_movement")
    op.create_check_constraint(op.f("ck_clock_movement_kind_is_known"), "clock_movement", AFTER)
    _widen(sa.Numeric(precision=20, scale=4))


def downgrade() -> None:
    _widen(sa.Numeric(precision=9, scale=4))
    op.drop_constraint(op.f("ck_clock_movement_kind_is_known"), "clock_movement")
    op.create_check_constraint(op.f("ck_clock_movement_kind_is_known"), "clock_movement", BEFORE)


def _widen(to: sa.Numeric) -> None:
    op.alter_column("progress_report", "budget_execution", type_=to)
