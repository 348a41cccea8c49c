"""Rules about stages: how many of a workload's moves each holds, and the soak between them."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planner.verify.numbers import ceil_of, plain_number, seconds_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Move, Place
    from planner.verify.fleet import WorkloadKey
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case


def stage(case: Case, gangs: Gangs) -> Iterator[Violation]:
    """Each stage of a workload holds as many moves as the request says, one stage a wave.

    Where the order binds, one that would end within a gang ends with it.
    """
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    names = [each["name"] for each in stages]
    sizes_of = cache(partial(_sizes, stages))
    for key, moves in case.moves_of.items():
        places = case.places_of[key]
        if not all(_is_stage(stage, names) for _, stage in places):
            unknown = next(move for move in moves if not _is_stage(move.stage, names))
            yield Violation(
                rule="stage",
                subject=str(unknown),
                wave=unknown.wave,
                message=f"it is in the stage {unknown.stage!r}; the request has {names or 'none'}",
            )
        elif names:
            yield from _stage_order(key, places, names)
            ends = gangs.ends(key)
            with_gangs = sizes_of if ends is None else partial(_sizes, stages, ends=ends)
            yield from _stage_sizes(case, key, moves, stages, with_gangs)


def soak(case: Case) -> Iterator[Violation]:
    """The next stage of a workload begins after the soak of the one before."""
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    starts = {each["wave"]: each["start_s"] for each in case.header["per_wave"]}
    ends = {each["wave"]: each["start_s"] + each["seconds"] for each in case.header["per_wave"]}
    soaks_s = {each["name"]: plain_number(seconds_of(each.get("soak") or 0)) for each in stages}
    for key, before, after, rule in _transitions(case, stages):
        soak_s = soaks_s[rule["name"]]
        if before not in ends or after not in starts:
            continue  # The rule `totals` tells of the missing wave.
        waited_s = round(starts[after] - ends[before], 3)
        if waited_s < soak_s:
            yield Violation(
                rule="soak",
                subject=str(key),
                wave=after,
                message=(
                    f"it goes on {waited_s:g} s after its stage {rule['name']} ended,"
                    f" which soaks for {float(soak_s):g} s"
                ),
            )


def approval(case: Case) -> Iterator[Violation]:
    """Every stage that needs an approval asks for it, not before it begins and not too late."""
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    asked = [(each["wave"], text) for each in case.header["per_wave"] for text in each["approvals"]]
    waves_by_text: dict[str, list[int]] = {}
    for wave, text in asked:
        waves_by_text.setdefault(text, []).append(wave)
    for rule in stages:
        if rule.get("approval") != "required":
            continue
        for key, places in case.places_of.items():
            waves = [wave for wave, stage in places if stage == rule["name"]]
            end = max(waves, default=0)
            last = min((wave for wave, _ in places if wave > end), default=None)
            if not waves or last is None:
                # Nobody has to decide about what nothing follows.
                continue
            text = f"stage {rule['name']} of {key}"
            if not any(min(waves) <= wave <= last for wave in waves_by_text.get(text, ())):
                yield Violation(
                    rule="approval",
                    subject=str(key),
                    wave=min(waves),
                    message=f"no wave asks for the approval of {text!r}",
                )


def _is_stage(name: str | None, names: Sequence[str]) -> bool:
    return name in names if names else name is None


def _stage_order(
    key: WorkloadKey, places: Iterable[Place], names: Sequence[str]
) -> Iterator[Violation]:
    stages_in: dict[int, set[int]] = {}
    for wave, stage in places:
        stages_in.setdefault(wave, set()).add(names.index(stage or ""))
    reached = 0
    for wave in sorted(stages_in):
        if len(stages_in[wave]) > 1 or min(stages_in[wave]) < reached:
            found = ", ".join(names[index] for index in sorted(stages_in[wave]))
            yield Violation(
                rule="stage",
                subject=str(key),
                wave=wave,
                message=(
                    f"the wave holds its stages {found} after {names[reached]};"
                    " a wave holds one stage of a workload, and stages follow each other"
                ),
            )
        reached = max(reached, *stages_in[wave])


def _stage_sizes(
    case: Case,
    key: WorkloadKey,
    moves: Sequence[Move],
    stages: Sequence[Mapping[str, Any]],
    sizes_of: Callable[[int], list[int]],
) -> Iterator[Violation]:
    in_stage: Counter[str | None] = Counter()
    for (_, stage), count in case.places_of[key].items():
        in_stage[stage] += count
    held = [in_stage[each["name"]] for each in stages]
    if any(sizes_of(total) == held for total in _possible_totals(case, key, len(moves))):
        return
    wanted = sizes_of(len(moves))
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
) -> Iterator[tuple[WorkloadKey, int, int, Mapping[str, Any]]]:
    """Each change of stage: last wave before, first wave after, and the stage that has to soak."""
    order = {each["name"]: index for index, each in enumerate(stages)}
    for key, places in case.places_of.items():
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for wave, stage in places:
            index = order.get(stage or "")
            if index is not None:
                first[index] = min(first.get(index, wave), wave)
                last[index] = max(last.get(index, wave), wave)
        present = sorted(first)
        for before, after in pairwise(present):
            yield key, last[before], first[after], stages[before]
