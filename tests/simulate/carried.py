"""A plan carried out without faults, and what the checker says to when its moves went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.simulate.controllers import min_ready_of
from planner.simulate.observed import contents_of
from planner.simulate.run import run
from planner.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.simulate.course import Course
    from planner.simulate.pace import Pace
    from planner.verify import Observed, Violation

Json = dict[str, Any]

WORKLOADS = (
    "Deployment", "StatefulSet", "DaemonSet", "CloneSet", "AdvancedStatefulSet", "AdvancedDaemonSet"
)  # fmt: skip
WHENEVER = frozenset({"budget", "order", "stage", "soak", "dependency", "calendar"})
"""Rules of moves that hold whenever they go, and however long they take."""


@dataclass(frozen=True, slots=True)
class AsPlanned:
    """Moves take as long as their plan says: the end of a pod nothing, what comes for it all."""

    ms: Mapping[tuple[str, str], int]
    """Of the moves of each namespace and workload; those of one workload are of one kind."""

    @classmethod
    def of(cls, moves: Sequence[Json], observed: Observed) -> AsPlanned:
        (cluster,) = (contents_of(observed, name) for name in observed.clusters)
        min_ready_s = {
            (each["metadata"]["namespace"], each["metadata"]["name"]): min_ready_of(each)
            for kind, its in cluster.objects.items()
            if kind in WORKLOADS
            for each in its
        }
        places = {(move["namespace"], move["workload"]["name"]): move for move in moves}
        return cls(
            {
                place: round(move["seconds"] * 1000) - min_ready_s[place] * 1000
                for place, move in places.items()
            }
        )

    def _of(self, pod: Mapping[str, Any]) -> int:
        (owner,) = pod["metadata"]["ownerReferences"]
        name = owner["name"]
        name = name.rpartition("-")[0] if owner["kind"] == "ReplicaSet" else name
        return self.ms.get((pod["metadata"]["namespace"], name), 1)

    def start_ms(self, pod: Mapping[str, Any]) -> int:
        return self._of(pod)

    def restart_ms(self, pod: Mapping[str, Any], *_: object, **__: object) -> int:
        return self._of(pod)

    def termination_ms(self, *_: object) -> int:
        return 0

    def write_ms(self) -> int:
        return 0

    def losses(self, *_: object) -> list[tuple[int, str]]:
        return []


def carried_out(header: Json, moves: Sequence[Json], observed: Observed, pace: Pace) -> Course:
    contents = [contents_of(observed, name) for name in sorted(observed.clusters)]
    return run(header, moves, contents, begin_ms=observed.time_ms, pace=pace)


def broken(
    header: Json, moves: Sequence[Json], observed: Observed, course: Course
) -> Iterator[Violation]:
    """Rules of streaming plans that the times of a course break.

    The checker has a move under way until its pod has been Ready for `minReadySeconds`; budgets but
    the workload's own only ask whether it is Ready.
    """
    instant = {workload_of(move) for move in course.gone}
    instant |= {workload_of(it.move) for it in course.planned if it.let_go_ms == it.back_ms}
    for is_ready in (True, False):
        told, went = _as_plan(header, moves, course, is_ready=is_ready)
        for each in verify(told, went, observed):
            is_own = each.rule == "budget" and "/workload/" in each.subject
            # They have to take some time; those that were gone went at no time of a run.
            hurries = each.rule in {"stage", "soak", "calendar"} and each.subject in instant
            late = each.rule == "budget" and not is_ready and not is_own
            if each.rule in WHENEVER and not hurries and not late:
                yield each


def _as_plan(
    header: Json, moves: Sequence[Json], course: Course, *, is_ready: bool
) -> tuple[Json, list[Json]]:
    """The plan with the times at which its moves were let go, and their pods were Ready or back."""
    times = {
        (it.move["cluster"], it.move["uid"]): (
            it.let_go_ms,
            it.back_ms - is_ready * it.min_ready_s * 1000,
        )
        for it in course.planned
    }
    went = []
    for move in moves:
        begin_ms, end_ms = times.get((move["cluster"], move["uid"]), (0, 0))
        # Every move of a plan takes some time.
        begin_ms = max(0, min(begin_ms, end_ms - 1))
        seconds = max(1, end_ms - begin_ms) / 1000
        went.append({**move, "start_s": begin_ms / 1000, "seconds": seconds})
    seconds = max(move["start_s"] + move["seconds"] for move in went)
    return {**header, "streaming": {**header["streaming"], "seconds": seconds}}, went


def workload_of(move: Mapping[str, Any]) -> str:
    workload = move["workload"]
    return "/".join((move["cluster"], move["namespace"], workload["kind"], workload["name"]))
