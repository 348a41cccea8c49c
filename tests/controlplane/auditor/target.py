"""What a request wants: which image where, and what has to be done before what."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.controlplane.auditor.limits import Place
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
    """The target of a request: images of containers and of sidecars."""

    def __init__(self, target: Object) -> None:
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
        return any(
            rule.is_for(place, container) and rule.to == image
            for container, image in images_of(pod).items()
            for rule in self._images
        )

    def is_reached_by(self, place: Place | None, pod: Object) -> bool:
        """Whether a pod of this workload has everything that is wanted."""
        images, sets = images_of(pod), injected_into(pod)
        if any(rule.wants(place, *it) for it in images.items() for rule in self._images):
            return False
        return all(
            images.get(container, image) == image
            for (name, container), image in self._sidecars.items()
            if name in sets
        )


def dependencies_of(request: Object) -> Iterator[Dependency]:
    """What waits for what."""
    for each in request["spec"].get("dependencies") or ():
        for first in each["after"]:
            share = each.get("ready", "100%")
            yield Dependency(Reference(each["workload"]), Reference(first), share)
