"""Committees where the parties decide, who came to a hearing, letters of a hearing, what applicants hear of payments"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

#: table: name of the check, before, after
CHECKS = (
    ("committee", "mode_is_known", "mode in ('vote','score')", "mode in ('vote','score','consent')"),
    (
        "committee",
        "quorum_is_known",
        "quorum in ('majority','two_thirds')",
        "quorum in ('majority','two_thirds','three')",
    ),
    (
        "committee_session",
        "state_is_known",
        "state in ('planned','held','minutes_approved')",
        "state in ('planned','held','minutes_approved','cancelled')",
    ),
    (
        "committee_session",
        "held_has_minutes",
        "state = 'planned' or minutes is not null",
        "state in ('planned','cancelled') or minutes is not null",
    ),
    (
        "letter",
        "kind_is_known",
        "kind in ('grant','reject','return','correction','correction_of','revocation','withdrawal')",
        "kind in ('grant','reject','return','correction','correction_of','revocation','withdrawal',"
        "'invitation','certificate')",
    ),
)
PAYOUTS = {
    "approved_for_another": "approved_for_id is null or (approved_by_id is not null"
    " and approved_for_id <> created_by_id and approved_for_id <> proposed_by_id)",
    "same_hands_are_counted": "same_hands >= 0",
}
NO_BALLOT = """
create function refuse_ballot_without_vote() returns trigger language plpgsql as $$
begin
    if exists (select from agenda_item i join committee c on c.id = i.committee_id
               where i.id = new.item_id and c.mode = 'consent') then
        raise exception 'ck_ballot_committee_votes: where the parties decide nobody votes'
            using errcode = 'check_violation', constraint = 'ck_ballot_committee_votes';
    end if;
    return null;
end $$
"""
HEARD = """
create function refuse_hearing_elsewhere() returns trigger language plpgsql as $$
declare
    decides text := (select mode from committee where id = new.committee_id);
begin
    if new.hearing is not null and decides <> 'consent' then
        raise exception 'ck_agenda_item_hears_where_parties_decide: this committee votes'
            using errcode = 'check_violation', constraint = 'ck_agenda_item_hears_where_parties_decide';
    end if;
    if new.result is not null and decides = 'consent'
       and (new.hearing is null or new.result = 'pass_with_changes') then
        raise exception 'ck_agenda_item_consent_is_recorded: a hearing says who came, and settles, fails or goes on'
            using errcode = 'check_violation', constraint = 'ck_agenda_item_consent_is_recorded';
    end if;
    return null;
end $$
"""


def upgrade() -> None:
    for table, name, _before, after in CHECKS:
        _check(table, name, after)
    op.create_check_constraint(
        op.f("ck_committee_consent_needs_three"), "committee", "(mode = 'consent') = (quorum = 'three')"
    )
    op.add_column("agenda_item", sa.Column("hearing", sa.LargeBinary(), nullable=True))
    op.add_column("agenda_item", sa.Column("continues_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_agenda_item_continues_where_heard"),
        "agenda_item",
        "continues_on is null or (result = 'defer' and hearing is not null)",
    )
    op.add_column("payout_list", sa.Column("approved_for_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_payout_list_approved_for_id_account"), "payout_list", "account", ["approved_for_id"], ["id"]
    )
    op.add_column("payout_list", sa.Column("same_hands", sa.Integer(), server_default="0", nullable=False))
    op.alter_column("payout_list", "same_hands", server_default=None)
    for name, condition in PAYOUTS.items():
        op.create_check_constraint(op.f(f"ck_payout_list_{name}"), "payout_list", condition)
    op.execute(NO_BALLOT)
    op.execute(
        "create trigger no_ballot_without_vote after insert or update on ballot "
        "for each row execute function refuse_ballot_without_vote()"
    )
    op.execute(HEARD)
    op.execute(
        "create trigger no_hearing_elsewhere after insert or update on agenda_item "
        "for each row execute function refuse_hearing_elsewhere()"
    )


def downgrade() -> None:
    """Hearings have no place in the older tables: their committees vote, and their letters stay as what they are."""
    op.execute("drop trigger no_hearing_elsewhere on agenda_item")
    op.execute("drop function refuse_hearing_elsewhere()")
    op.execute("drop trigger no_ballot_without_vote on ballot")
    op.execute("drop function refuse_ballot_without_vote()")
    for name in PAYOUTS:
        op.drop_constraint(op.f(f"ck_payout_list_{name}"), "payout_list")
    op.drop_column("payout_list", "same_hands")
    op.drop_column("payout_list", "approved_for_id")
    op.drop_constraint(op.f("ck_agenda_item_continues_where_heard"), "agenda_item")
    op.drop_column("agenda_item", "continues_on")
    op.drop_column("agenda_item", "hearing")
    op.drop_constraint(op.f("ck_committee_consent_needs_three"), "committee")
    op.execute("update committee set mode = 'vote', quorum = 'majority' where mode = 'consent'")
    op.execute("delete from committee_session where state = 'cancelled'")
    op.execute("update letter set kind = 'correction' where kind in ('invitation','certificate')")
    for table, name, before, _after in CHECKS:
        _check(table, name, before)


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
