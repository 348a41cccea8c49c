"""A run lets no more pods go than their registry has time for."""

from functools import cache
from itertools import accumulate

from planner import core
from planner.apply.checkpoint import Question
from planner.apply.course import Course, place_of
from planner.apply.events import LetGo, WaveBegun
from planner.apply.executor import TICK_S
from planner.apply.moveset import MoveSet
from planner.apply.pulls import AWAY_MS, Pulls
from planner.apply.steps import Going
from planner.apply.wave import bases, bound_moves
from tests.apply.test_executor import Desk
from tests.test_pulls import REGISTRY
from tests.test_pulls import plan as shop_plan

RATE = f"pulls/{REGISTRY}"
MOVES = 10


@cache
def course() -> Course:
    return Course(pulling())


def pulling() -> core.Plan:
    return shop_plan()


def units(number: int) -> int:
    """What a move pulls."""
    pulls = next(rate for rate in course().pulls if rate.name == RATE)
    return dict(pulls.pulls_a_move)[course().index_of[place_of(course().move(number))]]


def begun(*events: LetGo) -> Desk:
    """A run in its first wave."""
    numbers = str(MoveSet(course().numbers(1)))
    standings = Desk(plan=pulling()).site.ask(Question()).workloads
    wave = WaveBegun(wave=1, moves=numbers, base=bases(course().index_of, standings))
    return Resting(wave, *events, plan=pulling())


class Resting(Desk):
    """An executor that rests until some moves have gone."""

    def rest(self, seconds: float) -> bool:
        self.clock.advance(int(seconds * 1000))
        return len(self.journal.run.wave.let_go) >= MOVES


def going(desk: Desk) -> list[Going]:
    due = bound_moves(desk.site.moves, desk.journal.run.wave)
    (*_, pod) = desk.site.ask(Question(let_go=[due[0].key])).let_go
    return [Going(number=it.number, move=it.move, uid=it.uid, pod=pod) for it in due]


def pulls(desk: Desk, later_ms: int = 0) -> Pulls:
    run = desk.journal.run
    due = bound_moves(desk.site.moves, run.wave)
    return Pulls(course(), due, run.wave, desk.clock.now_ms() + later_ms)


def test_the_next_move_goes_when_those_before_it_are_pulled() -> None:
    desk = begun()
    first, second, *_ = going(desk)
    assert pulls(desk).in_turn(going(desk)) == [first]
    desk = begun(LetGo(wave=1, moves=str(first.number), levers=(), base=()))
    waits_ms = units(first.number) * 1000
    assert waits_ms > 1000
    assert pulls(desk, waits_ms - 1).in_turn([second]) == []
    assert pulls(desk, waits_ms).in_turn([second]) == [second]


def test_what_could_have_gone_since_somebody_looked_goes_at_once_and_what_for_longer_is_lost() -> (
    None
):
    desk = begun()
    assert len(pulls(desk, 3_600_000).in_turn(going(desk))) == 1, "nothing has gone before"
    first, *others = going(desk)
    desk = begun(LetGo(wave=1, moves=str(first.number), levers=(), base=()))
    went = pulls(desk, 3_600_000).in_turn(others)
    before = [0, *accumulate(units(each.number) for each in went)]
    assert before[-2] * 1000 <= AWAY_MS < before[-1] * 1000
    assert len(went) > 1


def test_who_waits_for_a_registry_is_told() -> None:
    desk = begun()
    due = bound_moves(desk.site.moves, desk.journal.run.wave)
    assert pulls(desk).late(due) == {}
    desk = begun(LetGo(wave=1, moves=str(due[0].number), levers=(), base=()))
    assert set(pulls(desk).late(due).values()) == {f"{RATE} pulls for others"}


def test_a_run_lets_a_wave_go_at_the_rate_of_its_registry() -> None:
    desk = begun()
    assert desk.step() == "interrupted"
    went = desk.journal.run.wave.let_go_at
    went_ms = {number: ms for ms, moves in went for number in MoveSet.parse(moves)}
    assert len(went_ms) >= MOVES
    numbers = sorted(went_ms, key=lambda it: (went_ms[it], it))
    start_ms, third_ms = went_ms[numbers[0]], went_ms[numbers[2]]
    for number, before in zip(numbers, [0, *accumulate(map(units, numbers))], strict=False):
        assert went_ms[number] - start_ms >= before * 1000 - AWAY_MS
    slack_ms = 2 * TICK_S * 1000
    assert third_ms - start_ms < sum(map(units, numbers[:2])) * 1000 + slack_ms
