"""A deputy is told for whom; an event says what kind of actor made it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("escalation_notice", sa.Column("acting_for_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_escalation_notice_acting_for_id"),
        "escalation_notice",
        "account",
        ["acting_for_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_escalation_notice_acts_for_another"), "escalation_notice", "acting_for_id <> account_id"
    )
    op.add_column("case_event", sa.Column("actor_kind", sa.String(10), nullable=True))
    # what was not known before is filled in once; the digests do not cover it
    op.execute("alter table case_event disable trigger append_only")
    op.execute(
        """
        update case_event set actor_kind = coalesce(
            (select kind from account where account.id = case_event.actor_id),
            case when kind in ('submitted', 'resubmit', 'improved', 'withdraw', 'slot_held', 'slot_waited')
                then 'anonymous' else 'system' end
        )
        """
    )
    op.execute("alter table case_event enable trigger append_only")
    op.alter_column("case_event", "actor_kind", nullable=False)
    op.create_check_constraint(
        op.f("ck_case_event_actor_is_known"),
        "case_event",
        "actor_kind in ('anonymous','citizen','staff','system')",
    )
    op.create_check_constraint(
        op.f("ck_case_event_people_have_accounts"),
        "case_event",
        "(actor_kind in ('citizen','staff')) = (actor_id is not null)",
    )


def downgrade() -> None:
    op.drop_column("case_event", "actor_kind")
    op.drop_column("escalation_notice", "acting_for_id")
