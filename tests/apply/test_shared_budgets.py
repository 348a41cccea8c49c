"""Budgets of several workloads, where moves do not go in waves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from planner.apply.checkpoint import PodStanding
from planner.apply.course import place_of
from planner.apply.steps import Going, Target
from planner.apply.streaming import within_shared_budgets
from planner.apply.wave import Due, bound_moves
from tests.apply.test_streaming import course, leg, moves

if TYPE_CHECKING:
    from collections.abc import Iterable


def test_all_that_are_under_way_count_in_budgets_of_several_workloads() -> None:
    (fleet,) = (it for it in course().shared_budgets if it.name == "fleet")
    kinds = {number: it.kind for number, it in moves()}
    taking = [number for number, kind in kinds.items() if kind != "surge"]
    due = {it.number: it for it in bound_moves(moves(), leg().wave)}

    def went(under_way: Iterable[int], *going: int, serves: bool = True) -> list[int]:
        pod = PodStanding(
            state="here", old=True, serves=serves, namespace="", name="", revision="", node="",
            version="",
        )  # fmt: skip
        asked = [Going(number=it, move=due[it].move, uid="", pod=pod) for it in going]
        its = within_shared_budgets(asked, [due[it] for it in under_way], course(), target)
        return [it.number for it in its]

    target = Target.of(course().request)
    storefront = {it.name: it for it in course().shared_budgets}["storefront"]
    apart = [
        it for it in taking if course().index_of[place_of(due[it].move)] not in storefront.workloads
    ]
    most = apart[: fleet.limit - 1]
    assert went(most, *apart[fleet.limit - 1 : fleet.limit + 1]) == [apart[fleet.limit - 1]]
    down = apart[fleet.limit + 1]
    assert went(apart[: fleet.limit], down, serves=False) == [down], "it takes nothing"
    surges = [number for number, kind in kinds.items() if kind == "surge"]
    assert went(apart[: fleet.limit], surges[0]) == [surges[0]]


def test_whose_sidecar_changes_counts_for_its_sidecar_set() -> None:
    target = Target.of(course().request)
    its = {it.key: it for it in course().shared_budgets if it.source == "SidecarSet"}
    (logs,) = (it for key, it in its.items() if key == ("sidecarset/log-tail", "hangzhou"))
    due = {it.number: it for it in bound_moves(moves(), leg().wave)}
    changed = [
        n for n, it in due.items() if "log-tail" in it.move.containers and it.move.kind != "surge"
    ]
    here = [n for n in changed if course().index_of[place_of(due[n].move)] in logs.workloads]
    under_way = [due[it] for it in here[: logs.limit]]
    pod = PodStanding(
        state="here", old=True, serves=True, namespace="", name="", revision="", node="", version=""
    )
    last = here[logs.limit]
    going = [Going(number=last, move=due[last].move, uid="", pod=pod)]
    anew = [Due(it.number, replace(it.move, kind="recreate"), it.uid) for it in under_way]
    assert not within_shared_budgets(going, under_way, course(), target)
    assert not within_shared_budgets(going, anew, course(), target), "it comes with a new pod"
    assert within_shared_budgets(going, under_way[1:], course(), target) == going
