"""observe -> log -> fold -> diff -> schedule -> plan -> log: the order, written once.

Every function takes the log and gives a value; nothing here prints, and nothing here decides what
the core decides.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from planner import core
from planner.apply import learnt
from planner.errors import InputError, UsageError
from planner.fold.project import fleet_at
from planner.fold.snapshots import Snapshots
from planner.log import EventLog, NewCommit, Stream
from planner.log.codec import NO_UPCASTS
from planner.model.plan import LogPoint
from planner.model.request import UpgradeRequest, canonical_json
from planner.model.simulation import Simulation
from planner.observe.source import Source
from planner.plan.calendars import laid_out
from planner.plan.effort import STARTS, Effort, within

if TYPE_CHECKING:
    from planner.simulate import Faults
    from planner.verify import Observed, Violation

Progress = Callable[[str], None]

AUTHOR = "planner"
REQUEST_CODEC = "request/1"
PLAN_CODEC = "plan/1"
PLAN_ID_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import appended."""

    cluster: str
    events: int
    position: int
    objects: dict[str, int]
    skipped: dict[str, int]


def import_recorded(
    log: EventLog,
    cluster: str,
    sources: Iterable[Source],
    *,
    partial: bool,
    progress: Progress,
) -> Imported:
    """Append a recorded cluster, whole or not at all.

    Raises:
        InputError: something in a source cannot be used; nothing was appended.
    """
    intake = core.Intake(salt=log.identity.salt, partial=partial)
    names: list[str] = []
    for source in sources:
        names.append(source.name)
        progress(f"reading {source.name}")
        try:
            intake.add(source.name, source.text)
        except InputError as error:
            raise source.relocated(error) from None
    batches = intake.finish()
    if not batches:
        raise InputError(
            names[0] if len(names) == 1 else f"{len(names):,} files",
            None,
            "no object of a kind that the planner uses; "
            "give lists of pods, workloads, nodes and budgets",
        )
    stream = Stream("cluster", cluster)
    progress(f"appending {sum(map(len, batches)):,} events")
    commits = [_commit(core.CODEC, batch.to_bytes(), len(batch)) for batch in batches]
    head = log.append(stream, commits, expected_version=log.version(stream))
    return Imported(
        cluster=cluster,
        events=sum(map(len, batches)),
        position=head.position,
        objects=_objects(batches),
        skipped=intake.skipped,
    )


def observe_fleet(log: EventLog, position: int, snapshots: Snapshots | None) -> core.Fleet:
    """Fold the log up to a position."""
    return fleet_at(log, until=position, snapshots=snapshots)


def make_plan(
    log: EventLog,
    fleet: core.Fleet,
    request: UpgradeRequest,
    *,
    strict: bool,
    effort: Effort | float = "balanced",
) -> core.Plan:
    """Plan a request for a fleet, and keep request and plan in the log.

    The same position, request, effort and version give the same plan, so planning twice appends
    once.

    Raises:
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    plan = plan_request(log, fleet, request, strict=strict, effort=effort)
    keep_plan(log, plan, canonical_redacted(log, request))
    return plan


def keep_plan(log: EventLog, plan: core.Plan, request: bytes) -> None:
    """Keep a plan and its request in the log; a second time does nothing."""
    stream = Stream("plan", plan.id)
    if log.version(stream) == 0:
        commits = [_commit(REQUEST_CODEC, request, 1), _commit(PLAN_CODEC, plan.to_bytes(), 1)]
        log.append(stream, commits, expected_version=0)


def plan_request(
    log: EventLog,
    fleet: core.Fleet,
    request: UpgradeRequest,
    *,
    strict: bool,
    effort: Effort | float = "balanced",
) -> core.Plan:
    """Plan a request for a fleet without keeping it.

    `effort` is how hard a short plan is looked for, or for how many seconds.

    Raises:
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    from planner.plan.graph import order_dependencies  # noqa: PLC0415 networkx takes a while

    warnings = order_dependencies(request).warnings
    text = canonical_redacted(log, request)

    def plan(starts: int) -> core.Plan:
        how = How(warnings=tuple(warnings), strict=strict, starts=starts)
        return plan_canonical(log, fleet, text, how)

    if isinstance(effort, str):
        return plan(STARTS[effort])
    return within(effort, plan, monotonic)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a request is planned.

    Attributes:
        warnings: what is said before those of the plan.
        strict: no plan when a pod that differs cannot move.
        starts: how often the search for a short plan begins.
        allowances: limits of budgets that are supposed, as `core.plan` takes them.
    """

    warnings: tuple[str, ...] = ()
    strict: bool = False
    starts: int = STARTS["balanced"]
    allowances: bytes = b"[]"


def plan_canonical(
    log: EventLog, fleet: core.Fleet, text: bytes, how: How | None = None
) -> core.Plan:
    """Plan a request that is canonical JSON, its manifests redacted, without keeping it.

    Raises:
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    how = how or How()
    return core.plan(
        fleet,
        text,
        log_digest=log.digest_at(fleet.position).hex(),
        version=version("fleet-upgrade-planner"),
        calendars=laid_out(text, fleet.now_ms),
        durations=learnt_durations(log, fleet.position),
        warnings=list(how.warnings),
        strict=how.strict,
        starts=how.starts,
        allowances=how.allowances,
    )


def learnt_durations(log: EventLog, position: int) -> bytes:
    """Give what runs up to a position taught of how long moves take, as the core takes it."""
    return learnt.durations(log, position, lambda plan: load_plan(lambda: log, plan))


