"""How a run goes, for Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from planner.errors import UsageError
from planner.model.progress import Moving, Progress, Tightest, name_of

_GAUGES: Final = {
    "wave": "The wave that is under way.",
    "of": "Waves of the plan.",
    "moves": "Moves of the wave.",
    "moving": "Pods of the wave that were let go and are not back.",
    "back": "Pods of the wave that are back.",
    "failed": "Pods of the wave that are not back in time.",
    "moved": "Pods of the run that are back.",
    "total": "Moves of the plan.",
    "left_s": "Seconds that the waves to come are expected to take.",
}
_TIGHTEST: Final = {
    "taken": "Pods of the budget with the least room that are down or let go.",
    "limit": "Pods of the budget with the least room that may be down.",
}


class Metrics:
    """Serves what was told last."""

    def __init__(self, port: int) -> None:
        registry = CollectorRegistry()
        self._gauges = {
            name: Gauge(f"planner_run_{name}", text, registry=registry)
            for name, text in _GAUGES.items()
        }
        self._tightest = {
            name: Gauge(f"planner_run_tightest_{name}", text, ["budget"], registry=registry)
            for name, text in _TIGHTEST.items()
        }
        self._events = Counter(
            "planner_run_events", "Events of this executor.", ["event"], registry=registry
        )
        try:
            start_http_server(port, addr="127.0.0.1", registry=registry)
        except OSError as error:
            raise UsageError(
                f"--metrics {port}: {error.strerror or error}; give another port"
            ) from error

    def take(self, event: Progress) -> None:
        """Take what was told."""
        self._events.labels(event=name_of(event)).inc()
        for name, gauge in self._gauges.items():
            number = getattr(event, name, None)
            if isinstance(number, int | float):
                gauge.set(number)
        if isinstance(event, Moving):
            self._take_tightest(event.tightest)

    def _take_tightest(self, budget: Tightest | None) -> None:
        """Another budget takes the place of the one before."""
        for name, gauge in self._tightest.items():
            gauge.clear()
            if budget:
                gauge.labels(budget=budget.name).set(getattr(budget, name))
