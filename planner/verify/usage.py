"""How much of each budget every wave uses, counted move by move; and the rules that follow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from planner.verify.columns import codes_of, in_order, spans
from planner.verify.takers import Takers, takes_from
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Bound
    from planner.verify.budgets import Budget
    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Fleet
    from planner.verify.plan import Case
    from planner.verify.pods import Kin, Pod
    from planner.verify.table import Pods

_PODS_AT_ONCE = 1 << 20
_NONE, _ZERO = np.zeros(0, np.int64), np.zeros(1, np.int64)


class Spread:
    """How many pods of each budget are in each wave; where there is none, nothing is kept.

    What is said of waves holds of any moments.
    """

    def __init__(self, keys: Ints, pods: Ints, *, first: int, width: int) -> None:
        self.keys, self.pods = keys, pods
        """By place of the budget times `width` plus the wave less `first`, in this order."""
        self._first, self._width = first, width
        self._before = np.concatenate((_ZERO, np.cumsum(pods)))

    @property
    def places(self) -> Ints:
        """The place of the budget of each."""
        return self.keys // self._width

    @property
    def waves(self) -> Ints:
        """The wave of each."""
        return self.keys % self._width + self._first

    def of(self, place: int) -> Mapping[int, int]:
        """Pods of one budget by wave."""
        own = slice(*np.searchsorted(self.keys, (place * self._width, (place + 1) * self._width)))
        waves = self.keys[own] % self._width + self._first
        return dict(zip(waves.tolist(), self.pods[own].tolist(), strict=True))

    def before(self, places: Ints, waves: Ints) -> Ints:
        """Pods of each of these budgets in the waves before the one that is given for it."""
        begins = places * self._width
        ends = begins + np.clip(waves - self._first, 0, self._width)
        found: Ints = self._before[np.searchsorted(self.keys, ends)]
        return found - self._before[np.searchsorted(self.keys, begins)]

    def table(self, places: Ints, waves: int) -> Ints:
        """Pods of each of these budgets, a row each, in wave 1 and so on."""
        begins = np.searchsorted(self.keys, places * self._width)
        lengths = np.searchsorted(self.keys, (places + 1) * self._width) - begins
        row = np.repeat(np.arange(len(places)), lengths)
        own = spans(begins, lengths)
        column = self.waves[own] - 1
        inside = (column >= 0) & (column < waves)
        found = np.zeros((len(places), waves), np.int64)
        found[row[inside], column[inside]] = self.pods[own[inside]]
        return found


class Usage(Struct, frozen=True, eq=False, kw_only=True, dict=True):
    """One budget over the waves of a plan."""

    budget: Budget
    place: int
    """Among all budgets."""
    of_all: tuple[Spread, Spread]
    """Pods of all budgets that moves take down, and that they repair."""

    @cached_property
    def taken(self) -> Mapping[int, int]:
        """Pods that moves take down, by wave; waves that take none are not in it."""
        return self.of_all[0].of(self.place)

    @cached_property
    def repaired(self) -> Mapping[int, int]:
        """Pods that were down before and are moved, by wave: they use nothing from the next on."""
        return self.of_all[1].of(self.place)

    @cached_property
    def stays_down(self) -> int:
        """Pods that were down before and that no move repairs."""
        return len(self.budget.down) - sum(self.repaired.values())

    def in_wave(self, wave: int) -> int:
        """Pods that are down in one wave."""
        repaired = sum(count for each, count in self.repaired.items() if each < wave)
        return len(self.budget.down) - repaired + self.taken.get(wave, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Usages:
    """Every budget over the waves of a plan."""

    all: Sequence[Usage]
    taken: Spread
    repaired: Spread
    fleet: Fleet
    bound: Bound
    _known: dict[Kin, Sequence[tuple[Usage, Pods | None]]] = field(default_factory=dict, repr=False)

    @cached_property
    def limits(self) -> Ints:
        """How many pods of each budget may be down."""
        return np.array([each.budget.limit for each in self.all], np.int64)

    @cached_property
    def downs(self) -> Ints:
        """How many pods of each budget were down before."""
        return np.array([len(each.budget.down) for each in self.all], np.int64)

    @cached_property
    def takers(self) -> Takers:
        """From which of them the move of each pod takes."""
        return Takers(self.bound, [each.budget for each in self.all])

    def excess(self) -> Iterator[tuple[Usage, int, int, int]]:
        """Budgets and waves that take more than there is, the pods taken and all that are down.

        A wave that moves only pods that were down makes nothing worse, however many are down.
        """
        places, waves, pods = self.taken.places, self.taken.waves, self.taken.pods
        used = self.downs[places] - self.repaired.before(places, waves) + pods
        for each in np.flatnonzero(used > self.limits[places]).tolist():
            yield self.all[places[each]], int(waves[each]), int(pods[each]), int(used[each])

    def left(self, places: Ints, waves: int) -> Ints:
        """What each wave leaves of these budgets, a row each; less than nothing if it is short."""
        repaired = self.repaired.table(places, waves)
        # Those that are down are down in the wave that moves them for the last time.
        back = np.cumsum(repaired, axis=1) - repaired
        least = (self.limits[places] - self.downs[places])[:, None]
        left: Ints = least + back - self.taken.table(places, waves)
        return left

    def of(self, pod: Pod) -> Iterator[Usage]:
        """The budgets that a pod belongs to."""
        for usage, part in self._parts_of(pod.kin):
            if part is None or pod in part:
                yield usage
        rows, places = self._of_row
        own = slice(*np.searchsorted(rows, (pod.row, pod.row + 1)))
        yield from (self.all[place] for place in places[own].tolist())

    # Found when somebody asks, as a plan may hold without.

    def _parts_of(self, kin: Kin) -> Sequence[tuple[Usage, Pods | None]]:
        """Budgets by the kin of a pod, and the pods of it where these are not all."""
        if kin not in self._known:
            usages = self._of_kin.get(kin, ())
            parts = [(usage, (usage.budget.kin or {})[kin]) for usage in usages]
            self._known[kin] = [
                (usage, None if len(part) == len(self.fleet.kin[kin]) else part)
                for usage, part in parts
            ]
        return self._known[kin]

    @cached_property
    def _of_kin(self) -> Mapping[Kin, list[Usage]]:
        """Budgets by kin of which they have pods."""
        found: defaultdict[Kin, list[Usage]] = defaultdict(list)
        for usage in self.all:
            for kin in usage.budget.kin or ():
                found[kin].append(usage)
        return found

    @cached_property
    def _of_row(self) -> tuple[Ints, Ints]:
        """Rows of pods in order, and the places of budgets of which not their kin makes them."""
        listed = [each for each in self.all if each.budget.kin is None]
        rows = np.concatenate([_NONE, *(each.budget.pods.rows for each in listed)])
        places = np.repeat(
            np.array([each.place for each in listed], np.int64),
            [len(each.budget.pods) for each in listed],
        )
        order = in_order(rows)
        return rows[order], places[order]


def measure(case: Case, budgets: Sequence[Budget]) -> Usages:
    """Count what the moves of a plan use, budget by budget."""
    waves = Moments(case.bound, case.bound.wave_of_row)
    taken, repaired = waves.taken(budgets), waves.repaired(budgets)
    both = taken, repaired
    return Usages(
        all=[Usage(budget=it, place=place, of_all=both) for place, it in enumerate(budgets)],
        taken=taken,
        repaired=repaired,
        fleet=case.fleet,
        bound=case.bound,
    )


class Moments:
    """Pods by the wave that moves them, or by another moment of their move."""

    def __init__(self, bound: Bound, of_row: Ints) -> None:
        """Take the moment of each pod of the table."""
        self._bound = bound
        self._of_row, self._width = codes_of(of_row)
        self._first = int(of_row.min(initial=0))

    def taken(self, budgets: Sequence[Budget]) -> Spread:
        """Pods that moves take down."""
        parts: defaultdict[tuple[bool, frozenset[str] | None], list[int]] = defaultdict(list)
        for place, budget in enumerate(budgets):
            parts[budget.surge, budget.containers].append(place)
        found: list[tuple[Ints, Ints]] = []
        for (surge, containers), places in parts.items():
            counted = takes_from(self._bound, surge=surge, containers=containers)
            keys, pods = self._of(places, [budgets[place].pods for place in places], counted)
            # They were counted with the others, and take nothing.
            free, less = self._of(places, [budgets[place].free for place in places], counted)
            pods[np.searchsorted(keys, free)] -= less
            found.append((keys[pods > 0], pods[pods > 0]))
        return self._spread(found)

    def takers(self, budgets: Iterable[Budget]) -> Bools:
        """Of each pod of the table whether its move takes from any of these."""
        under: defaultdict[tuple[bool, frozenset[str] | None], Ints] = defaultdict(
            lambda: np.zeros(len(self._of_row), np.int64)
        )
        for budget in budgets:
            pods = under[budget.surge, budget.containers]
            pods[budget.pods.rows] += 1
            pods[budget.free.rows] -= 1
        found = np.zeros(len(self._of_row), np.bool_)
        for (surge, containers), pods in under.items():
            found |= takes_from(self._bound, surge=surge, containers=containers) & (pods > 0)
        return found

    def repaired(self, budgets: Sequence[Budget]) -> Spread:
        """Pods that were down before and are moved."""
        down = [each.down for each in budgets]
        return self._spread([self._of(range(len(down)), down, self._bound.of_row >= 0)])

    def _spread(self, parts: Sequence[tuple[Ints, Ints]]) -> Spread:
        """What was counted of several groups of budgets."""
        keys = np.concatenate([_NONE, *(keys for keys, _ in parts)])
        pods = np.concatenate([_NONE, *(pods for _, pods in parts)])
        order = in_order(keys)
        return Spread(keys[order], pods[order], first=self._first, width=self._width)

    def _of(
        self, places: Sequence[int], groups: Sequence[Pods], counted: Bools
    ) -> tuple[Ints, Ints]:
        """Keys of a `Spread` and pods of those that count, for the pods of each budget."""
        found: list[tuple[Ints, Ints]] = [(_NONE, _NONE)]
        begin = size = 0
        for end, group in enumerate(groups, start=1):
            size += len(group.rows)
            if size > _PODS_AT_ONCE or end == len(groups):
                found.append(self._of_some(places[begin:end], groups[begin:end], counted))
                begin, size = end, 0
        keys, pods = zip(*found, strict=True)
        return np.concatenate(keys), np.concatenate(pods)

    def _of_some(
        self, places: Sequence[int], groups: Sequence[Pods], counted: Bools
    ) -> tuple[Ints, Ints]:
        rows = np.concatenate([each.rows for each in groups])
        place = np.repeat(np.array(places, np.int64), [len(each.rows) for each in groups])
        own = counted[rows]
        keys = place[own] * self._width + self._of_row[rows[own]]
        return np.unique(keys, return_counts=True)


def budgets_kept(usages: Usages) -> Iterator[Violation]:
    """No wave takes a pod down under a budget that has none left to give."""
    for usage, wave, taken, used in usages.excess():
        budget = usage.budget
        yield Violation(
            rule=budget.rule,
            subject=str(budget),
            wave=wave,
            message=(
                f"the wave takes {taken} pods and {used - taken} are down already:"
                f" {used} where {budget.limit} may be down"
            ),
        )
