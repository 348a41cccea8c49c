"""The recorded cluster: its pods before anything happened, and every change after that.

Read with code of its own from the raw files, so that what the planner's import makes of them is
not what it is measured by.
"""

import lzma
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

SHOP = Path(__file__).parents[2] / "examples" / "shop"
REVISION_LABELS = ("controller-revision-hash", "pod-template-hash")
SPECIFIED_DELETE = "apps.kruise.io/specified-delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What the controllers look at in one pod. Times as the API writes them (seconds, UTC)."""

    namespace: str
    name: str
    uid: str
    owner: str
    revision: str
    node: str
    phase: str
    created: str
    images: dict[str, str]
    ready: bool
    ready_since: str
    updating: bool
    restarts: int
    leaving: bool
    labels: dict[str, str]

    @property
    def serves(self) -> bool:
        """Ready, not in the middle of an in-place update, and not about to go."""
        return self.ready and not self.updating and not self.leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One watch event of a pod: `after` is None once it is gone. `t` in seconds since the epoch."""

    t: float
    uid: str
    before: Pod | None
    after: Pod | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One version of a workload or a ReplicaSet. `t` in seconds since the epoch, 0 in the list."""

    t: float
    resource: str
    namespace: str
    name: str
    owner: str
    document: dict[str, Any]


class _Line(msgspec.Struct, frozen=True):
    t: float
    resource: str
    event: "_Event"


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _List(msgspec.Struct, frozen=True):
    items: list[dict[str, Any]]


class Recording:
    """The lists of the cluster `hangzhou` and the watch events that follow them."""

    def __init__(self, shop: Path = SHOP) -> None:
        self._shop = shop
        self.lines = tuple(_unpacked(shop / "hangzhou-watch.jsonl.xz").splitlines())

    @cached_property
    def listed(self) -> dict[str, Pod]:
        """The pods before anything happens, by uid."""
        pods = map(pod_of, self.items("pods"))
        return {pod.uid: pod for pod in pods}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every change of a pod in the order in which it was seen."""
        return tuple(self._follow())

    @cached_property
    def written(self) -> tuple[Written, ...]:
        """Every version of a workload, SidecarSet or ReplicaSet, the listed ones first."""
        return tuple(self._versions())

    def pods_at(self, t: float) -> dict[str, Pod]:
        """The pods by uid just before `t`."""
        pods = dict(self.listed)
        for change in self.changes:
            if change.t >= t:
                break
            if change.after is None:
                pods.pop(change.uid, None)
            else:
                pods[change.uid] = change.after
        return pods

    def documents_at(self, times: Iterable[float]) -> Iterator[dict[str, dict[str, Any]]]:
        """The pods by uid just before each of the times, which grow, as the API wrote them."""
        documents = {each["metadata"]["uid"]: each for each in self.items("pods")}
        done = 0
        for until in map(self.line_at, times):
            for line in self._decoded[done:until]:
                if line.resource == "pods" and line.event.type != "BOOKMARK":
                    document = msgspec.json.decode(line.event.object)
                    documents[document["metadata"]["uid"]] = document
                    if line.event.type == "DELETED":
                        del documents[document["metadata"]["uid"]]
            done = until
            yield documents

    def events(self, resources: Collection[str]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """Resource, whether it was deleted, and the object of each watch event of some kinds."""
        for line in self._decoded:
            if line.resource in resources and line.event.type != "BOOKMARK":
                document = msgspec.json.decode(line.event.object)
                yield line.resource, line.event.type == "DELETED", document

    def line_at(self, t: float) -> int:
        """How many lines come before `t`."""
        return bisect_left(self._decoded, t, key=lambda line: line.t)

    def during(self, begin: float, end: float) -> Iterator[Change]:
        """The changes of pods from `begin` until before `end`."""
        return (change for change in self.changes if begin <= change.t < end)

    @cached_property
    def _decoded(self) -> tuple[_Line, ...]:
        decoder = msgspec.json.Decoder(_Line)
        return tuple(map(decoder.decode, self.lines))

    def items(self, resource: str) -> list[dict[str, Any]]:
        """The objects of a resource before anything happens."""
        text = _unpacked(self._shop / "hangzhou" / f"{resource}.json.xz")
        return msgspec.json.decode(text, type=_List).items

    def _follow(self) -> Iterator[Change]:
        pods = dict(self.listed)
        for line in self._decoded:
            if line.resource != "pods" or line.event.type == "BOOKMARK":
                continue
            after = pod_of(msgspec.json.decode(line.event.object))
            before = pods.pop(after.uid, None)
            if line.event.type == "DELETED":
                yield Change(t=line.t, uid=after.uid, before=before, after=None)
                continue
            pods[after.uid] = after
            yield Change(t=line.t, uid=after.uid, before=before, after=after)

    def _versions(self) -> Iterator[Written]:
        for resource in WORKLOADS:
            for document in self.items(resource):
                yield _written(0, resource, document)
        for line in self._decoded:
            if line.resource in WORKLOADS and line.event.type != "BOOKMARK":
                document = msgspec.json.decode(line.event.object)
                yield _written(line.t, line.resource, document)


WORKLOADS = (
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "clonesets.apps.kruise.io",
    "statefulsets.apps.kruise.io",
    "sidecarsets.apps.kruise.io",
)


def _unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def _owner(metadata: Mapping[str, Any]) -> str:
    owners = metadata.get("ownerReferences", ())
    return next((f"{owner['kind']}/{owner['name']}" for owner in owners), "")


def _written(t: float, resource: str, document: dict[str, Any]) -> Written:
    metadata = document["metadata"]
    return Written(
        t=t,
        resource=resource,
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        owner=_owner(metadata),
        document=document,
    )


def pod_of(document: Mapping[str, Any]) -> Pod:
    """What the controllers look at in a pod as the API writes it."""
    metadata, spec, status = document["metadata"], document["spec"], document.get("status", {})
    labels = metadata.get("labels", {})
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    ready = conditions.get("Ready", {})
    gate = conditions.get("InPlaceUpdateReady", {})
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        owner=_owner(metadata),
        revision=next((labels[label] for label in REVISION_LABELS if label in labels), ""),
        node=spec.get("nodeName", ""),
        phase=status.get("phase", ""),
        created=metadata["creationTimestamp"],
        images={container["name"]: container["image"] for container in spec["containers"]},
        ready=ready.get("status") == "True",
        ready_since=ready.get("lastTransitionTime", ""),
        updating=gate.get("status") == "False",
        restarts=max(
            (container["restartCount"] for container in status.get("containerStatuses", ())),
            default=0,
        ),
        leaving="deletionTimestamp" in metadata or labels.get(SPECIFIED_DELETE) == "true",
        labels=labels,
    )
