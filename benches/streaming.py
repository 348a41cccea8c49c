"""How much sooner a fleet is through when moves do not wait for waves, and how near the bound.

    python -m benches.streaming --pods 10000 --seeds 5

The same fleets and regimes as in `benches.yardsticks`, each planned with barriers and without.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter
from typing import Any

from benches import stages
from benches.measure import canonical
from benches.request import Regime
from benches.yardsticks import observe
from planner import core

_COLUMNS = (
    "regime", "hours with barriers", "without", "shorter by", "over bound", "at most",
    "seconds to plan with", "without",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A plan without barriers beside the one with them; times in seconds."""

    with_barriers: float
    without: float
    bound: float
    took_with: float
    took_without: float


def without_barriers(request: dict[str, Any]) -> dict[str, Any]:
    """The same request, to be planned without barriers."""
    other = deepcopy(request)
    other["spec"]["streaming"] = True
    return other


def heading(columns: Sequence[str]) -> Iterator[str]:
    """The head of a table whose first column is text."""
    yield f"| {' | '.join(columns)} |"
    yield "| --- |" + " ---: |" * (len(columns) - 1)


def streamed(fleet: core.Fleet, request: dict[str, Any]) -> Streamed:
    """Plan a fleet in both ways."""
    times = []
    for each in (request, without_barriers(request)):
        began = perf_counter()
        plan = stages.plan(fleet, canonical(each))
        times.append(perf_counter() - began)
    header = json.loads(plan.header())
    told = header["streaming"]
    return Streamed(
        with_barriers=header["seconds"],
        without=told["seconds"],
        bound=told["seconds_bound"],
        took_with=times[0],
        took_without=times[1],
    )


def table(found: Mapping[Regime, Sequence[Streamed]]) -> Iterator[str]:
    """A line for each regime; means over its fleets."""
    yield from heading(_COLUMNS)
    for regime, each in found.items():
        over = [it.without / it.bound for it in each]
        cells = (
            regime.value,
            f"{fmean(it.with_barriers for it in each) / 3600:.2f}",
            f"{fmean(it.without for it in each) / 3600:.2f}",
            f"{1 - fmean(it.without / it.with_barriers for it in each):.1%}",
            f"{fmean(over):.4f}",
            f"{max(over):.4f}",
            f"{fmean(it.took_with for it in each):.2f}",
            f"{fmean(it.took_without for it in each):.2f}",
        )
        yield f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.streaming", description=__doc__)
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    found: dict[Regime, list[Streamed]] = {regime: [] for regime in Regime}
    for seed in range(1, options.seeds + 1):
        observed = observe(options.pods, seed)
        for regime in Regime:
            request = observed.generated.request(regime)
            found[regime].append(streamed(observed.folded, request))
    for line in table(found):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
