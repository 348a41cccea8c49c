"""Rules about the plan as a whole: every pod that differs is accounted for, and no other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.verify.plan import Case


def unmovable_missing(case: Case) -> Iterator[Violation]:
    """Every pod that differs moves, or is listed with a reason and a remedy."""
    for pod in case.target.changes:
        if pod not in case.move_of and pod not in case.unmovable:
            yield _violation(
                "unmovable-missing",
                str(pod),
                "it differs from the target, does not move, and nothing says why",
            )
    for entry in case.header["unmovable"]:
        if not entry.get("reason") or not entry.get("remedy"):
            yield _violation(
                "unmovable-missing",
                f"{entry['cluster']}/{entry['namespace']}/{entry['pod']}",
                "it is listed as unmovable without a reason and a remedy",
            )


def complete(case: Case) -> Iterator[Violation]:
    """Nothing moves or is called unmovable but pods that differ, and no pod is both."""
    for pod, move in case.move_of.items():
        if pod not in case.target.changes:
            yield Violation(
                rule="complete",
                subject=str(pod),
                wave=move.wave,
                message="it moves and does not differ from the target",
            )
        if pod in case.unmovable:
            yield Violation(
                rule="complete",
                subject=str(pod),
                wave=move.wave,
                message="it moves and is listed as unmovable",
            )
    listed = Counter(
        (entry["cluster"], entry["namespace"], entry["pod"]) for entry in case.header["unmovable"]
    )
    differing = {(pod.cluster, pod.namespace, pod.name) for pod in case.target.changes}
    for name, count in listed.items():
        if name not in differing:
            yield _violation(
                "complete",
                "/".join(name),
                "it is listed as unmovable and does not differ from the target",
            )
        elif count > 1:
            yield _violation("complete", "/".join(name), f"it is listed {count} times")


def _violation(rule: str, subject: str, message: str) -> Violation:
    return Violation(rule=rule, subject=subject, wave=None, message=message)
