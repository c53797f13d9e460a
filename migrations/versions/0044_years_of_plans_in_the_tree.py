"""A mid-term plan has a last year, nothing else has, and its years hold what stands below it"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

#: a mid-term plan that was entered without a last year ends with the last of the plans below it
REPAIRS = (
    """
    update plan as p set last_year = greatest(
        p.roc_year, (select max(below.roc_year) from plan as below where below.parent_id = p.id)
    )
    where p.kind = 'mid_term' and p.last_year is null
    """,
    "update plan set last_year = null where kind <> 'mid_term' and last_year is not null",
    # numbers that were typed full-width, where nothing else has the number
    """
    update register_entry as e set case_no = normalize(e.case_no, nfkc)
    where e.case_no is not nfkc normalized and not exists (
        select from register_entry as o
        where o.register_id = e.register_id and o.id <> e.id
            and normalize(o.case_no, nfkc) = normalize(e.case_no, nfkc)
    )
    """,
)
BEFORE = """
create or replace function plan_has_its_place() returns trigger language plpgsql as $$
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
PLAN_HAS_ITS_PLACE = """
create or replace function plan_has_its_place() returns trigger language plpgsql as $$
begin
    if exists (
        select from plan as p
        where p.id = new.parent_id and not plan_may_stand_below(new.kind, p.kind)
            or p.parent_id = new.id and not plan_may_stand_below(p.kind, new.kind)
    ) then
        raise exception 'plan % does not stand in the order of the tree', new.code
            using errcode = 'check_violation', constraint = 'ck_plan_has_its_place';
    end if;
    if exists (
        select from plan as p
        where p.kind = 'mid_term' and p.id = new.parent_id and new.roc_year not between p.roc_year and p.last_year
            or new.kind = 'mid_term' and p.parent_id = new.id
                and p.roc_year not between new.roc_year and new.last_year
    ) then
        raise exception 'plan % is not of the years of its mid-term plan', new.code
            using errcode = 'check_violation', constraint = 'ck_plan_is_of_the_years_above';
    end if;
    if new.kind <> 'mid_term' and exists (select from score_heading as h where h.mid_term_id = new.id) then
        raise exception 'goals of score tables name the mid-term plan %', new.code
            using errcode = 'check_violation', constraint = 'ck_plan_is_what_goals_name';
    end if;
    return new;
end $$
"""


def _watch(columns: str) -> None:
    op.execute("drop trigger plan_has_its_place on plan")
    op.execute(
        f"create trigger plan_has_its_place before insert or update of {columns} on plan "
        "for each row execute function plan_has_its_place()"
    )


def upgrade() -> None:
    for repair in REPAIRS:
        op.execute(repair)
    op.create_check_constraint(
        op.f("ck_plan_mid_term_has_a_last_year"), "plan", "(kind = 'mid_term') = (last_year is not null)"
    )
    op.execute(PLAN_HAS_ITS_PLACE)
    _watch("parent_id, kind, roc_year, last_year")


def downgrade() -> None:
    _watch("parent_id, kind")
    op.execute(BEFORE)
    op.drop_constraint(op.f("ck_plan_mid_term_has_a_last_year"), "plan")
