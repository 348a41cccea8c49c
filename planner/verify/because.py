"""The rule about explanations: what is said to have held a move back exists and concerns it."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.bound import Moves
from planner.verify.columns import alike, grouped
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planner.verify.budgets import Budget
    from planner.verify.columns import Ints
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case
    from planner.verify.usage import Usages

_NOBODY = np.zeros(0, np.int64)
_CAUSES = frozenset(
    ("budget", "dependency", "sequence", "gang", "stage", "order", "window", "freeze")
)


def because(case: Case, usages: Usages, gangs: Gangs) -> Iterator[Violation]:
    """Causes are of a known sort, budgets and gangs the pod's own; nothing holds wave 1 back."""
    bound = case.bound
    known = np.flatnonzero(bound.is_first)
    in_wave_1 = (bound.wave[known] == 1).astype(np.int64)
    values = bound.because.values
    firsts, groups = alike((in_wave_1, 2), (bound.because.codes[known], len(values)))
    order, ends = grouped(groups, len(firsts))
    by_name = _by_name(usages)
    under = {"budget": cache(partial(_under, by_name)), "gang": cache(gangs.rows_of)}
    is_under = np.zeros(len(case.fleet.table), np.bool_)
    for first, begin, end in zip(firsts.tolist(), ends, ends[1:], strict=False):
        moves, is_first = Moves(bound, known[order[begin:end]]), bool(in_wave_1[first])
        for cause in bound.because[known[first]]:
            doubt = _doubt(cause, under, is_first=is_first)
            if doubt is None:
                continue
            message, rows = doubt
            is_under[rows] = True
            for move in moves.where(~is_under[moves.rows]):
                yield Violation(rule="because", subject=str(move), wave=move.wave, message=message)
            is_under[rows] = False


def _doubt(
    cause: str, under: Mapping[str, Callable[[str], Ints]], *, is_first: bool
) -> tuple[str, Ints] | None:
    """What is wrong with a cause, but for the pods of these rows; None: nothing is."""
    sort, _, name = cause.partition(":")
    if is_first:
        return f"nothing comes before wave 1, and {cause!r} is said to hold it back", _NOBODY
    if sort not in _CAUSES or not name:
        return f"{cause!r} is no cause; causes are written like budget:pdb/trade/cart", _NOBODY
    if sort == "budget":
        message = f"it does not belong to the budget {name!r} that is said to hold it back"
        return message, under[sort](name)
    if sort == "gang":
        message = f"it moves with no other by the entry {name!r} of gangs, said to hold it back"
        return message, under[sort](name)
    return None


def _by_name(usages: Usages) -> Mapping[str, Sequence[Budget]]:
    """Budgets by how causes name them; those of several clusters may share a name."""
    found: defaultdict[str, list[Budget]] = defaultdict(list)
    for usage in usages.all:
        budget = usage.budget
        suffix = "" if budget.instance is None else f"/{budget.instance}"
        found[budget.name + suffix].append(budget)
    return found


def _under(by_name: Mapping[str, Sequence[Budget]], name: str) -> Ints:
    return np.concatenate([_NOBODY, *(each.pods.rows for each in by_name.get(name, ()))])
