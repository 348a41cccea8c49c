"""The Python API: what `import planner` gives.

Values are plain: reports are dictionaries of the published JSON shapes, tables are handed over as
Arrow (`pyarrow.record_batch(plan)`, `polars.DataFrame(plan)`) without a copy.
"""

import getpass
import io
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from planner import core, forecast, loop
from planner.core import Plan
from planner.errors import UsageError
from planner.fold.position import position_at
from planner.log import EventLog, LogIdentity
from planner.log.memory import MemoryEventLog
from planner.log.open import open_log
from planner.model.clock import Clock, SystemClock
from planner.model.request import UpgradeRequest
from planner.model.request import load_request as load_request_text
from planner.model.suppose import suppose
from planner.observe.beside import manifests_beside
from planner.observe.files import find_sources
from planner.plan.effort import Effort
from planner.plan.explain import Reasons
from planner.plan.explain import explain as explain_header
from planner.questions import ask, compare_plans, find_bottlenecks, lint_request

if TYPE_CHECKING:
    from planner.runs import Saying
    from planner.verify import Violation

__all__ = [
    "Log",
    "Plan",
    "bottlenecks",
    "diff",
    "eta",
    "explain",
    "lint",
    "load_request",
    "plan",
    "plan_diff",
    "simulate",
    "status",
    "verify",
    "way_back",
    "whatif",
]


class Log:
    """An event log, and what can be put into it."""

    def __init__(self, events: EventLog, again: Callable[[], EventLog] | None = None) -> None:
        """Take an event log; `again` opens it for another thread, unless threads may share it."""
        self.events = events
        self.again = again or (lambda: events)

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None, create: bool = True) -> Self:
        """Open a log in a database: `sqlite:///FILE` or `postgresql://...`.

        Raises:
            LogError: it cannot be reached, or is of another version.
        """
        clock = clock or SystemClock()
        events = open_log(url, clock=clock, create=create)
        return cls(events, lambda: open_log(url, clock=clock, create=False))

    @classmethod
    def in_memory(cls, *, clock: Clock | None = None, identity: LogIdentity | None = None) -> Self:
        """Make a log that is gone with the process."""
        identity = identity or LogIdentity.random()
        return cls(MemoryEventLog(clock=clock or SystemClock(), identity=identity))

    def import_recorded(
        self, cluster: str, *paths: str | Path, partial: bool = False
    ) -> loop.Imported:
        """Append a recorded cluster, whole or not at all; see `planner import`.

        Raises:
            InputError: something cannot be used; names the file and the byte.
        """
        sources = find_sources([Path(path) for path in paths], io.BytesIO())
        return loop.import_recorded(
            self.events, cluster, sources, partial=partial, progress=lambda _: None
        )

    def fleet(self, at: str | None = None) -> core.Fleet:
        """Fold the log up to a position or a time (ISO 8601), up to its end by default."""
        return loop.observe_fleet(self.events, position_at(self.events, at), None)

    def runs(self) -> list[dict[str, Any]]:
        """List the runs of the log, the first that began first; see `planner runs`."""
        from planner.runs import list_runs  # noqa: PLC0415 no other method needs it

        listed: list[dict[str, Any]] = _read(msgspec.json.encode(list_runs(self.events)))["runs"]
        return listed

    def say(self, what: "Saying", run: str | None = None) -> str:
        """Say `pause`, `approve` and so on to a run, as the command of that name; gives its id.

        Args:
            what: `approve`, `pause`, `resume`, `skip`, `retry` or `abort`.
            run: its id or the beginning of it; by default the one that is not over.

        Raises:
            UsageError: there is no such run, it is over, or nobody says that to a run.
        """
        from planner.runs import speak  # noqa: PLC0415 as above

        return speak(self.events, run, what, getpass.getuser()).run_id

    def close(self) -> None:
        """Let go of the database."""
        self.events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def load_request(path: str | Path) -> UpgradeRequest:
    """Read an upgrade request, with the manifests that it names beside it.

    Raises:
        RequestError: it is not a request; names the place and the nearest known key.
        UsageError: the file cannot be read.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give the file of an UpgradeRequest") from None
    return load_request_text(text, str(path), manifests_beside(path))


def status(log: Log, *, at: str | None = None) -> dict[str, Any]:
    """Tell what the fleet looks like and what is wrong with it."""
    return _read(core.status(log.fleet(at)))


def diff(log: Log, request: UpgradeRequest, *, at: str | None = None) -> dict[str, Any]:
    """Tell what would have to change, and what cannot be moved and why."""
    return _read(core.diff(log.fleet(at), loop.canonical_redacted(log.events, request)))


def plan(
    log: Log,
    request: UpgradeRequest,
    *,
    at: str | None = None,
    strict: bool = False,
    keep: bool = True,
    effort: Effort | float = "balanced",
) -> Plan:
    """Plan a request; `keep` appends request and plan to the log.

    `effort` is how hard a short plan is looked for (`fast`, `balanced` or `best`), or for how many
    seconds. More effort never gives a worse plan.

    Raises:
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    make = loop.make_plan if keep else loop.plan_request
    return make(log.events, log.fleet(at), request, strict=strict, effort=effort)


