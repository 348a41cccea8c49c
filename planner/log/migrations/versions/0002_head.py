"""Note the end of the log beside the commits, so that commits cut off the end are missed.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; an existing log ends where its last commit does."""
    op.create_table(
        "log_head",
        sa.Column("singleton", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("singleton", name="pk_log_head"),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_log_head_one_row")),
    )
    op.execute(
        "INSERT INTO log_head (singleton, position, digest, time_ms) "
        "SELECT 1, position_last, digest, time_ms FROM commits "
        "WHERE position_last = (SELECT max(position_last) FROM commits)"
    )
    op.execute(
        "INSERT INTO log_head (singleton, position, digest, time_ms) "
        "SELECT 1, 0, genesis, 0 FROM log_identity WHERE NOT EXISTS (SELECT 1 FROM log_head)"
    )


def downgrade() -> None:
    """Take back, keeping every commit."""
    op.drop_table("log_head")
