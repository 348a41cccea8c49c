"""The recorded shop of examples/shop in a log whose digests never change."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import planner
from planner import loop
from planner.log import LogIdentity
from planner.model.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.log import EventLog
    from planner.model.request import UpgradeRequest

SHOP = Path(__file__).parents[1] / "examples" / "shop"
REQUEST = SHOP / "request.yaml"
IDENTITY = LogIdentity(log_id=bytes(range(16)), salt=bytes(range(32)))
SALE_MS = 1_795_428_000_000
"""2026-11-23T10:00:00Z, after the last event of both recordings."""


WEB_ALONE = """
apiVersion: planner/v1
kind: UpgradeRequest
metadata: {name: web-alone}
spec:
  target:
    images: [{from: registry.example.com/web, to: registry.example.com/web:1.2.0}]
"""
"""A request (YAML) that moves one workload of the shop on each cluster."""


def clock() -> ManualClock:
    return ManualClock(SALE_MS)


def empty_log() -> planner.Log:
    return planner.Log.in_memory(clock=clock(), identity=IDENTITY)


@cache
def shop_log() -> planner.Log:
    """Both clusters, the plan kept. Shared: nobody appends to it."""
    log = empty_log()
    fill(log)
    return log


@cache
def shop_plan() -> planner.Plan:
    return planner.plan(shop_log(), request(), keep=False)


@cache
def shop_moves() -> Sequence[Mapping[str, Any]]:
    return tuple(moves_of(shop_plan()))


@cache
def request() -> UpgradeRequest:
    return planner.load_request(REQUEST)


def fill(log: planner.Log) -> None:
    log.import_recorded("hangzhou", SHOP / "hangzhou")
    log.import_recorded("shanghai", SHOP / "shanghai")
    planner.plan(log, request())


def header_of(plan: planner.Plan) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(plan.header())
    return header


def moves_of(plan: planner.Plan) -> list[dict[str, Any]]:
    return [json.loads(line) for line in loop.jsonl(plan)]


def rows_of(log: EventLog) -> list[dict[str, Any]]:
    """Every observation of a log, decoded."""
    return list(loop.observed_rows(log, until=log.head().position))
