"""What the parts of an executor share: the run, the plan, and the hands that write."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

from planner import core
from planner.apply import carry, naming
from planner.apply.checkpoint import Checkpoint, PodStanding, Question, ask
from planner.apply.course import Course, Place
from planner.apply.events import AnyEvent, Written, some_of
from planner.apply.following import Following, following
from planner.apply.journal import Journal
from planner.apply.lease import Lease
from planner.apply.moveset import MoveSet
from planner.apply.outside import Outside
from planner.apply.patience import Ages, Waited
from planner.apply.policy import Policy
from planner.apply.state import Run
from planner.apply.steps import Going, Step
from planner.apply.streaming import Backs
from planner.apply.tries import Timing
from planner.apply.wave import Due, bound_moves
from planner.apply.writer import Claim, Writer
from planner.model.plan import Move
from planner.model.progress import Cordoning, Progress

T = TypeVar("T")
GLANCE_S: Final = 0.05
"""How often the lease is looked after while something takes its time."""


class Site:
    """One run as one executor has it in hand.

    Attributes:
        waited: how long it has waited in vain for the wave under way.
        ages: how long it has waited in vain for each move of a leg that streams.
        backs: when stages of such a leg were back.
        looked_back_ms: when it looked last whether what is back still serves.
    """

    def __init__(self, journal: Journal, lease: Lease, outside: Outside) -> None:
        self.outside = outside
        self.plan = following(outside, journal.run.plans)
        self.policy = Policy.of_texts(journal.run.policy)
        self.waited = Waited()
        self.ages = Ages()
        self.backs = Backs()
        self.looked_back_ms = 0
        self._journal = journal
        self._lease = lease
        self._moves: tuple[tuple[str, int], Sequence[tuple[int, Move]]] = (("", 0), ())
        self._due: tuple[object, Sequence[Due]] = ((), ())
        self._steps = 0
        self._told = 0
        self._claim = Claim(mark=f"{journal.run_id}/{lease.epoch}", check=lease.check)
        self.writers = self._writers(dry_run=False)

    def _writers(self, *, dry_run: bool) -> dict[str, Writer]:
        return {
            name: Writer(
                name,
                door,
                claim=self._claim,
                writes_per_s=self._writes_per_s(name),
                timing=Timing(self.outside.wait),
                dry_run=dry_run,
            )
            for name, door in self.outside.doors.items()
        }

    def _writes_per_s(self, cluster: str) -> int:
        """The slower of what the request and who started the run let a cluster be written to."""
        asked = self.course.writes_per_s(cluster)
        return min(asked or self.policy.writes_per_s, self.policy.writes_per_s)

    @property
    def run(self) -> Run:
        """Where the run is, as far as it was read."""
        return self._journal.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._journal.run_id

    @property
    def version(self) -> int:
        """How many events of the run were read."""
        return self._journal.version

    @property
    def course(self) -> Course:
        """The plan that is carried out now."""
        return self.plan.course

    @property
    def moves(self) -> Sequence[tuple[int, Move]]:
        """The moves of the wave under way with their numbers, read once for all of its steps."""
        at = self.course.id, self.run.wave.number
        if self._moves[0] != at:
            self._moves = at, list(self.course.moves(self.run.wave.number))
        return self._moves[1]

    @property
    def due(self) -> Sequence[Due]:
        """Those of them that somebody has to make, with their pods; the same until some change."""
        wave = self.run.wave
        at = self.course.id, wave.number, wave.bound, wave.dropped
        if self._due[0] != at:
            self._due = at, bound_moves(self.moves, wave)
        return self._due[1]

    def read(self) -> None:
        """Look after the lease, and read what was appended since.

        Raises:
            LeaseLostError: another executor has taken the run over.
        """
        self._lease.renew()
        self._journal.read()
        self._come_back()

    def append(self, event: AnyEvent) -> bool:
        """Append an event; False when somebody appended since what it was decided on.

        Raises:
            LeaseLostError: another executor has taken the run over.
        """
        self._lease.renew()
        self._lease.check()
        return not self._come_back() and self._journal.append(event)

    def _come_back(self) -> bool:
        """Say that nobody was here for a while, where the lease ran out and nobody took it."""
        was_away = self._lease.was_away()
        if was_away:
            self._journal.take(self._lease.epoch, self.run.holder, self._lease.seen_ms)
        return was_away

    def tell(self, event: Progress) -> None:
        """Say what happens."""
        self.outside.tell(event)

    def ask(self, question: Question) -> Checkpoint:
        """Ask what there is to know of the fleet now."""
        return self.ask_of(self.outside.look(), question)

    def ask_of(self, fleet: core.Fleet, question: Question) -> Checkpoint:
        """Ask what there is to know of a fleet now, and look after the lease meanwhile.

        Raises:
            LeaseLostError: another executor has taken the run over.
        """
        now_ms = self.outside.clock.now_ms()
        asks = partial(ask, fleet, self.plan.request, question, now_ms=now_ms)
        (checkpoint,) = self.beside([asks])
        return checkpoint

    def replan(self, fleet: core.Fleet, request: Mapping[str, Any]) -> core.Plan | None:
        """Plan a request for a fleet, and look after the lease meanwhile; None without a plan.

        Raises:
            LeaseLostError: another executor has taken the run over.
        """
        (plan,) = self.beside([partial(self.outside.replan, fleet, request)])
        return plan

    def follow(self, plan: core.Plan) -> None:
        """Go over to another plan."""
        self.plan = Following(Course(plan), before=self.plan)

    def trying(self) -> Mapping[str, Writer]:
        """Make writers of which no server keeps anything."""
        return self._writers(dry_run=True)

    def try_cordon(self, writers: Mapping[str, Writer]) -> None:
        """Let the servers try what goes before all steps, without keeping it.

        Raises:
            RunError: a server refuses it, or warns of it.
        """
        self._cordon(writers)

    def try_out(self, steps: Sequence[Step], writers: Mapping[str, Writer]) -> int:
        """Let the servers try steps without keeping anything; gives moves refused for now.

        Raises:
            RunError: a server refuses a write, or warns of it.
        """
        return sum(map(len, self._on_all(carry.try_out, steps, writers)))

    def cordon(self) -> None:
        """Let no new pod come to the nodes that are to be empty; they stay like that.

        Raises:
            RunError: a server refuses it, or warns of it.
        """
        if self.course.drains:
            self.tell(Cordoning(nodes=len(self.course.drains)))
        self._cordon(self.writers)

    def _cordon(self, writers: Mapping[str, Writer]) -> None:
        nodes = (
            (it.cluster, partial(Writer.cordon_node, name=it.name)) for it in self.course.drains
        )
        self._in_turn(nodes, writers)

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Do what was appended, on all clusters at once, and append what came of it.

        Raises:
            RunError: a server refuses a write, or warns of it.
        """
        each_on = self._on_all(carry.carry_out, steps, self.writers)
        self.append_writes(dict(chain.from_iterable(each.items() for each in each_on)))

    def append_writes(self, refused: Mapping[int, str]) -> None:
        """Append how many writes there were since that was appended last.

        Args:
            refused: moves that were refused for now, and why.
        """
        writes = sum(writer.writes for writer in self.writers.values())
        written = Written(
            wave=self.run.wave.number,
            writes=writes - self._told,
            refused=str(MoveSet(refused)),
            why=some_of(refused.values()),
        )
        self._told = writes
        while not self.append(written):
            self.read()

    def _on_all(
        self,
        act: Callable[[Sequence[Step], Writer, carry.Wanted, naming.Run], T],
        steps: Sequence[Step],
        writers: Mapping[str, Writer],
    ) -> list[T]:
        """Act on each cluster with its steps, and give what came of it."""
        by_cluster: dict[str, list[Step]] = {}
        for step in steps:
            by_cluster.setdefault(step.place.cluster, []).append(step)
        wanted = carry.Wanted(
            images=self.plan.images,
            manifests=self.outside.manifests,
            sidecars=self.plan.target.sidecars,
        )
        # Every executor makes each step once.
        self._steps += 1
        name = f"{self._lease.epoch}.{self._steps}"
        who = naming.Run(id=self.run_id, wave=self.run.wave.number, step=name)
        return self.beside(
            partial(act, its, writers[name], wanted, who) for name, its in by_cluster.items()
        )

    def rest(self, places: Iterable[Place]) -> None:
        """Let workloads that were let go stand still."""
        self._in_turn(((it.cluster, partial(carry.rest, it)) for it in places), self.writers)

    def release(self, places: Iterable[Place]) -> None:
        """Give workloads and SidecarSets back to their owners."""
        self._in_turn(((it.cluster, partial(carry.release, it)) for it in places), self.writers)

    def touch(self, pods: Iterable[Going], places: Iterable[Place]) -> None:
        """Touch objects, so that a write of somebody else that is on its way is refused."""
        of_pods = (
            (
                it.move.cluster,
                partial(Writer.touch_pod, namespace=it.pod.namespace, name=it.name, uid=it.uid),
            )
            for it in pods
        )
        of_places = (
            (
                it.cluster,
                partial(Writer.touch, kind=it.kind, namespace=it.namespace, name=it.name),
            )
            for it in places
        )
        self._in_turn(chain(of_pods, of_places), self.writers)

    def unname(self, pods: Iterable[tuple[str, str, PodStanding]]) -> None:
        """Take the names from pods that stay where they are; cluster and uid of each."""
        stay = (each for each in pods if each[2].state in ("here", "kept"))
        tasks = ((cluster, partial(naming.unname_pod, pod, uid)) for cluster, uid, pod in stay)
        self._in_turn(tasks, self.writers)

    def _in_turn(
        self,
        tasks: Iterable[tuple[str, Callable[[Writer], None]]],
        writers: Mapping[str, Writer],
    ) -> None:
        """Write to all clusters at once, and to each one thing after the other."""
        by_cluster: dict[str, list[Callable[[Writer], None]]] = {}
        for cluster, task in tasks:
            by_cluster.setdefault(cluster, []).append(task)

        def write(cluster: str) -> None:
            for task in by_cluster[cluster]:
                task(writers[cluster])

        self.beside(partial(write, cluster) for cluster in by_cluster)

    def beside(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """Do things beside each other, and look after the lease meanwhile."""
        tasks = list(tasks)
        with ThreadPoolExecutor(max_workers=max(1, len(self.writers))) as pool:
            futures = [pool.submit(task) for task in tasks]
            while wait(futures, timeout=GLANCE_S).not_done:
                self._lease.renew()
        return [future.result() for future in futures]
