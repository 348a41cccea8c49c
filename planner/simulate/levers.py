"""How a wave is carried out: what each controller offers to move these pods now and no others.

| workload | held back by | a wave is let go by |
| --- | --- | --- |
| CloneSet, unordered Advanced StatefulSet | partition | labels, priority, partition |
| StatefulSet, Advanced StatefulSet | partition | partition at the lowest ordinal of the wave |
| Advanced DaemonSet | selector of nodes | labels of nodes |
| DaemonSet | OnDelete | deleting the pods |
| OnDelete of any kind | itself | evicting or deleting the pods |
| Deployment | paused | deletion costs, resuming with the wave's numbers until they are reached |
| SidecarSet | selector of pods | labels |
| any, of which a pod leaves a drained node | - | evicting the pods, with the partition if need be |

A Deployment cannot be stopped at an exact pod: it takes ReplicaSets by their age, and new pods of a
surge are made ahead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

from planner.simulate.cluster import Cluster, Key, owner_uid
from planner.simulate.drains import is_on_delete
from planner.simulate.nodes import delete_pod
from planner.simulate.rules.advancedstatefulset import wanted_ordinals
from planner.simulate.rules.budgets import disruption_standing, evict
from planner.simulate.rules.deployment import same_template
from planner.simulate.rules.pods import (
    DELETION_COST,
    Object,
    is_active,
    is_ready_for,
    labels_of,
    name_of,
    node_of,
    ordinal_of,
    revision_of,
)
from planner.simulate.rules.selector import selects
from planner.simulate.slots import Slot
from planner.simulate.write import annotated, changed, labelled

WAVE_LABEL: Final = "fleet-upgrade-planner/wave"
# Of its own: a pod that is to be recreated gets its new sidecar with that.
SIDECARS_LABEL: Final = "fleet-upgrade-planner/sidecars"
_FIRST_TO_GO: Final = "-1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Moves of one workload that are let go together. `drain`: evicted to empty their nodes."""

    workload: Key
    wave: int
    kind: str
    slots: Sequence[Slot]
    application: bool
    sidecars: bool
    drain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brake:
    """When a Deployment is to be paused again: so many old pods left, so many new ones made."""

    old: int
    new: int


