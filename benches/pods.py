"""The pods of a layout, in the order in which the API lists them; the hot loop of a fleet."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import TypeAlias

from benches.controller import OLD_TAG, workload_values
from benches.layout import ZONES, Layout
from benches.pod import POD_HOLES, State, pod_template
from benches.workload import Kind, Workload

Filler: TypeAlias = Callable[[tuple[bytes, ...]], bytes]
# Pods are created over the four weeks before this time, in steps of some ten minutes.
_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_TIMES = 4096
_STEP_S = 601
# Odd, hence a bijection of the times; large, so that neighbours are of different age.
_TIMES_STRIDE = 40_503
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NAMES = len(_LETTERS) ** 5
_CRASHING_OF_THREE = 2


def pods(layout: Layout, seed: int, *, ballast: bool) -> Iterator[bytes]:
    """Every pod of the fleet; bytes depend on the arguments only."""
    random = Random(f"{seed}/pods")
    times = _times()
    zones = [zone.encode() for zone in ZONES]
    position = 0
    for workload in layout.workloads:
        nodes = layout.nodes_of(workload)
        fillers = _fillers(random, workload, ballast=ballast)
        digits = random.randbytes(16 * workload.replicas).hex()
        suffixes = _suffixes(random, workload)
        for fill, suffix, node, at in zip(
            fillers, suffixes, nodes, range(0, len(digits), 32), strict=True
        ):
            position += 1
            uid = (
                f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-4{digits[at + 13 : at + 16]}"
                f"-a{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
            )
            created, ready = times[position * _TIMES_STRIDE % _TIMES]
            yield fill(
                (
                    suffix,
                    uid.encode(),
                    b"%d" % (1_000_000 + 7 * position),
                    b"node-%05d" % node,
                    zones[node % len(zones)],
                    b"10.%d.%d.%d" % (position >> 16, position >> 8 & 255, position & 255),
                    created,
                    ready,
                )
            )


def _fillers(random: Random, workload: Workload, *, ballast: bool) -> list[Filler]:
    """How to write each pod of a workload: by its revision and state."""
    values = {
        hole: value for hole, value in workload_values(workload).items() if hole not in POD_HOLES
    }

    def filler(state: State, **changed: bytes) -> Filler:
        template = pod_template(workload.kind, workload.sidecars, state, ballast=ballast)
        return template.bind(values | changed).filler(POD_HOLES)

    fillers = [filler(State.READY)] * workload.replicas
    special = random.sample(range(workload.replicas), workload.old + workload.down)
    if workload.old:
        old = filler(State.READY, revision=workload.old_revision.encode(), tag=OLD_TAG)
        for number in special[: workload.old]:
            fillers[number] = old
    if workload.down:
        crashing, pulling = filler(State.CRASHING), filler(State.PULLING)
        for number in special[workload.old :]:
            fillers[number] = crashing if number % 3 < _CRASHING_OF_THREE else pulling
    return fillers


def _suffixes(random: Random, workload: Workload) -> list[bytes]:
    """What follows the last `-` of each pod's name, sorted: an ordinal or five letters."""
    if workload.kind in (Kind.STATEFUL_SET, Kind.ADVANCED_STATEFUL_SET):
        return sorted(b"%d" % ordinal for ordinal in range(workload.replicas))
    base, twos, threes = len(_LETTERS), _words(2), _words(3)
    # An arithmetic progression modulo 27**5 repeats no name, for the step is no multiple of 3.
    start = random.randrange(_NAMES)
    step = random.randrange(_NAMES // 3) * 3 + 1
    numbers = ((start + step * number) % _NAMES for number in range(workload.replicas))
    return sorted(threes[number // base**2] + twos[number % base**2] for number in numbers)


@cache
def _words(letters: int) -> tuple[bytes, ...]:
    return tuple("".join(word).encode() for word in product(_LETTERS, repeat=letters))


@cache
def _times() -> tuple[tuple[bytes, bytes], ...]:
    """When a pod was created and, 4 to 20 seconds later, ready."""
    created = [_NOW - timedelta(seconds=_STEP_S * number) for number in range(1, _TIMES + 1)]
    return tuple(
        (_time(time), _time(time + timedelta(seconds=4 + number % 17)))
        for number, time in enumerate(created)
    )


def _time(time: datetime) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
