"""Questions about what is to come of a plan: how long it takes, and how long the way back.

As in `planner.questions`, nothing follows from them, and nothing here prints.
"""

from collections.abc import Callable, Iterable, Iterator
from statistics import fmean
from typing import Any, Final

import msgspec

from planner import core, loop
from planner.apply import learnt
from planner.apply.back import back_request, read_images
from planner.apply.course import Course
from planner.apply.journal import Journal
from planner.apply.lease import STREAM as LEASE
from planner.apply.state import Run
from planner.apply.tail import images_of
from planner.errors import InfeasibleError, UsageError
from planner.log import EventLog
from planner.model.eta import Drawn, Eta, ForetoldRun, Quantiles, Unforetold
from planner.model.plan import Deadline, PlanHeader
from planner.model.way_back import FullBudget, WayBack, WayBackFrom
from planner.plan.calendars import laid_out

RUNS_MAX: Final = 5
"""How many runs that are over are foretold anew, the last ones: each folds its fleet."""
SAMPLES: Final = 1_000
SAMPLES_MIN: Final = 100
"""Of a large plan that streams."""
MOVES_DRAWN: Final = 10_000_000
"""Moves of all draws of a plan that streams, unless those would be fewer than `SAMPLES_MIN`."""
FULL_MAX: Final = 12
"""How many full budgets of a way back are told."""

Fold = Callable[[core.Plan], core.Fleet]
Tell = Callable[[str], None]


def foretell(
    log: EventLog,
    fold: Fold,
    plan: core.Plan,
    *,
    samples: int | None = None,
    seed: int = 0,
    tell: Tell = lambda _: None,
) -> Eta:
    """Draw how long a plan takes, and how long finished runs would have been foretold to take.

    Everything is foretold from what the log held when the plan was made.

    Args:
        log: the log that the plan was made from.
        fold: gives the fleet from which a plan was made.
        plan: of this log.
        samples: how many draws of each plan; `None`: `SAMPLES`, and fewer of a large plan that
            streams, each of whose moves is drawn.
        seed: of the draws; the same seed gives the same.
        tell: told what is done now.

    Raises:
        UsageError: the plan was made from another log.
    """
    header = msgspec.json.decode(plan.header(), type=_Dated)
    draws = samples or samples_of(plan)
    drawn = _drawn(log, fold, plan, draws, seed, tell)
    runs, left_out = _past(log, fold, samples, seed, tell)
    errors = [abs(it.took_s / it.p50_s - 1) for it in runs if it.p50_s]
    return Eta(
        **msgspec.structs.asdict(drawn),
        plan=plan.id,
        samples=draws,
        seed=seed,
        moves=len(plan),
        start=header.start,
        deadline=header.deadline.time if header.deadline else None,
        runs=runs,
        error=fmean(errors) if errors else None,
        left_out=left_out,
        streams=header.streaming is not None or msgspec.UNSET,
    )


