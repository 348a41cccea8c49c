"""Looks at an object of which something changed, asks the rules, and writes what they say."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import Any

from planner.simulate.rules import advancedstatefulset, cloneset, daemonset, sidecarset
from planner.simulate.rules.actions import (
    Action,
    Create,
    Delete,
    Finish,
    Label,
    Revisions,
    UpdateInPlace,
    UpdateSidecars,
)
from planner.simulate.rules.budgets import protected_total
from planner.simulate.rules.pods import (
    Object,
    annotations_of,
    is_active,
    is_leaving,
    is_ready,
    labels_of,
    name_of,
    ready_since,
)
from planner.simulate.rules.selector import selects
from tests.controlplane.api import RefusedError
from tests.controlplane.standin import statuses, writes
from tests.controlplane.standin.kinds import (
    ADVANCED_STATEFUL_SET,
    CLONE_SET,
    NODE,
    POD,
    REVISION,
    SIDECAR_SET,
    UNAVAILABLE_BUDGET,
    Key,
)
from tests.controlplane.standin.link import MERGE, STRATEGIC, Link
from tests.controlplane.standin.newpods import RELATED_PUB, hashed, injected, new_pod
from tests.controlplane.standin.revisions import new_revision, read_history, revision_for
from tests.controlplane.standin.store import Store

_INSTANCE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_INSTANCE_LENGTH = 5


class Controllers:
    """The controllers of OpenKruise and their webhooks, as far as they concern pods.

    Every write is of the version that was read; what the server refuses ends the pass.
    """

    def __init__(
        self, store: Store, link: Link, *, random: Random, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._link = link
        self._random = random
        self._clock = clock

    def look(self, key: Key) -> bool:
        """Do one pass over an object; gives whether it has to be looked at again soon.

        Raises:
            RefusedError: the server does not take a write.
            OSError: the server does not answer.
        """
        thing = self._store.get(key)
        if thing is None or is_leaving(thing):
            return False
        if key.kind == SIDECAR_SET:
            return self._look_at_sidecar_set(key, thing)
        if key.kind == UNAVAILABLE_BUDGET:
            return self._look_at_budget(key, thing)
        return self._look_at_workload(key, thing)

    def _look_at_workload(self, key: Key, workload: Object) -> bool:
        revisions = self._revisions(key, workload)
        for pod in self._store.owned(workload, POD):
            left = writes.grace_left_s(pod, self._clock())
            if left is not None and left <= 0 and not is_leaving(pod):
                self._patch(pod, writes.end_grace(pod))
        pods, now = self._store.owned(workload, POD), self._clock()
        if key.kind == CLONE_SET:
            actions = cloneset.sync(workload, pods, revisions, now=now)
        elif key.kind == ADVANCED_STATEFUL_SET:
            actions = advancedstatefulset.sync(workload, pods, revisions, now=now)
        else:
            nodes = self._nodes_of(workload)
            actions = daemonset.sync(workload, pods, nodes, revisions, now=now)
        try:
            for action in actions:
                self._do(key, workload, revisions, action)
        finally:
            self._write_status(key, self._status(key, workload, revisions))
        return _waits_for_time(workload, pods, now)

    def _revisions(self, key: Key, workload: Object) -> Revisions:
        history = self._store.owned(workload, REVISION)
        found = revision_for(workload["spec"]["template"], history)
        number = 1 + max((each["revision"] for each in history), default=0)
        if found is None:
            found = self._create(
                REVISION.path(key.namespace), new_revision(key.kind, workload, number)
            )
            self._store.put(REVISION, found)
        elif found["revision"] < number - 1:
            # A former template is the newest revision once more. It is put, for a patch would write
            # its data anew, which may not change by a byte.
            path = REVISION.path(key.namespace, name_of(found))
            kind = {"apiVersion": REVISION.api_version, "kind": REVISION.name}
            found = self._link.send("PUT", path, {**kind, **found, "revision": number})
            self._store.put(REVISION, found)
        return read_history(workload, found, history)

    def _nodes_of(self, daemon_set: Object) -> list[Object]:
        wanted = daemon_set["spec"]["template"]["spec"].get("nodeSelector") or {}
        return [
            node
            for node in self._store.all(NODE)
            if selects({"matchLabels": wanted}, labels_of(node)) and not is_leaving(node)
        ]

    def _status(self, key: Key, workload: Object, revisions: Revisions) -> statuses.Status:
        pods, now = self._store.owned(workload, POD), self._clock()
        if key.kind == CLONE_SET:
            return statuses.clone_set_status(workload, pods, revisions, now)
        if key.kind == ADVANCED_STATEFUL_SET:
            return statuses.stateful_set_status(workload, pods, revisions, now)
        nodes = self._nodes_of(workload)
        return statuses.daemon_set_status(workload, pods, nodes, revisions, now)

    def _write_status(self, key: Key, status: statuses.Status) -> None:
        thing = self._store.get(key)
        if thing is None or thing.get("status") == status:
            return
        change = {"metadata": _version(thing), "status": status}
        written = self._link.send("PATCH", f"{key.path}/status", change, MERGE)
        self._store.put(key.kind, written)

    def _do(self, key: Key, workload: Object, revisions: Revisions, action: Action) -> None:
        if isinstance(action, Create):
            template = revisions.templates[action.revision]
            instance = "".join(self._random.choices(_INSTANCE_LETTERS, k=_INSTANCE_LENGTH))
            pod = new_pod(key.kind, workload, template, action, instance)
            sets = map(hashed, self._store.all(SIDECAR_SET))
            made = self._protected(injected(pod, sets, self._time()), workload)
            self._store.put(POD, self._create(POD.path(key.namespace), made))
            return
        assert isinstance(action, (Delete, UpdateInPlace, Finish, Label))
        live = self._store.get(Key(POD, key.namespace, action.pod))
        if live is None:
            return
        match action:
            case Delete():
                self._delete(live)
            case UpdateInPlace():
                begun = writes.begin_update(live, name_of(workload), action, self._time())
                self._patch(live, begun)
            case Finish():
                self._patch(live, writes.finish_update(live, self._time()))
            case Label():
                self._patch(live, writes.label(action.labels, self._time()))

    def _protected(self, pod: dict[str, Any], workload: Object) -> dict[str, Any]:
        """Say which PodUnavailableBudget a new pod is under (webhook of pods)."""
        for budget in self._store.all(UNAVAILABLE_BUDGET):
            same = budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
            if same and _covers(budget, pod, workload):
                annotations = {**annotations_of(pod), RELATED_PUB: name_of(budget)}
                return {**pod, "metadata": {**pod["metadata"], "annotations": annotations}}
        return pod

    def _look_at_sidecar_set(self, key: Key, sidecar_set: Object) -> bool:
        wanted = hashed(sidecar_set)
        if annotations_of(wanted) != annotations_of(sidecar_set):
            # What the webhook does as the object is written happens here a moment later.
            metadata = {**_version(sidecar_set), "annotations": annotations_of(wanted)}
            sidecar_set = self._link.send("PATCH", key.path, {"metadata": metadata}, MERGE)
            self._store.put(key.kind, sidecar_set)
        for action in sidecarset.sync(sidecar_set, self._store.all(POD)):
            assert isinstance(action, UpdateSidecars)
            pod = self._store.get(Key(POD, action.namespace, action.pod))
            if pod is not None:
                self._patch(pod, writes.update_sidecars(pod, action, self._time()))
        self._write_status(key, statuses.sidecar_set_status(sidecar_set, self._store.all(POD)))
        return False

    def _look_at_budget(self, key: Key, budget: Object) -> bool:
        workload_of = self._store.workload_of
        pods = [
            pod
            for pod in self._store.pods_in(key.namespace)
            if _covers(budget, pod, workload_of(pod))
        ]
        for pod in filter(is_active, pods):
            if annotations_of(pod).get(RELATED_PUB) != key.name:
                metadata = {"annotations": {RELATED_PUB: key.name}}
                self._patch(pod, iter([writes.Patch(change={"metadata": metadata})]))
        total = protected_total(budget)
        if total is None:
            total = self._replicas_of(pods)
        self._write_status(key, statuses.unavailable_budget_status(budget, pods, total))
        return False

    def _replicas_of(self, pods: Iterable[Object]) -> int:
        workloads = {
            each["metadata"]["uid"]: each for each in map(self._store.workload_of, pods) if each
        }
        return sum(each["spec"].get("replicas") or 0 for each in workloads.values())

    def _create(self, path: str, manifest: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._link.send("POST", path, manifest)
        return made

    def _delete(self, pod: Object) -> None:
        key = Key(POD, pod["metadata"]["namespace"], name_of(pod))
        uid = {"preconditions": {"uid": pod["metadata"]["uid"]}}
        left = self._link.send("DELETE", key.path, uid)
        if left.get("kind") == "Pod":
            self._store.put(POD, left)

    def _patch(self, pod: Object, patches: Iterator[writes.Patch]) -> None:
        for patch in patches:
            pod = self._patched(pod, patch)
            self._store.put(POD, pod)

    def _patched(self, pod: Object, patch: writes.Patch, tries: int = 4) -> dict[str, Any]:
        """Write a pod; its kubelet writes it too, so what conflicts is read and written again.

        Source: openkruise/kruise pkg/util/inplaceupdate/inplace_update.go, updatePodInPlace, and
        pkg/controller/sidecarset/sidecarset_processor.go, updatePodSidecarAndHash: both retry on
        conflict, `retry.DefaultBackoff`, four times.
        """
        key = Key(POD, pod["metadata"]["namespace"], name_of(pod))
        change = {**patch.change, "metadata": {**patch.change.get("metadata", {}), **_version(pod)}}
        path = f"{key.path}/status" if patch.status else key.path
        try:
            written: dict[str, Any] = self._link.send("PATCH", path, change, STRATEGIC)
        except RefusedError as error:
            if error.status != HTTPStatus.CONFLICT or tries == 1:
                raise
            # Of another pod of that name the uid that is written is not that of the server.
            version = self._link.get(key.path)["metadata"]["resourceVersion"]
            again = {**pod, "metadata": {**pod["metadata"], "resourceVersion": version}}
            return self._patched(again, patch, tries - 1)
        return written

    def _time(self) -> str:
        return datetime.fromtimestamp(int(self._clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _covers(budget: Object, pod: Object, workload: Object | None) -> bool:
    """Whether a pod of a workload is under a PodUnavailableBudget; its target comes first."""
    target = budget["spec"].get("targetRef")
    if target is None:
        return selects(budget["spec"].get("selector"), labels_of(pod))
    if workload is None or (workload["kind"], name_of(workload)) != (
        target["kind"],
        target["name"],
    ):
        return False
    groups = {each["apiVersion"].partition("/")[0] for each in (workload, target)}
    return len(groups) == 1


def _version(thing: Object) -> dict[str, str]:
    """Says of which version a change is: another one is refused."""
    metadata = thing["metadata"]
    return {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}


def _waits_for_time(workload: Object, pods: Sequence[Object], now: float) -> bool:
    """Whether something comes without an event: the end of a grace period, availability."""
    spec = workload["spec"]
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    min_ready_s = spec.get("minReadySeconds") or rolling.get("minReadySeconds") or 0
    return any(
        writes.grace_left_s(pod, now) is not None
        or (is_ready(pod) and ready_since(pod) + min_ready_s > now)
        for pod in pods
    )
