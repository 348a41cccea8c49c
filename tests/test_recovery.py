"""Pods that are down and come back: small clusters by hand, judged by the checker too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.test_small_clusters import clone_set, metadata, planned, pod, rolling

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
STAGES = [{"name": "canary", "perWorkload": 1}, {"name": "rest", "perWorkload": "100%"}]
PER_NODE = [{"name": "per-node", "scope": "node", "maxUnavailable": 2}]


def app(name: str, nodes: str) -> list[Json]:
    """A CloneSet with a pod on each of these nodes; all may be down at a time."""
    owner = clone_set(len(nodes), **rolling(maxUnavailable=len(nodes)))
    owner["metadata"] = metadata("CloneSet", name)
    pods = [pod(f"{name}-{number}", owner) for number in range(len(nodes))]
    for each, node in zip(pods, nodes, strict=True):
        each["spec"]["nodeName"] = f"node-{node}"
    return [owner, *pods]


def test_one_that_is_being_deleted_comes_back_before_those_that_go_in_order(
    tmp_path: Path,
) -> None:
    """Nobody takes it, so it may be the canary; the two others go one after the other."""
    cart = app("cart", "211")
    for each in cart[1:3]:
        each["status"]["conditions"][0]["status"] = "False"
    cart[2]["metadata"]["creationTimestamp"] = "2026-11-20T09:00:00Z"
    cart[3]["metadata"]["deletionTimestamp"] = "2026-11-23T09:00:00Z"
    planned(tmp_path, *cart, *app("web", "1" * 6), stages=STAGES, budgets=PER_NODE)
