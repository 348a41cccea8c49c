"""How a Deployment sizes its ReplicaSets, and what it does while it is paused."""

from typing import Any

import pytest

from planner.simulate.rules.actions import Action, CreateReplicaSet, Scale
from planner.simulate.rules.deployment import sync

MOST = 13


def scale(name: str, replicas: int, most: int = MOST) -> Scale:
    return Scale(replica_set=name, replicas=replicas, max_replicas=most)


OLD = {"spec": {"containers": [{"name": "main", "image": "web:1"}]}}
NEW = {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}


def replica_set(name: str, template: dict[str, Any], replicas: int) -> dict[str, Any]:
    metadata = {"name": name, "creationTimestamp": "2026-11-23T09:33:00Z"}
    return {"metadata": metadata, "spec": {"replicas": replicas, "template": template}}


def pods(count: int) -> list[dict[str, Any]]:
    ready = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": "2026-11-23T09:33:00Z",
    }
    status = {"phase": "Running", "conditions": [ready]}
    return [{"metadata": {"name": f"p-{number}"}, "status": status} for number in range(count)]


def next_of(
    old: int,
    new: int | None,
    *,
    available: tuple[int, int],
    **spec: Any,  # noqa: ANN401
) -> list[Action]:
    sets = [replica_set("old", OLD, old)]
    if new is not None:
        sets.append(replica_set("new", NEW, new))
    deployment = {"metadata": {"name": "web"}, "spec": {"replicas": 10, "template": NEW, **spec}}
    there = {"old": pods(available[0]), "new": pods(available[1])}
    return sync(deployment, sets, there, now=1_795_428_000)


@pytest.mark.parametrize(
    ("old", "new", "available", "actions"),
    [
        (10, None, (10, 0), [CreateReplicaSet(replicas=3, max_replicas=MOST)]),
        (10, 3, (10, 0), [scale("old", 8)]),
        (8, 3, (8, 0), [scale("new", 5)]),
        (8, 5, (8, 0), []),
        (8, 5, (8, 2), [scale("old", 6)]),
        (8, 3, (5, 3), [scale("new", 5)]),
        # Three that are broken, and as many that serve as may be missing.
        (10, 3, (7, 3), [scale("old", 5)]),
        (0, 10, (0, 10), []),
    ],
)
def test_what_grows_and_what_shrinks_with_a_quarter_each(
    old: int, new: int | None, available: tuple[int, int], actions: list[Action]
) -> None:
    assert next_of(old, new, available=available) == actions


def test_recreate_makes_nothing_while_an_old_pod_is_there() -> None:
    recreate = {"strategy": {"type": "Recreate"}}
    assert next_of(10, None, available=(10, 0), **recreate) == [scale("old", 0)]
    assert next_of(0, None, available=(1, 0), **recreate) == []
    assert next_of(0, None, available=(0, 0), **recreate) == [
        CreateReplicaSet(replicas=10, max_replicas=MOST)
    ]


def test_a_paused_one_leaves_its_sets_as_they_are() -> None:
    assert next_of(10, None, available=(10, 0), paused=True) == []
    assert next_of(8, 5, available=(8, 5), paused=True) == []


def test_a_paused_one_is_resized_in_proportion_and_the_largest_takes_the_rest() -> None:
    actions = next_of(8, 5, available=(8, 5), paused=True, replicas=20)
    # A quarter of 20 more may be there: 25 for 13, so 15.4 for 8 and 9.6 for 5.
    assert actions == [scale("old", 15, 25), scale("new", 10, 25)]
    actions = next_of(8, 5, available=(8, 5), paused=True, replicas=5)
    assert actions == [scale("old", 4, 7), scale("new", 3, 7)]
