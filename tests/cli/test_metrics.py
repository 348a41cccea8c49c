"""What a run serves to Prometheus."""

from urllib.request import urlopen

from planner.cli.metrics import Metrics
from planner.model.progress import LettingGo, Moving
from tests.controlplane.ports import free_ports

MOVING = Moving(
    wave=3, of=9, moves=40, moving=10, back=29, failed=1, moved=129, total=400, left_s=1260,
    tightest="pdb/trade/cart 2 of 3", why="",
)  # fmt: skip


def test_what_was_told_last_is_served_and_events_are_counted() -> None:
    (port,) = free_ports(1)
    metrics = Metrics(port)
    for event in (LettingGo(wave=3, moves=40), MOVING, MOVING):
        metrics.take(event)
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    assert {
        "planner_run_wave 3.0",
        "planner_run_back 29.0",
        "planner_run_failed 1.0",
        "planner_run_left_s 1260.0",
        'planner_run_events_total{event="moving"} 2.0',
        'planner_run_events_total{event="letting-go"} 1.0',
    } <= set(lines)
    assert "# TYPE planner_run_events_total counter" in lines
