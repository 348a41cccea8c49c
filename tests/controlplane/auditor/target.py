"""What a request wants: which image where, and what has to be done before what."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.controlplane.auditor.limits import Place, kind_and_name
from tests.controlplane.auditor.pods import Object, images_of, injected_into


@dataclass(frozen=True, slots=True)
class Reference:
    """Workloads by name; without a cluster or a kind in every one."""

    its: Object

    def covers(self, place: Place | None) -> bool:
        """Whether this is one of them."""
        return place is not None and all(
            self.its.get(field) in (None, getattr(place, field)) for field in Place._fields
        )


@dataclass(frozen=True, slots=True)
class Dependency:
    """`after` may change only when this share of each `before` is at the target and serves."""

    after: Reference
    before: Reference
    share: int | str


@dataclass(frozen=True, slots=True)
class _Image:
    """An image for every container of a repository, or for one container of a workload."""

    repository: str | None
    workload: Reference | None
    container: str | None
    to: str

    def is_for(self, place: Place | None, container: str) -> bool:
        """Whether it can be for this container; which image that has now is not asked."""
        named = self.workload is None or self.workload.covers(place)
        return named and self.container in (None, container)

    def wants(self, place: Place | None, container: str, image: str) -> bool:
        """Whether this container is to have another image."""
        same = self.repository in (None, image.rpartition(":")[0])
        return self.is_for(place, container) and same and image != self.to


class Target:
    """The target of a request: images of containers and of sidecars, and whole workloads."""

    def __init__(self, target: Object) -> None:
        self._manifests = [
            (Reference(_place(manifest)), images_of(manifest["spec"]["template"]))
            for manifest in target.get("manifests") or ()
        ]
        self._images = [
            _Image(
                rule.get("from"),
                Reference(rule["workload"]) if "workload" in rule else None,
                rule.get("container"),
                rule["to"],
            )
            for rule in target.get("images") or ()
        ]
        self._sidecars = {
            (rule["sidecarSet"], rule["container"]): rule["to"]
            for rule in target.get("sidecars") or ()
        }

    def has_new_application(self, place: Place | None, pod: Object) -> bool:
        """Whether a pod of this workload has one of the images that are wanted there."""
        images = images_of(pod)
        return any(
            rule.is_for(place, container) and rule.to == image
            for container, image in images.items()
            for rule in self._images
        ) or any(
            reference.covers(place) and wanted.items() <= images.items()
            for reference, wanted in self._manifests
        )

    def is_whole(self, place: Place | None) -> bool:
        """Whether a whole workload is wanted: then pods differ in more than can be seen of them."""
        return any(reference.covers(place) for reference, _ in self._manifests)

    def is_reached_by(self, place: Place | None, pod: Object) -> bool:
        """Whether a pod of this workload has everything that is wanted."""
        images, sets = images_of(pod), injected_into(pod)
        if any(rule.wants(place, *it) for it in images.items() for rule in self._images):
            return False
        if any(
            it.covers(place) and not want.items() <= images.items() for it, want in self._manifests
        ):
            return False
        return all(
            images.get(container, image) == image
            for (name, container), image in self._sidecars.items()
            if name in sets
        )


def _place(manifest: Object) -> Object:
    """A reference to the workload of a manifest."""
    kind, name = kind_and_name({**manifest, "name": manifest["metadata"]["name"]})
    return {"kind": kind, "namespace": manifest["metadata"]["namespace"], "name": name}


def dependencies_of(request: Object) -> Iterator[Dependency]:
    """What waits for what."""
    for each in request["spec"].get("dependencies") or ():
        for first in each["after"]:
            share = each.get("ready", "100%")
            yield Dependency(Reference(each["workload"]), Reference(first), share)
