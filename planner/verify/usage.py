"""How much of each budget every wave uses, counted move by move; and the rules that follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.budgets import Budget
    from planner.verify.fleet import Fleet
    from planner.verify.plan import Case, Manner
    from planner.verify.pods import Kin, Pod


_wave_of = attrgetter("wave")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usage:
    """One budget over the waves of a plan."""

    budget: Budget
    taken: Mapping[int, int]
    """Pods that moves take down, by wave; waves that take none are not in it."""
    repaired: Mapping[int, int]
    """Pods that were down before and are moved, by wave; they use nothing from the next wave."""

    @property
    def stays_down(self) -> int:
        """Pods that were down before and that no move repairs."""
        return len(self.budget.down) - sum(self.repaired.values())

    def left(self, waves: int) -> list[int]:
        """What every wave leaves of the budget; less than nothing where it has too few."""
        left, down = [self.budget.limit] * waves, len(self.budget.down)
        for wave, taken in self.taken.items():
            if 0 < wave <= waves:
                left[wave - 1] -= taken
        begin = 0
        for wave in (*sorted(it for it in self.repaired if 0 < it < waves), waves):
            # Those that are down are down in the wave that moves them for the last time.
            for index in range(begin, wave) if down else ():
                left[index] -= down
            begin, down = wave, down - self.repaired.get(wave, 0)
        return left

    def in_wave(self, wave: int) -> int:
        """Pods that are down in one wave."""
        repaired = sum(count for each, count in self.repaired.items() if each < wave)
        return len(self.budget.down) - repaired + self.taken.get(wave, 0)

    def excess(self) -> Iterator[tuple[int, int]]:
        """Waves that take from the budget more than it holds, with the pods down in them.

        A wave that moves only pods that were down makes nothing worse, however many are down.
        """
        down, repaired = len(self.budget.down), 0
        waves = sorted(self.taken.keys() | self.repaired.keys())
        for wave in waves:
            used = down - repaired + self.taken.get(wave, 0)
            if wave in self.taken and used > self.budget.limit:
                yield wave, used
            repaired += self.repaired.get(wave, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Usages:
    """Every budget over the waves of a plan."""

    all: Sequence[Usage]
    fleet: Fleet

    def of(self, pod: Pod) -> Iterator[Usage]:
        """The budgets that a pod belongs to."""
        of_kin, of_pod = self._found
        return chain(of_kin.get(pod.kin, ()), of_pod.get(pod, ()))

    @cached_property
    def _found(self) -> tuple[Mapping[Kin, list[Usage]], Mapping[Pod, list[Usage]]]:
        """Budgets by kin of which they have all pods, and by their other pods.

        Found when somebody asks, as a plan may hold without.
        """
        of_kin: defaultdict[Kin, list[Usage]] = defaultdict(list)
        of_pod: defaultdict[Pod, list[Usage]] = defaultdict(list)
        for usage in self.all:
            kin = usage.budget.kin
            for pod in usage.budget.pods if kin is None else ():
                of_pod[pod].append(usage)
            for each, pods in (kin or {}).items():
                if len(pods) == len(self.fleet.kin[each]):
                    of_kin[each].append(usage)
                    continue
                for pod in pods:
                    of_pod[pod].append(usage)
        return of_kin, of_pod


def measure(case: Case, budgets: Sequence[Budget]) -> Usages:
    """Count what the moves of a plan use, budget by budget."""
    taking = _Taking(case)
    return Usages(all=[_usage(case, each, taking) for each in budgets], fleet=case.fleet)


def _usage(case: Case, budget: Budget, taking: _Taking) -> Usage:
    taken = taking.of_kin(budget) if budget.kin is not None else taking.of_listed(budget)
    moved = [move for pod in budget.free if (move := case.move_of.get(pod)) is not None]
    # They were counted with the others, and take nothing.
    taken.subtract(move.wave for move in moved if taking.is_counted(budget, move.manner))
    repaired = (move.wave for pod in budget.down if (move := case.move_of.get(pod)) is not None)
    return Usage(
        budget=budget,
        taken={wave: pods for wave, pods in taken.items() if pods},
        repaired=Counter(repaired),
    )


class _Taking:
    """Pods by the wave that moves them: of each kin together, since budgets share their kin."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._waves = {
            manner: Counter(map(_wave_of, moves)) for manner, moves in case.in_manner.items()
        }
        self._manners: defaultdict[Kin | None, list[Manner]] = defaultdict(list)
        for manner in case.in_manner:
            self._manners[manner.kin].append(manner)

    def is_counted(self, budget: Budget, manner: Manner) -> bool:
        """Whether a move takes from a budget if its pod is not free."""
        if (manner.kind == "surge") is not budget.surge:
            return False
        return budget.containers is None or not budget.containers.isdisjoint(manner.containers)

    def of_kin(self, budget: Budget) -> Counter[int]:
        """What all moves of a budget's pods would take by wave, were none of them free."""
        taken: Counter[int] = Counter()
        of_manner = self._waves.__getitem__
        for kin, pods in (budget.kin or {}).items():
            if len(pods) < len(self._case.fleet.kin[kin]):
                self._add(taken, budget, pods)
                continue
            for manner in self._manners.get(kin, ()):
                if self.is_counted(budget, manner):
                    for wave, moves in of_manner(manner).items():
                        taken[wave] += moves
        return taken

    def of_listed(self, budget: Budget) -> Counter[int]:
        """The same for one whose pods are not given by kin."""
        if budget.containers is None and not budget.surge:
            # There are as many as nodes, so this is the shorter way.
            counted = Counter(map(self._wave_unless_surging.get, budget.listed))
            return Counter({wave: pods for wave, pods in counted.items() if wave is not None})
        taken: Counter[int] = Counter()
        self._add(taken, budget, budget.listed)
        return taken

    @cached_property
    def _wave_unless_surging(self) -> Mapping[Pod, int]:
        moves = self._case.move_of.items()
        return {pod: move.wave for pod, move in moves if move.manner.kind != "surge"}

    def _add(self, taken: Counter[int], budget: Budget, pods: Sequence[Pod]) -> None:
        moves = filter(None, map(self._case.move_of.get, pods))
        taken.update(it.wave for it in moves if self.is_counted(budget, it.manner))


def budgets_kept(usages: Usages) -> Iterator[Violation]:
    """No wave takes a pod down under a budget that has none left to give."""
    for usage in usages.all:
        budget = usage.budget
        for wave, used in usage.excess():
            taken = usage.taken[wave]
            yield Violation(
                rule=budget.rule,
                subject=str(budget),
                wave=wave,
                message=(
                    f"the wave takes {taken} pods and {used - taken} are down already:"
                    f" {used} where {budget.limit} may be down"
                ),
            )
