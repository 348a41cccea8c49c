"""Rules about stages: how many of a workload's moves each holds, and the soak between them."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.columns import differs, most_before
from planner.verify.numbers import ceil_of, plain_number, seconds_of
from planner.verify.plan import NEVER
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Move
    from planner.verify.fleet import WorkloadKey
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case, Places


def stage(case: Case, gangs: Gangs) -> Iterator[Violation]:
    """Each stage of a workload holds as many moves as the request says, one stage a wave.

    Where the order binds, one that would end within a gang ends with it.
    """
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    names, places = [each["name"] for each in stages], case.places_of
    is_known = np.array([_is_stage(it, names) for it in places.stages], np.bool_)[places.stage]
    strange = np.unique(places.owner[~is_known]).tolist()
    for place in strange:
        moves = case.moves_of[places.workloads[place]]
        unknown = next(move for move in moves if not _is_stage(move.stage, names))
        yield Violation(
            rule="stage",
            subject=str(unknown),
            wave=unknown.wave,
            message=f"it is in the stage {unknown.stage!r}; the request has {names or 'none'}",
        )
    if not names:
        return
    yield from _stage_order(places, names, strange)
    passed_by = frozenset(strange)
    column_of = {name: column for column, name in enumerate(names)}
    held = places.spans(column_of).moves[:, [column_of[name] for name in names]].tolist()
    sizes_of = cache(partial(_sizes, stages))
    for place, (key, moves) in enumerate(case.moves_of.items()):
        if place not in passed_by:
            ends = gangs.ends(key)
            with_gangs = sizes_of if ends is None else partial(_sizes, stages, ends=ends)
            yield from _stage_sizes(case, key, moves, held[place], with_gangs)


def soak(case: Case) -> Iterator[Violation]:
    """The next stage of a workload begins after the soak of the one before."""
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    starts = {each["wave"]: each["start_s"] for each in case.header["per_wave"]}
    ends = {each["wave"]: each["start_s"] + each["seconds"] for each in case.header["per_wave"]}
    soaks_s = [plain_number(seconds_of(each.get("soak") or 0)) for each in stages]

    @cache
    def waited_s(before: int, after: int) -> float:
        if before not in ends or after not in starts:
            return math.inf  # The rule `totals` tells of the missing wave.
        waited: float = round(starts[after] - ends[before], 3)
        return waited

    for place, before, after, number in _transitions(case, stages):
        soak_s = soaks_s[number]
        if waited_s(before, after) < soak_s:
            yield Violation(
                rule="soak",
                subject=str(case.places_of.workloads[place]),
                wave=after,
                message=(
                    f"it goes on {waited_s(before, after):g} s after its stage"
                    f" {stages[number]['name']} ended, which soaks for {float(soak_s):g} s"
                ),
            )


def approval(case: Case) -> Iterator[Violation]:
    """Every stage that needs an approval asks for it, not before it begins and not too late."""
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    asked = [(each["wave"], text) for each in case.header["per_wave"] for text in each["approvals"]]
    waves_by_text: dict[str, list[int]] = {}
    for wave, text in asked:
        waves_by_text.setdefault(text, []).append(wave)
    places = case.places_of
    for rule in stages:
        if rule.get("approval") != "required":
            continue
        spans = places.spans({rule["name"]: 0})
        first, end = spans.first[:, 0], spans.last[:, 0]
        # Nobody has to decide about what nothing follows.
        last = np.full(len(first), NEVER)
        follows = places.wave > end[places.owner]
        np.minimum.at(last, places.owner[follows], places.wave[follows])
        for place in np.flatnonzero((first < NEVER) & (last < NEVER)).tolist():
            key, begin = places.workloads[place], int(first[place])
            text = f"stage {rule['name']} of {key}"
            if not any(begin <= wave <= last[place] for wave in waves_by_text.get(text, ())):
                yield Violation(
                    rule="approval",
                    subject=str(key),
                    wave=begin,
                    message=f"no wave asks for the approval of {text!r}",
                )


def _is_stage(name: str | None, names: Sequence[str]) -> bool:
    return name in names if names else name is None


def _stage_order(
    places: Places, names: Sequence[str], strange: Sequence[int]
) -> Iterator[Violation]:
    """Each wave of a workload, but of the strange ones, holds one stage, and none goes back."""
    own = np.flatnonzero(~np.isin(places.owner, strange))
    number_of = [names.index(it or "") if it in names else -1 for it in places.stages]
    number = np.array(number_of, np.int64)[places.stage[own]]
    order = np.lexsort((number, places.wave[own], places.owner[own]))
    own, number = own[order], number[order]
    owner, wave = places.owner[own], places.wave[own]
    begins = np.flatnonzero(differs(owner) | differs(wave))
    ends = np.append(begins, len(own))[1:]
    of, least, most = owner[begins], number[begins], number[ends - 1]
    before = most_before(most, of)
    for at in np.flatnonzero((least < most) | (least < before)).tolist():
        held = np.unique(number[begins[at] : ends[at]]).tolist()
        found = ", ".join(names[each] for each in held)
        yield Violation(
            rule="stage",
            subject=str(places.workloads[of[at]]),
            wave=int(wave[begins[at]]),
            message=(
                f"the wave holds its stages {found} after {names[before[at]]};"
                " a wave holds one stage of a workload, and stages follow each other"
            ),
        )


def _stage_sizes(
    case: Case,
    key: WorkloadKey,
    moves: Sequence[Move],
    held: list[int],
    sizes_of: Callable[[int], list[int]],
) -> Iterator[Violation]:
    if any(sizes_of(total) == held for total in _possible_totals(case, key, len(moves))):
        return
    stages, wanted = case.request["spec"]["stages"], sizes_of(len(moves))
    for rule, expected, found in zip(stages, wanted, held, strict=True):
        if expected != found:
            yield Violation(
                rule="stage",
                subject=str(key),
                wave=next((each.wave for each in moves if each.stage == rule["name"]), None),
                message=(
                    f"its stage {rule['name']} holds {found} of {len(moves)} moves;"
                    f" perWorkload {rule['perWorkload']} makes {expected}"
                ),
            )


def _sizes(stages: Sequence[Mapping[str, Any]], total: int, ends: Sequence[int] = ()) -> list[int]:
    """Moves of each stage; `perWorkload` counts from the first move of the workload.

    `ends` says after how many moves one ends that would end after 0, 1, 2, .. of them.
    """
    sizes: list[int] = []
    done = 0
    for rule in stages:
        end = max(done, min(ceil_of(rule["perWorkload"], total), total))
        end = ends[end] if end < len(ends) else end
        sizes.append(end - done)
        done = end
    return sizes


def _possible_totals(case: Case, key: WorkloadKey, moves: int) -> Iterable[int]:
    """Numbers of moves that the workload may have had before its last stage cut some off.

    Pods that the last stage leaves are unmovable, like those that never could move, and the plan
    does not number them apart; so every split of the unmovable is tried.
    """
    unmovable = (
        sum(pod in case.unmovable for pod in case.fleet.workloads[key].pods)
        if case.unmovable
        else 0
    )
    return range(moves, moves + unmovable + 1)


def _transitions(
    case: Case, stages: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, int, int, int]]:
    """Each change of stage of a workload, by its place.

    Last wave before, first wave after, and the number of the stage that has to soak.
    """
    spans = case.places_of.spans({each["name"]: number for number, each in enumerate(stages)})
    soaks, until = np.full((2, len(case.places_of)), -1)
    for number in range(spans.first.shape[1]):
        moves = spans.moves[:, number] > 0
        goes_on = np.flatnonzero(moves & (soaks >= 0))
        columns = goes_on, until[goes_on], spans.first[goes_on, number], soaks[goes_on]
        yield from zip(*(each.tolist() for each in columns), strict=True)
        soaks[moves], until[moves] = number, spans.last[moves, number]
