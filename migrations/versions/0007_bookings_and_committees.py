"""Bookable slots that the database does not overbook, and committees with their sessions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _key() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _public_id() -> sa.Column:
    return sa.Column("public_id", sa.String(length=32), nullable=False)


def _ref(table: str, column: str, target: str, nullable: bool = False) -> tuple:
    return (
        sa.Column(column, sa.BigInteger(), nullable=nullable),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")),
    )


def _moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "resource",
        _key(),
        _public_id(),
        *_ref("resource", "unit_id", "unit"),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("service_codes", postgresql.JSONB(), nullable=False),
        sa.Column("cancel_hours", sa.Integer(), nullable=False),
        sa.Column("remind_hours", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_resource_has_capacity")),
        sa.CheckConstraint("cancel_hours >= 0 and remind_hours >= 0", name=op.f("ck_resource_hours_before")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("public_id", name=op.f("uq_resource_public_id")),
    )
    op.create_index(op.f("ix_resource_unit_id"), "resource", ["unit_id"])
    op.create_table(
        "slot",
        _key(),
        _public_id(),
        *_ref("slot", "resource_id", "resource"),
        _moment("starts_at"),
        _moment("ends_at"),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_slot_ends_after_start")),
        sa.CheckConstraint("taken between 0 and capacity", name=op.f("ck_slot_not_overbooked")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_slot_public_id")),
    )
    op.create_index("ix_slot_resource_starts", "slot", ["resource_id", "starts_at"])
    op.create_index("ix_slot_starts", "slot", ["starts_at"])
    # ranges for both, so that no extension is needed to compare the resource
    op.execute(
        "alter table slot add constraint slot_no_overlap exclude using gist "
        "(int8range(resource_id, resource_id, '[]') with &&, tstzrange(starts_at, ends_at) with &&)"
    )
    op.create_table(
        "booking",
        _key(),
        _public_id(),
        *_ref("booking", "slot_id", "slot"),
        *_ref("booking", "case_id", "case"),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        _moment("reminded_at", nullable=True),
        sa.CheckConstraint(
            "state in ('waiting','held','confirmed','cancelled','no_show','attended')",
            name=op.f("ck_booking_state_is_known"),
        ),
        sa.CheckConstraint("seats > 0", name=op.f("ck_booking_has_seats")),
        sa.CheckConstraint(
            "(state = 'waiting') = (position is not null)", name=op.f("ck_booking_waiting_has_a_place")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("public_id", name=op.f("uq_booking_public_id")),
        sa.UniqueConstraint("slot_id", "position", name=op.f("uq_booking_slot_id_position")),
    )
    op.create_index(
        "uq_booking_active",
        "booking",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("state in ('waiting','held','confirmed')"),
    )
    op.create_index("ix_booking_case", "booking", ["case_id", "id"])
    op.create_index("ix_booking_slot", "booking", ["slot_id", "state"])
    # the count of a slot follows its bookings, whoever writes them; ck_slot_not_overbooked refuses one too many
    op.execute(
        """
        create function count_seats() returns trigger language plpgsql as $$
        begin
            if tg_op <> 'INSERT' and old.state in ('held','confirmed','attended','no_show') then
                update slot set taken = taken - old.seats where id = old.slot_id;
            end if;
            if tg_op <> 'DELETE' and new.state in ('held','confirmed','attended','no_show') then
                update slot set taken = taken + new.seats where id = new.slot_id;
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger seats_counted after insert or update or delete on booking "
        "for each row execute function count_seats()"
    )


def downgrade() -> None:
    op.drop_table("booking")
    op.execute("drop function count_seats()")
    op.drop_table("slot")
    op.drop_table("resource")
