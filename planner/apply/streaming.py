"""What the barrier of a wave gives for free, asked of each move of a leg: pure decisions.

Budgets and the pods that a dependency waits for are asked of the core, for every move of any run.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Self

from planner.apply.checkpoint import Standing
from planner.apply.course import Course, Place, SharedBudget, place_of
from planner.apply.events import Base
from planner.apply.moveset import MoveSet
from planner.apply.steps import STATEFUL, Going, Target, ordinal_of
from planner.apply.wave import Due
from planner.apply.wave_state import Wave
from planner.model.plan import Move

AHEAD: Final = 4
"""Of each workload as many moves are asked about as this many of its waves have. A wave has as many
as its budgets let go at once, so that what is left out could hardly go, and comes next."""

By = Literal["time", "others"]
"""What a move waits for: something that comes by itself, or that others go first."""


class Held(NamedTuple):
    """Why a move is not let go."""

    why: str
    by: By


@dataclass(frozen=True, slots=True, kw_only=True)
class Backs:
    """When pods of each stage of a workload were back last, as far as a leg was read.

    Attributes:
        leg: the plan, and the number of its leg.
        read: how many times of the leg.
        last_ms: milliseconds UTC, by workload and stage.
    """

    leg: tuple[str, int] = ("", 0)
    read: int = 0
    last_ms: Mapping[tuple[Place, str | None], int] = field(default_factory=dict)

    def look(self, plan: str, wave: Wave, due: Iterable[Due]) -> Self:
        """Read what was appended since."""
        leg = plan, wave.number
        is_same = leg == self.leg and self.read <= len(wave.back_at)
        read, last_ms = (self.read, dict(self.last_ms)) if is_same else (0, {})
        if is_same and read == len(wave.back_at):
            return self
        times = {it: ms for ms, text in wave.back_at[read:] for it in MoveSet.parse(text)}
        for each in due:
            if each.number in times:
                key = place_of(each.move), each.move.stage
                last_ms[key] = max(times[each.number], last_ms.get(key, 0))
        return type(self)(leg=leg, read=len(wave.back_at), last_ms=last_ms)

    def of(self, place: Place, stages: Iterable[str]) -> int:
        """When the last pod of some stages of a workload was back; 0 when none was."""
        return max((self.last_ms.get((place, stage), 0) for stage in stages), default=0)


def held_by_stages(
    course: Course,
    due: Sequence[Due],
    waiting: Iterable[Due],
    wave: Wave,
    backs: Backs,
    now_ms: int,
) -> dict[int, Held]:
    """Moves whose workload has moves of an earlier stage to come, or rests after the last one.

    Args:
        course: the plan.
        due: all moves of the leg.
        waiting: those that wait to be let go.
        wave: the leg.
        backs: see there.
        now_ms: milliseconds UTC.
    """
    stages = course.stage_index
    if not stages:
        return {}
    over, names = wave.over, tuple(stages)
    first = _first_stages(stages, (each for each in due if each.number not in over))
    lost = wave.failed | wave.given_up
    lossy = {place_of(each.move) for each in due if each.number in lost}
    rests: dict[tuple[Place, int], Held | None] = {}
    held: dict[int, Held] = {}
    for each in waiting:
        if (name := each.move.stage) is None:
            continue
        key = place, stage = place_of(each.move), stages[name]
        if first.get(place, stage) < stage:
            held[each.number] = Held(f"stage {names[first[place]]} is not back", "others")
            continue
        if key not in rests:
            from_ms = max(backs.of(place, names[:stage]), wave.lost_ms if place in lossy else 0)
            rests[key] = _rest(course, place, names[:stage], wave, from_ms, now_ms)
        if rest := rests[key]:
            held[each.number] = rest
    return held


def _first_stages(stages: Mapping[str, int], left: Iterable[Due]) -> Mapping[Place, int]:
    """The first stage of which each workload has moves left."""
    first: dict[Place, int] = {}
    for each in left:
        if (name := each.move.stage) is not None:
            place, stage = place_of(each.move), stages[name]
            first[place] = min(stage, first.get(place, stage))
    return first


def _rest(
    course: Course, place: Place, earlier: Sequence[str], wave: Wave, from_ms: int, now_ms: int
) -> Held | None:
    """Whether a workload rests still after its earlier stages, all of which are back."""
    ended = course.ended_stages(course.index_of[place], wave.number)
    had = [name for name in earlier if name in ended]
    if not had:
        return None
    last = max(ended[name] for name in had)
    ends_ms = (ms for leg, ms in wave.ends_ms.items() if leg <= last)
    from_ms = max(from_ms, *ends_ms, 0)
    soak_ms = course.soaks_ms[course.stage_index[had[-1]]]
    return Held(f"stage {had[-1]} soaks", "time") if now_ms < from_ms + soak_ms else None


def held_by_dependencies(
    course: Course, due: Iterable[Due], waiting: Iterable[Due], wave: Wave
) -> dict[int, Held]:
    """Moves whose workload waits for moves of another that are under way.

    The core goes by pods that are there and ready. For a moment fewer are there than there should
    be, and one that is ready has not served for long enough: as long as any is under way as many
    moves have to be back as the plan says.
    """
    if not course.dependencies:
        return {}
    back: Counter[int] = Counter()
    under_way: set[int] = set()
    moving = wave.under_way
    for each in due:
        index = course.index_of[place_of(each.move)]
        back[index] += each.number in wave.back
        if each.number in moving:
            under_way.add(index)
    whole, left = course.left(0), course.left(wave.number - 1)
    blocked: dict[int, Held] = {}
    for it in course.dependencies:
        done = whole[it.before] - left[it.before] + back[it.before]
        if it.before in under_way and done < it.moves:
            blocked[it.after] = Held(f"{it.name} is not through", "others")
    if not blocked:
        return {}
    indexes = ((each.number, course.index_of[place_of(each.move)]) for each in waiting)
    return {number: blocked[index] for number, index in indexes if index in blocked}


def next_of_each(course: Course, waiting: Iterable[Due]) -> list[Due]:
    """The next moves of each workload in the order of the plan: nobody asks about all the others.

    They are counted for each workload by itself, so that none holds up another.
    """
    left = dict(zip(course.places, (AHEAD * it for it in course.most_at_once), strict=True))
    asked: list[Due] = []
    for each in waiting:
        place = place_of(each.move)
        if left[place] > 0:
            left[place] -= 1
            asked.append(each)
    return asked


def in_turn(
    going: Sequence[Going],
    *,
    under_way: Iterable[Due],
    held: Iterable[Due],
    standings: Mapping[Place, Standing],
    base: Mapping[Place, Base],
) -> list[Going]:
    """Leave out moves that the lever of their workload cannot let go beside others.

    A wave lets them go together; here some go while others of their workload are under way.

    Args:
        going: moves that could go, in the order in which they are to.
        under_way: moves that were let go and are not back, those that failed among them.
        held: moves that wait, whose pods are there and cannot go now.
        standings: how the workloads are.
        base: how they were before the leg.
    """
    moving: dict[Place, bool] = {}
    for each in under_way:
        place = place_of(each.move)
        moving[place] = moving.get(place, False) or each.move.kind == "surge"
    turned = without_those_out_of_order(going, held, standings)
    return list(_deployments(turned, moving, standings, base))


def without_those_out_of_order(
    going: Iterable[Going], held: Iterable[Due], standings: Mapping[Place, Standing]
) -> list[Going]:
    """Leave out pods of a StatefulSet below one that cannot go now: a partition takes both."""
    lowest: dict[Place, int] = {}
    for each in held:
        place = place_of(each.move)
        if _is_ordered(place, standings) and each.move.kind != "evict":
            ordinal = ordinal_of(each.move.pod)
            lowest[place] = max(ordinal, lowest.get(place, ordinal))
    return [
        each
        for each in going
        if (place := place_of(each.move)) not in lowest
        or each.move.kind == "evict"
        or ordinal_of(each.name) > lowest[place]
    ]


def within_shared_budgets(
    going: Iterable[Going], under_way: Iterable[Due], course: Course, target: Target
) -> list[Going]:
    """Leave out moves that take more from a budget of several workloads than it has.

    The core counts pods that are there and down. Of one that is gone, and in whose place none has
    come yet, it sees nothing; nor does a SidecarSet know of one that is about to get its containers
    with a new pod. A wave has room for all of its moves; here all that are under way count.
    """
    taken: Counter[tuple[str, str | None]] = Counter()
    budgets: dict[int, list[SharedBudget]] = {}
    for budget in course.shared_budgets:
        for index in budget.workloads:
            budgets.setdefault(index, []).append(budget)

    def taking(move: Move) -> list[SharedBudget]:
        if move.kind == "surge":
            return []
        sets = (*target.sidecar_sets_of(move), *target.new_sidecars_of(move))
        names = {f"sidecarset/{name}" for name in sets}
        its = budgets.get(course.index_of[place_of(move)], ())
        return [it for it in its if it.source == "request" or it.name in names]

    for each in under_way:
        taken.update(it.key for it in taking(each.move))
    kept: list[Going] = []
    for each_going in going:
        its = taking(each_going.move) if each_going.pod.serves else []
        if all(taken[it.key] < it.limit for it in its):
            taken.update(it.key for it in its)
            kept.append(each_going)
    return kept


def _is_ordered(place: Place, standings: Mapping[Place, Standing]) -> bool:
    standing = standings.get(place)
    return place.kind in STATEFUL and standing is not None and not standing.unordered


def _deployments(
    going: Iterable[Going],
    moving: Mapping[Place, bool],
    standings: Mapping[Place, Standing],
    base: Mapping[Place, Base],
) -> Iterator[Going]:
    """Leave out moves that would be counted wrongly.

    The lever of a Deployment is how many new pods there shall be. Where its controller took pods
    and has not replaced them they would be forgotten. And the two halves of a surge are counted by
    themselves: nothing else goes beside them, and they wait until the others of their workload are
    back, in the order of the plan.
    """
    surging: dict[Place, bool] = {}
    stopped: set[Place] = set()
    for each in going:
        place, surges = place_of(each.move), each.move.kind == "surge"
        if place.kind == "Deployment":
            is_beside = surges or moving.get(place) or _misses(place, standings, base)
            if (place in moving and is_beside) or surging.setdefault(place, surges) != surges:
                # The first that has to wait holds up those after it.
                stopped.add(place)
        if place not in stopped:
            yield each


def _misses(place: Place, standings: Mapping[Place, Standing], base: Mapping[Place, Base]) -> bool:
    standing, before = standings.get(place), base.get(place)
    return standing is not None and standing.missing > (before[3] if before else 0)


def in_vain(waits: Mapping[int, By | None], wave_of: Mapping[int, int]) -> frozenset[int]:
    """Moves that nobody has to wait for longer when nothing is under way.

    They are those of one wave, the first one that waits for nothing that comes by itself. What
    waits for others does only when there is nothing else left that those could wait for.

    Args:
        waits: what each move waits for; None for what does not come by itself.
        wave_of: the wave of each.
    """
    for by in (None, "others"):
        left = [number for number, its in waits.items() if its == by]
        if left:
            first = min(wave_of[number] for number in left)
            return frozenset(number for number in left if wave_of[number] == first)
        if "time" in waits.values():
            break
    return frozenset()
