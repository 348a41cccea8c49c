"""Follows the pods event by event, and notes every rule that is broken."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tests.controlplane.auditor.drains import Drains
from tests.controlplane.auditor.limits import Cluster, Limit, Place, of_request
from tests.controlplane.auditor.owners import resolved
from tests.controlplane.auditor.pods import (
    Key,
    Object,
    fell_between,
    images_of,
    is_over,
    name_of,
    serves,
    serves_for,
)
from tests.controlplane.auditor.sidecars import Sidecars
from tests.controlplane.auditor.spots import Spots
from tests.controlplane.auditor.target import Target, dependencies_of
from tests.controlplane.auditor.theirs import Theirs


class Judge:
    """What is known of every pod, and what was wrong so far.

    `clock` gives seconds since the epoch, as the clusters count them. With `namespaces` it judges
    what becomes of pods there; all others only count.

    Attributes:
        violations: what was wrong, each once.
        disrupted: pods that did not serve for some time although they had, because of us.
        theirs: what somebody else does.
    """

    def __init__(
        self,
        request: Object,
        clusters: Mapping[str, Cluster],
        *,
        clock: Callable[[], float],
        namespaces: Sequence[str] = (),
    ) -> None:
        self.violations: list[str] = []
        self.disrupted: set[Key] = set()
        self.theirs = Theirs()
        self._clusters = clusters
        self._clock = clock
        self._namespaces = frozenset(namespaces)
        self._target = Target(request["spec"]["target"])
        self._dependencies = list(dependencies_of(request))
        self._drains = Drains(request, clusters)
        self._pods: dict[Key, Object] = {}
        self._downs: dict[Key, int] = {}
        self._limits: list[Limit] = []
        for cluster in clusters.values():
            for pod in cluster.pods:
                self._pods[cluster.name, pod["metadata"]["uid"]] = pod
            self._limits += cluster.limits(self._drains.leaving(cluster))
        self._limits += of_request(request, clusters)
        self._spots, self._sidecars = Spots(request, clusters), Sidecars(clusters)
        # Where fewer served from the beginning nobody has to mend that, only make it no worse.
        self._floors = [min(limit.least, self._serving(limit, clock())) for limit in self._limits]
        self._totals = [self._covered(limit) for limit in self._limits]
        # Pods that somebody else took: so many fewer may serve until all of a limit are back.
        self._credits = [0] * len(self._limits)
        self._behind = {
            key
            for key, pod in self._pods.items()
            if not self._is_at_target(key[0], pod)
            or self._target.is_whole(self._place(key[0], pod))
        }
        self._sizes = Counter(
            self._place(cluster, pod)
            for (cluster, _), pod in self._pods.items()
            if not is_over(pod)
        )

    def told(self, what: Object) -> None:
        """Take note of what somebody else is about to do (`Theirs.told`)."""
        act = self.theirs.told(what)
        its = [it for it in self._pods.items() if act.may_be_of(self._place(it[0][0], it[1]))]
        for number, limit in enumerate(self._limits):
            if not any(limit.covers(cluster, pod) for (cluster, _), pod in its):
                continue
            if act.for_good:
                self._limits[number] = replace(limit, least=max(0, limit.least - act.most))
                self._totals[number] -= act.most
            else:
                self._credits[number] += act.most
            self._floors[number] = min(self._floors[number], self._least(number))

    def see_all(self, cluster: str, pods: Iterable[Object]) -> None:
        """Take all pods of a cluster as they are now; those that are not among them are gone.

        What fell and came back since they were seen last is told by when it became Ready.
        """
        here = {pod["metadata"]["uid"]: pod for pod in pods}
        gone = [key for key in self._pods if key[0] == cluster and key[1] not in here]
        for uid, pod in here.items():
            before = self._pods.get((cluster, uid))
            if before is not None and fell_between(before, pod):
                self._fell_unseen(cluster, before)
            self.see(cluster, pod, gone=False)
        for key in gone:
            self.see(cluster, self._pods[key], gone=True)

    def see(self, cluster: str, pod: Object, *, gone: bool) -> None:
        """Take a pod as it is now."""
        key = (cluster, pod["metadata"]["uid"])
        before = self._pods.get(key)
        if gone:
            self._pods.pop(key, None)
            self._spots.left(key)
        else:
            self._pods[key] = pod
        if not self._is_judged(pod):
            return
        if before is not None and serves(before) and (gone or not serves(pod)):
            stays = not gone and "deletionTimestamp" not in pod["metadata"]
            if self.theirs.named(cluster, before, stays=stays):
                self._taken(cluster, before)
            else:
                self._fell(cluster, key, before)
                self._count(cluster, before)
                self._note(*self._spots.fell(key, self._pods))
        self._note(*self._sidecars.see(cluster, pod, gone=gone))
        if not gone:
            self._note(*self._drains.see(cluster, before, pod))
        if not gone and (before is None or images_of(before) != images_of(pod)):
            self._changed(cluster, pod)

    def _fell_unseen(self, cluster: str, before: Object) -> None:
        """A pod fell and serves again: how many served beside it meanwhile nobody knows."""
        if self._is_judged(before) and not self.theirs.named(cluster, before, stays=True):
            self._fell(cluster, (cluster, before["metadata"]["uid"]), before)

    def _is_judged(self, pod: Object) -> bool:
        return not self._namespaces or pod["metadata"]["namespace"] in self._namespaces

    def _fell(self, cluster: str, key: Key, before: Object) -> None:
        """A pod that served does not any more: once for a pod, and never when it is new."""
        downs = self._downs.get(key, 0) + 1
        # What changes in place has its new images a moment before its containers end.
        is_first = key in self._behind and downs == 1
        is_again = self._is_at_target(cluster, before) and not is_first
        if (is_again or downs > 1) and self.theirs.may_be(self._place(cluster, before)):
            return
        self.disrupted.add(key)
        self._downs[key] = downs
        name = name_of(cluster, before)
        if is_again:
            self._note(f"{name} was at the target and was disrupted again")
        elif downs > 1:
            self._note(f"{name} was disrupted twice")

    def _taken(self, cluster: str, before: Object) -> None:
        """Somebody else took a pod that served: what is left is what has to serve from now on."""
        now = self._clock()
        for number, limit in enumerate(self._limits):
            if serves_for(before, limit.min_ready_s, now) and limit.covers(cluster, before):
                self._credits[number] += 1
                self._floors[number] = min(self._floors[number], self._least(number))

    def _count(self, cluster: str, before: Object) -> None:
        """Count those that serve beside a pod that did until now."""
        now = self._clock()
        for number, limit in enumerate(self._limits):
            # One that had not served for long enough was down already.
            if not serves_for(before, limit.min_ready_s, now) or not limit.covers(cluster, before):
                continue
            serving = self._serving(limit, now)
            if serving + 1 >= self._totals[number] and not self.theirs.is_open():
                # Whoever was taken by somebody else is back.
                self._credits[number] = 0
            least = self._least(number)
            self._floors[number] = max(self._floors[number], min(least, serving + 1))
            if serving < self._floors[number]:
                self._note(f"{limit.name}: {serving} pods served, {least} have to")

    def _least(self, number: int) -> int:
        return max(0, self._limits[number].least - self._credits[number])

    def _covered(self, limit: Limit) -> int:
        return sum(
            limit.covers(cluster, pod)
            for (cluster, _), pod in self._pods.items()
            if not is_over(pod)
        )

    def _serving(self, limit: Limit, now: float) -> int:
        return sum(
            serves_for(pod, limit.min_ready_s, now) and limit.covers(cluster, pod)
            for (cluster, _), pod in self._pods.items()
        )

    def _changed(self, cluster: str, pod: Object) -> None:
        """A pod has new images: everything that its workload waits for has to be done."""
        place = self._place(cluster, pod)
        if not self._target.has_new_application(place, pod):
            return
        for dependency in self._dependencies:
            if not dependency.after.covers(place):
                continue
            for first, size in self._sizes.items():
                if first is None or not dependency.before.covers(first):
                    continue
                done = sum(self._is_at_target(*it) and serves(it[1]) for it in self._of(first))
                needed = resolved(dependency.share, size, math.ceil)
                if done < needed:
                    names = f"{'/'.join(place or ())} changed when {'/'.join(first)}"
                    self._note(f"{names} had {done} of {needed} pods done")

    def _of(self, place: Place) -> Iterator[tuple[str, Object]]:
        for (cluster, _), pod in self._pods.items():
            if self._place(cluster, pod) == place:
                yield cluster, pod

    def _place(self, cluster: str, pod: Object) -> Place | None:
        return self._clusters[cluster].place_of(pod)

    def _is_at_target(self, cluster: str, pod: Object) -> bool:
        is_there = self._target.is_reached_by(self._place(cluster, pod), pod)
        return is_there and not self._drains.is_to_leave(cluster, pod)

    def _note(self, *texts: str) -> None:
        self.violations += [text for text in dict.fromkeys(texts) if text not in self.violations]
