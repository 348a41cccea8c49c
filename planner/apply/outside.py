"""What an executor needs of the world, as arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planner import core
from planner.apply.course import Place
from planner.apply.levers.held import Object
from planner.kube.cluster import Cluster
from planner.log import EventLog
from planner.model.clock import Clock
from planner.model.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world.

    Attributes:
        log: holds plans and runs.
        doors: to every cluster of the plan.
        clock: stamps, and makes pods available.
        look: gives the fleet as the log has it now, and raises what keeps it from being observed.
        load: reads a plan from the log.
        replan: plans a request (JSON, its manifests redacted) for a fleet, and keeps the plan.
        wait: lets seconds go by, or fewer when something was appended; True when it is time to end.
        tell: is told what happened.
        manifests: whole manifests as people wrote them, by workload.
    """

    log: EventLog
    doors: Mapping[str, Cluster]
    clock: Clock
    look: Callable[[], core.Fleet]
    load: Callable[[str], core.Plan]
    replan: Callable[[core.Fleet, Mapping[str, Any]], core.Plan | None]
    wait: Callable[[float], bool]
    tell: Callable[[Progress], None]
    manifests: Mapping[Place, Object] = field(default_factory=dict)
