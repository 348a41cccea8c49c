"""The runs of a log, as `planner runs` lists them."""

from typing import Literal

from planner.model.plan import ApiVersion
from planner.model.progress import Fidelity
from planner.model.shape import Shape

RunState = Literal[
    "open", "paused", "approval", "stopped", "ending", "done", "incomplete", "aborted"
]


class ListedRun(Shape, frozen=True, kw_only=True):
    """One run.

    `state`: `open` can go on, and whether somebody is at work on it is not said; `approval` waits
    for a person to approve; `stopped` stopped by itself, `why` says for what; `ending` is to be
    aborted by the next executor that has it in hand; `incomplete` is over although pods that were
    planned stay at another version. `began` is ISO 8601 in UTC. `plans` are those
    it has followed, the first to last; `wave` is the last one of the present plan that began, 0
    before the first. `moved` and `failed` are pods, over all plans; `writes` were made to the
    clusters. `held` are workloads that stayed held when it ended, and why; `fidelity` is how far it
    went as its plan said, and missing until it is over.
    """

    run: str
    state: RunState
    began: str
    plans: tuple[str, ...]
    wave: int
    moved: int
    failed: int
    writes: int
    why: str
    held: tuple[str, ...]
    fidelity: Fidelity | None


class Runs(Shape, frozen=True, kw_only=True):
    """Every run of a log, the first that began first."""

    apiVersion: ApiVersion  # noqa: N815 -- Kubernetes' own spelling, the only one in camel case
    kind: Literal["Runs"]
    runs: tuple[ListedRun, ...]
