"""The kinds that the stand-in reads, and where they are in the API."""

from dataclasses import dataclass
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of the API."""

    prefix: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return self.prefix.removeprefix("/apis/").removeprefix("/api/")

    @property
    def everywhere(self) -> str:
        """Path of the collection over all namespaces."""
        return f"{self.prefix}/{self.plural}"

    def path(self, namespace: str, name: str = "") -> str:
        """Path of an object, or without a name of its collection."""
        place = f"{self.prefix}/namespaces/{namespace}" if self.namespaced else self.prefix
        return f"{place}/{self.plural}" + (f"/{name}" if name else "")


class Key(NamedTuple):
    """Names an object."""

    kind: Kind
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return self.kind.path(self.namespace, self.name)


_APPS: Final = "/apis/apps/v1"
_KRUISE: Final = "/apis/apps.kruise.io/v1beta1"
POD: Final = Kind(prefix="/api/v1", plural="pods", name="Pod")
NODE: Final = Kind(prefix="/api/v1", plural="nodes", name="Node", namespaced=False)
REVISION: Final = Kind(prefix=_APPS, plural="controllerrevisions", name="ControllerRevision")
REPLICA_SET: Final = Kind(prefix=_APPS, plural="replicasets", name="ReplicaSet")
DEPLOYMENT: Final = Kind(prefix=_APPS, plural="deployments", name="Deployment")
STATEFUL_SET: Final = Kind(prefix=_APPS, plural="statefulsets", name="StatefulSet")
CLONE_SET: Final = Kind(prefix=_KRUISE, plural="clonesets", name="CloneSet")
ADVANCED_STATEFUL_SET: Final = Kind(prefix=_KRUISE, plural="statefulsets", name="StatefulSet")
ADVANCED_DAEMON_SET: Final = Kind(prefix=_KRUISE, plural="daemonsets", name="DaemonSet")
SIDECAR_SET: Final = Kind(prefix=_KRUISE, plural="sidecarsets", name="SidecarSet", namespaced=False)
UNAVAILABLE_BUDGET: Final = Kind(
    prefix="/apis/policy.kruise.io/v1beta1",
    plural="podunavailablebudgets",
    name="PodUnavailableBudget",
)
WORKLOADS: Final = (CLONE_SET, ADVANCED_STATEFUL_SET, ADVANCED_DAEMON_SET)
NATIVE: Final = (REPLICA_SET, DEPLOYMENT, STATEFUL_SET)
KINDS: Final = (POD, NODE, REVISION, *NATIVE, *WORKLOADS, SIDECAR_SET, UNAVAILABLE_BUDGET)
