"""Runs of plans on live clusters: begun, carried out, spoken to, turned back.

    observe -> log -> fold -> checkpoint -> apply -> log

As in `planner.loop`, the order is written once, and nothing here prints.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Any, Final, Literal

import msgspec

from planner import core, loop
from planner.apply.back import back_request, read_images
from planner.apply.beginning import begin, journal_of, run_ids
from planner.apply.course import Course, Place, manifest_key
from planner.apply.events import (
    AbortAsked,
    AnyEvent,
    Approved,
    Paused,
    Resumed,
    RetryAsked,
    SkipAsked,
    Started,
)
from planner.apply.executor import execute
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.apply.levers.held import Object
from planner.apply.listed import listed
from planner.apply.lookout import Lookout
from planner.apply.outside import Outside
from planner.apply.pace import fidelity
from planner.apply.policy import Policy
from planner.apply.preflight import preflight
from planner.apply.site import Site
from planner.apply.state import Run
from planner.apply.tail import images_of
from planner.errors import InfeasibleError, RunError, UsageError
from planner.fold.project import fleet_at
from planner.fold.snapshots import Snapshots
from planner.kube.cluster import Cluster
from planner.log import EventLog
from planner.model.clock import Clock
from planner.model.progress import Ended, Ending, Progress
from planner.model.request import UpgradeRequest
from planner.model.runs import Runs
from planner.observe.follow import Outside as Observing
from planner.observe.inbox import Inbox
from planner.observe.kinds import KINDS
from planner.observe.live import observe_clusters
from planner.observe.pace import Line, Pace

# An executor acts on what it sees: what comes is appended at once.
PACE: Final = Pace(linger_s=0.05)

Tell = Callable[[Progress], None]

Saying = Literal["approve", "pause", "resume", "skip", "retry", "abort"]
"""What a person says to a run."""
_SAID: Final[Mapping[Saying, Callable[[str], AnyEvent]]] = {
    "approve": lambda by: Approved(by=by),
    "pause": lambda by: Paused(by=by),
    "resume": lambda by: Resumed(by=by),
    "skip": lambda by: SkipAsked(by=by),
    "retry": lambda by: RetryAsked(by=by),
    "abort": lambda by: AbortAsked(by=by),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What carrying out a run needs of the outside.

    Attributes:
        open_log: opens the log once more, for the thread that observes.
        connect: makes doors to every cluster of the plan. An observer that ends shuts its own.
        clock: tells the time.
        stop: set when it is time to end.
        tell: is told what happens.
        hear: is told what the observer has to say.
        snapshots: speed up folding; None for none.
        manifests: whole manifests as people wrote them, by workload.
        observes: whether the clusters are observed here; otherwise somebody else does.
    """

    open_log: Callable[[], EventLog]
    connect: Callable[[], Mapping[str, Cluster]]
    clock: Clock
    stop: Event
    tell: Tell
    hear: Callable[[Line], None]
    snapshots: Snapshots | None
    manifests: Mapping[Place, Object]
    observes: bool = True


def open_runs(log: EventLog) -> list[Journal]:
    """Runs that are not over."""
    journals = (journal_of(log, each) for each in run_ids(log))
    return [each for each in journals if not each.run.is_over]


def list_runs(log: EventLog) -> Runs:
    """Tell every run of a log in short, the first that began first."""
    journals = sorted(
        (journal_of(log, each) for each in run_ids(log)),
        key=lambda it: (it.run.began_ms, it.run_id),
    )
    runs = tuple(listed(each.run_id, each.run) for each in journals)
    return Runs(apiVersion="planner/v1", kind="Runs", runs=runs)


def find_run(log: EventLog, reference: str | None) -> Journal:
    """Find a run by the beginning of its id; without one, the run that is not over.

    Raises:
        UsageError: there is none, or several.
    """
    if reference is None:
        found = open_runs(log)
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError("no run is under way; `planner apply PLAN` begins one")
        several = ", ".join(each.run_id for each in found)
        raise UsageError(f"several runs are not over: {several}; name one")
    names = [each for each in run_ids(log) if each.startswith(reference)]
    if len(names) != 1:
        known = "several runs" if names else "no run of this log"
        raise UsageError(f"{reference}: {known}; give the id that `planner apply` printed")
    return journal_of(log, names[0])


