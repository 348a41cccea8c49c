"""Rust core of the planner: pure functions over columns. No clock, no I/O; chance is a seed."""

import builtins
from collections.abc import Iterable, Sequence
from typing import Any, Final, final

__all__ = [
    "BUILD_PROFILE",
    "CODEC",
    "Batch",
    "Bottlenecks",
    "Feed",
    "Fleet",
    "Intake",
    "Plan",
    "Pods",
    "Project",
    "Schedule",
    "checkpoint",
    "compare",
    "diff",
    "eta",
    "fold",
    "images",
    "lint",
    "plan",
    "redact",
    "solve",
    "status",
]

BUILD_PROFILE: Final[str]
"""`release` or `debug`; benches refuse the latter."""

CODEC: Final[str]
"""The codec of batches, for example `observations/1`."""

@final
class Intake:
    """Collects what was recorded of one cluster: lists, single objects, watch events.

    Pods become typed columns, other objects redacted JSON documents; what could hold a secret is
    replaced by a digest keyed with `salt`.
    """

    def __new__(cls, *, salt: bytes, partial: bool = False) -> Intake:
        """Make an empty intake.

        Args:
            salt: 32 bytes, the same for one log always, so that equal secrets stay equal.
            partial: what lists do not mention is not gone.
        """

    def add(self, source: str, text: bytes) -> None:
        """Take the text of a source: JSON documents one after the other.

        Raises:
            InputError: with the byte offset in `text`; the intake is not to be used any more.
        """

    def finish(self) -> list[Batch]:
        """Give everything as batches of at most 65,536 rows.

        Raises:
            InputError: a list is not complete.
        """

    @property
    def skipped(self) -> dict[str, int]:
        """Objects that the planner does not use, by kind."""

@final
class Feed:
    """Collects what a live cluster sends, in the order in which it came.

    Rows are those of an `Intake`, but a list may begin in one feed and end in a later one.
    """

    def __new__(cls, *, salt: bytes) -> Feed:
        """Make an empty feed.

        Args:
            salt: 32 bytes, the same for one log always, so that equal secrets stay equal.
        """

    def add(self, source: str, text: bytes, *, time_ms: int, begins: bool = False) -> None:
        """Take a page of a list, events of a watch, or the answer of `/version`.

        Args:
            source: what errors call it.
            text: as the API server sent it.
            time_ms: when it came, milliseconds UTC.
            begins: a page is the first of its list.

        Raises:
            InputError: with the byte offset in `text`; the feed is not to be used any more.
        """

    def finish(self) -> list[Batch]:
        """Give everything as batches of at most 65,536 rows."""

    @property
    def skipped(self) -> dict[str, int]:
        """Objects that the planner does not use, by kind."""

@final
class Batch:
    """Observations of one cluster as columns; what a commit of the log holds."""

    @classmethod
    def from_bytes(cls, payload: bytes) -> Batch:
        """Read a payload.

        Raises:
            CodecError: it is damaged or of another codec.
        """

    def to_bytes(self) -> bytes:
        """Write a payload: an Arrow IPC stream with zstd, then a checksum."""

    def slice(self, begin: int, count: int) -> Batch:
        """Give `count` rows from `begin` on (fewer at the end), without a copy."""

    def rows(self) -> list[dict[str, Any]]:
        """Give every row as a dictionary of its columns that are present."""

    def counts(self) -> dict[str, int]:
        """Count the objects observed, by resource."""

    def reached(self) -> dict[str, tuple[int, bool]]:
        """Tell up to which resourceVersion each resource is known after this batch.

        Only for batches of a `Feed`. 0 while a list is open. The second value says whether the
        batch shows by itself that none is; otherwise the batches before it decide.
        """

    def listed(self) -> list[str]:
        """Give the resources whose lists were completed."""

    @property
    def time_last_ms(self) -> int:
        """Time of the newest event, milliseconds UTC."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Hand the columns to any reader of Arrow, without a copy."""

