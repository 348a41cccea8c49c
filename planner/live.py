"""The Python API of live clusters: plans carried out, and the way back.

As in `planner.api`, what is given is in the published JSON shapes.
"""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec

from planner import runs
from planner.apply.journal import Journal
from planner.apply.policy import Policy
from planner.core import Plan
from planner.model.clock import SystemClock
from planner.model.progress import Progress
from planner.model.request import UpgradeRequest
from planner.observe.doors import doors_of
from planner.runs import World

if TYPE_CHECKING:
    from planner.api import Log

__all__ = ["Live", "Policy", "apply", "dry_run", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Live clusters, and how a run on them is watched and stopped.

    Attributes:
        clusters: contexts of a kubeconfig by the names that the clusters have in the log.
        kubeconfig: its file; by default that of kubectl.
        observes: whether the clusters are observed meanwhile; otherwise a `planner observe` does.
        waits_at_gates: whether it waits for approvals; otherwise the run stops there.
        tell: is told what happens, the same thing once, in the shape of `planner schema progress`.
        stop: set by whoever wants the run to be interrupted.
    """

    clusters: Mapping[str, str]
    kubeconfig: str | Path | None = None
    observes: bool = True
    waits_at_gates: bool = False
    tell: Callable[[dict[str, Any]], None] = lambda _: None
    stop: Event = field(default_factory=Event)


def apply(
    log: "Log",
    plan: Plan,
    live: Live,
    *,
    policy: Policy | None = None,
    request: UpgradeRequest | None = None,
) -> dict[str, Any]:
    """Carry a plan out on live clusters, or go on with its run; see `planner apply`.

    Args:
        log: the log that the plan was made from and that keeps it.
        plan: the plan.
        live: the clusters.
        policy: of a run that begins, for example `planner.Policy.asked(failures="1%")`.
        request: the request of the plan, where it brings whole manifests.

    Returns:
        How the run ended, in the shape of the event `ended` of `planner schema progress`.

    Raises:
        UsageError: another run is under way, or a cluster of the plan is not among these.
        LeaseLostError: another executor has taken the run over.
        RunError: a cluster refuses what the plan needs.
        ClusterError: a cluster is away for too long.
    """
    world = _world(log, live, plan, request)
    by = getpass.getuser()
    journal = runs.begin_run(log.events, plan, policy or Policy(), by, world)
    return _carried_out(log, journal, world, live)


def dry_run(log: "Log", plan: Plan, live: Live, *, request: UpgradeRequest | None = None) -> int:
    """Check rights and let the servers try every write of a plan, keeping nothing.

    Gives how many moves they would not take now, as a budget has no room for their pods.

    Raises:
        RunError: a right is missing, or a cluster would refuse a write.
        UsageError: a cluster of the plan is not among these.
    """
    return runs.try_out(log.events, plan, _world(log, live, plan, request), Policy())


def rollback(
    log: "Log", live: Live, run: str | None = None, *, policy: Policy | None = None
) -> dict[str, Any]:
    """Bring back what was there before a run, which is aborted if it is not over.

    Gives and raises what `apply` does; without `run` it is the one that is not over.

    Raises:
        InfeasibleError: no plan leads back.
    """
    by = getpass.getuser()
    journal = runs.find_run(log.events, run)
    world = _world(log, live)
    plan = runs.plan_back(log.events, journal, world, by)
    back = runs.begin_run(log.events, plan, policy or Policy(), by, world)
    return _carried_out(log, back, world, live)


def _carried_out(log: "Log", journal: Journal, world: World, live: Live) -> dict[str, Any]:
    ending = runs.carry_out(log.events, journal, world, waits_at_gates=live.waits_at_gates)
    return _read(runs.how_it_ended(log.events, journal, ending))


def _world(
    log: "Log", live: Live, plan: Plan | None = None, request: UpgradeRequest | None = None
) -> World:
    last: list[Progress] = []

    def tell(event: Progress) -> None:
        if last != [event]:
            last[:] = [event]
            live.tell(_read(event))

    return World(
        open_log=log.again,
        connect=lambda: doors_of(live.clusters, Path(live.kubeconfig) if live.kubeconfig else None),
        clock=SystemClock(),
        stop=live.stop,
        tell=tell,
        hear=lambda _: None,
        snapshots=None,
        manifests=runs.manifests_of(log.events, plan, request) if plan else {},
        observes=live.observes,
    )


def _read(event: object) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    return read
