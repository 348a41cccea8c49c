"""What happens to a run, as the log keeps it: past tense, one JSON line each.

Moves are numbers in the plan that is being carried out; workloads are indices into its header.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from planner.model.progress import Fidelity

CODEC: Final = "run/1"

WHYS_MAX: Final = 5
"""How many different reasons an event tells."""

Lever = tuple[int, str, int, int]
"""Workload, step (`go`, `surge`, `swap`), and the numbers that its lever is to show; see `Step`."""
Base = tuple[int, int, int, int, int]
"""Workload, and before its wave: pods that have to move, pods that are not back, pods missing, and
pods at the target."""

Took = tuple[int, str, int]
"""Workload, kind of move, and the milliseconds that its moves took, the longest."""


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="event",
    omit_defaults=True,
):
    """Something that happened to a run."""


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """The run began: who carries out which plan on which clusters."""

    plan: str
    by: str
    policy: dict[str, str]


class Leased(Event, frozen=True, kw_only=True, tag="leased"):
    """An executor took the run over. Nobody with a smaller epoch may act any more.

    `seen_ms` (UTC) is when one of the run was last there, as far as the lease tells. One that was
    away, and finds that nobody has taken over, says its own epoch again.
    """

    epoch: int
    holder: str
    seen_ms: int = 0


class WaveBegun(Event, frozen=True, kw_only=True, tag="wave-begun"):
    """A wave began, with the pods that are there now.

    `bound` are moves whose pod is another one than the plan named, with its uid. `dropped` are
    moves that nobody has to make any more. When it `streams` it is a leg of the plan, all waves up
    to the next gate, and its moves do not go together.
    """

    wave: int
    moves: str
    streams: bool = False
    bound: tuple[tuple[int, str], ...] = ()
    dropped: str = ""
    base: tuple[Base, ...] = ()


class LetGo(Event, frozen=True, kw_only=True, tag="let-go"):
    """The intent: these moves are about to be let go by these levers.

    `base` are workloads of which others removed or moved pods since the wave began, as it would
    have been then.
    """

    wave: int
    moves: str
    levers: tuple[Lever, ...] = ()
    base: tuple[Base, ...] = ()


class Written(Event, frozen=True, kw_only=True, tag="written"):
    """The outcome: so many writes were made, and these moves were refused for now."""

    wave: int
    writes: int
    refused: str = ""
    why: str = ""


class Back(Event, frozen=True, kw_only=True, tag="back"):
    """Pods are at the target and serve. `strays` did not move as the plan said.

    `kept` are those of the strays whose pods stay as they were: nobody takes them any more.
    """

    wave: int
    moves: str
    strays: str = ""
    kept: str = ""


class Dropped(Event, frozen=True, kw_only=True, tag="dropped"):
    """Pods are gone before they were let go: nobody has to make these moves any more."""

    wave: int
    moves: str


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """Pods are not back in time."""

    wave: int
    moves: str
    why: str


class Relapsed(Event, frozen=True, kw_only=True, tag="relapsed"):
    """Pods that were back do not serve any more: their wave is waited for once more."""

    wave: int
    moves: str
    why: str


class WaveEnded(Event, frozen=True, kw_only=True, tag="wave-ended"):
    """Nobody waits for this wave any more.

    `took` is how long moves took that went as planned, where somebody saw it.
    """

    wave: int
    took: tuple[Took, ...] = ()


class ApprovalAsked(Event, frozen=True, kw_only=True, tag="approval-asked"):
    """A person has to approve before the wave after this one begins."""

    wave: int
    what: tuple[str, ...]


class Approved(Event, frozen=True, kw_only=True, tag="approved"):
    """A person approved what was asked."""

    by: str


class Paused(Event, frozen=True, kw_only=True, tag="paused"):
    """A person wants no further move to be let go."""

    by: str


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    """A person wants the run to go on."""

    by: str


class AbortAsked(Event, frozen=True, kw_only=True, tag="abort-asked"):
    """A person wants the run to end where it is."""

    by: str


class SkipAsked(Event, frozen=True, kw_only=True, tag="skip-asked"):
    """A person wants nobody to wait for what is left of the present wave.

    Where the wave streams that is what was let go and is not back.
    """

    by: str


class RetryAsked(Event, frozen=True, kw_only=True, tag="retry-asked"):
    """A person wants the moves that failed to be tried once more."""

    by: str


class Replanned(Event, frozen=True, kw_only=True, tag="replanned"):
    """The fleet moved on: the rest of the run follows another plan."""

    plan: str
    why: tuple[str, ...]


class Stopped(Event, frozen=True, kw_only=True, tag="stopped"):
    """The executor stopped by itself; the run can go on."""

    reason: Literal["gate", "failures", "drift", "refused"]
    text: str


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The run is over. `held` are workloads whose levers stay where they are, and why.

    `fidelity` is how far it went as it was planned, None when nothing was done.
    `incomplete`: nothing is left to try, and pods that were planned stay at another version.
    """

    outcome: Literal["done", "incomplete", "aborted"]
    held: tuple[str, ...] = ()
    fidelity: Fidelity | None = None


AnyEvent = (
    Started
    | Leased
    | WaveBegun
    | LetGo
    | Written
    | Back
    | Dropped
    | Failed
    | Relapsed
    | WaveEnded
    | ApprovalAsked
    | Approved
    | Paused
    | Resumed
    | AbortAsked
    | SkipAsked
    | RetryAsked
    | Replanned
    | Stopped
    | Ended
)

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AnyEvent)


def some_of(whys: Iterable[str]) -> str:
    """Some of different reasons, and how many more there are: they may name pods."""
    different = list(dict.fromkeys(whys))
    more = len(different) - WHYS_MAX
    told = "; ".join(different[:WHYS_MAX])
    return f"{told}; and {more:,} more" if more > 0 else told


def to_payload(events: Iterable[AnyEvent]) -> bytes:
    """Write events as JSON lines."""
    return _ENCODER.encode_lines(events)


def from_payload(payload: bytes) -> Sequence[AnyEvent]:
    """Read events from JSON lines.

    Raises:
        msgspec.DecodeError: a line is no event of a run.
    """
    return _DECODER.decode_lines(payload)
