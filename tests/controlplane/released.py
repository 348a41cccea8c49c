"""Releases of a shop on two control planes: what their tests do and look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.controlplane import shop
from tests.controlplane.running import Operator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.controlplane.fleet import Manifest
    from tests.controlplane.given import Plane

    Planes = Mapping[str, Plane]


def begun(folder: Path, planes: Planes, request: str) -> tuple[Operator, str]:
    """An operator who has planned the release, and the plan."""
    operator = Operator(folder, planes, shop.NAMESPACES)
    operator.observe()
    return operator, operator.plan(request)


def to(version: str) -> str:
    """The request of the release, to another version."""
    return shop.request().replace(shop.NEW, version)


def pods(planes: Planes) -> int:
    """How many pods the shop has: more than 600 on two clusters of our own."""
    return sum(len(staying(plane)) for plane in planes.values())


def staying(plane: Plane) -> list[Manifest]:
    """The pods of the shop but those on their way out: an old one may end after its run."""
    return [it for it in shop.pods(plane.admin) if "deletionTimestamp" not in it["metadata"]]


def versions(planes: Planes, *namespaces: str) -> set[str]:
    """Versions of everything that runs in these namespaces, by default of the whole shop."""
    return {
        container["image"].rpartition(":")[2]
        for plane in planes.values()
        for pod in staying(plane)
        if pod["metadata"]["namespace"] in (namespaces or shop.NAMESPACES)
        for container in pod["spec"]["containers"]
    }
