"""The rule about explanations: what is said to have held a move back exists and concerns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.verify.observed import Pod
    from planner.verify.plan import Case
    from planner.verify.usage import Usages

_CAUSES = frozenset(("budget", "dependency", "stage", "order", "window", "freeze"))


def because(case: Case, usages: Usages) -> Iterator[Violation]:
    """Causes are of a known sort, budgets are the pod's own, and nothing holds wave 1 back."""
    for move in case.move_of.values():
        if move.pod is None:
            continue
        for cause in move.because:
            sort, _, name = cause.partition(":")
            if move.wave == 1:
                message = f"nothing comes before wave 1, and {cause!r} is said to hold it back"
            elif sort not in _CAUSES or not name:
                message = f"{cause!r} is no cause; causes are written like budget:pdb/trade/cart"
            elif sort == "budget" and not _is_under(move.pod, name, usages):
                message = f"it does not belong to the budget {name!r} that is said to hold it back"
            else:
                continue
            yield Violation(rule="because", subject=str(move), wave=move.wave, message=message)


def _is_under(pod: Pod, name: str, usages: Usages) -> bool:
    return any(
        usage.budget.name == name
        if usage.budget.instance is None
        else f"{usage.budget.name}/{usage.budget.instance}" == name
        for usage in usages.of_pod.get(pod, ())
    )
