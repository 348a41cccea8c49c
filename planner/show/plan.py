"""Shows a plan as text."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

import msgspec
from rich.console import Console
from rich.text import Text

from planner.show.drains import drains_line
from planner.show.gangs import gang_lines
from planner.show.rates import rate_lines
from planner.show.sequences import sequence_lines
from planner.show.table import counts, duration, plain_table, plural, tell_warnings, workload_name
from planner.show.unmovable import tell_unmovable

WAVES_SHOWN = 24
BUDGETS_SHOWN = 12


class _Metadata(TypedDict):
    name: str


class _Request(TypedDict):
    metadata: _Metadata


class _Workload(TypedDict):
    cluster: str
    namespace: str
    name: str


class _Budget(TypedDict):
    name: str
    cluster: str | None
    limit: int
    resolved: str
    headroom: list[int]


class _Header(TypedDict):
    """What is told of a header: of a million pods a tenth, and the rest costs no time."""

    id: str
    start: NotRequired[str]
    deadline: NotRequired[dict[str, Any]]
    request: _Request
    log: dict[str, Any]
    clusters: list[str]
    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float
    proof: dict[str, Any]
    streaming: NotRequired[dict[str, Any]]
    totals: dict[str, Any]
    workloads: list[_Workload]
    per_wave: list[dict[str, Any]]
    budgets: list[_Budget]
    warnings: list[str]
    unmovable: list[dict[str, Any]]
    rates: NotRequired[list[dict[str, Any]]]
    drains: NotRequired[list[dict[str, Any]]]
    sequences: NotRequired[list[dict[str, Any]]]
    gangs: NotRequired[list[dict[str, Any]]]


def tell_plan(encoded: bytes, console: Console, *, everything: bool = False) -> None:
    """Print a plan by its header: how long, how good, its waves, what is full or cannot move."""
    header = msgspec.json.decode(encoded, type=_Header)
    _headline(header, console)
    if header["waves"]:
        _waves(header, console, shown=None if everything else WAVES_SHOWN)
        _budgets(header, console)
    if header["unmovable"]:
        console.print(f"\nCannot be moved ({len(header['unmovable']):,}):")
        tell_unmovable(header["unmovable"], console, everything=everything)
    if header["warnings"]:
        console.print()
    tell_warnings(header["warnings"], console, everything=everything)


def _headline(header: _Header, console: Console) -> None:
    totals = header["totals"]
    name = header["request"]["metadata"]["name"]
    console.print(
        Text.assemble(
            ("Plan ", "bold"), (header["id"], "bold cyan"), f" for {name}, ",
            f"{plural(len(header['clusters']), 'cluster')} at log position "
            f"{header['log']['position']:,}",
        )
    )  # fmt: skip
    if not header["waves"]:
        left_out = len(header["unmovable"])
        rest = f"the request leaves out {left_out:,} that differ" if left_out else ""
        console.print(f"  nothing to do: {rest or 'every pod is at the target'}")
        return
    gap = header["waves"] - header["waves_bound"]
    proven = "proven shortest" if gap == 0 else f"at least {header['waves_bound']} are needed"
    console.print(f"  {plural(totals['moves'], 'move')}: {counts(totals['kinds'])}")
    console.print(
        f"  {plural(header['waves'], 'wave')}, {proven}: {header['proof']['waves']['text']}"
    )
    _tell_time(header, console)
    for line in rate_lines(header, duration):
        console.print(f"  {line}")
    _dates(header, console)
    drains = header.get("drains")
    if drains:
        console.print(f"  {drains_line(drains)}")
    for line in (
        *sequence_lines(header.get("sequences", [])),
        *gang_lines(header.get("gangs", [])),
    ):
        console.print(f"  {line}")
    if totals["disruptions_saved"]:
        saved = plural(totals["disruptions_saved"], "disruption")
        parts = "application, sidecar and node" if drains else "application and sidecar"
        console.print(f"  {saved} saved by moving {parts} together")


def _tell_time(header: _Header, console: Console) -> None:
    streaming = header.get("streaming")
    told: Mapping[str, Any] = streaming or header
    proof = streaming["proof"] if streaming else header["proof"]["seconds"]
    without = " without barriers" if streaming else ""
    console.print(
        f"  about {duration(told['seconds'])}{without}, at least "
        f"{duration(told['seconds_bound'])}: {proof['text']}"
    )
    if streaming:
        console.print(f"  {duration(header['seconds'])} if each wave waited for the one before")
        barriers = ["at every approval"] * any(wave["approvals"] for wave in header["per_wave"])
        barriers += ["before each phase of a sequence"] * ("sequences" in header)
        if barriers:
            where = " and ".join(barriers)
            console.print(f"  a run waits for all {where}, which is not in these times")


def _dates(header: _Header, console: Console) -> None:
    if "start" not in header:
        return
    streaming = header.get("streaming")
    seconds = streaming["seconds"] if streaming else header["seconds"]
    end = datetime.fromisoformat(header["start"]) + timedelta(seconds=seconds)
    line = f"  from {header['start']} to {end:%Y-%m-%dT%H:%M:%SZ}"
    if "deadline" in header:
        spare_s = header["deadline"]["spare_s"]
        told = "to spare before" if spare_s >= 0 else "after"
        line += f", {duration(abs(spare_s))} {told} the deadline {header['deadline']['time']}"
    console.print(line)


def _waves(header: _Header, console: Console, *, shown: int | None) -> None:
    table = plain_table(
        "WAVE", "STARTS", "TAKES", "MOVES", "KINDS", "WORKLOADS",
        right=("WAVE", "STARTS", "TAKES", "MOVES"),
    )  # fmt: skip
    waves = header["per_wave"]
    spans = header.get("streaming", {}).get("spans")
    for wave in waves[:shown]:
        begin_s = wave["start_s"]
        end_s = begin_s + wave["seconds"]
        if spans:
            begin_s, end_s = spans[wave["wave"] - 1]
        table.add_row(
            str(wave["wave"]),
            "+" + duration(begin_s),
            duration(end_s - begin_s),
            f"{wave['moves']:,}",
            counts(wave["kinds"]),
            Text(_largest(wave, header["workloads"])),
        )
        if wave["approvals"]:
            asked = plural(len(wave["approvals"]), "workload")
            table.add_row("", "", "", "", "", Text(f"then a person approves {asked}", style="dim"))
    console.print()
    console.print(table)
    if shown is not None and len(waves) > shown:
        console.print(f"... {len(waves) - shown:,} more waves: planner show {header['id']}")


def _largest(wave: Mapping[str, Any], workloads: list[_Workload]) -> str:
    index, moves = min(wave["workloads"], key=lambda pair: (-pair[1], pair[0]))
    workload = workloads[index]
    more = len(wave["workloads"]) - 1
    also = f" and {more:,} more" if more else ""
    return f"{workload['cluster']} {workload_name(workload)} {moves:,}{also}"


def _budgets(header: _Header, console: Console) -> None:
    tight = [budget for budget in header["budgets"] if 0 in budget["headroom"]]
    tight.sort(key=lambda budget: (-budget["headroom"].count(0), budget["name"]))
    if not tight:
        return
    table = plain_table("BUDGET", "CLUSTER", "LIMIT", "FULL IN", "RULE", right=("LIMIT",))
    for budget in tight[:BUDGETS_SHOWN]:
        full = sum(1 for left in budget["headroom"] if left <= 0)
        table.add_row(
            budget["name"],
            budget["cluster"] or "",
            f"{budget['limit']:,}",
            plural(full, "wave"),
            budget["resolved"],
        )
    console.print("\nBudgets that are full, those that are full longest first:")
    console.print(table)
    if len(tight) > BUDGETS_SHOWN:
        console.print(f"... {len(tight) - BUDGETS_SHOWN:,} more in the header (-o json)")
