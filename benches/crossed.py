"""Small upgrades whose budgets meet across dependencies and stages.

Each moves a few small workloads of a generated fleet, so that a solver finds the fewest waves.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from random import Random

from benches.fleet import Fleet
from benches.layout import lay_out
from benches.pod import REGISTRY
from benches.request import TAG
from benches.workload import Kind, Workload

PODS = 1000
"""Of the fleet, most of which stays as it is."""
_SMALL = range(3, 13)
_STAGES: tuple[tuple[int | str, ...], ...] = ((), (1,), (1, "50%"), (2,))


class Shape(StrEnum):
    """Who waits for whom, and over whom budgets lie.

    `scattered`: anyone may, and any three or more. `diamonds`: narrow and wide layers by turns,
    with one budget over all wide ones. `crossed`: three layers, with a budget over each two, so
    that every pod is under two of them.
    """

    SCATTERED = "scattered"
    DIAMONDS = "diamonds"
    CROSSED = "crossed"


def crossed_request(fleet: Fleet, shape: Shape, seed: int) -> dict[str, object]:
    """The UpgradeRequest of one shape; the same arguments give the same request."""
    random = Random(f"{seed}/{shape}")
    small = [
        each
        for each in lay_out(fleet.pods, fleet.seed).workloads
        # What is surged takes from no budget but its own.
        if each.replicas in _SMALL
        and each.max_unavailable != 0
        and each.kind is not Kind.DAEMON_SET
    ]
    random.shuffle(small)
    layers = _layers(random, small, shape)
    spec: dict[str, object] = {
        "target": {
            "images": [
                {"from": f"{REGISTRY}/{each.name}", "to": f"{REGISTRY}/{each.name}:{TAG}"}
                for layer in layers
                for each in layer
            ]
        },
        "dependencies": list(_dependencies(random, layers, shape)),
        "budgets": [
            {
                "name": f"budget-{number}",
                "selector": {
                    "matchExpressions": [
                        {"key": "app", "operator": "In", "values": sorted(e.name for e in over)}
                    ]
                },
                "maxUnavailable": random.randint(2, 4),
            }
            for number, over in enumerate(_budgets(random, layers, shape))
        ],
    }
    ends = random.choice(_STAGES)
    if ends:
        spec["stages"] = [
            {"name": f"stage-{number}", "perWorkload": end}
            for number, end in enumerate([*ends, "100%"])
        ]
    return {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": f"{shape}-{seed}"},
        "spec": spec,
    }


def _layers(random: Random, small: list[Workload], shape: Shape) -> list[list[Workload]]:
    match shape:
        case Shape.DIAMONDS:
            sizes = [1, random.randint(2, 3)] * random.randint(2, 3)
        case Shape.CROSSED:
            sizes = [random.randint(2, 3) for _ in range(3)]
        case Shape.SCATTERED:
            sizes = [1] * random.randint(6, 9)
    left = iter(small)
    layers = ([each for _, each in zip(range(size), left, strict=False)] for size in sizes)
    return [layer for layer in layers if layer]


def _dependencies(
    random: Random, layers: Sequence[Sequence[Workload]], shape: Shape
) -> Iterator[dict[str, object]]:
    for number, (before, layer) in enumerate(pairwise(layers)):
        for each in layer:
            match shape:
                case Shape.SCATTERED:
                    earlier = [of for layer in layers[: number + 1] for of in layer]
                    after = random.sample(earlier, k=random.randint(0, min(2, len(earlier))))
                case Shape.CROSSED:
                    after = random.sample(before, k=random.randint(1, len(before)))
                case Shape.DIAMONDS:
                    after = list(before)
            if after:
                yield {
                    "workload": _reference(each),
                    "after": [_reference(of) for of in after],
                    "ready": random.choice(("50%", "100%", "100%")),
                }


def _budgets(
    random: Random, layers: Sequence[Sequence[Workload]], shape: Shape
) -> Iterable[Sequence[Workload]]:
    match shape:
        case Shape.DIAMONDS:
            return [[each for layer in layers[1::2] for each in layer]]
        case Shape.CROSSED:
            return [[*one, *other] for one, other in pairwise([*layers, layers[0]])]
        case Shape.SCATTERED:
            every = [each for layer in layers for each in layer]
            count = random.randint(2, 3)
            return [random.sample(every, k=random.randint(3, len(every) - 1)) for _ in range(count)]


def _reference(workload: Workload) -> dict[str, str]:
    return {"namespace": workload.namespace, "name": workload.name}