@dataclass(slots=True)
class Levers:
    """Moves the levers of one cluster. `templates`: the wanted template of each workload."""

    cluster: Cluster
    templates: Mapping[Key, Object]
    _prepared: set[Key] = field(default_factory=set)
    _brakes: dict[Key, _Brake] = field(default_factory=dict)

    def let_go(self, step: Step) -> Sequence[Slot]:
        """Let the moves of a step go; gives those that went (an eviction can be refused)."""
        if step.sidecars:
            self._label_pods(step.slots, SIDECARS_LABEL, step.wave)
        if step.drain and not step.application:
            return [slot for slot in step.slots if self._evict_from_node(slot)]
        if not step.application:
            return step.slots
        if step.workload not in self._prepared:
            self._prepared.add(step.workload)
            self._prepare(step.workload)
        if step.drain:
            return self._renew_elsewhere(step)
        if step.kind == "evict":
            return [slot for slot in step.slots if self._evict(slot)]
        self._release(step)
        return step.slots

    def _release(self, step: Step) -> None:
        match step.workload.kind:
            case "Deployment":
                self._resume(step)
            case "CloneSet":
                self._label_pods(step.slots, WAVE_LABEL, step.wave)
                self._lower_count(step)
            case "StatefulSet" | "AdvancedStatefulSet":
                self._lower_ordinal(step)
            case "AdvancedDaemonSet":
                self._select_nodes(step)
            case _:
                for slot in step.slots:
                    if pod := slot.occupant:
                        delete_pod(self.cluster, pod)

    def _renew_elsewhere(self, step: Step) -> Sequence[Slot]:
        """Evict pods that their workload would change in place, and let new ones be new.

        Those that may not go are not let go either: they would change where they are.
        """
        if is_on_delete(self.cluster.objects[step.workload]):
            return [slot for slot in step.slots if self._evict_from_node(slot)]
        went = list(takewhile(self._evict_from_node, step.slots))
        if went:
            self._release(replace(step, slots=went))
        return went

    def _evict_from_node(self, slot: Slot) -> bool:
        """Evict the pod of the plan; another in its place is elsewhere already."""
        return slot.uid != slot.pod["metadata"]["uid"] or self._evict(slot)

    def brake(self) -> bool:
        """Pause every Deployment that has reached its numbers; True when one has."""
        reached = [key for key, brake in self._brakes.items() if self._is_reached(key, brake)]
        for key in reached:
            del self._brakes[key]
            deployment = self.cluster.objects[key]
            self.cluster.write(key.kind, changed(deployment, "spec", paused=True))
        return bool(reached)

    def _prepare(self, key: Key) -> None:
        """Give a workload its new template and hold all its pods back."""
        workload = self.cluster.objects[key]
        self.cluster.current_revision(workload)
        held: Object = changed(workload, "spec", template=self.templates[key])
        update = workload["spec"].get("updateStrategy") or {}
        on_delete = is_on_delete(workload)
        match key.kind:
            case "Deployment":
                held = changed(held, "spec", paused=True)
            case "DaemonSet":
                held = changed(held, "spec", updateStrategy={**update, "type": "OnDelete"})
            case "AdvancedDaemonSet":
                held = _rolling(held, selector=_labelled_selector(WAVE_LABEL), partition=0)
            case "CloneSet" if not on_delete:
                held = _rolling(held, partition="100%")
            case "StatefulSet" | "AdvancedStatefulSet" if not on_delete:
                held = _rolling(held, partition=workload["spec"]["replicas"])
        self.cluster.write(key.kind, held)

    def _label_pods(self, slots: Iterable[Slot], label: str, wave: int) -> None:
        for slot in slots:
            if pod := slot.occupant:
                self.cluster.write_pod(labelled(pod, {label: str(wave)}))

    def _lower_count(self, step: Step) -> None:
        """A partition that counts: keep all old that are old now, but those with a label.

        Counted from the old pods and not from the replicas: a pod that is missing comes at the new
        revision and would be taken for one of the wave.
        """
        clone_set = self.cluster.objects[step.workload]
        update = self.cluster.update_revision(clone_set)
        old = [
            pod
            for pod in self.cluster.pods_of(clone_set)
            if is_active(pod) and revision_of(pod) != update
        ]
        kept = sum(WAVE_LABEL not in labels_of(pod) for pod in old)
        held = _rolling(clone_set, partition=kept, priorityStrategy=_by_wave(step.wave))
        self.cluster.write(step.workload.kind, held)

    def _lower_ordinal(self, step: Step) -> None:
        stateful_set = self.cluster.objects[step.workload]
        rolling = stateful_set["spec"]["updateStrategy"].get("rollingUpdate") or {}
        if rolling.get("unorderedUpdate") is not None:
            self._label_pods(step.slots, WAVE_LABEL, step.wave)
            strategy = {"priorityStrategy": _by_wave(step.wave)}
            kept = max(0, int(rolling.get("partition") or 0) - len(step.slots))
            held = _rolling(stateful_set, partition=kept, unorderedUpdate=strategy)
        else:
            start = (stateful_set["spec"].get("ordinals") or {}).get("start") or 0
            lowest = min(ordinal_of(slot.pod) for slot in step.slots)
            index = lowest - start
            if step.workload.kind == "AdvancedStatefulSet":
                index = wanted_ordinals(stateful_set).index(lowest)
            held = _rolling(stateful_set, partition=min(index, int(rolling["partition"])))
        self.cluster.write(step.workload.kind, held)

    def _select_nodes(self, step: Step) -> None:
        for slot in step.slots:
            node = self.cluster.nodes[node_of(slot.pod)]
            self.cluster.nodes[node_of(slot.pod)] = labelled(node, {WAVE_LABEL: str(step.wave)})
        workload = self.cluster.objects[step.workload]
        self.cluster.write(step.workload.kind, workload)

    def _resume(self, step: Step) -> None:
        """Let a Deployment go until as many are gone and made as the step has moves."""
        for slot in step.slots:
            if pod := slot.occupant:
                self.cluster.write_pod(annotated(pod, {DELETION_COST: _FIRST_TO_GO}))
        deployment = self.cluster.objects[step.workload]
        old, new = self._sizes(step.workload)
        count = len(step.slots)
        surges = step.kind == "surge"
        extra = max(0, old + new - deployment["spec"]["replicas"])
        before = self._brakes.get(step.workload, _Brake(old=old, new=new))
        # Those of this wave that went before are not back yet, or not even taken.
        under_way = self._coming(step.workload) + old - before.old
        rolling = {
            "maxSurge": max(count, extra) if surges else extra,
            "maxUnavailable": 0 if surges else count + under_way,
        }
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        self._brakes[step.workload] = _Brake(
            old=max(0, before.old - count),
            new=new if surges else min(deployment["spec"]["replicas"], before.new + count),
        )
        resumed = changed(deployment, "spec", paused=False, strategy=strategy)
        self.cluster.write(step.workload.kind, resumed)

    def _sizes(self, key: Key) -> tuple[int, int]:
        """Replicas of the old ReplicaSets of a Deployment, and of the new one."""
        deployment = self.cluster.objects[key]
        template = deployment["spec"]["template"]
        old = new = 0
        for each in self.cluster.replica_sets_of(deployment):
            if same_template(each["spec"]["template"], template):
                new += each["spec"]["replicas"]
            else:
                old += each["spec"]["replicas"]
        return old, new

    def _coming(self, key: Key) -> int:
        """New pods of a Deployment that there shall be and that are not available yet."""
        deployment, now = self.cluster.objects[key], self.cluster.now
        template = deployment["spec"]["template"]
        min_ready_s = deployment["spec"].get("minReadySeconds") or 0
        coming = 0
        for each in self.cluster.replica_sets_of(deployment):
            if same_template(each["spec"]["template"], template):
                pods = self.cluster.pods_of(each)
                up = (it for it in pods if is_active(it) and is_ready_for(it, min_ready_s, now))
                coming += each["spec"]["replicas"] - sum(1 for _ in up)
        return max(0, coming)

    def _is_reached(self, key: Key, brake: _Brake) -> bool:
        old, new = self._sizes(key)
        return old <= brake.old and new >= brake.new

    def _evict(self, slot: Slot) -> bool:
        """Ask for an eviction, as the API server would judge it."""
        pod = slot.occupant
        if pod is None:
            return True
        cluster, namespace = self.cluster, pod["metadata"]["namespace"]
        budgets = []
        for key, budget in cluster.objects.items():
            selector = budget["spec"].get("selector")
            here = key.kind == "PodDisruptionBudget" and key.namespace == namespace
            if not here or not selects(selector, labels_of(pod)):
                continue
            pods = [
                each
                for name, each in cluster.pods.items()
                if name.namespace == namespace and selects(selector, labels_of(each))
            ]
            budgets.append((budget, disruption_standing(budget, pods, self._scales(pods))))
        if evict(pod, budgets) not in ("allowed", "free"):
            return False
        delete_pod(cluster, pod)
        return True

    def _scales(self, pods: Iterable[Object]) -> list[int] | None:
        keys = dict.fromkeys(self.cluster.workload_of(pod) for pod in pods if owner_uid(pod))
        scales = [self.cluster.objects[key]["spec"].get("replicas") for key in keys if key]
        known = [each for each in scales if each is not None]
        return known if len(known) == len(keys) else None


