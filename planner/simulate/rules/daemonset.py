"""DaemonSets of Kubernetes and Advanced DaemonSets of OpenKruise.

The native controller goes through nodes in the order of a Go map, which is no order; here it is by
name, so that the same input gives the same actions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from planner.simulate.rules.actions import (
    Action,
    Create,
    Delete,
    Finish,
    Revisions,
    UpdateInPlace,
)
from planner.simulate.rules.inplace import images_in_place, is_complete
from planner.simulate.rules.numbers import rounded_down, rounded_up
from planner.simulate.rules.pods import (
    IN_PLACE_READY,
    Object,
    condition,
    in_place_done,
    is_leaving,
    is_ready_for,
    labels_of,
    name_of,
    node_of,
    phase_of,
    revision_of,
)
from planner.simulate.rules.selector import selects

_BURST: Final = 250
_ADVANCED_GROUP: Final = "apps.kruise.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """The pods of one node: at most one of each revision, unless something went wrong."""

    name: str
    new: Object | None
    old: Object | None


def sync(
    daemon_set: Object,
    pods: Iterable[Object],
    nodes: Iterable[Object],
    revisions: Revisions,
    *,
    now: float,
) -> list[Action]:
    """Say what the controller does next.

    Args:
        daemon_set: a DaemonSet, or an Advanced DaemonSet of v1beta1.
        pods: those that it controls.
        nodes: those on which it should have a pod.
        revisions: its history.
        now: seconds since the epoch.

    Sources: kubernetes pkg/controller/daemon/update.go, rollingUpdate; openkruise/kruise
    pkg/controller/daemonset/daemonset_update.go.
    """
    return list(_Sync(daemon_set, pods, nodes, revisions, now).actions())


class _Sync:
    def __init__(
        self,
        daemon_set: Object,
        pods: Iterable[Object],
        nodes: Iterable[Object],
        revisions: Revisions,
        now: float,
    ) -> None:
        spec = daemon_set["spec"]
        update = spec.get("updateStrategy") or {}
        self._rolling: Mapping[str, Any] = update.get("rollingUpdate") or {}
        self._advanced = daemon_set["apiVersion"].startswith(_ADVANCED_GROUP)
        self._on_delete = update.get("type") == "OnDelete"
        self._burst = spec.get("burstReplicas") or _BURST
        self._min_ready_s = spec.get("minReadySeconds") or 0
        self._revisions = revisions
        self._now = now
        self._pods = list(pods)
        self._labels = {name_of(node): labels_of(node) for node in nodes}
        pods_on: dict[str, list[Object]] = {name: [] for name in self._labels}
        for pod in self._pods:
            pods_on.setdefault(node_of(pod), []).append(pod)
        self._nodes = [self._on_node(name, pods_on[name]) for name in sorted(self._labels)]
        self._max_surge = rounded_up(self._rolling.get("maxSurge"), len(self._nodes), default=0)
        self._max_unavailable = self._resolve_max_unavailable()

    def _resolve_max_unavailable(self) -> int:
        total = len(self._nodes)
        limit = rounded_up(self._rolling.get("maxUnavailable"), total, default=1)
        return 1 if limit == 0 and self._max_surge == 0 else limit

    def _on_node(self, name: str, here: Iterable[Object]) -> _Node:
        new = [pod for pod in here if revision_of(pod) == self._revisions.update]
        old = [pod for pod in here if revision_of(pod) != self._revisions.update]
        return _Node(name=name, new=new[0] if new else None, old=old[0] if old else None)

    def actions(self) -> Iterator[Action]:
        """Finish in-place updates, make pods where there are none, then update."""
        finished = [
            Finish(pod=name_of(pod))
            for pod in self._pods
            if not is_leaving(pod) and not in_place_done(pod) and is_complete(pod)
        ]
        made = [
            Create(revision=self._revisions.update, node=node.name)
            for node in self._nodes
            if node.new is None and node.old is None
        ]
        if finished or made:
            yield from finished
            yield from made
        elif not self._on_delete and not self._rolling.get("paused"):
            nodes = self._selected() if self._advanced else self._nodes
            yield from self._surge(nodes) if self._max_surge else self._replace(nodes)

    def _selected(self) -> list[_Node]:
        """The nodes that may be updated, in order (filterDaemonPodsNodeToUpdate)."""
        selector = self._rolling.get("selector")
        done, selected, rest = [], [], []
        for node in reversed(self._nodes):
            if node.old is None:
                done.append(node)
            elif selector is not None and selects(selector, self._labels[node.name]):
                selected.append(node)
            else:
                rest.append(node)
        ordered = [*done, *selected] if selector is not None else [*done, *rest]
        partition = rounded_down(self._rolling.get("partition"), len(self._nodes), default=0)
        return ordered[: max(0, len(self._nodes) - partition)]

    def _replace(self, nodes: Iterable[_Node]) -> Iterator[Action]:
        """Old pods that are unavailable go at once, the others while the budget lasts."""
        budget = self._max_unavailable - sum(
            not self._is_available(node.old or node.new) for node in self._nodes
        )
        in_place = 0
        for node in nodes:
            if node.old is None or node.new is not None or is_leaving(node.old):
                continue
            if self._is_available(node.old):
                if budget <= 0:
                    continue
                budget -= 1
            images = self._images_in_place(node.old)
            if images is None:
                yield Delete(pod=name_of(node.old))
            elif in_place < self._burst:
                in_place += 1
                yield UpdateInPlace(
                    pod=name_of(node.old), revision=self._revisions.update, images=images
                )

    def _surge(self, nodes: Iterable[_Node]) -> Iterator[Action]:
        """The new pod stands beside the old one, which goes when the new one is available."""
        surging = sum(
            node.old is not None and node.new is not None and not self._is_available(node.new)
            for node in self._nodes
        )
        for node in nodes:
            if node.old is None or is_leaving(node.old):
                continue
            if node.new is not None:
                if self._is_available(node.new):
                    yield Delete(pod=name_of(node.old))
            elif not self._is_available(node.old):
                yield Create(revision=self._revisions.update, node=node.name)
            elif surging < self._max_surge:
                surging += 1
                yield Create(revision=self._revisions.update, node=node.name)

    def _images_in_place(self, pod: Object) -> Mapping[str, str] | None:
        """Only with the policy, without surge, for pods with the gate (canPodInPlaceUpdate)."""
        policy = self._rolling.get("rollingUpdateType")
        if policy != "InPlaceIfPossible" or condition(pod, IN_PLACE_READY) is None:
            return None
        old = self._revisions.templates.get(revision_of(pod))
        return images_in_place(old, self._revisions.templates[self._revisions.update])

    def _is_available(self, pod: Object | None) -> bool:
        return (
            pod is not None
            and not is_leaving(pod)
            and phase_of(pod) == "Running"
            and in_place_done(pod)
            and is_ready_for(pod, self._min_ready_s, self._now)
        )
