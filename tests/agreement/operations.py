"""What was done to the recorded cluster, and how the planner would be asked for the same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from tests.agreement.recording import SHOP, Recording

Kind = Literal[
    "Deployment", "StatefulSet", "DaemonSet", "CloneSet", "AdvancedStatefulSet", "SidecarSet"
]
RESOURCES: Final[dict[Kind, str]] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "CloneSet": "clonesets.apps.kruise.io",
    "AdvancedStatefulSet": "statefulsets.apps.kruise.io",
    "SidecarSet": "sidecarsets.apps.kruise.io",
}
REGISTRY: Final = "registry.example.com"
WHOLE: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A partition by which a part of the pods went. `t` in seconds since the epoch."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One upgrade of one workload or SidecarSet. Times in seconds since the epoch.

    `observed_until` is the position in time from which it is predicted; the pods that were taken
    from `begin` until before `end` are compared. `interrupted`: it was changed before all had gone.
    """

    name: str
    kind: Kind
    namespace: str
    workload: str
    container: str
    target: dict[str, Any]
    observed_until: float
    begin: float
    end: float
    steps: tuple[Step, ...] = ()
    interrupted: bool = False

    @property
    def owner(self) -> str:
        """How the pods name it."""
        kind = "StatefulSet" if self.kind == "AdvancedStatefulSet" else self.kind
        return f"{kind}/{self.workload}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An operation by the beginnings of the texts under which it was noted."""

    name: str
    kind: Kind
    workload: str
    image: str
    starts: str
    ends: str | None = None
    steps: dict[str, str] = field(default_factory=dict)
    container: str = "main"
    after_change: bool = False
    interrupted: bool = False


_ENTRIES: Final = (
    _Entry(
        name="catalog",
        kind="Deployment",
        workload="shop/catalog",
        image="catalog:1.1.0",
        starts="set image of Deployment shop/catalog",
    ),
    _Entry(
        name="mysql",
        kind="StatefulSet",
        workload="data/mysql",
        image="mysql:2.4.0",
        starts="set image of StatefulSet data/mysql",
    ),
    _Entry(
        name="elastic",
        kind="StatefulSet",
        workload="data/elastic",
        image="elastic:2.4.0",
        starts="set image of StatefulSet data/elastic",
    ),
    _Entry(
        name="node-agent",
        kind="DaemonSet",
        workload="platform/node-agent",
        image="node-agent:5.2.0",
        container="agent",
        starts="set image of DaemonSet platform/node-agent",
    ),
    _Entry(
        name="cart",
        kind="CloneSet",
        workload="trade/cart",
        image="cart:1.1.0",
        starts="CloneSet trade/cart: partition 100%",
        ends="SidecarSet log-tail: image",
    ),
    _Entry(
        name="payment",
        kind="CloneSet",
        workload="trade/payment",
        image="payment:1.1.0",
        starts="CloneSet trade/payment",
        ends="SidecarSet mesh-proxy image",
    ),
    _Entry(
        name="image-resizer",
        kind="CloneSet",
        workload="shop/image-resizer",
        image="image-resizer:1.1.0",
        starts="CloneSet shop/image-resizer",
    ),
    _Entry(
        name="inventory",
        kind="CloneSet",
        workload="trade/inventory",
        image="inventory:1.1.0",
        starts="CloneSet trade/inventory",
        ends="SidecarSet mesh-proxy image",
    ),
    _Entry(
        name="tair",
        kind="AdvancedStatefulSet",
        workload="data/tair",
        image="tair:4.3.0",
        starts="Advanced StatefulSet data/tair",
    ),
    _Entry(
        name="log-tail (5)",
        kind="SidecarSet",
        workload="/log-tail",
        image="log-tail:3.1.0",
        container="log-tail",
        starts="SidecarSet log-tail: image",
        ends="SidecarSet log-tail: maxUnavailable",
        interrupted=True,
    ),
    _Entry(
        name="log-tail (20%)",
        kind="SidecarSet",
        workload="/log-tail",
        image="log-tail:3.1.0",
        container="log-tail",
        starts="SidecarSet log-tail: maxUnavailable",
        ends="SidecarSet mesh-proxy image",
        after_change=True,
    ),
    _Entry(
        name="mesh-proxy",
        kind="SidecarSet",
        workload="/mesh-proxy",
        image="mesh-proxy:1.21.0",
        container="mesh-proxy",
        starts="SidecarSet mesh-proxy image",
        ends="evictions",
    ),
    _Entry(
        name="order",
        kind="CloneSet",
        workload="trade/order",
        image="order:1.1.0",
        starts="SidecarSet mesh-proxy image",
        ends="evictions",
    ),
    _Entry(
        name="checkout",
        kind="CloneSet",
        workload="trade/checkout",
        image="checkout:1.1.0",
        starts="CloneSet trade/checkout: partition 100%",
        ends="CloneSet trade/checkout: roll back",
        steps={
            "partition 100%": "CloneSet trade/checkout: partition 100%",
            "partition 99%": "CloneSet trade/checkout: partition 99%",
            "partition 35": "CloneSet trade/checkout: partition 35",
            "paused": "CloneSet trade/checkout: paused",
            "partition 0": "CloneSet trade/checkout: resumed",
        },
    ),
    _Entry(
        name="checkout back",
        kind="CloneSet",
        workload="trade/checkout",
        image="checkout:1.0.0",
        starts="CloneSet trade/checkout: roll back",
    ),
    _Entry(
        name="product",
        kind="CloneSet",
        workload="shop/product",
        image="",
        starts="CloneSet shop/product",
    ),
    _Entry(
        name="web",
        kind="Deployment",
        workload="shop/web",
        image="web:1.1.0",
        starts="Deployment shop/web",
    ),
    _Entry(
        name="redis",
        kind="StatefulSet",
        workload="data/redis",
        image="redis:2.4.0",
        starts="StatefulSet data/redis",
    ),
)


