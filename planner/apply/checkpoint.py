"""What an executor asks of the folded fleet before its next step, and what it learns.

The core answers: a fleet has up to millions of pods, and the same rules decide here as in the plan.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from planner import core
from planner.apply.course import Place
from planner.model.progress import Tightest

PodState = Literal["here", "done", "settling", "kept", "leaving", "gone"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to know; pods are named by cluster and uid.

    Attributes:
        let_go: pods that were let go.
        due: pods that are to go next, the most urgent first.
        list: workloads whose pods that have to move are to be listed.
    """

    let_go: Sequence[tuple[str, str]] = ()
    due: Sequence[tuple[str, str]] = ()
    list: Sequence[Place] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a workload is; see `planner-core`, `checkpoint`."""

    place: Place
    unordered: bool
    replicas: int
    pods: int
    movable: int
    behind: int
    old: int
    at_target: int
    unsettled: int
    examples: tuple[str, ...]
    moves: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Pods that should be there and are not."""
        return max(0, self.replicas - self.pods)

    @property
    def new(self) -> int:
        """Pods whose application does not differ: their controller counts them as new.

        Some of them may have other sidecars still, or a node to leave.
        """
        return self.at_target + self.behind - self.old


class PodStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a pod is.

    Attributes:
        old: of one that is here, whether its application differs; otherwise its sidecars do.
        held_by: the budget that has no room for it, or the dependency that it waits for.
        revision: its label `controller-revision-hash`.
        deletion_cost: its annotation `controller.kubernetes.io/pod-deletion-cost`.
    """

    state: PodState
    old: bool
    serves: bool
    held_by: str = ""
    namespace: str
    name: str
    revision: str
    node: str
    version: str
    deletion_cost: int = 0


class SidecarStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How far a SidecarSet is: `behind` are pods that its controller would change, of anybody."""

    cluster: str
    name: str
    behind: int


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question."""

    position: int
    workloads: tuple[Standing, ...]
    sidecar_sets: tuple[SidecarStanding, ...] = ()
    tightest: Tightest | None
    let_go: tuple[PodStanding, ...]
    due: tuple[PodStanding, ...]

    def by_place(self) -> dict[Place, Standing]:
        """The workloads by name."""
        return {each.place: each for each in self.workloads}


def ask(fleet: core.Fleet, request: bytes, question: Question, *, now_ms: int) -> Checkpoint:
    """Ask the core.

    Args:
        fleet: as observed.
        request: canonical JSON, its manifests redacted.
        question: what to know.
        now_ms: milliseconds UTC.
    """
    text = msgspec.json.encode(question)
    return msgspec.json.decode(
        core.checkpoint(fleet, request, text, now_ms=now_ms), type=Checkpoint
    )
