"""Make the table of commits and the identity of the log.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op

from planner.errors import LogSchemaError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "commits",
        sa.Column(
            "position_last",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("position_first", sa.BigInteger(), nullable=False),
        sa.Column("stream_kind", sa.Text(), nullable=False),
        sa.Column("stream_name", sa.Text(), nullable=False),
        sa.Column("expected_version", sa.BigInteger(), nullable=False),
        sa.Column("commit_id", sa.LargeBinary(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position_last", name="pk_commits"),
        sa.UniqueConstraint("position_first", name="uq_commits_position_first"),
        sa.UniqueConstraint("commit_id", name="uq_commits_commit_id"),
        sa.UniqueConstraint(
            "stream_kind",
            "stream_name",
            "expected_version",
            name="uq_commits_stream_kind_stream_name_expected_version",
        ),
    )
    op.create_index("ix_commits_time_ms", "commits", ["time_ms"])
    op.create_table(
        "log_identity",
        sa.Column("singleton", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("log_id", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("singleton", name="pk_log_identity"),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_log_identity_one_row")),
    )


def downgrade() -> None:
    """Take back, but only when nothing is lost: below this revision nothing can hold commits."""
    held = op.get_bind().execute(sa.text("SELECT count(*) FROM commits")).scalar_one()
    if held:
        raise LogSchemaError(
            f"the log holds {held} commits, which would be lost; "
            "to be rid of the log, drop its database"
        )
    op.drop_table("log_identity")
    op.drop_index("ix_commits_time_ms", "commits")
    op.drop_table("commits")
