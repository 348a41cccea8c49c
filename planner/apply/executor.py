"""Carries out one run, one step at a time; each is safe to be killed in and to be said twice."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final, Literal

from planner import core
from planner.apply import moving, recovery
from planner.apply.calendars import moment
from planner.apply.checkpoint import Checkpoint, PodStanding, Question
from planner.apply.course import Place, place_of
from planner.apply.drift import drift
from planner.apply.events import ApprovalAsked, Ended, Replanned, Stopped, WaveBegun
from planner.apply.moveset import MoveSet
from planner.apply.pace import fidelity, left_s
from planner.apply.parting import part
from planner.apply.preflight import preflight
from planner.apply.site import Site
from planner.apply.tail import tail_request
from planner.apply.wave import bases, bind
from planner.errors import ClusterError, DriftError, LeaseLostError, RunError
from planner.model import progress
from planner.model.plan import Move
from planner.model.progress import Ending

TICK_S: Final = 0.5
"""How long nothing happens before an executor looks again."""

Reason = Literal["gate", "failures", "drift", "refused"]


def execute(site: Site, *, waits_at_gates: bool) -> Ending:
    """Go on until the run is over, or stops by itself, or the executor has to end.

    Raises:
        LeaseLostError: another executor has taken the run over.
        RunError: a cluster refuses what the plan needs, before anything was done.
        ClusterError: a cluster is away for too long.
    """
    try:
        return _go_on(site, waits_at_gates=waits_at_gates)
    except ClusterError:
        # Whoever waits for a cluster, or a turn, stops waiting when the executor has to end.
        if not site.outside.wait(0):
            raise
        return "interrupted"


def _go_on(site: Site, *, waits_at_gates: bool) -> Ending:
    if not _has_begun(site):
        _check(site)
    step = partial(_step, site, waits_at_gates=waits_at_gates)
    stopped = _try_step(site, partial(_recover, site))
    while not stopped:
        site.read()
        version = site.version
        if site.run.outcome:
            return site.run.outcome
        stopped = _try_step(site, step)
        idle = site.version == version
        if not stopped and site.outside.wait(TICK_S if idle else 0):
            return "interrupted"
    return "stopped"


def _try_step(site: Site, step: Callable[[], bool]) -> bool:
    """Take one step; a cluster that refuses it or has moved on stops the run where it is."""
    try:
        return step()
    except LeaseLostError:
        raise
    except RunError as error:
        with suppress(RunError):
            moving.stand_still(site)
        reason: Reason = "drift" if isinstance(error, DriftError) else "refused"
        return _stop(site, reason, str(error))


def _recover(site: Site) -> bool:
    if site.run.abort_asked:
        recovery.fence(site)
        return False
    if _has_begun(site):
        # Whoever was here before may have been killed at it, or somebody has taken it back.
        site.cordon()
    recovery.recover(site)
    return False


def _check(site: Site) -> None:
    """Check what can be checked before anything is done; a run that is refused is over."""
    try:
        preflight(site)
    except RunError as error:
        _stop(site, "refused", str(error))
        site.append(Ended(outcome="aborted"))
        raise


def _has_begun(site: Site) -> bool:
    """Whether a wave of the run has begun."""
    return site.run.wave.number > 0 or len(site.run.plans) > 1


def _step(site: Site, *, waits_at_gates: bool) -> bool:
    """Take one step; says whether the run has stopped by itself."""
    run = site.run
    if run.abort_asked:
        end(site, "aborted")
    elif run.is_moving:
        if why := moving.go_on(site):
            moving.stand_still(site)
            return _stop(site, "failures", why)
    elif run.wave.number == len(site.course.legs):
        return _finish(site)
    elif run.paused:
        site.tell(progress.Paused(wave=run.wave.number))
    elif (gated := _is_gated(site)) or _is_soaking(site):
        if not moving.look_back(site) and gated and not waits_at_gates:
            return _stop(site, "gate", "an approval is asked for")
    else:
        return _begin_when_open(site)
    return False


def _finish(site: Site) -> bool:
    """After the last wave: end, or go over to another plan when something is left to do.

    Says whether the run has stopped, because there is no other plan. Stages that end before all
    pods have moved leave some behind: a plan of the rest would go further than they do.
    """
    if not site.course.legs:
        site.cordon()
    fleet = site.outside.look()
    checkpoint = site.ask_of(fleet, Question())
    is_behind = any(each.behind for each in checkpoint.workloads)
    may_replan = is_behind and not site.course.stops_early
    if may_replan and (why := _drift(site, checkpoint)):
        return _replan(site, fleet, why)
    end(site, "done")
    return False


def _is_gated(site: Site) -> bool:
    """Ask for an approval where the plan has one, and say whether it is missing."""
    run = site.run
    if not run.wave.number or run.approved == run.wave.number:
        return False
    asked = site.course.legs[run.wave.number - 1].approvals
    if asked and not run.asked:
        site.append(ApprovalAsked(wave=run.wave.number, what=asked))
        site.tell(progress.Approval(wave=run.wave.number, asked=asked))
    return bool(asked)


def _is_soaking(site: Site) -> bool:
    wave = site.run.wave
    if not wave.number:
        return False
    after = site.course.legs[wave.number]
    rest_ms = int((after.waits_s if after.soaks_s is None else after.soaks_s) * 1000)
    until_ms = wave.ended_ms + rest_ms
    soaks = site.outside.clock.now_ms() < until_ms
    if soaks:
        site.tell(progress.Soaking(after=wave.number, seconds=rest_ms / 1000))
    return soaks


def _begin_when_open(site: Site) -> bool:
    """Begin the next wave, or wait for its windows to open and freezes to end.

    Says whether the run has stopped, because they never do for long enough. A leg that streams may
    begin as soon as any of its workloads may move, and has not to fit into one window.
    """
    if site.course.streams:
        return _begin_leg(site)
    wave, calendars = site.course.legs[site.run.wave.number], site.course.calendars
    workloads = [index for index, _ in wave.workloads]
    now_ms = site.outside.clock.now_ms()
    opens_ms = calendars.next_opening(workloads, now_ms, int(wave.seconds * 1000))
    if opens_ms is None:
        return _stop(site, "drift", "its windows and freezes leave no time for the next wave")
    if opens_ms <= now_ms:
        return _begin(site)
    names, opens = calendars.keeping(workloads, now_ms), moment(opens_ms)
    site.tell(progress.Closed(wave=wave.wave, calendars=names, opens=opens))
    return False


def _begin_leg(site: Site) -> bool:
    course, now_ms = site.course, site.outside.clock.now_ms()
    leg = course.legs[site.run.wave.number]
    lengths = course.lengths_ms(leg.wave)
    opens = (course.calendars.next_opening([at], now_ms, ms) for at, ms in lengths.items())
    opens_ms = min((ms for ms in opens if ms is not None), default=None)
    if opens_ms is None:
        return _stop(site, "drift", "its windows and freezes leave no time for what is left")
    if opens_ms <= now_ms:
        return _begin(site)
    names, at = course.calendars.keeping(list(lengths), now_ms), moment(opens_ms)
    site.tell(progress.Closed(wave=leg.wave, calendars=names, opens=at))
    return False


def _begin(site: Site) -> bool:
    """Begin the next wave, or go over to another plan when the fleet moved on.

    Says whether the run has stopped, because there is no other plan. Before the first one all nodes
    that are to be empty are cordoned, so that no pod comes to one and has to leave it again.
    """
    course, number = site.course, site.run.wave.number + 1
    moves = list(course.moves(number))
    places = list(dict.fromkeys(place_of(move) for _, move in moves))
    fleet = site.outside.look()
    question = Question(due=[(move.cluster, move.uid) for _, move in moves], list=places)
    checkpoint = site.ask_of(fleet, question)
    if why := _drift(site, checkpoint):
        return _replan(site, fleet, why)
    if number == 1:
        site.cordon()
    standing_of = dict(zip(question.due, checkpoint.due, strict=True))
    standings = checkpoint.by_place()
    there = [place for place in places if place in standings]
    listed = {place: standings[place].moves for place in there}
    named = _named(site, moves, standing_of, number)
    nodes = _nodes(site, fleet, listed, named)
    drained = frozenset((it.cluster, it.name) for it in course.drains)
    binding = bind(moves, standing_of, listed, named, nodes=nodes, drained=drained)
    begun = WaveBegun(
        wave=number,
        moves=str(MoveSet(course.numbers(number))),
        streams=course.streams,
        bound=tuple(binding.bound.items()),
        dropped=str(binding.dropped),
        base=bases(course.index_of, [standings[place] for place in there]),
    )
    if site.append(begun):
        site.tell(
            progress.Wave(
                wave=number,
                of=len(course.legs),
                moves=len(moves),
                workloads=tuple(map(str, places)),
                left_s=left_s(site.run, course, site.outside.clock.now_ms()),
                streaming=course.streams,
            )
        )
    return False


def _named(
    site: Site,
    moves: Iterable[tuple[int, Move]],
    standing_of: Mapping[tuple[str, str], PodStanding],
    wave: int,
) -> frozenset[str]:
    """Uids that the rest of the plan names, when somebody has to know them."""
    if all(standing_of[move.cluster, move.uid].state == "here" for _, move in moves):
        return frozenset()
    later = range(wave, len(site.course.legs) + 1)
    return frozenset(move.uid for each in later for _, move in site.course.moves(each))


def _nodes(
    site: Site, fleet: core.Fleet, listed: Mapping[Place, Iterable[str]], named: frozenset[str]
) -> Mapping[str, str]:
    """The nodes of listed pods that the plan does not name, when somebody has to know them."""
    if not (named and site.course.drains):
        return {}
    keys = [(at.cluster, uid) for at, uids in listed.items() for uid in uids if uid not in named]
    pods = site.ask_of(fleet, Question(let_go=keys)).let_go
    return {uid: pod.node for (_, uid), pod in zip(keys, pods, strict=True)}


def _drift(site: Site, checkpoint: Checkpoint) -> tuple[str, ...]:
    run, course = site.run, site.course
    left = dict(zip(course.places, course.left(run.wave.number), strict=True))
    for number in run.unfinished:
        left[place_of(course.move(number))] += 1
    return drift(left, course.behind(), checkpoint.by_place())


def _replan(site: Site, fleet: core.Fleet, why: tuple[str, ...]) -> bool:
    request = tail_request(site.course, site.plan.images, site.run.wave.number)
    plan = site.replan(fleet, request)
    if plan is None:
        return _stop(site, "drift", f"{'; '.join(why)}; there is no plan for what is left")
    return _go_over(site, plan, why)


def _go_over(site: Site, plan: core.Plan, why: tuple[str, ...]) -> bool:
    """Go over to another plan, once every cluster would take it.

    Raises:
        RunError: a right is missing, or a server refuses a write or warns of it.
    """
    before, goes = site.plan, False
    site.follow(plan)
    try:
        preflight(site)
        goes = site.append(Replanned(plan=plan.id, why=why))
    finally:
        if not goes:
            site.plan = before
    if goes:
        site.tell(progress.Replanned(plan=plan.id, why=why))
    return False


def end(site: Site, outcome: Literal["done", "aborted"]) -> None:
    """Give back what is at its target; the rest stays held, for nothing to go on by itself.

    What is done and leaves planned pods behind is incomplete.
    """
    if site.run.is_moving:
        moving.stand_still(site)
    moving.unname(site)
    parted = part(site.plan.behind, site.plan.sidecar_sets, site.ask(Question()))
    site.release(parted.free)
    site.append_writes({})
    said = "incomplete" if outcome == "done" and parted.left else outcome
    went = fidelity(site.run, site.plan.first)
    site.append(Ended(outcome=said, held=parted.held, fidelity=went))


def _stop(site: Site, reason: Reason, text: str) -> bool:
    return site.append(Stopped(reason=reason, text=text))
