"""The rule about budgets of a streaming plan: what is under way whenever a move begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.verify.usage import Moments
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.verify.columns import Ints
    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages
    from planner.verify.written import Starts


def budgets_kept(case: Case, starts: Starts, usages: Usages) -> Iterator[Violation]:
    """No move takes a pod down under a budget that others which are under way have used up.

    Moves that end at a moment are over at it. A move of a pod that was down before takes nothing,
    and gives back what the pod used when it ends.
    """
    tight = _tight(usages)
    budgets = [each.budget for each in tight]
    moments, ranks = np.unique(
        np.concatenate((starts.start_ms, starts.end_ms)), return_inverse=True
    )
    begins, ends = np.split(ranks.astype(np.int64), 2)
    ending = Moments(case.bound, case.bound.of_rows(ends))
    begun = Moments(case.bound, case.bound.of_rows(begins)).taken(budgets)
    ended, back = ending.taken(budgets), ending.repaired(budgets)
    places, now = begun.places, begun.waves
    taken = begun.before(places, now + 1) - ended.before(places, now + 1)
    downs = np.array([len(each.down) for each in budgets], np.int64)[places]
    down = downs - back.before(places, now + 1)
    limits = np.array([each.limit for each in budgets], np.int64)[places]
    broken = np.flatnonzero(taken + down > limits)
    _, firsts = np.unique(places[broken], return_index=True)
    for each in broken[firsts].tolist():
        usage, ms = tight[places[each]], int(moments[now[each]])
        yield Violation(
            rule=usage.budget.rule,
            subject=str(usage.budget),
            wave=_wave(case, usage, starts.start_ms, ms),
            message=(
                f"{ms / 1000:g} s after the start {taken[each]} pods that moves take are under way"
                f" and {down[each]} are down besides: {taken[each] + down[each]} where"
                f" {usage.budget.limit} may be down"
            ),
        )


def _tight(usages: Usages) -> list[Usage]:
    """Budgets that would not hold if all of their moves were under way at once."""
    pods = np.bincount(
        usages.taken.places, weights=usages.taken.pods, minlength=len(usages.all)
    ).astype(np.int64)
    tight = (pods > 0) & (usages.downs + pods > usages.limits)
    return [usages.all[place] for place in np.flatnonzero(tight).tolist()]


def _wave(case: Case, usage: Usage, start_ms: Ints, ms: int) -> int | None:
    """The wave of a move that takes from a budget and begins then."""
    of_row, rows = case.bound.of_row, usage.budget.pods.rows
    places = of_row[rows]
    places = places[places >= 0]
    for place in places[start_ms[places] == ms].tolist():
        move = case.bound[place]
        if usage.budget.takes(move):
            return move.wave
    return None
