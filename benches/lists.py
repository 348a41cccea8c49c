"""From a layout to the text of each API list, piece by piece."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from benches.controller import (
    API_VERSIONS,
    CREATED,
    OLD_TAG,
    replica_set_template,
    revision_template,
    workload_template,
    workload_values,
)
from benches.layout import Layout
from benches.pods import pods as pods_of
from benches.surroundings import (
    KRUISE_APPS,
    KRUISE_POLICY,
    budget_template,
    desired_healthy,
    namespace_template,
    node_template,
    sidecar_revision,
    sidecar_set,
    version,
)
from benches.workload import SIDECARS, Kind, uuid

_FILES = {
    "clonesets.apps.kruise.io.json": Kind.CLONE_SET,
    "deployments.json": Kind.DEPLOYMENT,
    "statefulsets.json": Kind.STATEFUL_SET,
    "statefulsets.apps.kruise.io.json": Kind.ADVANCED_STATEFUL_SET,
    "daemonsets.json": Kind.DAEMON_SET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of one layout."""

    layout: Layout
    seed: int
    ballast: bool
    pods_per_page: int

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """File names with their pieces; each is to be read before the next is asked for."""
        yield "version.json", iter((version(),))
        yield "namespaces.json", _list("v1", "Namespace", self._namespaces())
        yield "nodes.json", _list("v1", "Node", self._nodes())
        for name, kind in _FILES.items():
            plain = "StatefulSet" if kind is Kind.ADVANCED_STATEFUL_SET else str(kind)
            yield name, _list(API_VERSIONS[kind], plain, self._workloads(kind))
        yield "replicasets.json", _list("apps/v1", "ReplicaSet", self._replica_sets())
        revisions = self._revisions()
        yield "controllerrevisions.json", _list("apps/v1", "ControllerRevision", revisions)
        budgets = _list("policy/v1", "PodDisruptionBudget", self._budgets("pdb"))
        yield "poddisruptionbudgets.json", budgets
        budgets = _list(KRUISE_POLICY, "PodUnavailableBudget", self._budgets("pub"))
        yield "podunavailablebudgets.policy.kruise.io.json", budgets
        sidecar_sets = _list(KRUISE_APPS, "SidecarSet", self._sidecar_sets())
        yield "sidecarsets.apps.kruise.io.json", sidecar_sets
        yield from self._pages()

    def _pages(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Pages as the API cuts a list that is asked for with a limit."""
        pods = pods_of(self.layout, self.seed, ballast=self.ballast)
        left = sum(each.replicas for each in self.layout.workloads)
        page = 0
        while left:
            page += 1
            count = min(left, self.pods_per_page)
            left -= count
            rest = b',"continue":"page-%d","remainingItemCount":%d' % (page + 1, left)
            items = islice(pods, count)
            yield f"pods-{page:04}.json", _list("v1", "Pod", items, rest if left else b"")

    def _workloads(self, kind: Kind) -> Iterator[bytes]:
        for each in self.layout.workloads:
            if each.kind is kind:
                template = workload_template(kind, each.sidecars, ballast=self.ballast)
                yield template.fill(workload_values(each))

    def _replica_sets(self) -> Iterator[bytes]:
        for each in self.layout.workloads:
            if each.kind is Kind.DEPLOYMENT:
                template = replica_set_template(each.sidecars, ballast=self.ballast)
                yield template.fill(workload_values(each))

    def _revisions(self) -> Iterator[bytes]:
        random = Random(f"{self.seed}/revisions")
        yield from (
            sidecar_revision(name, uid=uuid(random), owner_uid=self._sidecar_uid(name))
            for name in SIDECARS
        )
        for each in self.layout.workloads:
            if each.kind is Kind.DEPLOYMENT:
                continue
            template = revision_template(each.kind, each.sidecars, ballast=self.ballast)
            values = workload_values(each)
            if each.old:
                old = {"revision": each.old_revision.encode(), "tag": OLD_TAG, "number": b"1"}
                yield template.fill(values | old | {"revision_uid": uuid(random).encode()})
            number = b"2" if each.old else b"1"
            current = {"number": number, "revision_uid": uuid(random).encode()}
            yield template.fill(values | current)

    def _budgets(self, source: str) -> Iterator[bytes]:
        random = Random(f"{self.seed}/{source}")
        for each in self.layout.workloads:
            if each.budget is None or each.budget.source != source:
                continue
            desired = desired_healthy(each.budget, each.replicas)
            allowed = max(0, each.replicas - each.down - desired)
            yield budget_template(source, each.budget.field).fill(
                workload_values(each)
                | {
                    "uid": uuid(random).encode(),
                    "value": json.dumps(each.budget.value).encode(),
                    "desired": b"%d" % desired,
                    "allowed": b"%d" % allowed,
                }
            )

    def _sidecar_uid(self, name: str) -> str:
        return uuid(Random(f"{self.seed}/{name}"))

    def _sidecar_sets(self) -> Iterator[bytes]:
        for name in SIDECARS:
            matched = sum(each.replicas for each in self.layout.workloads if name in each.sidecars)
            yield sidecar_set(name, matched=matched, uid=self._sidecar_uid(name))

    def _nodes(self) -> Iterator[bytes]:
        random = Random(f"{self.seed}/nodes")
        template = node_template(ballast=self.ballast)
        for number in range(self.layout.nodes):
            yield template.fill(
                {
                    "node": b"node-%05d" % number,
                    "zone": self.layout.zone(number).encode(),
                    "uid": uuid(random).encode(),
                    "version": b"%d" % (500_000 + number),
                    "created": CREATED,
                }
            )

    def _namespaces(self) -> Iterator[bytes]:
        random = Random(f"{self.seed}/namespaces")
        for number, (name, team) in enumerate(sorted(self.layout.namespaces)):
            yield namespace_template().fill(
                {
                    "namespace": name.encode(),
                    "team": team.encode(),
                    "uid": uuid(random).encode(),
                    "version": b"%d" % (1000 + number),
                    "created": CREATED,
                }
            )


def _list(
    api_version: str, kind: str, items: Iterable[bytes], rest: bytes = b""
) -> Iterator[bytes]:
    """A list object around its items; `rest` goes into its metadata."""
    head = f'{{"kind":"{kind}List","apiVersion":"{api_version}",'
    yield head.encode() + b'"metadata":{"resourceVersion":"90000000"%b},"items":[' % rest
    separator = b""
    for item in items:
        yield separator
        yield item
        separator = b","
    yield b"]}\n"
