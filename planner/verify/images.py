"""Which image a request wants in each container of a workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.verify.fleet import refers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.fleet import WorkloadKey
    from planner.verify.pods import Kin


class ImageRules:
    """The rules for images of a request, each found by what it names."""

    def __init__(self, rules: Iterable[Mapping[str, Any]]) -> None:
        self._rules: Sequence[Mapping[str, Any]] = tuple(rules)
        self._by_repository: dict[str, list[int]] = {}
        self._by_workload: dict[tuple[str, str], list[int]] = {}
        self._of_any: list[int] = []
        for index, rule in enumerate(self._rules):
            workload = rule.get("workload") or {}
            if "from" in rule:
                self._by_repository.setdefault(rule["from"], []).append(index)
            elif "namespace" in workload and "name" in workload:
                place = (workload["namespace"], workload["name"])
                self._by_workload.setdefault(place, []).append(index)
            else:
                self._of_any.append(index)

    def wanted(self, key: WorkloadKey, template: Mapping[str, Any]) -> dict[str, str]:
        """Wanted image by name of each container that a rule names; the last rule counts."""
        spec = template.get("spec") or {}
        containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
        found = sorted(
            (rule, place)
            for place, container in enumerate(containers)
            for rule in self._candidates(key, container["image"])
            if _names(self._rules[rule], key, container)
        )
        return {containers[place]["name"]: self._rules[rule]["to"] for rule, place in found}

    def wanted_alone(self, kin: Kin) -> dict[str, str]:
        """Wanted images of pods that no known workload owns: by rules for repositories only."""
        return {
            container: self._rules[rule]["to"]
            for container, image in kin.images.items()
            for rule in self._by_repository.get(repository_of(image), ())
            if self._rules[rule]["to"] != image
        }

    def _candidates(self, key: WorkloadKey, image: str) -> set[int]:
        return {
            *self._by_repository.get(image, ()),
            *self._by_repository.get(repository_of(image), ()),
            *self._by_workload.get((key.namespace, key.name), ()),
            *self._of_any,
        }


def repository_of(image: str) -> str:
    """An image without tag and digest; a colon before the last slash is a registry's port."""
    name = image.partition("@")[0]
    directory, slash, last = name.rpartition("/")
    return directory + slash + last.partition(":")[0]


def _names(rule: Mapping[str, Any], key: WorkloadKey, container: Mapping[str, Any]) -> bool:
    if "workload" in rule and not refers(rule["workload"], key):
        return False
    if "container" in rule and rule["container"] != container["name"]:
        return False
    return "from" not in rule or rule["from"] in (
        container["image"],
        repository_of(container["image"]),
    )
