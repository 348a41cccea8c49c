"""Rules about the header: its numbers agree with the moves that it stands for."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.claims import in_ms
from planner.verify.drains import moves_application
from planner.verify.fleet import WorkloadKey
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.bound import Manner
    from planner.verify.observed import Observed
    from planner.verify.plan import Case, Spans
    from planner.verify.usage import Usage, Usages

_NUMBERS_AT_ONCE = 1 << 20


def origin(header: Mapping[str, Any], observed: Observed) -> Iterator[Violation]:
    """The plan was made for the observed fleet: same clusters, same moment."""
    if set(header["clusters"]) != observed.clusters:
        yield _header(
            "clusters",
            f"it is for {sorted(header['clusters'])}, and observed are {sorted(observed.clusters)}",
        )
    try:
        time = datetime.fromisoformat(header["time"])
    except ValueError:
        yield _header("time", f"{header['time']!r} is no time; write it like 2026-11-23T09:34:00Z")
        return
    # Some writers cut the milliseconds off.
    if int(time.timestamp()) != observed.time_ms // 1000:
        yield _header(
            "time", f"it is for {header['time']}, and the last event is at {observed.time_ms} ms"
        )


def bound(case: Case) -> Iterator[Violation]:
    """No plan is better than its own proof says is possible."""
    for name in ("waves", "seconds"):
        value, least = case.header[name], case.header[f"{name}_bound"]
        if not 0 <= least <= value:
            yield Violation(
                rule="bound",
                subject=f"{name}_bound",
                wave=None,
                message=f"{least} is said to be the least possible, and the plan takes {value}",
            )


def partial(case: Case) -> Iterator[Violation]:
    """After so many moves of each workload its pods still differ."""
    of_manner = [_is_partial(manner) for manner in case.bound.manners]
    counts = []
    for answer in (True, None):
        counted = np.array([it is answer for it in of_manner], np.bool_)[case.bound.manner]
        own = case.owner[counted & (case.owner >= 0)]
        counts.append([*np.bincount(own, minlength=len(case.places_of)).tolist(), 0])
    for entry in case.header["workloads"]:
        key = _key(entry)
        # Of a workload that does not move there is none.
        least, unknown = (each[case.places_of.at.get(key, -1)] for each in counts)
        said = entry.get("partial", 0)
        if not least <= said <= least + unknown:
            yield _totals("/".join(key), f"partial is {said}, and should be {least}")


def _key(entry: Mapping[str, Any]) -> WorkloadKey:
    return WorkloadKey(entry["cluster"], entry["namespace"], entry["kind"], entry["name"])


def _is_partial(manner: Manner) -> bool | None:
    """Whether pods still differ after their moves; None: nobody can say."""
    change = manner.change
    if change is None:
        return False
    stay = (it for it in change.sidecars if it.container not in manner.containers)
    if manner.kind == "in-place" and any(stay):
        return True
    moved = moves_application(manner) if change.of_application else True
    return None if moved is None else not moved


def totals(case: Case, usages: Usages) -> Iterator[Violation]:
    """Every number of the header is the number that its moves make."""
    header = case.header
    kinds: Counter[str] = Counter()
    for (_, kind), moves in case.kinds.items():
        kinds[kind] += moves
    expected = {
        "moves": len(case.moves),
        "pods": len(case.fleet.pods),
        "unmovable": len(header["unmovable"]),
    }
    yield from _compare("totals", header["totals"], expected, None)
    yield from _compare_kinds("totals.kinds", header["totals"].get("kinds"), kinds, None)
    yield from _compare("plan", header, {"waves": case.waves}, None)
    yield from _workloads(case)
    yield from _waves(case)
    yield from _times(case)
    yield from _budgets(case, usages)


def _workloads(case: Case) -> Iterator[Violation]:
    listed: set[WorkloadKey] = set()
    places = case.places_of
    whole, column_of = _spans(places.spans()), {it: at for at, it in enumerate(places.stages)}
    parts = _spans(places.spans({name or "": column for name, column in column_of.items()}))
    nowhere = {"moves": 0}  # which waves a thing without moves spans is the writer's choice
    for entry in case.header["workloads"]:
        key = _key(entry)
        workload = case.fleet.workloads.get(key)
        if workload is None:
            subject = "/".join(key)
            yield _totals(subject, "it is listed, and no such workload was observed", None)
            continue
        listed.add(key)
        place = places.at.get(key)
        expected = nowhere if place is None else whole[place][0]
        expected = {"pods": len(workload.pods), **expected}
        yield from _compare("/".join(key), entry, expected, None)
        for stage in entry.get("stages") or ():
            column = None if place is None else column_of.get(stage["name"])
            part = nowhere if place is None or column is None else parts[place][column]
            if not part.items() <= stage.items():
                yield from _compare(f"{'/'.join(key)} stage {stage['name']}", stage, part, None)
    for key, moves in case.moves_of.items():
        if key not in listed:
            yield _totals(str(key), f"it has {len(moves)} moves and is not listed", None)


def _spans(spans: Spans) -> list[list[dict[str, int]]]:
    """What is expected of each workload and stage."""
    table = np.stack((spans.moves, spans.first, spans.last), axis=2).tolist()
    return [
        [
            {"moves": moves, "first_wave": first, "last_wave": last} if moves else {"moves": 0}
            for moves, first, last in row
        ]
        for row in table
    ]


def _waves(case: Case) -> Iterator[Violation]:
    kinds_in: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for (wave, kind), moves in case.kinds.items():
        kinds_in[wave][kind] += moves
    names = [_key(each) for each in case.header["workloads"]]
    numbers = dict(case.places_of.at)
    for name in names:
        numbers.setdefault(name, len(numbers))
    listed = [numbers[name] for name in names]
    found_in = _found_in(case, numbers)
    written = [entry["wave"] for entry in case.header["per_wave"]]
    if written != list(range(1, case.waves + 1)):
        yield _totals("per_wave", f"it lists waves {written} of {case.waves}", None)
    for entry in case.header["per_wave"]:
        wave = entry["wave"]
        kinds = kinds_in[wave]
        yield from _compare(f"per_wave {wave}", entry, {"moves": kinds.total()}, wave)
        yield from _compare_kinds(f"per_wave {wave}", entry["kinds"], kinds, wave)
        yield from _wave_workloads(entry, found_in[wave], listed, numbers)


def _found_in(case: Case, numbers: dict[WorkloadKey, int]) -> Mapping[int, Counter[int]]:
    """Moves by wave and workload, by the number of that; those are numbered that were not yet."""
    found_in: defaultdict[int, Counter[int]] = defaultdict(Counter)
    places = case.places_of
    of = zip(places.wave.tolist(), places.owner.tolist(), places.moves.tolist(), strict=True)
    for wave, number, moves in of:
        found_in[wave][number] += moves
    again = ~case.bound.is_first & (case.bound.row >= 0)
    for move in case.moves.where(again):
        # The header counts each move, also of a pod that has several.
        if move.manner.owner:
            found_in[move.wave][numbers.setdefault(move.manner.owner.key, len(numbers))] += 1
    return found_in


def _wave_workloads(
    entry: Mapping[str, Any],
    found: Mapping[int, int],
    listed: Sequence[int],
    numbers: Mapping[WorkloadKey, int],
) -> Iterator[Violation]:
    written: dict[int | str, int] = {
        listed[index] if 0 <= index < len(listed) else str(index): count
        for index, count in entry["workloads"]
    }
    if found == written:
        return
    name_of: dict[int | str, tuple[str, ...]] = {number: name for name, number in numbers.items()}
    said = {name_of.get(each, (str(each),)): count for each, count in written.items()}
    there = {name_of[each]: count for each, count in found.items()}
    for name in sorted(there.keys() | said.keys()):
        if said.get(name, 0) != there.get(name, 0):
            yield _totals(
                "/".join(name),
                f"per_wave says {said.get(name, 0)} moves, and there are {there.get(name, 0)}",
                entry["wave"],
            )


def _times(case: Case) -> Iterator[Violation]:
    # Sums of fractions differ in their last digits.
    end_ms = 0
    for entry in case.header["per_wave"]:
        start_ms, waits_ms, lasts_ms = (
            in_ms(entry[key]) for key in ("start_s", "waits_s", "seconds")
        )
        if start_ms != end_ms + waits_ms:
            yield _totals(
                f"per_wave {entry['wave']}",
                f"it starts at {entry['start_s']} s, and the wave before ends at"
                f" {end_ms / 1000:g} s and it waits {entry['waits_s']} s",
                entry["wave"],
            )
        end_ms = start_ms + lasts_ms
    if in_ms(case.header["seconds"]) != end_ms:
        ends = f"the last wave ends at {end_ms / 1000:g}"
        yield _totals("seconds", f"it is {case.header['seconds']}, {ends}")


def _budgets(case: Case, usages: Usages) -> Iterator[Violation]:
    instances: dict[tuple[str | None, str], list[Usage]] = {}
    for usage in usages.all:
        instances.setdefault((usage.budget.cluster, usage.budget.name), []).append(usage)
    known: list[tuple[Mapping[str, Any], list[Usage]]] = []
    for entry in case.header["budgets"]:
        found = instances.get((entry["cluster"], entry["name"])) or instances.get(
            (None, entry["name"])
        )
        if found is None:
            yield _totals(entry["name"], "it is listed, and no such budget was observed")
        else:
            known.append((entry, found))
    at_once = max(1, _NUMBERS_AT_ONCE // max(1, case.waves))
    for begin in range(0, len(known), at_once):
        yield from _entries(known[begin : begin + at_once], usages, case.waves)


def _entries(
    known: Sequence[tuple[Mapping[str, Any], list[Usage]]], usages: Usages, waves: int
) -> Iterator[Violation]:
    """Entries of budgets, with the instances of each."""
    places = np.array([usage.place for _, found in known for usage in found], np.int64)
    counts = np.array([len(found) for _, found in known], np.int64)
    left = usages.left(places, waves)
    least = np.minimum.reduceat(left, np.cumsum(counts) - counts, axis=0)
    written = [entry["headroom"] for entry, _ in known]
    said = np.array([each if len(each) == waves else [0] * waves for each in written])
    wrong = np.maximum(said, 0) != np.maximum(least, 0)
    is_wrong = wrong.any(axis=1).tolist()
    for index, (entry, found) in enumerate(known):
        subject = str(found[0].budget) if len(found) == 1 else entry["name"]
        expected = {
            "limit": min(usage.budget.limit for usage in found),
            "down": sum(len(usage.budget.down) for usage in found),
        }
        if "instances" in entry:
            expected["instances"] = len(found)
        yield from _compare(subject, entry, expected, None)
        if len(written[index]) != waves:
            numbers = len(written[index])
            yield _totals(subject, f"headroom has {numbers} numbers for {waves} waves")
        elif is_wrong[index]:
            wave = int(np.argmax(wrong[index]))
            found_left = max(0, int(least[index, wave]))
            message = f"headroom says {written[index][wave]}, and the wave leaves {found_left}"
            yield _totals(subject, message, wave + 1)


def _compare_kinds(
    subject: str, written: Mapping[str, int] | None, found: Mapping[str, int], wave: int | None
) -> Iterator[Violation]:
    said = {kind: count for kind, count in (written or {}).items() if count}
    if said != dict(found):
        yield _totals(subject, f"kinds are {said}, and the moves make {dict(found)}", wave)


def _compare(
    subject: str, written: Mapping[str, Any], expected: Mapping[str, int], wave: int | None
) -> Iterator[Violation]:
    if expected.items() <= written.items():
        return
    for name, value in expected.items():
        if written.get(name) != value:
            yield _totals(subject, f"{name} is {written.get(name)}, and should be {value}", wave)


def _totals(subject: str, message: str, wave: int | None = None) -> Violation:
    return Violation(rule="totals", subject=subject, wave=wave, message=message)


def _header(name: str, message: str) -> Violation:
    return Violation(rule="header", subject=name, wave=None, message=message)
