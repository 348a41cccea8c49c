"""What the request wants of every workload and SidecarSet, and which pods differ from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.verify.fleet import Workload, WorkloadKey
from planner.verify.selector import matches
from planner.verify.template import differences, in_place, overlay, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.fleet import Fleet, SidecarSet
    from planner.verify.observed import Pod

_KRUISE_GROUP = "apps.kruise.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarChange:
    """A container of a SidecarSet whose image in a pod is not the wanted one."""

    sidecar_set: SidecarSet
    container: str
    image: str
    in_place: bool
    """Whether the SidecarSet's controller can change it in the running pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one pod differs from the target."""

    images: Mapping[str, str]
    """Wanted images of containers of the workload's own template."""
    template: bool
    """Whether more than images differs between the pod's template and the target."""
    sidecars: Sequence[SidecarChange]

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


def read_target(request: Mapping[str, Any], fleet: Fleet) -> Target:
    """Work out what the request asks for.

    Workloads that no rule of the request names stay as they are, whatever their pods run: the
    request says what becomes of them, and it does not speak of them.
    """
    target = request["spec"].get("target") or {}
    templates: dict[WorkloadKey, Mapping[str, Any]] = {}
    from_manifest: set[WorkloadKey] = set()
    manifests = [*_manifests(target), *_manifests(request["spec"])]
    for workload in fleet.workloads.values():
        manifest = _manifest_of(workload.key, manifests)
        template = plain(workload.document["spec"]["template"])
        if manifest is not None:
            template = plain(overlay(template, plain(manifest["spec"]["template"])))
            from_manifest.add(workload.key)
        images = wanted_images(workload.key, template, target.get("images") or ())
        if manifest is not None or images:
            templates[workload.key] = _with_images(template, images)
    sidecars = _sidecar_changes(target.get("sidecars") or (), fleet)
    changes: dict[Pod, Change] = {}
    for pod in fleet.pods:
        if pod in fleet.workload_of:
            change = _change(pod, fleet, templates, from_manifest, sidecars.get(pod, ()))
        else:
            alone = _images_alone(pod, target.get("images") or ())
            change = Change(images=alone, template=False, sidecars=sidecars.get(pod, ()))
        if change.of_application or change.sidecars:
            changes[pod] = change
    return Target(
        templates=templates,
        changes=changes,
        in_place_from=frozenset(
            (key, revision)
            for key, template in templates.items()
            for revision, own in fleet.workloads[key].revisions.items()
            if in_place(own, template)
        ),
    )


def repository_of(image: str) -> str:
    """An image without tag and digest; a colon before the last slash is a registry's port."""
    name = image.partition("@")[0]
    directory, slash, last = name.rpartition("/")
    return directory + slash + last.partition(":")[0]


def wanted_images(
    key: WorkloadKey, template: Mapping[str, Any], rules: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Wanted image by name of container that a rule names; of several rules the last counts."""
    wanted: dict[str, str] = {}
    spec = template.get("spec") or {}
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    for rule in rules:
        for container in containers:
            if _rule_names(rule, key, container):
                wanted[container["name"]] = rule["to"]
    return wanted


def _images_alone(pod: Pod, rules: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Wanted images of a pod that no known workload owns: rules that name a repository only."""
    return {
        container: rule["to"]
        for rule in rules
        if "from" in rule
        for container, image in pod.images.items()
        if rule["from"] == repository_of(image) and rule["to"] != image
    }


def refers(reference: Mapping[str, Any], key: WorkloadKey) -> bool:
    """Whether a reference of the request names this workload; what it leaves out is any."""
    return all(
        reference.get(field) in (None, value)
        for field, value in zip(WorkloadKey._fields, key, strict=True)
    )


def _rule_names(rule: Mapping[str, Any], key: WorkloadKey, container: Mapping[str, Any]) -> bool:
    if "workload" in rule and not refers(rule["workload"], key):
        return False
    if "container" in rule and rule["container"] != container["name"]:
        return False
    return "from" not in rule or rule["from"] in (
        container["image"],
        repository_of(container["image"]),
    )


def _manifests(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in holder.get("manifests") or () if isinstance(each, dict)]


def _manifest_of(
    key: WorkloadKey, manifests: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    for manifest in manifests:
        kind = manifest["kind"]
        if manifest["apiVersion"].startswith(_KRUISE_GROUP) and kind != "CloneSet":
            kind = f"Advanced{kind}"
        metadata = manifest["metadata"]
        named = (metadata.get("namespace") or "default", kind, metadata["name"])
        if named == key[1:]:
            return manifest
    return None


def _with_images(template: Mapping[str, Any], images: Mapping[str, str]) -> Mapping[str, Any]:
    spec = dict(template["spec"])
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [
                {**each, "image": images.get(each["name"], each["image"])} for each in spec[field]
            ]
    return {**template, "spec": spec}


def _change(
    pod: Pod,
    fleet: Fleet,
    templates: Mapping[WorkloadKey, Mapping[str, Any]],
    from_manifest: set[WorkloadKey],
    sidecars: Sequence[SidecarChange],
) -> Change:
    workload = fleet.workload_of[pod]
    if workload.key not in templates:
        return Change(images={}, template=False, sidecars=sidecars)
    template = templates[workload.key]
    whole = workload.key in from_manifest and _template_differs(pod, workload, template)
    return Change(images=dict(_images(pod, template)), template=whole, sidecars=sidecars)


def _template_differs(pod: Pod, workload: Workload, target: Mapping[str, Any]) -> bool:
    own = workload.own_template(pod) or workload.document["spec"]["template"]
    return any(True for _ in differences(plain(own), target))


def _images(pod: Pod, template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = template["spec"]
    for field, running in (("containers", pod.images), ("initContainers", pod.init_images)):
        for container in spec.get(field) or ():
            if running.get(container["name"]) != container["image"]:
                yield container["name"], container["image"]


def _sidecar_changes(
    rules: Iterable[Mapping[str, Any]], fleet: Fleet
) -> dict[Pod, list[SidecarChange]]:
    changes: dict[Pod, dict[str, SidecarChange]] = {}
    for rule in rules:
        for sidecar_set in fleet.sidecar_sets.values():
            if sidecar_set.name != rule["sidecarSet"] or rule.get("cluster") not in (
                None,
                sidecar_set.cluster,
            ):
                continue
            for pod in sidecar_set.pods:
                change = _sidecar_change(pod, sidecar_set, rule["container"], rule["to"])
                if change is not None:
                    changes.setdefault(pod, {})[rule["container"]] = change
    return {pod: list(by_container.values()) for pod, by_container in changes.items()}


def _sidecar_change(
    pod: Pod, sidecar_set: SidecarSet, container: str, image: str
) -> SidecarChange | None:
    running = pod.images.get(container) or pod.init_images.get(container)
    if running is None or running == image:
        return None
    update = sidecar_set.spec.get("updateStrategy") or {}
    return SidecarChange(
        sidecar_set=sidecar_set,
        container=container,
        image=image,
        # Init containers take part in the hash but are never patched
        # (sidecarset_processor.go, updatePodSidecarContainer).
        in_place=container in pod.images
        and update.get("type") != "NotUpdate"
        and not update.get("paused")
        and matches(update.get("selector") or {}, pod.labels)
        and sidecar_set.upgradable(pod),
    )
