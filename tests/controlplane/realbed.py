"""A real control plane as a bed of the controllers' contract (tests/simulate/contract)."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, Final

from planner.simulate.rules.pods import (
    Object,
    is_active,
    is_leaving,
    is_ready,
    labels_of,
    name_of,
)
from planner.simulate.slots import way_taken
from tests.controlplane import fleet
from tests.controlplane.api import RefusedError
from tests.controlplane.given import (
    GivenCluster,
    Plane,
    has_kubelets,
    wants_kept,
    wants_kruise,
    wants_kwok,
)
from tests.controlplane.roundtrip import NAME as OF_ROUND_TRIP
from tests.controlplane.roundtrip import RoundTrip
from tests.controlplane.seen import wait_seen
from tests.controlplane.standin.link import Server, watch
from tests.controlplane.versions import as_served
from tests.controlplane.wait import until

QUIET_S: Final = 1.0
# Pods of somebody else's cluster take their time.
THEIR_QUIET_S: Final = 5.0
# What kwok knows as an image that never comes up.
BROKEN: Final = "broken"
# Where the contract has its images.
CONTRACTS: Final = "registry.example.com"


class RealBed:
    """Runs the controllers of a plane, or OpenKruise's own, in a namespace of its own."""

    def __init__(self, plane: Plane, space: str) -> None:
        self._plane = plane
        self._api = plane.admin
        self._space = space
        if isinstance(plane, GivenCluster):
            self._server = Server.of(plane.proxied())
            self._quiet_s = THEIR_QUIET_S
        else:
            self._server = Server.of(plane.kubeconfig())
            self._quiet_s = QUIET_S
        self._has_kubelets = has_kubelets(plane)
        self._is_over = False
        self._images: dict[str, str] = {}
        self._sidecar_sets: set[str] = set()
        self._lock = Lock()
        self._last = time.monotonic()
        self._round_trip = RoundTrip(self._api, space)
        self._pods: dict[str, Object] = {}
        self.watch()

    def apply(self, document: Object) -> None:
        """Create a workload or SidecarSet, or write it anew."""
        manifest = self._translated(document, there=True)
        kind, api, name = document["kind"], document["apiVersion"], name_of(document)
        if api.startswith("apps.kruise.io/"):
            wants_kruise({self._plane.name: self._plane})
        metadata = {"name": name}
        if kind == "SidecarSet":
            place = ""
            # Whoever else has pods of that label keeps them as they are.
            manifest["spec"]["namespaceSelector"] = {
                "matchLabels": {"kubernetes.io/metadata.name": self._space}
            }
        else:
            metadata["namespace"] = self._space
            place = f"/namespaces/{self._space}"
        manifest["metadata"] = metadata
        path = f"/apis/{api}{place}/{kind.lower()}s/{name}"
        path, manifest = as_served(self._api, path, manifest)
        if kind == "SidecarSet":
            self._sidecar_sets.add(path)
        self._api.apply(path, manifest)
        if kind == "SidecarSet":
            # Pods that are made next are to have it.
            wait_seen(self._api, path)
        if (api, kind) == ("apps/v1", "StatefulSet"):
            wants_kept(self._plane, path, manifest["spec"]["updateStrategy"]["rollingUpdate"])
        self._heard()

    def settle(self) -> None:
        """Wait until nothing has been written to a pod for a while.

        In that while each process has done something else, or it might as well have stood still.
        """
        until("the pods rest", self._rest)

    def pods(self) -> list[Object]:
        """The pods that are there and not leaving, by name."""
        with self._lock:
            active = sorted(filter(is_active, self._pods.values()), key=name_of)
        return [self._translated(pod, there=False) for pod in active]

    def label(self, pod: str, labels: Mapping[str, str]) -> None:
        """Set labels of a pod."""
        self._change(pod, {"metadata": {"labels": labels}})

    def annotate(self, pod: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a pod."""
        self._change(pod, {"metadata": {"annotations": annotations}})

    def break_pod(self, pod: str) -> None:
        """Make a pod not Ready until it gets another image or another takes its place."""
        wants_kwok(self._plane, "a kubelet says itself whether its pods are ready")
        conditions = [
            {"type": kind, "status": "False", "reason": "ContainersNotReady"}
            for kind in ("Ready", "ContainersReady")
        ]
        self._change(f"{pod}/status", {"status": {"conditions": conditions}})

    def never_ready(self, image: str) -> None:
        """Containers with this image never become ready."""
        wants_kwok(self._plane, f"a kubelet starts whatever the tag {BROKEN} is")
        self._images[image] = f"{image.rpartition(':')[0]}:{BROKEN}"

    def watch(self) -> None:
        """Forget what was counted, and begin to count."""
        with self._lock:
            active = list(filter(is_active, self._pods.values()))
            self._counted = {pod["metadata"]["uid"] for pod in active}
            self._taken: dict[str, None] = {}
            self._most = 0

    def most_down(self) -> int:
        """Most pods that were not serving at once since `watch`, of those that there were then."""
        return self._most

    def order(self) -> list[str]:
        """Names of the pods that were taken since `watch`, in order, each once."""
        return list(self._taken)

    def follow(self) -> None:
        """Follow the pods until the bed is cleared and the server ends it."""
        path, version = f"/api/v1/namespaces/{self._space}/pods", "0"
        while not self._is_over:
            for event in watch(self._server, path, version):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._note(event["object"], gone=event["type"] == "DELETED")

    def clear(self) -> None:
        """Remove what was made; the last of the pods end by and by."""
        self._is_over = True
        for path in self._sidecar_sets:
            self._api.delete(path)
        place = f"/api/v1/namespaces/{self._space}"
        self._api.delete(place)
        if self._sidecar_sets:
            # The next SidecarSet of that name would count them, in whichever namespace they are.
            until(
                "its pods end",
                lambda: not any(map(is_active, self._api.get(f"{place}/pods")["items"])),
            )

    def _rest(self) -> bool:
        before = self._last
        self._round_trip.go()
        with self._lock:
            pods, last = list(self._pods.values()), self._last
        if last != before or time.monotonic() - last <= self._quiet_s:
            return False
        # Kubelets are silent while they load an image, or wait for a container to end. Nothing is
        # broken on purpose where they are.
        return not self._has_kubelets or all(is_ready(it) and not is_leaving(it) for it in pods)

    def _note(self, pod: Object, *, gone: bool) -> None:
        if labels_of(pod).get("app") == OF_ROUND_TRIP:
            return
        with self._lock:
            name = name_of(pod)
            before, after = self._pods.get(name), None if gone else pod
            if gone:
                self._pods.pop(name, None)
            else:
                self._pods[name] = pod
            if pod["metadata"]["uid"] in self._counted and way_taken(before, after):
                self._taken[name] = None
            serving = sum(is_ready(it) and not is_leaving(it) for it in self._pods.values())
            self._most = max(self._most, len(self._counted) - serving)
            self._last = time.monotonic()

    def _change(self, pod: str, change: Mapping[str, Any]) -> None:
        self._api.merge(f"/api/v1/namespaces/{self._space}/pods/{pod}", dict(change))
        self._heard()

    def _heard(self) -> None:
        with self._lock:
            self._last = time.monotonic()

    def _translated(self, thing: Object, *, there: bool) -> dict[str, Any]:
        named = [*self._images.items(), (CONTRACTS, fleet.REGISTRY)]
        text = json.dumps(thing)
        # The way back is the other way round: a broken image has the registry in its name.
        for ours, theirs in named if there else reversed(named):
            text = text.replace(*((ours, theirs) if there else (theirs, ours)))
        translated: dict[str, Any] = json.loads(text)
        return translated


@contextmanager
def real_bed(plane: Plane, space: str) -> Iterator[RealBed]:
    """Make a bed in a namespace that did not exist before."""
    plane.admin.apply(*fleet.namespace(space))
    bed = RealBed(plane, space)
    Thread(target=_follow, args=(bed,), daemon=True).start()
    try:
        yield bed
    finally:
        bed.clear()


def _follow(bed: RealBed) -> None:
    # The plane is gone when the last test is over.
    try:
        bed.follow()
    except (OSError, RefusedError, ValueError):
        return
