"""Changes of every sort to a cluster, one after the other, until told to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread

from tests.controlplane import fleet
from tests.controlplane.api import Api, RefusedError
from tests.controlplane.conftest import DEPLOYMENTS, STATEFUL_SETS
from tests.controlplane.wait import until

APPS = f"/apis/apps/v1/namespaces/{fleet.NAMESPACE}"
PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"
PAUSE_S = 0.05


@dataclass(slots=True)
class Churn:
    """What changes a cluster."""

    api: Api
    random: Random
    stop: Event = field(default_factory=Event)
    done: int = 0

    def run(self) -> None:
        """Change something again and again; a server that is away is asked again later."""
        while not self.stop.wait(PAUSE_S):
            try:
                self.random.choice(
                    (self.delete_pods, self.roll, self.label_pods, self.label_node, self.scale)
                )()
                self.done += 1
            except (OSError, RefusedError):
                self.stop.wait(0.2)

    def delete_pods(self) -> None:
        """Delete some pods."""
        for pod in self._some_pods(5):
            self.api.delete(f"{PODS}/{pod}?gracePeriodSeconds=1")

    def roll(self) -> None:
        """Bring a workload to another image."""
        kind, name = self._workload()
        image = f"registry.example.com/web:1.0.{self.random.randrange(1000)}"
        change = {
            "spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
        }
        self.api.merge(f"{APPS}/{kind}/{name}", change)

    def label_pods(self) -> None:
        """Change a label and an annotation of some pods."""
        for pod in self._some_pods(10):
            value = str(self.random.randrange(1000))
            metadata = {"labels": {"tests/label": value}, "annotations": {"tests/secret": value}}
            self.api.patch(f"{PODS}/{pod}", {"metadata": metadata})

    def label_node(self) -> None:
        """Change a node."""
        (node,) = self.random.sample([path for path, _ in fleet.nodes(10)], 1)
        value = str(self.random.randrange(1000))
        self.api.patch(node, {"metadata": {"labels": {"tests/label": value}}})

    def scale(self) -> None:
        """Add and remove replicas, a few at a time."""
        kind, name = self._workload()
        replicas = {**DEPLOYMENTS, **STATEFUL_SETS}[name] + self.random.randint(-5, 5)
        self.api.patch(f"{APPS}/{kind}/{name}", {"spec": {"replicas": replicas}})

    def _workload(self) -> tuple[str, str]:
        names = [("deployments", each) for each in DEPLOYMENTS]
        return self.random.choice([*names, *(("statefulsets", each) for each in STATEFUL_SETS)])

    def _some_pods(self, count: int) -> list[str]:
        names = [pod["metadata"]["name"] for pod in self.api.get(PODS)["items"]]
        return self.random.sample(names, min(count, len(names)))


@contextmanager
def churning(api: Api, *, seed: int) -> Iterator[Churn]:
    """Change a cluster while the body runs, and something at least before it begins."""
    churn = Churn(api, Random(seed))
    thread = Thread(target=churn.run)
    thread.start()
    try:
        wait_changes(churn, 5)
        yield churn
    finally:
        churn.stop.set()
        thread.join()


def wait_changes(churn: Churn, count: int) -> None:
    """Wait for so many changes more."""
    begin = churn.done
    until(f"{count} changes (seed known)", lambda: churn.done >= begin + count)
