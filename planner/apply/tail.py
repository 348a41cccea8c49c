"""What a plan wants, said workload by workload: the request of its rest, and of the way back."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from planner.apply.course import Course, Place, place_of
from planner.apply.steps import Target

Images = Mapping[Place, Mapping[str, str]]


def images_of(course: Course) -> dict[Place, dict[str, str]]:
    """Image by container of every workload that has a move, those of its sidecars left out."""
    target = Target.of(course.request)
    sidecars = {name for images in target.sidecars.values() for name in images}
    images: dict[Place, dict[str, str]] = {}
    for leg in range(1, len(course.legs) + 1):
        for _, move in course.moves(leg):
            its = images.setdefault(place_of(move), {})
            for container, image in move.containers.items():
                if container not in sidecars:
                    its[container] = image
    return images


def tail_request(course: Course, images: Images, leg: int) -> dict[str, Any]:
    """Give the request of what is left after a leg.

    Workloads and images are named one by one: a rule that finds containers by the repository that
    they come from would not find those whose template is new already. Stages that every workload
    has behind it are left out, but for a last one that ends before all pods have moved.
    """
    request = deepcopy(course.request)
    spec = request["spec"]
    target = spec.setdefault("target", {})
    target["images"] = list(_rules(images))
    if stages := spec.get("stages"):
        passed = course.stages_passed(leg)
        kept = stages[-1:] if course.stops_early else []
        ahead = [each for each in stages if each["name"] not in passed]
        spec["stages"] = ahead or kept
        if not spec["stages"]:
            del spec["stages"]
    return request


def _rules(images: Images) -> Iterable[dict[str, Any]]:
    for place, its in sorted(images.items()):
        workload = {
            "cluster": place.cluster,
            "kind": place.kind,
            "namespace": place.namespace,
            "name": place.name,
        }
        for container, image in sorted(its.items()):
            yield {"workload": workload, "container": container, "to": image}
