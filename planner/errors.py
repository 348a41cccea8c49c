"""Every exception of the planner; each names the thing and the remedy.

PlannerError                 exit code 1
├── UsageError               64: the command line or the request cannot be used
│   └── RequestError         64: a request does not say what it means
├── InputError               1: something in a source cannot be used
├── ObservationError         1: observed rows contradict each other
├── InfeasibleError          3: no plan exists
├── NotInPlanError           1: a plan has no such thing
├── ClusterError             1: a cluster cannot be reached, or refuses
├── RunError                 1: a run cannot be carried out
│   ├── LeaseLostError       1: another executor has taken a run over
│   └── DriftError           5: a workload is not as the run left it
└── LogError                 1: the event log cannot be used
    ├── ConflictError        1: another writer was faster, or a commit id means two things
    ├── ChainBrokenError     6: the log does not hold what was appended
    ├── CodecError           1: a payload was written in a codec that this planner does not know
    └── LogSchemaError       1: the tables of the log are older or newer than this planner
"""

from collections.abc import Sequence
from typing import ClassVar


class PlannerError(Exception):
    """Anything that stops the planner and that a person can do something about."""

    exit_code: ClassVar[int] = 1


class UsageError(PlannerError):
    """The command line or the request cannot be used."""

    exit_code: ClassVar[int] = 64


class RequestError(UsageError):
    """An upgrade request that is not valid.

    Attributes:
        source: the file.
        path: the place in it, such as `spec.budgets[0].scope`; empty for the whole.
        message: what is wrong and what to do.
        line: its line from 1, None when it is not known.
    """

    def __init__(self, source: str, path: str, message: str, line: int | None = None) -> None:
        at = source if line is None else f"{source}:{line}"
        super().__init__(": ".join(part for part in (at, path, message) if part))
        self.source = source
        self.path = path
        self.message = message
        self.line = line


class InputError(PlannerError):
    """Something in a source cannot be used.

    Attributes:
        source: name of the file or cluster.
        offset: bytes from the beginning of the source, None where that says nothing.
        message: what is wrong and what to do.
    """

    def __init__(self, source: str, offset: int | None, message: str) -> None:
        super().__init__(source, offset, message)
        self.source = source
        self.offset = offset
        self.message = message

    def __str__(self) -> str:
        place = self.source if self.offset is None else f"{self.source}: byte {self.offset}"
        return f"{place}: {self.message}"


class ObservationError(PlannerError):
    """Observed rows that cannot be folded into a fleet."""


class InfeasibleError(PlannerError):
    """No plan exists.

    Attributes:
        reason: what cannot be done.
        conflict: a smallest set of rules that conflict, by name.
        remedy: what would help.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, reason: str, conflict: Sequence[str], remedy: str = "") -> None:
        super().__init__(reason, tuple(conflict), remedy)
        self.reason = reason
        self.conflict = tuple(conflict)
        self.remedy = remedy

    def __str__(self) -> str:
        rules = f"; these rules conflict: {'; '.join(self.conflict)}" if self.conflict else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.reason}{rules}{remedy}"


class NotInPlanError(PlannerError):
    """A plan has no such pod, workload, wave or budget."""


class ClusterError(PlannerError):
    """A cluster cannot be reached, or refuses.

    Attributes:
        status: of HTTP; 0 when there was no answer.
        reason: the machine-readable reason of the API server's `Status`, such as `Expired`.
        message: what is wrong.
        retry_after_s: how long the server wants to be left alone; 0 when it does not say.
    """

    def __init__(
        self, status: int, message: str, *, reason: str = "", retry_after_s: float = 0.0
    ) -> None:
        super().__init__(status, message, reason, retry_after_s)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.message} (HTTP {self.status})" if self.status else self.message


class RunError(PlannerError):
    """A run cannot be carried out."""


class LeaseLostError(RunError):
    """Another executor has taken the run over."""


class DriftError(RunError):
    """Somebody changed what the run works on."""

    exit_code: ClassVar[int] = 5


class LogError(PlannerError):
    """The event log cannot be used."""


class ConflictError(LogError):
    """Another writer was faster, or a commit id means two things; nothing was appended."""


class ChainBrokenError(LogError):
    """The log does not hold what was appended.

    Attributes:
        position: the first position that is affected; 0 is the log's own identity.
        message: what is wrong there.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, position: int, message: str) -> None:
        super().__init__(position, message)
        self.position = position
        self.message = message

    def __str__(self) -> str:
        return (
            f"the log is broken at position {self.position}: {self.message}; "
            "restore it from a backup"
        )


class CodecError(LogError):
    """A payload was written in a codec that this planner does not know."""


class LogSchemaError(LogError):
    """The tables of the log are older or newer than this planner."""
