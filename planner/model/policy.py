"""How an upgrade request wants its target to be reached: order, budgets, stages, exceptions."""

from typing import Annotated, Literal

import msgspec

from planner.model.scalars import DURATION_PATTERN, PERCENT_PATTERN
from planner.model.selector import Selector
from planner.model.target import WorkloadRef
from planner.model.value import Text, Value

ALL = "100%"
NO_TIME = "0s"
Scope = Literal["node", "zone", "workload", "namespace", "cluster", "fleet"]
Percent = Annotated[
    str,
    msgspec.Meta(description="a whole percentage", extra_json_schema={"pattern": PERCENT_PATTERN}),
]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Duration = Annotated[
    str,
    msgspec.Meta(
        description="hours, minutes, seconds and milliseconds, like 1h30m",
        extra_json_schema={"pattern": DURATION_PATTERN},
    ),
]


class Dependency(Value, frozen=True, kw_only=True):
    """`workload` moves when `ready` of the pods of each in `after` are at the target and healthy.

    The percentage is rounded up.
    """

    workload: WorkloadRef
    after: Annotated[tuple[WorkloadRef, ...], msgspec.Meta(min_length=1)]
    ready: Percent = ALL

    def __post_init__(self) -> None:
        _settle(self, "ready", ALL)


class Budget(Value, frozen=True, kw_only=True):
    """How many of the pods that match may be down at once, in each part of the fleet.

    Without `selector` all pods match. A percentage of the matching pods is rounded down.
    """

    name: Text
    selector: Selector | None = None
    scope: Scope = "fleet"
    max_unavailable: Count | Percent


class Phase(Value, frozen=True, kw_only=True):
    """Pods of which all that is given holds: their cluster, namespace, zone, and labels."""

    name: Text
    cluster: Text | None = None
    namespace: Text | None = None
    zone: Text | None = None
    selector: Selector | None = None


class Sequence(Value, frozen=True, kw_only=True):
    """Pods that go one phase after the other, in each part of the fleet by itself.

    With `each` the nodes, zones or clusters are the phases, by name. With `phases` a pod is of the
    first that it matches, and those that match none come after all. When `drained`, only pods
    that leave drained nodes are of it.
    """

    name: Text
    scope: Scope = "fleet"
    each: Literal["node", "zone", "cluster"] | None = None
    phases: tuple[Phase, ...] = ()
    drained: bool = False


class Gang(Value, frozen=True, kw_only=True):
    """Pods that move together: those of one namespace with the same value of a label are a gang.

    Of the pods that match `selector`, or of all without it. A pod is of the first entry that it
    matches and whose label it has.
    """

    name: Text
    label_key: Text
    selector: Selector | None = None


PerSecond = Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class Rate(Value, frozen=True, kw_only=True):
    """How fast API servers may be written to, or images be pulled from a registry.

    With `writes_per_second` the API server of `cluster`, or of each, by itself: a move is one
    write, and of several that name a cluster the slowest holds. With `pulls_per_second` nodes of
    `cluster`, or of all together, pull from `registry`: a host, with its port; `docker.io` where
    images name none. All of these hold.
    """

    name: Text
    cluster: Text | None = None
    writes_per_second: PerSecond | None = None
    registry: Text | None = None
    pulls_per_second: PerSecond | None = None


class Stage(Value, frozen=True, kw_only=True):
    """A part of each workload's moves, counted from its first; a percentage is rounded up.

    After the stage the workload rests for `soak`, and for a person's approval if required.
    """

    name: Text
    per_workload: Count | Percent
    soak: Duration = NO_TIME
    approval: Literal["required"] | None = None

    def __post_init__(self) -> None:
        _settle(self, "soak", NO_TIME)


class Exclusion(Value, frozen=True, kw_only=True):
    """Pods that do not move."""

    selector: Selector


def _settle(value: Value, field: str, default: str) -> None:
    """Let a field that was read hold the default itself where it says the same.

    msgspec leaves a default out when it is that very object, which text from a file never is.
    """
    if getattr(value, field) == default:
        msgspec.structs.force_setattr(value, field, default)
