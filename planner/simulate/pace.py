"""How long things take in the simulated cluster, and what goes wrong: all by the seed.

Every number is drawn for one pod by its uid, so that what happens to one pod does not change what
happens to another.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from planner.errors import UsageError
from planner.simulate.rules.pods import Object

MS_PER_S: Final = 1000
SLOW_FACTOR: Final = 4
_KEYS: Final = ("slow", "fail", "node-loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong.

    `slow` and `fail` are shares of starts and restarts from 0 to 1: slow ones take four times as
    long, failing ones never become Ready. `node_loss` nodes are lost at times drawn by the seed.
    """

    slow: float = 0.0
    fail: float = 0.0
    node_loss: int = 0


def read_faults(text: str) -> Faults:
    """Read `slow=0.05,fail=0.01,node-loss=1`; what is left out does not happen.

    Raises:
        UsageError: another key, or a value that is none.
    """
    values: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in _KEYS or key in values:
            known = ", ".join(_KEYS)
            raise UsageError(f"--faults {part}: each of {known} once, such as slow=0.05")
        values[key] = value
    return Faults(
        slow=_share("slow", values),
        fail=_share("fail", values),
        node_loss=_count("node-loss", values),
    )


def _share(key: str, values: dict[str, str]) -> float:
    try:
        share = float(values.get(key, "0"))
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise UsageError(f"--faults {key}={values[key]}: give a share from 0 to 1, such as 0.05")
    return share


def _count(key: str, values: dict[str, str]) -> int:
    text = values.get(key, "0")
    if not text.isdecimal():
        raise UsageError(f"--faults {key}={text}: give a number of nodes, such as 1")
    return int(text)


class Pace(Protocol):
    """How long things take, in milliseconds, and which nodes are lost."""

    def start_ms(self, pod: Object) -> int | None:
        """From a new pod to a Ready one; None when it never is."""
        ...

    def restart_ms(self, pod: Object, container: str, image: str) -> int | None:
        """From a new image to a container that is ready; None when it never is."""
        ...

    def termination_ms(self, pod: Object, grace_s: int) -> int:
        """From the deletion of a pod to its end."""
        ...

    def write_ms(self) -> int:
        """From one write of a controller to its next."""
        ...

    def losses(self, nodes: Sequence[str], within_ms: int) -> list[tuple[int, str]]:
        """Which nodes are lost, and when: (milliseconds from the beginning, node), in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A shortest and a longest time, in milliseconds."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Times drawn evenly from spans.

    `termination` is for every second of the grace period when `termination_of_grace`, but for
    `grace_max_s` of them at most.
    """

    seed: int
    faults: Faults
    start: Span
    restart: Span
    termination: Span
    write: int = 0
    termination_of_grace: bool = False
    grace_max_s: int = 30

    def start_ms(self, pod: Object) -> int | None:
        """From a new pod to a Ready one; None when it never is."""
        return self._drawn_or_never("start", uid_of(pod), self.start)

    def restart_ms(self, pod: Object, container: str, image: str) -> int | None:
        """From a new image to a container that is ready; None when it never is."""
        return self._drawn_or_never(f"restart/{container}/{image}", uid_of(pod), self.restart)

    def termination_ms(self, pod: Object, grace_s: int) -> int:
        """From the deletion of a pod to its end."""
        drawn = self._drawn("termination", uid_of(pod), self.termination)
        return drawn * min(grace_s, self.grace_max_s) if self.termination_of_grace else drawn

    def write_ms(self) -> int:
        """From one write of a controller to its next."""
        return self.write

    def losses(self, nodes: Sequence[str], within_ms: int) -> list[tuple[int, str]]:
        """Which nodes are lost, and when: (milliseconds from the beginning, node), in order."""
        drawn = self._random("nodes")
        chosen = drawn.sample(sorted(nodes), min(self.faults.node_loss, len(nodes)))
        return sorted((drawn.randrange(max(1, within_ms)), node) for node in chosen)

    def _drawn_or_never(self, what: str, uid: str, span: Span) -> int | None:
        luck = self._random("luck", what, uid).random()
        if luck < self.faults.fail:
            return None
        slow = luck < self.faults.fail + self.faults.slow
        return self._drawn(what, uid, span) * (SLOW_FACTOR if slow else 1)

    def _drawn(self, what: str, uid: str, span: Span) -> int:
        # Whole tenths of a second: more would only be noise, and costs a pass of a controller each.
        return self._random(what, uid).randint(span.least // 100, span.most // 100) * 100

    def _random(self, *names: str) -> random.Random:
        return random.Random("/".join((str(self.seed), *names)))  # noqa: S311 -- a simulation


def drawn_around_expected(seed: int, faults: Faults) -> Drawn:
    """Times about what a planner expects who has seen nothing.

    That is 15 s for a restart, 30 s for a start, and for a termination the grace period, at most
    30 s; here they are drawn around, or below.
    """
    return Drawn(
        seed=seed,
        faults=faults,
        start=Span(least=18_000, most=42_000),
        restart=Span(least=9_000, most=21_000),
        termination=Span(least=100, most=1_000),
        termination_of_grace=True,
    )


def uid_of(pod: Object) -> str:
    """What its times are drawn by."""
    uid: str = pod["metadata"]["uid"]
    return uid
