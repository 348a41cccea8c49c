"""A plan carried out on simulated clusters, wave by wave."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from planner.simulate.budgets import Budget, all_budgets
from planner.simulate.cluster import Cluster, Contents, Key, digest
from planner.simulate.controllers import Controllers
from planner.simulate.drains import Drained, Drains
from planner.simulate.levers import Levers, Step, hold_sidecars
from planner.simulate.nodes import end_leaving, lose_node
from planner.simulate.pace import Drawn, Faults, Span, losses
from planner.simulate.planned import Planned, claim, dependencies, planned_move, runs
from planner.simulate.rates import Rates
from planner.simulate.slots import Slots
from planner.simulate.timeline import Timeline
from planner.simulate.wanted import Move, sidecars_of, templates_of, workload_key

PATIENCE_MS: Final = 600_000
"""How long a wave waits for a pod after its last one came back: `progressDeadlineSeconds`."""

# The planner expects 15 s for a restart, 30 s for a start and the grace period, at most 30 s, for a
# termination; here they are drawn around, or below.
RESTART: Final = Span(least=9_000, most=21_000)
START: Final = Span(least=18_000, most=42_000)
TERMINATION: Final = Span(least=100, most=1_000)

_REFUSED: Final = "eviction refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRun:
    """How a wave went. Times in milliseconds from the beginning of the run."""

    wave: int
    begin_ms: int
    end_ms: int
    planned_s: float
    moves: int
    not_back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that happened."""

    planned: Sequence[Planned]
    gone: Sequence[Move]
    slots: Slots
    budgets: Sequence[Budget]
    waves: Sequence[WaveRun]
    lost: Sequence[tuple[int, str]]
    begin_ms: int
    drained: Sequence[Drained]


def run(
    header: Mapping[str, Any],
    moves: Iterable[Move],
    contents: Iterable[Contents],
    *,
    begin_ms: int,
    seed: int,
    faults: Faults,
) -> Course:
    """Carry a plan out on simulated clusters.

    Args:
        header: the plan's header.
        moves: its moves, in the order of the plan.
        contents: what each cluster begins with.
        begin_ms: when it begins, milliseconds UTC.
        seed: the same seed gives the same course.
        faults: what goes wrong.
    """
    timeline = Timeline(begin_ms)
    pace = Drawn(
        seed=seed,
        faults=faults,
        start=START,
        restart=RESTART,
        termination=TERMINATION,
        termination_of_grace=True,
    )
    clusters = {each.name: Cluster(each, timeline, pace) for each in contents}
    slots = Slots(clusters.values(), begin_ms)
    moves = tuple(moves)
    drains = Drains.of(header)
    budgets = all_budgets(header["request"], clusters, slots, moves, drains)
    driver = _Driver(header, moves, clusters, slots, timeline, drains)
    lost = driver.plan_losses(seed, faults.node_loss)
    waves = list(driver.waves())
    return Course(
        planned=driver.planned,
        gone=driver.gone,
        slots=slots,
        budgets=budgets,
        waves=waves,
        lost=lost,
        begin_ms=begin_ms,
        drained=list(drains.in_the_end(clusters)),
    )


