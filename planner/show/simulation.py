"""Shows a simulated run as text."""

from collections import Counter

import msgspec
from rich.console import Console
from rich.text import Text

from planner.model.simulation import NotAsPlanned, SimulatedWave, Simulation
from planner.show.table import duration, plain_table, plural, tell_warnings

WAVES_SHOWN = 8
BUDGETS_SHOWN = 8
EXCEEDED_SHOWN = 20
REASONS_SHOWN = 20


def tell_simulation(simulation: Simulation, console: Console) -> None:
    """Print how faithful the plan was, its budgets, its time, and what went otherwise."""
    _headline(simulation, console)
    _exceeded(simulation, console)
    _fullest(simulation, console)
    _waves(simulation, console)
    _otherwise(simulation, console)


def _headline(simulation: Simulation, console: Console) -> None:
    console.print(
        Text.assemble(
            ("Simulated ", "bold"), "plan ", (simulation.plan, "bold cyan"),
            f", seed {simulation.seed}, faults {_faults(simulation)}",
        )
    )  # fmt: skip
    able = simulation.moves - simulation.gone
    share = int(simulation.faithful * 1000) / 10
    when = (
        "when they were let go and in the way"
        if _streams(simulation)
        else "in the wave and in the way"
    )
    console.print(
        f"  {simulation.as_planned:,} of {plural(able, 'pod')} ({share:g} %) moved {when} "
        f"that the plan says, and came back"
    )
    if simulation.gone:
        console.print(f"  {plural(simulation.gone, 'pod')} left before, needing no move")
    if simulation.disrupted_twice:
        twice = plural(simulation.disrupted_twice, "pod")
        tell_warnings([f"{twice} went down more than once for the plan"], console, everything=True)
    ratio = simulation.seconds / simulation.planned_s if simulation.planned_s else 1.0
    without = " without barriers" if _streams(simulation) else ""
    console.print(
        f"  took {duration(simulation.seconds)}{without}, planned {duration(simulation.planned_s)} "
        f"({ratio:.2f} of it)"
    )
    if simulation.gates:
        gates = plural(simulation.gates, "approval")
        console.print(f"  waited for all at {gates}, which the planned time does not count")
    for lost in simulation.lost_nodes:
        console.print(f"  {lost.cluster} lost {lost.node} after {duration(lost.at_s)}")
    _drained(simulation, console)


def _streams(simulation: Simulation) -> bool:
    return simulation.streams is True


def _drained(simulation: Simulation, console: Console) -> None:
    drains = simulation.drains or ()
    empty = sum(not each.left for each in drains)
    if empty:
        console.print(f"  {plural(empty, 'drained node')} {'is' if empty == 1 else 'are'} empty")
    for each in drains:
        if each.left:
            more = f" and {len(each.left) - 1:,} more" if len(each.left) > 1 else ""
            console.print(
                f"  {each.cluster} {each.name} is not empty: {each.left[0]}{more}, "
                f"{each.stays:,} as planned"
            )


def _faults(simulation: Simulation) -> str:
    faults = simulation.faults
    told = {"slow": faults.slow, "fail": faults.fail, "node-loss": faults.node_loss}
    return ",".join(f"{key}={value:g}" for key, value in told.items() if value) or "none"


def _exceeded(simulation: Simulation, console: Console) -> None:
    if not simulation.exceeded:
        console.print("  no budget was exceeded at any moment")
        return
    console.print(f"\nBudgets exceeded by a move ({len(simulation.exceeded):,}):")
    for each in simulation.exceeded[:EXCEEDED_SHOWN]:
        where = each.cluster or "all clusters"
        console.print(
            f"  wave {each.wave}, +{duration(each.at_s)}: {each.budget} ({where}): "
            f"{each.down} down of {each.limit}"
        )
    if len(simulation.exceeded) > EXCEEDED_SHOWN:
        more = len(simulation.exceeded) - EXCEEDED_SHOWN
        console.print(f"  ... and {more:,} more; --format json gives all")


def _fullest(simulation: Simulation, console: Console) -> None:
    full = sorted(simulation.budgets, key=lambda each: (each.limit - each.peak, each.name))
    if not full:
        return
    table = plain_table("BUDGET", "CLUSTER", "MOST DOWN", "LIMIT", right=("MOST DOWN", "LIMIT"))
    for each in full[:BUDGETS_SHOWN]:
        table.add_row(each.name, each.cluster or "-", f"{each.peak:,}", f"{each.limit:,}")
    console.print("\nBudgets, the fullest first:")
    console.print(table)


def _waves(simulation: Simulation, console: Console) -> None:
    late = sorted(simulation.per_wave, key=lambda each: (-_late_s(each), each.wave))
    # Moves of a wave that streams wait for others, not for each other: when it is over matters.
    columns = ("PLANNED END", "ENDED") if _streams(simulation) else ("PLANNED", "TOOK")
    names = ("WAVE", *columns, "MOVES", "NOT BACK")
    table = plain_table(*names, right=names)
    for each in late[:WAVES_SHOWN]:
        start_s = each.planned_start_s or 0.0
        times = (
            (f"+{duration(start_s + each.planned_s)}", f"+{duration(each.start_s + each.seconds)}")
            if _streams(simulation)
            else (duration(each.planned_s), duration(each.seconds))
        )
        table.add_row(
            str(each.wave),
            *times,
            f"{each.moves:,}",
            f"{each.not_back:,}" if each.not_back else "",
        )
    console.print("\nWaves, the latest first:")
    console.print(table)


def _late_s(wave: SimulatedWave) -> float:
    """How much later it was over than planned; with barriers, from its own begin."""
    before_s = 0.0 if wave.planned_start_s is msgspec.UNSET else wave.start_s - wave.planned_start_s
    return before_s + wave.seconds - wave.planned_s


def _otherwise(simulation: Simulation, console: Console) -> None:
    if not simulation.not_as_planned:
        return
    console.print(f"\nNot as planned ({len(simulation.not_as_planned):,}):")
    by_reason: dict[str, list[NotAsPlanned]] = {}
    for each in simulation.not_as_planned:
        by_reason.setdefault(each.reason, []).append(each)
    for reason, pods in sorted(by_reason.items(), key=lambda item: -len(item[1]))[:REASONS_SHOWN]:
        places = Counter(f"{each.cluster} {each.namespace}" for each in pods)
        first = pods[0]
        console.print(f"  {plural(len(pods), 'pod')}: {reason}")
        told = ", ".join(f"{place} {count:,}" for place, count in places.most_common(4))
        wave = f" (wave {first.planned_wave})" if first.planned_wave else ""
        console.print(Text(f"    {told}; first {first.cluster} {first.pod}{wave}", style="dim"))
