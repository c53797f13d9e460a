"""Who stands for a company, and by what right somebody acts for the applicant"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CHECKS = {
    "relation_of_a_representative": "relation is null or role = 'representative'",
    "relation_is_known": "relation in ('entrusted','parent','guardian')",
    "responsible_for_a_company": "responsible is null or role = 'company'",
}


def upgrade() -> None:
    op.add_column("party", sa.Column("responsible", sa.LargeBinary(), nullable=True))
    op.add_column("party", sa.Column("relation", sa.String(20), nullable=True))
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_party_{name}"), "party", condition)


def downgrade() -> None:
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_party_{name}"), "party")
    op.drop_column("party", "relation")
    op.drop_column("party", "responsible")
