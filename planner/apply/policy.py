"""How an operator wants a run to be carried out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from planner.errors import UsageError

_SHARE: Final = re.compile(r"([0-9]{1,9})(%?)")


@dataclass(frozen=True, slots=True)
class Allowance:
    """Pods that may fail: a number, or percent of the pods that move, rounded down."""

    amount: int
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `3` or `1%`.

        Raises:
            UsageError: it is neither.
        """
        found = _SHARE.fullmatch(text)
        if found is None:
            raise UsageError(f"{text}: give a number of pods or a percentage, such as 3 or 1%")
        return cls(int(found[1]), percent=bool(found[2]))

    def of(self, moves: int) -> int:
        """How many of so many moves may fail."""
        return moves * self.amount // 100 if self.percent else self.amount

    def __str__(self) -> str:
        return f"{self.amount}%" if self.percent else str(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a run is started with; whoever takes it over goes on with the same.

    Attributes:
        patience_s: how much longer than the plan expects a wave waits, after its last pod came
            back, until the others have failed.
        failures_run: pods that may fail in the whole run.
        failures_wave: pods that may fail in one wave.
        failures_workload: pods that may fail of one workload, in the whole run.
        writes_per_s: writes to one cluster, a second.
    """

    patience_s: int = 600
    failures_run: Allowance = Allowance(0)
    failures_wave: Allowance = Allowance(0)
    failures_workload: Allowance = Allowance(0)
    writes_per_s: int = 50

    @classmethod
    def asked(
        cls,
        *,
        patience_s: int = 600,
        failures: str = "0",
        failures_per_wave: str | None = None,
        failures_per_workload: str | None = None,
        writes_per_s: int = 50,
    ) -> Self:
        """Give the policy of somebody who writes `3` or `1%`; a wave and a workload are as the run.

        Raises:
            UsageError: one of the failures is neither.
        """
        return cls(
            patience_s=patience_s,
            failures_run=Allowance.parse(failures),
            failures_wave=Allowance.parse(failures_per_wave or failures),
            failures_workload=Allowance.parse(failures_per_workload or failures),
            writes_per_s=writes_per_s,
        )

    def as_texts(self) -> dict[str, str]:
        """Write it for the log."""
        return {each.name: str(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def of_texts(cls, texts: Mapping[str, str]) -> Self:
        """Read what `as_texts` wrote; what an older planner did not know is as usual."""
        values: dict[str, Any] = {
            each.name: Allowance.parse(texts[each.name])
            if isinstance(each.default, Allowance)
            else int(texts[each.name])
            for each in fields(cls)
            if each.name in texts
        }
        return cls(**values)
