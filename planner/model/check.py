"""What a request has to keep beyond its types. Each check names the path and the remedy."""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final

from planner.model import policy
from planner.model.documents import Path
from planner.model.policy import Dependency, Exclusion, Gang, Rate, Stage
from planner.model.scalars import duration_ms, percent
from planner.model.selector import Requirement, Selector
from planner.model.target import Drain, ImageChange, Target

Problem = tuple[Path, str]

# The syntax of Kubernetes: apimachinery/pkg/util/validation.
_LABEL: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}")


def target_problems(target: Target, path: Path) -> Iterator[Problem]:
    """Check images and sidecars: named once, and each with a version to go to; and nodes."""
    for index, change in enumerate(target.images):
        yield from _image_problems(change, (*path, "images", index))
    for index, sidecar in enumerate(target.sidecars):
        yield from _to_problems(sidecar.to, (*path, "sidecars", index, "to"))
    images = [(each.from_, each.workload, each.container) for each in target.images]
    yield from _twice(images, (*path, "images"), "changes what")
    sidecars = [(each.sidecar_set, each.container) for each in target.sidecars]
    yield from _twice(sidecars, (*path, "sidecars"), "changes what")
    for index, drain in enumerate(target.drain):
        yield from _drain_problems(drain, (*path, "drain", index))


def _drain_problems(drain: Drain, path: Path) -> Iterator[Problem]:
    if (drain.name is None) == (drain.selector is None):
        yield path, "give either name (of a node) or selector (of labels of nodes)"
        return
    yield from selector_problems(drain.selector, (*path, "selector"))
    if drain.selector is not None and drain.selector.is_everything:
        yield (*path, "selector"), "matches every node, and no pod would have a place; name a label"


def _image_problems(change: ImageChange, path: Path) -> Iterator[Problem]:
    given = (change.from_ is not None, change.workload is not None, change.container is not None)
    if given not in {(True, False, False), (False, True, True)}:
        yield path, "give either from (a repository), or workload and container"
    if change.from_ is not None and _version(change.from_):
        name = change.from_.removesuffix(_version(change.from_))
        yield (*path, "from"), f"is a repository, without a tag or digest; write {name}"
    yield from _to_problems(change.to, (*path, "to"))


def _to_problems(image: str, path: Path) -> Iterator[Problem]:
    version = _version(image)
    if not version or version == image:
        yield path, f"{image} has no tag or digest; write an image like {image.strip(':@')}:1.2.0"
    elif not (_TAG if version.startswith(":") else _DIGEST).fullmatch(version[1:]):
        yield path, f"{version} is no tag or digest; write an image like name:1.2.0"


def _version(image: str) -> str:
    """Return the digest or tag of an image with its sign, empty without one."""
    repository, at, digest = image.partition("@")
    if at:
        return at + digest
    # A colon before a slash is that of the registry's port.
    name = repository.rsplit("/", 1)[-1]
    return name[name.index(":") :] if ":" in name else ""


def dependency_problems(dependency: Dependency, path: Path) -> Iterator[Problem]:
    """Check that a workload does not wait for itself."""
    for index, before in enumerate(dependency.after):
        if before.overlaps(dependency.workload):
            yield (*path, "after", index), f"{dependency.workload} cannot wait for itself"
    yield from _scalar_problem(percent, dependency.ready, (*path, "ready"))


def sequence_problems(sequence: policy.Sequence, path: Path) -> Iterator[Problem]:
    """Check that the phases are given in one way, and that each says which pods are of it."""
    if (sequence.each is None) == (not sequence.phases):
        yield path, "give either each (node, zone or cluster), or phases"
    yield from names_problems([phase.name for phase in sequence.phases], (*path, "phases"))
    for index, phase in enumerate(sequence.phases):
        here = (*path, "phases", index)
        given = (phase.cluster, phase.namespace, phase.zone, phase.selector)
        if all(each is None for each in given):
            yield here, "matches every pod, so nothing comes later; name a cluster, zone or label"
        yield from selector_problems(phase.selector, (*here, "selector"))


def gangs_problems(gangs: Sequence[Gang], path: Path, *, streaming: bool) -> Iterator[Problem]:
    """Check names, label keys and selectors, and that there are waves for pods to share."""
    yield from names_problems([gang.name for gang in gangs], path)
    for index, gang in enumerate(gangs):
        yield from _label_problems(gang.label_key, (), (*path, index, "labelKey"))
        yield from selector_problems(gang.selector, (*path, index, "selector"))
    if gangs and streaming:
        yield path, "go together in a wave, and streaming waits for none; leave one of both out"


