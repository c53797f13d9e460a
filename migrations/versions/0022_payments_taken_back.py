"""A payment that a cashier mistyped is taken back with a reason: it stays on record and counts no more."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RULES = {
    "taken_back_by_somebody": "(taken_back_at is null) = (taken_back_by_id is null) "
    "and (taken_back_at is null) = (taken_back_reason is null)",
    "taken_back_at_the_counter": "taken_back_at is null or source = 'cashier'",
}
_SAME = (
    "(new.id, new.account, new.source, new.reference, new.amount, new.paid_at, new.recorded_at) "
    "= (old.id, old.account, old.source, old.reference, old.amount, old.paid_at, old.recorded_at) "
    "and new.recorded_by_id is not distinct from old.recorded_by_id"
)
_SETTLED = "old.invoice_id is null and old.settled_at is null and new.settled_at is not null"
_TAKEN_BACK = (
    "old.taken_back_at is null and new.taken_back_at is not null "
    "and new.invoice_id is not distinct from old.invoice_id and new.settled_at is not distinct from old.settled_at"
)


def upgrade() -> None:
    op.add_column("payment", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("taken_back_by_id", sa.BigInteger(), nullable=True))
    op.add_column("payment", sa.Column("taken_back_reason", sa.LargeBinary(), nullable=True))
    op.create_foreign_key(
        op.f("fk_payment_taken_back_by_id"), "payment", "account", ["taken_back_by_id"], ["id"]
    )
    for name, rule in RULES.items():
        op.create_check_constraint(op.f(f"ck_payment_{name}"), "payment", rule)
    op.drop_constraint(op.f("uq_payment_source_reference"), "payment", type_="unique")
    op.create_index(
        "uq_payment_source_reference",
        "payment",
        ["source", "reference"],
        unique=True,
        postgresql_where=sa.text("taken_back_at is null"),
    )
    _sums("and taken_back_at is null")
    _unchanged(f"(({_SETTLED}) or ({_TAKEN_BACK}))")
    op.execute(
        """
        create function refuse_uncovered_by_payment() returns trigger language plpgsql as $$
        declare
            left_over numeric := (
                select coalesce(sum(amount), 0) from payment
                where invoice_id = new.invoice_id and taken_back_at is null);
        begin
            if left_over < (select total from invoice where id = new.invoice_id and state = 'paid')
               or left_over < (select coalesce(sum(amount), 0) from refund
                               where invoice_id = new.invoice_id and state <> 'refused') then
                raise exception 'invoice % rests on payment %', new.invoice_id, new.id
                    using errcode = 'check_violation', constraint = 'ck_payment_is_needed';
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        "create constraint trigger is_needed after update on payment deferrable initially deferred "
        "for each row when (new.taken_back_at is not null) execute function refuse_uncovered_by_payment()"
    )


def downgrade() -> None:
    op.execute("drop trigger is_needed on payment")
    op.execute("drop function refuse_uncovered_by_payment()")
    _unchanged(_SETTLED)
    _sums("")
    op.drop_index("uq_payment_source_reference", "payment")
    op.create_unique_constraint(op.f("uq_payment_source_reference"), "payment", ["source", "reference"])
    for name in RULES:
        op.drop_constraint(op.f(f"ck_payment_{name}"), "payment", type_="check")
    op.drop_constraint(op.f("fk_payment_taken_back_by_id"), "payment", type_="foreignkey")
    for column in ("taken_back_reason", "taken_back_by_id", "taken_back_at"):
        op.drop_column("payment", column)


def _sums(standing: str) -> None:
    """What was paid on an invoice, in the two rules that ask for it."""
    op.execute(
        """
        create or replace function refuse_uncovered_invoice() returns trigger language plpgsql as $$
        begin
            if (select coalesce(sum(amount), 0) from payment where invoice_id = new.id $standing) < new.total then
                raise exception 'invoice % is not covered by its payments', new.id
                    using errcode = 'check_violation', constraint = 'ck_invoice_paid_is_covered';
            end if;
            return new;
        end $$
        """.replace("$standing", standing)
    )
    op.execute(
        """
        create or replace function refuse_refund_of_nothing() returns trigger language plpgsql as $$
        begin
            perform 1 from invoice where id = new.invoice_id for update;
            if (select coalesce(sum(amount), 0) from refund where invoice_id = new.invoice_id and state <> 'refused')
               > (select coalesce(sum(amount), 0) from payment where invoice_id = new.invoice_id $standing) then
                raise exception 'more than was paid on invoice % would go back', new.invoice_id
                    using errcode = 'check_violation', constraint = 'ck_refund_was_paid';
            end if;
            return null;
        end $$
        """.replace("$standing", standing)
    )


def _unchanged(allowed: str) -> None:
    op.execute(
        f"""
        create or replace function refuse_changed_payment() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and {allowed} and {_SAME} then
                return new;
            end if;
            raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
        end $$
        """
    )
