"""An effect that is written is handed to the job engine by the database.

`hand_over` writes what the engine's own `procrastinate_defer_jobs_v1` writes, without its arrays of composite values:
it runs three times in every submission. A release of the engine that changes the table brings a migration that
changes this function too; `tests/integration/jobs` compares the two.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create function hand_over(effect_id bigint) returns void language sql as $$
            insert into procrastinate_jobs (queue_name, task_name, priority, args)
            values ('effects', 'perform', 0, jsonb_build_object('effect_id', effect_id))
        $$
        """
    )
    op.execute(
        """
        create function hand_over_effect() returns trigger language plpgsql as $$
        begin
            perform hand_over(new.id);
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger handed_over after insert on effect for each row execute function hand_over_effect()"
    )


def downgrade() -> None:
    op.execute("drop trigger handed_over on effect")
    op.execute("drop function hand_over_effect()")
    op.execute("drop function hand_over(bigint)")
