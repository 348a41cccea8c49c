"""The simulated cluster as a bed of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.simulate.cluster import Cluster, Contents, PodName
from planner.simulate.controllers import Controllers
from planner.simulate.pace import Drawn, Faults, Span
from planner.simulate.rules.pods import Object, is_active, is_leaving, is_ready, name_of
from planner.simulate.slots import way_taken
from planner.simulate.timeline import Timeline
from planner.simulate.write import annotated, labelled, stopped

NAMESPACE = "trade"
BEGIN_MS = 1_795_428_000_000
NODES = 12
SETTLED_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Drawn):
    """A pace at which some images never come up."""

    images: set[str] = field(default_factory=set)

    def restart_ms(self, pod: Object, container: str, image: str) -> int | None:
        """From a new image to a container that is ready; None when it never is."""
        # Spelled out: a frozen class with slots has no zero-argument super().
        return None if image in self.images else Drawn.restart_ms(self, pod, container, image)


class SimulatedBed:
    """Runs the rules in the simulated cluster."""

    def __init__(self) -> None:
        self._pace = Broken(
            seed=0,
            faults=Faults(),
            start=Span(least=2_000, most=5_000),
            restart=Span(least=1_000, most=3_000),
            termination=Span(least=1_000, most=2_000),
        )
        nodes = [
            {"metadata": {"name": f"node-{number:02}", "labels": {}}, "spec": {}}
            for number in range(NODES)
        ]
        contents = Contents(name="test", minor=36, pods=(), objects={}, nodes=nodes)
        self._cluster = Cluster(contents, Timeline(BEGIN_MS), self._pace)
        self._controllers = Controllers(self._cluster)
        self._cluster.watchers.append(self._note)
        self.watch()

    def apply(self, document: Object) -> None:
        """Create a workload or SidecarSet, or write it anew."""
        kind = document["kind"]
        if document["apiVersion"].startswith("apps.kruise.io") and kind.endswith("fulSet"):
            kind = f"Advanced{kind}"
        self._cluster.write(kind, document)

    def settle(self) -> None:
        """Wait until the controllers and the nodes have nothing left to do."""
        deadline = self._cluster.timeline.now_ms + SETTLED_S * 1000
        self._controllers.settle()
        while self._cluster.timeline.step():
            self._controllers.settle()
            assert self._cluster.timeline.now_ms < deadline, "does not come to rest"

    def pods(self) -> list[Object]:
        """The pods that are there and not leaving, by name."""
        return sorted(filter(is_active, self._cluster.pods.values()), key=name_of)

    def label(self, pod: str, labels: Mapping[str, str]) -> None:
        """Set labels of a pod."""
        self._cluster.write_pod(labelled(self._pod(pod), labels))

    def annotate(self, pod: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a pod."""
        self._cluster.write_pod(annotated(self._pod(pod), annotations))

    def break_pod(self, pod: str) -> None:
        """Make a pod not Ready until it gets another image or another takes its place."""
        found = self._pod(pod)
        names = [each["name"] for each in found["spec"]["containers"]]
        self._cluster.write_pod(stopped(found, names, self._cluster.timeline.now_ms))

    def never_ready(self, image: str) -> None:
        """Containers with this image never become ready."""
        self._pace.images.add(image)

    def watch(self) -> None:
        """Forget what was counted, and begin to count."""
        self._counted = {each["metadata"]["uid"] for each in self.pods()}
        self._taken: dict[str, None] = {}
        self._most = 0
        self._before = len(self._counted)

    def most_down(self) -> int:
        """Most pods that were not serving at once since `watch`, of those that there were then."""
        return self._most

    def order(self) -> list[str]:
        """Names of the pods that were taken since `watch`, in order, each once."""
        return list(self._taken)

    def _note(self, before: Object | None, after: Object | None) -> None:
        pod = after or before
        assert pod is not None  # a change is of something
        if pod["metadata"]["uid"] in self._counted and way_taken(before, after):
            self._taken[name_of(pod)] = None
        serving = sum(is_ready(each) and not is_leaving(each) for each in self.pods())
        self._most = max(self._most, self._before - serving)

    def _pod(self, name: str) -> Object:
        return self._cluster.pods[PodName(NAMESPACE, name)]
