"""The tables of a log in a database. Change them together with a new migration."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: Final = MetaData(naming_convention=NAMING)

# SQLite keeps a table in the order of its key only when the key's type is spelled INTEGER.
POSITION: Final = BigInteger().with_variant(Integer(), "sqlite")

commits: Final = Table(
    "commits",
    metadata,
    # Only the last position is the key, because a reader asks for what ends after a position.
    Column("position_last", POSITION, primary_key=True, autoincrement=False),
    Column("position_first", BigInteger, nullable=False),
    Column("stream_kind", Text, nullable=False),
    Column("stream_name", Text, nullable=False),
    Column("expected_version", BigInteger, nullable=False),
    Column("commit_id", LargeBinary, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    # Last, because SQLite reads a row from its beginning: headers are read without payloads.
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("position_first"),
    UniqueConstraint("commit_id"),
    # Two commits never follow the same version, even if a writer came past the lock.
    UniqueConstraint("stream_kind", "stream_name", "expected_version"),
    Index(None, "time_ms"),
)

log_identity: Final = Table(
    "log_identity",
    metadata,
    Column("singleton", SmallInteger, primary_key=True, autoincrement=False),
    Column("log_id", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("genesis", LargeBinary, nullable=False),
    CheckConstraint("singleton = 1", name="one_row"),
)

# Writers take turns by locking this row, and it tells when the last commits were cut off.
log_head: Final = Table(
    "log_head",
    metadata,
    Column("singleton", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    CheckConstraint("singleton = 1", name="one_row"),
)
