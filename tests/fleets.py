"""Small random fleets as raw API objects, with requests that upgrade all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

import planner
from benches.fleet import Fleet
from benches.pod import REGISTRY
from benches.request import Regime
from planner.model.request import UpgradeRequest, load_request
from tests.shop import empty_log, moves_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A cluster as raw API lists by the name of their file, and what is wanted of it."""

    lists: Mapping[str, str]
    request: str
    cluster: str = "hangzhou"

    def log(self, names: Sequence[str] | None = None) -> planner.Log:
        """A log with the lists in this order."""
        log = empty_log()
        self.append_to(log, names)
        return log

    def append_to(self, log: planner.Log, names: Sequence[str] | None = None) -> None:
        with TemporaryDirectory() as folder:
            paths = []
            for name in names or sorted(self.lists):
                path = f"{folder}/{name}"
                with open(path, "w") as file:  # noqa: PTH123 many small files, often
                    file.write(self.lists[name])
                paths.append(path)
            log.import_recorded(self.cluster, *paths)

    def nodes(self) -> list[str]:
        """Names of its nodes."""
        return [it["metadata"]["name"] for it in json.loads(self.lists["nodes.json"])["items"]]

    def wanted(self) -> UpgradeRequest:
        return load_request(self.request.encode(), "request.json", _no_manifests)

    def plan(self, log: planner.Log | None = None) -> planner.Plan:
        return planner.plan(log or self.log(), self.wanted(), keep=False)

    def with_request(self, change: Callable[[Json], None]) -> Recorded:
        request = json.loads(self.request)
        change(request["spec"])
        return replace(self, request=json.dumps(request))

    def with_objects(self, change: Callable[[str, Json], None]) -> Recorded:
        """Change every object, given the name of its list."""
        lists = {}
        for name, text in self.lists.items():
            read = json.loads(text)
            for item in read.get("items", ()):
                change(name, item)
            lists[name] = json.dumps(read)
        return replace(self, lists=lists)

    def applied(self, moves: Iterable[Mapping[str, Any]]) -> Recorded:
        """The cluster after these moves: every pod runs the images of its move, and serves."""
        images = {move["uid"]: move["containers"] for move in moves}

        def move(name: str, item: Json) -> None:
            if name.startswith("pods") and item["metadata"]["uid"] in images:
                _set_images(item, images[item["metadata"]["uid"]])
                _set_ready(item)

        return self.with_objects(move)


def _no_manifests(pattern: str) -> Iterable[tuple[str, bytes]]:
    raise AssertionError(pattern)


def _set_images(pod: Json, images: Mapping[str, str]) -> None:
    for part in ("containers", "initContainers"):
        for container in pod["spec"].get(part, ()):
            container["image"] = images.get(container["name"], container["image"])
    for part in ("containerStatuses", "initContainerStatuses"):
        for status in pod["status"].get(part, ()):
            status["image"] = images.get(status["name"], status["image"])


def _set_ready(pod: Json) -> None:
    pod["status"]["phase"] = "Running"
    for condition in pod["status"].get("conditions", ()):
        if condition["status"] != "True":
            # As a fleet of which that is supposed: since the pod was made.
            condition["lastTransitionTime"] = pod["metadata"]["creationTimestamp"]
        condition["status"] = "True"
    for part in ("containerStatuses", "initContainerStatuses"):
        for status in pod["status"].get(part, ()):
            status["ready"] = True


@cache
def recorded(pods: int, seed: int, regime: Regime) -> Recorded:
    fleet = Fleet(pods=pods, seed=seed, ballast=False)
    lists = {name: b"".join(pieces).decode() for name, pieces in fleet.lists()}
    return Recorded(lists=lists, request=json.dumps(fleet.request(regime)))


@st.composite
def fleets(draw: st.DrawFn) -> Recorded:
    """A fleet with its request: the regimes of the benches, with caps and stages of all sizes."""
    size = draw(st.sampled_from([100, 130, 170]))
    fleet = recorded(size, draw(st.integers(1, 30)), draw(st.sampled_from(list(Regime))))
    node_cap = draw(st.integers(1, 6))
    fleet_cap = draw(st.sampled_from(["8%", "15%", "40%", 30]))
    staged = draw(st.booleans())

    def change(spec: Json) -> None:
        for budget in spec["budgets"]:
            if budget["name"] == "per-node":
                budget["maxUnavailable"] = node_cap
            if budget["name"] == "fleet":
                budget["maxUnavailable"] = fleet_cap
        if not staged:
            del spec["stages"]

    return fleet.with_request(change)


