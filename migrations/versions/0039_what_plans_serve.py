"""Visions, indicators and mid-term plans above the plans of a year; goals of score tables that come from one"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

#: vision -> indicator -> mid-term plan -> what is carried out; a step may be left out, none is taken back
STANDS_BELOW = """
create function plan_may_stand_below(kind text, above text) returns boolean language sql immutable as $$
    select case above
        when 'pledge_vision' then kind = 'pledge_indicator'
        when 'pledge_indicator' then kind not in ('pledge_vision', 'pledge_indicator')
        when 'mid_term' then kind not in ('pledge_vision', 'pledge_indicator', 'mid_term')
        else false
    end
$$
"""
PLAN_HAS_ITS_PLACE = """
create function plan_has_its_place() returns trigger language plpgsql as $$
begin
    if exists (
        select from plan as p
        where p.id = new.parent_id and not plan_may_stand_below(new.kind, p.kind)
            or p.parent_id = new.id and not plan_may_stand_below(p.kind, new.kind)
    ) then
        raise exception 'plan % does not stand in the order of the tree', new.code
            using errcode = 'check_violation', constraint = 'ck_plan_has_its_place';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.add_column("plan", sa.Column("last_year", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_plan_years_in_order"), "plan", "last_year between roc_year and 999")
    # who changed what above a plan is asked of the audit record by its subject
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"])
    op.execute(STANDS_BELOW)
    op.execute(PLAN_HAS_ITS_PLACE)
    op.execute(
        "create trigger plan_has_its_place before insert or update of parent_id, kind on plan "
        "for each row execute function plan_has_its_place()"
    )
    op.add_column("score_heading", sa.Column("mid_term_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_score_heading_mid_term_id"), "score_heading", "plan", ["mid_term_id"], ["id"]
    )
    op.create_index(op.f("ix_score_heading_mid_term_id"), "score_heading", ["mid_term_id"])
    op.create_check_constraint(
        op.f("ck_score_heading_goal_has_a_mid_term_plan"),
        "score_heading",
        "mid_term_id is null or level = 'goal'",
    )


def downgrade() -> None:
    op.drop_column("score_heading", "mid_term_id")
    op.execute("drop trigger plan_has_its_place on plan")
    op.execute("drop function plan_has_its_place()")
    op.execute("drop function plan_may_stand_below(text, text)")
    op.drop_index(op.f("ix_audit_entry_subject"), "audit_entry")
    op.drop_column("plan", "last_year")
