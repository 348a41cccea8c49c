"""A wave that is under way: what came back, what may go, and when nobody waits any more."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import structs

from planner.apply import naming
from planner.apply.checkpoint import Checkpoint, PodStanding, Question
from planner.apply.course import Place, place_of
from planner.apply.events import Back, Dropped, LetGo, Lever, Relapsed, WaveEnded, some_of
from planner.apply.failures import in_waves, too_many_failed, without_too_many
from planner.apply.moveset import MoveSet
from planner.apply.pulls import Pulls
from planner.apply.reached import how_far, relapsed, took
from planner.apply.site import Site
from planner.apply.steps import (
    Going,
    Step,
    steps,
    without_evictions_that_wait,
    without_those_that_stay,
)
from planner.apply.streaming import (
    By,
    Held,
    held_by_dependencies,
    held_by_stages,
    in_turn,
    next_of_each,
    within_shared_budgets,
)
from planner.apply.waiting import DEPENDENCY, tell, wait, why
from planner.apply.wave import Due, by_others, let_go_of, rebased, split
from planner.model import progress

LOOK_BACK_MS: Final = 10_000
"""How often a wave that is over is looked at while nothing else goes on."""
RETRY_MS: Final = 5_000
"""How long what was refused rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Whose turn it is, as far as the core need not be asked.

    Attributes:
        asked: moves that could go, the most urgent first.
        held: those that cannot, and why.
        soaking: workloads that rest after a stage.
    """

    asked: Sequence[Due]
    held: Mapping[int, Held] = field(default_factory=dict)
    soaking: frozenset[Place] = frozenset()


def go_on(site: Site) -> str:
    """Take the wave one step further; gives why the run has to stop, or nothing."""
    wave, due = site.run.wave, site.due
    let_go, waiting = split(due, wave)
    turn = _turn(site, waiting)
    if turn.soaking and _look_back(site, turn.soaking):
        return ""
    checkpoint = site.ask(
        Question(let_go=[each.key for each in let_go], due=[each.key for each in turn.asked])
    )
    found = how_far(due, wave, site.course.index_of, checkpoint)
    if found.back:
        texts = {"moves": str(found.back), "strays": str(found.strays), "kept": str(found.kept)}
        is_told = site.append(Back(wave=wave.number, **texts))
        if not (is_told and wave.streams):
            tell(site, due, checkpoint.tightest)
            return ""
        # Something comes back whenever one looks: who went on to look again would let nothing go.
        _rest(site, found.back)
        checkpoint = _without(checkpoint, let_go, let_go_of(due, site.run.wave))
    if text := _failures(site, due):
        return text
    if not (_others_did(site, turn.asked, checkpoint) or _swap(site, due, checkpoint)):
        _let_go_or_wait(site, waiting, turn, checkpoint, found.waiting)
    return ""


def _without(checkpoint: Checkpoint, asked: Sequence[Due], left: Sequence[Due]) -> Checkpoint:
    """Leave out of an answer the pods that were let go and do not matter any more."""
    numbers = {each.number for each in left}
    pods = zip(asked, checkpoint.let_go, strict=True)
    return structs.replace(
        checkpoint, let_go=tuple(pod for each, pod in pods if each.number in numbers)
    )


def _failures(site: Site, due: Sequence[Due]) -> str:
    """Which failure budget is used up; or nothing."""
    run, wave = site.run, site.run.wave
    if not wave.failed or wave.skipped:
        return ""
    lost, moves = site.plan.by_place(run.lost), site.plan.moves
    waves = in_waves(due, wave)
    return too_many_failed(run, site.policy, waves=waves, moves=moves, failed=lost)


def _let_go_or_wait(
    site: Site,
    waiting: Sequence[Due],
    turn: _Turn,
    checkpoint: Checkpoint,
    not_back: Mapping[int, str],
) -> None:
    """Let go what can, or wait for what is `not_back` and what cannot; end the wave without any."""
    run, wave, due = site.run, site.run.wave, site.due
    lost = site.plan.by_place(run.lost)
    pods = dict(zip([each.number for each in turn.asked], checkpoint.due, strict=True))
    pulls = Pulls(site.course, due, wave, site.outside.clock.now_ms())
    free = {number: pod for number, pod in pods.items() if number not in turn.held}
    if not (run.paused or wave.skipped) and _let_go(site, due, checkpoint, free, lost, pulls):
        return
    late = {each.number: "others go first" for each in waiting}
    late |= {each.number: why(each, pods[each.number], wave, lost) for each in turn.asked}
    pulled = pulls.late(waiting)
    late |= pulled | {number: it.why for number, it in turn.held.items()}
    by: dict[int, By] = {}
    if wave.streams:
        behind = (number for number, pod in pods.items() if pod.held_by.startswith(DEPENDENCY))
        unasked = (each.number for each in waiting if each.number not in pods)
        by |= dict.fromkeys((*behind, *unasked), "others")
        by |= dict.fromkeys(pulled, "time")
    by |= {number: it.by for number, it in turn.held.items()}
    if wait(site, due, {**not_back, **late}, by, checkpoint.tightest):
        _end(site, due)


def _turn(site: Site, waiting: Sequence[Due]) -> _Turn:
    """See whose turn it is; in a wave it is everybody's to whom no window is closed."""
    wave, course = site.run.wave, site.course
    closed = {number: Held(f"{it} is closed", "time") for number, it in _closed(site, waiting)}
    if not wave.streams:
        return _Turn(asked=waiting, held=closed)
    site.backs = site.backs.look(course.id, wave, site.due)
    now_ms = site.outside.clock.now_ms()
    staged = held_by_stages(course, site.due, waiting, wave, site.backs, now_ms)
    resting = {number for number, it in staged.items() if it.by == "time"}
    held = {**held_by_dependencies(course, site.due, waiting, wave), **staged, **closed}
    return _Turn(
        asked=next_of_each(course, (each for each in waiting if each.number not in held)),
        held=held,
        soaking=frozenset(place_of(it.move) for it in waiting if it.number in resting),
    )


