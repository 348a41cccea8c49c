"""The rule about rates: no wave ends before all of its moves have begun, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Manner
    from planner.verify.columns import Ints
    from planner.verify.plan import Case

_DOCKER = "docker.io"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What moves of some workloads go by."""

    name: str
    cluster: str | None
    """Whose API server it is of; of pulls, by whose nodes, None by those of all."""
    per_s: int
    """Units that may begin in a second."""
    registry: str | None = None
    """From which images are pulled."""
    pulls: Mapping[str, int]
    """What a move of each workload pulls at most, by its name; those that pull."""

    def units(self, workload: str) -> int:
        """What a move of a workload needs of it; 0 where it does not go by it."""
        if self.registry is None:
            return int(workload.partition("/")[0] == self.cluster)
        return self.pulls.get(workload, 0)

    def units_of(self, manner: Manner) -> int:
        """The same of a move."""
        if self.registry is None:
            return int(manner.cluster == self.cluster)
        return 0 if manner.owner is None else self.units(str(manner.owner.key))


def rates_of(case: Case) -> tuple[Rate, ...]:
    """The slowest rate of each API server, by cluster, and those of registries as written."""
    rules = case.request["spec"].get("rates") or ()
    clusters = sorted(case.header["clusters"])
    found = []
    for cluster in clusters:
        writes = [it for it in rules if "writesPerSecond" in it]
        mine = [it for it in writes if it.get("cluster") in (None, cluster)]
        if slowest := min(mine, key=lambda each: int(each["writesPerSecond"]), default=None):
            name, per_s = f"{slowest['name']}/{cluster}", int(slowest["writesPerSecond"])
            found.append(Rate(name=name, cluster=cluster, per_s=per_s, pulls={}))
    for rule in rules:
        of = rule.get("cluster")
        if "pullsPerSecond" in rule and of in (None, *clusters):
            registry = rule["registry"]
            name = "/".join(filter(None, (rule["name"], registry, of)))
            found.append(
                Rate(
                    name=name,
                    cluster=of,
                    per_s=int(rule["pullsPerSecond"]),
                    registry=registry,
                    pulls=dict(_pulls(case, registry, of, _written(case, name))),
                )
            )
    return tuple(found)


def _pulls(
    case: Case, registry: str, cluster: str | None, written: Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    """What a move of each workload pulls at most.

    A pod that differs and never moves may pull more: what the plan says holds, up to the number of
    containers that a pod of the workload has.
    """
    for key, manners in case.manners_of.items():
        if cluster not in (None, key.cluster):
            continue
        images = map(_images, manners)
        most = max(sum(registry_of(it) == registry for it in each) for each in images)
        pods = case.fleet.workloads[key].pods if written.get(str(key), 0) > most else ()
        containers = (len(kin.images) + len(kin.init_images) for kin in {it.kin for it in pods})
        if most := max(most, min(written.get(str(key), 0), max(containers, default=0))):
            yield str(key), most


def _written(case: Case, name: str) -> Mapping[str, int]:
    """What the plan says that moves of each workload pull."""
    return {
        name_of(case.header["workloads"][index]): count
        for rate in case.header.get("rates") or ()
        if rate.get("name") == name
        for index, count in rate.get("pulls_a_move") or ()
    }


def name_of(place: Mapping[str, Any]) -> str:
    """A workload of the header as its key says it."""
    return "/".join((place["cluster"], place["namespace"], place["kind"], place["name"]))


def _images(manner: Manner) -> set[str]:
    """What a move pulls: in place what changes, else all that its pod has afterwards."""
    if manner.kind == "in-place" or manner.kin is None:
        return set(manner.containers.values())
    return {*{**manner.kin.init_images, **manner.kin.images, **manner.containers}.values()}


def registry_of(image: str) -> str:
    """The host before the first slash, else Docker's (distribution/reference)."""
    host, slash, _ = image.partition("/")
    is_host = "." in host or ":" in host or host == "localhost" or host != host.lower()
    return host if slash and is_host and host != "index.docker.io" else _DOCKER


def begun_ms(units: int, per_s: int) -> int:
    """Milliseconds until so many units have begun."""
    return -(-units * 1000 // per_s)


def begun_of(case: Case, rates: Iterable[Rate]) -> Mapping[tuple[int, str], int]:
    """Until the moves of each wave have begun that go by a rate, by its name, in milliseconds."""
    waves, wave = np.unique(case.bound.wave, return_inverse=True)
    found = {}
    for rate in rates:
        sums = np.bincount(wave, weights=units_of_moves(case, rate), minlength=len(waves))
        for at in np.flatnonzero(sums).tolist():
            found[int(waves[at]), rate.name] = begun_ms(int(sums[at]), rate.per_s)
    return found


def amount(case: Case, rate: Rate) -> tuple[int, int]:
    """The moves that go by a rate, and what they need of it."""
    units = units_of_moves(case, rate)
    return int(np.count_nonzero(units)), int(units.sum())


def units_of_moves(case: Case, rate: Rate) -> Ints:
    """What each move needs of a rate."""
    bound = case.bound
    units = np.array([*map(rate.units_of, bound.manners), 0], np.int64)
    return units[bound.manner]


def rates(case: Case) -> Iterator[Violation]:
    """A wave lasts until all of its moves have begun, and the header says which rates there are."""
    lasts_s = {each["wave"]: each["seconds"] for each in case.header["per_wave"]}
    found = rates_of(case)
    subject = {rate.name: rate.registry or rate.cluster or "" for rate in found}
    for (wave, name), ms in sorted(begun_of(case, found).items()):
        if lasts_s.get(wave, 0) * 1000 < ms:
            yield Violation(
                rule="rate",
                subject=subject[name],
                wave=wave,
                message=f"its moves have begun after {ms / 1000:g} s, and the wave is over after"
                f" {lasts_s.get(wave, 0):g} s",
            )
    listed = [dict(each) for each in case.header.get("rates") or ()]
    for each in listed:
        each.pop("adds_s", None)
    expected = [_listed(case, rate) for rate in found]
    if listed != expected:
        message = f"the plan lists {listed}, and there are {expected}"
        yield Violation(rule="rate", subject="rates", wave=None, message=message)


def _listed(case: Case, rate: Rate) -> Mapping[str, Any]:
    """A rate as the header has it, but for what it costs."""
    moves, units = amount(case, rate)
    listed: dict[str, Any] = {"name": rate.name, "cluster": rate.cluster, "moves": moves}
    if rate.registry is None:
        return {**listed, "writes_per_second": rate.per_s}
    places: Sequence[Mapping[str, Any]] = case.header["workloads"]
    names = map(name_of, places)
    pulls = [[index, rate.pulls[name]] for index, name in enumerate(names) if name in rate.pulls]
    listed |= {"registry": rate.registry, "pulls_per_second": rate.per_s, "pulls": units}
    return {**listed, "pulls_a_move": pulls}
