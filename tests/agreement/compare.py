"""How far the planner and the controllers agree, in numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.agreement.keys import Comparison, comparison_of, serving_least
from tests.agreement.operations import Operation
from tests.agreement.passes import by_pass
from tests.agreement.predicted import Predicted
from tests.agreement.recording import Pod, Recording
from tests.agreement.share import NOTHING, Share
from tests.agreement.taken import Taken, most_at_once, pods_of, taken_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The pods of one partition or pass, against as many of the plan.

    `ties` of those that differ have, in the plan, a pod with equal keys in their place.
    """

    name: str
    pods: Share
    ties: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Two pods at a time: did the one go first that was planned first?

    `pairs` are those that the keys of the controller put in order. `ties` are those whose keys are
    equal, `together` those that were taken by parallel calls. `changed` are the pairs that
    disagree and of which a pod had changed between the observation and the action.
    """

    pairs: Share
    ties: int
    together: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One operation: what was planned against what was done.

    `pods`: those taken among those planned (when interrupted, among the first as many). `order`:
    of pods of one workload; `across`: of pods of two workloads that one SidecarSet takes.
    `by_pass`: a Deployment's, ranked anew before each of its passes.
    `at_once`: most down together; `limit`: the most that the planner allows.
    """

    name: str
    kind: str
    pods: Share
    parts: tuple[Part, ...]
    order: Order
    across: Order
    by_pass: Share
    ways: Share
    at_once: int
    limit: int


def compare(operation: Operation, predicted: Predicted, recording: Recording) -> Agreement:
    """Measure one prediction by the recording."""
    taken = taken_by(operation, recording)
    pods = pods_of(operation, recording)
    goes_first = comparison_of(operation, pods.values())
    pairs = _Pairs(predicted, taken, pods, goes_first)
    return Agreement(
        name=operation.name,
        kind=operation.kind,
        pods=_pods(operation, predicted, taken),
        parts=tuple(_parts(operation, predicted, taken, pods, goes_first)),
        order=pairs.order(across=False),
        across=pairs.order(across=True),
        by_pass=by_pass(operation, taken, recording) if operation.kind == "Deployment" else NOTHING,
        ways=Share(
            agree=sum(predicted.ways.get(each.uid) == each.way for each in taken), of=len(taken)
        ),
        at_once=most_at_once(operation, recording),
        limit=predicted.limit,
    )


def _pods(operation: Operation, predicted: Predicted, taken: Sequence[Taken]) -> Share:
    really = {each.uid for each in taken}
    if operation.interrupted:
        return Share(agree=len(really & {*predicted.order[: len(really)]}), of=len(really))
    return Share(agree=len(really & {*predicted.order}), of=len(really | {*predicted.order}))


def _parts(
    operation: Operation,
    predicted: Predicted,
    taken: Sequence[Taken],
    pods: Mapping[str, Pod],
    goes_first: Comparison,
) -> Iterator[Part]:
    parts = [
        (step.name, {each.uid for each in taken if step.begin <= each.t < step.end})
        for step in operation.steps
    ]
    if operation.kind == "Deployment":
        parts = [("first pass", {each.uid for each in taken if each.batch == 0})]
    begin = 0
    for name, really in parts:
        planned = {*predicted.order[begin : begin + len(really)]}
        begin += len(really)
        instead = [pods[uid] for uid in planned - really]
        ties = 0
        for uid in really - planned:
            equal = next((pod for pod in instead if goes_first(pods[uid], pod) == 0), None)
            if equal is not None:
                instead.remove(equal)
                ties += 1
        yield Part(name=name, pods=Share(agree=len(planned & really), of=len(really)), ties=ties)


class _Pairs:
    """All pairs of pods that were taken and planned."""

    def __init__(
        self,
        predicted: Predicted,
        taken: Sequence[Taken],
        pods: Mapping[str, Pod],
        goes_first: Comparison,
    ) -> None:
        self._place = {uid: number for number, uid in enumerate(predicted.order)}
        self._taken = [each for each in taken if each.uid in self._place]
        self._pods = pods
        self._goes_first = goes_first
        self._moved = {
            each.uid
            for each in taken
            if serving_least(pods[each.uid]) != serving_least(each.before)
        }

    def order(self, *, across: bool) -> Order:
        """Count the pairs within one workload, or those `across` two."""
        agree = pairs = ties = together = changed = 0
        for first, second in combinations(self._taken, 2):
            if (first.before.owner != second.before.owner) != across:
                continue
            if first.batch == second.batch:
                together += 1
            elif self._goes_first(self._pods[first.uid], self._pods[second.uid]) == 0:
                ties += 1
            else:
                as_planned = self._place[first.uid] < self._place[second.uid]
                pairs += 1
                agree += as_planned
                changed += not as_planned and not self._moved.isdisjoint((first.uid, second.uid))
        return Order(
            pairs=Share(agree=agree, of=pairs), ties=ties, together=together, changed=changed
        )
