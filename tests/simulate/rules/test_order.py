"""In which order pods go: base order, scatter, and laws that hold for all of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from planner.simulate.rules.order import Victims, scale_in_order, scattered, update_order
from planner.simulate.rules.pods import name_of


def pod(name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pod that serves since `since`, seconds of one minute."""
    wanted: dict[str, Any] = {"ready": True, "since": 30, "node": "node-1", "labels": {}, "cost": 0}
    wanted |= changed
    ready = {
        "type": "Ready",
        "status": "True" if wanted["ready"] else "False",
        "lastTransitionTime": f"2026-11-23T09:33:{wanted['since']:02}Z",
    }
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": wanted["labels"],
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": str(wanted["cost"])},
            "creationTimestamp": "2026-11-23T09:33:00Z",
        },
        "spec": {"nodeName": wanted["node"], "containers": []},
        "status": {"phase": wanted.get("phase", "Running"), "conditions": [ready]},
    }


def names(pods: list[Any]) -> list[str]:
    return [name_of(each) for each in pods]


def test_who_serves_least_goes_first() -> None:
    pods = [
        pod("old", since=10),
        pod("young", since=50),
        pod("broken", ready=False),
        pod("pending", phase="Pending", ready=False),
        pod("nowhere", node="", phase="Pending", ready=False),
    ]
    ordered = update_order(pods, pods, {})
    assert names(ordered) == ["nowhere", "pending", "broken", "young", "old"]


def test_pods_that_match_are_spread_and_the_last_of_them_is_last() -> None:
    pods = [pod(f"a{n}", labels={"zone": "a"}) for n in range(4)]
    pods += [pod(f"b{n}") for n in range(6)]
    spread = names(scattered(pods, pods, [{"key": "zone", "value": "a"}]))
    assert spread == ["a0", "b0", "b1", "a1", "b2", "b3", "a2", "b4", "b5", "a3"]


def test_one_that_matches_is_not_spread() -> None:
    pods = [pod("a", labels={"zone": "a"}), pod("b"), pod("c")]
    assert scattered(pods, pods, [{"key": "zone", "value": "a"}]) == pods


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=30))
def test_spreading_loses_nobody(zones: list[str]) -> None:
    pods = [pod(f"p{n}", labels={"zone": zone}) for n, zone in enumerate(zones)]
    spread = scattered(pods, pods, [{"key": "zone", "value": "*"}])
    assert sorted(names(spread)) == sorted(names(pods))


def test_a_replica_set_gives_up_cheap_pods_then_those_of_crowded_nodes() -> None:
    pods = [
        pod("alone", node="node-2"),
        pod("crowded", node="node-1"),
        pod("crowding", node="node-1", since=50),
        pod("cheap", node="node-3", cost=-5),
    ]
    now = 1_795_428_000
    assert names(Victims(pods, now).sorted(pods))[0] == "cheap"
    assert names(Victims(pods, now).sorted(pods))[-1] == "alone"


def test_a_clone_set_keeps_one_pod_of_every_node() -> None:
    pods = [
        pod("alone", node="node-2", since=50),
        pod("keeper", node="node-1", since=10),
        pod("second", node="node-1", since=20),
    ]
    assert names(scale_in_order(pods, lambda _: True)) == ["second", "alone", "keeper"]