def operations_of(recording: Recording, shop: Path = SHOP) -> tuple[Operation, ...]:
    """The upgrades of the recording, in the order in which they began."""
    lines = (shop / "hangzhou-operations.jsonl").read_text().splitlines()
    noted = [(note["operation"], note["t"]) for note in map(json.loads, lines)]
    return tuple(_operation(entry, noted, recording) for entry in _ENTRIES)


def _operation(
    entry: _Entry, noted: Sequence[tuple[str, float]], recording: Recording
) -> Operation:
    begin, end = _time_of(noted, entry.starts), _time_of(noted, entry.ends)
    namespace, _, workload = entry.workload.partition("/")
    changed = _change_time(recording, RESOURCES[entry.kind], entry.workload, begin)
    if entry.ends is not None and workload in entry.ends:
        end = _change_time(recording, RESOURCES[entry.kind], entry.workload, end)
    begins = [_time_of(noted, text) for text in entry.steps.values()]
    return Operation(
        name=entry.name,
        kind=entry.kind,
        namespace=namespace,
        workload=workload,
        container=entry.container,
        target=_target(entry, recording, changed),
        observed_until=changed + 1e-3 if entry.after_change else begin,
        begin=changed if entry.after_change else begin,
        end=end,
        interrupted=entry.interrupted,
        steps=tuple(
            Step(name=name, begin=first, end=after)
            for name, first, after in zip(entry.steps, begins, [*begins[1:], end], strict=True)
        )
        if begins
        else (),
    )


def _time_of(noted: Sequence[tuple[str, float]], text: str | None) -> float:
    if text is None:
        return WHOLE
    return next(t for operation, t in noted if operation.startswith(text))


def _change_time(recording: Recording, resource: str, workload: str, begin: float) -> float:
    """When the operation reached the API server: the first new generation that was seen."""
    versions = [
        written
        for written in recording.written
        if written.resource == resource and f"{written.namespace}/{written.name}" == workload
    ]
    before = max(
        written.document["metadata"]["generation"] for written in versions if written.t < begin
    )
    return next(
        written.t
        for written in versions
        if written.t >= begin and written.document["metadata"]["generation"] > before
    )


def _target(entry: _Entry, recording: Recording, changed: float) -> dict[str, Any]:
    namespace, _, name = entry.workload.partition("/")
    image = f"{REGISTRY}/{entry.image}"
    if entry.kind == "SidecarSet":
        return {"sidecars": [{"sidecarSet": name, "container": entry.container, "to": image}]}
    if not entry.image:
        return {"manifests": [_manifest(recording, entry.kind, namespace, name, changed)]}
    workload = {"kind": entry.kind, "namespace": namespace, "name": name}
    return {"images": [{"workload": workload, "container": entry.container, "to": image}]}


def _manifest(
    recording: Recording, kind: Kind, namespace: str, name: str, changed: float
) -> dict[str, Any]:
    """The workload as it was wanted, without what the cluster adds."""
    document = next(
        written.document
        for written in recording.written
        if written.t >= changed
        and (written.resource, written.namespace, written.name)
        == (RESOURCES[kind], namespace, name)
    )
    metadata = {"namespace": namespace, "name": name}
    kept = {key: document[key] for key in ("apiVersion", "kind", "spec")}
    return {**kept, "metadata": metadata}