def begin_run(log: EventLog, plan: core.Plan, policy: Policy, by: str, world: World) -> Journal:
    """Begin the run of a plan, or find the one that was begun; a plan is carried out once.

    Raises:
        UsageError: another run is not over, or a cluster of the plan has no door.
        LeaseLostError: another run was begun at the same time.
    """
    check_doors(plan, world)
    started = Started(plan=plan.id, by=by, policy=policy.as_texts())
    return begin(log, started, world.clock, world.stop.wait)


def check_doors(plan: core.Plan, world: World) -> None:
    """Check that there is a door to every cluster of a plan.

    Raises:
        UsageError: one has none, or its context does not exist.
    """
    doors = world.connect()
    for name in Course(plan).clusters:
        if name not in doors:
            raise UsageError(f"the plan is about cluster {name}; give --cluster {name}=CONTEXT")


def speak(log: EventLog, reference: str | None, what: Saying, by: str) -> Journal:
    """Say something to a run from wherever: its executor reads it before its next step.

    Raises:
        UsageError: there is no such run, it is over, or nobody says that to a run.
    """
    if what not in _SAID:
        raise UsageError(f"{what}: say one of {', '.join(_SAID)}")
    journal = find_run(log, reference)
    if journal.run.is_over:
        raise UsageError(f"run {journal.run_id} is over: {journal.run.outcome}")
    journal.tell(_SAID[what](by))
    return journal


def carry_out(log: EventLog, journal: Journal, world: World, *, waits_at_gates: bool) -> Ending:
    """Carry a run out until it is over or stops.

    Raises:
        UsageError: another run is being carried out, or a cluster of the plan has no door.
        LeaseLostError: another executor has taken the run over.
        RunError: a cluster refuses what the plan needs.
        ClusterError: a cluster is away for too long.
    """
    if journal.run.outcome:
        return journal.run.outcome
    for plan in journal.run.plans:
        check_doors(load_plan(log, plan), world)
    lease = Lease(log, journal.run_id, Holder.this(), world.clock)
    lease.take(world.stop.wait)
    try:
        journal.read()
        journal.take(lease.epoch, str(Holder.this()), lease.seen_ms)
        with _seeing(log, world) as lookout:
            site = Site(journal, lease, _outside(log, world, partial(lookout.look, lease.renew)))
            ending = execute(site, waits_at_gates=waits_at_gates)
    finally:
        lease.give_back()
    return ending


def try_out(log: EventLog, plan: core.Plan, world: World, policy: Policy) -> int:
    """Check rights, and let every server try every write of a plan without keeping it.

    Gives how many moves are refused for now, as a budget has no room for their pods.

    Raises:
        UsageError: a cluster of the plan has no door.
        RunError: a right is missing, a server refuses a write or warns of it, or it was stopped.
    """
    check_doors(plan, world)
    journal = Journal(log, "dry-run")
    journal.run = Run(plan=plan.id, plans=(plan.id,), policy=policy.as_texts())
    lease = Lease(log, journal.run_id, Holder.this(), world.clock)
    with _seeing(log, world) as lookout:
        outside = _outside(log, world, partial(lookout.look, lease.renew))
        return preflight(Site(journal, lease, outside), every=True)


def how_it_ended(log: EventLog, journal: Journal, ending: Ending) -> Ended:
    """Tell how a run that was carried out ended, and how far it went as planned."""
    run = journal.run
    return Ended(
        run=journal.run_id,
        ending=ending,
        why=run.stopped,
        moved=run.moved,
        failed=run.failed,
        writes=run.writes,
        plans=run.plans,
        held=run.held,
        fidelity=fidelity(run, Course(load_plan(log, run.plans[0]))),
    )


