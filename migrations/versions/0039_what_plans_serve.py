"""Visions, indicators and mid-term plans above the plans of a year; goals of score tables that come from one"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

#: vision -> indicator -> mid-term plan -> what is carried out; a step may be left out, none is taken back
PLAN_HAS_ITS_PLACE = """
create function plan_has_its_place() returns trigger language plpgsql as $$
declare
    ranks constant text[] := array['pledge_vision', 'pledge_indicator', 'mid_term'];
    above text;
begin
    if new.parent_id is not null then
        select kind into above from plan where id = new.parent_id;
        if above = 'pledge_vision' and new.kind <> 'pledge_indicator'
            or above = 'pledge_indicator' and new.kind in ('pledge_vision', 'pledge_indicator')
            or above = 'mid_term' and new.kind = any(ranks)
            or not above = any(ranks)
        then
            raise exception 'a % stands below no %', new.kind, above
                using errcode = 'check_violation', constraint = 'ck_plan_has_its_place';
        end if;
    end if;
    if tg_op = 'UPDATE' and new.kind <> old.kind and exists (select from plan where parent_id = new.id) then
        raise exception 'plan % has plans below it and stays a %', new.id, old.kind
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
    op.drop_index(op.f("ix_audit_entry_subject"), "audit_entry")
    op.drop_column("plan", "last_year")
