"""What a course of events says about the plan."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from planner.model.simulation import (
    BudgetPeak,
    Exceeded,
    LostNode,
    NotAsPlanned,
    SimulatedDrain,
    SimulatedWave,
    Simulation,
)
from planner.model.simulation import Faults as ToldFaults
from planner.simulate.course import Course, WaveRun
from planner.simulate.pace import Faults
from planner.simulate.planned import Planned
from planner.simulate.slots import Slot, Way

# A kind of move, and the ways in which a pod may be taken for it: a new pod that is there before
# the old one goes disturbs less than was planned.
WAYS: Final[Mapping[str, tuple[Way, ...]]] = {
    "in-place": ("in-place",),
    "recreate": ("recreate", "surge"),
    "surge": ("surge",),
    "evict": ("recreate", "surge"),
    "delete": ("recreate",),
}


def report(header: Mapping[str, Any], course: Course, *, seed: int, faults: Faults) -> Simulation:
    """Compare what happened with the plan."""
    planned = course.planned
    as_planned = sum(_reason(each) == "" for each in planned)
    return Simulation(
        plan=header["id"],
        seed=seed,
        faults=ToldFaults(slow=faults.slow, fail=faults.fail, node_loss=faults.node_loss),
        moves=len(planned) + len(course.gone),
        moved=sum(each.slot.taken is not None for each in planned),
        in_wave=sum(_in_wave(each) for each in planned),
        in_kind=sum(_in_kind(each) for each in planned),
        as_planned=as_planned,
        gone=len(course.gone),
        faithful=as_planned / len(planned) if planned else 1.0,
        disrupted_twice=sum(slot.disruptions > 1 for slot in course.slots),
        waves=len(course.waves),
        planned_s=header.get("streaming", header)["seconds"],
        streams="streaming" in header or msgspec.UNSET,
        gates=msgspec.UNSET if course.gates is None else course.gates,
        seconds=course.end_ms / 1000,
        lost_nodes=tuple(_lost(course)),
        exceeded=tuple(_exceeded(course)),
        budgets=tuple(
            BudgetPeak(name=each.name, cluster=each.cluster, limit=each.limit, peak=each.peak)
            for each in course.budgets
            if each.peak
        ),
        not_as_planned=tuple(_not_as_planned(course)),
        per_wave=tuple(map(_wave, course.waves)),
        drains=tuple(_drains(course)) or msgspec.UNSET,
    )


def _wave(run: WaveRun) -> SimulatedWave:
    begin_ms = run.planned_begin_ms
    return SimulatedWave(
        wave=run.wave,
        start_s=run.begin_ms / 1000,
        planned_s=run.planned_s,
        seconds=(run.end_ms - run.begin_ms) / 1000,
        moves=run.moves,
        not_back=run.not_back,
        planned_start_s=msgspec.UNSET if begin_ms is None else begin_ms / 1000,
    )


def _in_wave(planned: Planned) -> bool:
    taken = planned.slot.taken
    return taken is not None and taken.wave == planned.move["wave"]


def _in_kind(planned: Planned) -> bool:
    taken = planned.slot.taken
    return taken is not None and taken.way in WAYS[planned.move["kind"]]


def _reason(planned: Planned) -> str:
    """Why a move did not go as planned; empty when it did."""
    if planned.back and planned.slot.left_before:
        in_place = planned.move["kind"] == "in-place"
        return (
            "was leaving, so that a new pod came instead of an update in place" if in_place else ""
        )
    if planned.slot.taken is None:
        return f"held: {planned.held_by}" if planned.held_by else "not taken by its controller"
    if not planned.back:
        return "did not come back"
    if not _in_wave(planned):
        return "taken in another wave" if planned.slot.taken.wave else "taken before it was let go"
    return "" if _in_kind(planned) else "taken in another way"


def _not_as_planned(course: Course) -> Iterator[NotAsPlanned]:
    for each in course.planned:
        if reason := _reason(each):
            yield _told(each.slot, reason, each.move["wave"], each.move["kind"])
    named = {id(each.slot) for each in course.planned}
    for slot in course.slots:
        if slot.taken is not None and id(slot) not in named:
            yield _told(slot, "moved without a place in the plan", None, None)


def _told(slot: Slot, reason: str, wave: int | None, kind: str | None) -> NotAsPlanned:
    metadata = slot.pod["metadata"]
    return NotAsPlanned(
        cluster=slot.cluster.name,
        namespace=metadata["namespace"],
        pod=metadata["name"],
        planned_wave=wave,
        planned_kind=kind,
        wave=slot.taken.wave or None if slot.taken else None,
        way=slot.taken.way if slot.taken else None,
        reason=reason,
    )


def _drains(course: Course) -> Iterator[SimulatedDrain]:
    for each in course.drained:
        yield SimulatedDrain(cluster=each.cluster, name=each.node, stays=each.stays, left=each.left)


def _lost(course: Course) -> Iterator[LostNode]:
    for wait_ms, name in course.lost:
        cluster, _, node = name.partition("/")
        yield LostNode(cluster=cluster, node=node, at_s=wait_ms / 1000)


def _exceeded(course: Course) -> Sequence[Exceeded]:
    found = [
        Exceeded(
            budget=each.name,
            cluster=each.cluster,
            limit=each.limit,
            down=down,
            wave=wave,
            at_s=(t_ms - course.begin_ms) / 1000,
        )
        for each in course.budgets
        for t_ms, wave, down in each.broken
    ]
    return sorted(found, key=lambda each: (each.at_s, each.budget))
