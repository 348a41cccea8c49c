"""The kinds of OpenKruise in the version that a cluster serves; tests write them in v1beta1."""

from http import HTTPStatus
from typing import Final

from tests.controlplane.api import Api, RefusedError
from tests.controlplane.fleet import KRUISE, Manifest

VERSIONS: Final = ("v1beta1", "v1alpha1")
"""That the planner reads, the one that it would rather have first."""


def served(api: Api, group: str, plural: str) -> str | None:
    """The version in which a kind is read and written; None where it is served in neither."""
    return next((it for it in VERSIONS if plural in _plurals(api, f"/apis/{group}/{it}")), None)


def _plurals(api: Api, path: str) -> set[str]:
    try:
        return {each["name"] for each in api.get(path)["resources"]}
    except RefusedError as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return set()


def as_served(api: Api, path: str, manifest: Manifest) -> tuple[str, Manifest]:
    """Path and manifest in the version that is served; as they are where neither is, yet."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    plurals = {kind: plural for plural, kind in KRUISE.get(group, {}).items()}
    plural = plurals.get(manifest["kind"])
    if plural is None or served(api, group, plural) in (None, version):
        return path, manifest
    return path.replace(f"/{group}/{version}/", f"/{group}/{VERSIONS[1]}/"), elder(manifest)


def elder(manifest: Manifest) -> Manifest:
    """A manifest of v1beta1 as v1alpha1 has it: of those of tests only CloneSets' specs differ."""
    spec = manifest["spec"]
    update = spec.get("updateStrategy")
    if manifest["kind"] == "CloneSet" and update:
        flat = dict(update.get("rollingUpdate") or {})
        policy = flat.pop("podUpdatePolicy", "ReCreate")
        kind = "OnDelete" if update.get("type") == "OnDelete" else policy
        spec = {**spec, "updateStrategy": {**flat, "type": kind}}
    group = manifest["apiVersion"].rpartition("/")[0]
    return {**manifest, "apiVersion": f"{group}/{VERSIONS[1]}", "spec": spec}