def canonical_redacted(log: EventLog, request: UpgradeRequest) -> bytes:
    """Give the request as JSON, its manifests redacted as observed objects are, to compare."""
    canonical = canonical_json(request)
    if not request.spec.target.manifests:
        return canonical
    tree = msgspec.json.decode(canonical)
    tree["spec"]["target"]["manifests"] = [
        msgspec.json.decode(core.redact(msgspec.json.encode(document), log.identity.salt))
        for document in tree["spec"]["target"]["manifests"]
    ]
    return msgspec.json.encode(tree)


def load_plan(log: Callable[[], EventLog], reference: str) -> core.Plan:
    """Read a plan from a file, or by its id (or the beginning of it) from the log.

    Raises:
        UsageError: there is neither such a file nor such a plan.
    """
    path = Path(reference)
    if path.is_file():
        return core.Plan.from_bytes(path.read_bytes())
    names = [stream.name for stream in log().streams("plan") if stream.name.startswith(reference)]
    if not reference or len(names) != 1:
        known = "several plans" if names else "neither a file nor a plan in the log"
        raise UsageError(f"{reference}: {known}; give a file or the id that `planner plan` printed")
    for commit in log().read(stream=Stream("plan", names[0])):
        if commit.codec == PLAN_CODEC:
            return core.Plan.from_bytes(commit.payload)
    raise UsageError(
        f"{reference}: the log holds the request but no plan; run `planner plan` again"
    )


def verify_plan(
    log: EventLog, plan: core.Plan, *, progress: Progress = lambda _: None
) -> "list[Violation]":
    """Check a plan against the fleet as it was observed when the plan was made.

    Raises:
        UsageError: the plan was made from another log.
    """
    from planner.verify import of_table, verify  # noqa: PLC0415 no other command needs it

    header = msgspec.json.decode(plan.header())
    observed = _observed_for(log, plan, progress)
    progress(f"checking {len(plan):,} moves")
    return verify(header, of_table(plan), observed)


def simulate_plan(
    log: EventLog,
    plan: core.Plan,
    *,
    seed: int,
    faults: "Faults",
    progress: Progress = lambda _: None,
) -> Simulation:
    """Carry a plan out on simulated clusters that begin as they were when the plan was made.

    Raises:
        UsageError: the plan was made from another log.
    """
    from planner.simulate import simulate  # noqa: PLC0415 no other command needs it

    header = msgspec.json.decode(plan.header())
    observed = _observed_for(log, plan, progress)
    progress(f"carrying out {len(plan):,} moves")
    moves = (msgspec.json.decode(line) for line in jsonl(plan))
    return simulate(header, moves, observed, seed=seed, faults=faults)


def _observed_for(log: EventLog, plan: core.Plan, progress: Progress) -> "Observed":
    from planner.verify import fold_batches  # noqa: PLC0415 few commands need it

    position = position_of(log, plan)
    progress(f"folding {position:,} events")
    return fold_batches(observed_batches(log, until=position))


def fleet_of(log: EventLog, plan: core.Plan, snapshots: Snapshots | None) -> core.Fleet:
    """Fold a log into the fleet from which a plan was made.

    Raises:
        UsageError: the plan was made from another log.
    """
    return observe_fleet(log, position_of(log, plan), snapshots)


def position_of(log: EventLog, plan: core.Plan) -> int:
    """Give the position of the log from which a plan was made.

    Raises:
        UsageError: the plan was made from another log.
    """
    made_of = msgspec.json.decode(plan.header(), type=_Made).log
    if (
        made_of.position > log.head().position
        or log.digest_at(made_of.position).hex() != made_of.digest
    ):
        raise UsageError(
            f"plan {plan.id} was made from another log; give the log that it was made from (--db)"
        )
    return made_of.position


class _Made(msgspec.Struct):
    """Of a header only what it was made from: the rest of a large one takes a second to read."""

    log: LogPoint


def observed_rows(log: EventLog, *, until: int) -> Iterator[dict[str, object]]:
    """Give every observation of the log as a row, with the cluster it belongs to."""
    for commit in log.read(until=until, kind="cluster"):
        batch = core.Batch.from_bytes(NO_UPCASTS.upcast(commit).payload)
        for row in batch.slice(0, until - commit.position_first + 1).rows():
            row["cluster"] = commit.stream.name
            yield row


def observed_batches(log: EventLog, *, until: int) -> Iterator[tuple[str, core.Batch]]:
    """Give every observation of the log, batch by batch, with the cluster."""
    for commit in log.read(until=until, kind="cluster"):
        batch = core.Batch.from_bytes(NO_UPCASTS.upcast(commit).payload)
        yield commit.stream.name, batch.slice(0, until - commit.position_first + 1)


def moves_naming(plan: core.Plan, what: str) -> Iterator[dict[str, object]]:
    """Give the moves of a plan that may be of the pod `what` (`[[cluster/]namespace/]name` or uid).

    Only lines that hold the name are decoded: of a million a few.
    """
    name = msgspec.json.encode(what.rpartition("/")[2]).strip(b'"')
    return (msgspec.json.decode(line) for line in jsonl(plan) if name in line)


def jsonl(plan: core.Plan, *, lines_at_once: int = 10_000) -> Iterator[bytes]:
    """Give the moves of a plan as JSON, one after the other."""
    for begin in range(0, len(plan), lines_at_once):
        yield from plan.jsonl(begin, lines_at_once).splitlines()


def _objects(batches: Iterable[core.Batch]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for batch in batches:
        counts.update(batch.counts())
    return dict(counts)


def _commit(codec: str, payload: bytes, events: int) -> NewCommit:
    return NewCommit(codec=codec, payload=payload, events=events, author=AUTHOR)
