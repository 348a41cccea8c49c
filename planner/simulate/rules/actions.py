"""What a controller does next, as values. Names are of pods in the workload's own namespace."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make a pod of a revision (its hash); an empty name lets the API server make one up."""

    revision: str
    name: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete a pod."""

    pod: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInPlace:
    """Give a running pod the revision (a hash) and the images of another template.

    With a `grace_s` the label changes at once, the images so many seconds later.
    """

    pod: str
    revision: str
    images: Mapping[str, str]
    grace_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Say that an in-place update is complete, so that the pod can become Ready."""

    pod: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Set labels of a pod; None takes one away."""

    pod: str
    labels: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSidecars:
    """Give a running pod other images of a SidecarSet's containers, and the set's hash."""

    namespace: str
    pod: str
    images: Mapping[str, str]
    sidecar_set: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Set the replicas of a ReplicaSet, and note how many its Deployment may have in all."""

    replica_set: str
    replicas: int
    max_replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReplicaSet:
    """Make the ReplicaSet of a Deployment's template, with so many replicas."""

    replicas: int
    max_replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """The history of a workload: templates by hash, and which two are being exchanged."""

    current: str
    update: str
    templates: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


Action = (
    Create | Delete | UpdateInPlace | Finish | Label | UpdateSidecars | Scale | CreateReplicaSet
)