@final
class Fleet:
    """Everything known of every cluster at one position of the log. Immutable."""

    @classmethod
    def empty(cls) -> Fleet:
        """Give the fleet before the first event."""

    @classmethod
    def from_bytes(cls, snapshot: builtins.bytes) -> Fleet:
        """Read a snapshot.

        Raises:
            CodecError: it is damaged or of another version.
        """

    def to_bytes(self) -> builtins.bytes:
        """Write a snapshot."""

    @property
    def position(self) -> int:
        """The last position that was folded in."""

    @property
    def now_ms(self) -> int:
        """Time of the newest event, milliseconds UTC."""

    @property
    def memory_bytes(self) -> int:
        """Memory that the columns take."""

    def after(self, plan: Plan, *, waves: int) -> Fleet:
        """Suppose that the first waves of a plan are done: their pods run what they were moved to.

        Pods keep their names, nodes and revisions, and workloads their templates.

        Raises:
            UsageError: the plan moves a pod that is not there.
        """

    def pods(self) -> Pods:
        """Give the pods that exist as a table."""

    def cluster_digest(self, cluster: str) -> builtins.bytes | None:
        """Give a digest of what exists in a cluster; None when nothing was ever seen of it."""

    def digest(self) -> builtins.bytes:
        """Give a digest of the content, the position and the time, not of the order of pods."""

@final
class Pods:
    """The pods of a fleet as columns; see the columns of a batch."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Hand the columns to any reader of Arrow, without a copy."""

@final
class Plan:
    """A plan: a header and a table of moves. Immutable."""

    @classmethod
    def from_bytes(cls, file: bytes) -> Plan:
        """Read a plan's file.

        Raises:
            UsageError: it is not a plan.
        """

    def to_bytes(self) -> bytes:
        """Write the plan as an Arrow IPC file whose schema keeps the header."""

    @property
    def id(self) -> str:
        """Names the content: 16 hexadecimal characters."""

    def header(self) -> bytes:
        """Give the header as JSON."""

    def jsonl(self, begin: int, count: int) -> bytes:
        """Give at most `count` moves from `begin` on, one line of JSON each."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Hand the moves to any reader of Arrow, without a copy."""

@final
class Bottlenecks:
    """The problem of a plan, and every unit more of something that may save it something."""

    def __new__(
        cls, fleet: Fleet, request: bytes, *, durations: bytes, calendars: bytes
    ) -> Bottlenecks:
        """Pose and solve the problem of a request; the arguments are those of `plan`."""

    def head(self) -> bytes:
        """Give the schedule in figures, and what is not to be tried and why, as JSON."""

    def solve(self, begin: int, count: int) -> bytes:
        """Solve again with each of `count` units from `begin` on; a JSON list of the savings."""

    def __len__(self) -> int:
        """Count the units that can be tried; the most promising come first."""

def fold(fleet: Fleet, events: Iterable[tuple[str, int, Batch]]) -> Fleet:
    """Fold batches into a fleet, one after the other.

    Args:
        fleet: stays as it is.
        events: cluster, position of the first row, and rows, in the order of the log.

    Raises:
        ObservationError: a position comes twice or out of order.
    """

def redact(document: bytes, salt: bytes) -> bytes:
    """Redact an object (JSON) as observed objects are redacted."""

def checkpoint(fleet: Fleet, request: bytes, question: bytes, *, now_ms: int) -> bytes:
    """Tell what a run of a plan has to know before its next step, as JSON.

    Args:
        fleet: as observed.
        request: canonical JSON of an UpgradeRequest, its manifests redacted.
        question: JSON of a `planner.apply.checkpoint.Question`.
        now_ms: milliseconds UTC; pods become available without an event.
    """

def images(fleet: Fleet) -> bytes:
    """Tell what the template of every workload and SidecarSet runs, as JSON.

    A list of ((cluster, namespace, kind, name), image by container).
    """

def status(fleet: Fleet) -> bytes:
    """Tell what the fleet looks like and what is wrong with it, as JSON."""

def compare(before: Plan, after: Plan) -> bytes:
    """Tell what became different from one plan to another, as JSON.

    The shape is `planner.model.plan_diff.PlanDiff`, but for what the requests ask otherwise.

    Raises:
        UsageError: a header cannot be read.
    """

