"""What the workloads and SidecarSets of a plan are to become."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from planner.simulate.cluster import Cluster, Key
from planner.simulate.rules.pods import Object, images_of
from planner.simulate.write import changed

Move = Mapping[str, Any]
"""A move as `planner show -o jsonl` writes it."""


def workload_key(move: Move) -> Key:
    """The workload of a move."""
    workload = move["workload"]
    return Key(workload["kind"], move["namespace"], workload["name"])


def templates_of(
    cluster: Cluster, moves: Iterable[Move], request: Mapping[str, Any]
) -> dict[Key, Object]:
    """The wanted template of every workload that has a move: its manifest, and the new images."""
    images: dict[Key, dict[str, str]] = {}
    for move in moves:
        images.setdefault(workload_key(move), {}).update(move["containers"])
    manifests = (request["spec"].get("target") or {}).get("manifests") or ()
    wanted = {_manifest_key(each): each["spec"]["template"] for each in manifests}
    templates: dict[Key, Object] = {}
    for key, its in images.items():
        template = cluster.objects[key]["spec"]["template"]
        if key in wanted:
            template = _overlaid(template, wanted[key])
        templates[key] = _with_images(template, its)
    return templates


def awaited_images(pod: Object, move: Move, own: AbstractSet[str]) -> dict[str, str]:
    """Images that the containers of the application have when a pod has moved."""
    return {
        name: move["containers"].get(name, image)
        for name, image in images_of(pod).items()
        if name in own
    }


def sidecars_of(cluster: Cluster, request: Mapping[str, Any]) -> dict[Key, dict[str, str]]:
    """New image by container of each SidecarSet that the request changes."""
    wanted: dict[Key, dict[str, str]] = {}
    for rule in (request["spec"].get("target") or {}).get("sidecars") or ():
        key = Key("SidecarSet", "", rule["sidecarSet"])
        if key in cluster.objects:
            wanted.setdefault(key, {})[rule["container"]] = rule["to"]
    return wanted


def container_names(template: Object) -> frozenset[str]:
    """Names of every container of a template."""
    spec = template["spec"]
    both = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return frozenset(each["name"] for each in both)


def _manifest_key(manifest: Mapping[str, Any]) -> Key:
    kind = manifest["kind"]
    if manifest["apiVersion"].startswith("apps.kruise.io/") and kind != "CloneSet":
        kind = f"Advanced{kind}"
    metadata = manifest["metadata"]
    return Key(kind, metadata.get("namespace", "default"), metadata["name"])


def _with_images(template: Object, images: Mapping[str, str]) -> Object:
    fields = {
        field: [
            {**each, "image": images.get(each["name"], each["image"])}
            for each in template["spec"][field]
        ]
        for field in ("containers", "initContainers")
        if field in template["spec"]
    }
    return changed(template, "spec", **fields)


def _overlaid(observed: Any, desired: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Lay a manifest over what the API server has: what it leaves out stays, but for lists."""
    if isinstance(observed, Mapping) and isinstance(desired, Mapping):
        return {**observed, **{key: _overlaid(observed.get(key), desired[key]) for key in desired}}
    named = isinstance(desired, list) and all(
        isinstance(each, Mapping) and "name" in each for each in desired
    )
    if named and isinstance(observed, list):
        by_name = {each["name"]: each for each in observed if "name" in each}
        return [_overlaid(by_name.get(each["name"], {}), each) for each in desired]
    return desired
