"""PyJobShop, a library for scheduling over CP-SAT: every move is a task of one unit of time.

It does not count tasks, so which moves make up a stage, and which of the pods that are down come
back first, is settled before, by the order of the list schedule. Nothing else of that is given.
"""

from collections.abc import Iterable
from itertools import pairwise
from time import monotonic
from typing import Any

from pyjobshop import Model

from benches.peers import tails
from benches.peers.problem import Answer, Group, Problem, Schedule, scarce

Task = Any  # The library has no types for others.


def solve(problem: Problem, seconds: float) -> Answer | None:
    """The shortest schedule that it finds in time."""
    end = monotonic() + seconds
    shop = _Shop(problem, tails.solve(problem, seconds).waves)
    result = shop.model.solve(time_limit=max(0.0, end - monotonic()), display=False)
    starts = [each.start for each in result.best.tasks]
    if not starts:
        return None
    place = {id(task): index for index, task in enumerate(shop.model.tasks)}
    return Answer(waves=[[starts[place[id(task)]] + 1 for task in of] for of in shop.moves])


class _Shop:
    """Budgets are renewable resources, waves are units of time.

    What ties many tasks to many others goes through a task that takes no time.
    """

    def __init__(self, problem: Problem, order: Schedule) -> None:
        self.model = Model()
        self.moves = [[self.model.add_task() for _ in group.moves] for group in problem.groups]
        turns = [
            [tasks[move] for move in sorted(range(len(tasks)), key=waves.__getitem__)]
            for tasks, waves in zip(self.moves, order, strict=True)
        ]
        self._budgets(problem, order)
        begins = [self._stages(*each) for each in zip(problem.groups, turns, strict=True)]
        for each in problem.precedences:
            enough = self._after(turns[each.before][: each.count])
            self.model.add_end_before_start(enough, begins[each.after])

    def _after(self, tasks: Iterable[Task]) -> Task:
        """A task that takes no time, and comes after others."""
        task = self.model.add_task()
        self.model.add_mode(task, [], duration=0)
        for each in tasks:
            self.model.add_end_before_start(each, task)
        return task

    def _stages(self, group: Group, turn: list[Task]) -> Task:
        """Put each stage after the one before; the task after which the group begins."""
        begin = gate = self._after(())
        for first, stop in pairwise((0, *group.stages)):
            for task in turn[first:stop]:
                self.model.add_end_before_start(gate, task)
            gate = self._after(turn[first:stop])
        if group.ordered:
            for earlier, later in pairwise(turn):
                self.model.add_start_before_start(earlier, later)
        return begin

    def _budgets(self, problem: Problem, order: Schedule) -> None:
        moves = [
            (wave, task, problem.charges[charge])
            for group, tasks, waves in zip(problem.groups, self.moves, order, strict=True)
            for charge, task, wave in zip(group.moves, tasks, waves, strict=True)
        ]
        moves.sort(key=lambda each: each[0])
        taken: dict[int, list[Any]] = {id(task): [] for _, task, _ in moves}
        held: dict[int, list[Any]] = {id(task): [] for _, task, _ in moves}
        for index in scarce(problem):
            budget = problem.budgets[index]
            releasing = [task for _, task, charge in moves if index in charge.releases]
            taking = [task for _, task, charge in moves if index in charge.takes]
            # When more are down than may be, nobody takes before enough came back.
            over = max(0, budget.down - budget.limit)
            if over:
                enough = self._after(releasing[:over])
                for task in taking:
                    self.model.add_end_before_start(enough, task)
            # What is down and never moves takes its unit away for good.
            for_good = budget.down - len(releasing)
            resource = self.model.add_renewable(max(0, budget.limit - for_good))
            for task in taking:
                taken[id(task)].append(resource)
            for task in releasing[over:]:
                held[id(task)].append(resource)
        for _, task, _ in moves:
            self._hold(task, taken[id(task)])
            if held[id(task)]:
                # A pod that is down holds its units from the first wave to the end of its move.
                down = self.model.add_task(latest_start=0, allow_idle=True)
                self._hold(down, held[id(task)])
                self.model.add_end_at_end(down, task)

    def _hold(self, task: Task, resources: list[Any]) -> None:
        self.model.add_mode(task, resources, duration=1, demands=[1] * len(resources))