def look_back(site: Site) -> bool:
    """See whether pods of the wave that ended last still serve; says whether some do not.

    Then it is under way again: they come back, or have failed as any others.
    """
    return _look_back(site, None)


def _look_back(site: Site, soaking: Collection[Place] | None) -> bool:
    """Look at all that is back, or of a leg at workloads that rest after a stage."""
    wave, now_ms = site.run.wave, site.outside.clock.now_ms()
    if not wave.number or wave.skipped or now_ms < site.looked_back_ms + LOOK_BACK_MS:
        return False
    site.looked_back_ms = now_ms
    due = [it for it in site.due if soaking is None or place_of(it.move) in soaking]
    # Of a leg, too, pods that are back are asked for now.
    wave = replace(wave, streams=False)
    checkpoint = site.ask(Question(let_go=[each.key for each in let_go_of(due, wave)]))
    away = relapsed(due, wave, site.course.index_of, checkpoint)
    if not away:
        return False
    lapsed = Relapsed(wave=wave.number, moves=str(MoveSet(away)), why=some_of(away.values()))
    return site.append(lapsed)


def _rest(site: Site, back: MoveSet) -> None:
    """Let workloads stand still of which the last pod came back: a leg may last for long."""
    wave = site.run.wave
    moving = {place_of(it.move) for it in site.due if it.number in wave.let_go - wave.back}
    came = dict.fromkeys(place_of(it.move) for it in site.due if it.number in back)
    site.rest(place for place in came if place not in moving)


def _others_did(site: Site, waiting: Sequence[Due], checkpoint: Checkpoint) -> bool:
    """Tell moves that nobody has to let go, as others moved or removed their pods meanwhile."""
    wave = site.run.wave
    moved, gone = by_others(waiting, wave, site.course.index_of, checkpoint)
    if moved:
        site.append(Back(wave=wave.number, moves=str(moved), strays=str(moved)))
    elif gone:
        site.append(Dropped(wave=wave.number, moves=str(gone)))
    return bool(moved or gone)


def _closed(site: Site, waiting: Sequence[Due]) -> Iterator[tuple[int, str]]:
    """Moves that a window or freeze keeps where they are now, with its name.

    Of a leg also those that would not be back before it closes: their wave has not begun by itself.
    """
    now_ms, course, streams = site.outside.clock.now_ms(), site.course, site.run.wave.streams
    if not course.calendars.names:
        return
    names: dict[tuple[Place, int], str] = {}
    for each in waiting:
        length_ms = course.length_ms(each.move) if streams else 0
        key = place, _ = place_of(each.move), length_ms
        if key not in names:
            names[key] = course.calendars.closed(course.index_of[place], now_ms, length_ms)
        if names[key]:
            yield each.number, names[key]


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
    if wave.streams:
        going = _in_turn(site, due, checkpoint, pods, going)
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
        told = progress.LettingGo(wave=wave.number, moves=len(moves), streaming=wave.streams)
        site.tell(told)
        site.carry_out(made)
    return True


def _in_turn(
    site: Site,
    due: Sequence[Due],
    checkpoint: Checkpoint,
    pods: Mapping[int, PodStanding],
    going: Sequence[Going],
) -> list[Going]:
    """Leave out what cannot go beside what of its workload is under way."""
    wave, places = site.run.wave, site.course.places
    goes = {each.number for each in going}
    moving, changed = wave.let_go - wave.back, wave.let_go | wave.back
    stays = (it for it in due if it.number not in changed and it.number not in goes)
    under_way = [each for each in due if each.number in moving]
    turned = in_turn(
        going,
        under_way=under_way,
        # Nobody has asked about the others: their pods are there as far as is known.
        held=[it for it in stays if it.number not in pods or pods[it.number].state == "here"],
        standings=checkpoint.by_place(),
        base={places[index]: base for index, base in wave.base.items()},
    )
    # Who failed is down, or somebody else has taken it away.
    expected = [each for each in under_way if each.number in wave.under_way]
    return within_shared_budgets(turned, expected, site.course, site.plan.target)


def _levers(site: Site, made: Sequence[Step]) -> tuple[Lever, ...]:
    index_of = site.course.index_of
    return tuple(
        (index_of[step.place], step.kind, step.value, step.surge)
        for step in made
        if step.application
    )


def _not_taken(site: Site, due: Sequence[Due], checkpoint: Checkpoint) -> list[Going]:
    """Moves that were let go and that their controllers have not taken, or not in all parts."""
    let_go = let_go_of(due, site.run.wave)
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
        place_of(it.move)
        for it in due
        # Of a leg others of the workload may have come back besides.
        if it.number in changed and (it.move.kind == "surge" or wave.streams)
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
    due = site.due if run.is_moving else []
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
