"""A payment's reference is its source's own; an invoice that lapsed is paid by money that was sent in time.

A clock that was paused when it was late is late still: it counts as running.
"""

from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

#: what an invoice says never changes; what is closed stays so
_CHANGED = (
    "old.total <> new.total or old.account <> new.account or old.case_id <> new.case_id "
    "or old.lines <> new.lines or "
)
_CLOSED = "old.state in ('paid', 'cancelled') or (old.state = 'lapsed' and new.state <> 'paid')"


def upgrade() -> None:
    op.drop_constraint(op.f("uq_payment_reference"), "payment", type_="unique")
    op.create_unique_constraint(op.f("uq_payment_source_reference"), "payment", ["source", "reference"])
    _unchanged(_CHANGED + _CLOSED)
    op.execute(
        "update clock set state = 'running' where state = 'paused' and due_on < (select on_date from clock_movement "
        "where clock_id = clock.id and kind = 'pause' order by id desc limit 1)"
    )


def downgrade() -> None:
    _unchanged(
        "old.total <> new.total or old.account <> new.account or old.case_id <> new.case_id "
        "or old.lines <> new.lines or old.state in ('paid', 'lapsed', 'cancelled')"
    )
    op.drop_constraint(op.f("uq_payment_source_reference"), "payment", type_="unique")
    op.create_unique_constraint(op.f("uq_payment_reference"), "payment", ["reference"])


def _unchanged(when: str) -> None:
    op.execute("drop trigger unchanged on invoice")
    op.execute(
        f"create trigger unchanged before update on invoice for each row when ({when}) "
        "execute function refuse_changed_invoice()"
    )