@st.composite
def troubled_fleets(draw: st.DrawFn) -> Recorded:
    """A fleet as people leave it: paused, behind partitions, down, excluded, on their way out."""
    fleet = draw(fleets())
    # Of a seed: a draw for each of a thousand objects is more than an example may have.
    random = Random(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.05, 0.2, 0.5]))

    def trouble(name: str, item: Json) -> None:
        if random.random() > share:
            return
        if name.startswith("pods"):
            _take_down(item, random)
        elif "template" in item.get("spec", {}) and not name.startswith("replicasets"):
            _hold_back(name, item["spec"], random)
        elif name.startswith("poddisruptionbudgets"):
            item["spec"].pop("minAvailable", None)
            item["spec"]["maxUnavailable"] = random.choice([0, 1, "10%", "50%"])

    def exclude(spec: Json) -> None:
        spec["exclude"] = [{"selector": {"matchLabels": {"team": "team-001"}}}]

    troubled = fleet.with_objects(trouble)
    return troubled.with_request(exclude) if random.random() < share else troubled


@st.composite
def paced_fleets(draw: st.DrawFn) -> Recorded:
    """The same with API servers that may be written to so many times a second."""
    rate = draw(st.sampled_from([1, 2, 9]))

    def change(spec: Json) -> None:
        spec["rates"] = [{"name": "api", "writesPerSecond": rate}]

    return draw(fleets() | troubled_fleets()).with_request(change)


@st.composite
def pulling_fleets(draw: st.DrawFn) -> Recorded:
    """The same with registries that may be pulled from so many times a second, and writes."""
    pulls = {"name": "pulls", "registry": REGISTRY, "pullsPerSecond": draw(st.integers(1, 9))}
    if draw(st.booleans()):
        pulls["cluster"] = "hangzhou"
    writes: list[Json] = [{"name": "api", "writesPerSecond": 2}]
    rates = [pulls, *draw(st.sampled_from([[], writes]))]

    def change(spec: Json) -> None:
        spec["rates"] = rates

    return draw(fleets() | troubled_fleets()).with_request(change)


def _take_down(pod: Json, random: Random) -> None:
    if random.random() < 0.9:
        return
    if random.random() < 0.5:
        pod["metadata"]["deletionTimestamp"] = "2026-11-23T09:00:00Z"
        return
    for condition in pod["status"].get("conditions", ()):
        if condition["type"] in {"Ready", "ContainersReady"}:
            condition["status"] = "False"


def _hold_back(name: str, spec: Json, random: Random) -> None:
    if name.startswith("deployments"):
        spec["paused"] = random.random() < 0.5
        rolling = {"maxUnavailable": random.choice([0, 1, "30%"]), "maxSurge": 1}
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    elif name.startswith("clonesets"):
        strategy = spec["updateStrategy"]
        strategy["paused"] = random.random() < 0.2
        strategy["partition"] = random.choice([0, 1, "30%", "100%"])
        strategy["type"] = random.choice(["ReCreate", "InPlaceIfPossible", "InPlaceOnly"])
        strategy["maxUnavailable"] = random.choice([1, "10%", "40%"])
    elif name == "statefulsets.json":
        kind = random.choice(["RollingUpdate", "OnDelete"])
        spec["updateStrategy"] = {"type": kind}
        if kind == "RollingUpdate":
            spec["updateStrategy"]["rollingUpdate"] = {"partition": random.choice([0, 1, 3])}
    elif name.startswith("daemonsets"):
        spec["updateStrategy"] = {"type": random.choice(["RollingUpdate", "OnDelete"])}


def content(plan: planner.Plan) -> tuple[Json, list[Json]]:
    """A plan without what follows from the digest of its log: the same plan of another log."""
    header = msgspec.json.decode(plan.header())
    header["log"] = {"position": header["log"]["position"]}
    del header["id"]
    return header, moves_of(plan)
