"""How a run goes, for Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from planner.errors import UsageError
from planner.model.progress import Progress, name_of

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


class Metrics:
    """Serves what was told last."""

    def __init__(self, port: int) -> None:
        registry = CollectorRegistry()
        self._gauges = {
            name: Gauge(f"planner_run_{name}", text, registry=registry)
            for name, text in _GAUGES.items()
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
