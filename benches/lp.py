"""What linear programs prove of plans beside their own bounds, and how far the fewest waves are.

    python -m benches.lp --pods 1k --seeds 3 --keep FILE
    python -m benches.lp --crossed 60 --keep FILE

The first asks of the fleets of `benches.yardsticks`, the second of small upgrades of each shape of
`benches.crossed`: of those that the plan's own bound does not prove, CP-SAT finds the fewest waves.
What was measured is kept in FILE, a line of JSON each, and is not measured again.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from benches.beside import PROVERS, Told, ask, missing
from benches.crossed import PODS, Shape, crossed_request
from benches.request import Regime
from benches.yardsticks import number, observe, solved
from planner import core

EXACT = "cpsat"
_FLEETS = 5
"""Of which small upgrades are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One problem: a regime or a shape, of a fleet of so many pods, by a seed."""

    kind: str
    pods: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan, and what peers say of its problem; none are asked what the plan proves itself."""

    place: Place
    plan: Told
    peers: dict[str, Told]


_observe = lru_cache(maxsize=_FLEETS)(observe)


def compare(
    places: Sequence[Place], peers: Sequence[str], kept: Sequence[Compared], seconds: float
) -> Iterator[Compared]:
    """Plan each problem, and ask the peers of those that are not kept yet."""
    known = {each.place for each in kept}
    for place in places:
        if place in known:
            continue
        small = place.kind in list(Shape)
        observed = _observe(place.pods, place.seed % _FLEETS + 1 if small else place.seed)
        fleet = observed.generated
        request = (
            crossed_request(fleet, Shape(place.kind), place.seed)
            if small
            else fleet.request(Regime(place.kind))
        )
        plan, posed = solved(observed, request)
        is_asked = not small or plan.waves != plan.bound
        told = {each: ask(each, posed.problem, seconds) for each in peers if is_asked}
        wrong = [each for each, of in told.items() if of.bound > (plan.waves or 0)]
        assert not wrong, f"{place}: {wrong} refutes the plan"
        yield Compared(place=place, plan=plan, peers=told)


def table(compared: Sequence[Compared], peers: Sequence[str]) -> Iterator[str]:
    """A line for each problem that peers were asked of, then one for each kind."""
    yield f"| kind | pods | seed | waves | planner | {' | '.join(peers)} |"
    yield f"| --- | ---: | ---: | ---: | ---: |{' ---: |' * len(peers)}"
    for each in compared:
        if each.peers:
            place, plan = each.place, each.plan
            cells = (_cell(each.peers[peer], peer) for peer in peers)
            first = f"{place.kind} | {place.pods:,} | {place.seed} | {plan.waves} | {plan.bound}"
            yield f"| {first} | {' | '.join(cells)} |"
    yield ""
    for kind in dict.fromkeys(each.place.kind for each in compared):
        yield from _summary(kind, [each for each in compared if each.place.kind == kind], peers)


def _cell(told: Told, peer: str) -> str:
    if told.waves is None:
        return told.why
    proved = told.bound or (f"<= {told.waves}" if peer == EXACT else "-")
    return f"{proved} ({told.seconds:.1f} s)"


def _summary(kind: str, compared: Sequence[Compared], peers: Sequence[str]) -> Iterator[str]:
    own = sum(each.plan.waves == each.plan.bound for each in compared)
    yield f"- {kind}: {own} of {len(compared)} plans proved by their own bound"
    asked = [each for each in compared if each.peers and each.plan.waves != each.plan.bound]
    for peer in peers:
        told = [(each.peers[peer].bound, each.plan) for each in asked]
        more = [bound - plan.bound for bound, plan in told if bound > plan.bound]
        proved = sum(bound == plan.waves for bound, plan in told)
        yield (
            f"  - {peer}: more of {len(more)} of the other {len(asked)}, together "
            f"{sum(more)} waves; {proved} plans proved"
        )
    found = [
        (each.plan.waves or 0) - (best.waves or 0)
        for each in asked
        if (best := each.peers.get(EXACT)) is not None and best.bound == best.waves
    ]
    if found:
        longer = [waves for waves in found if waves]
        yield (
            f"  - {len(found)} fewest waves known; {len(longer)} plans are longer, together "
            f"by {sum(longer)} waves"
        )


def _places(options: argparse.Namespace) -> Iterator[Place]:
    if options.crossed:
        for seed in range(1, options.crossed + 1):
            for shape in Shape:
                yield Place(kind=shape, pods=PODS, seed=seed)
        return
    for pods in options.pods.split(","):
        for seed in range(1, options.seeds + 1):
            for regime in options.regimes.split(","):
                yield Place(kind=Regime(regime), pods=number(pods), seed=seed)


def read(path: Path) -> list[Compared]:
    """What was measured before."""
    if not path.exists():
        return []
    return [_compared(json.loads(line)) for line in path.read_text().splitlines()]


def _compared(tree: dict[str, dict[str, dict[str, object]]]) -> Compared:
    return Compared(
        place=Place(**tree["place"]),  # type: ignore[arg-type]
        plan=Told(**tree["plan"]),  # type: ignore[arg-type]
        peers={peer: Told(**told) for peer, told in tree["peers"].items()},  # type: ignore[arg-type]
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.lp", description=__doc__)
    parser.add_argument("--pods", default="1k", help="sizes, such as 1k,10k")
    parser.add_argument("--seeds", type=int, default=3, help="fleets of each size")
    parser.add_argument("--regimes", default=",".join(Regime))
    parser.add_argument("--crossed", type=int, default=0, help="upgrades of each shape instead")
    every = ",".join((*PROVERS, EXACT))
    parser.add_argument("--peers", default=every, help=f"of {every}")
    parser.add_argument("--seconds", type=float, default=60.0, help="that a peer may take")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="results, kept and gone on from")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    assert core.BUILD_PROFILE == "release", "a debug build says nothing about time"
    peers = options.peers.split(",")
    unknown = [each for each in peers if each not in (*PROVERS, EXACT)]
    why = f"{unknown[0]}: no such peer" if unknown else missing()
    if why is not None:
        sys.stderr.write(why + "\n")
        return 2
    places = list(_places(options))
    compared = read(options.keep) if options.keep else []
    for each in compare(places, peers, tuple(compared), options.seconds):
        compared.append(each)
        if options.keep:
            with options.keep.open("a") as file:
                file.write(json.dumps(asdict(each)) + "\n")
    for line in table([each for each in compared if each.place in places], peers):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
