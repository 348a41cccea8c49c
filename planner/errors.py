"""Every exception of the project.

PlannerError
├── UsageError             what was asked for is not possible to ask for
│   └── RequestError       a request that does not say what it means
├── InputError             recorded input that cannot be used
└── InfeasibleError        no plan exists
"""

from collections.abc import Sequence


class PlannerError(Exception):
    """The root: a message of one line that names the thing and the remedy.

    `exit_code` is what the command line ends with.
    """

    exit_code = 1


class UsageError(PlannerError):
    """A command, an option or a file that says something we cannot do."""

    exit_code = 64


class RequestError(UsageError):
    """An upgrade request that is not valid.

    `source` is the file, `path` the place in it (`spec.budgets[0].scope`; empty: the whole),
    `line` its line from 1 when known.
    """

    def __init__(self, source: str, path: str, message: str, line: int | None = None) -> None:
        at = source if line is None else f"{source}:{line}"
        super().__init__(": ".join(part for part in (at, path, message) if part))
        self.source = source
        self.path = path
        self.message = message
        self.line = line


class InputError(PlannerError):
    """Recorded input that cannot be used.

    `offset` counts bytes from 0 in what `message` speaks of (the compressed file when it does not
    unpack, else the unpacked text); None where no single byte is to blame.
    """

    def __init__(self, source: str, offset: int | None, message: str) -> None:
        at = source if offset is None else f"{source}: byte {offset}"
        super().__init__(f"{at}: {message}")
        self.source = source
        self.offset = offset
        self.message = message


class InfeasibleError(PlannerError):
    """No plan exists; `conflict` names a smallest set of things that cannot all hold."""

    exit_code = 3

    def __init__(self, message: str, conflict: Sequence[str]) -> None:
        super().__init__(message)
        self.conflict = tuple(conflict)
