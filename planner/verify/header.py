"""Rules about the header: its numbers agree with the moves that it stands for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from planner.verify.claims import in_ms
from planner.verify.drains import moves_application
from planner.verify.fleet import WorkloadKey
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.observed import Observed
    from planner.verify.plan import Case, Move
    from planner.verify.usage import Usage, Usages


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
    for entry in case.header["workloads"]:
        key = _key(entry)
        partly = [_is_partial(case, move) for move in case.moves_of.get(key, ())]
        least, unknown = partly.count(True), partly.count(None)
        said = entry.get("partial", 0)
        if not least <= said <= least + unknown:
            yield _totals("/".join(key), f"partial is {said}, and should be {least}")


def _key(entry: Mapping[str, Any]) -> WorkloadKey:
    return WorkloadKey(entry["cluster"], entry["namespace"], entry["kind"], entry["name"])


def _is_partial(case: Case, move: Move) -> bool | None:
    """Whether a pod still differs after its move; None: nobody can say."""
    change = case.target.changes.get(move.pod) if move.pod else None
    if change is None:
        return False
    stay = (it for it in change.sidecars if it.container not in move.containers)
    if move.kind == "in-place" and any(stay):
        return True
    moved = moves_application(case, move) if change.of_application else True
    return None if moved is None else not moved


def totals(case: Case, usages: Usages) -> Iterator[Violation]:
    """Every number of the header is the number that its moves make."""
    header = case.header
    kinds = Counter(move.kind for move in case.moves)
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
    for entry in case.header["workloads"]:
        key = _key(entry)
        subject = "/".join(key)
        workload = case.fleet.workloads.get(key)
        if workload is None:
            yield _totals(subject, "it is listed, and no such workload was observed", None)
            continue
        listed.add(key)
        moves = case.moves_of.get(key, ())
        expected = {"pods": len(workload.pods), **_span(moves)}
        yield from _compare(subject, entry, expected, None)
        for stage in entry.get("stages") or ():
            part = [move for move in moves if move.stage == stage["name"]]
            yield from _compare(f"{subject} stage {stage['name']}", stage, _span(part), None)
    for key, moves in case.moves_of.items():
        if key not in listed:
            yield _totals(str(key), f"it has {len(moves)} moves and is not listed", None)


def _span(moves: Sequence[Move]) -> dict[str, int]:
    if not moves:
        # Which waves a thing without moves spans is the writer's choice.
        return {"moves": 0}
    waves = [move.wave for move in moves]
    return {"moves": len(moves), "first_wave": min(waves), "last_wave": max(waves)}


def _waves(case: Case) -> Iterator[Violation]:
    moves_in: dict[int, list[Move]] = {}
    for move in case.moves:
        moves_in.setdefault(move.wave, []).append(move)
    names = [_key(each) for each in case.header["workloads"]]
    written = [entry["wave"] for entry in case.header["per_wave"]]
    if written != list(range(1, case.waves + 1)):
        yield _totals("per_wave", f"it lists waves {written} of {case.waves}", None)
    for entry in case.header["per_wave"]:
        wave = entry["wave"]
        moves = moves_in.get(wave, [])
        yield from _compare(f"per_wave {wave}", entry, {"moves": len(moves)}, wave)
        kinds = Counter(move.kind for move in moves)
        yield from _compare_kinds(f"per_wave {wave}", entry["kinds"], kinds, wave)
        yield from _wave_workloads(case, entry, moves, names)


def _wave_workloads(
    case: Case, entry: Mapping[str, Any], moves: Sequence[Move], names: Sequence[tuple[str, ...]]
) -> Iterator[Violation]:
    workload_of = case.fleet.workload_of
    # A key is the tuple of its names.
    found: Counter[tuple[str, ...]] = Counter(
        workload_of[move.pod].key
        for move in moves
        if move.pod is not None and move.pod in workload_of
    )
    written = {
        names[index] if 0 <= index < len(names) else (str(index),): count
        for index, count in entry["workloads"]
    }
    for name in sorted(found.keys() | written.keys()):
        if written.get(name, 0) != found.get(name, 0):
            yield _totals(
                "/".join(name),
                f"per_wave says {written.get(name, 0)} moves, and there are {found.get(name, 0)}",
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
    for entry in case.header["budgets"]:
        found = instances.get((entry["cluster"], entry["name"])) or instances.get(
            (None, entry["name"])
        )
        if found is None:
            yield _totals(entry["name"], "it is listed, and no such budget was observed")
            continue
        subject = str(found[0].budget) if len(found) == 1 else entry["name"]
        expected = {
            "limit": min(usage.budget.limit for usage in found),
            "down": sum(len(usage.budget.down) for usage in found),
        }
        if "instances" in entry:
            expected["instances"] = len(found)
        yield from _compare(subject, entry, expected, None)
        yield from _headroom(subject, entry["headroom"], found, case.waves)


def _headroom(
    subject: str, written: Sequence[int], usages: Sequence[Usage], waves: int
) -> Iterator[Violation]:
    """What each wave leaves of a budget; of several instances, the least."""
    if len(written) != waves:
        yield _totals(subject, f"headroom has {len(written)} numbers for {waves} waves")
        return
    least: list[int] = []
    for usage in usages:
        left = [max(0, usage.budget.limit - used) for _, used in usage.by_wave(waves)]
        least = [min(pair) for pair in zip(least, left, strict=True)] if least else left
    for wave, (said, found) in enumerate(zip(written, least, strict=True), start=1):
        if max(0, said) != found:
            yield _totals(subject, f"headroom says {said}, and the wave leaves {found}", wave)
            return


def _compare_kinds(
    subject: str, written: Mapping[str, int] | None, found: Mapping[str, int], wave: int | None
) -> Iterator[Violation]:
    said = {kind: count for kind, count in (written or {}).items() if count}
    if said != dict(found):
        yield _totals(subject, f"kinds are {said}, and the moves make {dict(found)}", wave)


def _compare(
    subject: str, written: Mapping[str, Any], expected: Mapping[str, int], wave: int | None
) -> Iterator[Violation]:
    for name, value in expected.items():
        if written.get(name) != value:
            yield _totals(subject, f"{name} is {written.get(name)}, and should be {value}", wave)


def _totals(subject: str, message: str, wave: int | None = None) -> Violation:
    return Violation(rule="totals", subject=subject, wave=wave, message=message)


def _header(name: str, message: str) -> Violation:
    return Violation(rule="header", subject=name, wave=None, message=message)
