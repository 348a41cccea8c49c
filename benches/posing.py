"""The problem that a plan solves, posed again by the checker's own reading of fleet and request.

Nothing comes from the scheduler but which pods move and in which wave: budgets, who takes from
them, order and dependencies are worked out by `planner.verify`, which shares no code with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benches.peers.problem import Budget, Charge, Group, Precedence, Problem, Schedule
from planner.verify.budgets import all_budgets
from planner.verify.fleet import Fleet, Workload
from planner.verify.numbers import ceil_of
from planner.verify.order import is_ranked, taking_ranks
from planner.verify.plan import Case, build_case
from planner.verify.pods import Pod
from planner.verify.target import read_target
from planner.verify.written import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A problem, and the plan's schedule of it."""

    problem: Problem
    schedule: Schedule


def pose(header: Mapping[str, Any], moves: Written, fleet: Fleet) -> Posed:
    """Pose the problem of all pods that a plan moves.

    Moves of a group are listed in the order of its controller where `planner verify` knows one,
    else by name, which says nothing of their waves. Scripts take from the front, and so keep what
    the order of a CloneSet asks; solvers are not told of it.

    Args:
        header: the plan's header as JSON.
        moves: the plan's moves in columns.
        fleet: what the plan was made for.
    """
    case = build_case(header, moves, fleet, read_target(header["request"], fleet))
    assert len(case.move_of) == sum(map(len, case.moves_of.values())), "a pod has no workload"
    workloads = [fleet.workloads[key] for key in case.moves_of]
    pods = [_in_order(case, workload) for workload in workloads]
    budgets, charge_of = _charges(case)
    charges: dict[Charge, int] = {}
    groups = tuple(
        Group(
            name=str(workload.key),
            ordered=workload.strategy.ordered,
            stages=_stages(case, len(of)),
            moves=tuple(charges.setdefault(charge_of[pod], len(charges)) for pod in of),
        )
        for workload, of in zip(workloads, pods, strict=True)
    )
    problem = Problem(
        budgets=budgets,
        charges=tuple(charges),
        groups=groups,
        precedences=tuple(_precedences(case, workloads)),
    )
    return Posed(
        problem=problem,
        schedule=[[case.move_of[pod].wave for pod in of] for of in pods],
    )


def _in_order(case: Case, workload: Workload) -> list[Pod]:
    moves = case.moves_of[workload.key]
    if workload.strategy.ordered:
        return sorted(moves.pods, key=lambda pod: pod.ordinal, reverse=True)
    ranks = taking_ranks(workload, moves).tolist() if is_ranked(workload) else [0] * len(moves)
    keyed = zip(ranks, moves.pods, strict=True)
    return [pod for _, pod in sorted(keyed, key=lambda it: (it[0], it[1].name))]


def _charges(case: Case) -> tuple[tuple[Budget, ...], dict[Pod, Charge]]:
    takes: dict[Pod, list[int]] = {pod: [] for pod in case.move_of}
    releases: dict[Pod, list[int]] = {pod: [] for pod in case.move_of}
    budgets: list[Budget] = []
    for each in all_budgets(case):
        index = len(budgets)
        for pod in each.pods:
            move = case.move_of.get(pod)
            if move is not None and each.would_take(pod, move.kind, move.containers):
                takes[pod].append(index)
            if move is not None and pod in each.down:
                releases[pod].append(index)
        budgets.append(Budget(name=str(each), limit=each.limit, down=len(each.down)))
    kept: dict[Charge, Charge] = {}
    charge_of: dict[Pod, Charge] = {}
    for pod, taken in takes.items():
        charge = Charge(takes=tuple(taken), releases=tuple(releases[pod]))
        charge_of[pod] = kept.setdefault(charge, charge)
    return tuple(budgets), charge_of


def _stages(case: Case, moves: int) -> tuple[int, ...]:
    """When each stage ends; those without a move of their own are left out."""
    rules = case.request["spec"].get("stages") or ()
    ends = {min(ceil_of(each["perWorkload"], moves), moves) for each in rules}
    return tuple(sorted(ends | {moves}))


def _precedences(case: Case, workloads: list[Workload]) -> Iterator[Precedence]:
    index_of = {workload.key: index for index, workload in enumerate(workloads)}
    for rule in case.request["spec"].get("dependencies") or ():
        waited_for = {each for ref in rule["after"] for each in case.fleet.referred(ref)}
        for workload in sorted(waited_for, key=lambda each: str(each.key)):
            needed = ceil_of(rule.get("ready", "100%"), len(workload.pods))
            # What needs no move and serves is done before the first wave.
            done = sum(pod not in case.target.changes and not pod.down for pod in workload.pods)
            for waiting in case.fleet.referred(rule["workload"]):
                after, before = index_of.get(waiting.key), index_of.get(workload.key)
                if after is None or waiting is workload or needed <= done:
                    continue
                assert before is not None, f"{waiting.key} waits for what never moves"
                yield Precedence(before=before, after=after, count=needed - done)