def explain(plan: Plan, what: str) -> list[Reasons]:
    """Say why a pod, a workload, a wave, a budget or the `plan` is as it is.

    Raises:
        NotInPlanError: the plan has no such thing.
    """
    return explain_header(_read(plan.header()), loop.moves_naming(plan, what), what)


def plan_diff(before: Plan, after: Plan) -> dict[str, Any]:
    """Tell what became different from one plan to another; `same` when nothing did.

    Moves are summed up by workload, with what holds them now and held them before; the shape is
    that of `planner schema plan-diff`.
    """
    return _read(msgspec.json.encode(compare_plans(before, after)))


def verify(log: Log, plan: Plan) -> "list[Violation]":
    """Check every rule of a plan against the observed fleet; empty when it holds."""
    return loop.verify_plan(log.events, plan)


def whatif(
    log: Log,
    plan: Plan,
    sets: Mapping[str, Any] | None = None,
    unsets: Iterable[str] = (),
) -> Plan:
    """Plan the request of a plan again with something otherwise; nothing is kept.

    >>> import planner
    >>> log = planner.Log.in_memory()
    >>> done = log.import_recorded("shanghai", "examples/shop/shanghai")
    >>> plan = planner.plan(log, planner.load_request("examples/shop/request.yaml"))
    >>> other = planner.whatif(log, plan, {"budgets.fleet.maxUnavailable": "4%"})
    >>> planner.plan_diff(plan, other)["request"]
    [{'path': 'budgets.fleet.maxUnavailable', 'before': '3%', 'after': '4%'}]

    Args:
        log: the log that the plan was made from; the same position of it is planned.
        plan: whose request it is.
        sets: values by their paths into the request's spec, items of lists by their names; or
            `+1` or a number of pods by the name of a budget of the clusters (`pdb/trade/cart`).
        unsets: paths of what is taken out.

    Raises:
        UsageError: a path leads nowhere, or the plan was made from another log.
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    fleet = loop.fleet_of(log.events, plan, snapshots=None)
    return ask(log.events, fleet, plan, suppose((sets or {}).items(), unsets))


def bottlenecks(log: Log, plan: Plan, *, limit: int | None = None) -> dict[str, Any]:
    """Tell what one unit more of each budget, dependency, stage or sequence would save a plan.

    Each is found by solving the plan's problem again, at most `limit` times; the shape is that of
    `planner schema bottlenecks`.

    Raises:
        UsageError: the plan was made from another log.
    """
    fleet = loop.fleet_of(log.events, plan, snapshots=None)
    return _read(msgspec.json.encode(find_bottlenecks(log.events, fleet, plan, limit=limit)))


def eta(log: Log, plan: Plan, *, samples: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Tell how sure the end of a plan is, by drawing how long its moves take.

    By default 1,000 times, and a large plan that streams less often, at least 100 times. The same
    seed gives the same. The shape is that of `planner schema eta`.

    Raises:
        UsageError: the plan was made from another log.
    """
    fold = partial(loop.fleet_of, log.events, snapshots=None)
    found = forecast.foretell(log.events, fold, plan, samples=samples, seed=seed)
    return _read(msgspec.json.encode(found))


def way_back(log: Log, plan: Plan, *, waves: Iterable[int] = ()) -> dict[str, Any]:
    """Tell how long it takes to go back after some waves of a plan, and what could not go back.

    By default after each stage, in the middle and at the end. The shape is that of
    `planner schema way-back`.

    Raises:
        UsageError: there is no such wave, or the plan has no way back that the log knows.
    """
    fleet = loop.fleet_of(log.events, plan, snapshots=None)
    return _read(msgspec.json.encode(forecast.way_back(log.events, fleet, plan, waves=waves)))


def lint(log: Log, request: UpgradeRequest, *, at: str | None = None) -> dict[str, Any]:
    """Tell what of a request does nothing in the fleet, or blocks what it may not mean to block.

    The shape is that of `planner schema lint`.

    Raises:
        InfeasibleError: workloads wait for each other.
    """
    return _read(msgspec.json.encode(lint_request(log.events, log.fleet(at), request)))


def simulate(log: Log, plan: Plan, *, seed: int = 0, faults: str = "") -> dict[str, Any]:
    """Carry a plan out on simulated clusters and tell how far it goes as planned.

    Args:
        log: the log that the plan was made from.
        plan: the plan.
        seed: the same seed gives the same run.
        faults: what goes wrong, for example `slow=0.05,fail=0.01,node-loss=1`.

    Raises:
        UsageError: the faults mean nothing, or the plan was made from another log.
    """
    from planner.simulate import read_faults  # noqa: PLC0415 no other function needs it

    simulation = loop.simulate_plan(log.events, plan, seed=seed, faults=read_faults(faults))
    return _read(msgspec.json.encode(simulation))


def _read(report: bytes) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.json.decode(report)
    return read