def plan_back(log: EventLog, journal: Journal, world: World, by: str) -> core.Plan:
    """Plan the way back from a run, from what the clusters are now, and keep the plan.

    A run that is not over is aborted first.

    Raises:
        UsageError: there is no way back that the log knows.
        RunError: the run could not be aborted.
        InfeasibleError: no plan exists.
    """
    plan = load_plan(log, journal.run.plans[0])
    check_doors(plan, world)
    if not journal.run.is_over:
        journal.tell(AbortAsked(by=by))
        ending = carry_out(log, journal, world, waits_at_gates=False)
        if not journal.run.is_over:
            why = journal.run.stopped or ending
            raise RunError(f"run {journal.run_id} is not over, so there is no way back yet: {why}")
    first = Course(plan)
    then = fleet_at(log, until=first.position, snapshots=world.snapshots)
    before = read_images(msgspec.json.decode(core.images(then)))
    request = back_request(first.request, images_of(first), before)
    with _seeing(log, world) as lookout:
        now = lookout.look(lambda: None)
    return _planned(log, now, request)


def manifests_of(
    log: EventLog, plan: core.Plan, request: UpgradeRequest | None
) -> dict[Place, Object]:
    """Find the manifests that a plan brings, whole, by workload.

    Raises:
        UsageError: the plan brings manifests and the request is missing, or is another one.
    """
    course = Course(plan)
    known = (course.request["spec"].get("target") or {}).get("manifests") or []
    if not known:
        return {}
    if request is None:
        raise UsageError(
            f"plan {plan.id} brings whole manifests, and the log keeps no secrets: "
            "give the request again with -f REQUEST"
        )
    redacted = msgspec.json.decode(loop.canonical_redacted(log, request))
    if redacted["spec"]["target"].get("manifests") != known:
        raise UsageError(
            f"the manifests of the request are not those of plan {plan.id}; plan again"
        )
    manifests = {manifest_key(each): each for each in request.spec.target.manifests}
    return {place: manifests[place[1:]] for place in course.places if place[1:] in manifests}


def _outside(log: EventLog, world: World, look: Callable[[], core.Fleet]) -> Outside:
    return Outside(
        log=log,
        doors=world.connect(),
        clock=world.clock,
        look=look,
        load=lambda plan_id: load_plan(log, plan_id),
        replan=lambda fleet, request: _replan(log, fleet, request),
        wait=world.stop.wait,
        tell=world.tell,
        manifests=world.manifests,
    )


def load_plan(log: EventLog, plan_id: str) -> core.Plan:
    """Read a plan of the log by its id."""
    return loop.load_plan(lambda: log, plan_id)


def _replan(log: EventLog, fleet: core.Fleet, request: Mapping[str, Any]) -> core.Plan | None:
    """Plan what is left of a run; None when there is no plan."""
    try:
        return _planned(log, fleet, request)
    except InfeasibleError:
        return None


def _planned(log: EventLog, fleet: core.Fleet, request: Mapping[str, Any]) -> core.Plan:
    """Plan a request that was made here, its manifests redacted, and keep the plan."""
    text = msgspec.json.encode(request, order="sorted")
    plan = loop.plan_canonical(log, fleet, text)
    loop.keep_plan(log, plan, text)
    return plan


@contextmanager
def _seeing(log: EventLog, world: World) -> Iterator[Lookout]:
    """Observe the clusters of a run while the body acts."""
    fleet = fleet_at(log, until=log.head().position, snapshots=world.snapshots)
    doors = world.connect()
    kinds = dict.fromkeys(doors, len(KINDS) if world.observes else 0)
    lookout = Lookout(log, fleet, kinds, world.clock, world.stop.wait)
    if not world.observes:
        yield lookout
        return
    stop = Event()

    def hear(line: Line) -> None:
        if line.sees is not None:
            (lookout.find if line.sees else lambda it: lookout.lose(it, line.text))(line.about)
        world.hear(line)

    observing = Observing(
        inbox=Inbox(bytes_max=PACE.inbox_bytes),
        pace=PACE,
        clock=world.clock,
        random=random.SystemRandom().random,
        stop=stop,
        tell=hear,
    )

    def observe() -> None:
        try:
            with world.open_log() as own:
                observe_clusters(own, doors, observing, afresh=True)
        except BaseException as failure:  # noqa: BLE001 the executor raises it
            lookout.failure = failure
        finally:
            lookout.ended.set()

    thread = Thread(target=observe, daemon=True)
    thread.start()
    try:
        yield lookout
    finally:
        stop.set()
        thread.join(timeout=PACE.stop_s)