def share_problems(share: int | str, path: Path) -> Iterator[Problem]:
    """Check a count or percentage."""
    if isinstance(share, str):
        yield from _scalar_problem(percent, share, path)


def rate_problems(rate: Rate, path: Path) -> Iterator[Problem]:
    """Check that it is one of writes, or one of pulls from a registry."""
    if (rate.writes_per_second is None) == (rate.pulls_per_second is None):
        yield path, "give either writesPerSecond (of API servers), or registry and pullsPerSecond"
    elif (rate.registry is None) != (rate.pulls_per_second is None):
        yield path, "registry and pullsPerSecond belong together; give both or none"
    elif rate.registry is not None and "/" in rate.registry:
        host = rate.registry.partition("//")[2] or rate.registry
        name = host.partition("/")[0]
        yield (*path, "registry"), f"is a host, without a scheme or repository; write {name}"


def stages_problems(stages: Sequence[Stage], path: Path) -> Iterator[Problem]:
    """Check each stage, and that none ends before the one before it."""
    previous: Stage | None = None
    for index, stage in enumerate(stages):
        here = (*path, index, "perWorkload")
        found = list(share_problems(stage.per_workload, here))
        yield from found
        yield from _scalar_problem(duration_ms, stage.soak, (*path, index, "soak"))
        if found:
            continue
        if stage.per_workload in {0, "0%"}:
            yield here, "is nothing; write at least 1"
        if previous is not None and _shrinks(previous.per_workload, stage.per_workload):
            message = (
                f"{stage.per_workload} is less than the {previous.per_workload} of stage "
                f"{previous.name}; shares count from the first move, so they have to grow"
            )
            yield here, message
        previous = stage


def _shrinks(before: int | str, after: int | str) -> bool:
    if isinstance(before, str) and isinstance(after, str):
        return percent(after) < percent(before)
    if isinstance(before, int) and isinstance(after, int):
        return after < before
    return False  # which is more depends on the workload


def exclusion_problems(exclusion: Exclusion, path: Path) -> Iterator[Problem]:
    """Check that an exclusion does not take everything."""
    selector = exclusion.selector
    if selector.is_everything:
        yield (*path, "selector"), "matches every pod, so nothing would move; name a label"
    yield from selector_problems(selector, (*path, "selector"))


def selector_problems(selector: Selector | None, path: Path) -> Iterator[Problem]:
    """Check keys, values and operators as the API server does."""
    if selector is None:
        return
    for key, value in selector.match_labels.items():
        yield from _label_problems(key, [value], (*path, "matchLabels", key))
    for index, requirement in enumerate(selector.match_expressions):
        here = (*path, "matchExpressions", index)
        yield from _label_problems(requirement.key, requirement.values, here)
        yield from _values_problems(requirement, here)


def _values_problems(requirement: Requirement, path: Path) -> Iterator[Problem]:
    wants_values = requirement.operator in {"In", "NotIn"}
    if wants_values and not requirement.values:
        yield path, f"{requirement.operator} needs values"
    if requirement.values and not wants_values:
        yield (*path, "values"), f"{requirement.operator} takes no values; leave them out"


def _label_problems(key: str, values: Sequence[str], path: Path) -> Iterator[Problem]:
    prefix, slash, name = key.rpartition("/")
    if not name or not _LABEL.fullmatch(name) or (slash and not _PREFIX.fullmatch(prefix)):
        yield path, f"{key!r} is no label key"
    for value in values:
        if not _LABEL.fullmatch(value):
            yield path, f"{value!r} is no label value"


def names_problems(names: Sequence[str], path: Path) -> Iterator[Problem]:
    """Check that no two have the same name."""
    yield from _twice(names, path, "has the name that")


def _twice(keys: Sequence[Hashable], path: Path, says: str) -> Iterator[Problem]:
    places: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        first = places.setdefault(key, index)
        if first < index:
            place = path[-1]
            yield (*path, index), f"{says} {place}[{first}] has already; leave one out"


def _scalar_problem(read: Callable[[str], int], text: str, path: Path) -> Iterator[Problem]:
    try:
        read(text)
    except ValueError as error:
        yield path, str(error)
