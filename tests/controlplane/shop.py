"""A shop on two control planes, and the release that it wants: the shapes of examples/shop.

`large` has some 700 pods in all, `small` some 100, 30 of them on every node. Pods end within a
second or two, so that an upgrade of the whole shop takes minutes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import yaml

from tests.controlplane import fleet
from tests.controlplane.api import Api, is_refused
from tests.controlplane.fleet import REGISTRY, Manifest
from tests.controlplane.seen import wait_seen
from tests.controlplane.versions import VERSIONS, as_served
from tests.controlplane.wait import until

Size = Literal["large", "small"]
Cluster = Literal["hangzhou", "shanghai"]

OLD: Final = "1.0.0"
NEW: Final = "1.1.0"
NAMESPACES: Final = ("trade", "data", "shop", "platform")
SIDECAR: Final = "mesh-proxy"
MESHED: Final = {"mesh": "enabled"}
NODES: Final[Mapping[str, int]] = {"hangzhou": 20, "shanghai": 10}
IN_PLACE: Final = {"podUpdatePolicy": "InPlaceIfPossible"}
GATES: Final = [{"conditionType": "InPlaceUpdateReady"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload of the shop; its replicas by size and cluster.

    Attributes:
        rolling: of a CloneSet or Advanced StatefulSet, its rolling update.
        budget: `maxUnavailable` of a PodDisruptionBudget, or of a PodUnavailableBudget.
    """

    kind: str
    api: str
    namespace: str
    name: str
    large: tuple[int, int]
    small: tuple[int, int]
    rolling: Mapping[str, Any] | None = None
    spec: Mapping[str, Any] | None = None
    disruption_budget: int | str | None = None
    unavailable_budget: int | str | None = None

    def replicas(self, size: Size, cluster: Cluster) -> int:
        """How many pods it has; 0 where it is not."""
        counts = self.large if size == "large" else self.small
        return counts[cluster == "shanghai"]


_KRUISE: Final = "apps.kruise.io/v1beta1"
_APPS: Final = "apps/v1"
PLACES: Final = (
    *(f"/api/v1/namespaces/{name}" for name in NAMESPACES),
    *(f"/apis/apps.kruise.io/{version}/sidecarsets/{SIDECAR}" for version in VERSIONS),
)
"""Everything of the shop is in one of these, or is one, in whichever version."""
_PARALLEL: Final = {"podManagementPolicy": "Parallel"}
_ROLLING: Final = {"strategy": {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}}}


def _clone_set(
    name: str,
    large: tuple[int, int],
    small: tuple[int, int],
    limit: str,
    **more: Any,  # noqa: ANN401
) -> Workload:
    return Workload(
        kind="CloneSet", api=_KRUISE, namespace="trade", name=name, large=large, small=small,
        rolling={**IN_PLACE, "maxUnavailable": limit}, **more,
    )  # fmt: skip


WORKLOADS: Final = (
    _clone_set("payment", (60, 0), (8, 0), "10%", unavailable_budget="20%"),
    _clone_set("order", (90, 0), (10, 0), "20%", unavailable_budget="20%"),
    _clone_set("checkout", (70, 0), (7, 0), "10%"),
    _clone_set("cart", (110, 30), (10, 4), "20%", disruption_budget="25%"),
    Workload(
        kind="CloneSet", api=_KRUISE, namespace="shop", name="image-resizer",
        large=(26, 0), small=(3, 0),
        rolling={"podUpdatePolicy": "ReCreate", "maxUnavailable": "20%"},
    ),
    Workload(
        kind="StatefulSet", api=_KRUISE, namespace="data", name="tair",
        large=(40, 0), small=(5, 0), spec=_PARALLEL,
        rolling={**IN_PLACE, "maxUnavailable": "10%"},
    ),
    Workload(
        kind="StatefulSet", api=_APPS, namespace="data", name="mysql",
        large=(9, 5), small=(3, 2), disruption_budget=1,
    ),
    Workload(
        kind="StatefulSet", api=_APPS, namespace="data", name="redis",
        large=(24, 8), small=(3, 2), spec=_PARALLEL, disruption_budget="10%",
    ),
    Workload(
        kind="Deployment", api=_APPS, namespace="shop", name="web",
        large=(70, 60), small=(6, 5), spec=_ROLLING, disruption_budget="30%",
    ),
    Workload(
        kind="Deployment", api=_APPS, namespace="shop", name="catalog",
        large=(40, 40), small=(4, 4), disruption_budget="30%",
    ),
    Workload(
        kind="DaemonSet", api=_APPS, namespace="platform", name="node-agent",
        large=(20, 10), small=(20, 10),
    ),
)  # fmt: skip


def manifests(cluster: Cluster, size: Size) -> Iterator[tuple[str, Manifest]]:
    """Path and manifest of everything in a cluster but its nodes; what others need first."""
    for name in NAMESPACES:
        yield fleet.namespace(name)
    yield fleet.custom("apps.kruise.io", "v1beta1", "sidecarsets", SIDECAR, _sidecar_spec())
    for each in WORKLOADS:
        replicas = each.replicas(size, cluster)
        if replicas:
            yield from _budgets(each)
            yield _manifest(each, replicas)


def _sidecar_spec() -> Manifest:
    return {
        "selector": {"matchLabels": MESHED},
        "containers": [{"name": SIDECAR, "image": f"{REGISTRY}/{SIDECAR}:{OLD}"}],
        "updateStrategy": {"type": "RollingUpdate", "maxUnavailable": "10%"},
    }