def samples_of(plan: core.Plan) -> int:
    """Give how often a plan is drawn by itself: so often that nobody waits for long."""
    if msgspec.json.decode(plan.header(), type=_Dated).streaming is None:
        return SAMPLES
    return max(SAMPLES_MIN, min(SAMPLES, MOVES_DRAWN // max(1, len(plan))))


def _drawn(
    log: EventLog, fold: Fold, plan: core.Plan, samples: int, seed: int, tell: Tell
) -> Drawn:
    tell("folding the log")
    fleet = fold(plan)
    tell(f"drawing {samples:,} times")
    return _draw(log, fleet, plan, samples, seed)


def _draw(log: EventLog, fleet: core.Fleet, plan: core.Plan, samples: int, seed: int) -> Drawn:
    made = msgspec.json.decode(plan.header(), type=_Made)
    drawn = core.eta(
        fleet,
        plan,
        spreads=learnt.spreads(log, fleet.position, lambda it: loop.load_plan(lambda: log, it)),
        durations=loop.learnt_durations(log, fleet.position),
        calendars=laid_out(bytes(made.request), fleet.now_ms),
        samples=samples,
        seed=seed,
    )
    return msgspec.json.decode(drawn, type=Drawn)


def _past(
    log: EventLog, fold: Fold, samples: int | None, seed: int, tell: Tell
) -> tuple[tuple[ForetoldRun, ...], tuple[Unforetold, ...]]:
    """Foretell runs that are over, the newest first, and say which cannot be."""
    journals = [Journal(log, stream.name) for stream in log.streams("run") if stream != LEASE]
    for journal in journals:
        journal.read()
    over = [it for it in journals if it.run.is_over]
    foretold: list[ForetoldRun] = []
    left_out: list[Unforetold] = []
    for journal in sorted(over, key=lambda it: it.run.began_ms, reverse=True):
        name, run = journal.run_id, journal.run
        if why := _unforetold(run, len(foretold)):
            left_out.append(Unforetold(run=name, why=why))
            continue
        tell(f"foretelling run {name}")
        plan = loop.load_plan(lambda: log, run.plan)
        drawn = _drawn(log, fold, plan, samples or samples_of(plan), seed, tell)
        foretold.append(_foretold(name, run, drawn))
    return tuple(foretold), tuple(left_out)


def _unforetold(run: Run, foretold: int) -> str:
    """Why a run that is over is not compared with a forecast; empty when it is."""
    if run.outcome == "aborted":
        return "it was aborted"
    if len(run.plans) > 1:
        return "it went over to another plan"
    return "there are enough later ones" if foretold == RUNS_MAX else ""


def _foretold(name: str, run: Run, drawn: Drawn) -> ForetoldRun:
    """Compare its waves, or its legs where it streams: so a run counts them, too."""
    took = {wave: ms / 1000 for _, wave, ms in run.took}
    parts = [(it.leg, it.takes) for it in drawn.per_leg or ()]
    parts = parts or [(it.wave, it.takes) for it in drawn.per_wave]
    quantiles = [(took.get(number, 0.0), takes) for number, takes in parts]

    def within(quantile: Callable[[Quantiles], float | None]) -> int:
        return sum(1 for took_s, takes in quantiles if took_s <= (quantile(takes) or 0))

    return ForetoldRun(
        run=name,
        plan=run.plan,
        took_s=sum(took.values()),
        p50_s=drawn.moving.p50_s or 0.0,
        p90_s=drawn.moving.p90_s or 0.0,
        waves=len(quantiles),
        waves_within_p50=within(lambda it: it.p50_s),
        waves_within_p90=within(lambda it: it.p90_s),
        streams=bool(drawn.per_leg) or msgspec.UNSET,
    )


def way_back(
    log: EventLog,
    fleet: core.Fleet,
    plan: core.Plan,
    *,
    waves: Iterable[int] = (),
    tell: Tell = lambda _: None,
) -> WayBack:
    """Plan the way back from a plan that is given up after some of its waves.

    The moves until then are supposed to be made and their pods to serve; back they go as
    `planner rollback` would plan it: the same budgets, dependencies turned round, without stages,
    windows and freezes.

    Args:
        log: the log that the plan was made from.
        fleet: at the plan's position in it.
        plan: of this log.
        waves: after which; by default the end of each stage, the middle and the end.
        tell: told what is done now.

    Raises:
        UsageError: the plan has no such wave, or brings whole manifests.
    """
    tell("reading the moves")
    course = Course(plan)
    last = len(course.waves)
    points = {wave: list[str]() for wave in waves} or _points(course)
    if beyond := [wave for wave in points if not 0 <= wave <= last]:
        raise UsageError(f"plan {plan.id} has no wave {beyond[0]}; give one from 0 to {last}")
    before = read_images(msgspec.json.decode(core.images(fleet)))
    request = back_request(course.request, images_of(course), before)
    text = msgspec.json.encode(request, order="sorted")
    found = []
    for wave, at in sorted(points.items()):
        tell(f"planning the way back after wave {wave:,}")
        moved = sum(it.moves for it in course.waves[:wave])
        point = WayBackFrom(wave=wave, at=tuple(at), moved=moved)
        found.append(_back_from(log, fleet.after(plan, waves=wave), text, point))
    return WayBack(plan=plan.id, waves=last, after=tuple(found))


def _points(course: Course) -> dict[int, list[str]]:
    """The waves after which people look: what ends there, by wave."""
    last = len(course.waves)
    points: dict[int, list[str]] = {}
    for name, wave in course.stage_ends().items():
        points.setdefault(wave, []).append(f"stage {name}")
    if last > 1:
        points.setdefault(last // 2, []).append("the middle")
    points.setdefault(last, []).append("the end")
    return points


def _back_from(
    log: EventLog, supposed: core.Fleet, request: bytes, point: WayBackFrom
) -> WayBackFrom:
    try:
        back = loop.plan_canonical(log, supposed, request)
    except InfeasibleError as error:
        reason, conflict, remedy = error.reason, error.conflict, error.remedy
        return msgspec.structs.replace(point, reason=reason, conflict=conflict, remedy=remedy)
    header = msgspec.json.decode(back.header(), type=PlanHeader)
    times = header.streaming or header
    return msgspec.structs.replace(
        point,
        moves=header.totals.moves,
        kinds=header.totals.kinds,
        waves=header.waves,
        waves_bound=header.waves_bound,
        seconds=times.seconds,
        seconds_bound=times.seconds_bound,
        takes=_draw(log, supposed, back, samples_of(back), 0).end if header.waves else None,
        full=tuple(_full(header)),
        stays=header.unmovable,
    )


def _full(header: PlanHeader) -> Iterator[FullBudget]:
    """Budgets without room, those that are full longest first."""
    full = [
        FullBudget(name=it.name, cluster=it.cluster, limit=it.limit, waves=it.headroom.count(0))
        for it in header.budgets
        if it.workloads and 0 in it.headroom
    ]
    yield from sorted(full, key=lambda it: (-it.waves, it.name, it.cluster or ""))[:FULL_MAX]


class _Dated(msgspec.Struct):
    """Of a header only what lies in time."""

    start: str | None = None
    deadline: Deadline | None = None
    streaming: dict[str, Any] | None = None


class _Made(msgspec.Struct):
    """Of a header only what its plan was made of."""

    request: msgspec.Raw
