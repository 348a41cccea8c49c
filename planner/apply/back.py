"""The way back: a request that wants what was there before, under the same budgets."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from planner.apply.course import Place
from planner.apply.tail import Images
from planner.errors import UsageError

_LEFT = frozenset(
    ("target", "stages", "sequences", "dependencies", "start", "deadline", "windows", "freezes")
)
"""What a way back says otherwise, or not at all."""


def back_request(request: Mapping[str, Any], moved: Images, before: Images) -> dict[str, Any]:
    """Give the request of the way back.

    Budgets, gangs and exclusions are those of the way there. Who waited for another goes before it
    now. There are no stages and sequences, and no windows and freezes: what is being left is what
    is not wanted, and nobody waits for a night to leave it.

    Args:
        request: of the plan that was carried out.
        moved: image by container of every workload that it moved.
        before: image by container of every workload and SidecarSet before it.

    Raises:
        UsageError: it brought whole manifests, whose former state the log does not keep in full.
    """
    spec = request["spec"]
    target = spec.get("target") or {}
    if target.get("manifests"):
        raise UsageError(
            "the plan brought whole manifests, and the log keeps no secrets to bring the former "
            "ones back; plan with the former manifests instead"
        )
    back: dict[str, Any] = {
        "images": list(_images(moved, before)),
        "sidecars": list(_sidecars(target.get("sidecars") or (), before)),
    }
    made = deepcopy(dict(request))
    made["metadata"] = {**request["metadata"], "name": f"back-from-{request['metadata']['name']}"}
    made["spec"] = {key: value for key, value in spec.items() if key not in _LEFT}
    made["spec"]["target"] = {key: value for key, value in back.items() if value}
    if dependencies := list(_turned(spec.get("dependencies") or ())):
        made["spec"]["dependencies"] = dependencies
    return made


def _images(moved: Images, before: Images) -> Iterable[dict[str, Any]]:
    for place, images in sorted(moved.items()):
        for container in sorted(images):
            if former := before.get(place, {}).get(container):
                workload = {
                    "cluster": place.cluster,
                    "kind": place.kind,
                    "namespace": place.namespace,
                    "name": place.name,
                }
                yield {"workload": workload, "container": container, "to": former}


def _sidecars(rules: Iterable[Mapping[str, Any]], before: Images) -> Iterable[dict[str, Any]]:
    """One rule for each; a set that ran different images in different clusters has no way back."""
    for rule in rules:
        name, container = rule["sidecarSet"], rule["container"]
        formers = {
            images[container]
            for place, images in before.items()
            if place.kind == "SidecarSet" and place.name == name and container in images
        }
        if len(formers) > 1:
            raise UsageError(
                f"SidecarSet {name} ran different images in different clusters before "
                f"({', '.join(sorted(formers))}); plan the way back cluster by cluster"
            )
        for former in formers:
            yield {"sidecarSet": name, "container": container, "to": former}


def _turned(dependencies: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for dependency in dependencies:
        for first in dependency["after"]:
            yield {"workload": first, "after": [dependency["workload"]]}


def read_images(found: Iterable[tuple[Iterable[str], Mapping[str, str]]]) -> Images:
    """Read what the core tells of images."""
    return {Place(*place): images for place, images in found}