def diff(fleet: Fleet, request: bytes) -> bytes:
    """Tell what would have to change, as JSON.

    Args:
        fleet: as observed.
        request: canonical JSON of an UpgradeRequest, its manifests redacted.
    """

def eta(
    fleet: Fleet,
    plan: Plan,
    *,
    spreads: bytes,
    durations: bytes,
    calendars: bytes,
    samples: int,
    seed: int,
) -> bytes:
    """Draw so many times how long a plan takes, as JSON.

    The same arguments give the same bytes. The shape is that of `planner.model.eta.Drawn`.

    Args:
        fleet: that the plan was made for.
        plan: of this fleet.
        spreads: what is known of how long moves take, as `planner.apply.learnt` gives it.
        durations: what `plan` was given; read where it streams, as is the next.
        calendars: see there.
        samples: how many times.
        seed: of the draws.

    Raises:
        UsageError: the plan was not made for this fleet.
    """

def lint(fleet: Fleet, request: bytes) -> bytes:
    """Tell what of a request does nothing in a fleet or blocks too much, as a JSON list.

    The shape is that of `planner.model.lint.Finding`; the arguments are those of `plan`.
    """

def plan(
    fleet: Fleet,
    request: bytes,
    *,
    log_digest: str,
    version: str,
    durations: bytes,
    calendars: bytes,
    warnings: list[str],
    strict: bool,
    starts: int,
    allowances: bytes,
) -> Plan:
    """Plan a request. The same arguments give the same bytes.

    Args:
        fleet: as observed.
        request: canonical JSON of an UpgradeRequest, its manifests redacted.
        log_digest: chain digest at the fleet's position, in hexadecimal.
        durations: milliseconds of a move by its kind, by workload (`cluster/namespace/kind/name`),
            as runs before saw them: a JSON object of objects.
        calendars: what the request says of time, as `planner.plan.calendars` lays it out; `{}` for
            nothing.
        version: of the planner.
        warnings: put before those of the plan.
        strict: no plan when a pod that differs cannot move.
        starts: how often the search for a short plan begins: 0 for a quick one, 1 as a rule. Never
            is a plan longer with more of them.
        allowances: limits of budgets that are supposed, whatever the clusters say: a JSON list of
            `{"name": "pdb/trade/cart", "cluster": null, "limit": {"by": 1}}` (or `{"to": 5}`).

    Raises:
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """

@final
class Project:
    """Activities that take time over resources of constant capacity, checked.

    The resource-constrained project scheduling problem: none starts before those that precede it
    are finished, and at no time do those under way demand more of a resource than its capacity.
    """

    def __new__(
        cls,
        *,
        durations: Sequence[int],
        demands: Sequence[int],
        capacities: Sequence[int],
        before: Sequence[int],
        after: Sequence[int],
    ) -> Project:
        """Make a project of columns.

        Args:
            durations: of each activity, in units of your choice; their sum is less than 2^30.
            demands: from each resource, of the first activity, then of the second, and so on.
            capacities: of each resource.
            before: of each precedence the activity that goes first, counted from 0.
            after: of each precedence the activity that waits for it.

        Raises:
            UsageError: activities in a circle, a demand above the capacity, no such activity.
        """

    def __len__(self) -> int:
        """Return how many activities there are."""

@final
class Schedule:
    """When each activity of a project starts, and how good that is."""

    @property
    def starts(self) -> list[int]:
        """Of each activity, in units of time from the beginning."""

    @property
    def makespan(self) -> int:
        """The last finish."""

    @property
    def bound(self) -> int:
        """No schedule is shorter."""

    @property
    def schedules(self) -> int:
        """How many schedules were made: every pass over all activities, forward or backward."""

def solve(projects: Sequence[Project], *, schedules: int, seed: int) -> list[Schedule]:
    """Schedule projects, as short as at most so many schedules of each allow.

    The same project, number and seed give the same; a larger number never gives a longer one.
    Projects are solved side by side, each on one thread, detached from the interpreter.
    """
