"""How far the planner and the controllers agree, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.agreement.keys import Comparison, comparison_of, serving_least
from tests.agreement.operations import Operation
from tests.agreement.predicted import Predicted
from tests.agreement.recording import Recording
from tests.agreement.taken import Taken, most_at_once, pods_of, taken_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    agree: int
    of: int

    @property
    def percent(self) -> float:
        """100 where there was nothing to disagree about."""
        return 100 * self.agree / self.of if self.of else 100.0

    def __str__(self) -> str:
        # Rounded down, so that only agreement in everything reads 100.
        return f"{int(self.percent * 10) / 10:g} % ({self.agree:,} of {self.of:,})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Two pods at a time: did the one go first that was planned first?

    `determined` are the pairs that the keys of the controller put in order. `ties` are those whose
    keys are equal, `together` those that were taken by parallel calls. `changed` are the pairs
    that disagree and of which a pod had changed between the observation and the action.
    """

    determined: Share
    ties: int
    together: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One operation: what was planned against what was done.

    `pods`: those taken among those planned (of a part of them, the first as many). `parts`: the
    same for each part of the pods, in turn. `at_once`: most down together, `limit`: as planned.
    """

    name: str
    kind: str
    pods: Share
    parts: tuple[tuple[str, Share], ...]
    order: Order
    ways: Share
    at_once: int
    limit: int


def compare(operation: Operation, predicted: Predicted, recording: Recording) -> Agreement:
    """Measure one prediction by the recording."""
    taken = taken_by(operation, recording)
    return Agreement(
        name=operation.name,
        kind=operation.kind,
        pods=_pods(operation, predicted, taken),
        parts=tuple(_parts(operation, predicted, taken)),
        order=_order(operation, predicted, taken, recording),
        ways=Share(
            agree=sum(predicted.ways.get(each.uid) == each.way for each in taken), of=len(taken)
        ),
        at_once=most_at_once(operation, recording),
        limit=predicted.limit,
    )


def _pods(operation: Operation, predicted: Predicted, taken: Sequence[Taken]) -> Share:
    planned = set(predicted.order[: len(taken)] if operation.interrupted else predicted.order)
    really = {each.uid for each in taken}
    return Share(agree=len(planned & really), of=len(planned | really))


def _parts(
    operation: Operation, predicted: Predicted, taken: Sequence[Taken]
) -> list[tuple[str, Share]]:
    parts = [
        (step.name, [each.uid for each in taken if step.begin <= each.t < step.end])
        for step in operation.steps
    ]
    if operation.kind == "Deployment":
        parts = [("first pass", [each.uid for each in taken if each.batch == 0])]
    shares, begin = [], 0
    for name, uids in parts:
        planned = predicted.order[begin : begin + len(uids)]
        begin += len(uids)
        shares.append((name, Share(agree=len({*planned} & {*uids}), of=len(uids))))
    return shares


def _order(
    operation: Operation, predicted: Predicted, taken: Sequence[Taken], recording: Recording
) -> Order:
    pods = pods_of(operation, recording)
    goes_first: Comparison = comparison_of(operation, pods.values())
    place = {uid: number for number, uid in enumerate(predicted.order)}
    moved = {
        each.uid for each in taken if serving_least(pods[each.uid]) != serving_least(each.before)
    }
    known = [each for each in taken if each.uid in place]
    agree = determined = ties = together = changed = 0
    for first, second in combinations(known, 2):
        if first.batch == second.batch:
            together += 1
        elif goes_first(pods[first.uid], pods[second.uid]) == 0:
            ties += 1
        else:
            determined += 1
            as_planned = place[first.uid] < place[second.uid]
            agree += as_planned
            changed += not as_planned and not moved.isdisjoint((first.uid, second.uid))
    return Order(
        determined=Share(agree=agree, of=determined), ties=ties, together=together, changed=changed
    )