def _manifest(its: Workload, replicas: int) -> tuple[str, Manifest]:
    advanced = its.api == _KRUISE
    labels = {"team": its.namespace}
    if its.kind == "CloneSet" and its.namespace == "trade":
        labels |= MESHED
    template = fleet.template(its.name, f"{REGISTRY}/{its.name}:{OLD}", labels)
    if advanced:
        template["spec"]["readinessGates"] = GATES
    spec: Manifest = {"selector": {"matchLabels": {"app": its.name}}, "template": template}
    if its.kind != "DaemonSet":
        spec["replicas"] = replicas
    if its.kind == "StatefulSet":
        spec["serviceName"] = its.name
    if its.kind == "DaemonSet":
        spec["updateStrategy"] = {"rollingUpdate": {"maxUnavailable": "25%"}}
    if its.rolling:
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": dict(its.rolling)}
    return (
        f"/apis/{its.api}/namespaces/{its.namespace}/{its.kind.lower()}s/{its.name}",
        {
            "apiVersion": its.api,
            "kind": its.kind,
            "metadata": {"name": its.name, "namespace": its.namespace},
            "spec": {**spec, **(its.spec or {})},
        },
    )


def _budgets(its: Workload) -> Iterator[tuple[str, Manifest]]:
    if its.disruption_budget is not None:
        yield fleet.budget(its.name, its.disruption_budget, space=its.namespace)
    if its.unavailable_budget is not None:
        selector = {"matchLabels": {"app": its.name}}
        spec = {"maxUnavailable": its.unavailable_budget, "selector": selector}
        yield fleet.custom(
            "policy.kruise.io", "v1beta1", "podunavailablebudgets", its.name, spec,
            space=its.namespace,
        )  # fmt: skip


def pods_of(cluster: Cluster, size: Size) -> int:
    """How many pods the shop has in a cluster."""
    return sum(each.replicas(size, cluster) for each in WORKLOADS)


def fill(api: Api, cluster: Cluster, size: Size) -> None:
    """Make the shop in a cluster and wait until all of its pods are ready.

    The kinds of OpenKruise have to be there, and their controllers.
    """
    for path, manifest in manifests(cluster, size):
        until(f"{path} is served", partial(_applied, api, path, manifest))
        if manifest["kind"] == "SidecarSet":
            wait_seen(api, as_served(api, path, manifest)[0])
    until("the pods of the shop are ready", partial(_is_filled, api, cluster, size))


def _is_filled(api: Api, cluster: Cluster, size: Size) -> bool:
    """As many pods as are wanted; somebody else's cluster may have any number of nodes."""
    its = [each for each in WORKLOADS if each.replicas(size, cluster)]
    counted = sum(each.replicas(size, cluster) for each in its if each.kind != "DaemonSet")
    agents = [scheduled(api, each.namespace, each.name) for each in its if each.kind == "DaemonSet"]
    return all(agents) and len(ready_pods(api)) >= counted + sum(agents)


def scheduled(api: Api, namespace: str, name: str) -> int:
    """On how many nodes a DaemonSet is to be, 0 until its controller has looked."""
    path = f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"
    return int((api.get(path).get("status") or {}).get("desiredNumberScheduled", 0))


def _applied(api: Api, path: str, manifest: Manifest) -> bool:
    """A kind that was just defined is served a moment later."""
    return not is_refused(404, lambda: api.apply(*as_served(api, path, manifest)))


def ready_pods(api: Api) -> list[Manifest]:
    """The pods of the shop that are Ready and not leaving."""
    return [
        pod
        for pod in pods(api)
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in pod["status"].get("conditions") or ()
        )
    ]


def pods(api: Api) -> list[Manifest]:
    """The pods of the shop."""
    found: list[Manifest] = api.get("/api/v1/pods")["items"]
    return [pod for pod in found if pod["metadata"]["namespace"] in NAMESPACES]


def clear(api: Api) -> None:
    """Remove the shop from a cluster, and wait until it is gone."""
    for path in PLACES:
        _gone(api, path, delete=True)
    for path in PLACES:
        until(f"{path} is gone", partial(_gone, api, path))


def _gone(api: Api, path: str, *, delete: bool = False) -> bool:
    return is_refused(404, partial(api.delete if delete else api.get, path))


def request(*, soak: str = "2s", approval: bool = False) -> str:
    """The UpgradeRequest of the release, as YAML.

    Everything goes to a new image, the trade services one after the other and after mysql, with
    their sidecar, one pod of each first.

    Args:
        soak: how long the first pods are watched.
        approval: whether a person approves after them.
    """
    canary: dict[str, Any] = {"name": "canary", "perWorkload": 1, "soak": soak}
    if approval:
        canary["approval"] = "required"
    chain = ["payment", "order", "checkout", "cart"]
    before = [{"namespace": "data", "name": "mysql"}]
    before += [{"namespace": "trade", "name": name} for name in chain[:-1]]
    spec = {
        "target": {
            "images": [
                {
                    "from": f"{REGISTRY}/{each.name}",
                    "to": f"{REGISTRY}/{each.name}:{NEW}",
                }
                for each in WORKLOADS
            ],
            "sidecars": [
                {
                    "sidecarSet": SIDECAR,
                    "container": SIDECAR,
                    "to": f"{REGISTRY}/{SIDECAR}:{NEW}",
                }
            ],
        },
        "dependencies": [
            {"workload": {"namespace": "trade", "name": name}, "after": [it]}
            for name, it in zip(chain, before, strict=True)
        ],
        "budgets": [
            {
                "name": "trade",
                "selector": {"matchLabels": {"team": "trade"}},
                "maxUnavailable": "15%",
            },
            {"name": "fleet", "maxUnavailable": "25%"},
        ],
        "stages": [canary, {"name": "rest", "perWorkload": "100%"}],
    }
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "shop-release"},
        "spec": spec,
    }
    return yaml.safe_dump(document, sort_keys=False)
