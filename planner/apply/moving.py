"""A wave that is under way: what came back, what may go, and when nobody waits any more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from planner.apply import naming
from planner.apply.checkpoint import Checkpoint, PodStanding, Question
from planner.apply.course import Place, place_of
from planner.apply.events import Back, Dropped, Failed, LetGo, Lever, Relapsed, WaveEnded, some_of
from planner.apply.failures import too_many_failed, without_too_many
from planner.apply.moveset import MoveSet
from planner.apply.pace import left_s
from planner.apply.patience import Waited, waits_from
from planner.apply.pulls import Pulls
from planner.apply.reached import how_far, relapsed, took
from planner.apply.site import Site
from planner.apply.state import Wave
from planner.apply.steps import (
    Going,
    Step,
    steps,
    without_evictions_that_wait,
    without_those_that_stay,
)
from planner.apply.wave import (
    Due,
    bound_moves,
    by_others,
    rebased,
    split,
)
from planner.model import progress
from planner.model.progress import Tightest

DEPENDENCY: Final = "dependency:"
"""Begins the name of a dependency that holds a pod; budgets have other names."""
LOOK_BACK_MS: Final = 10_000
"""How often a wave that is over is looked at while nothing else goes on."""
RETRY_MS: Final = 5_000
"""How long what was refused rests."""


def go_on(site: Site) -> str:
    """Take the wave one step further; gives why the run has to stop, or nothing."""
    run, wave = site.run, site.run.wave
    due = bound_moves(site.moves, wave)
    let_go, waiting = split(due, wave)
    checkpoint = site.ask(
        Question(let_go=[each.key for each in let_go], due=[each.key for each in waiting])
    )
    found = how_far(due, wave, site.course.index_of, checkpoint)
    if found.back:
        texts = {"moves": str(found.back), "strays": str(found.strays), "kept": str(found.kept)}
        site.append(Back(wave=wave.number, **texts))
        _tell(site, due, checkpoint.tightest)
        return ""
    lost = site.plan.by_place(run.lost)
    if wave.failed and not wave.skipped:
        its = site.plan.moves
        if why := too_many_failed(run, site.policy, wave=len(due), moves=its, failed=lost):
            return why
    pods = dict(zip([each.number for each in waiting], checkpoint.due, strict=True))
    if _others_did(site, waiting, checkpoint):
        return ""
    if _swap(site, due, checkpoint):
        return ""
    pulls = Pulls(site.course, due, wave, site.outside.clock.now_ms())
    closed = _closed(site, waiting)
    free = {number: pod for number, pod in pods.items() if number not in closed}
    if not (run.paused or wave.skipped) and _let_go(site, due, checkpoint, free, lost, pulls):
        return ""
    late = {each.number: _why(each, pods[each.number], wave, lost) for each in waiting}
    late |= pulls.late(waiting) | {number: f"{name} is closed" for number, name in closed.items()}
    _wait_or_end(
        site, due, {**found.waiting, **late}, checkpoint.tightest, closed=frozenset(closed)
    )
    return ""


def look_back(site: Site) -> bool:
    """See whether pods of the wave that ended last still serve; says whether some do not.

    Then it is under way again: they come back, or have failed as any others.
    """
    wave, now_ms = site.run.wave, site.outside.clock.now_ms()
    if not wave.number or wave.skipped or now_ms < site.looked_back_ms + LOOK_BACK_MS:
        return False
    site.looked_back_ms = now_ms
    due = bound_moves(site.moves, wave)
    let_go, _ = split(due, wave)
    checkpoint = site.ask(Question(let_go=[each.key for each in let_go]))
    away = relapsed(due, wave, site.course.index_of, checkpoint)
    if not away:
        return False
    lapsed = Relapsed(wave=wave.number, moves=str(MoveSet(away)), why=some_of(away.values()))
    return site.append(lapsed)


def _others_did(site: Site, waiting: Sequence[Due], checkpoint: Checkpoint) -> bool:
    """Tell moves that nobody has to let go, as others moved or removed their pods meanwhile."""
    wave = site.run.wave
    moved, gone = by_others(waiting, wave, site.course.index_of, checkpoint)
    if moved:
        site.append(Back(wave=wave.number, moves=str(moved), strays=str(moved)))
    elif gone:
        site.append(Dropped(wave=wave.number, moves=str(gone)))
    return bool(moved or gone)


def _wait_or_end(
    site: Site,
    due: Sequence[Due],
    waiting: Mapping[int, str],
    tightest: Tightest | None,
    *,
    closed: frozenset[int],
) -> None:
    """Wait for moves, count as failed what takes too long, or end the wave.

    Moves to which a window or freeze is closed wait for as long as it takes.
    """
    run, wave = site.run, site.run.wave
    if not waiting or wave.skipped:
        _end(site, due)
        return
    new = {number: why for number, why in waiting.items() if number not in wave.failed}
    if not new:
        _end(site, due)
        return
    failed = {number: why for number, why in new.items() if number not in closed}
    from_ms, now_ms = waits_from(run), site.outside.clock.now_ms()
    waited = site.waited.look(from_ms, now_ms)
    # Nobody is impatient with what has only to wait for its window.
    site.waited = waited if failed else Waited(from_ms=from_ms, seen_ms=now_ms)
    expected_s = site.course.waves[wave.number - 1].seconds
    if failed and not run.paused and site.waited.is_over(site.policy, expected_s):
        why = some_of(failed.values())
        site.append(Failed(wave=wave.number, moves=str(MoveSet(failed)), why=why))
    _tell(site, due, tightest, why=next(iter(new.values())))


def _closed(site: Site, waiting: Sequence[Due]) -> dict[int, str]:
    """Moves that a window or freeze keeps where they are now, with its name."""
    now_ms, course = site.outside.clock.now_ms(), site.course
    names = {
        place: course.calendars.closed(course.index_of[place], now_ms)
        for place in dict.fromkeys(place_of(each.move) for each in waiting)
    }
    named = ((each.number, names[place_of(each.move)]) for each in waiting)
    return {number: name for number, name in named if name}


def _end(site: Site, due: Sequence[Due]) -> None:
    wave = site.run.wave
    stand_still(site)
    course = site.course
    taught = took(due, wave, course.index_of, course.writes_per_s)
    site.append(WaveEnded(wave=wave.number, took=taught))


def _let_go(
    site: Site,
    due: Sequence[Due],
    checkpoint: Checkpoint,
    pods: Mapping[int, PodStanding],
    lost: Mapping[Place, int],
    pulls: Pulls,
) -> bool:
    """Let moves go that have room in their budgets and rates; says whether there were any."""
    wave = site.run.wave
    rested = site.outside.clock.now_ms() >= wave.refused_ms + RETRY_MS
    going = [
        Going(number=each.number, move=each.move, uid=each.uid, pod=pods[each.number])
        for each in due
        if each.number in pods
        and pods[each.number].state == "here"
        and not pods[each.number].held_by
        and (rested or each.number not in wave.refused)
    ]
    not_taken, target = _not_taken(site, due, checkpoint), site.plan.target
    going = without_those_that_stay(going, not_taken, target)
    going = without_evictions_that_wait(going, not_taken, target)
    going = without_too_many(
        going,
        due,
        site.run,
        site.policy,
        moves=site.plan.moves,
        failed=lost,
    )
    going = pulls.in_turn(going)
    if not going:
        return False
    made = steps(going, checkpoint.by_place(), not_taken, target)
    moves = MoveSet(each.number for each in going)
    base = rebased(due, wave, site.course.index_of, checkpoint)
    let_go = LetGo(wave=wave.number, moves=str(moves), levers=_levers(site, made), base=base)
    if site.append(let_go):
        site.tell(progress.LettingGo(wave=wave.number, moves=len(moves)))
        site.carry_out(made)
    return True


def _levers(site: Site, made: Sequence[Step]) -> tuple[Lever, ...]:
    index_of = site.course.index_of
    return tuple(
        (index_of[step.place], step.kind, step.value, step.surge)
        for step in made
        if step.application
    )


def _not_taken(site: Site, due: Sequence[Due], checkpoint: Checkpoint) -> list[Going]:
    """Moves that were let go and that their controllers have not taken, or not in all parts."""
    let_go = [each for each in due if each.number in site.run.wave.let_go]
    return [
        Going(number=each.number, move=each.move, uid=each.uid, pod=pod)
        for each, pod in zip(let_go, checkpoint.let_go, strict=True)
        if pod.state == "here"
    ]


def _swap(site: Site, due: Sequence[Due], checkpoint: Checkpoint) -> bool:
    """Take the old pods of a surge away once the new ones serve; says whether there were any."""
    wave, standings = site.run.wave, checkpoint.by_place()
    if all(kind != "surge" for _, kind, _, _ in wave.levers.values()):
        return False
    changed = wave.let_go | wave.back
    surged = Counter(
        place_of(it.move) for it in due if it.move.kind == "surge" and it.number in changed
    )
    made = []
    for index, (_, kind, _, _) in wave.levers.items():
        place = site.course.places[index]
        standing, base = standings.get(place), wave.base.get(index)
        if kind != "surge" or standing is None or base is None:
            continue
        _, _, unsettled, _, at_target = base
        if standing.at_target >= at_target + surged[place] and standing.unsettled <= unsettled:
            made.append(Step(place=place, kind="swap", value=standing.new))
    if made and site.append(LetGo(wave=wave.number, moves="", levers=_levers(site, made))):
        site.carry_out(made)
    return bool(made)


def stand_still(site: Site) -> None:
    """Take back what the levers of this wave would still let go."""
    site.rest(site.course.places[index] for index in site.run.wave.levers)


def unname(site: Site) -> None:
    """Give pods that were let go and did not go the deletion costs of their owners.

    Nobody lets them go now. Those in whose place another pod went are known by their costs. Labels
    stay: partitions and selectors that let pods go by them are still there.
    """
    run, course = site.run, site.course
    due = bound_moves(site.moves, run.wave) if run.is_moving else []
    under_way = run.wave.let_go - run.wave.back
    keys = {each.key: each.move for each in due if each.number in under_way}
    keys |= {(it.cluster, it.uid): it for it in map(course.move, run.unfinished)}
    open_ones = [key for key, move in keys.items() if move.workload.kind == "Deployment"]
    places = [place for place in site.plan.images if place.kind == "Deployment"]
    listed = site.ask(Question(list=places)).workloads if places else ()
    others = [(it.place.cluster, uid) for it in listed for uid in it.moves]
    asked = list(dict.fromkeys([*open_ones, *others]))
    if not asked:
        return
    pods = zip(asked, site.ask(Question(let_go=asked)).let_go, strict=True)
    named = ((key, pod) for key, pod in pods if key in keys or naming.is_named(pod))
    site.unname((*key, pod) for key, pod in named)


def _why(each: Due, pod: PodStanding, wave: Wave, lost: Mapping[Place, int]) -> str:
    """Why a move was not let go."""
    if pod.held_by.startswith(DEPENDENCY):
        return f"{pod.held_by.removeprefix(DEPENDENCY)} is not through"
    if pod.held_by:
        return f"{pod.held_by} has no room"
    said = {
        "leaving": "its pod is leaving",
        "gone": "its pod is gone, and none has come in its place",
        "kept": "its pod cannot move",
        "settling": "others move it",
    }
    if why := said.get(pod.state):
        return why
    if each.number in wave.refused:
        return "it was refused"
    place = place_of(each.move)
    return f"pods of {place} have failed" if lost.get(place) else "others go first"


def _tell(site: Site, due: Sequence[Due], tightest: Tightest | None, *, why: str = "") -> None:
    run, wave = site.run, site.run.wave
    moving = len(wave.let_go - wave.back)
    if run.paused and not moving:
        site.tell(progress.Paused(wave=wave.number))
        return
    site.tell(
        progress.Moving(
            wave=wave.number,
            of=len(site.course.waves),
            moves=len(due),
            moving=moving,
            back=len(wave.back),
            failed=len(wave.failed),
            moved=run.moved,
            total=site.course.total,
            left_s=left_s(run, site.course, site.outside.clock.now_ms()),
            tightest=tightest,
            why=why,
        )
    )
