"""How good plans of fleets are, beside what else would make them, on the same problems.

    python -m benches.yardsticks --pods 1k,10k --seeds 10 --keep FILE

Every schedule, the plan's own too, is checked here against the problem, which is posed from the
checker's reading of fleet and request. What was measured is kept in FILE, a line of JSON each, and
is not measured again.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter

from benches import stages
from benches.beside import SCRIPTS, SOLVERS, Told, ask, missing
from benches.fleet import Fleet
from benches.measure import canonical
from benches.peers.problem import length, violations
from benches.posing import Posed, pose
from benches.request import Regime
from planner import core
from planner.plan.effort import STARTS, Effort
from planner.verify import fleet as verified
from planner.verify import fold_batches, of_table

PLANNER = "planner"
EFFORTS: tuple[Effort, ...] = ("fast", "best")
"""Of the planner, besides its usual one."""
_COLUMNS = ("pods", "regime", "by", "fleets", "waves", "over bound", "at most", "proved", "fewer")
_UNITS = {"k": 1_000, "m": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One problem."""

    pods: int
    regime: Regime
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one peer, or the planner, made of one problem."""

    place: Place
    peer: str
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A fleet as the planner and as the checker read it."""

    generated: Fleet
    folded: core.Fleet
    read: verified.Fleet


def observe(pods: int, seed: int) -> Observed:
    """Generate a fleet and read it twice."""
    generated = Fleet(pods=pods, seed=seed, ballast=False)
    intake = core.Intake(salt=stages.SALT)
    for name, pieces in generated.lists():
        intake.add(name, b"".join(pieces))
    events: list[stages.Observed] = []
    position = 1
    for batch in intake.finish():
        events.append((stages.CLUSTER, position, batch))
        position += len(batch)
    return Observed(
        generated=generated,
        folded=stages.fold(events),
        read=verified.read_fleet(fold_batches((cluster, batch) for cluster, _, batch in events)),
    )


def planned(observed: Observed, regime: Regime, effort: Effort = "balanced") -> tuple[Told, Posed]:
    """Plan the upgrade of a whole fleet, as `solved` does."""
    return solved(observed, observed.generated.request(regime), effort)


def solved(
    observed: Observed, request: dict[str, object], effort: Effort = "balanced"
) -> tuple[Told, Posed]:
    """Plan a request; what came of it, and the problem that it solved.

    Raises:
        AssertionError: the plan does not hold, or leaves pods.
    """
    began = perf_counter()
    plan = stages.plan(observed.folded, canonical(request), STARTS[effort])
    took = perf_counter() - began
    header = json.loads(plan.header())
    assert not header["unmovable"], "every pod of a generated fleet can move"
    posed = pose(header, of_table(plan), observed.read)
    wrong = next(violations(posed.problem, posed.schedule), None)
    assert wrong is None, wrong
    assert length(posed.schedule) == header["waves"], "the header counts other waves"
    return Told(waves=header["waves"], bound=header["waves_bound"], seconds=took), posed


def measure(
    places: Iterable[Place], peers: Sequence[str], kept: Iterable[Result], seconds: float
) -> Iterator[Result]:
    """Measure what is not kept yet; places of one fleet follow each other."""
    known = {(result.place, result.peer) for result in kept}
    observed: Observed | None = None
    for place in places:
        wanted = [peer for peer in (PLANNER, *peers) if (place, peer) not in known]
        if not wanted:
            continue
        if observed is None or (observed.generated.pods, observed.generated.seed) != (
            place.pods,
            place.seed,
        ):
            observed = None  # Two fleets of a million need not be held at once.
            observed = observe(place.pods, place.seed)
        answer = _answers(observed, place.regime, seconds)
        for peer in wanted:
            yield Result(place=place, peer=peer, told=answer(peer))


def _answers(observed: Observed, regime: Regime, seconds: float) -> Callable[[str], Told]:
    """What each peer, or the planner, makes of one problem."""
    told, posed = planned(observed, regime)

    def answer(peer: str) -> Told:
        effort = next((each for each in EFFORTS if each == peer), None)
        if effort is not None:
            return planned(observed, regime, effort)[0]
        return told if peer == PLANNER else ask(peer, posed.problem, seconds)

    return answer


