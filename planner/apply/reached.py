"""What a wave has reached: pure decisions on its moves and a checkpoint."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from planner.apply.attended import is_seen
from planner.apply.checkpoint import Checkpoint, PodState, Standing
from planner.apply.course import Place, place_of
from planner.apply.events import Base, Lever, Took
from planner.apply.moveset import MoveSet
from planner.apply.wave import Due, let_go_of
from planner.apply.wave_state import Wave
from planner.model.plan import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a checkpoint says of a wave that is under way.

    Attributes:
        back: moves whose pods are back, and were not before.
        strays: those of them whose pod is still there and never moved: another one went instead.
        kept: those of the strays whose pods stay, as their controllers have taken as many as they
            were let.
        waiting: moves that were let go and are not back, with what is not as it should be.
    """

    back: MoveSet
    strays: MoveSet
    kept: MoveSet
    waiting: Mapping[int, str]


def took(
    due: Sequence[Due],
    wave: Wave,
    index_of: Mapping[Place, int],
    writes_per_s: Callable[[str], int | None],
) -> tuple[Took, ...]:
    """How long the moves took that went as the plan said: the longest by workload and kind.

    A wave takes as long as its slowest move, so the longest is what a plan of waves has to expect.
    Of a leg that streams it is the median of the longest of each of its waves.
    From the last time that a move was let go until its pod was seen back, so the time in which the
    executor writes and looks is in it, as it is in every wave. Where one of them was out of sight
    meanwhile they teach nothing: the slowest are the likeliest to be, and of the others the longest
    is too short.

    Where the request has a rate, plans count the time of writing by themselves: it is taken off.
    All pods of a cluster are named, one write each, before the first of them goes.
    """
    clusters = {each.number: each.move.cluster for each in due}
    let_go: dict[int, int] = {}
    for ms, text in wave.let_go_at:
        moves = MoveSet.parse(text)
        named = Counter(clusters[number] for number in moves if number in clusters)
        goes_ms = {it: ms + count * 1000 // rate if (rate := writes_per_s(it)) else ms
                   for it, count in named.items()}  # fmt: skip
        let_go |= {it: goes_ms[clusters[it]] for it in moves if it in clusters}
    back = {number: ms for ms, moves in wave.back_at for number in MoveSet.parse(moves)}
    times: dict[tuple[int, str, int], list[int]] = {}
    unseen: set[tuple[int, str, int]] = set()
    for each in due:
        as_planned = each.number not in wave.strays
        if as_planned and each.number in back and each.number in let_go:
            key = (index_of[place_of(each.move)], str(each.move.kind), each.move.wave)
            from_ms, until_ms = let_go[each.number], back[each.number]
            times.setdefault(key, []).append(max(0, until_ms - from_ms))
            if not is_seen(wave.gaps, from_ms, until_ms):
                unseen.add(key)
    longest: dict[tuple[int, str], list[int]] = {}
    for (index, kind, number), its in sorted(times.items()):
        if (index, kind, number) not in unseen:
            longest.setdefault((index, kind), []).append(max(its))
    return tuple((*key, round(median(its))) for key, its in longest.items())


def how_far(
    due: Sequence[Due], wave: Wave, index_of: Mapping[Place, int], checkpoint: Checkpoint
) -> Reached:
    """Compare a checkpoint with what the wave is to reach.

    A pod that stays is back when it is at the target and serves. A workload is through when no more
    pods have to move than there should be, none is missing, and all that are new serve, but for as
    many as did not before the wave: then every move of it is back, whichever pod it was. Before
    that, as many moves whose pods have gone are back as it is not short of pods: which new pod came
    for which nobody knows.
    """
    let_go = let_go_of(due, wave)
    states = dict(zip([each.number for each in let_go], checkpoint.let_go, strict=True))
    waits = [it for it in let_go if it.number not in wave.back]
    # Those that others moved have not to change any more either.
    changed = wave.let_go | wave.back
    gone = Counter(place_of(it.move) for it in due if it.number in changed)
    stay = [it for it in waits if states[it.number].state in ("here", "kept", "leaving")]
    stays = Counter(place_of(it.move) for it in stay)
    old = Counter(place_of(it.move) for it in stay if states[it.number].old)
    unlike: dict[Place, tuple[int, str]] = {}
    counted: set[Place] = set()
    for place, standing in checkpoint.by_place().items():
        index = index_of.get(place, -1)
        if gone[place] and (base := wave.base.get(index)):
            left = _left_to_take(standing, wave.levers.get(index))
            if left is not None:
                counted.add(place)
            must = 0 if left is None else min(old[place], left)
            taken = stays[place] if left is None else stays[place] - old[place] + must
            short, why = _unlike(standing, base, gone[place], taken=taken, must=must)
            if short:
                unlike[place] = short, why
    back, waiting = _parted(
        [(it.number, place_of(it.move), states[it.number].state) for it in waits],
        {place: short for place, (short, _) in unlike.items()},
    )
    moves = {it.number: it.move for it in let_go}
    strays = [each for each in back if _is_stray(moves[each], states[each].state)]
    # A controller that counts has none of those to take: they were not back otherwise.
    kept = (each for each in strays if states[each].state == "here" and states[each].old)
    return Reached(
        back=MoveSet(back),
        strays=MoveSet(strays),
        kept=MoveSet(each for each in kept if place_of(moves[each]) in counted),
        waiting={number: unlike[place][1] for number, place in waiting.items()},
    )


