"""Payment lists are proposed, approved, paid on a day; monthly claims; payments for nobody are settled once."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LIST_RULES = {
    "state_is_known": "state in ('draft','proposed','approved','paid','dissolved')",
    "proposed_by_somebody": "(state in ('proposed','approved','paid')) = (proposed_by_id is not null)",
    "proposed_has_a_moment": "(proposed_by_id is null) = (proposed_at is null)",
    "approved_by_somebody": "(state in ('approved','paid')) = (approved_by_id is not null)",
    "approved_by_another": "approved_by_id <> created_by_id and approved_by_id <> proposed_by_id",
    "paid_has_a_day": "(state = 'paid') = (paid_on is not null) and (state = 'paid') = (paid_by_id is not null)",
}
LIST_RULES_BEFORE = {
    "state_is_known": "state in ('draft','approved','dissolved')",
    "approved_by_somebody": "(state = 'approved') = (approved_by_id is not null)",
    "approved_by_another": "approved_by_id <> created_by_id",
    "paid_when_approved": "paid_on is null or state = 'approved'",
}
CLAIM_RULES = {
    "month_is_its_first_day": "extract(day from first_month) = 1",
    "stopped_by_somebody": "(stopped_on is null) = (stopped_reason is null) "
    "and (stopped_on is null) = (stopped_by_id is null)",
}
PAYMENT_RULES = {
    "settled_by_somebody": "(settled_at is null) = (settled_by_id is null) "
    "and (settled_at is null) = (settled_reason is null)",
    "settled_one_way": "settled_at is null or (invoice_id is null) = (sent_back_on is not null)",
    "sent_back_is_settled": "sent_back_on is null or settled_at is not null",
}


def upgrade() -> None:
    _lists()
    _claims_and_entries()
    _payments()


def _lists() -> None:
    _person("payout_list", "proposed_by_id")
    _person("payout_list", "paid_by_id")
    op.add_column("payout_list", sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payout_list", sa.Column("note", sa.LargeBinary(), nullable=True))
    for name in LIST_RULES_BEFORE:
        op.drop_constraint(op.f(f"ck_payout_list_{name}"), "payout_list")
    # whoever made a list before had proposed it
    op.execute(
        "update payout_list set proposed_by_id = created_by_id, proposed_at = created_at where state = 'approved'"
    )
    _check("payout_list", LIST_RULES)


def _claims_and_entries() -> None:
    _person("payout_claim", "stopped_by_id")
    op.add_column("payout_claim", sa.Column("first_month", sa.Date(), nullable=True))
    op.add_column("payout_claim", sa.Column("stopped_on", sa.Date(), nullable=True))
    op.add_column("payout_claim", sa.Column("stopped_reason", sa.LargeBinary(), nullable=True))
    _check("payout_claim", CLAIM_RULES)
    op.add_column("payout_entry", sa.Column("month", sa.Date(), nullable=True))
    op.add_column("payout_entry", sa.Column("payee", sa.LargeBinary(), nullable=True))
    op.add_column("payout_entry", sa.Column("account", sa.LargeBinary(), nullable=True))
    op.execute(
        "update payout_entry set payee = claim.payee, account = claim.account "
        "from payout_claim claim where claim.id = claim_id"
    )
    op.alter_column("payout_entry", "payee", nullable=False)
    op.alter_column("payout_entry", "account", nullable=False)
    _check("payout_entry", {"month_is_its_first_day": "extract(day from month) = 1"})
    op.drop_index("uq_payout_entry_standing", "payout_entry")
    op.create_index(
        "uq_payout_entry_standing",
        "payout_entry",
        ["claim_id", "month"],
        unique=True,
        postgresql_where=sa.text("returned_on is null"),
        postgresql_nulls_not_distinct=True,
    )
    op.execute(
        """
        create function refuse_changed_payout_entry() returns trigger language plpgsql as $$
        begin
            if tg_op = 'INSERT' then
                if (select state from payout_list where id = new.list_id) = 'draft' then
                    return new;
                end if;
                raise exception 'list % takes no more lines', new.list_id using errcode = 'restrict_violation';
            end if;
            if tg_op = 'UPDATE' and old.returned_on is null
               and (new.list_id, new.claim_id, new.month, new.amount, new.payee, new.account)
                   is not distinct from (old.list_id, old.claim_id, old.month, old.amount, old.payee, old.account)
               and (select state from payout_list where id = old.list_id) = 'paid' then
                return new;
            end if;
            if tg_op = 'DELETE' and (select state from payout_list where id = old.list_id) in ('draft', 'proposed')
            then
                return old;
            end if;
            raise exception 'what line % of a payment list says does not change', old.id
                using errcode = 'restrict_violation';
        end $$
        """
    )
    op.execute(
        "create trigger unchanged before insert or update or delete on payout_entry "
        "for each row execute function refuse_changed_payout_entry()"
    )


def _payments() -> None:
    _person("payment", "settled_by_id")
    op.add_column("payment", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("settled_reason", sa.LargeBinary(), nullable=True))
    op.add_column("payment", sa.Column("sent_back_on", sa.Date(), nullable=True))
    _check("payment", PAYMENT_RULES)
    op.create_index(
        "ix_payment_for_nobody",
        "payment",
        ["id"],
        unique=False,
        postgresql_where=sa.text("invoice_id is null and settled_at is null"),
    )
    op.execute("drop trigger append_only on payment")
    op.execute(
        """
        create function refuse_changed_payment() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and old.invoice_id is null and old.settled_at is null
               and new.settled_at is not null
               and (new.id, new.account, new.source, new.reference, new.amount, new.paid_at, new.recorded_at)
                   = (old.id, old.account, old.source, old.reference, old.amount, old.paid_at, old.recorded_at)
               and new.recorded_by_id is not distinct from old.recorded_by_id then
                return new;
            end if;
            raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
        end $$
        """
    )
    op.execute(
        "create trigger unchanged before update or delete on payment "
        "for each row execute function refuse_changed_payment()"
    )


def downgrade() -> None:
    op.execute("drop trigger unchanged on payment")
    op.execute("drop function refuse_changed_payment()")
    op.execute(
        "create trigger append_only before update or delete on payment "
        "for each row execute function refuse_change()"
    )
    op.drop_index("ix_payment_for_nobody", "payment")
    _drop("payment", PAYMENT_RULES, ("settled_at", "settled_by_id", "settled_reason", "sent_back_on"))
    op.execute("drop trigger unchanged on payout_entry")
    op.execute("drop function refuse_changed_payout_entry()")
    op.drop_index("uq_payout_entry_standing", "payout_entry")
    op.create_index(
        "uq_payout_entry_standing",
        "payout_entry",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("returned_on is null"),
    )
    _drop("payout_entry", ("month_is_its_first_day",), ("month", "payee", "account"))
    _drop("payout_claim", CLAIM_RULES, ("first_month", "stopped_on", "stopped_reason", "stopped_by_id"))
    for name in LIST_RULES:
        op.drop_constraint(op.f(f"ck_payout_list_{name}"), "payout_list")
    op.execute("update payout_list set state = 'approved' where state = 'paid'")
    op.execute("update payout_list set state = 'draft' where state = 'proposed'")
    _check("payout_list", LIST_RULES_BEFORE)
    _drop("payout_list", (), ("proposed_at", "proposed_by_id", "note", "paid_by_id"))


def _person(table: str, column: str) -> None:
    op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, "account", [column], ["id"])


def _check(table: str, rules: dict[str, str]) -> None:
    for name, rule in rules.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def _drop(table: str, rules: dict[str, str] | tuple[str, ...], columns: tuple[str, ...]) -> None:
    for name in rules:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for column in columns:
        op.drop_column(table, column)
