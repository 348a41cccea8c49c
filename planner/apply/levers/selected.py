"""Kinds that a selector holds back, and those whose pods somebody else has to remove."""

from typing import Any

from planner.apply.levers.held import SIDECARS_LABEL, Object, hold


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


def by_pods(sidecar_set: Object, *, run: str) -> dict[str, Any]:
    """Let the containers of a SidecarSet change in labelled pods alone."""
    update = {
        key: value
        for key, value in (sidecar_set["spec"].get("updateStrategy") or {}).items()
        # The API refuses a partition together with a selector.
        if key != "partition"
    }
    selector = {"matchLabels": {SIDECARS_LABEL: run}}
    return hold(sidecar_set, updateStrategy={**update, "selector": selector})


def on_delete(workload: Object) -> dict[str, Any]:
    """Let a controller wait for somebody who removes its pods."""
    return hold(workload, updateStrategy={"type": "OnDelete"})
