"""What the request wants of every workload and SidecarSet, and which pods differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from planner.verify.drains import NO_DRAINS, read_drains
from planner.verify.fleet import revision_hash
from planner.verify.images import ImageRules
from planner.verify.pods import Pod
from planner.verify.selector import matches, tells_kin_apart
from planner.verify.table import Pods
from planner.verify.template import in_place, overlay, plain

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable, Iterator

    from planner.verify.columns import Ints
    from planner.verify.drains import Drains
    from planner.verify.fleet import Fleet, SidecarSet, Workload, WorkloadKey
    from planner.verify.pods import Kin
    from planner.verify.table import Table

_T = TypeVar("_T")

_KRUISE_GROUP = "apps.kruise.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarChange:
    """A container of a SidecarSet whose image in a pod is not the wanted one."""

    sidecar_set: SidecarSet
    container: str
    image: str
    in_place: bool
    """Whether the SidecarSet's controller can change it in the running pod."""


Injected = tuple[SidecarChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecars:
    """What changes of the sidecars of pods."""

    of_kin: Mapping[Kin, Injected]
    of_pod: Mapping[Pod, Injected]
    """Where selectors tell pods of a kin apart; else there is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """How pods that are alike differ from the target."""

    images: Mapping[str, str]
    """Wanted images of containers of the workload's own template."""
    template: bool
    """Whether more than images differs between the pod's template and the target."""
    sidecars: Injected
    leaves: bool = False
    """Whether they have to leave their nodes."""
    keeps_data: bool = False
    """Whether they have data there that no eviction may delete."""

    @property
    def of_application(self) -> bool:
        """Whether the workload itself has to move the pod."""
        return bool(self.images) or self.template


class Changes(Mapping[Pod, Change]):
    """The change of every pod that differs."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.codes: Ints = np.full(len(table), -1, np.int64)
        """Of each row of the table the place of its change among all; -1 for none."""
        self.all: list[Change] = []

    def add(self, pods: Pods, change: Change) -> None:
        """Say that these pods differ in this way, and in no other."""
        self.codes[pods.rows] = len(self.all)
        self.all.append(change)

    def rows(self) -> Ints:
        """The pods that differ, by their rows."""
        return np.flatnonzero(self.codes >= 0)

    def __getitem__(self, pod: Pod) -> Change:
        code = int(self.codes[pod.row])
        if code < 0:
            raise KeyError(pod)
        return self.all[code]

    def __iter__(self) -> Iterator[Pod]:
        return map(self._table.__getitem__, self.rows().tolist())

    def __len__(self) -> int:
        return len(self.rows())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Wanted templates, and the pods that differ from what is wanted."""

    templates: Mapping[WorkloadKey, Mapping[str, Any]]
    """Of every workload that the request names."""
    changes: Changes
    in_place_from: frozenset[tuple[WorkloadKey, str]]
    """Revisions, by hash, from which a pod gets to its workload's template without a new pod.

    Of workloads whose controllers ever let a pod stay.
    """
    drains: Drains = NO_DRAINS


def read_target(request: Mapping[str, Any], fleet: Fleet) -> Target:
    """Work out what the request asks for.

    Workloads that no rule of the request names stay as they are, whatever their pods run: the
    request says what becomes of them, and it does not speak of them.
    """
    target = request["spec"].get("target") or {}
    templates: dict[WorkloadKey, Mapping[str, Any]] = {}
    from_manifest: set[WorkloadKey] = set()
    manifests = _manifests(target, request["spec"])
    image_rules = ImageRules(target.get("images") or ())
    for workload in fleet.workloads.values():
        key = workload.key
        manifest = manifests.get((key.namespace, key.kind, key.name))
        template = plain(workload.document["spec"]["template"])
        if manifest is not None:
            template = plain(overlay(template, plain(manifest["spec"]["template"])))
            from_manifest.add(key)
        images = image_rules.wanted(key, template)
        if manifest is not None or images:
            templates[key] = _with_images(template, images)
    sidecars = _sidecar_changes(target.get("sidecars") or (), fleet)
    drains = read_drains(target.get("drain") or (), fleet.observed)
    changes = Changes(fleet.table)
    for change, pods in _changes(fleet, image_rules, templates, from_manifest, sidecars).items():
        changes.add(Pods.joined(fleet.table, pods), change)
    if drains.nodes:
        for leaving, rows in _leaving(changes, drains, fleet).items():
            changes.add(fleet.table.some(rows), leaving)
    return Target(
        templates=templates,
        changes=changes,
        drains=drains,
        in_place_from=frozenset(
            (key, revision)
            for key, template in templates.items()
            if fleet.workloads[key].strategy.pod_policy != "ReCreate"
            for revision, own in fleet.workloads[key].revisions.items()
            if in_place(own, template)
        ),
    )


def _manifests(*holders: Mapping[str, Any]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Whole workloads that the request wants by namespace, kind and name; the first counts."""
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for manifest in (each for holder in holders for each in holder.get("manifests") or ()):
        if isinstance(manifest, dict):
            kind, metadata = manifest["kind"], manifest["metadata"]
            if manifest["apiVersion"].startswith(_KRUISE_GROUP) and kind != "CloneSet":
                kind = f"Advanced{kind}"
            place = (metadata.get("namespace") or "default", kind, metadata["name"])
            found.setdefault(place, manifest)
    return found


def _with_images(template: Mapping[str, Any], images: Mapping[str, str]) -> Mapping[str, Any]:
    spec = dict(template["spec"])
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [
                {**each, "image": images.get(each["name"], each["image"])} for each in spec[field]
            ]
    return {**template, "spec": spec}


def _changes(
    fleet: Fleet,
    image_rules: ImageRules,
    templates: Mapping[WorkloadKey, Mapping[str, Any]],
    from_manifest: Container[WorkloadKey],
    sidecars: Sidecars,
) -> dict[Change, list[Pods]]:
    """Compare every pod with its target; pods that are alike share one change."""
    differs = cache(partial(_template_differs, templates))
    known: dict[Hashable, Change] = {}
    found: dict[Change, list[Pods]] = {}
    for kin, pods in fleet.kin.items():
        workload = owner = fleet.workload_of_kin.get(kin)
        if workload is not None and workload.key not in templates:
            workload = None
        whole = (
            workload is not None
            and workload.key in from_manifest
            and differs(workload, revision_hash(kin))
        )
        for own, injected in _by_sidecars(kin, pods, sidecars):
            # Pods share their images with all that have the same spec.
            alike = (owner, id(kin.images), id(kin.init_images), whole, injected)
            change = known.get(alike)
            if change is None:
                if owner is None:
                    images = image_rules.wanted_alone(kin)
                else:
                    images = {} if workload is None else dict(_images(kin, templates[workload.key]))
                change = Change(images=images, template=whole, sidecars=injected)
                known[alike] = change
            if change.of_application or change.sidecars:
                found.setdefault(change, []).append(own)
    return found


def _by_sidecars(kin: Kin, pods: Pods, sidecars: Sidecars) -> Iterator[tuple[Pods, Injected]]:
    """Pods of a kin by what changes of their sidecars."""
    if not sidecars.of_pod:
        yield pods, sidecars.of_kin.get(kin, ())
        return
    told_apart: dict[Injected, list[int]] = {}
    for pod in pods:
        told_apart.setdefault(sidecars.of_pod.get(pod, ()), []).append(pod.row)
    yield from ((pods.table.some(own), injected) for injected, own in told_apart.items())


def _leaving(changes: Changes, drains: Drains, fleet: Fleet) -> dict[Change, list[int]]:
    """The changes of pods on drained nodes, with what else they need; those alike share one."""
    nothing_else = Change(images={}, template=False, sidecars=())
    known: dict[tuple[Change, bool], Change] = {}
    found: dict[Change, list[int]] = {}
    for pod in drains.leaving(fleet):
        change, keeps_data = changes.get(pod, nothing_else), drains.keep(pod)
        if (change, keeps_data) not in known:
            known[change, keeps_data] = replace(change, leaves=True, keeps_data=keeps_data)
        found.setdefault(known[change, keeps_data], []).append(pod.row)
    return found


def _template_differs(
    templates: Mapping[WorkloadKey, Mapping[str, Any]], workload: Workload, revision: str
) -> bool:
    own = workload.revisions.get(revision) or workload.document["spec"]["template"]
    return bool(plain(own) != templates[workload.key])


def _images(kin: Kin, template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = template["spec"]
    for field, running in (("containers", kin.images), ("initContainers", kin.init_images)):
        for container in spec.get(field) or ():
            if running.get(container["name"]) != container["image"]:
                yield container["name"], container["image"]


def _sidecar_changes(rules: Iterable[Mapping[str, Any]], fleet: Fleet) -> Sidecars:
    """What changes by kin; by pod, where selectors tell pods of a kin apart."""
    of_kin: dict[Any, dict[str, SidecarChange]] = {}
    of_pod: dict[Any, dict[str, SidecarChange]] = {}
    apart = any(map(_tells_kin_apart, fleet.sidecar_sets.values()))
    for rule in rules:
        for sidecar_set in fleet.sidecar_sets.values():
            if sidecar_set.name != rule["sidecarSet"] or rule.get("cluster") not in (
                None,
                sidecar_set.cluster,
            ):
                continue
            both = [
                SidecarChange(
                    sidecar_set=sidecar_set,
                    container=rule["container"],
                    image=rule["to"],
                    in_place=in_place,
                )
                for in_place in (False, True)
            ]
            changes = of_pod if apart else of_kin
            for each in sidecar_set.pods if apart else sidecar_set.kin:
                running = each.images.get(rule["container"]) or each.init_images.get(
                    rule["container"]
                )
                if running is not None and running != rule["to"]:
                    change = both[_in_running_pod(each, sidecar_set, rule["container"])]
                    changes.setdefault(each, {})[rule["container"]] = change
    return Sidecars(of_kin=_as_tuples(of_kin), of_pod=_as_tuples(of_pod))


def _as_tuples(changes: Mapping[_T, Mapping[str, SidecarChange]]) -> dict[_T, Injected]:
    return {each: tuple(by_container.values()) for each, by_container in changes.items()}


def _tells_kin_apart(sidecar_set: SidecarSet) -> bool:
    update = sidecar_set.spec.get("updateStrategy") or {}
    return any(map(tells_kin_apart, (sidecar_set.spec.get("selector"), update.get("selector"))))


def _in_running_pod(pod: Kin | Pod, sidecar_set: SidecarSet, container: str) -> bool:
    """Whether a SidecarSet's controller changes this container without a new pod."""
    update = sidecar_set.spec.get("updateStrategy") or {}
    # Init containers take part in the hash but are never patched
    # (sidecarset_processor.go, updatePodSidecarContainer).
    return (
        container in pod.images
        and update.get("type") != "NotUpdate"
        and not update.get("paused")
        and matches(update.get("selector") or {}, pod.labels)
        and sidecar_set.upgradable(pod)
    )
