"""Moves let go on simulated clusters, and time that goes by: what waves and legs have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from planner.simulate.cluster import Cluster, Key, digest
from planner.simulate.controllers import Controllers
from planner.simulate.drains import Drains
from planner.simulate.levers import Levers, Step, hold_sidecars
from planner.simulate.nodes import end_leaving, lose_node
from planner.simulate.pace import Pace
from planner.simulate.planned import Planned, dependencies, planned_move, runs
from planner.simulate.rates import Rates
from planner.simulate.slots import Slots
from planner.simulate.timeline import Timeline
from planner.simulate.wanted import Move, sidecars_of, templates_of, workload_key

PATIENCE_MS: Final = 600_000
"""How long somebody waits for a pod in vain: `progressDeadlineSeconds`."""

_REFUSED: Final = "eviction refused"


class Driver:
    """Who carries a plan out: pulls levers, and sees who is back."""

    def __init__(
        self,
        header: Mapping[str, Any],
        moves: Sequence[Move],
        clusters: Mapping[str, Cluster],
        slots: Slots,
        timeline: Timeline,
        drains: Drains,
    ) -> None:
        self.header = header
        self.slots = slots
        self.rates = Rates(header)
        self.planned: list[Planned] = []
        self.gone: list[Move] = []
        self.under_way: list[Planned] = []
        """Moves that were let go and are not back, given up or not."""
        self._drains = drains
        self._clusters = clusters
        self._timeline = timeline
        self._begin_ms = timeline.now_ms
        self._controllers = [Controllers(each) for each in clusters.values()]
        self._levers: dict[str, Levers] = {}
        by_cluster: dict[str, list[Move]] = {name: [] for name in clusters}
        for move in moves:
            by_cluster[move["cluster"]].append(move)
        for name, cluster in clusters.items():
            templates = templates_of(cluster, by_cluster[name], header["request"])
            self._levers[name] = Levers(cluster, templates)
        self._after = dependencies(header)
        self._promised: list[Planned] = []
        self._done: Counter[tuple[str, Key]] = Counter()
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
        for key, images in sidecars_of(cluster, self.header["request"]).items():
            sidecar_set = cluster.objects[key]
            named = digest(key.name, repr(sorted(images.items())))
            cluster.write(key.kind, hold_sidecars(sidecar_set, images, named))

    def plan_losses(self, pace: Pace, within_s: float) -> list[tuple[int, str]]:
        """Decide when which nodes are lost, within the time that the plan expects to take."""
        nodes = [f"{each.name}/{node}" for each in self._clusters.values() for node in each.nodes]
        lost = pace.losses(nodes, int(within_s * 1000))
        for wait_ms, name in lost:
            cluster, _, node = name.partition("/")
            self._timeline.after(wait_ms, partial(lose_node, self._clusters[cluster], node))
        return lost

    @property
    def now_ms(self) -> int:
        """Milliseconds UTC."""
        return self._timeline.now_ms

    @property
    def run_ms(self) -> int:
        """Milliseconds from the beginning of the run."""
        return self._timeline.now_ms - self._begin_ms

    def rest(self, wait_ms: int) -> None:
        """Let time go by; what is due happens."""
        until = self._timeline.now_ms + wait_ms
        while self._timeline.now_ms < until:
            self.step(until)

    def step(self, until_ms: int) -> None:
        """Go to the next moment at which something happens, or to a time that comes before it."""
        due = self._timeline.next_ms()
        if due is None or due > until_ms:
            self._timeline.now_ms = until_ms
        else:
            self._timeline.step()
        self.settle()

    def settle(self) -> None:
        """Let controllers do what they have to do at this moment."""
        for controllers in self._controllers:
            controllers.settle()
        # A pause is one more write, to which the controllers may answer.
        while sum(levers.brake() for levers in self._levers.values()):
            for controllers in self._controllers:
                controllers.settle()

    def ready_ms(self, moves: Iterable[Planned]) -> Iterable[int]:
        """The moments to come at which pods will have served for long enough."""
        due = (
            each.slot.up_since_ms + each.min_ready_s * 1000
            for each in moves
            if each.slot.up and each.min_ready_s
        )
        return (moment for moment in due if moment > self._timeline.now_ms)

    def is_back(self, planned: Planned) -> bool:
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

    def note_back(self) -> Sequence[Planned]:
        """Note who came back, also after nobody waited any more; gives them."""
        came = [each for each in self.under_way if self.is_back(each)]
        for each in came:
            each.back = True
            each.back_ms = self.run_ms
            each.slot.ours = False
            self._done[each.place] += 1
        if came:
            self.under_way = [each for each in self.under_way if not each.back]
        return came

    def let_go(self, going: Iterable[Planned], label: int = 0) -> int:
        """Let moves go, workload by workload; says how many went (an eviction can be refused).

        Args:
            going: nothing holds them.
            label: by which controllers know them; without one, the wave of the plan.
        """
        count = 0
        refused: set[tuple[str, Key]] = set()
        # Whoever may not be evicted keeps those back that a lower partition lets go before it.
        for its in sorted(_together(going), key=lambda its: not its[0].drain):
            first = its[0]
            if first.application and first.place in refused:
                for each in its:
                    each.held_by = _REFUSED
                continue
            went = self._pull(its, label or first.move["wave"])
            count += len(went)
            if first.drain and len(went) < len(its):
                refused.add(first.place)
            if first.move["kind"] != "surge":
                self._promised += went
            self.under_way += went
        return count

    def _pull(self, its: Sequence[Planned], label: int) -> Sequence[Planned]:
        """Pull the levers for moves that go in one way; gives those that went."""
        first = its[0]
        cluster, key = first.place
        step = Step(
            workload=key,
            wave=label,
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
            each.let_go_ms = self.run_ms
        return [each for each in its if each.let_go]

    def claims(self) -> dict[int, int]:
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

    def awaits(self, place: tuple[str, Key]) -> str:
        """The dependency for which a workload still has to wait, or nothing."""
        for name, before, moves in self._after.get(place, ()):
            if self._done[before] < moves:
                return f"dependency {name}"
        return ""


def _together(going: Iterable[Planned]) -> Iterable[list[Planned]]:
    """Moves by workload and by how they are let go."""
    steps: dict[tuple[object, ...], list[Planned]] = {}
    for each in going:
        way = (each.move["kind"], each.drain, each.application, each.sidecars)
        steps.setdefault((*each.place, *way), []).append(each)
    return steps.values()
