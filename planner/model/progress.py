"""What an executor says while it carries a plan out, an event at a time.

`planner apply` prints each as a line of JSON where its output is piped; `event` tells which it is.
"""

from typing import Literal

from planner.model.shape import Shape

Ending = Literal["done", "incomplete", "aborted", "stopped", "interrupted"]


class Event(Shape, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened, or how things are just now."""


class Named(Event, frozen=True, kw_only=True, tag="run"):
    """Which run of which plan it is, and how many pods it has moved before."""

    run: str
    plan: str
    moved: int


class Preflight(Event, frozen=True, kw_only=True, tag="preflight"):
    """Rights are there; of so many moves, servers have tried some without keeping anything."""

    moves: int
    tried: int


class Cordoning(Event, frozen=True, kw_only=True, tag="cordoning"):
    """So many nodes that are to be empty get no new pods from now on."""

    nodes: int


class Tried(Event, frozen=True, kw_only=True, tag="tried"):
    """A dry run is over: every cluster would take every write of the plan.

    So many moves it would not take now, as a budget has no room for their pods.
    """

    plan: str
    refused_for_now: int


class Wave(Event, frozen=True, kw_only=True, tag="wave", omit_defaults=True):
    """A wave begins: which of how many, its moves and their workloads.

    `left_s` is how long the waves to come are expected to take, by how long those before took.
    When `streaming`, here and in other events, a wave is all of the plan up to the next gate, and
    its moves do not wait for each other.
    """

    wave: int
    of: int
    moves: int
    workloads: tuple[str, ...]
    left_s: int
    streaming: bool = False


class Tightest(Shape, frozen=True, kw_only=True):
    """The budget with the least room: pods that are down or let go, and pods that may be."""

    name: str
    taken: int
    limit: int


class LettingGo(Event, frozen=True, kw_only=True, tag="letting-go", omit_defaults=True):
    """So many moves of a wave are let go."""

    wave: int
    moves: int
    streaming: bool = False


class Moving(Event, frozen=True, kw_only=True, tag="moving", omit_defaults=True):
    """How far a wave is, in pods.

    Of the `moves` of the wave `moving` were let go and are not `back`; `failed` did not come back
    in time. Of the `total` of the plan `moved` are back, and the rest is expected to take `left_s`
    seconds. `tightest` is null where no budget is touched; `why` is why the wave waits, or empty.
    """

    wave: int
    of: int
    moves: int
    moving: int
    back: int
    failed: int
    moved: int
    total: int
    left_s: int
    tightest: Tightest | None
    why: str
    streaming: bool = False


class Soaking(Event, frozen=True, kw_only=True, tag="soaking"):
    """The next wave waits for so many seconds after this one."""

    after: int
    seconds: float


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """The next wave may begin at `opens` (RFC 3339): these windows are closed, or freezes are on.

    Without `calendars` the plan has not started.
    """

    wave: int
    calendars: tuple[str, ...]
    opens: str


class Paused(Event, frozen=True, kw_only=True, tag="paused"):
    """Somebody paused the run after this wave or within it, and no pod is on its way."""

    wave: int


class Approval(Event, frozen=True, kw_only=True, tag="approval"):
    """Somebody has to approve before the next wave; `asked` are the stages that ask for it."""

    wave: int
    asked: tuple[str, ...]


class Recovering(Event, frozen=True, kw_only=True, tag="recovering"):
    """A wave of an executor before is taken over; so many moves are let go and not back."""

    wave: int
    moves: int


class Replanned(Event, frozen=True, kw_only=True, tag="replanned"):
    """What is left follows another plan, and why."""

    plan: str
    why: tuple[str, ...]


class Fidelity(Shape, frozen=True, kw_only=True):
    """How far a run went as its plan said.

    `moves` are those of the plan that was begun with; `as_planned` of them moved in the wave and in
    the way that it said. Its waves should have taken `expected_s` seconds, without what lies
    between them, and took `took_s`, as far as an executor was there and nobody had paused them.
    """

    moves: int
    as_planned: int
    expected_s: float
    took_s: float


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The executor ends: how, and for `stopped` why.

    `incomplete`: every wave is over, and pods that were planned stay at another version.
    `moved`, `failed` (pods) and `writes` are of the whole run, `plans` those that it followed, and
    `held` the workloads whose levers stay where they are.
    """

    run: str
    ending: Ending
    why: str
    moved: int
    failed: int
    writes: int
    plans: tuple[str, ...]
    held: tuple[str, ...]
    fidelity: Fidelity


Progress = (
    Named
    | Preflight
    | Cordoning
    | Tried
    | Wave
    | LettingGo
    | Moving
    | Soaking
    | Closed
    | Paused
    | Approval
    | Recovering
    | Replanned
    | Ended
)


def name_of(event: Progress) -> str:
    """What the event is called."""
    return str(event.__struct_config__.tag)
