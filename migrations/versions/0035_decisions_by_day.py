"""The decisions of a ruleset in a period"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

BY_DAY, BY_REVISION = "ix_firing_ruleset_revision_id_as_of", "ix_firing_ruleset_revision_id"


def upgrade() -> None:
    op.create_index(BY_DAY, "firing", ["ruleset_revision_id", "as_of"])
    op.drop_index(op.f(BY_REVISION), "firing")


def downgrade() -> None:
    op.create_index(op.f(BY_REVISION), "firing", ["ruleset_revision_id"])
    op.drop_index(BY_DAY, "firing")
