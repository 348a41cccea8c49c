"""How an observer behaves: sizes and times, all of them with defaults for real clusters."""

from collections.abc import Callable
from dataclasses import dataclass, field

from planner.observe.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of progress.

    Attributes:
        about: such as `hangzhou pods`.
        text: what there is to say.
        routine: it says that all goes well.
        sees: whether what it is about is followed from now on; None where that does not change.
        warns: people should hear it although all else goes on.
    """

    about: str
    text: str
    routine: bool = False
    sees: bool | None = None
    warns: bool = False

    def __str__(self) -> str:
        return f"{self.about}: {self.text}"


Tell = Callable[[Line], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How an observer behaves.

    Attributes:
        page_items: objects of one page of a list (client-go's default).
        inbox_bytes: the most that is held before it is in the log.
        append_bytes: received bytes that are enough for one append.
        linger_s: how long fewer bytes wait for more.
        watch_s: what a watch asks the server to last, at least; up to twice that, at random.
        silence_s: a watch that brings nothing for so long is opened again; the server sends a
            bookmark about every minute.
        look_again_s: how often a kind that is not served is looked for, and `/version` read.
        stop_s: how long connections have to end when the observer stops.
        backoff: after failures.
    """

    page_items: int = 500
    inbox_bytes: int = 64 << 20
    append_bytes: int = 8 << 20
    linger_s: float = 0.25
    watch_s: int = 300
    silence_s: float = 150.0
    look_again_s: float = 600.0
    stop_s: float = 10.0
    backoff: Backoff = field(default_factory=Backoff)
