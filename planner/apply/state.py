"""Where a run is: what its events add up to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from planner.apply.attended import OPEN, resumed
from planner.apply.events import (
    AbortAsked,
    AnyEvent,
    ApprovalAsked,
    Approved,
    Back,
    Dropped,
    Ended,
    Failed,
    Leased,
    LetGo,
    Paused,
    Relapsed,
    Replanned,
    Resumed,
    RetryAsked,
    SkipAsked,
    Started,
    Stopped,
    WaveBegun,
    WaveEnded,
    Written,
)
from planner.apply.moveset import MoveSet
from planner.apply.wave_state import NONE, At, Wave
from planner.model.progress import Fidelity

Outcome = Literal["", "done", "incomplete", "aborted"]
StopReason = Literal["", "gate", "failures", "drift", "refused"]

BEFORE: Final = Wave()
"""Before the first wave of a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run at one version of its stream.

    Attributes:
        plan: what is carried out now.
        began_ms: when it began.
        plans: every plan so far, the first one approved by people, the last one carried out now.
        policy: the options that the run was started with.
        epoch: of the executor that may act.
        holder: that executor.
        attended_ms: when it took over, or when a person last let the run go on.
        wave: see `Wave`.
        unfinished: moves of the present plan whose waves ended without them.
        asked: whether an approval is asked for and not given.
        approved: the wave after which a person has approved to go on.
        paused: whether a person wants nothing to be let go.
        abort_asked: whether a person wants the run to end.
        outcome: empty until the run is over.
        held: workloads whose levers stayed when it ended, and why.
        fidelity: how far it went as it was planned; None until it is over.
        stopped: why the executor stopped by itself, empty while it goes on.
        stopped_by: the sort of that.
        moved: pods that are back, over all plans.
        strays: those of them that did not go as the plan said.
        lost: moves that were not back in time, and are not now, by plan.
        writes: writes to the clusters.
        as_planned: pods that the first plan named, and that moved in its wave and in its way.
        took: plan, wave and milliseconds of every wave that ended, as far as somebody was there and
            nobody had paused it.
    """

    plan: str = ""
    began_ms: int = 0
    plans: tuple[str, ...] = ()
    policy: Mapping[str, str] = field(default_factory=dict)
    epoch: int = 0
    holder: str = ""
    attended_ms: int = 0
    wave: Wave = BEFORE
    unfinished: MoveSet = NONE
    asked: bool = False
    approved: int = 0
    paused: bool = False
    abort_asked: bool = False
    outcome: Outcome = ""
    held: tuple[str, ...] = ()
    fidelity: Fidelity | None = None
    stopped: str = ""
    stopped_by: StopReason = ""
    moved: int = 0
    strays: int = 0
    lost: Mapping[str, MoveSet] = field(default_factory=dict)
    writes: int = 0
    as_planned: int = 0
    took: tuple[tuple[str, int, int], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more."""
        return self.outcome != ""

    @property
    def failed(self) -> int:
        """Pods that were not back in time, over all plans."""
        return sum(map(len, self.lost.values()))

    @property
    def is_moving(self) -> bool:
        """Whether a wave is under way."""
        return self.wave.number > 0 and not self.wave.ended_ms


def fold(run: Run, events: Iterable[AnyEvent], time_ms: int) -> Run:
    """Add events that were appended at a time."""
    for event in events:
        after = _AFTER[type(event)]
        run = after(run, event, time_ms)
    return run


def _started(run: Run, event: Started, time_ms: int) -> Run:
    return replace(run, plan=event.plan, began_ms=time_ms, plans=(event.plan,), policy=event.policy)


def _leased(run: Run, event: Leased, time_ms: int) -> Run:
    # Logs of before tell no `seen_ms`: somebody was there when something last came of the wave.
    since_ms = max(event.seen_ms, run.wave.progress_ms)
    wave = replace(run.wave, gaps=(*run.wave.gaps, (since_ms, time_ms)))
    # One that is back by itself knows how long it has waited: see `Waited`.
    attended_ms = run.attended_ms if event.epoch == run.epoch else time_ms
    attended = replace(run, attended_ms=attended_ms, stopped="", stopped_by="", wave=wave)
    return replace(attended, epoch=event.epoch, holder=event.holder)


