"""What an executor that takes a run over finds half done, and that nobody else writes meanwhile."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from planner.apply.checkpoint import Question, Standing
from planner.apply.course import Place, place_of
from planner.apply.events import Lever
from planner.apply.site import Site
from planner.apply.steps import Going, as_appended, steps
from planner.model import progress


class _Intent(NamedTuple):
    """What was appended as let go and may not be so: moves whose pods are there, and levers."""

    going: Sequence[Going]
    levers: Mapping[Place, Lever]
    standings: Mapping[Place, Standing]
    resting: Sequence[Place]


def recover(site: Site) -> None:
    """Make sure that what was appended as let go is let go, and that nobody else writes."""
    if intent := _open_intent(site):
        site.tell(progress.Recovering(wave=site.run.wave.number, moves=len(intent.going)))
        _touch(site, intent)
        made = steps(intent.going, intent.standings, (), site.plan.target)
        site.carry_out(as_appended(made, intent.levers))
        site.rest(intent.resting)


def fence(site: Site) -> None:
    """Make sure that nobody else writes, and let nothing go."""
    if intent := _open_intent(site):
        _touch(site, intent)


def _open_intent(site: Site) -> _Intent | None:
    wave = site.run.wave
    if not site.run.is_moving:
        return None
    due = site.due
    under_way = wave.let_go - wave.back
    open_moves = [each for each in due if each.number in under_way]
    # What was refused is in the numbers that were appended: those are made anew.
    refused = {place_of(each.move) for each in due if each.number in wave.refused}
    levers = {
        place: lever
        for index, lever in wave.levers.items()
        if (place := site.course.places[index]) not in refused
    }
    # Of a leg workloads of which nothing is under way were let go long ago, and stand still since.
    moving = {place_of(each.move) for each in open_moves}
    known = (site.course.places[index] for index in wave.levers)
    resting = [place for place in known if wave.streams and place not in moving]
    levers = {place: lever for place, lever in levers.items() if place not in resting}
    if not (open_moves or levers or resting):
        return None
    checkpoint = site.ask(Question(let_go=[each.key for each in open_moves]))
    going = [
        Going(number=each.number, move=each.move, uid=each.uid, pod=pod)
        for each, pod in zip(open_moves, checkpoint.let_go, strict=True)
        if pod.state == "here"
    ]
    return _Intent(going, levers, checkpoint.by_place(), resting)


def _touch(site: Site, intent: _Intent) -> None:
    """Touch what has an open intent.

    A write of the executor before us that is still on its way finds another resourceVersion there.
    """
    places = [*intent.levers, *intent.resting, *site.plan.sidecar_sets]
    site.touch(intent.going, places)
