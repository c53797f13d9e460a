"""Outside members and the chair's casting vote; committees and resources that close; stop-work days taken back"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NO_CONFLICT = """
create or replace function refuse_conflicted_ballot() returns trigger language plpgsql as $$
begin
    perform from agenda_item where id = new.item_id for no key update;
    if exists (select from conflict_of_interest c join ballot b using (item_id, {key})
               where c.item_id = new.item_id) then
        raise exception 'ck_ballot_no_conflict: a member with a conflict of interest has no ballot'
            using errcode = 'check_violation', constraint = 'ck_ballot_no_conflict';
    end if;
    {more}
    return null;
end $$
"""
VOTES = """
    if exists (select from ballot b join committee_member m on m.id = b.member_id
               where b.item_id = new.item_id and not m.votes) then
        raise exception 'ck_ballot_member_votes: who only advises has no ballot'
            using errcode = 'check_violation', constraint = 'ck_ballot_member_votes';
    end if;
"""
#: the term in which the member sat in the session
SEAT_OF = """
update TABLE t set member_id = (
    select m.id from agenda_item i join committee_member m on m.committee_id = i.committee_id
    left join committee_session s on s.id = i.session_id
    where i.id = t.item_id and m.account_id = t.account_id
    order by (s.starts_at at time zone 'Asia/Taipei')::date
        between m.starts_on and coalesce(m.ends_on, 'infinity') desc nulls last, m.starts_on desc
    limit 1)