def _paused(run: Run, _event: Paused, time_ms: int) -> Run:
    return replace(run, paused=True, wave=replace(run.wave, gaps=(*run.wave.gaps, (time_ms, OPEN))))


def _resumed(run: Run, _event: Resumed, time_ms: int) -> Run:
    wave = replace(run.wave, gaps=resumed(run.wave.gaps, time_ms))
    return replace(run, paused=False, attended_ms=time_ms, wave=wave)


def _replanned(run: Run, event: Replanned, _time_ms: int) -> Run:
    plans = (*run.plans, event.plan)
    fresh = replace(run, wave=BEFORE, unfinished=NONE, asked=False, approved=0)
    return replace(fresh, plan=event.plan, plans=plans)


def _wave_begun(run: Run, event: WaveBegun, time_ms: int) -> Run:
    dropped, before = MoveSet.parse(event.dropped), run.wave
    ended = {before.number: before.ended_ms} if before.number else {}
    begun = Wave(
        number=event.wave,
        began_ms=time_ms,
        progress_ms=time_ms,
        streams=event.streams,
        ends_ms={**before.ends_ms, **ended},
        moves=MoveSet.parse(event.moves) - dropped,
        bound=dict(event.bound),
        dropped=dropped,
        base={base[0]: base for base in event.base},
    )
    return replace(run, wave=begun, asked=False)


def _let_go(run: Run, event: LetGo, time_ms: int) -> Run:
    moves, wave = MoveSet.parse(event.moves), run.wave
    wave = replace(
        wave,
        let_go=wave.let_go | moves,
        refused=wave.refused - moves,
        levers={**wave.levers, **{lever[0]: lever for lever in event.levers}},
        base={**wave.base, **{base[0]: base for base in event.base}},
        let_go_at=(*wave.let_go_at, (time_ms, event.moves)),
        # What is refused again and again makes no progress.
        progress_ms=time_ms if moves - wave.refused else wave.progress_ms,
    )
    return replace(run, wave=wave)


def _written(run: Run, event: Written, time_ms: int) -> Run:
    refused, wave = MoveSet.parse(event.refused), run.wave
    last = MoveSet.parse(wave.let_go_at[-1][1]) if wave.let_go_at else NONE
    # What was refused and nothing else makes no progress.
    went = not refused or bool(last - refused)
    wave = replace(
        wave,
        let_go=wave.let_go - refused,
        refused=wave.refused | refused,
        refused_ms=time_ms if refused else wave.refused_ms,
        progress_ms=time_ms if went else wave.progress_ms,
    )
    return replace(run, wave=wave, writes=run.writes + event.writes)


def _back(run: Run, event: Back, time_ms: int) -> Run:
    # What was back before is not back once more.
    moves = MoveSet.parse(event.moves) - run.wave.back
    strays = MoveSet.parse(event.strays) & moves
    wave = replace(
        run.wave,
        let_go=run.wave.let_go - (MoveSet.parse(event.kept) & strays),
        back=run.wave.back | moves,
        strays=run.wave.strays | strays,
        failed=run.wave.failed - moves,
        given_up=run.wave.given_up - moves,
        progress_ms=time_ms,
        back_at=(*run.wave.back_at, (time_ms, str(moves))),
    )
    return replace(
        run,
        wave=wave,
        moved=run.moved + len(moves),
        strays=run.strays + len(strays),
        lost=_lost(run, NONE, found=moves),
        as_planned=run.as_planned + _named(run, moves - strays),
    )


def _dropped(run: Run, event: Dropped, time_ms: int) -> Run:
    moves, wave = MoveSet.parse(event.moves), run.wave
    wave = replace(
        wave,
        moves=wave.moves - moves,
        dropped=wave.dropped | moves,
        failed=wave.failed - moves,
        progress_ms=time_ms,
    )
    return replace(run, wave=wave, lost=_lost(run, NONE, found=moves))


def _failed(run: Run, event: Failed, time_ms: int) -> Run:
    moves = MoveSet.parse(event.moves)
    wave = replace(run.wave, failed=run.wave.failed | moves, lost_ms=time_ms)
    return replace(run, wave=wave, lost=_lost(run, moves, found=NONE))


