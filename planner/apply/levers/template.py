"""What the workloads of a plan are to become."""

from collections.abc import Mapping
from typing import Any, Final

from planner.apply.levers.held import HELD, RUN, WROTE, Object, annotations_of, spec_with

_LISTS: Final = ("containers", "initContainers")


def with_images(thing: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Give the containers of a workload's template these images."""
    template = thing["spec"]["template"]
    return spec_with(thing, template={**template, "spec": _imaged(template["spec"], images)})


def sidecars_with_images(thing: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Give the containers of a SidecarSet these images."""
    return {**thing, "spec": _imaged(thing["spec"], images)}


def images_of(thing: Object) -> dict[str, str]:
    """Image by container of a workload's template, or of a SidecarSet."""
    spec = thing["spec"]
    spec = spec["template"]["spec"] if "template" in spec else spec
    each = (container for key in _LISTS for container in spec.get(key) or ())
    return {container["name"]: container.get("image", "") for container in each}


def with_manifest(thing: Object, manifest: Object) -> dict[str, Any]:
    """Lay a manifest over the object, as `kubectl apply` would; what it leaves out stays.

    The fields that a run holds stay as it holds them. It may be of another version than the object.
    """
    spec = _overlaid(thing["spec"], _spec_in(thing["apiVersion"], manifest))
    if HELD in annotations_of(thing):
        spec = {**spec, **{key: thing["spec"][key] for key in thing["spec"] if key in _HELD}}
    laid = {**thing, "spec": spec}
    metadata = manifest.get("metadata") or {}
    for part in ("labels", "annotations"):
        if part in metadata:
            own = {
                key: text for key, text in metadata[part].items() if key not in (HELD, RUN, WROTE)
            }
            merged = {**(laid["metadata"].get(part) or {}), **own}
            laid = {**laid, "metadata": {**laid["metadata"], part: merged}}
    return laid


# Every field of a spec that a lever sets.
_HELD: Final = (
    "minReadySeconds",
    "paused",
    "progressDeadlineSeconds",
    "strategy",
    "updateStrategy",
)


def _spec_in(version: str, manifest: Object) -> dict[str, Any]:
    """The spec of a manifest as a version of the API has it; only of CloneSets it differs.

    Source: openkruise/kruise apis/apps/v1alpha1/cloneset_conversion.go.
    """
    spec, written = manifest.get("spec") or {}, manifest.get("apiVersion", version)
    update = spec.get("updateStrategy")
    if written == version or manifest["kind"] != "CloneSet" or not update:
        return dict(spec)
    convert = _flat if version.endswith("/v1alpha1") else _nested
    return {**spec, "updateStrategy": convert(update)}


def _flat(update: Object) -> dict[str, Any]:
    """A strategy of v1beta1 as v1alpha1 has it, whose `type` is the pods' update policy."""
    if update.get("type") == "OnDelete":
        return {"type": "OnDelete"}
    fields = dict(update.get("rollingUpdate") or {})
    policy = fields.pop("podUpdatePolicy", None)
    return {"type": policy, **fields} if policy else fields


def _nested(update: Object) -> dict[str, Any]:
    """The other way round."""
    if update.get("type") == "OnDelete":
        return {"type": "OnDelete"}
    fields = dict(update)
    policy = fields.pop("type", None)
    rolling = {"podUpdatePolicy": policy, **fields} if policy else fields
    return {"type": "RollingUpdate", "rollingUpdate": rolling}


def _imaged(spec: Object, images: Mapping[str, str]) -> dict[str, Any]:
    changed = {
        key: [
            {**each, "image": images[each["name"]]} if each["name"] in images else each
            for each in spec[key]
        ]
        for key in _LISTS
        if spec.get(key)
    }
    return {**spec, **changed}


def _overlaid(live: Any, desired: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Maps key by key, lists of named things by their name in the order of the manifest."""
    if isinstance(live, Mapping) and isinstance(desired, Mapping):
        return {**live, **{key: _overlaid(live.get(key), desired[key]) for key in desired}}
    named = isinstance(desired, list) and all(
        isinstance(each, Mapping) and "name" in each for each in desired
    )
    if named and isinstance(live, list):
        by_name = {each["name"]: each for each in live if "name" in each}
        return [_overlaid(by_name.get(each["name"], {}), each) for each in desired]
    return desired
