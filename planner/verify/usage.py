"""How much of each budget every wave uses, counted move by move; and the rules that follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.budgets import Budget
    from planner.verify.observed import Pod
    from planner.verify.plan import Case


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

    def by_wave(self, waves: int) -> Iterator[tuple[int, int]]:
        """Every wave with the number of pods that are down in it."""
        down = len(self.budget.down)
        for wave in range(1, waves + 1):
            yield wave, down + self.taken.get(wave, 0)
            down -= self.repaired.get(wave, 0)

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usages:
    """Every budget over the waves of a plan, and the budgets that each pod belongs to."""

    all: Sequence[Usage]
    of_pod: Mapping[Pod, Sequence[Usage]]


def measure(case: Case, budgets: Sequence[Budget]) -> Usages:
    """Count what the moves of a plan use; each move is looked at once for each of its budgets."""
    usages: list[Usage] = []
    of_pod: defaultdict[Pod, list[Usage]] = defaultdict(list)
    move_of = case.move_of.get
    for budget in budgets:
        moves = [(pod, move) for pod in budget.pods if (move := move_of(pod)) is not None]
        taking = (
            move.wave for pod, move in moves if budget.would_take(pod, move.kind, move.containers)
        )
        repairing = (move.wave for pod, move in moves if pod in budget.down) if budget.down else ()
        usage = Usage(budget=budget, taken=Counter(taking), repaired=Counter(repairing))
        usages.append(usage)
        for pod in budget.pods:
            of_pod[pod].append(usage)
    return Usages(all=usages, of_pod=dict(of_pod))


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
