"""The rule about explanations: what is said to have held a move back exists and concerns it."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from planner.verify.budgets import Budget
    from planner.verify.plan import Case, Move
    from planner.verify.pods import Pod
    from planner.verify.usage import Usages

_CAUSES = frozenset(("budget", "dependency", "stage", "order", "window", "freeze"))


def because(case: Case, usages: Usages) -> Iterator[Violation]:
    """Causes are of a known sort, budgets are the pod's own, and nothing holds wave 1 back."""
    alike: defaultdict[tuple[bool, Sequence[str]], list[Move]] = defaultdict(list)
    for move in case.move_of.values():
        if move.because:
            alike[move.wave == 1, move.because].append(move)
    under = cache(partial(_under, _by_name(usages)))
    for (is_first, causes), moves in alike.items():
        doubts = [doubt for it in causes if (doubt := _doubt(it, under, is_first=is_first))]
        for move in moves if doubts else ():
            for message, pods in doubts:
                if move.pod not in pods:
                    yield Violation(
                        rule="because", subject=str(move), wave=move.wave, message=message
                    )


def _doubt(
    cause: str, under: Callable[[str], AbstractSet[Pod]], *, is_first: bool
) -> tuple[str, AbstractSet[Pod]] | None:
    """What is wrong with a cause, but for the pods that are given; None: nothing is."""
    sort, _, name = cause.partition(":")
    if is_first:
        return f"nothing comes before wave 1, and {cause!r} is said to hold it back", frozenset()
    if sort not in _CAUSES or not name:
        return f"{cause!r} is no cause; causes are written like budget:pdb/trade/cart", frozenset()
    if sort == "budget":
        message = f"it does not belong to the budget {name!r} that is said to hold it back"
        return message, under(name)
    return None


def _by_name(usages: Usages) -> Mapping[str, Sequence[Budget]]:
    """Budgets by how causes name them; those of several clusters may share a name."""
    found: defaultdict[str, list[Budget]] = defaultdict(list)
    for usage in usages.all:
        budget = usage.budget
        suffix = "" if budget.instance is None else f"/{budget.instance}"
        found[budget.name + suffix].append(budget)
    return found


def _under(by_name: Mapping[str, Sequence[Budget]], name: str) -> frozenset[Pod]:
    return frozenset(chain.from_iterable(each.pods for each in by_name.get(name, ())))
