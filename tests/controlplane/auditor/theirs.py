"""What somebody else does while a run is watched: told before it is done, and nothing beyond it."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.controlplane.auditor.limits import Place
from tests.controlplane.auditor.pods import Object
from tests.controlplane.auditor.target import Reference


@dataclass(slots=True)
class Act:
    """Somebody takes pods out of service: those of these uids, of a node, or some of a workload.

    Attributes:
        node: that is lost: its pods stay where they are.
        left: of a workload, how many pods may still fall by it whichever they are.
        most: how many those were at first.
        for_good: nobody comes in their place.
    """

    cluster: str
    uids: frozenset[str]
    node: str | None
    workload: Reference | None
    left: int
    most: int
    for_good: bool

    def names(self, cluster: str, pod: Object, *, stays: bool) -> bool:
        """Whether this very pod is one of those that somebody takes."""
        its = pod["metadata"]["uid"] in self.uids
        is_on = self.node is not None and pod["spec"].get("nodeName") == self.node
        return cluster == self.cluster and (its or (is_on and stays))

    def may_be_of(self, place: Place | None) -> bool:
        """Whether it may be any pod of this workload."""
        return place is not None and place.cluster == self.cluster and self._covers(place)

    def _covers(self, place: Place) -> bool:
        return self.workload is not None and self.workload.covers(place)


class Theirs:
    """Everything that somebody was going to do so far.

    Attributes:
        taken: pods that fell by it.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._acts: list[Act] = []

    def told(self, what: Object) -> Act:
        """Take note of what somebody is about to do."""
        most = int(what.get("most", 0))
        act = Act(
            cluster=what["cluster"],
            uids=frozenset(what.get("uids") or ()),
            node=what.get("node"),
            workload=Reference(what["workload"]) if "workload" in what else None,
            left=most,
            most=most,
            for_good=bool(what.get("forGood")),
        )
        self._acts.append(act)
        return act

    def named(self, cluster: str, pod: Object, *, stays: bool) -> bool:
        """Whether a pod that fell is one that somebody has taken.

        Args:
            cluster: where it is.
            pod: as it was.
            stays: nobody has deleted it.
        """
        is_theirs = any(act.names(cluster, pod, stays=stays) for act in self._acts)
        self.taken += is_theirs
        return is_theirs

    def may_be(self, place: Place | None) -> bool:
        """Whether a fall that nobody else explains is one of theirs; it is then used up."""
        act = next(self._open(place), None)
        if act is None:
            return False
        act.left -= 1
        self.taken += 1
        return True

    def is_open(self) -> bool:
        """Whether pods of some workload have still to fall, and to come back."""
        return any(act.left and not act.for_good for act in self._acts)

    def _open(self, place: Place | None) -> Iterator[Act]:
        return (act for act in self._acts if act.left and act.may_be_of(place))