"""
ACCOUNT_OF = "update TABLE t set account_id = m.account_id from committee_member m where m.id = t.member_id"
NO_OUTSIDERS = (
    "delete from TABLE where member_id in (select id from committee_member where account_id is null)"
)


def upgrade() -> None:
    _committees()
    _members()
    op.add_column("resource", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("resource", "version", server_default=None)
    # whoever books while a resource is being closed comes too late: the page says to try again
    _refuse_late(
        "booking",
        "closed_resource_takes_no_booking",
        "slot s join resource r on r.id = s.resource_id",
        "s.id = new.slot_id and r.active",
        "r",
        "when (new.state in ('waiting','held','confirmed'))",
    )
    op.add_column("calendar_override", sa.Column("revoked_by_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_calendar_override_revoked_by_id_account"),
        "calendar_override",
        "account",
        ["revoked_by_id"],
        ["id"],
    )
    op.add_column("calendar_override", sa.Column("revoke_reason", sa.String(length=200), nullable=True))
    op.execute("update calendar_override set revoke_reason = reason where revoked_at is not null")
    op.create_check_constraint(
        op.f("ck_calendar_override_revoked_with_reason"),
        "calendar_override",
        "(revoked_at is null) = (revoke_reason is null) and (revoked_by_id is null or revoked_at is not null)",
    )


def _refuse_late(table: str, name: str, source: str, where: str, held: str, when: str = "") -> None:
    op.execute(
        f"""
        create function {name}() returns trigger language plpgsql as $$
        begin
            perform from {source} where {where} for share of {held};
            if not found then
                raise exception '{name}' using errcode = 'serialization_failure';
            end if;
            return new;
        end $$
        """
    )
    op.execute(
        f"create trigger {name} before insert on {table} for each row {when} execute function {name}()"
    )


def _committees() -> None:
    op.add_column(
        "committee", sa.Column("chair_breaks_ties", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("committee", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("committee", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("committee", "chair_breaks_ties", server_default=None)
    op.alter_column("committee", "version", server_default=None)
    op.create_check_constraint(
        op.f("ck_committee_only_votes_tie"), "committee", "mode = 'vote' or not chair_breaks_ties"
    )
    _refuse_late(
        "agenda_item",
        "closed_committee_takes_no_case",
        "committee c",
        "c.id = new.committee_id and c.closed_at is null",
        "c",
    )
    op.add_column("agenda_item", sa.Column("casting_vote", sa.String(length=3), nullable=True))
    op.create_check_constraint(
        op.f("ck_agenda_item_casting_vote_is_known"), "agenda_item", "casting_vote in ('yes','no')"
    )


def _members() -> None:
    op.alter_column("committee_member", "account_id", nullable=True)
    op.add_column("committee_member", sa.Column("name", sa.LargeBinary(), nullable=True))
    op.add_column("committee_member", sa.Column("organisation", sa.LargeBinary(), nullable=True))
    for name, default in (("votes", "true"), ("chairs", "false")):
        op.add_column(
            "committee_member", sa.Column(name, sa.Boolean(), server_default=default, nullable=False)
        )
        op.alter_column("committee_member", name, server_default=None)
    op.create_check_constraint(
        op.f("ck_committee_member_inside_or_outside"),
        "committee_member",
        "(account_id is null) = (name is not null) and (name is null) = (organisation is null)",
    )
    op.create_check_constraint(
        op.f("ck_committee_member_chair_votes"), "committee_member", "votes or not chairs"
    )
    term = "int8range(committee_id, committee_id, '[]') with &&, daterange(starts_on, ends_on, '[]') with &&"
    op.execute(
        "alter table committee_member add constraint ex_committee_member_once_a_day exclude using gist "
        f"(int8range(account_id, account_id, '[]') with &&, {term}) where (account_id is not null)"
    )
    op.execute(
        f"alter table committee_member add constraint ex_committee_member_one_chair exclude using gist ({term}) "
        "where (chairs)"
    )
    for table in ("ballot", "conflict_of_interest"):
        op.add_column(table, sa.Column("member_id", sa.BigInteger(), nullable=True))
        op.execute(SEAT_OF.replace("TABLE", table))
        op.alter_column(table, "member_id", nullable=False)
        op.create_foreign_key(
            op.f(f"fk_{table}_member_id_committee_member"), table, "committee_member", ["member_id"], ["id"]
        )
        op.drop_constraint(op.f(f"uq_{table}_item_id_account_id"), table)
        op.create_unique_constraint(op.f(f"uq_{table}_item_id_member_id"), table, ["item_id", "member_id"])
    op.drop_column("conflict_of_interest", "account_id")
    op.alter_column("ballot", "account_id", new_column_name="entered_by_id")
    op.execute(
        "alter table ballot rename constraint fk_ballot_account_id_account to fk_ballot_entered_by_id_account"
    )
    op.execute(NO_CONFLICT.format(key="member_id", more=VOTES))


def downgrade() -> None:
    """Ballots and conflicts of outside members have no place in the older tables and go with them."""
    op.drop_constraint(op.f("ck_calendar_override_revoked_with_reason"), "calendar_override")
    op.drop_column("calendar_override", "revoke_reason")
    op.drop_column("calendar_override", "revoked_by_id")
    for table, name in (
        ("booking", "closed_resource_takes_no_booking"),
        ("agenda_item", "closed_committee_takes_no_case"),
    ):
        op.execute(f"drop trigger {name} on {table}")
        op.execute(f"drop function {name}()")
    op.drop_column("resource", "version")
    op.drop_column("agenda_item", "casting_vote")
    for table in ("ballot", "conflict_of_interest"):
        op.execute(NO_OUTSIDERS.replace("TABLE", table))
    op.execute(
        "alter table ballot rename constraint fk_ballot_entered_by_id_account to fk_ballot_account_id_account"
    )
    op.alter_column("ballot", "entered_by_id", new_column_name="account_id")
    op.add_column("conflict_of_interest", sa.Column("account_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_conflict_of_interest_account_id_account"),
        "conflict_of_interest",
        "account",
        ["account_id"],
        ["id"],
    )
    for table in ("ballot", "conflict_of_interest"):
        op.execute(ACCOUNT_OF.replace("TABLE", table))
        op.drop_column(table, "member_id")
        op.create_unique_constraint(op.f(f"uq_{table}_item_id_account_id"), table, ["item_id", "account_id"])
    op.alter_column("conflict_of_interest", "account_id", nullable=False)
    op.execute(NO_CONFLICT.format(key="account_id", more=""))
    op.execute("delete from committee_member where account_id is null")
    for name in ("ex_committee_member_one_chair", "ex_committee_member_once_a_day"):
        op.execute(f"alter table committee_member drop constraint {name}")
    op.drop_constraint(op.f("ck_committee_member_chair_votes"), "committee_member")
    op.drop_constraint(op.f("ck_committee_member_inside_or_outside"), "committee_member")
    for name in ("chairs", "votes", "organisation", "name"):
        op.drop_column("committee_member", name)
    op.alter_column("committee_member", "account_id", nullable=False)
    op.drop_constraint(op.f("ck_committee_only_votes_tie"), "committee")
    for name in ("version", "closed_at", "chair_breaks_ties"):
        op.drop_column("committee", name)
