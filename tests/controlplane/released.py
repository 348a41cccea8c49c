"""Releases of a shop on two control planes: what their tests do and look at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from tests.controlplane import shop
from tests.controlplane.given import wants_kruise, wants_room
from tests.controlplane.running import Operator
from tests.controlplane.wait import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.given import Plane

    Planes = Mapping[str, Plane]


@contextmanager
def filled(planes: Planes, size: shop.Size) -> Iterator[Planes]:
    """Both planes with a shop of this size for a while."""
    wants_kruise(planes)
    wants_room(planes, *shop.PLACES)
    try:
        at_once(
            lambda name: shop.fill(planes[name].admin, cast("shop.Cluster", name), size), planes
        )
        yield planes
    finally:
        at_once(lambda plane: shop.clear(plane.admin), planes.values())


def begun(folder: Path, planes: Planes, request: str) -> tuple[Operator, str]:
    """An operator who has planned the release, and the plan."""
    operator = Operator(folder, planes, shop.NAMESPACES)
    operator.observe()
    return operator, operator.plan(request)


def to(version: str) -> str:
    """The request of the release, to another version."""
    return shop.request().replace(shop.NEW, version)


def pods(planes: Planes) -> int:
    """How many pods the shop has: large more than 600 on two clusters of our own."""
    return sum(len(shop.pods(plane.admin)) for plane in planes.values())


def versions(planes: Planes, *namespaces: str) -> set[str]:
    """Versions of everything that runs in these namespaces, by default of the whole shop."""
    return {
        container["image"].rpartition(":")[2]
        for plane in planes.values()
        for pod in shop.pods(plane.admin)
        if pod["metadata"]["namespace"] in (namespaces or shop.NAMESPACES)
        for container in pod["spec"]["containers"]
    }
