"""How far the simulated controllers agree with the real ones, in numbers."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from planner.simulate.rules.deployment import sync_replica_set
from tests.agreement.compare import Agreement, compare
from tests.agreement.operations import Operation, operations_of
from tests.agreement.predicted import Predicted
from tests.agreement.recording import Recording
from tests.agreement.share import Share
from tests.agreement.taken import belongs, most_at_once, taken_by, ways_of
from tests.simulate.budgets import statuses
from tests.simulate.replay import Simulated, simulations


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the simulation does, a Deployment's victims pass by pass, statuses of budgets."""

    simulation: tuple[Agreement, ...]
    victims: dict[str, Share]
    budgets: dict[str, Share]


@cache
def measured() -> Measured:
    """Simulate and compare all upgrades, in the order in which they began; half a minute."""
    recording = Recording()
    operations = operations_of(recording)
    return Measured(
        simulation=tuple(
            compare(operation, predicted_by(operation, simulated), recording)
            for operation, simulated in simulations(recording, operations)
        ),
        victims={
            operation.name: victims(operation, recording)
            for operation in operations
            if operation.kind == "Deployment"
        },
        budgets=statuses(recording),
    )


def predicted_by(operation: Operation, simulated: Simulated) -> Predicted:
    """Read a simulation as a prediction; its limit is the most that were down together."""
    ways = ways_of(operation, simulated)
    return Predicted(
        order=tuple(ways),
        ways={uid: way for uid, (_, way) in ways.items()},
        limit=most_at_once(operation, simulated),
    )


def victims(operation: Operation, recording: Recording) -> Share:
    """Of the pods that a Deployment removed in each pass: those that the rule would remove."""
    taken = taken_by(operation, recording)
    batches = [list(batch) for _, batch in groupby(taken, key=lambda each: each.batch)]
    times = [batch[0].t for batch in batches]
    agree = 0
    for batch, now, documents in zip(batches, times, recording.documents_at(times), strict=True):
        related = [
            documents[uid] for uid, pod in recording.pods_at(now).items() if belongs(operation, pod)
        ]
        owner = batch[0].before.owner
        mine = [document for document in related if _owner(document) == owner]
        left = sum("deletionTimestamp" not in each["metadata"] for each in mine) - len(batch)
        smaller = {"metadata": {"labels": {}}, "spec": {"replicas": left}}
        removed = sync_replica_set(smaller, mine, related, now=now)
        names = {each.before.name for each in batch}
        agree += sum(getattr(each, "pod", "") in names for each in removed)
    return Share(agree=agree, of=len(taken))


def _owner(document: dict[str, Any]) -> str:
    (owner,) = document["metadata"]["ownerReferences"]
    return f"{owner['kind']}/{owner['name']}"
