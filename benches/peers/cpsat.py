"""CP-SAT of Google's OR-Tools, asked for one wave less until there is none.

It starts from the list schedule and asks whether a schedule of one wave less exists. Pods that are
alike are counted, not told apart.
"""

import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from time import monotonic
from typing import Any

from ortools.sat.python import cp_model

from benches.peers import tails
from benches.peers.problem import Answer, Group, Problem, Schedule, alike, length, scarce
from benches.peers.tails import Tails, paces

_WORKERS_MIN = 8  # With fewer it leaves out some of its searches, however few cores there are.
Steps = Sequence[Any]
"""How many moves are done after each wave, from wave 0 to the last: numbers and variables."""
Span = tuple[int, int]
"""At least and at most."""
Constraint = Any  # A comparison of two numbers is True or False.


def solve(problem: Problem, seconds: float) -> Answer:
    """The shortest schedule that is found in time, that of the list at worst."""
    end = monotonic() + seconds
    best = tails.solve(problem, seconds).waves
    while True:
        question = _Question(problem, length(best) - 1)
        shorter = question.answer(end)
        if shorter is None:
            return Answer(waves=best, bound=length(best) if question.is_impossible else 0)
        best = shorter


class _Question:
    """Whether a problem can be done in so many waves."""

    def __init__(self, problem: Problem, waves: int) -> None:
        self.problem, self.waves = problem, waves
        self.model = cp_model.CpModel()
        self.is_impossible = False
        self.scarce = frozenset(scarce(problem))
        self.runs = [alike(problem, group, self.scarce) for group in problem.groups]
        self.paces = paces(problem)
        tails_ = Tails(problem)
        self.heads, tail = tails_.heads(), tails_.given([0] * len(self.runs))
        # Of every group how many moves have to be done after which wave.
        self.dues = [[(len(group.moves), waves)] for group in problem.groups]
        for each in problem.precedences:
            self.dues[each.before].append((each.count, waves - tail[each.after]))
        self.done: list[list[Steps]] = []
        self.total: list[Steps] = []

    def answer(self, end: float) -> Schedule | None:
        """A schedule; None when there is none, or none is found until `end`."""
        spans = [self._span(index) for index in range(len(self.runs))]
        self.is_impossible = self.waves < 0 or any(
            least > most for span in spans for least, most in span
        )
        if self.is_impossible:
            return None
        self._pose(spans)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = max(_WORKERS_MIN, os.cpu_count() or 1)
        # What takes most of a minute before the search begins, and finds nothing in such models.
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.presolve_inclusion_work_limit = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.max_time_in_seconds = max(0.0, end - monotonic())
        status = solver.solve(self.model)
        self.is_impossible = status == cp_model.INFEASIBLE
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return self._schedule(solver)

    def _span(self, index: int) -> list[Span]:
        """How many moves of a group are done after each wave, at least and at most."""
        pace, size = self.paces[index], len(self.problem.groups[index].moves)
        span: list[Span] = []
        least = most = 0
        for wave in range(self.waves + 1):
            while most < size and pace.waves(0, most + 1) <= wave - self.heads[index] + 1:
                most += 1
            for count, due in self.dues[index]:
                while least < count and pace.waves(least, count) > due - wave:
                    least += 1
            span.append((least, most))
        return span

    def _pose(self, spans: Sequence[Sequence[Span]]) -> None:
        for span, group, runs in zip(spans, self.problem.groups, self.runs, strict=True):
            self._pose_group(span, group, [len(run) for run in runs])
        for each in self.problem.precedences:
            ready = self._reached(self.total[each.before], each.count)
            self._hold(self.total[each.after], 0, [0, *ready])
        self._budgets()

    def _pose_group(self, span: Sequence[Span], group: Group, sizes: Sequence[int]) -> None:
        total = self._steps(span)
        done = [total]
        if len(sizes) > 1:
            size = len(group.moves)
            done = [
                self._steps([(max(0, least - size + run), min(run, most)) for least, most in span])
                for run in sizes
            ]
            for step, *parts in zip(total, *done, strict=True):
                self._add(cp_model.LinearExpr.sum(parts) == step)
        self.done.append(done)
        self.total.append(total)
        if group.ordered:
            for before, after in pairwise(done):
                self._hold(after, 0, self._reached(before, before[-1]))
        for stop in group.stages[:-1]:
            self._hold(total, stop, [0, *self._reached(total, stop)])

    def _steps(self, spans: Iterable[Span]) -> Steps:
        steps: Steps = [
            least if least == most else self.model.new_int_var(least, most, "")
            for least, most in spans
        ]
        for earlier, later in pairwise(steps):
            self._add(earlier <= later)
        return steps

    def _add(self, constraint: Constraint) -> None:
        """Add what does not hold anyway."""
        if constraint is not True:
            self.model.add(constraint)

    def _reached(self, steps: Steps, count: int) -> Steps:
        """1 only after waves after which at least so many are done."""
        if steps[-1] == 1:
            return steps
        reached: list[Any] = []
        for step in steps:
            if isinstance(step, int):
                reached.append(int(step >= count))
            else:
                reached.append(self.model.new_bool_var(""))
                self.model.add(step >= count).only_enforce_if(reached[-1])
        return reached

    def _hold(self, steps: Steps, floor: int, until: Steps) -> None:
        """Keep steps at `floor` in waves in which `until` is 0."""
        for step, may in zip(steps, until, strict=False):
            self._add(step <= floor + (steps[-1] - floor) * may)

    def _budgets(self) -> None:
        takes: dict[int, list[Steps]] = {each: [] for each in self.scarce}
        releases: dict[int, list[Steps]] = {each: [] for each in self.scarce}
        for group, runs, done in zip(self.problem.groups, self.runs, self.done, strict=True):
            for run, steps in zip(runs, done, strict=True):
                charge = self.problem.charges[group.moves[run[0]]]
                for budget in self.scarce.intersection(charge.takes):
                    takes[budget].append(steps)
                for budget in self.scarce.intersection(charge.releases):
                    releases[budget].append(steps)
        for budget in sorted(self.scarce):
            for wave in range(1, self.waves + 1):
                self._budget(budget, wave, takes[budget], releases[budget])

    def _budget(
        self, budget: int, wave: int, takes: Sequence[Steps], releases: Sequence[Steps]
    ) -> None:
        of = self.problem.budgets[budget]
        now, before = [each[wave] for each in takes], [each[wave - 1] for each in takes]
        freed = [each[wave - 1] for each in releases]
        signs = [1] * len(now) + [-1] * len(before)
        taken = cp_model.LinearExpr.weighted_sum([*now, *before], signs)
        free = of.limit - of.down + cp_model.LinearExpr.sum(freed)
        if of.down <= of.limit:
            self.model.add(taken <= free)
            return
        # More are down than may be: only waves that take from it have to wait.
        takes_any = self.model.new_bool_var("")
        self.model.add(taken <= of.limit * takes_any)
        self.model.add(taken <= free).only_enforce_if(takes_any)

    def _schedule(self, solver: cp_model.CpSolver) -> Schedule:
        schedule = []
        for group, runs, done in zip(self.problem.groups, self.runs, self.done, strict=True):
            waves = [0] * len(group.moves)
            for run, steps in zip(runs, done, strict=True):
                left = iter(run)
                counts = [solver.value(step) for step in steps]
                for wave, (before, after) in enumerate(pairwise(counts), start=1):
                    for _ in range(after - before):
                        waves[next(left)] = wave
            schedule.append(waves)
        return schedule
