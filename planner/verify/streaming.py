"""Rules about plans whose moves begin without waiting for their wave: when each may begin.

The waves of such a plan keep every other rule; here is asked when moves begin and end.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.calendars import begins_s, rules_of
from planner.verify.claims import in_ms
from planner.verify.columns import alike
from planner.verify.dependencies import done_at, needed, waited_for
from planner.verify.numbers import seconds_of
from planner.verify.order import Walks
from planner.verify.rates import rates_of, units_of_moves
from planner.verify.sequences import begun_early
from planner.verify.under_way import budgets_kept
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Workload, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.sequences import Sequences
    from planner.verify.usage import Usages
    from planner.verify.written import Starts

_RULE = "streaming"
_LATEST_MS = 10**14
_NEVER = np.iinfo(np.int64).max
_ROUNDED_MS = 1
"""Starts are whole milliseconds, rounded up."""


def streaming(case: Case, usages: Usages, sequences: Sequences) -> Iterator[Violation]:
    """A plan says when its moves begin if and only if its request streams, and so they may."""
    starts = case.bound.starts
    wanted = bool(case.request["spec"].get("streaming"))
    said = case.header.get("streaming")
    if wanted is not (said is not None):
        wants = "" if wanted else "not "
        has = "no " if said is None else ""
        yield _violation("plan", f"its request does {wants}stream, and its header has {has}times")
    if len(case.bound) and (said is None) is not (starts is None):
        yield _violation("moves", "moves say when they begin where the header does, and only there")
    if said is None or starts is None:
        return
    wrong = list(_times(case, starts))
    if wrong:
        yield from wrong
        return
    yield from _alike(case, starts)
    yield from _inside_waves(case, starts)
    yield from _ends(case, starts, said)
    yield from _spans(case, starts, said)
    yield from budgets_kept(case, starts, usages)
    yield from _order(case, starts, sequences)
    yield from begun_early(case, starts, sequences)
    for rule in (_stages, _dependencies, _calendars, _rates):
        yield from rule(case, starts)


def _times(case: Case, starts: Starts) -> Iterator[Violation]:
    """A move begins in the plan, and takes some time."""
    start_ms, lasts_ms = starts.start_ms, starts.lasts_ms
    is_time = (start_ms >= 0) & (lasts_ms > 0)
    is_time &= (start_ms <= _LATEST_MS) & (lasts_ms <= _LATEST_MS)
    for place in np.flatnonzero(~is_time).tolist():
        move = case.bound[place]
        message = f"it begins at {_s(start_ms[place])} and takes {_s(lasts_ms[place])}"
        yield _violation(str(move), message, move.wave)


def _alike(case: Case, starts: Starts) -> Iterator[Violation]:
    """Moves of one workload and kind take the same time."""
    own, kind = np.flatnonzero(case.owner >= 0), case.bound.kind
    firsts, groups = alike(
        (case.owner[own], len(case.moves_of)), (kind.codes[own], len(kind.values))
    )
    lasts_ms = starts.lasts_ms[own]
    for place in _first_of_each(groups, lasts_ms != lasts_ms[firsts][groups]):
        move, other = case.bound[own[place]], case.bound[own[firsts[groups[place]]]]
        yield _violation(
            str(_key(case, own[place])),
            f"{move.name} takes {_s(lasts_ms[place])} to {move.kind}, and {other.name}"
            f" {_s(lasts_ms[firsts[groups[place]]])}",
            move.wave,
        )


def _inside_waves(case: Case, starts: Starts) -> Iterator[Violation]:
    """No wave is shorter than the longest of its moves."""
    waves, wave = np.unique(case.bound.wave, return_inverse=True)
    longest_ms = np.zeros(len(waves), np.int64)
    np.maximum.at(longest_ms, wave, starts.lasts_ms)
    longest_of = dict(zip(waves.tolist(), longest_ms.tolist(), strict=True))
    for entry in case.header["per_wave"]:
        longest = longest_of.get(entry["wave"], 0)
        if in_ms(entry["seconds"]) < longest:
            message = f"it takes {entry['seconds']:g} s, and a move of it {_s(longest)}"
            yield _violation(f"per_wave {entry['wave']}", message, entry["wave"])


def _ends(case: Case, starts: Starts, said: Mapping[str, Any]) -> Iterator[Violation]:
    """The plan is over when its last move is, which is not after its last wave."""
    end_ms = int(starts.end_ms.max(initial=0))
    if in_ms(said["seconds"]) != end_ms:
        message = f"it is {said['seconds']:g}, and the last move ends after {_s(end_ms)}"
        yield _violation("streaming.seconds", message)
    # Whether moves can begin at several rates at once no wave asks.
    if end_ms > in_ms(case.header["seconds"]) and len(rates_of(case)) <= 1:
        message = f"the last move ends after {_s(end_ms)}, and its waves {case.header['seconds']} s"
        yield _violation("seconds", message)
    if not 0 <= said["seconds_bound"] <= said["seconds"]:
        yield Violation(
            rule="bound",
            subject="streaming.seconds_bound",
            wave=None,
            message=f"{said['seconds_bound']} is said to be the least possible, and the plan takes"
            f" {said['seconds']}",
        )


def _spans(case: Case, starts: Starts, said: Mapping[str, Any]) -> Iterator[Violation]:
    """What is said of each wave, if anything, is when its first move begins and its last ends."""
    if "spans" not in said:
        return
    begin_ms = np.full(case.waves + 1, _NEVER)
    end_ms = np.zeros(case.waves + 1, np.int64)
    np.minimum.at(begin_ms, case.bound.wave, starts.start_ms)
    np.maximum.at(end_ms, case.bound.wave, starts.end_ms)
    found = list(zip(begin_ms[1:].tolist(), end_ms[1:].tolist(), strict=True))
    spans = [(in_ms(begin), in_ms(end)) for begin, end in said["spans"]]
    if spans != found:
        yield _violation("streaming.spans", "they are not those of the moves of each wave")


def _order(case: Case, starts: Starts, sequences: Sequences) -> Iterator[Violation]:
    """Where the order of a workload binds, nobody begins before who goes first."""
    walks, start_of_row = Walks(case), case.bound.of_rows(starts.start_ms)
    for key in case.moves_of:
        workload = case.fleet.workloads[key]
        binds = workload.strategy.ordered and key not in sequences.unordered
        for row in walks.too_early(workload, start_of_row) if binds else ():
            pod = case.fleet.table[row]
            message = f"it begins at {_s(start_of_row[row])}, before one with a higher ordinal"
            yield Violation(rule="order", subject=str(pod), wave=case.wave_of(pod), message=message)


def _stages(case: Case, starts: Starts) -> Iterator[Violation]:
    """A stage begins after all that are earlier have ended, and the last of these has soaked."""
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    index = {each["name"]: at for at, each in enumerate(stages)}
    stage = case.bound.stage
    codes = np.array([index.get(each or "", -1) for each in stage.values] or [-1], np.int64)
    at = codes[stage.codes]
    own = np.flatnonzero((case.owner >= 0) & (at >= 0))
    shape = len(case.moves_of), len(stages)
    begins, ends = np.full(shape, _NEVER), np.zeros(shape, np.int64)
    np.minimum.at(begins, (case.owner[own], at[own]), starts.start_ms[own])
    np.maximum.at(ends, (case.owner[own], at[own]), starts.end_ms[own])
    ended, soaked = np.zeros(shape[0], np.int64), np.zeros(shape[0], np.int64)
    for number, rule in enumerate(stages):
        moves = begins[:, number] < _NEVER
        early = moves & (begins[:, number] < np.maximum(ended, soaked))
        for place in np.flatnonzero(early).tolist():
            begin = begins[place, number]
            is_stage = begin < ended[place]
            first = own[(case.owner[own] == place) & (at[own] == number)]
            first = first[np.argmin(starts.start_ms[first])]
            after = "ended" if is_stage else "soaked"
            until = ended[place] if is_stage else soaked[place]
            yield Violation(
                rule="stage" if is_stage else "soak",
                subject=str(_key(case, first)),
                wave=int(case.bound.wave[first]),
                message=f"its stage {rule['name']} begins at {_s(begin)}, and those before it have"
                f" {after} at {_s(until)}",
            )
        soak_ms = int(seconds_of(rule.get("soak") or 0) * 1000)
        soaked = np.where(moves, ends[:, number] + soak_ms, soaked)
        ended = np.maximum(ended, ends[:, number])


def _dependencies(case: Case, starts: Starts) -> Iterator[Violation]:
    """A pod moves only once enough pods of every workload that its own waits for are done."""
    done_ms = done_at(case, case.bound.of_rows(starts.end_ms))

    @cache
    def done(workload: Workload) -> list[int]:
        """For each pod that is ever done, when it is."""
        ms = done_ms[workload.pods.rows]
        return sorted(ms[ms >= 0].tolist())

    for rule in case.request["spec"].get("dependencies") or ():
        waited = [(each, done(each), needed(rule, each)) for each in waited_for(rule, case)]
        for waiting in case.fleet.referred(rule["workload"]):
            moves = case.moves_of.get(waiting.key)
            if moves is None:
                continue
            first = moves.places[np.argmin(starts.start_ms[moves.places])]
            begin = int(starts.start_ms[first])
            for before, moments, least in waited:
                found = bisect_right(moments, begin)
                if found < least and before is not waiting:
                    yield Violation(
                        rule="dependency",
                        subject=str(waiting.key),
                        wave=int(case.bound.wave[first]),
                        message=f"it begins at {_s(begin)}, when {found} of {before.key}'s"
                        f" {len(before.pods)} pods are at the target and serving; it waits for"
                        f" {least}",
                    )


def _calendars(case: Case, starts: Starts) -> Iterator[Violation]:
    """A move lies inside every window of its workload, and outside every freeze of it."""
    rules = rules_of(case)
    if not rules:
        return
    workloads = [case.fleet.workloads[key] for key in case.moves_of]
    from_ms = in_ms(begins_s(case))
    begins_at, ends_at = (from_ms + starts.start_ms) / 1000, (from_ms + starts.end_ms) / 1000
    for rule in rules:
        holds = np.array([*map(rule.holds, workloads), False])[case.owner]
        places = np.flatnonzero(holds)
        outside: Bools = ~rule.allow(begins_at[places], ends_at[places])
        for place in places[_first_of_each(case.owner[places], outside)].tolist():
            yield Violation(
                rule="calendar",
                subject=str(_key(case, place)),
                wave=int(case.bound.wave[place]),
                message=f"{case.bound[place].name} begins at {_s(starts.start_ms[place])} and takes"
                f" {_s(starts.lasts_ms[place])}, which {rule.name} does not allow",
            )


def _rates(case: Case, starts: Starts) -> Iterator[Violation]:
    """What begins between two moves, and with the second, takes no longer at the rate."""
    for rate in rates_of(case):
        units = units_of_moves(case, rate)
        places = np.flatnonzero(units)
        # Of those that begin together the neediest is taken as the first.
        places = places[np.lexsort((-units[places], starts.start_ms[places]))]
        start_ms = starts.start_ms[places]
        # How far what has begun is ahead of the rate, in units of a thousandth.
        ahead = np.cumsum(units[places]) * 1000 - start_ms * rate.per_s
        least = np.minimum.accumulate(np.concatenate(([0], ahead)))[:-1]
        broken = np.flatnonzero(ahead - least > _ROUNDED_MS * rate.per_s)
        for each in broken[:1].tolist():
            yield Violation(
                rule="rate",
                subject=rate.registry or rate.cluster or "",
                wave=int(case.bound.wave[places[each]]),
                message=f"{case.bound[places[each]]} begins at {_s(start_ms[each])},"
                f" {_s((ahead[each] - least[each]) / rate.per_s)} too early for {rate.name}",
            )


def _first_of_each(groups: Ints, mask: Bools) -> Ints:
    """Of each group the first row for which it is true."""
    rows = np.flatnonzero(mask)
    _, firsts = np.unique(groups[rows], return_index=True)
    found: Ints = rows[np.sort(firsts)]
    return found


def _key(case: Case, place: int) -> WorkloadKey:
    """The workload of a move."""
    return list(case.moves_of)[int(case.owner[place])]


def _s(ms: float) -> str:
    return f"{ms / 1000:.10g} s"


def _violation(subject: str, message: str, wave: int | None = None) -> Violation:
    return Violation(rule=_RULE, subject=subject, wave=wave, message=message)
