"""SidecarSets: which running pods get a new sidecar next, over all workloads in one order.

Sources: openkruise/kruise pkg/controller/sidecarset and pkg/control/sidecarcontrol, the functions
are named below.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from planner.simulate.rules.actions import Action, UpdateSidecars
from planner.simulate.rules.numbers import kept_old, rounded_up
from planner.simulate.rules.order import update_order
from planner.simulate.rules.pods import (
    Object,
    annotations_of,
    container_statuses,
    images_of,
    is_active,
    is_ready,
    labels_of,
    name_of,
    phase_of,
)
from planner.simulate.rules.selector import selects

HASH: Final = "kruise.io/sidecarset-hash"
HASH_WITHOUT_IMAGE: Final = "kruise.io/sidecarset-hash-without-image"
INJECTED: Final = "kruise.io/sidecarset-injected-list"
UPDATE_STATE: Final = "kruise.io/sidecarset-inplace-update-state"
_DIGEST: Final = "@"


def sync(sidecar_set: Object, pods: Iterable[Object]) -> list[Action]:
    """Say which pods the controller updates next.

    Args:
        sidecar_set: the SidecarSet, with its hashes in its annotations.
        pods: the pods of the cluster that may have its containers.
    """
    strategy: Mapping[str, Any] = sidecar_set["spec"].get("updateStrategy") or {}
    if _is_stopped(strategy):
        return []
    return list(_sync(sidecar_set, strategy, matched(sidecar_set, pods)))


def is_waited_for(sidecar_set: Object, pod: Object) -> bool:
    """Whether there is anything to do for a pod, at once or later.

    Until its metadata or the set change it stays so, whatever becomes of its status.
    """
    strategy: Mapping[str, Any] = sidecar_set["spec"].get("updateStrategy") or {}
    return not _is_stopped(strategy) and _is_wanted(sidecar_set, pod, strategy.get("selector"))


def _is_stopped(strategy: Mapping[str, Any]) -> bool:
    return bool(strategy.get("paused")) or strategy.get("type") == "NotUpdate"


def covers(sidecar_set: Object, namespace: str) -> bool:
    """Whether pods of a namespace may be of the set: v1alpha1 can name the only one."""
    return sidecar_set["spec"].get("namespace") in (None, "", namespace)


def matched(sidecar_set: Object, pods: Iterable[Object]) -> list[Object]:
    """The pods of the set: active, selected, injected, and still with its containers.

    Source: sidecarset_processor.go, getMatchingPods; util.go, IsPodConsistentWithSidecarSet.
    """
    selector = sidecar_set["spec"].get("selector")
    name = name_of(sidecar_set)
    containers = {each["name"] for each in sidecar_set["spec"].get("containers") or ()}
    return [
        pod
        for pod in pods
        if is_active(pod)
        and covers(sidecar_set, pod["metadata"]["namespace"])
        and selects(selector, labels_of(pod))
        and name in annotations_of(pod).get(INJECTED, "").split(",")
        and containers <= images_of(pod).keys()
    ]


def _sync(sidecar_set: Object, strategy: Mapping[str, Any], pods: list[Object]) -> Iterator[Action]:
    selector = strategy.get("selector")
    waiting = [
        pod
        for pod in pods
        if _is_wanted(sidecar_set, pod, selector) and is_upgradable(sidecar_set, pod)
    ]
    ordered = update_order(waiting, pods, strategy)
    kept = kept_old(strategy.get("partition"), len(pods))
    limit = rounded_up(strategy.get("maxUnavailable"), len(pods), default=1)
    count = sum(
        is_updated(sidecar_set, pod) and not (is_consistent(sidecar_set, pod) and _serves(pod))
        for pod in pods
    )
    images = sidecar_images(sidecar_set)
    for pod in ordered[: max(0, len(ordered) - kept)]:
        if _serves(pod):
            if count >= limit:
                return
            count += 1
        yield UpdateSidecars(
            namespace=pod["metadata"]["namespace"],
            pod=name_of(pod),
            images=images,
            sidecar_set=name_of(sidecar_set),
            hash=annotations_of(sidecar_set)[HASH],
        )


def sidecar_images(sidecar_set: Object) -> dict[str, str]:
    """Image by name of the set's ordinary containers: init containers are never patched."""
    containers = sidecar_set["spec"].get("containers") or ()
    return {each["name"]: each["image"] for each in containers}


def _is_wanted(sidecar_set: Object, pod: Object, selector: Mapping[str, Any] | None) -> bool:
    selected = selector is None or selects(selector, labels_of(pod))
    return selected and not is_updated(sidecar_set, pod)


def is_updated(sidecar_set: Object, pod: Object) -> bool:
    """The pod carries the set's hash (util.go, IsPodSidecarUpdated)."""
    return injected(pod, HASH, name_of(sidecar_set)) == annotations_of(sidecar_set).get(HASH)


def is_upgradable(sidecar_set: Object, pod: Object) -> bool:
    """Only images differ, and the former update has arrived (IsSidecarSetUpgradable)."""
    wanted = annotations_of(sidecar_set).get(HASH_WITHOUT_IMAGE)
    if injected(pod, HASH_WITHOUT_IMAGE, name_of(sidecar_set)) != wanted:
        return False
    return not is_ready(pod) or is_consistent(sidecar_set, pod)


def injected(pod: Object, annotation: str, sidecar_set: str) -> str | None:
    """The hash that an annotation of the pod keeps for a set."""
    return _hashes(annotations_of(pod).get(annotation, "{}")).get(sidecar_set)


@lru_cache(maxsize=1024)
def _hashes(text: str) -> Mapping[str, str]:
    """Hash by name of set. Many pods share one text."""
    value: Mapping[str, Any] = json.loads(text)
    return {name: its["hash"] if isinstance(its, dict) else its for name, its in value.items()}


def is_consistent(sidecar_set: Object, pod: Object) -> bool:
    """The set's containers run what the pod's spec says (IsSidecarContainerUpdateCompleted)."""
    images, statuses = images_of(pod), container_statuses(pod)
    for name in sidecar_images(sidecar_set).keys() & images.keys():
        status = statuses.get(name)
        if status is None:
            return False
        wanted, image_id = images[name], status.get("imageID") or ""
        if _DIGEST in wanted:
            if wanted.partition(_DIGEST)[2] not in image_id:
                return False
        elif wanted != status.get("image"):
            before = _state(pod, name_of(sidecar_set))
            if name not in before or before[name].get("imageID") == image_id:
                return False
    return True


def updates_complete(pod: Object) -> bool:
    """No container of any SidecarSet is on its way to another image."""
    text = annotations_of(pod).get(UPDATE_STATE)
    images, statuses = images_of(pod), container_statuses(pod)
    for state in json.loads(text).values() if text else ():
        for name, its in (state.get("lastContainerStatuses") or {}).items():
            status = statuses.get(name, {})
            moved = status.get("imageID") != its.get("imageID")
            if name in images and not moved and images[name] != status.get("image"):
                return False
    return True


def _state(pod: Object, sidecar_set: str) -> Mapping[str, Mapping[str, str]]:
    text = annotations_of(pod).get(UPDATE_STATE)
    states: Mapping[str, Any] = json.loads(text) if text else {}
    its: Mapping[str, Any] = states.get(sidecar_set) or {}
    last: Mapping[str, Mapping[str, str]] = its.get("lastContainerStatuses") or {}
    return last


def _serves(pod: Object) -> bool:
    return phase_of(pod) == "Running" and is_ready(pod)
