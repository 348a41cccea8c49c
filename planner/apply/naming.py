"""Names what is to go next, in the words of the controllers that let us name it."""

from dataclasses import dataclass
from typing import Final

from planner.apply.checkpoint import PodStanding
from planner.apply.levers import selected
from planner.apply.levers.held import SIDECARS_LABEL, WAVE_LABEL, annotations_of
from planner.apply.steps import Going, Step
from planner.apply.writer import Writer, Written

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
FIRST_TO_GO: Final = "-2147483648"
"""The smallest that Kubernetes takes: before pods that their owner lets go first."""
OWNERS_COST: Final = "fleet-upgrade-planner/deletion-cost"
"""Annotation of a pod: the deletion cost that its owner had given it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who writes: the run, the number of its wave, and a name for the step that no other has."""

    id: str
    wave: int
    step: str

    @property
    def sidecars_label(self) -> str:
        """The label of pods whose sidecars this step lets go."""
        return f"{self.label}-{self.step}"

    @property
    def label(self) -> str:
        """The label of pods that this wave lets go."""
        return f"{self.id}-{self.wave}"


def name_pod(step: Step, each: Going, writer: Writer, run: Run) -> Written:
    """Say which pod is to go, where a controller lets us."""
    pod = each.pod
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    if step.application and step.place.kind in ("CloneSet", "AdvancedStatefulSet"):
        labels[WAVE_LABEL] = run.label
    if step.application and step.place.kind == "Deployment":
        annotations[DELETION_COST] = FIRST_TO_GO
        if pod.deletion_cost and not is_named(pod):
            annotations[OWNERS_COST] = str(pod.deletion_cost)
    if step.sidecar_sets:
        labels[SIDECARS_LABEL] = run.sidecars_label
    if not labels and not annotations:
        return Written("done")
    metadata = {"labels": labels} if labels else {}
    metadata |= {"annotations": annotations} if annotations else {}
    return writer.merge_pod(pod.namespace, pod.name, each.uid, pod.version, metadata)


def is_named(pod: PodStanding) -> bool:
    """Whether a pod of a Deployment was seen to be the first to go."""
    return str(pod.deletion_cost) == FIRST_TO_GO


def unname_pod(pod: PodStanding, uid: str, writer: Writer) -> None:
    """Give a pod that did not go the deletion cost that its owner had given it."""
    live = writer.read_pod(pod.namespace, pod.name)
    if live is None or live["metadata"]["uid"] != uid:
        return
    annotations = annotations_of(live)
    if annotations.get(DELETION_COST) == FIRST_TO_GO:
        version = live["metadata"]["resourceVersion"]
        owners = {DELETION_COST: annotations.get(OWNERS_COST), OWNERS_COST: None}
        writer.merge_pod(pod.namespace, pod.name, uid, version, {"annotations": owners})


def name_nodes(step: Step, writer: Writer, run: Run) -> None:
    """Label the nodes on which an Advanced DaemonSet may change its pods."""
    if step.place.kind != "AdvancedDaemonSet" or not step.moves:
        return
    live = writer.read(step.place.kind, step.place.namespace, step.place.name)
    if live is None:
        return
    for node in dict.fromkeys(each.pod.node for each in step.moves):
        writer.label_node(node, selected.node_label(live), run.id)
