"""What a schedule of so many waves has to keep, as sums over what is done after each wave.

Variables are how many moves of a run (moves of a group that take alike) are done after each wave,
and of a group that waits whether it may begin in that wave; each lies in a box. A row is a sum of
them that is no more than a number. Every schedule of so many waves keeps every row: so weights
under which the rows add up to what no point of the boxes keeps prove that there is none.

Needs only Python and networkx, and is all that who checks such a proof needs: `is_refuted`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benches.peers.problem import Group, Problem, alike, scarce
from benches.peers.tails import Tails, paces

Terms = list[tuple[int, int]]
"""Variables with what each counts."""
Steps = Sequence[int]
"""The variable of each wave, from wave 0 to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Its sum is at most `most`."""

    name: str
    terms: Terms
    most: int


def is_refuted(
    low: Sequence[int], high: Sequence[int], weighted: Iterable[tuple[Row, int]]
) -> bool:
    """Whether rows, taken as often as their weights say, add up to what no point of a box keeps.

    Everything is an integer, so nothing is rounded.
    """
    total: dict[int, int] = {}
    most = 0
    for row, weight in weighted:
        if weight < 0:
            return False
        most += weight * row.most
        for variable, counts in row.terms:
            total[variable] = total.get(variable, 0) + weight * counts
    least = sum(each * (low if each > 0 else high)[v] for v, each in total.items())
    return least > most


class Relaxation:
    """The rows and boxes of a problem in so many waves.

    Attributes:
        low: of each variable; `high` too.
        is_void: a box is empty, so that no row is needed.
    """

    def __init__(
        self, problem: Problem, waves: int, *, windows: bool, budgets: Iterable[int] | None = None
    ) -> None:
        """`windows`: boxes by heads, tails and pace, and not by numbers of moves only."""
        self.problem, self.waves, self.windows = problem, waves, windows
        self.low: list[int] = []
        self.high: list[int] = []
        self.rows: list[Row] = []
        self._scarce = frozenset(scarce(problem) if budgets is None else budgets)
        self._paces, tails = paces(problem), Tails(problem)
        self._heads, self._tails = tails.heads(), tails.given([0] * len(problem.groups))
        self._runs = [alike(problem, group, self._scarce) for group in problem.groups]
        self._totals: list[Steps] = []
        self._steps: list[list[Steps]] = []
        # What opens a gate: so many moves of so many groups.
        self._gates: list[tuple[Steps, list[tuple[int, int]]]] = []
        for index, group in enumerate(problem.groups):
            self._pose(index, group)
        self._begin()
        self._budgets()
        self.is_void = any(a > b for a, b in zip(self.low, self.high, strict=True))

    def _add(self, name: str, terms: Terms, most: int) -> None:
        """A row, unless every point of the boxes keeps it."""
        if sum(each * (self.high if each > 0 else self.low)[v] for v, each in terms) > most:
            self.rows.append(Row(name=name, terms=terms, most=most))

    def _variables(self, boxes: Iterable[tuple[int, int]], name: str) -> Steps:
        first = len(self.low)
        for low, high in boxes:
            self.low.append(low)
            self.high.append(high)
        steps = range(first, len(self.low))
        for before, after in pairwise(steps):
            self._add(f"{name} only grows", [(before, 1), (after, -1)], 0)
        return steps

    def _boxes(self, index: int) -> list[tuple[int, int]]:
        """How many moves of a group are done after each wave, at least and at most."""
        size = len(self.problem.groups[index].moves)
        if not self.windows:
            return [(0, 0), *[(0, size)] * (self.waves - 1), (size, size)]
        waits = (each for each in self.problem.precedences if each.before == index)
        dues = [(each.count, self.waves - self._tails[each.after]) for each in waits]
        dues.append((size, self.waves))
        pace, boxes, least, most = self._paces[index], [], 0, 0
        for wave in range(self.waves + 1):
            while most < size and pace.waves(0, most + 1) <= wave - self._heads[index] + 1:
                most += 1
            for count, due in dues:
                while least < count and pace.waves(least, count) > due - wave:
                    least += 1
            boxes.append((least, most))
        return boxes

    def _pose(self, index: int, group: Group) -> None:
        boxes, size, name = self._boxes(index), len(group.moves), group.name
        total = self._variables(boxes, name)
        self._totals.append(total)
        parts = [total]
        runs = self._runs[index]
        if len(runs) > 1:
            parts = [
                self._variables(
                    [(max(0, a - size + len(run)), min(len(run), b)) for a, b in boxes], name
                )
                for run in runs
            ]
            for wave in range(1, self.waves + 1):
                whole = [(part[wave], 1) for part in parts]
                self._add(f"{name} is all its moves", [*whole, (total[wave], -1)], 0)
                self._add(
                    f"{name} is all its moves", [(v, -1) for v, _ in whole] + [(total[wave], 1)], 0
                )
        self._steps.append(parts)
        if group.ordered:
            for (before, run), (after, later) in pairwise(zip(parts, runs, strict=True)):
                for wave in range(1, self.waves + 1):
                    terms = [(after[wave], len(run)), (before[wave], -len(later))]
                    self._add(f"{name} keeps its order", terms, 0)
        self._pose_stages(index, group)

    def _pose_stages(self, index: int, group: Group) -> None:
        """A stage is open only after waves that did all before it."""
        if len(group.stages) == 1:
            return
        total, name = self._totals[index], group.name
        pace = self._paces[index]
        sizes = [stop - begin for begin, stop in pairwise((0, *group.stages))]
        before: Steps | None = None
        done: Terms = []
        for stop, size in zip(group.stages[:-1], sizes[1:], strict=True):
            boxes = [(int(self.low[v] >= stop), int(self.high[v] >= stop)) for v in total]
            gate = self._variables([(0, 0), *boxes[:-1]], name)
            self._gates.append((gate, [(index, stop)]))
            for wave in range(1, self.waves + 1):
                self._reach(f"{name} ends its stage", total[wave - 1], gate[wave], stop)
                if before is not None and self.windows:
                    begun = wave - pace.waves(group.stages[group.stages.index(stop) - 1], stop)
                    terms = [(gate[wave], 1)] + ([(before[begun], -1)] if begun > 0 else [])
                    self._add(f"{name} ends its stage in time", terms, 0)
            done.append((size, gate[0]))
            before = gate
        for wave in range(1, self.waves + 1):
            terms = [(gate + wave, -size) for size, gate in done]
            self._add(f"{name} keeps its stages", [(total[wave], 1), *terms], group.stages[0])

    def _reach(self, name: str, steps: int, gate: int, count: int) -> None:
        """A gate is open only when `count` are done."""
        low = min(self.low[steps], count)
        self._add(name, [(gate, count - low), (steps, -1)], -low)

    def _begin(self) -> None:
        """A group that waits begins only when enough is done, and goes on at its pace."""
        after = dict.fromkeys(each.after for each in self.problem.precedences)
        gates = {index: self._begin_group(index) for index in after}
        for each in self.problem.precedences:
            gate, name = gates[each.after], self.problem.groups[each.after].name
            before, begun = self._totals[each.before], gates.get(each.before, ())
            alone = self._paces[each.before].waves(0, each.count) if self.windows else self.waves
            for wave in range(1, self.waves + 1):
                self._reach(f"{name} waits", before[wave - 1], gate[wave], each.count)
                if begun and wave > alone:
                    terms = [(gate[wave], 1), (begun[wave - alone], -1)]
                    self._add(f"{name} waits in turn", terms, 0)

    def _begin_group(self, index: int) -> Steps:
        """Whether a group may begin, wave by wave, and what it can have done since it may."""
        size, waves = len(self.problem.groups[index].moves), range(1, self.waves + 1)
        first = self._heads[index] if self.windows else 1
        last = self.waves - (self._tails[index] if self.windows else 1) + 1
        boxes = [(int(wave >= last), int(wave >= first)) for wave in waves]
        gate = self._variables([(0, 0), *boxes], self.problem.groups[index].name)
        needs = [(e.before, e.count) for e in self.problem.precedences if e.after == index]
        self._gates.append((gate, needs))
        steps = self._forward(index) if self.windows else [size]
        for wave in waves:
            more = zip(range(wave, 0, -1), pairwise([0, *steps]), strict=False)
            terms = [(gate[w], before - after) for w, (before, after) in more]
            self._add("pace", [(self._totals[index][wave], 1), *terms], 0)
        return gate

    def _forward(self, index: int) -> list[int]:
        """The most moves of a group after 1, 2, .. waves of its own."""
        pace, done, steps = self._paces[index], 0, list[int]()
        while done < len(self.problem.groups[index].moves):
            while done < pace.stages[-1] and pace.waves(0, done + 1) <= len(steps) + 1:
                done += 1
            steps.append(done)
        return steps

    def _budgets(self) -> None:
        takes: dict[int, list[Steps]] = {each: [] for each in self._scarce}
        releases: dict[int, list[tuple[Steps, int]]] = {each: [] for each in self._scarce}
        for group, runs, parts in zip(self.problem.groups, self._runs, self._steps, strict=True):
            for run, steps in zip(runs, parts, strict=True):
                charge = self.problem.charges[group.moves[run[0]]]
                for budget in self._scarce.intersection(charge.takes):
                    takes[budget].append(steps)
                for budget in self._scarce.intersection(charge.releases):
                    releases[budget].append((steps, len(run)))
        for budget in sorted(self._scarce):
            of = self.problem.budgets[budget]
            over = max(0, of.down - of.limit)
            back = sum(count for _, count in releases[budget])
            # When more are down than may be, what a wave may take grows by the line below the rest.
            each, most = (1, of.limit - of.down) if not over else (back, 0)
            freed = 1 if not over else back - over
            for wave in range(1, self.waves + 1):
                terms = [(s[wave], each) for s in takes[budget]]
                terms += [(s[wave - 1], -each) for s in takes[budget]]
                terms += [(s[wave - 1], -freed) for s, _ in releases[budget]]
                self._add(f"{of.name} in wave {wave}", terms, most)
