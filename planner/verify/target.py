"""What the request wants of every workload and SidecarSet, and which pods differ from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from planner.verify.drains import NO_DRAINS, read_drains
from planner.verify.fleet import revision_hash
from planner.verify.images import ImageRules
from planner.verify.selector import matches, tells_kin_apart
from planner.verify.template import differences, in_place, overlay, plain

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence

    from planner.verify.drains import Drains
    from planner.verify.fleet import Fleet, SidecarSet, Workload, WorkloadKey
    from planner.verify.pods import Kin, Pod

_KRUISE_GROUP = "apps.kruise.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarChange:
    """A container of a SidecarSet whose image in a pod is not the wanted one."""

    sidecar_set: SidecarSet
    container: str
    image: str
    in_place: bool
    """Whether the SidecarSet's controller can change it in the running pod."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """How pods that are alike differ from the target."""

    images: Mapping[str, str]
    """Wanted images of containers of the workload's own template."""
    template: bool
    """Whether more than images differs between the pod's template and the target."""
    sidecars: Sequence[SidecarChange]
    leaves: bool = False
    """Whether they have to leave their nodes."""
    keeps_data: bool = False
    """Whether they have data there that no eviction may delete."""

    @property
    def of_application(self) -> bool:
        """Whether the workload itself has to move the pod."""
        return bool(self.images) or self.template


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Wanted templates, and the pods that differ from what is wanted."""

    templates: Mapping[WorkloadKey, Mapping[str, Any]]
    """Of every workload that the request names."""
    changes: Mapping[Pod, Change]
    """Of every pod that differs."""
    in_place_from: frozenset[tuple[WorkloadKey, str]]
    """Revisions, by hash, from which a pod gets to its workload's template without a new pod."""
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
    alike = _changes(fleet, image_rules, templates, from_manifest, sidecars)
    changes: dict[Pod, Change] = {}
    for pods, change in alike:
        changes.update(dict.fromkeys(pods, change))
    if drains.nodes:
        changes.update(_leaving(changes, drains, fleet))
    return Target(
        templates=templates,
        changes=changes,
        drains=drains,
        in_place_from=frozenset(
            (key, revision)
            for key, template in templates.items()
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
    sidecars: Mapping[Kin | Pod, tuple[SidecarChange, ...]],
) -> Iterator[tuple[Sequence[Pod], Change]]:
    """Compare every pod with its target; pods that are alike share one change."""
    differs = cache(partial(_template_differs, templates))
    known: dict[Hashable, Change] = {}
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
                yield own, change


def _by_sidecars(
    kin: Kin, pods: Sequence[Pod], sidecars: Mapping[Kin | Pod, tuple[SidecarChange, ...]]
) -> Iterator[tuple[Sequence[Pod], tuple[SidecarChange, ...]]]:
    """Pods of a kin by what changes of their sidecars."""
    told_apart: dict[tuple[SidecarChange, ...], list[Pod]] = {}
    if kin not in sidecars:
        for pod in pods:
            told_apart.setdefault(sidecars.get(pod, ()), []).append(pod)
        yield from ((own, injected) for injected, own in told_apart.items())
    else:
        yield pods, sidecars[kin]


def _leaving(
    changes: Mapping[Pod, Change], drains: Drains, fleet: Fleet
) -> Iterator[tuple[Pod, Change]]:
    """The changes of pods on drained nodes, with what else they need; those alike share one."""
    nothing_else = Change(images={}, template=False, sidecars=())
    known: dict[tuple[Change, bool], Change] = {}
    for pod in drains.leaving(fleet):
        change, keeps_data = changes.get(pod, nothing_else), drains.keep(pod)
        if (change, keeps_data) not in known:
            known[change, keeps_data] = replace(change, leaves=True, keeps_data=keeps_data)
        yield pod, known[change, keeps_data]


def _template_differs(
    templates: Mapping[WorkloadKey, Mapping[str, Any]], workload: Workload, revision: str
) -> bool:
    own = workload.revisions.get(revision) or workload.document["spec"]["template"]
    return any(True for _ in differences(plain(own), templates[workload.key]))


def _images(kin: Kin, template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = template["spec"]
    for field, running in (("containers", kin.images), ("initContainers", kin.init_images)):
        for container in spec.get(field) or ():
            if running.get(container["name"]) != container["image"]:
                yield container["name"], container["image"]


def _sidecar_changes(
    rules: Iterable[Mapping[str, Any]], fleet: Fleet
) -> dict[Kin | Pod, tuple[SidecarChange, ...]]:
    """What changes by kin; by pod, where selectors tell pods of a kin apart."""
    changes: dict[Kin | Pod, dict[str, SidecarChange]] = {}
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
            for each in sidecar_set.pods if apart else sidecar_set.kin:
                running = each.images.get(rule["container"]) or each.init_images.get(
                    rule["container"]
                )
                if running is not None and running != rule["to"]:
                    change = both[_in_running_pod(each, sidecar_set, rule["container"])]
                    changes.setdefault(each, {})[rule["container"]] = change
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
