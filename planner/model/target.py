"""What an upgrade request wants to be true in the end: images, sidecars, manifests, empty nodes."""

from typing import Any, Literal

import msgspec

from planner.model.selector import Selector
from planner.model.value import Text, Value

WorkloadKind = Literal[
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CloneSet",
    "AdvancedStatefulSet",
    "AdvancedDaemonSet",
]


class WorkloadRef(Value, frozen=True, kw_only=True):
    """A workload by name; without `kind` or `cluster` every workload of that name."""

    cluster: Text | None = None
    kind: WorkloadKind | None = None
    namespace: Text
    name: Text

    def __str__(self) -> str:
        """Give as much as was said: `trade/cart` or `hangzhou/trade/CloneSet/cart`."""
        parts = (self.cluster, self.namespace, self.kind, self.name)
        return "/".join(part for part in parts if part is not None)

    def overlaps(self, other: "WorkloadRef") -> bool:
        """Whether one workload can be meant by both."""
        return (
            (self.namespace, self.name) == (other.namespace, other.name)
            and (self.cluster == other.cluster or None in {self.cluster, other.cluster})
            and (self.kind == other.kind or None in {self.kind, other.kind})
        )


class ImageChange(Value, frozen=True, kw_only=True):
    """The image that every container with the repository `from`, or one container, is to run."""

    from_: Text | None = msgspec.field(default=None, name="from")
    workload: WorkloadRef | None = None
    container: Text | None = None
    to: Text


class SidecarChange(Value, frozen=True, kw_only=True):
    """The image that a container of a SidecarSet is to run."""

    sidecar_set: Text
    container: Text
    to: Text


class Drain(Value, frozen=True, kw_only=True):
    """Nodes that no pod is to be left on, in one cluster or in all.

    Pods of DaemonSets, mirror pods and pods that have ended stay, as with `kubectl drain`. A pod
    with an emptyDir volume is evicted only when its data may be deleted.
    """

    cluster: Text | None = None
    name: Text | None = None
    selector: Selector | None = None
    delete_empty_dir_data: bool = False


class Target(Value, frozen=True, kw_only=True):
    """The final state; anything that is not named stays as it is.

    `manifests` are whole desired workloads. In a request file they may also be patterns of files,
    relative to it; a request that is loaded has the documents.
    """

    images: tuple[ImageChange, ...] = ()
    sidecars: tuple[SidecarChange, ...] = ()
    manifests: tuple[dict[str, Any], ...] = ()
    drain: tuple[Drain, ...] = ()
