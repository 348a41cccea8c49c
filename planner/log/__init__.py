"""Append-only history of everything that was observed, planned and done.

`planner.log.open` opens a log in a database; SQLAlchemy lives only behind it.
"""

from planner.log.commit import Commit, CommitHeader, Head, NewCommit, Stream, StreamKind
from planner.log.identity import LogIdentity
from planner.log.protocol import EventLog, History

__all__ = [
    "Commit",
    "CommitHeader",
    "EventLog",
    "Head",
    "History",
    "LogIdentity",
    "NewCommit",
    "Stream",
    "StreamKind",
]
