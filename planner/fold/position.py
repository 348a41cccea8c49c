"""Which position of the log is meant by a position or a time."""

from datetime import datetime

from planner.errors import UsageError
from planner.log import History


def position_at(log: History, at: str | None) -> int:
    """Resolve `--at`: a position, or the last one that was appended by a time (ISO 8601).

    Raises:
        UsageError: it is neither, or lies behind the end of the log.
    """
    head = log.head().position
    if at is None:
        return head
    if at.isdecimal():
        if int(at) > head:
            raise UsageError(f"--at {at}: the log ends at position {head}")
        return int(at)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(
            f"--at {at}: neither a position nor a time such as 2026-11-11T00:00:00Z"
        ) from None
    if moment.tzinfo is None:
        raise UsageError(f"--at {at}: a time needs its zone, like 2026-11-11T00:00:00Z")
    return log.position_at(int(moment.timestamp() * 1000))
