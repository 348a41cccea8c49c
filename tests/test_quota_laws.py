"""Whatever quotas a namespace has, the checker agrees with what plans make of them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_drains import LEAVES, node
from tests.test_quotas import app, quota
from tests.test_small_clusters import NEW, clone_set, metadata, planned, pod, rolling
from tests.test_surge_room import asking, loose

Json = dict[str, Any]
IMAGES = [{"from": "registry.example.com/cart", "to": NEW}]
SURGES: Json = {"maxUnavailable": 0, "maxSurge": "100%"}
ROLLS: Json = {"maxUnavailable": 1, "maxSurge": 0}


@st.composite
def resources(draw: st.DrawFn) -> Json:
    """What containers ask for."""
    cpu, memory = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    requests = {"cpu": str(cpu)} if cpu else {}
    limits = {"memory": f"{memory}Gi"} if memory else {}
    return {"requests": requests, "limits": limits}


@st.composite
def workloads(draw: st.DrawFn, name: str) -> list[Json]:
    """A workload with its pods: some down, some beyond its replicas, some asking for more."""
    pods, asks = draw(st.integers(1, 3)), draw(resources())
    kept = draw(st.integers(0, 2))
    if draw(st.booleans()):
        items = app(name, pods, asks, **draw(st.sampled_from([SURGES, ROLLS])))
    else:
        update = rolling(**draw(st.sampled_from([SURGES, ROLLS])), partition=kept)
        owner = {**asking(clone_set(pods, **update), asks), "metadata": metadata("CloneSet", name)}
        items = [owner, *(asking(pod(f"{name}-{at}", owner), asks) for at in range(pods))]
    of = [each for each in items if each["kind"] == "Pod"]
    if draw(st.booleans()):
        of[0]["status"]["conditions"][0]["status"] = "False"
    if draw(st.booleans()):
        of[-1]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "2", "memory": "1Gi"}}
    if draw(st.booleans()):
        items[0]["spec"]["replicas"] = max(1, pods - 1)
    if draw(st.booleans()):
        of[-1]["metadata"]["labels"] = {"app": "cart", "stays": "yes"}
    return items


RESOURCES = st.sampled_from(["pods", "requests.cpu", "memory", "limits.memory", "services"])
AMOUNTS = st.integers(0, 9)
SCOPES = st.sampled_from([[], [], ["NotBestEffort"], ["BestEffort"], ["Terminating"]])


@st.composite
def quotas(draw: st.DrawFn, name: str) -> Json:
    """A quota, full or not."""
    hard, used = {}, {}
    for resource in draw(st.sets(RESOURCES, min_size=1)):
        unit = "Gi" if "memory" in resource else ""
        hard[resource] = f"{draw(AMOUNTS)}{unit}"
        used[resource] = f"{draw(AMOUNTS)}{unit}"
    about = {"metadata": metadata("ResourceQuota", name)}
    return {**quota(hard, used, scopes=draw(SCOPES)), **about}


@given(
    st.tuples(workloads("cart"), workloads("pay"), workloads("web")),
    st.tuples(quotas("one"), quotas("two")),
    st.sampled_from([{}, {"drain": LEAVES}]),
    st.sampled_from([{}, {"exclude": [{"selector": {"matchLabels": {"stays": "yes"}}}]}]),
    st.sampled_from([{}, {"streaming": True}]),
)
@settings(max_examples=60)
def test_checker_and_planner_say_the_same_of_quotas(
    items: tuple[list[Json], ...],
    limits: tuple[Json, ...],
    drained: Json,
    stay: Json,
    streams: Json,
) -> None:
    nodes = (node("node-1", cpu="80", memory="80Gi"), node("node-2", pool="new", cpu="80"))
    spec = {"target": {"images": IMAGES, **drained}, **stay, **streams}
    every = [each for own in items for each in own]
    with TemporaryDirectory() as folder:
        planned(Path(folder), *nodes, *every, *limits, *loose(), **spec)
