"""A move of the plan, how far it has come, and what is asked of it while it is carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.simulate.budgets import Budget
from planner.simulate.cluster import Key
from planner.simulate.controllers import min_ready_of
from planner.simulate.drains import Drains, is_on_delete
from planner.simulate.rates import Place
from planner.simulate.rules.pods import container_statuses, images_of
from planner.simulate.slots import Slot
from planner.simulate.wanted import Move, awaited_images, container_names, workload_key


@dataclass(slots=True, eq=False, repr=False)
class Planned:
    """A move, the place of its pod, and why it was not let go when it was due.

    `leaves`: it takes its pod off a drained node; `drain`: by an eviction for that alone.
    `let_go_ms`, `back_ms`: milliseconds from the beginning of the run.
    """

    move: Move
    slot: Slot
    workload: Key
    application: bool
    sidecars: bool
    min_ready_s: int
    leaves: bool = False
    drain: bool = False
    let_go: bool = False
    let_go_ms: int = 0
    back: bool = False
    back_ms: int = 0
    held_by: str = ""

    @property
    def place(self) -> Place:
        """The cluster and the workload."""
        return self.move["cluster"], self.workload

    @property
    def only_leaves(self) -> bool:
        """Whether its pod leaves its node and comes back with the same application."""
        return self.drain and not self.application


def planned_move(move: Move, slot: Slot, drains: Drains) -> Planned:
    """A move that was not let go yet; its place is told what is expected of it."""
    key = workload_key(move)
    workload = slot.cluster.objects[key]
    its = container_names(workload["spec"]["template"])
    own = move["containers"].keys() & its
    drain = drains.evict(move, workload)
    slot.named = True
    if drains.nodes:
        slot.awaited = awaited_images(slot.pod, move, its)
    # An eviction for the node needs no levers; those of OnDelete let nobody go by themselves.
    levers = move["kind"] != "in-place" and (not drain or is_on_delete(workload))
    return Planned(
        move=move,
        slot=slot,
        workload=key,
        application=bool(own) or levers,
        sidecars=move["kind"] == "in-place" and bool(move["containers"].keys() - its),
        min_ready_s=min_ready_of(workload),
        leaves=drains.leaves(move),
        drain=drain,
    )


def places_of(header: Mapping[str, Any]) -> list[Place]:
    """The workloads of a plan, in their order."""
    return [
        (each["cluster"], Key(each["kind"], each["namespace"], each["name"]))
        for each in header["workloads"]
    ]


def dependencies(
    header: Mapping[str, Any],
) -> dict[Place, list[tuple[str, Place, int]]]:
    """By workload: name, workload waited for, and how many of its moves have to be done."""
    places = places_of(header)
    after: dict[Place, list[tuple[str, Place, int]]] = {}
    for each in header.get("dependencies", ()):
        waits = after.setdefault(places[each["after"]], [])
        waits.append((each["name"], places[each["before"]], each["moves"]))
    return after


def claim(planned: Planned, claimed: dict[int, int]) -> str:
    """Take one place of every budget of a move; or none, and name the one that is full."""
    slot = planned.slot
    if planned.move["kind"] == "surge" or not slot.up:
        return ""
    budgets = [each for each in slot.budgets if isinstance(each, Budget)]
    for each in budgets:
        if not each.has_room(claimed.get(id(each), 0)):
            return f"budget {each.name}"
    for each in budgets:
        claimed[id(each)] = claimed.get(id(each), 0) + 1
    return ""


def runs(pod: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether the wanted images are in the spec and run."""
    images, statuses = images_of(pod), container_statuses(pod)
    return all(
        statuses.get(name, {}).get("image") == image
        for name, image in wanted.items()
        if images.get(name, image) == image and name in images
    ) and all(images.get(name, image) == image for name, image in wanted.items())
