"""An entry is verified once for a month; verifications and resolutions are withdrawn"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

LAST_MONTH = """
update verification set last_month = make_date(
    (regexp_match(period, '^[0-9]+'))[1]::int + 1911,
    case substr(period, length((regexp_match(period, '^[0-9]+'))[1]) + 1, 1)
        when 'Q' then right(period, 1)::int * 3
        when 'H' then right(period, 1)::int * 6
        when 'M' then right(period, 2)::int
        else 12
    end,
    1
)
"""


STATES = {
    "verification": ("open", "closed", "passed_over"),
    "resolution": ("executing", "continued", "released"),
}


def _allow(*more: str) -> None:
    for table, states in STATES.items():
        name = op.f(f"ck_{table}_state_is_known")
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, f"state in ({','.join(map(repr, states + more))})")


def upgrade() -> None:
    _allow("withdrawn")
    op.add_column("verification", sa.Column("last_month", sa.Date(), nullable=True))
    op.execute(LAST_MONTH)
    op.alter_column("verification", "last_month", nullable=False)
    op.drop_index("uq_verification_entry_id_period", table_name="verification")
    op.create_index(
        "uq_verification_entry_id_last_month",
        "verification",
        ["entry_id", "last_month"],
        unique=True,
        postgresql_where=sa.text("state in ('open','closed')"),
    )


def downgrade() -> None:
    _allow()
    op.drop_index("uq_verification_entry_id_last_month", table_name="verification")
    op.drop_column("verification", "last_month")
    op.create_index(
        "uq_verification_entry_id_period",
        "verification",
        ["entry_id", "period"],
        unique=True,
        postgresql_where=sa.text("state <> 'passed_over'"),
    )
