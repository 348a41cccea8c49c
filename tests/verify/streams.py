"""Plans in waves written as streaming plans: a move begins with its wave, and may do so later."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.verify.rates import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.verify.plans import Written

Json = dict[str, Any]


def streamed(header: Json, moves: Sequence[Mapping[str, Any]]) -> tuple[Json, list[Json]]:
    """Let every move begin in its wave as soon as rates let it, so that it ends inside of it.

    What keeps the rules of waves keeps those of streaming plans, too. The bound is that of the
    waves, each as long as the shortest move.
    """
    waves = {each["wave"]: each for each in header["per_wave"]}
    start_ms = _starts_ms(header, moves)
    lasts_ms: dict[tuple[str, str], int] = {}
    for move, start in zip(moves, start_ms, strict=True):
        wave = waves[move["wave"]]
        left = round((wave["start_s"] + wave["seconds"]) * 1000) - start
        lasts_ms[_sort(move)] = min(left, lasts_ms.get(_sort(move), left))
    timed = [
        {**move, "start_s": start / 1000, "seconds": lasts_ms[_sort(move)] / 1000}
        for move, start in zip(moves, start_ms, strict=True)
    ]
    end_ms = max(
        (start + lasts_ms[_sort(move)] for move, start in zip(moves, start_ms, strict=True)),
        default=0,
    )
    shortest_s = min(lasts_ms.values(), default=0) / 1000
    proof = deepcopy((header.get("proof") or {}).get("waves"))
    streaming = {
        "seconds": end_ms / 1000,
        "seconds_bound": round(header["waves_bound"] * shortest_s, 3) if proof else 0,
        "proof": {**proof, "shortest_s": shortest_s} if proof and moves else proof or {},
    }
    request = header["request"]
    wanted = {**request, "spec": {**request["spec"], "streaming": True}}
    return {**header, "request": wanted, "streaming": streaming}, timed


def streaming(plan: Written) -> Written:
    """The same of a plan of the builders."""
    header, moves = streamed(plan.header, plan.moves)
    return replace(plan, header=header, moves=moves)


def names(plan: Written) -> set[tuple[str, str]]:
    """Rules that it breaks, and by what."""
    return {(each.rule, each.subject) for each in plan.check()}


def _sort(move: Mapping[str, Any]) -> tuple[str, str]:
    return _workload(move), move["kind"]


def _workload(move: Mapping[str, Any]) -> str:
    return name_of({**move["workload"], **{it: move[it] for it in ("cluster", "namespace")}})


def _starts_ms(header: Json, moves: Sequence[Mapping[str, Any]]) -> list[int]:
    """Begin with the wave, one after the other as the rates of the plan say."""
    waves = {each["wave"]: round(each["start_s"] * 1000) for each in header["per_wave"]}
    starts = [waves[move["wave"]] for move in moves]
    rates = [_needs(header, rate) for rate in header.get("rates") or ()]
    begun: defaultdict[tuple[int, int], int] = defaultdict(int)
    # In a wave the highest ordinal goes first.
    order = sorted(range(len(moves)), key=lambda at: (moves[at]["wave"], -_ordinal(moves[at])))
    for at in order:
        move = moves[at]
        wave, units = move["wave"], [needs.get(_workload(move), 0) for needs, _ in rates]
        for index, (needed, (_, per_s)) in enumerate(zip(units, rates, strict=True)):
            if needed:
                begun[wave, index] += needed
                ms = waves[wave] + -(-begun[wave, index] * 1000 // per_s)
                starts[at] = max(starts[at], ms)
    return starts


def _needs(header: Json, rate: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """What a move of each workload needs of a rate, and units of it a second."""
    names = [name_of(each) for each in header["workloads"]]
    if "registry" not in rate:
        own = (name for name in names if name.partition("/")[0] == rate["cluster"])
        return dict.fromkeys(own, 1), rate["writes_per_second"]
    return {names[index]: pulls for index, pulls in rate["pulls_a_move"]}, rate["pulls_per_second"]


def _ordinal(move: Mapping[str, Any]) -> int:
    last = move["pod"].rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
