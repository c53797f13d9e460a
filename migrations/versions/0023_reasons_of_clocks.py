"""Why a clock moved is encrypted, as the requests are that it comes from"""

from migrations.encryption import decrypt, encrypt

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    encrypt("clock_movement", "reason")


def downgrade() -> None:
    decrypt("clock_movement", "reason", 200)