def _relapsed(run: Run, event: Relapsed, time_ms: int) -> Run:
    moves = MoveSet.parse(event.moves) & run.wave.back
    strays = run.wave.strays & moves
    wave = replace(
        run.wave,
        ended_ms=0,
        back=run.wave.back - moves,
        strays=run.wave.strays - strays,
        progress_ms=time_ms,
    )
    if run.wave.ended_ms:
        # Its soak is not its time. How long its moves took was told when it ended first.
        gaps = (*run.wave.gaps, (run.wave.ended_ms, time_ms))
        wave = replace(wave, gaps=gaps, let_go_at=(), back_at=())
    else:
        # Of a leg that goes on: when its others went and came is still to be told.
        wave = replace(wave, let_go_at=_without(wave.let_go_at, moves))
    return replace(
        run,
        wave=wave,
        moved=run.moved - len(moves),
        strays=run.strays - len(strays),
        as_planned=run.as_planned - _named(run, moves - strays),
    )


def _without(times: Iterable[At], moves: MoveSet) -> tuple[At, ...]:
    """Times at which something happened to moves, without some of them."""
    return tuple(
        (ms, str(left) if (left := its - moves) != its else text)
        for ms, text in times
        for its in [MoveSet.parse(text)]
    )


def _skipped(run: Run, _event: SkipAsked, time_ms: int) -> Run:
    wave = run.wave
    if not wave.streams:
        return replace(run, wave=replace(wave, skipped=True))
    # What waits to go may go still: it is all the rest of the run.
    given_up = wave.given_up | (wave.let_go - wave.back)
    return replace(run, wave=replace(wave, given_up=given_up, lost_ms=time_ms))


def _named(run: Run, moves: MoveSet) -> int:
    """How many of these moves took the pods that the first plan named."""
    return len(moves - MoveSet(run.wave.bound)) if len(run.plans) == 1 else 0


def _lost(run: Run, moves: MoveSet, *, found: MoveSet) -> Mapping[str, MoveSet]:
    """Moves that failed, with more of them and without those that were found after all."""
    return {**run.lost, run.plan: (run.lost.get(run.plan, NONE) | moves) - found}


def _retried(run: Run, _event: RetryAsked, time_ms: int) -> Run:
    # The wave waits once more. What the waves before left has to move again, which is more than was
    # planned, so that the rest is planned anew with it.
    wave = replace(run.wave, failed=NONE, given_up=NONE, skipped=False, retried_ms=time_ms)
    return replace(run, wave=wave, lost={}, unfinished=NONE)


def _wave_ended(run: Run, _event: WaveEnded, time_ms: int) -> Run:
    wave = run.wave
    # One that was waited for once more has ended before.
    others = (it for it in run.took if it[:2] != (run.plan, wave.number))
    return replace(
        run,
        wave=replace(wave, ended_ms=time_ms),
        unfinished=run.unfinished - wave.moves | (wave.moves - wave.back),
        took=(*others, (run.plan, wave.number, wave.took_ms(time_ms))),
    )


def _ended(run: Run, event: Ended, _time_ms: int) -> Run:
    return replace(run, outcome=event.outcome, held=event.held, fidelity=event.fidelity)


_AFTER: Final[dict[type, Callable[[Run, Any, int], Run]]] = {
    Started: _started,
    Leased: _leased,
    Replanned: _replanned,
    WaveBegun: _wave_begun,
    LetGo: _let_go,
    Written: _written,
    Back: _back,
    Dropped: _dropped,
    Failed: _failed,
    Relapsed: _relapsed,
    RetryAsked: _retried,
    WaveEnded: _wave_ended,
    SkipAsked: _skipped,
    ApprovalAsked: lambda run, _, __: replace(run, asked=True),
    Approved: lambda run, _, __: replace(run, asked=False, approved=run.wave.number),
    Paused: _paused,
    Resumed: _resumed,
    AbortAsked: lambda run, _, __: replace(run, abort_asked=True),
    Stopped: lambda run, event, _: replace(run, stopped=event.text, stopped_by=event.reason),
    Ended: _ended,
}