def table(results: Sequence[Result]) -> Iterator[str]:
    """A line for each size, regime and peer; then why answers are missing, and who was better."""
    yield f"| {' | '.join(_COLUMNS)} | seconds |"
    yield f"| ---: | --- | ---{' | ---:' * (len(_COLUMNS) - 2)} |"
    plans = {each.place: each.told for each in results if each.peer == PLANNER}
    rows: dict[tuple[int, Regime, str], list[Result]] = {}
    for each in results:
        rows.setdefault((each.place.pods, each.place.regime, each.peer), []).append(each)
    for pods, regime, peer in sorted(rows, key=_place_in_table):
        row = rows[pods, regime, peer]
        yield f"| {pods:,} | {regime} | {peer} | {' | '.join(_cells(row, plans))} |"
    yield ""
    yield from _remarks(results, plans)


def _place_in_table(key: tuple[int, Regime, str]) -> tuple[int, int, int]:
    pods, regime, peer = key
    return pods, list(Regime).index(regime), (PLANNER, *EFFORTS, *SCRIPTS, *SOLVERS).index(peer)


def _cells(row: Sequence[Result], plans: dict[Place, Told]) -> Iterator[str]:
    answers = [(each.told, plans[each.place]) for each in row if each.told.waves]
    yield f"{len(answers)} of {len(row)}" if len(answers) < len(row) else f"{len(row)}"
    if not answers:
        yield from ("-",) * 6
        return
    waves = [told.waves or 0 for told, _ in answers]
    over = [told / plan.bound for told, (_, plan) in zip(waves, answers, strict=True)]
    proved = sum(told.bound == told.waves for told, _ in answers)
    fewer = sum(told < (plan.waves or 0) for told, (_, plan) in zip(waves, answers, strict=True))
    yield f"{fmean(waves):.1f}"
    yield f"{fmean(over):.4f}"
    yield f"{max(over):.4f}"
    yield f"{100 * proved / len(row):.0f} %"
    yield f"{fewer}"
    yield f"{fmean(told.seconds for told, _ in answers):.2f}"


def _remarks(results: Sequence[Result], plans: dict[Place, Told]) -> Iterator[str]:
    for each in results:
        place, told, plan = each.place, each.told, plans[each.place]
        where = f"{place.pods:,} pods, {place.regime}, seed {place.seed}: {each.peer}"
        if told.waves is None:
            yield f"- {where}: {told.why}"
        elif plan.waves is not None and told.waves < plan.waves:
            yield f"- {where} needs {told.waves}, the plan {plan.waves} waves (bound {plan.bound})"


def read(path: Path) -> list[Result]:
    """What was measured before."""
    if not path.exists():
        return []
    return [_result(json.loads(line)) for line in path.read_text().splitlines()]


def _result(tree: dict[str, dict[str, object]]) -> Result:
    place = {**tree["place"], "regime": Regime(str(tree["place"]["regime"]))}
    return Result(place=Place(**place), peer=str(tree["peer"]), told=Told(**tree["told"]))  # type: ignore[arg-type]


def number(text: str) -> int:
    """So many pods, as in `1k` or `250`."""
    unit = _UNITS.get(text[-1:].lower(), 1)
    return int(text if unit == 1 else text[:-1]) * unit


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.yardsticks", description=__doc__)
    every = ",".join((*SCRIPTS, *SOLVERS))
    efforts = " and ".join(EFFORTS)
    parser.add_argument("--pods", default="1k,10k", help="sizes, such as 1k,10k,100k,1m")
    parser.add_argument("--seeds", type=int, default=10, help="fleets of each size")
    parser.add_argument("--regimes", default=",".join(Regime))
    parser.add_argument("--peers", default=every, help=f"of {every}, {efforts}; empty for none")
    parser.add_argument("--seconds", type=float, default=60.0, help="that a solver may take")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="results, kept and gone on from")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    assert core.BUILD_PROFILE == "release", "a debug build says nothing about time"
    peers = [each for each in options.peers.split(",") if each]
    known = (*EFFORTS, *SCRIPTS, *SOLVERS)
    unknown = [each for each in peers if each not in known]
    if unknown:
        sys.stderr.write(f"{unknown[0]}: no such peer; there are {', '.join(known)}\n")
        return 2
    if any(each in SOLVERS for each in peers) and (why := missing()) is not None:
        sys.stderr.write(f"Left out {', '.join(SOLVERS)}: {why}\n")
        peers = [each for each in peers if each not in SOLVERS]
    places = [
        Place(pods=number(pods), regime=Regime(regime), seed=seed)
        for pods in options.pods.split(",")
        for seed in range(1, options.seeds + 1)
        for regime in options.regimes.split(",")
    ]
    results = read(options.keep) if options.keep else []
    for result in measure(places, peers, tuple(results), options.seconds):
        results.append(result)
        line = json.dumps(asdict(result))
        sys.stderr.write(line + "\n")
        if options.keep:
            with options.keep.open("a") as file:
                file.write(line + "\n")
    for line in table(results):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