def relapsed(
    due: Sequence[Due], wave: Wave, index_of: Mapping[Place, int], checkpoint: Checkpoint
) -> Mapping[int, str]:
    """Which moves of a wave that is over are not back any more, and what is not as it should be.

    It is the wave's rule for moves that come back, asked once more.
    """
    let_go = let_go_of(due, wave)
    away = MoveSet(
        each.number
        for each, pod in zip(let_go, checkpoint.let_go, strict=True)
        if pod.state in ("settling", "leaving", "gone")
    )
    before = replace(wave, back=wave.back - away)
    waiting = how_far(due, before, index_of, checkpoint).waiting
    return {number: why for number, why in waiting.items() if number in wave.back}


def _parted(
    moves: Iterable[tuple[int, Place, PodState]], short: Mapping[Place, int]
) -> tuple[list[int], dict[int, Place]]:
    """Part moves that were let go, by how many pods their workloads are short of."""
    back: list[int] = []
    waiting: dict[int, Place] = {}
    gone: dict[Place, list[int]] = {}
    for number, place, state in moves:
        if state == "done" or place not in short:
            back.append(number)
            continue
        waiting[number] = place
        if state == "gone":
            gone.setdefault(place, []).append(number)
    for place, count in Counter(waiting.values()).items():
        replaced = gone.get(place, [])[: max(0, count - short[place])]
        back += replaced
        for number in replaced:
            del waiting[number]
    return back, waiting


def _is_stray(move: Move, state: str) -> bool:
    """Whether a pod that is back did not go as the plan said.

    Another one may have gone in its place, or it was made anew where it should have stayed.
    """
    stays = move.kind == "in-place"
    return state in (("here", "kept", "gone", "leaving") if stays else ("here", "kept", "done"))


def _left_to_take(standing: Standing, lever: Lever | None) -> int | None:
    """How many old pods a controller that counts has still to take; None of one that does not.

    It takes none once there are as many new pods as it was let have, or as few old ones. Where a
    workload is scaled up in between, its old pods that come go first, as they are not ready, and
    those that were let go stay.
    """
    if lever is None or lever[1] != "go":
        return None
    value = lever[2]
    match standing.place.kind:
        case "Deployment":
            return max(0, value - standing.new)
        case "CloneSet":
            return max(0, standing.old - value)
        case "AdvancedStatefulSet" if standing.unordered:
            return max(0, standing.old - value)
        case _:
            return None


def _unlike(
    standing: Standing, base: Base, moves: int, *, taken: int, must: int
) -> tuple[int, str]:
    """How many pods a workload is short of after so many of its moves, and what they lack.

    It is short of no more than of pods at the target that serve, and of those let go that are still
    there: somebody may scale it up in the middle of the wave, and for what comes beside, of
    whichever version, this wave does not wait.

    Args:
        standing: how the workload is.
        base: how it was before the wave.
        moves: those that were let go or made by others.
        taken: of those let go, the pods that its controller has still to take, or may.
        must: those of them that it is known to have still to take.
    """
    _, movable, unsettled, missing, at_target = base
    old = max(0, standing.movable - movable + moves)
    fewer = max(0, standing.missing - missing)
    slow = max(0, standing.unsettled - unsettled)
    serving = standing.at_target - standing.unsettled
    short = max(must, min(old + fewer + slow, max(taken, at_target + moves - serving)))
    old = max(min(old, taken), short - fewer - slow)
    if old:
        why = f"{_pods(old)} to change still"
    elif fewer:
        why = f"{_pods(fewer)} missing"
    else:
        why = f"{_pods(slow)} not back, such as {', '.join(standing.examples)}"
    return short, why


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count:,} pods"
