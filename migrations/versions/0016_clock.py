"""A payment's reference is its source's own; an invoice that lapsed is paid by money that was sent in time.

A clock that was paused when it was late is late still: it counts as running. A case that is decided ends what holds
its time; who asked for an extension may take the request back.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
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
    _check("calendar_override", "kind_is_known", "kind in ('off','stop','work','half_off_am','half_off_pm')")
    _check("suspension", "ended_by_somebody", "ended_by_id is null or ended_at is not null")
    _check(
        "extension_request",
        "state_is_known",
        "state in ('open','approved','refused','lapsed','withdrawn')",
    )
    op.execute(
        "update clock set state = 'running' where state = 'paused' and due_on < (select on_date from clock_movement "
        "where clock_id = clock.id and kind = 'pause' order by id desc limit 1)"
    )


def downgrade() -> None:
    _check("extension_request", "state_is_known", "state in ('open','approved','refused','lapsed')")
    _check("calendar_override", "kind_is_known", "kind in ('off','work','half_off_am','half_off_pm')")
    _check("suspension", "ended_by_somebody", "(ended_at is null) = (ended_by_id is null)")
    _unchanged(
        "old.total <> new.total or old.account <> new.account or old.case_id <> new.case_id "
        "or old.lines <> new.lines or old.state in ('paid', 'lapsed', 'cancelled')"
    )
    op.drop_constraint(op.f("uq_payment_source_reference"), "payment", type_="unique")
    op.create_unique_constraint(op.f("uq_payment_reference"), "payment", ["reference"])


def _check(table: str, name: str, rule: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def _unchanged(when: str) -> None:
    op.execute("drop trigger unchanged on invoice")
    op.execute(
        f"create trigger unchanged before update on invoice for each row when ({when}) "
        "execute function refuse_changed_invoice()"
    )
