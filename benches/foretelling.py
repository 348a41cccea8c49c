"""How long it takes to draw a plan that streams, and what its end is foretold to be.

    python -m benches.foretelling --pods 1000 10000 100000

The same fleets as in `benches.streaming`. Nobody has seen how long a move takes, so that the rules
of thumb decide. A draw of no moves is what has to be done before the first.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benches import stages
from benches.measure import canonical
from benches.request import Regime
from benches.streaming import heading, without_barriers
from benches.yardsticks import observe
from planner import core, forecast
from planner.apply.learnt import SPREAD

_COLUMNS = (
    "regime", "pods", "draws", "seconds to plan", "to pose again", "a draw", "all draws",
    "planned hours", "half", "9 of 10", "without approvals: half", "with barriers: half",
)  # fmt: skip


def drawn(fleet: core.Fleet, plan: core.Plan, samples: int) -> tuple[float, dict[str, float]]:
    """Seconds that so many draws take, and the quantiles of the end."""
    began = perf_counter()
    found = core.eta(
        fleet,
        plan,
        spreads=json.dumps({"supposed": SPREAD, "seen": {}}).encode(),
        durations=b"{}",
        calendars=b"{}",
        samples=samples,
        seed=0,
    )
    return perf_counter() - began, json.loads(found)["end"]


def streaming(request: dict[str, Any], *, approvals: bool) -> bytes:
    """The same without barriers, but for approvals."""
    other = without_barriers(request)
    for stage in () if approvals else other["spec"].get("stages", ()):
        stage.pop("approval", None)
    return canonical(other)


def line(fleet: core.Fleet, request: dict[str, Any], regime: Regime, pods: int) -> str:
    """A row of the table."""
    began = perf_counter()
    plan = stages.plan(fleet, streaming(request, approvals=True))
    planned_s = perf_counter() - began
    samples = forecast.samples_of(plan)
    posed_s, _ = drawn(fleet, plan, 0)
    all_s, end = drawn(fleet, plan, samples)
    free = stages.plan(fleet, streaming(request, approvals=False))
    _, freely = drawn(fleet, free, forecast.SAMPLES_MIN)
    _, waves = drawn(fleet, stages.plan(fleet, canonical(request)), forecast.SAMPLES)
    told_s = json.loads(plan.header())["streaming"]["seconds"]
    hours = (told_s, end["p50_s"], end["p90_s"], freely["p50_s"], waves["p50_s"])
    cells = (
        regime.value,
        f"{pods:,}",
        f"{samples:,}",
        f"{planned_s:.2f}",
        f"{posed_s:.2f}",
        f"{(all_s - posed_s) / samples:.4f}",
        f"{all_s - posed_s:.1f}",
        *(f"{it / 3600:.2f}" for it in hours),
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.foretelling", description=__doc__)
    parser.add_argument("--pods", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    for head in heading(_COLUMNS):
        sys.stdout.write(f"{head}\n")
    for pods in options.pods:
        observed = observe(pods, options.seed)
        for regime in Regime:
            request = observed.generated.request(regime)
            sys.stdout.write(line(observed.folded, request, regime, pods) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
