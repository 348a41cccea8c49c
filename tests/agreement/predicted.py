"""What the planner says that the controllers will do, asked through its public functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import msgspec

from planner import loop
from planner.log.identity import LogIdentity
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from planner.model.request import UpgradeRequest
from planner.observe.files import find_sources
from planner.observe.source import Source
from tests.agreement.operations import Operation
from tests.agreement.recording import SHOP, Recording
from tests.agreement.taken import Way

CLUSTER = "hangzhou"
WAYS: dict[str, Way] = {"in-place": "in-place", "recreate": "recreate", "surge": "recreate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The moves of one operation in the order of the plan, and how many the workload allows.

    `order` are uids, `ways` how each is moved, `limit` the budget of the workload or SidecarSet.
    """

    order: tuple[str, ...]
    ways: dict[str, Way]
    limit: int


def predictions(
    recording: Recording, operations: tuple[Operation, ...]
) -> Iterator[tuple[Operation, Predicted]]:
    """Plan every operation for what had been observed when it began.

    The log grows on the way, so operations come in the order of `observed_until`.
    """
    log = MemoryEventLog(
        clock=ManualClock(0), identity=LogIdentity(log_id=bytes(16), salt=bytes(32))
    )
    _import(log, find_sources([SHOP / CLUSTER], BytesIO()))
    done = 0
    for operation in operations:
        until = recording.line_at(operation.observed_until)
        if until > done:
            text = b"\n".join(recording.lines[done:until])
            name = f"hangzhou-watch.jsonl, lines {done + 1} to {until}"
            _import(log, [Source(name=name, text=text, form="watch")])
            done = until
        yield operation, _predict(log, operation)


def _import(log: MemoryEventLog, sources: Iterator[Source] | list[Source]) -> None:
    loop.import_recorded(log, CLUSTER, sources, partial=False, progress=lambda _: None)


def _predict(log: MemoryEventLog, operation: Operation) -> Predicted:
    request = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": operation.name},
        "spec": {"target": operation.target},
    }
    fleet = loop.observe_fleet(log, log.head().position, None)
    plan = loop.plan_request(log, fleet, msgspec.convert(request, UpgradeRequest), strict=False)
    header = msgspec.json.decode(plan.header())
    moves = [msgspec.json.decode(line) for line in loop.jsonl(plan)]
    return Predicted(
        order=tuple(move["uid"] for move in moves),
        ways={move["uid"]: WAYS[move["kind"]] for move in moves},
        limit=_limit(header, operation),
    )


def _limit(header: dict[str, list[dict[str, object]]], operation: Operation) -> int:
    name = f"workload/{operation.namespace}/{operation.kind}/{operation.workload}"
    if operation.kind == "SidecarSet":
        name = f"sidecarset/{operation.workload}"
    limits = [budget["limit"] for budget in header["budgets"] if budget["name"] == name]
    (limit,) = limits
    return int(str(limit))
