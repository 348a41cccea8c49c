"""What the log tells of a run on a real control plane: when each of its moves went and was back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner import loop
from planner.apply.beginning import run_ids
from planner.apply.course import Course
from planner.apply.events import AnyEvent, Back, LetGo, Started, from_payload
from planner.apply.moveset import MoveSet
from planner.log import Stream
from planner.log.open import open_log
from planner.model.clock import SystemClock

if TYPE_CHECKING:
    from planner.model.plan import Move


class Logged:
    """What the events of the only run of a log tell."""

    def __init__(self, db: str) -> None:
        with open_log(db, clock=SystemClock(), create=False) as log:
            (run_id,) = run_ids(log)
            commits = list(log.read(stream=Stream("run", run_id)))
            self.events: list[tuple[int, AnyEvent]] = [
                (commit.time_ms, event)
                for commit in commits
                for event in from_payload(commit.payload)
            ]
            (started,) = (it for _, it in self.events if isinstance(it, Started))
            course = Course(loop.load_plan(lambda: log, started.plan))
            self.moves: list[Move] = [course.move(number) for number in range(course.total)]

    def times(self, kind: type[LetGo | Back]) -> dict[int, int]:
        """When each move was let go, or back, at last."""
        return {
            number: ms
            for ms, event in self.events
            if isinstance(event, kind)
            for number in MoveSet.parse(event.moves)
        }
