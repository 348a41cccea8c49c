"""How long a plan takes, as `planner eta` prints it."""

from typing import Literal

import msgspec

from planner.model.plan import ApiVersion
from planner.model.shape import Shape


class Quantiles(Shape, frozen=True, kw_only=True):
    """Seconds that half, nine of ten, and 99 of a hundred draws take at most.

    Null where that many never end, because windows and freezes leave no time.
    """

    p50_s: float | None
    p90_s: float | None
    p99_s: float | None


class DrawnWave(Shape, frozen=True, kw_only=True):
    """A wave: how long it `takes`, and its `end` from the start of the plan.

    `past_window` is the share of draws in which a window of one of its workloads closes before it
    ends; null when they have none. Of a plan that streams it takes from when the first of its moves
    begins to when the last one ends, and runs past a window when a move of it does.
    """

    wave: int
    planned_s: float
    takes: Quantiles
    end: Quantiles
    past_window: float | None


class DrawnLeg(Shape, frozen=True, kw_only=True):
    """A part of a plan that streams, up to where a run waits for all that goes on.

    It ends with its `last_wave`, because of an approval, a phase of a sequence, or as the last one.
    """

    leg: int
    last_wave: int
    takes: Quantiles
    end: Quantiles


class Drawn(Shape, frozen=True, kw_only=True):
    """What draws of a plan came to; shares are of all draws, from 0 to 1.

    `end` is from the start of the first wave to the end of the last move, `moving` all waves (all
    legs of a plan that streams) without what lies between them. `seen_moves` are moves whose
    duration runs before in the log taught; of the others it is a rule of thumb. `unfinished` is the
    share in which windows and freezes leave no time for what is left; `late` that of missed
    deadlines (the unfinished included), null without one; `past_window` that of any wave, or of any
    move of a plan that streams.
    """

    planned_s: float
    seen_moves: int
    end: Quantiles
    moving: Quantiles
    unfinished: float
    late: float | None
    past_window: float | None
    per_wave: tuple[DrawnWave, ...]
    per_leg: tuple[DrawnLeg, ...] | msgspec.UnsetType = msgspec.UNSET


class ForetoldRun(Shape, frozen=True, kw_only=True):
    """A run that is over, beside what would have been foretold when its plan was made.

    Times are of its waves, without what lies between them: a run also waits for people. Of its
    `waves` so many ended within half of the draws of each, and within nine of ten; they are legs
    where it `streams`.
    """

    run: str
    plan: str
    took_s: float
    p50_s: float
    p90_s: float
    waves: int
    waves_within_p50: int
    waves_within_p90: int
    streams: bool | msgspec.UnsetType = msgspec.UNSET


class Unforetold(Shape, frozen=True, kw_only=True):
    """A run that is over and tells nothing of how good a forecast is, and why."""

    run: str
    why: str


class Eta(Drawn, frozen=True, kw_only=True):
    """How long a plan takes by so many draws, and how well such draws foretold finished runs.

    `start` and `deadline` are those of the plan, in RFC 3339. Of `runs` the newest come first;
    `error` is the mean of how far what they took was from half of the draws, as a share of that,
    null without a run. In a plan that `streams` no move waits for a wave to be over; it is drawn
    move by move.
    """

    apiVersion: ApiVersion = "planner/v1"  # noqa: N815 -- Kubernetes' own spelling
    kind: Literal["Eta"] = "Eta"
    plan: str
    samples: int
    seed: int
    moves: int
    start: str | None
    deadline: str | None
    runs: tuple[ForetoldRun, ...]
    error: float | None
    left_out: tuple[Unforetold, ...]
    streams: bool | msgspec.UnsetType = msgspec.UNSET
