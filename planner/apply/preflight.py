"""Before a run acts: may it do everything, and would every cluster take every write?"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

import msgspec

from planner.apply.checkpoint import Question
from planner.apply.course import Place, place_of
from planner.apply.site import Site
from planner.apply.steps import Going, steps
from planner.apply.writer import Writer
from planner.errors import ClusterError, RunError
from planner.kube.paths import group_of
from planner.model import progress
from planner.model.plan import Move

MOVES_AT_ONCE: Final = 5_000
"""Moves that are tried together, and the most of which a run tries each before it begins."""
_LOOKED_AT: Final = 5
"""Of how many pods of a workload and kind the first that is still there is tried."""
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Something that an executor has to be allowed to do."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        resource = "/".join(filter(None, (self.resource, self.subresource)))
        group = f" of {self.group}" if self.group else ""
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {resource}{group}{place}"


class _Status(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    status: _Status = _Status()


def preflight(site: Site, *, every: bool = False) -> int:
    """Check rights, and let every server try every write without keeping it.

    Gives how many moves a budget has no room for now; any other refusal is one of the plan.
    A run of a plan of more than `MOVES_AT_ONCE` moves tries one pod of each workload and kind, for
    the others differ in their names. With `every` all are tried, part by part, each by what the
    fleet is then: that takes as long as writing, and can be stopped.

    Raises:
        RunError: a right is missing, a server refuses a write or warns of it, or it was stopped
            before everything was tried.
    """
    moves = [move for leg in range(1, len(site.course.legs) + 1) for move in site.course.moves(leg)]
    writers = site.trying()
    try:
        _check_rights(site, writers, moves)
        batches = list(_batches(moves)) if every else [_some(site, moves)]
        return _try_all(site, writers, batches)
    except ClusterError as error:
        # A run that is interrupted while it waits for a turn is not refused.
        if every and site.outside.wait(0):
            raise RunError("stopped before every move was tried; nothing is kept") from error
        raise


def _check_rights(
    site: Site, writers: Mapping[str, Writer], moves: Sequence[tuple[int, Move]]
) -> None:
    sidecars = bool(site.plan.target.sidecars)
    drained = {it.cluster for it in site.course.drains}
    for name in site.course.clusters:
        if name not in writers:
            # A node that is named by its labels may have come to a cluster of which nothing moved.
            raise RunError(f"the plan is about cluster {name}; give --cluster {name}=CONTEXT")
    tasks = []
    for name in site.course.clusters:
        its = [move for _, move in moves if move.cluster == name]
        needed = rights(its, sidecars=sidecars, drains=name in drained)
        tasks.append(partial(_missing, writers[name], needed))
    for name, missing in zip(site.course.clusters, site.beside(tasks), strict=True):
        if missing:
            raise RunError(
                f"cluster {name}: not allowed to {'; '.join(map(str, missing))}; "
                "apply the role that `planner apply --role` prints"
            )


def _some(site: Site, moves: Sequence[tuple[int, Move]]) -> Sequence[tuple[int, Move]]:
    """All moves of a small plan, and of a large one the first of each workload and kind.

    The first whose pod is still there: of one that is leaving nothing would be tried.
    """
    if len(moves) <= MOVES_AT_ONCE:
        return moves
    first: defaultdict[tuple[Place, str], list[tuple[int, Move]]] = defaultdict(list)
    for number, move in moves:
        its = first[place_of(move), move.kind]
        if len(its) < _LOOKED_AT:
            its.append((number, move))
    looked_at = list(chain.from_iterable(first.values()))
    pods = site.ask(Question(due=[(move.cluster, move.uid) for _, move in looked_at])).due
    here = {number for (number, _), pod in zip(looked_at, pods, strict=True) if pod.state == "here"}
    return [next((each for each in its if each[0] in here), its[0]) for its in first.values()]


def _try_all(
    site: Site, writers: Mapping[str, Writer], batches: Sequence[Sequence[tuple[int, Move]]]
) -> int:
    tried, refused, moves = 0, 0, sum(map(len, batches))
    site.tell(progress.Preflight(moves=moves, tried=tried))
    site.try_cordon(writers)
    for batch in batches:
        if tried and site.outside.wait(0):
            raise RunError(
                f"stopped when {tried:,} of {moves:,} moves had been tried; nothing is kept"
            )
        refused += _try(site, writers, batch)
        tried += len(batch)
        site.tell(progress.Preflight(moves=moves, tried=tried))
    return refused


def _batches(moves: Iterable[tuple[int, Move]]) -> Iterator[Sequence[tuple[int, Move]]]:
    """Whole workloads together, until there are enough moves."""
    by_place: dict[Place, list[tuple[int, Move]]] = {}
    for number, move in moves:
        by_place.setdefault(place_of(move), []).append((number, move))
    batch: list[tuple[int, Move]] = []
    for its in by_place.values():
        batch += its
        if len(batch) >= MOVES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _try(site: Site, writers: Mapping[str, Writer], moves: Sequence[tuple[int, Move]]) -> int:
    keys = [(move.cluster, move.uid) for _, move in moves]
    checkpoint = site.ask(Question(due=keys))
    going = [
        Going(number=number, move=move, uid=move.uid, pod=pod)
        for (number, move), pod in zip(moves, checkpoint.due, strict=True)
        if pod.state == "here"
    ]
    made = steps(going, checkpoint.by_place(), (), site.plan.target)
    return site.try_out(made, writers)


def rights(moves: Iterable[Move], *, sidecars: bool, drains: bool = False) -> list[Right]:
    """Give what moves of one cluster take, and the nodes that they empty."""
    needed: set[Right] = set()
    alike = {(it.workload.kind, it.namespace, it.kind) for it in moves}
    for kind, namespace, way in alike:
        group, plural = group_of(kind)
        needed |= {Right(verb, group, plural, namespace=namespace) for verb in ("get", "patch")}
        needed |= {Right(verb, "", "pods", namespace=namespace) for verb in ("get", "patch")}
        if way == "evict":
            needed.add(Right("create", "", "pods", "eviction", namespace))
        if way == "delete" or (kind == "DaemonSet" and way == "recreate"):
            needed.add(Right("delete", "", "pods", namespace=namespace))
        if kind == "AdvancedDaemonSet":
            needed |= {Right(verb, "", "nodes") for verb in ("get", "list", "patch")}
    if sidecars:
        group, plural = group_of("SidecarSet")
        needed |= {Right(verb, group, plural) for verb in ("get", "patch")}
    if drains:
        needed |= {Right(verb, "", "nodes") for verb in ("get", "patch")}
    return sorted(needed)


def _missing(writer: Writer, needed: Iterable[Right]) -> list[Right]:
    """Ask once for all namespaces, and only where that is denied for each."""
    everywhere: dict[Right, bool] = {}
    missing = []
    for right in needed:
        wide = Right(right.verb, right.group, right.resource, right.subresource)
        if wide not in everywhere:
            everywhere[wide] = _may(writer, wide)
        if not everywhere[wide] and not (right.namespace and _may(writer, right)):
            missing.append(right)
    return missing


def _may(writer: Writer, right: Right) -> bool:
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
        "namespace": right.namespace,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return msgspec.json.decode(writer.ask(_REVIEWS, body), type=_Review).status.allowed


def executor_role(name: str) -> dict[str, object]:
    """Give the ClusterRole of an executor; one that observes needs the role of an observer too."""
    rules = [
        {"apiGroups": [group], "resources": resources, "verbs": verbs}
        for group, resources, verbs in (
            ("apps", ["deployments", "statefulsets", "daemonsets"], ["get", "patch"]),
            (
                "apps.kruise.io",
                ["clonesets", "statefulsets", "daemonsets", "sidecarsets"],
                ["get", "patch"],
            ),
            ("", ["pods"], ["get", "patch", "delete"]),
            ("", ["pods/eviction"], ["create"]),
            ("", ["nodes"], ["get", "list", "patch"]),
        )
    ]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
