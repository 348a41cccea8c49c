"""What the stand-in knows of the cluster: what it was told, and what it wrote itself."""

from collections.abc import Iterable, Iterator

from planner.simulate.rules.pods import Object, annotations_of, name_of
from planner.simulate.rules.sidecarset import INJECTED
from tests.controlplane.standin.follow import Changed, Listed
from tests.controlplane.standin.kinds import (
    DEPLOYMENT,
    KINDS,
    NODE,
    POD,
    REVISION,
    SIDECAR_SET,
    UNAVAILABLE_BUDGET,
    WORKLOADS,
    Key,
    Kind,
)

_LOOKED_AFTER = (*WORKLOADS, SIDECAR_SET, UNAVAILABLE_BUDGET)


class Store:
    """Objects by name, never older than what was last seen or written of them.

    Attributes:
        dirty: workloads, SidecarSets and budgets of which something changed.
    """

    def __init__(self) -> None:
        self.dirty: dict[Key, None] = {}
        self._things: dict[Kind, dict[Key, Object]] = {kind: {} for kind in KINDS}
        self._keys: dict[str, Key] = {}
        self._owned: dict[str, dict[Key, None]] = {}
        self._listed: set[Kind] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every kind was listed once: before, nothing may be decided."""
        return len(self._listed) == len(KINDS)

    def absorb(self, told: Listed | Changed) -> None:
        """Take in what the API server tells."""
        if isinstance(told, Changed):
            if told.gone:
                self._remove(key_of(told.kind, told.thing), version_of(told.thing))
            else:
                self.put(told.kind, told.thing)
            return
        self._listed.add(told.kind)
        there = {key_of(told.kind, each) for each in told.items}
        for key in [key for key in self._things[told.kind] if key not in there]:
            self._remove(key, told.version)
        for each in told.items:
            self.put(told.kind, each)

    def put(self, kind: Kind, thing: Object) -> None:
        """Take an object as it is now; an older state of it is passed over."""
        key = key_of(kind, thing)
        before = self._things[kind].get(key)
        if before is not None:
            if version_of(before) >= version_of(thing):
                return
            if before["metadata"]["uid"] != thing["metadata"]["uid"]:
                self._remove(key, version_of(thing))
        self._things[kind][key] = thing
        self._keys[thing["metadata"]["uid"]] = key
        self._owned.setdefault(owner_uid(thing), {})[key] = None
        self._touch(key, thing)

    def _remove(self, key: Key, version: int) -> None:
        thing = self._things[key.kind].get(key)
        if thing is None or version_of(thing) > version:
            return
        del self._things[key.kind][key]
        self._keys.pop(thing["metadata"]["uid"], None)
        self._owned[owner_uid(thing)].pop(key, None)
        self._touch(key, thing)

    def _touch(self, key: Key, thing: Object) -> None:
        if key.kind in _LOOKED_AFTER:
            self.dirty[key] = None
        owner = self._keys.get(owner_uid(thing))
        if owner is not None and owner.kind in WORKLOADS:
            self.dirty[owner] = None
        if key.kind == NODE:
            self.dirty.update(dict.fromkeys(self._things[WORKLOADS[-1]]))
        elif key.kind != REVISION:
            budgets = self._things[UNAVAILABLE_BUDGET]
            self.dirty.update(dict.fromkeys(it for it in budgets if it[1] == key.namespace))
        if key.kind == POD and annotations_of(thing).get(INJECTED):
            self.dirty.update(dict.fromkeys(self._things[SIDECAR_SET]))

    def get(self, key: Key) -> Object | None:
        """An object, or None."""
        return self._things[key.kind].get(key)

    def all(self, kind: Kind) -> Iterable[Object]:
        """Every object of a kind, by name."""
        return [self._things[kind][key] for key in sorted(self._things[kind], key=_by_name)]

    def owned(self, owner: Object, kind: Kind) -> list[Object]:
        """The objects of a kind that an object controls, by name."""
        keys = self._owned.get(owner["metadata"]["uid"], ())
        its = sorted((key for key in keys if key.kind == kind), key=_by_name)
        return [self._things[kind][key] for key in its]

    def pods_in(self, namespace: str) -> Iterator[Object]:
        """The pods of a namespace."""
        return (each for key, each in self._things[POD].items() if key.namespace == namespace)

    def workload_of(self, pod: Object) -> Object | None:
        """What controls a pod: its owner, or the Deployment of its ReplicaSet."""
        key = self._keys.get(owner_uid(pod))
        owner = self.get(key) if key else None
        if owner is None:
            return None
        above = self._keys.get(owner_uid(owner))
        return self.get(above) if above and above.kind == DEPLOYMENT else owner


def key_of(kind: Kind, thing: Object) -> Key:
    """The name of an object."""
    return Key(kind, thing["metadata"].get("namespace", ""), name_of(thing))


def version_of(thing: Object) -> int:
    """Its resourceVersion: grows with every write of its kind."""
    return int(thing["metadata"]["resourceVersion"])


def owner_uid(thing: Object) -> str:
    """The uid of an object's controller, empty when it has none."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each.get("controller")), "")


def _by_name(key: Key) -> tuple[str, str]:
    return key.namespace, key.name
