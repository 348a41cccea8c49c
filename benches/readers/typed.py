"""msgspec: a list into structs that have what the planner reads of a pod, and no more.

The fields and which of them must be there are those of `rust/planner-core/src/observe/pod.rs`.
Nothing is made of the structs: no columns, no digests, no check of times.
"""

from collections.abc import Callable

import msgspec


class Struct(msgspec.Struct, rename="camel", gc=False):
    """Names as the API server writes them; nothing refers back, so nobody need look for cycles."""


class OwnerReference(Struct):
    """Who controls a pod."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None


class Metadata(Struct):
    """`metadata`."""

    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None


class Variable(Struct):
    """An environment variable."""

    name: str
    value: str | None = None


class Quantities(Struct):
    """What the scheduler reckons with."""

    cpu: str | None = None
    memory: str | None = None


class Resources(Struct):
    """`resources`."""

    requests: Quantities | None = None


class Container(Struct):
    """A container, or one that runs before."""

    name: str
    image: str | None = None
    restart_policy: str | None = None
    env: list[Variable] | None = None
    resources: Resources | None = None


class ReadinessGate(Struct):
    """A condition that a pod waits for."""

    condition_type: str


class Volume(Struct):
    """A volume: whether it is gone with its pod."""

    empty_dir: msgspec.Raw | None = None


class Spec(Struct):
    """`spec`."""

    node_name: str | None = None
    containers: list[Container] = []
    init_containers: list[Container] | None = None
    readiness_gates: list[ReadinessGate] | None = None
    termination_grace_period_seconds: int | None = None
    volumes: list[Volume] | None = None
    overhead: Quantities | None = None


class Condition(Struct):
    """A condition."""

    type: str
    status: str
    last_transition_time: str | None = None


class ContainerStatus(Struct):
    """What a container does."""

    name: str
    image: str | None = None
    image_id: str | None = msgspec.field(default=None, name="imageID")
    ready: bool = False
    restart_count: int = 0


class Status(Struct):
    """`status`."""

    phase: str | None = None
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(Struct):
    """A pod."""

    api_version: str | None = None
    kind: str | None = None
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: Spec = msgspec.field(default_factory=Spec)
    status: Status = msgspec.field(default_factory=Status)


class PodList(Struct):
    """A list of pods."""

    items: list[Pod]


def reader() -> Callable[[bytes], int]:
    """Decode a list and count its pods."""
    decoder = msgspec.json.Decoder(PodList)
    return lambda text: len(decoder.decode(text).items)
