"""How an executor carries out a leg of the shop, on recordings that nobody has touched since."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planner.apply import moving
from planner.apply.calendars import Calendars
from planner.apply.checkpoint import Question
from planner.apply.course import Course, place_of
from planner.apply.events import (
    AnyEvent,
    Back,
    Failed,
    LetGo,
    Stopped,
    WaveBegun,
    WaveEnded,
    from_payload,
)
from planner.apply.failures import in_waves
from planner.apply.levers.held import HELD, annotations_of
from planner.apply.moveset import MoveSet
from planner.apply.wave import bases
from planner.log import Stream
from planner.show.run import event_text
from tests.apply.shelf import Keeping
from tests.apply.test_executor import HOUR_MS, Desk
from tests.apply.test_streaming import course, leg, moves, of, streaming, text
from tests.shop import SALE_MS

if TYPE_CHECKING:
    from planner.apply.checkpoint import Checkpoint
    from planner.apply.events import Base
    from planner.model.progress import Progress


def begun(base: tuple[Base, ...] | None = None) -> WaveBegun:
    standings = Desk().site.ask(Question()).workloads
    known = bases(course().index_of, (it for it in standings if it.place in course().index_of))
    return WaveBegun(
        wave=1,
        moves=str(MoveSet(course().numbers(1))),
        streams=True,
        base=known if base is None else base,
    )


def said(desk: Desk, kind: type[AnyEvent]) -> list[AnyEvent]:
    commits = desk.log.read(after=0, stream=Stream("run", "r"))
    events = (event for commit in commits for event in from_payload(commit.payload))
    return [event for event in events if isinstance(event, kind)]


def numbers_let_go(desk: Desk) -> set[int]:
    return {
        number
        for it in said(desk, LetGo)
        if isinstance(it, LetGo)
        for number in MoveSet.parse(it.moves)
    }


def unstaged() -> Course:
    """Its moves are those of the streaming shop, without stages."""
    return course()


def test_a_leg_begins_and_says_so() -> None:
    told: list[Progress] = []
    desk = Desk(plan=streaming())
    desk.site.outside = dataclasses.replace(desk.site.outside, tell=told.append)
    desk.step()
    (wave,) = (it for it in said(desk, WaveBegun))
    assert isinstance(wave, WaveBegun)
    assert (wave.streams, wave.moves) == (True, str(MoveSet(range(course().total))))
    lines = [event_text(it) for it in told]
    assert any(line.startswith(f"Streaming: {course().total:,} pods of ") for line in lines)
    assert any(line.startswith("letting ") for line in lines)