def hold_sidecars(sidecar_set: Object, images: Mapping[str, str], digest: str) -> Object:
    """Give a SidecarSet its new images, for new pods and for those with the label of a wave."""
    containers = [
        {**each, "image": images.get(each["name"], each["image"])}
        for each in sidecar_set["spec"].get("containers") or ()
    ]
    update = {
        key: value
        for key, value in (sidecar_set["spec"].get("updateStrategy") or {}).items()
        # The API refuses a partition together with a selector.
        if key != "partition"
    }
    held = changed(
        sidecar_set,
        "spec",
        containers=containers,
        updateStrategy={**update, "selector": _labelled_selector(SIDECARS_LABEL)},
    )
    return annotated(held, {"kruise.io/sidecarset-hash": digest})


def _labelled_selector(label: str) -> Mapping[str, Any]:
    return {"matchExpressions": [{"key": label, "operator": "Exists"}]}


def _by_wave(wave: int) -> Mapping[str, Any]:
    selector = {"matchLabels": {WAVE_LABEL: str(wave)}}
    return {"weightPriority": [{"weight": 100, "matchSelector": selector}]}


def _rolling(workload: Object, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Set fields of a rolling update, wherever the version of the API keeps them."""
    update = workload["spec"].get("updateStrategy") or {}
    flat = name_of(workload) and workload["apiVersion"].endswith("/v1alpha1")
    if flat and workload["kind"] == "CloneSet":
        return changed(workload, "spec", updateStrategy={**update, **fields})
    rolling = {**(update.get("rollingUpdate") or {}), **fields}
    return changed(workload, "spec", updateStrategy={**update, "rollingUpdate": rolling})
