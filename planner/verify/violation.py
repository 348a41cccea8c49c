"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule. `rule` is a stable name that programs may match on."""

    rule: str
    """Stable name of the rule: `pod-exists`, `budget`, `soak` and so on."""

    subject: str
    """What broke it: a pod, a workload, a budget, or a field of the header."""

    wave: int | None
    """The wave in which it breaks; None when no one wave is to blame."""

    message: str
    """A sentence for people, with the numbers that disagree."""
