"""A bound on waves by budgets between heads and tails, beside the list schedule.

Of every group it is known how many moves are done at most after the first waves, and how many have
to be done before the last ones. What is neither done before nor left for after has to go between,
and there every budget has room for only so much at once. The same says when a group can begin that
waits for several: not before what they need of one budget together had room.

Needs only Python and networkx. Nothing is asked for a number of waves that is given: heads and
tails are counted from either end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import networkx as nx

from benches.peers import tails
from benches.peers.problem import Answer, Problem, scarce
from benches.peers.tails import graph, paces


def solve(problem: Problem, seconds: float) -> Answer:
    """The list schedule, and the bound."""
    return Answer(waves=tails.solve(problem, seconds).waves, bound=Middle(problem).bound())


class Middle:
    """What is known of each group, from the first wave on and from the last one back.

    Attributes:
        first: of each group the most moves that are done after 0, 1, .. waves, until all are.
        due: of each group how many are done at least 0, 1, .. waves before the end, down to none.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._paces = paces(problem)
        self._sizes = [len(group.moves) for group in problem.groups]
        charges = problem.charges
        budgets = frozenset(scarce(problem))
        self._on = [
            Counter(b for move in group.moves for b in charges[move].takes if b in budgets)
            for group in problem.groups
        ]
        self._back = [
            Counter(b for move in group.moves for b in charges[move].releases if b in budgets)
            for group in problem.groups
        ]
        self._before: list[list[tuple[int, int]]] = [[] for _ in problem.groups]
        self._after: list[list[tuple[int, int]]] = [[] for _ in problem.groups]
        for each in problem.precedences:
            self._before[each.after].append((each.before, each.count))
            self._after[each.before].append((each.after, each.count))
        order = list(nx.topological_sort(graph(problem)))
        self.first: list[list[int]] = [[] for _ in problem.groups]
        self._room: dict[int, list[int]] = {}
        # First without room: what is down comes back no sooner than its group can go at all.
        for _ in range(2):
            for group in order:
                self.first[group] = self._forward(group)
            self._room = {budget: self._rooms(budget) for budget in budgets}
        self.due: list[list[int]] = [[] for _ in problem.groups]
        for group in reversed(order):
            self.due[group] = self._backward(group)

    def bound(self) -> int:
        """The fewest waves by any group, or by any budget between any head and any tail."""
        alone = (self._head(group) + len(due) - 1 for group, due in enumerate(self.due))
        users: dict[int, list[int]] = {budget: [] for budget in self._room}
        for group, on in enumerate(self._on):
            for budget in on:
                users[budget].append(group)
        return max(chain(alone, (self._of(each, of) for each, of in users.items())), default=0)

    def _of(self, budget: int, users: Sequence[int]) -> int:
        """The most waves by one budget."""
        best = 0
        for head in range(max(len(self.first[group]) for group in users)):
            for tail in range(max(len(self.due[group]) for group in users)):
                between = {
                    group: _at(self.due[group], tail) - _at(self.first[group], head)
                    for group in users
                }
                moves = self._taking(budget, between)
                if not moves:
                    break
                best = max(best, head + self._waves(budget, moves, head) + tail)
        return best

    def _taking(self, budget: int, moves: Mapping[int, int]) -> int:
        """Of so many moves of each group, how many take from a budget at least."""
        spared = ((group, self._sizes[group] - self._on[group][budget]) for group in moves)
        return sum(max(0, moves[group] - spare) for group, spare in spared)

    def _waves(self, budget: int, moves: int, begin: int) -> int:
        """Waves after the first `begin` ones until a budget had room for so many moves."""
        rooms, waves = self._room[budget], 0
        while moves > 0 and begin + waves < len(rooms):
            moves -= rooms[begin + waves]
            waves += 1
        return waves + max(0, -(-moves // rooms[-1]))

    def _rooms(self, budget: int) -> list[int]:
        """The room of wave 1, 2, .., the last one for all that follow."""
        of = self.problem.budgets[budget]
        users = [(group, back[budget]) for group, back in enumerate(self._back) if back[budget]]
        most = max((len(self.first[group]) for group, _ in users), default=1)
        freed = [
            sum(min(back, _at(self.first[group], wave)) for group, back in users)
            for wave in range(most)
        ]
        rooms = [max(0, of.limit - of.down + each) for each in freed]
        return [*rooms[:-1], max(1, rooms[-1])]

    def _head(self, group: int) -> int:
        """Waves before the first of a group."""
        return max(0, sum(done == 0 for done in self.first[group]) - 1)

    def _forward(self, group: int) -> list[int]:
        """The most moves after 0, 1, .. waves: it begins when what it waits for can be done."""
        head = 0
        for before, count in self._before[group]:
            reached = next(w for w, done in enumerate(self.first[before]) if done >= count)
            head = max(head, reached)
        taken = {each for before, _ in self._before[group] for each in self._on[before]}
        for budget in taken & self._room.keys():
            head = max(head, self._joined(budget, self._before[group]))
        pace, done, first = self._paces[group], 0, [0] * (head + 1)
        while done < self._sizes[group]:
            while done < self._sizes[group] and pace.waves(0, done + 1) <= len(first) - head:
                done += 1
            first.append(done)
        return first

    def _joined(self, budget: int, needs: Iterable[tuple[int, int]]) -> int:
        """Waves until a budget had room for what is needed of several groups."""
        needs = [(group, count) for group, count in needs if self._on[group][budget]]
        best = 0
        for head in range(max(len(self.first[group]) for group, _ in needs)):
            left = {group: count - _at(self.first[group], head) for group, count in needs}
            moves = self._taking(budget, left)
            if moves:
                best = max(best, head + self._waves(budget, moves, head))
        return best

    def _backward(self, group: int) -> list[int]:
        """How many are done 0, 1, .. waves before the end: what waits has to begin early enough."""
        size, pace = self._sizes[group], self._paces[group]
        dues = [(size, 0)]
        for count in {count for _, count in self._after[group]}:
            waiting = [after for after, needed in self._after[group] if needed >= count]
            tail = max(len(self.due[after]) - 1 for after in waiting)
            for budget in {each for after in waiting for each in self._on[after]}:
                tail = max(tail, self._spread(budget, waiting))
            dues.append((count, tail))
        due: list[int] = []
        while not due or due[-1]:
            done = 0
            for count, tail in dues:
                while done < count and pace.waves(done, count) > len(due) - tail:
                    done += 1
            due.append(done)
        return due

    def _spread(self, budget: int, waiting: Sequence[int]) -> int:
        """Waves at the end in which a budget has room for all that several groups have to do."""
        best = 0
        room = self._room[budget][-1]
        users = [group for group in waiting if self._on[group][budget]]
        for tail in range(max(len(self.due[group]) for group in users)):
            moves = self._taking(budget, {group: _at(self.due[group], tail) for group in users})
            if moves:
                best = max(best, tail - (-moves // room))
        return best


def _at(steps: Sequence[int], wave: int) -> int:
    return steps[min(wave, len(steps) - 1)]
