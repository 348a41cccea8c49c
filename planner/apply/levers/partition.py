"""Kinds that a partition holds back: by number (the pods that stay old), or by ordinal.

A partition by number says how many and not which: the pods of a wave get a label, and the label the
highest priority.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from planner.apply.levers.held import WAVE_LABEL, Object, hold, is_held_by


def keep(workload: Object, *, old: int, label: str) -> dict[str, Any]:
    """Let all but `old` pods of a CloneSet go, those with the label of the wave first."""
    update = workload["spec"].get("updateStrategy") or {}
    fields = {"partition": old, "priorityStrategy": _first(label)}
    if workload["apiVersion"].endswith("/v1alpha1"):
        return hold(workload, updateStrategy={**_without_scatter(update), **fields})
    rolling = {**_without_scatter(update.get("rollingUpdate") or {}), **fields}
    return hold(workload, updateStrategy={**update, "rollingUpdate": rolling})


def keep_unordered(workload: Object, *, old: int, label: str) -> dict[str, Any]:
    """As `keep`, of an Advanced StatefulSet that does not go by ordinals."""
    unordered = {"priorityStrategy": _first(label)}
    return _rolling(workload, partition=old, unorderedUpdate=unordered)


def from_ordinal(workload: Object, *, lowest: int, run: str) -> dict[str, Any]:
    """Let the pods from an ordinal on go; those that this run let go before stay let go."""
    index = _index(workload, lowest)
    if is_held_by(workload, run):
        rolling = (workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        index = min(index, int(rolling.get("partition") or 0))
    return _rolling(workload, partition=index)


def is_unordered(workload: Object) -> bool:
    """Whether an Advanced StatefulSet goes by priority instead of ordinals."""
    rolling = (workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return rolling.get("unorderedUpdate") is not None


def _index(workload: Object, ordinal: int) -> int:
    """The place of an ordinal among those that the workload has: a partition counts places."""
    spec = workload["spec"]
    start = int((spec.get("ordinals") or {}).get("start") or 0)
    reserved = _ordinals(spec.get("reserveOrdinals") or ())
    return ordinal - start - sum(start <= each < ordinal for each in reserved)


def _ordinals(reserved: Iterable[int | str]) -> set[int]:
    """Read numbers, and ranges such as `3-5`."""
    found: set[int] = set()
    for each in reserved:
        first, _, last = str(each).partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _first(label: str) -> Mapping[str, Any]:
    selector = {"matchLabels": {WAVE_LABEL: label}}
    return {"weightPriority": [{"weight": 100, "matchSelector": selector}]}


def _without_scatter(rolling: Mapping[str, Any]) -> dict[str, Any]:
    """It would put other pods between those of the wave."""
    return {key: value for key, value in rolling.items() if key != "scatterStrategy"}


def _rolling(workload: Object, **fields: object) -> dict[str, Any]:
    update = workload["spec"].get("updateStrategy") or {}
    rolling = {**(update.get("rollingUpdate") or {}), **fields}
    return hold(
        workload, updateStrategy={**update, "type": "RollingUpdate", "rollingUpdate": rolling}
    )