class _Driver:
    def __init__(
        self,
        header: Mapping[str, Any],
        moves: Sequence[Move],
        clusters: Mapping[str, Cluster],
        slots: Slots,
        timeline: Timeline,
        drains: Drains,
    ) -> None:
        self._header = header
        self._drains = drains
        self._clusters = clusters
        self._slots = slots
        self._timeline = timeline
        self._begin_ms = timeline.now_ms
        self._controllers = [Controllers(each) for each in clusters.values()]
        self._levers: dict[str, Levers] = {}
        by_cluster: dict[str, list[Move]] = {name: [] for name in clusters}
        for move in moves:
            by_cluster[move["cluster"]].append(move)
        request = header["request"]
        for name, cluster in clusters.items():
            templates = templates_of(cluster, by_cluster[name], request)
            self._levers[name] = Levers(cluster, templates)
        self._after = dependencies(header)
        self._rates = Rates(header)
        self._promised: list[Planned] = []
        self._held: list[Planned] = []
        self._done: Counter[tuple[str, Key]] = Counter()
        self.planned: list[Planned] = []
        self.gone: list[Move] = []
        for move in moves:
            slot = slots.of(move["cluster"], move["uid"])
            if slot is None:
                self.gone.append(move)
                self._done[move["cluster"], workload_key(move)] += 1
            else:
                self.planned.append(planned_move(move, slot, drains))
        for cluster in clusters.values():
            end_leaving(cluster)
            drains.cordon(cluster)
            self._hold_sidecars(cluster)

    def _hold_sidecars(self, cluster: Cluster) -> None:
        for key, images in sidecars_of(cluster, self._header["request"]).items():
            sidecar_set = cluster.objects[key]
            named = digest(key.name, repr(sorted(images.items())))
            cluster.write(key.kind, hold_sidecars(sidecar_set, images, named))

    def plan_losses(self, seed: int, count: int) -> list[tuple[int, str]]:
        """Decide when which nodes are lost, within the time that the plan expects to take."""
        nodes = [f"{each.name}/{node}" for each in self._clusters.values() for node in each.nodes]
        lost = losses(seed, nodes, count, int(self._header["seconds"] * 1000))
        for wait_ms, name in lost:
            cluster, _, node = name.partition("/")
            self._timeline.after(wait_ms, partial(lose_node, self._clusters[cluster], node))
        return lost

    def waves(self) -> Iterator[WaveRun]:
        """Carry out one wave after the other."""
        begin = 0
        for told in self._header["per_wave"]:
            end = begin
            while end < len(self.planned) and self.planned[end].move["wave"] == told["wave"]:
                end += 1
            self._rest(int(told["waits_s"] * 1000))
            yield self._wave(told, self.planned[begin:end])
            begin = end

    def _rest(self, wait_ms: int) -> None:
        """Let time go by; what is due happens."""
        until = self._timeline.now_ms + wait_ms
        while self._timeline.now_ms < until:
            self._step(until)

    def _step(self, until_ms: int) -> None:
        due = self._timeline.next_ms()
        if due is None or due > until_ms:
            self._timeline.now_ms = until_ms
        else:
            self._timeline.step()
        self._settle()

    def _settle(self) -> None:
        for controllers in self._controllers:
            controllers.settle()
        # A pause is one more write, to which the controllers may answer.
        while sum(levers.brake() for levers in self._levers.values()):
            for controllers in self._controllers:
                controllers.settle()

    def _wave(self, told: Mapping[str, Any], planned: Sequence[Planned]) -> WaveRun:
        self._slots.wave = told["wave"]
        begin = progress = self._timeline.now_ms
        left = len(planned) + 1
        # What was held in earlier waves goes before what comes after it, and nobody waits for it.
        due = [*self._held, *planned]
        while True:
            for part in self._parts(due):
                self._let_go(part)
                self._settle()
            open_moves = [each for each in planned if not self._is_back(each)]
            self._note_back()
            if len(open_moves) < left:
                left, progress = len(open_moves), self._timeline.now_ms
            if not open_moves or self._timeline.now_ms >= progress + PATIENCE_MS:
                break
            self._step(self._next_moment(open_moves, progress + PATIENCE_MS))
        self._held = [each for each in due if not each.let_go]
        return WaveRun(
            wave=told["wave"],
            begin_ms=begin - self._begin_ms,
            end_ms=self._timeline.now_ms - self._begin_ms,
            planned_s=told["seconds"],
            moves=len(planned),
            not_back=left,
        )

    @staticmethod
    def _parts(due: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
        """What the workloads change first, then who only leaves its node.

        A partition says how many are new, and not which: the other way round the new pod could
        come in the stead of one that was let go, which would then stay old.
        """
        yield [each for each in due if not each.only_leaves]
        leaving = [each for each in due if each.only_leaves]
        if leaving:
            yield leaving

    def _next_moment(self, open_moves: Iterable[Planned], deadline_ms: int) -> int:
        """The next moment at which a pod has served for long enough, or another may begin."""
        now = self._timeline.now_ms
        due = [
            each.slot.up_since_ms + each.min_ready_s * 1000
            for each in open_moves
            if each.slot.up and each.min_ready_s
        ]
        moments = [moment for moment in due if moment > now]
        begins = self._rates.next_ms(now)
        return min([*moments, deadline_ms if begins is None else begins])

    def _is_back(self, planned: Planned) -> bool:
        """At the target, and serving for long enough."""
        slot = planned.slot
        if planned.back:
            return True
        if not planned.let_go or not slot.up:
            return False
        if slot.taken is None and not slot.left_before:
            return False
        if slot.up_since_ms + planned.min_ready_s * 1000 > self._timeline.now_ms:
            return False
        pod = slot.occupant
        if planned.leaves and not self._drains.have_left(slot.cluster, slot.pod, pod):
            return False
        wanted = planned.move["containers"]
        return pod is not None and runs(pod, wanted)

    def _note_back(self) -> None:
        """Note who came back, also after its wave was given up."""
        for each in self.planned:
            if each.let_go and not each.back and self._is_back(each):
                each.back = True
                each.slot.ours = False
                self._done[each.place] += 1

    def _let_go(self, due: Sequence[Planned]) -> None:
        """Let everything go that has room in all its budgets, workload by workload."""
        refused: set[tuple[str, Key]] = set()
        # Whoever may not be evicted keeps those back that a lower partition lets go before it.
        for its in sorted(self._together(due), key=lambda its: not its[0].drain):
            first = its[0]
            if first.application and first.place in refused:
                for each in its:
                    each.held_by = _REFUSED
                continue
            cluster, key = first.place
            step = Step(
                workload=key,
                wave=first.move["wave"],
                kind=first.move["kind"],
                slots=[each.slot for each in its],
                application=first.application,
                sidecars=first.sidecars,
                drain=first.drain,
            )
            went = {id(slot) for slot in self._levers[cluster].let_go(step)}
            for each in its:
                each.let_go = id(each.slot) in went
                each.held_by = "" if each.let_go else _REFUSED
            if first.drain and len(went) < len(its):
                refused.add(first.place)
            if step.kind != "surge":
                self._promised += [each for each in its if each.let_go]

    def _together(self, due: Sequence[Planned]) -> Sequence[Sequence[Planned]]:
        """Those that nothing holds, by how they are let go."""
        claimed = self._outstanding()
        steps: dict[tuple[object, ...], list[Planned]] = {}
        full: dict[tuple[str, Key], str] = {}
        for each in due:
            place = each.place
            if each.let_go:
                continue
            # What comes after it in the controller's order would go in its place.
            each.held_by = (
                full.get(place)
                or self._awaits(place)
                or self._rates.busy(place, self._timeline.now_ms)
                or claim(each, claimed)
            )
            if each.held_by:
                full[place] = each.held_by
                continue
            self._rates.take(place, self._timeline.now_ms)
            way = (each.move["kind"], each.drain, each.application, each.sidecars)
            steps.setdefault((*place, *way), []).append(each)
        return list(steps.values())

    def _outstanding(self) -> dict[int, int]:
        """Places of budgets that are promised to moves which their controllers still put off."""
        self._promised = [
            each
            for each in self._promised
            # Nobody takes a pod again that left its node before it could be evicted.
            if each.slot.taken is None and each.slot.up and not (each.drain and each.back)
        ]
        claimed: dict[int, int] = {}
        for each in self._promised:
            for budget in each.slot.budgets:
                claimed[id(budget)] = claimed.get(id(budget), 0) + 1
        return claimed

    def _awaits(self, place: tuple[str, Key]) -> str:
        """The dependency for which a workload still has to wait, or nothing."""
        for name, before, moves in self._after.get(place, ()):
            if self._done[before] < moves:
                return f"dependency {name}"
        return ""
