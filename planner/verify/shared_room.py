"""Room on nodes that several workloads share: where a new pod of one may go, so may another's.

The scheduler puts a pod wherever it may be (kubernetes pkg/scheduler/framework/plugins), so nobody
knows on which of the nodes of a workload the new pods of others come to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.columns import Coded
from planner.verify.selector import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from fractions import Fraction

    from planner.verify.columns import Bools, Ints
    from planner.verify.nodes import Amounts
    from planner.verify.plan import Case
    from planner.verify.room import Guest, Rooms
    from planner.verify.selector import PodsOfKin
    from planner.verify.table import Pods

_PARTS = (1, 4, 16, 64)
"""Into how many parts what a pod asks for is cut."""
_ZERO = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedRoom:
    """New pods that may come at once, and still there is a node for one of a workload."""

    cluster: str
    name: str
    """As plans write it, such as `room/trade/Deployment/cart`."""
    limit: int
    kin: PodsOfKin
    pods: Pods
    """Those of all workloads whose new pods may come to be on its nodes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Site:
    """A cluster: a row a guest or a node, a column a resource, the number of pods last."""

    guests: Sequence[Guest]
    asks: Ints
    may: Coded[Bools]
    """Of each guest, on which nodes its new pods may be, whatever is there."""
    like: Sequence[int]
    """Of each guest the first that asks for the same on the same nodes."""
    free: Ints
    pods: Ints
    """How many new pods of each guest may come at once."""

    def room(self, guest: int) -> tuple[int, Bools]:
        """How many new pods leave room for one of a guest, and whose they may be.

        Of those that are alike each leaves the same: all may surge, so that it is one pod of their
        size that waits, whoever's it is.
        """
        asks = self.asks[guest]
        fits = self.may[guest] & ((self.free >= asks) | (asks == 0)).all(axis=1)
        meets = np.array([each[fits].any() for each in self.may.values])[self.may.codes]
        asked = asks > 0
        spare, own = (self.free[fits] - asks)[:, asked], asks[asked]
        # The last one is the one for which there has to be room.
        before = self.pods - (np.arange(len(self.pods)) == guest)
        others = meets & (before > 0)
        most = 0
        for parts in _PARTS:
            part = np.where(np.arange(len(own)) < len(own) - 1, parts, 1)
            holds = (spare * part // own + 1).min(axis=1)
            uses = -(-self.asks[others][:, asked][:, :-1] * parts // own[:-1])
            uses = uses.max(axis=1, initial=1).clip(max=holds.max())
            most = max(most, _at_once(holds, uses, before[others]))
        return most, meets


def _at_once(holds: Ints, uses: Ints, pods: Ints) -> int:
    """New pods that fill not all nodes but with the last of them, wherever they go.

    Args:
        holds: of each node, how much has to be used up before it is full.
        uses: how much a pod of each workload uses up.
        pods: how many of each there may be besides the last.
    """
    by_node = int((-(-holds // uses.max(initial=1))).sum())
    hungriest = np.argsort(-uses, kind="stable")
    uses, pods = uses[hungriest], pods[hungriest]
    left = int(holds.sum()) - 1
    used = np.concatenate((_ZERO, np.cumsum(uses * pods)))
    # All of those that together use up no more, and of the next as many as still do.
    whole = int(np.searchsorted(used, left, side="right")) - 1
    together = int(pods[:whole].sum())
    if whole < len(uses):
        together += (left - int(used[whole])) // int(uses[whole])
    return max(by_node, together + 1)


def shared_rooms(case: Case, rooms: Rooms) -> Iterator[SharedRoom]:
    """Every room that may be full before the workloads that share it have done all they may."""
    for cluster in case.fleet.clusters():
        guests = [
            each
            for key, each in rooms.guests.items()
            if key.cluster == cluster and not key.is_daemon and each.limit > 0 and each.goes
        ]
        if len(guests) > 1:
            yield from _of_cluster(case, cluster, _site(rooms, cluster, guests))


def _of_cluster(case: Case, cluster: str, site: _Site) -> Iterator[SharedRoom]:
    tightest: dict[bytes, tuple[int, str, Bools]] = {}
    room = cache(site.room)
    for guest, like in zip(site.guests, site.like, strict=True):
        # Who has a place for all that may come at once looks for none.
        if guest.under_way < guest.limit:
            most, meets = room(like)
            key = guest.workload.key
            found = (most + guest.under_way, f"{key.namespace}/{key.kind}/{key.name}", meets)
            known = tightest.setdefault(meets.tobytes(), found)
            tightest[meets.tobytes()] = min(known, found, key=lambda it: it[:2])
    for limit, name, meets in tightest.values():
        if limit < site.pods[meets].sum():
            takers = (site.guests[index] for index in np.flatnonzero(meets).tolist())
            kin = {kin: its for each in takers for kin, its in each.workload.kin.items()}
            yield SharedRoom(
                cluster=cluster,
                name=f"room/{name}",
                limit=limit,
                kin=kin,
                pods=every(case.fleet.table, kin),
            )


def _site(rooms: Rooms, cluster: str, guests: Sequence[Guest]) -> _Site:
    nodes = rooms.nodes(cluster)
    assert nodes is not None  # guests are where the room is known
    others = sorted({name for each in guests for name in each.asked.others})

    def amounts(own: Amounts, rest: Mapping[str, Fraction]) -> tuple[int, ...]:
        cpu, memory, pods = own
        return (*(int(1000 * rest.get(name, 0)) for name in others), cpu, memory, pods)

    asks = [amounts(each.asked.amounts, each.asked.others) for each in guests]
    places = Coded.of(each.places for each in guests)
    firsts: dict[tuple[tuple[int, ...], int], int] = {}
    alike = zip(asks, places.codes.tolist(), strict=True)
    return _Site(
        guests=guests,
        asks=np.array(asks, np.int64),
        may=Coded(
            places.codes, [np.array([name in each for name in nodes]) for each in places.values]
        ),
        like=[firsts.setdefault(it, index) for index, it in enumerate(alike)],
        free=np.array([amounts(it.free, it.others) for it in nodes.values()], np.int64),
        pods=np.array([each.limit for each in guests], np.int64),
    )
