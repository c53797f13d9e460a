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

    _committees()


def _committees() -> None:
    op.create_table(
        "committee",
        _key(),
        _public_id(),
        *_ref("committee", "unit_id", "unit"),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("quorum", sa.String(length=10), nullable=False),
        sa.Column("pass_score", sa.Numeric(5, 2), nullable=True),
        sa.Column("amount_field", sa.String(length=80), nullable=True),
        sa.Column("service_codes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("mode in ('vote','score')", name=op.f("ck_committee_mode_is_known")),
        sa.CheckConstraint("quorum in ('majority','two_thirds')", name=op.f("ck_committee_quorum_is_known")),
        sa.CheckConstraint(
            "(mode = 'score') = (pass_score is not null)", name=op.f("ck_committee_score_has_a_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_committee")),
        sa.UniqueConstraint("public_id", name=op.f("uq_committee_public_id")),
    )
    op.create_index(op.f("ix_committee_unit_id"), "committee", ["unit_id"])
    op.create_table(
        "committee_member",
        _key(),
        *_ref("committee_member", "committee_id", "committee"),
        *_ref("committee_member", "account_id", "account"),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "ends_on is null or ends_on >= starts_on", name=op.f("ck_committee_member_ends_after_start")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_committee_member")),
        sa.UniqueConstraint(
            "committee_id",
            "account_id",
            "starts_on",
            name="uq_committee_member_committee_id_account_id_starts_on",
        ),
    )
    op.create_index(op.f("ix_committee_member_account_id"), "committee_member", ["account_id"])
    op.create_table(
        "committee_session",
        _key(),
        _public_id(),
        *_ref("committee_session", "committee_id", "committee"),
        _moment("starts_at"),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("budget", sa.Numeric(14, 2), nullable=True),
        *_ref("committee_session", "secretary_id", "account"),
        sa.Column("minutes", sa.LargeBinary(), nullable=True),
        *_ref("committee_session", "drafted_by_id", "account", nullable=True),
        *_ref("committee_session", "approved_by_id", "account", nullable=True),
        _moment("approved_at", nullable=True),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('planned','held','minutes_approved')", name=op.f("ck_committee_session_state_is_known")
        ),
        sa.CheckConstraint("budget is null or budget >= 0", name=op.f("ck_committee_session_budget")),
        sa.CheckConstraint(
            "(state = 'minutes_approved') = (approved_by_id is not null and approved_at is not null)",
            name=op.f("ck_committee_session_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "approved_by_id is null or (approved_by_id <> secretary_id and approved_by_id <> drafted_by_id)",
            name=op.f("ck_committee_session_approved_by_another"),
        ),
        sa.CheckConstraint(
            "state = 'planned' or minutes is not null", name=op.f("ck_committee_session_held_has_minutes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_committee_session")),
        sa.UniqueConstraint("public_id", name=op.f("uq_committee_session_public_id")),
    )
    op.create_index(op.f("ix_committee_session_committee_id"), "committee_session", ["committee_id"])
    op.create_table(
        "agenda_item",
        _key(),
        _public_id(),
        *_ref("agenda_item", "committee_id", "committee"),
        *_ref("agenda_item", "case_id", "case"),
        sa.Column("visit", sa.Integer(), nullable=False),
        *_ref("agenda_item", "session_id", "committee_session", nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(length=20), nullable=True),
        sa.Column("remark", sa.LargeBinary(), nullable=True),
        _moment("created_at"),
        _moment("closed_at", nullable=True),
        sa.CheckConstraint(
            "result in ('pass','pass_with_changes','defer','reject')",
            name=op.f("ck_agenda_item_result_is_known"),
        ),
        sa.CheckConstraint(
            "(session_id is null) = (position is null)", name=op.f("ck_agenda_item_placed_in_a_session")
        ),
        sa.CheckConstraint(
            "result is null or session_id is not null", name=op.f("ck_agenda_item_decided_in_a_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agenda_item_public_id")),
        sa.UniqueConstraint("session_id", "position", name=op.f("uq_agenda_item_session_id_position")),
    )
    op.create_index(op.f("ix_agenda_item_session_id"), "agenda_item", ["session_id"])
    op.create_index(
        "uq_agenda_item_open",
        "agenda_item",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_index(
        "ix_agenda_item_waiting",
        "agenda_item",
        ["committee_id"],
        postgresql_where=sa.text("session_id is null"),
    )
    op.create_table(
        "conflict_of_interest",
        _key(),
        *_ref("conflict_of_interest", "item_id", "agenda_item"),
        *_ref("conflict_of_interest", "account_id", "account"),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        *_ref("conflict_of_interest", "declared_by_id", "account"),
        _moment("declared_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_of_interest")),
        sa.UniqueConstraint("item_id", "account_id", name=op.f("uq_conflict_of_interest_item_id_account_id")),
    )
    op.create_table(
        "ballot",
        _key(),
        *_ref("ballot", "item_id", "agenda_item"),
        *_ref("ballot", "account_id", "account"),
        sa.Column("choice", sa.LargeBinary(), nullable=False),
        _moment("cast_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("item_id", "account_id", name=op.f("uq_ballot_item_id_account_id")),
    )
    op.execute(
        """
        create function refuse_conflicted_ballot() returns trigger language plpgsql as $$
        begin
            perform from agenda_item where id = new.item_id for no key update;
            if exists (select from conflict_of_interest c join ballot b using (item_id, account_id)
                       where c.item_id = new.item_id) then
                raise exception 'ck_ballot_no_conflict: a member with a conflict of interest has no ballot'
                    using errcode = 'check_violation', constraint = 'ck_ballot_no_conflict';
            end if;
            return null;
        end $$
        """
    )
    for table in ("ballot", "conflict_of_interest"):
        op.execute(
            f"create trigger no_conflicted_ballot after insert or update on {table} "
            "for each row execute function refuse_conflicted_ballot()"
        )


def downgrade() -> None:
    for table in ("ballot", "conflict_of_interest"):
        op.drop_table(table)
    op.execute("drop function refuse_conflicted_ballot()")
    for table in ("agenda_item", "committee_session", "committee_member", "committee"):
        op.drop_table(table)
    op.drop_table("booking")
    op.execute("drop function count_seats()")
    op.drop_table("slot")
    op.drop_table("resource")
