"""Why somebody is away is encrypted: it may speak of their health or their family"""

from migrations.encryption import decrypt, encrypt

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    encrypt("absence", "reason")


def downgrade() -> None:
    decrypt("absence", "reason", 200)
