"""Wherever the scheduler puts new pods, those that a plan surges at once all find a node."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.test_drains import node, on
from tests.test_quotas import app
from tests.test_shared_room import rooms
from tests.test_small_clusters import NEW, planned, pod
from tests.test_surge_room import asking, loose

if TYPE_CHECKING:
    import planner

Json = dict[str, Any]
GPU = "example.com/gpu"
POOLS = ("old", "new")


@dataclass(frozen=True)
class Workload:
    """A Deployment that surges: how many pods, of how many CPUs, GiB and devices, and where."""

    name: str
    pods: int
    asks: tuple[int, int, int]
    pool: str | None
    beyond: int
    """New pods that are there beside the old ones."""

    def items(self) -> list[Json]:
        """It and its pods, on a node that takes no others."""
        cpu, memory, devices = self.asks
        own = {"cpu": str(cpu), "memory": f"{memory}Gi", GPU: str(devices)}
        resources = {"requests": {name: text for name, text in own.items() if text[0] != "0"}}
        items = app(self.name, self.pods, resources)
        if self.pool:
            items[0]["spec"]["template"]["spec"]["nodeSelector"] = {"pool": self.pool}
        for at in range(self.beyond):
            newer = asking(pod(f"{self.name}-new-{at}", items[1]), resources)
            newer["spec"]["containers"][0]["image"] = NEW
            items.append(newer)
        return [on("full", each) if each["kind"] == "Pod" else each for each in items]


@dataclass(frozen=True)
class Place:
    """A node on which nothing is: CPUs, GiB, devices and pods."""

    pool: str
    free: tuple[int, int, int, int]

    def item(self, name: str) -> Json:
        cpu, memory, devices, pods = map(str, self.free)
        offers = {"cpu": cpu, "memory": f"{memory}Gi", GPU: devices, "pods": pods}
        return node(name, **{"pool": self.pool, **offers})


@st.composite
def workloads(draw: st.DrawFn, name: str) -> Workload:
    return Workload(
        name=name,
        pods=draw(st.integers(1, 4)),
        asks=(draw(st.integers(0, 4)), draw(st.integers(0, 2)), draw(st.sampled_from([0, 0, 1]))),
        pool=draw(st.sampled_from([None, None, *POOLS])),
        beyond=draw(st.sampled_from([0, 0, 0, 1, 2])),
    )


PLACES = st.builds(
    Place,
    pool=st.sampled_from(POOLS),
    free=st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 3), st.integers(0, 6)),
)
FLEETS = st.tuples(
    st.tuples(*map(workloads, ("cart", "pay", "web"))), st.lists(PLACES, min_size=1, max_size=3)
)


def plan_of(workloads: tuple[Workload, ...], places: list[Place], **spec: Any) -> planner.Plan:  # noqa: ANN401
    full = node("full", cpu="400", memory="400Gi", pods="400")
    full["spec"]["unschedulable"] = True
    nodes = (each.item(f"node-{at}") for at, each in enumerate(places))
    items = (item for each in workloads for item in each.items())
    with TemporaryDirectory() as folder:
        return planned(Path(folder), full, *nodes, *items, *loose(), **spec)


def finds_no_node(workloads: tuple[Workload, ...], places: list[Place], new: Counter[str]) -> bool:
    """Whether new pods can be put so that one of them finds no node: every way is tried."""

    def left(asks: tuple[int, int, int], free: tuple[int, ...]) -> tuple[int, ...] | None:
        of = [*asks, 1]
        short = any(own > 0 and own > room for own, room in zip(of, free, strict=True))
        return None if short else tuple(a - b for a, b in zip(free, of, strict=True))

    @cache
    def fails(state: tuple[tuple[int, ...], ...], left_over: tuple[int, ...]) -> bool:
        for index, count in enumerate(left_over):
            if not count:
                continue
            each = workloads[index]
            ways = []
            for at, free in enumerate(state):
                is_near = each.pool in (None, places[at].pool)
                after = left(each.asks, free) if is_near else None
                if after is not None:
                    ways.append((*state[:at], after, *state[at + 1 :]))
            rest = (*left_over[:index], count - 1, *left_over[index + 1 :])
            if not ways or any(fails(way, rest) for way in ways):
                return True
        return False

    return fails(tuple(it.free for it in places), tuple(new[it.name] for it in workloads))


@given(FLEETS)
@settings(max_examples=100)
def test_whoever_surges_at_once_finds_a_node(
    fleet: tuple[tuple[Workload, ...], list[Place]],
) -> None:
    workloads, places = fleet
    plan = plan_of(workloads, places)
    moves = [json.loads(line) for line in plan.jsonl(0, len(plan)).splitlines()]
    event("shared" if rooms(plan) else "not shared")
    for wave in {it["wave"] for it in moves}:
        at_once = Counter(
            it["workload"]["name"] for it in moves if it["wave"] == wave and it["kind"] == "surge"
        )
        new = Counter({it.name: max(0, at_once[it.name] - it.beyond) for it in workloads})
        assert not finds_no_node(workloads, places, new)


@given(FLEETS, st.sampled_from([{}, {"streaming": True}]))
@settings(max_examples=60)
def test_checker_and_planner_say_the_same_of_rooms(
    fleet: tuple[tuple[Workload, ...], list[Place]], spec: Json
) -> None:
    workloads, places = fleet
    plan_of(workloads, places, **spec)


@given(FLEETS)
@settings(max_examples=30)
def test_a_workload_alone_moves_as_if_nothing_was_shared(
    fleet: tuple[tuple[Workload, ...], list[Place]],
) -> None:
    workloads, places = fleet
    assert rooms(plan_of(workloads[:1], places)) == {}
