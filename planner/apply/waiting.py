"""What a wave waits for, how long it does, and what it says of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from planner.apply.checkpoint import PodStanding
from planner.apply.course import Place, place_of
from planner.apply.events import Failed, some_of
from planner.apply.moveset import MoveSet
from planner.apply.pace import left_s
from planner.apply.patience import Waited, waits_from
from planner.apply.site import Site
from planner.apply.streaming import By, in_vain
from planner.apply.wave import Due
from planner.apply.wave_state import Wave
from planner.errors import DriftError
from planner.model import progress
from planner.model.progress import Tightest

DEPENDENCY: Final = "dependency:"
"""Begins the name of a dependency that holds a pod; budgets have other names."""


def wait(
    site: Site,
    due: Sequence[Due],
    waiting: Mapping[int, str],
    by: Mapping[int, By],
    tightest: Tightest | None,
) -> bool:
    """Wait for moves, and count as failed what takes too long; says whether nothing is waited for.

    Args:
        site: the run.
        due: moves of the wave.
        waiting: those that are not back, and why.
        by: what comes by itself or after others, of those that wait for that.
        tightest: the budget with the least room.

    Raises:
        DriftError: the moves that are left may never go.
    """
    run, wave = site.run, site.run.wave
    if wave.skipped:
        return True
    gone_without = wave.failed | wave.given_up
    new = {number: why for number, why in waiting.items() if number not in gone_without}
    if not new:
        return True
    if wave.streams:
        _check_calendars(site, due, new, by)
    late = _late_of_leg(site, due, new, by) if wave.streams else _late(site, new, by)
    if late and not run.paused:
        why = some_of(late.values())
        site.append(Failed(wave=wave.number, moves=str(MoveSet(late)), why=why))
    tell(site, due, tightest, why=next(iter(new.values())))
    return False


def _late(site: Site, new: Mapping[int, str], by: Mapping[int, By]) -> Mapping[int, str]:
    """Moves of a wave that are waited for no longer: all of them, but for what has to wait.

    Moves to which a window or freeze is closed wait for as long as it takes.
    """
    late = {number: why for number, why in new.items() if number not in by}
    expected_s = site.course.legs[site.run.wave.number - 1].seconds
    return late if _is_over(site, expected_s, is_vain=bool(late)) else {}


def _late_of_leg(
    site: Site, due: Sequence[Due], new: Mapping[int, str], by: Mapping[int, By]
) -> Mapping[int, str]:
    """Moves of a leg that are waited for no longer, each by itself once it was let go.

    Those that wait to be let go are waited for while any is under way.
    """
    run, course = site.run, site.course
    under_way = run.wave.under_way
    moves = {each.number: each.move for each in due if each.number in new}
    going = {number: move for number, move in moves.items() if number in under_way}
    site.ages = site.ages.look(
        max(run.attended_ms, run.wave.retried_ms),
        site.outside.clock.now_ms(),
        {number: place_of(move) for number, move in going.items()},
        run.wave.back,
    )
    if going:
        seconds = {number: course.seconds_of(move) for number, move in going.items()}
        over = (it for it, its in seconds.items() if site.ages.is_over(it, site.policy, its))
        late = frozenset(over)
    else:
        waves = {number: move.wave for number, move in moves.items()}
        late = in_vain({number: by.get(number) for number in new}, waves)
        expected_s = max((course.seconds_of(moves[it]) for it in late), default=0.0)
        if not _is_over(site, expected_s, is_vain=bool(late)):
            late = frozenset()
        elif not run.paused:
            # Each wave is waited for by itself.
            site.waited = Waited(from_ms=site.waited.from_ms, seen_ms=site.waited.seen_ms)
    return {number: new[number] for number in sorted(late)}


def _is_over(site: Site, expected_s: float, *, is_vain: bool) -> bool:
    """Whether nothing came of the wave for too long; nobody is impatient with what has to wait."""
    from_ms, now_ms = waits_from(site.run), site.outside.clock.now_ms()
    waited = site.waited.look(from_ms, now_ms)
    site.waited = waited if is_vain else Waited(from_ms=from_ms, seen_ms=now_ms)
    return is_vain and site.waited.is_over(site.policy, expected_s)


def _check_calendars(
    site: Site, due: Sequence[Due], new: Mapping[int, str], by: Mapping[int, By]
) -> None:
    """Check that something of what is left may ever go, when nothing is under way.

    Raises:
        DriftError: windows and freezes leave no time for any of it.
    """
    course, under_way = site.course, site.run.wave.under_way
    if not course.calendars.names or any(number in under_way for number in new):
        return
    left = [it for it in due if it.number in new and by.get(it.number) != "others"]
    now_ms = site.outside.clock.now_ms()
    kinds = {(course.index_of[place_of(it.move)], course.length_ms(it.move)) for it in left}
    opens = (course.calendars.next_opening([at], now_ms, ms) for at, ms in kinds)
    if kinds and all(ms is None for ms in opens):
        raise DriftError("its windows and freezes leave no time for what is left")


def why(each: Due, pod: PodStanding, wave: Wave, lost: Mapping[Place, int]) -> str:
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
    if text := said.get(pod.state):
        return text
    if each.number in wave.refused:
        return "it was refused"
    place = place_of(each.move)
    return f"pods of {place} have failed" if lost.get(place) else "others go first"


def tell(site: Site, due: Sequence[Due], tightest: Tightest | None, *, why: str = "") -> None:
    """Say how far the wave is."""
    run, wave = site.run, site.run.wave
    moving = len(wave.let_go - wave.back)
    if run.paused and not moving:
        site.tell(progress.Paused(wave=wave.number))
        return
    site.tell(
        progress.Moving(
            wave=wave.number,
            of=len(site.course.legs),
            moves=len(due),
            moving=moving,
            back=len(wave.back),
            failed=len(wave.failed),
            moved=run.moved,
            total=site.course.total,
            left_s=left_s(run, site.course, site.outside.clock.now_ms()),
            tightest=tightest,
            why=why,
            streaming=wave.streams,
        )
    )
