"""What proves the bounds of a plan, as its header writes it."""

from planner.model.shape import Shape


class Room(Shape, frozen=True, kw_only=True):
    """A budget (at one of its places), how many moves take from it and how many a wave may."""

    name: str
    cluster: str | None
    place: str | None
    moves: int
    room: int


class ChainLink(Shape, frozen=True, kw_only=True):
    """A workload, and the waves that it needs before the next in the chain may begin.

    The next waits for `moves` of it; `stages` are the moves of each of its stages. `budget` forces
    so many waves; null when its stages and its order do. In a bound in seconds no wave of it is
    shorter than `shortest_s`, one is as long as `longest_s`, its stages soak `soaks_s`, and at its
    rate its moves have begun after `begun_s`.
    """

    workload: str
    moves: int
    waves: int
    stages: tuple[int, ...]
    budget: Room | None
    shortest_s: float | None = None
    longest_s: float | None = None
    soaks_s: float | None = None
    begun_s: float | None = None


class PhasePart(Shape, frozen=True, kw_only=True):
    """A phase of a sequence, and a budget that lets only so many of its moves go in a wave."""

    sequence: str
    place: str | None
    name: str
    budget: Room


class Edge(Shape, frozen=True, kw_only=True):
    """The first or last waves of a plan, and the most moves of a budget that can go in them."""

    waves: int
    moves: int


class Between(Shape, frozen=True, kw_only=True):
    """How many moves of a budget can go neither in the first waves of a plan nor in the last.

    `down` is the room that pods that are down take in the waves between, but for the last of them.
    """

    head_waves: int
    moves: int
    down: int
    tail_waves: int


class Times(Shape, frozen=True, kw_only=True):
    """What goes by before the moves of a budget, in their waves, and after them, in seconds."""

    head_s: float
    moves_s: float
    tail_s: float


class Begun(Shape, frozen=True, kw_only=True):
    """The moves that go by a rate, the units of it that they need if more, and their time."""

    name: str
    moves: int
    begun_s: float
    units: int | None = None


class Certificate(Shape, frozen=True, kw_only=True):
    """Why no plan can be shorter: a sentence, the workloads in it, and the argument in numbers.

    The argument is a `chain` of workloads or the room of a `budget`: in waves with what can go at
    most in the first and last of them (`head`, `tail`) or has to go `between`, in seconds with
    `times`; or `phases` one after the other. With `shortest_s` it is about waves, each at least so
    long. With a `rate` all that is beside the time in which its
    moves begin. Without any of it there is nothing to check.
    """

    kind: str
    text: str
    through: tuple[str, ...] = ()
    chain: tuple[ChainLink, ...] = ()
    budget: Room | None = None
    phases: tuple[PhasePart, ...] = ()
    head: Edge | None = None
    tail: Edge | None = None
    between: Between | None = None
    times: Times | None = None
    shortest_s: float | None = None
    rate: Begun | None = None


class Proof(Shape, frozen=True, kw_only=True):
    """The certificates of the two bounds."""

    waves: Certificate
    seconds: Certificate


class Streaming(Shape, frozen=True, kw_only=True):
    """How long the plan takes when no move waits for a wave to be over, its bound, and its proof.

    A link of its proof is worth the most of three: its soaks and `waves` times `shortest_s`, its
    soaks and `longest_s`, and `begun_s` (until all but one have begun) and `shortest_s`. `moves_s`
    of `times` is the seconds of the moves over the room, or the shortest of them once for each
    room full of moves. With a `rate` and `shortest_s` the last move begins no earlier. `spans` has
    of each wave when the first of its moves begins and the last ends.
    """

    seconds: float
    seconds_bound: float
    proof: Certificate
    spans: tuple[tuple[float, float], ...] = ()
