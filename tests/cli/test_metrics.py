"""What a run serves to Prometheus."""

from urllib.request import urlopen

import msgspec

from planner.cli.metrics import Metrics
from planner.model.progress import LettingGo, Moving, Tightest
from tests.controlplane.ports import free_ports

MOVING = Moving(
    wave=3, of=9, moves=40, moving=10, back=29, failed=1, moved=129, total=400, left_s=1260,
    tightest=Tightest(name="pdb/trade/cart", taken=2, limit=3), why="",
)  # fmt: skip


def test_what_was_told_last_is_served_and_events_are_counted() -> None:
    (port,) = free_ports(1)
    metrics = Metrics(port)
    for event in (LettingGo(wave=3, moves=40), MOVING, MOVING):
        metrics.take(event)
    lines = served(port)
    assert {
        "planner_run_wave 3.0",
        "planner_run_back 29.0",
        "planner_run_failed 1.0",
        "planner_run_left_s 1260.0",
        'planner_run_events_total{event="moving"} 2.0',
        'planner_run_events_total{event="letting-go"} 1.0',
    } <= set(lines)
    assert "# TYPE planner_run_events_total counter" in lines


def test_of_budgets_the_one_with_the_least_room_is_served_and_no_other() -> None:
    (port,) = free_ports(1)
    metrics = Metrics(port)
    other = Tightest(name="fleet", taken=7, limit=7)
    for event, wanted in (
        (MOVING, {'taken{budget="pdb/trade/cart"} 2.0', 'limit{budget="pdb/trade/cart"} 3.0'}),
        (
            msgspec.structs.replace(MOVING, tightest=other),
            {'taken{budget="fleet"} 7.0', 'limit{budget="fleet"} 7.0'},
        ),
        (LettingGo(wave=3, moves=40), {'taken{budget="fleet"} 7.0', 'limit{budget="fleet"} 7.0'}),
        (msgspec.structs.replace(MOVING, tightest=None), set()),
    ):
        metrics.take(event)
        prefix = "planner_run_tightest_"
        found = {it.removeprefix(prefix) for it in served(port) if it.startswith(prefix)}
        assert found == wanted


def served(port: int) -> list[str]:
    """What Prometheus would read."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return lines
