"""Kinds that a selector holds back, and those whose pods somebody else has to remove."""

import re
from collections.abc import Collection
from typing import Any, Final

from planner.apply.levers.held import SIDECARS_LABEL, Object, hold, is_held_by

LABELS_MAX: Final = 500
"""Of how many steps of a wave a SidecarSet changes pods at once."""
_DIGITS: Final = re.compile("[0-9]+")
REVISION_LABEL: Final = "controller-revision-hash"
"""Label of pods with the revision of their template."""


def node_label(workload: Object) -> str:
    """The label of nodes on which the pods of this Advanced DaemonSet may go."""
    return f"fleet-upgrade-planner/{workload['metadata']['uid']}"


def by_nodes(workload: Object, *, run: str) -> dict[str, Any]:
    """Let the pods of an Advanced DaemonSet go on labelled nodes alone."""
    update = workload["spec"].get("updateStrategy") or {}
    rolling = {
        **(update.get("rollingUpdate") or {}),
        "selector": {"matchLabels": {node_label(workload): run}},
        "partition": 0,
    }
    return hold(workload, updateStrategy={**update, "rollingUpdate": rolling})


def by_pods(
    sidecar_set: Object, *, run: str, wave: str, label: str, leaving: Collection[str] = ()
) -> dict[str, Any]:
    """Let the containers of a SidecarSet change in labelled pods, besides those of this wave.

    The pods have the label already. Labels of earlier waves are left out, for a run has thousands;
    each begins with the label of its wave.

    Pods at a revision that they are about to `leave` are passed over: the controller of their
    workload changes the revision as it takes them out of service, in one write with the new images
    (openkruise/kruise pkg/util/inplaceupdate/inplace_update.go, updatePodInPlace), and the
    SidecarSet's controller looks at a pod whose readiness changed
    (pkg/controller/sidecarset/sidecarset_pod_event_handler.go).
    """
    update = {
        key: value
        for key, value in (sidecar_set["spec"].get("updateStrategy") or {}).items()
        # The API refuses a partition together with a selector.
        if key != "partition"
    }
    before = _values(sidecar_set) if is_held_by(sidecar_set, run) else []
    values = _newest({*(it for it in before if it.startswith(f"{wave}-")), label})
    terms = [{"key": SIDECARS_LABEL, "operator": "In", "values": values}]
    if leaving:
        terms.append({"key": REVISION_LABEL, "operator": "NotIn", "values": sorted(leaving)})
    return hold(sidecar_set, updateStrategy={**update, "selector": {"matchExpressions": terms}})


def _newest(labels: Collection[str]) -> list[str]:
    """The labels that were let go last, as many as an object has room for.

    A leg that streams has one for every step, and the pods of those long ago have changed.
    """
    by_step = sorted(labels, key=lambda it: [*map(int, _DIGITS.findall(it.rpartition("-")[2]))])
    return sorted(by_step[-LABELS_MAX:])


def _values(sidecar_set: Object) -> list[str]:
    """Labels that were let go before."""
    selector = (sidecar_set["spec"].get("updateStrategy") or {}).get("selector") or {}
    terms = selector.get("matchExpressions") or ()
    ours = (term for term in terms if term["key"] == SIDECARS_LABEL)
    return [value for term in ours for value in term.get("values") or ()]


def on_delete(workload: Object) -> dict[str, Any]:
    """Let a controller wait for somebody who removes its pods."""
    return hold(workload, updateStrategy={"type": "OnDelete"})
