"""Seeded sample plans, from a hundred workloads to three thousand, and pages made of them."""

from __future__ import annotations

import io
import random
from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from planner.show.html import render

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
KINDS = {"CloneSet": "in-place", "Deployment": "surge", "StatefulSet": "recreate"}
STAGES = ("canary", "tenth", "rest")
SERVICES = ("cart", "order", "payment", "checkout", "search", "stock", "price", "user", "coupon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a sample plan is."""

    workloads: int
    moves: int
    waves: int
    unmovable: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One workload of a sample: its entry in the header and its moves by wave."""

    entry: dict[str, Any]
    moved: dict[int, tuple[str, int]]


class Sample:
    """A plausible plan of two clusters; the same seed gives the same plan."""

    def __init__(self, size: Size, *, seed: int = 1111) -> None:
        self._size = size
        self._seed = seed
        rng = random.Random(seed)
        self._parts = [self._part(rng, place) for place in range(size.workloads)]
        self.header = self._header(rng)

    def moves(self) -> Iterator[dict[str, Any]]:
        rng = random.Random(self._seed + 1)
        for wave in range(1, self._size.waves + 1):
            for part in self._parts:
                if wave in part.moved:
                    stage, count = part.moved[wave]
                    yield from _moves_of(rng, part, wave, (stage, count))

    def _part(self, rng: random.Random, place: int) -> Part:
        cluster = ("hangzhou", "shanghai")[place * 2 // self._size.workloads]
        service = SERVICES[place % len(SERVICES)]
        round_ = place // len(SERVICES)
        name = service if round_ == 0 else f"{service}-{round_}"
        namespace = f"team-{place % 7}" if place % 5 else "trade"
        kind = rng.choice(list(KINDS))
        mean = self._size.moves / self._size.workloads
        total = max(3, round(mean * rng.choice((0.3, 0.5, 0.8, 1.0, 2.4))))
        first = rng.randint(1, max(1, self._size.waves // 3))
        last = rng.randint(min(first + 4, self._size.waves), self._size.waves)
        tenth = min(ceil(total / 10), total - 2)
        moved = {first: ("canary", 1), first + 1: ("tenth", tenth)}
        rest = range(first + 2, last + 1)
        for step, wave in enumerate(rest):
            left = total - 1 - tenth
            share = left * (step + 1) // len(rest) - left * step // len(rest)
            if share:
                moved[wave] = ("rest", share)
        return Part(
            moved=moved,
            entry={
                "held": [
                    [wave, count, _held(wave, moved, f"{namespace}/{name}")]
                    for wave, (_, count) in moved.items()
                ],
                "cluster": cluster,
                "namespace": namespace,
                "kind": kind,
                "name": name,
                "pods": total + rng.randint(0, 5),
                "moves": total,
                "first_wave": min(moved),
                "last_wave": max(moved),
                "stages": [_stage(moved, stage) for stage in STAGES],
            },
        )

    def _header(self, rng: random.Random) -> dict[str, Any]:
        size = self._size
        per_wave = self._per_wave(rng)
        kinds = sum((Counter(wave["kinds"]) for wave in per_wave), Counter[str]())
        seconds = per_wave[-1]["start_s"] + per_wave[-1]["seconds"]
        longest = max(self._parts, key=lambda part: len(part.moved)).entry
        chain = [
            f"{longest['cluster']}/{longest['namespace']}/{longest['kind']}/{longest['name']}",
            f"{longest['cluster']}/trade/Deployment/checkout",
        ]
        total = kinds.total()
        return {
            "apiVersion": "planner/v1",
            "kind": "Plan",
            "id": "5f0c2a9be4d17763",
            "planner": "0.1.0",
            "request": {
                "apiVersion": "planner/v1",
                "kind": "UpgradeRequest",
                "metadata": {"name": "double-11"},
                "spec": {"stages": [{"name": name} for name in STAGES]},
            },
            "log": {"position": 1600, "digest": "9d3c" * 16},
            "time": "2026-11-10T09:34:00Z",
            "clusters": ["hangzhou", "shanghai"],
            "waves": size.waves,
            "waves_bound": size.waves - 1,
            "seconds": seconds,
            "seconds_bound": seconds - 240,
            "proof": {
                "waves": {
                    "kind": "chain",
                    "text": f"{longest['name']} alone needs {size.waves - 4} waves under "
                    "pdb/trade/cart, which lets 3 of its pods be down, and checkout "
                    "comes after it with 3 more.",
                    "through": chain,
                },
                "seconds": {
                    "kind": "chain",
                    "text": "The same chain with its soaks takes this long at least.",
                    "through": [],
                },
            },
            "bottleneck": {
                "name": "sidecarset/mesh-proxy",
                "text": "With maxUnavailable 4% in place of 2% the plan would end 6 waves sooner.",
            },
            "totals": {
                "moves": total,
                "pods": round(total * 1.2),
                "unmovable": size.unmovable,
                "kinds": dict(kinds),
                "disruptions_saved": total // 4,
            },
            "workloads": [part.entry for part in self._parts],
            "per_wave": per_wave,
            "dependencies": [],
            "budgets": [
                {**_budget(rng, part, size.waves), "workloads": [place]}
                for place, part in enumerate(self._parts)
            ]
            + [{**_fleet_budget(rng, total, size.waves), "workloads": list(range(size.workloads))}],
            "warnings": [
                "pdb/trade/price allows no disruption: its 2 pods cannot move.",
                "hangzhou/team-1/StatefulSet/stock runs below 1.35: one pod at a time.",
            ],
            "unmovable": [_unmovable(rng, place) for place in range(size.unmovable)],
        }

    def _per_wave(self, rng: random.Random) -> list[dict[str, Any]]:
        start, rows = 0, []
        for wave in range(1, self._size.waves + 1):
            pairs, kinds, approvals = [], Counter[str](), []
            for place, part in enumerate(self._parts):
                stage, count = part.moved.get(wave, ("", 0))
                if count:
                    pairs.append([place, count])
                    kinds[KINDS[part.entry["kind"]]] += count
                if stage == "tenth" and place % 9 == 0:
                    approvals.append(f"stage tenth of {'/'.join(_key(part.entry))}")
            waits = 600 if wave % 9 == 4 else 0
            seconds = rng.randint(40, 180)
            row = {
                "wave": wave,
                "start_s": start + waits,
                "seconds": seconds,
                "waits_s": waits,
                "moves": kinds.total(),
                "kinds": dict(kinds),
                "workloads": pairs,
                "approvals": approvals,
            }
            rows.append(row)
            start += waits + seconds
        return rows


def _held(wave: int, moved: dict[int, tuple[str, int]], name: str) -> str | None:
    """Its own budget where it moved in the wave before, else the fleet's."""
    if wave == 1:
        return None
    return f"budget:pdb/{name}" if wave - 1 in moved else "budget:fleet"


def _key(entry: dict[str, Any]) -> tuple[str, str, str, str]:
    return entry["cluster"], entry["namespace"], entry["kind"], entry["name"]


def _stage(moved: dict[int, tuple[str, int]], stage: str) -> dict[str, Any]:
    waves = [wave for wave, (name, _) in moved.items() if name == stage]
    count = sum(count for name, count in moved.values() if name == stage)
    return {"name": stage, "moves": count, "first_wave": min(waves), "last_wave": max(waves)}


def _moves_of(
    rng: random.Random, part: Part, wave: int, portion: tuple[str, int]
) -> Iterator[dict[str, Any]]:
    entry, (stage, count) = part.entry, portion
    name, kind = entry["name"], entry["kind"]
    before = sum(other for earlier, (_, other) in part.moved.items() if earlier < wave)
    for place in range(count):
        if kind == "StatefulSet":
            pod = f"{name}-{entry['moves'] - before - place - 1}"
        else:
            hash_ = "7c9f5b6d84-" if kind == "Deployment" else ""
            pod = f"{name}-{hash_}{''.join(rng.choices(SUFFIX, k=5))}"
        yield {
            "wave": wave,
            "stage": stage,
            "cluster": entry["cluster"],
            "namespace": entry["namespace"],
            "pod": pod,
            "uid": "00000000-0000-0000-0000-000000000000",
            "node": f"node-{place:04}",
            "workload": {"kind": kind, "name": name},
            "kind": KINDS[kind],
            "containers": {"main": f"registry.example.com/{name}:1.2.0"},
            "because": [] if wave == 1 else [f"budget:pdb/{entry['namespace']}/{name}"],
        }


def _budget(rng: random.Random, part: Part, waves: int) -> dict[str, Any]:
    entry = part.entry
    most = max(count for _, count in part.moved.values())
    limit = most + rng.choice((0, 0, 1, 3, most))
    taken = [part.moved.get(wave, ("", 0))[1] for wave in range(1, waves + 1)]
    return {
        "name": f"pdb/{entry['namespace']}/{entry['name']}",
        "cluster": entry["cluster"],
        "source": "PodDisruptionBudget",
        "limit": limit,
        "resolved": f"maxUnavailable 10% of {entry['pods']} = {limit} (rounded up)",
        "down": 0,
        "headroom": [limit - count for count in taken],
    }


def _fleet_budget(rng: random.Random, total: int, waves: int) -> dict[str, Any]:
    limit = total // 20
    return {
        "name": "fleet",
        "cluster": None,
        "source": "request",
        "limit": limit,
        "resolved": f"3% of the fleet = {limit} (rounded down)",
        "down": 2,
        "instances": 1,
        "headroom": [rng.randint(0, limit // 2) for _ in range(waves)],
    }


def _unmovable(rng: random.Random, place: int) -> dict[str, Any]:
    reason, remedy = (
        ("two PodDisruptionBudgets select the pod", "narrow one of the two selectors"),
        ("the workload is paused", "unset spec.paused"),
        ("the partition keeps it", "lower spec.updateStrategy.partition"),
    )[place % 3]
    return {
        "cluster": "hangzhou",
        "namespace": "data",
        "pod": f"ledger-{''.join(rng.choices(SUFFIX, k=5))}",
        "workload": {"kind": "CloneSet", "name": f"ledger-{place % 4}"},
        "reason": reason,
        "remedy": remedy,
    }


SMALL = Size(workloads=120, moves=1_350, waves=24)
LARGE = Size(workloads=3_000, moves=1_000_000, waves=70, unmovable=5_000)


def page_of(header: dict[str, Any], moves: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    render(header, moves, out)
    return out.getvalue()


SMALL_PLAN = Sample(SMALL)
SMALL_PAGE = page_of(SMALL_PLAN.header, list(SMALL_PLAN.moves()))
