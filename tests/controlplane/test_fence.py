"""A write that is held up on its way to a real server while another executor takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.lease import Holder, Lease
from planner.apply.levers.held import RUN, annotations_of, spec_with
from planner.apply.tries import Timing
from planner.apply.writer import Claim, Writer
from planner.errors import LeaseLostError
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from tests.controlplane import fleet
from tests.controlplane.conftest import wait_all_ready
from tests.controlplane.observing import door
from tests.shop import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.kube.cluster import Answer, Call, Cluster
    from tests.controlplane.plane import ControlPlane

PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"
WEB = ("Deployment", fleet.NAMESPACE, "web")
WEB_PATH = f"/apis/apps/v1/namespaces/{fleet.NAMESPACE}/deployments/web"
NODE_PATH = "/api/v1/nodes/node-0000"

Pod = dict[str, Any]


class Late:
    """A door behind which something happens before the first write gets through."""

    def __init__(self, door: Cluster, meanwhile: Callable[[], None]) -> None:
        self._door = door
        self._meanwhile: Callable[[], None] | None = meanwhile
        self.get, self.stream, self.interrupt = door.get, door.stream, door.interrupt

    def send(self, call: Call) -> Answer:
        meanwhile = self._meanwhile
        if call.method != "GET" and meanwhile:
            self._meanwhile = None
            meanwhile()
        return self._door.send(call)


def scaled(writer: Writer, _pod: Pod) -> None:
    writer.pull(*WEB, lambda live: spec_with(live, revisionHistoryLimit=3))


def labelled(writer: Writer, pod: Pod) -> None:
    metadata = pod["metadata"]
    name, uid, version = (metadata[key] for key in ("name", "uid", "resourceVersion"))
    writer.merge_pod(fleet.NAMESPACE, name, uid, version, {"labels": {"late": "yes"}})


def removed(writer: Writer, pod: Pod) -> None:
    metadata = pod["metadata"]
    writer.remove(fleet.NAMESPACE, metadata["name"], metadata["uid"], evict=False)


def evicted(writer: Writer, pod: Pod) -> None:
    metadata = pod["metadata"]
    writer.remove(fleet.NAMESPACE, metadata["name"], metadata["uid"], evict=True)


def node_labelled(writer: Writer, _pod: Pod) -> None:
    writer.label_node("node-0000", "late", "yes")


@pytest.mark.parametrize("write", [scaled, labelled, removed, evicted, node_labelled])
def test_a_write_that_was_held_up_finds_another_executor_there(
    other_plane: ControlPlane, write: Callable[[Writer, Pod], None]
) -> None:
    # What a test before this one did to the pods is over.
    wait_all_ready(other_plane, 12)
    api, clock, run = other_plane.admin, ManualClock(0), write.__name__
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    before, node = api.get(WEB_PATH), api.get(NODE_PATH)
    pod = api.get(PODS)["items"][0]
    first, second = (Lease(log, run, Holder(host, 1, ""), clock) for host in ("a", "b"))
    first.take(refuse_to_wait)

    def taken_over() -> None:
        clock.advance(31_000)
        epoch = second.take(refuse_to_wait)
        successor = writer(door(other_plane), f"{run}/{epoch}", second)
        successor.touch(*WEB)
        successor.touch_pod(fleet.NAMESPACE, pod["metadata"]["name"], pod["metadata"]["uid"])
        # A node is not ours to mark: what was said of it is said again.
        api.merge(NODE_PATH, {"metadata": {"annotations": {"said": run}}})

    late = writer(Late(door(other_plane), taken_over), f"{run}/1", first)
    with pytest.raises(LeaseLostError, match="another executor"):
        write(late, pod)
    assert late.writes == 1, "it was sent once, and not again"
    live = api.get(WEB_PATH)
    assert live["spec"] == before["spec"]
    assert annotations_of(live)[RUN] == f"{run}/2"
    still = api.get(f"{PODS}/{pod['metadata']['name']}")
    assert still["metadata"]["uid"] == pod["metadata"]["uid"]
    assert still["metadata"]["labels"] == pod["metadata"]["labels"]
    assert "deletionTimestamp" not in still["metadata"]
    assert api.get(NODE_PATH)["metadata"]["labels"] == node["metadata"]["labels"]


def test_who_was_replaced_before_it_writes_sends_nothing(other_plane: ControlPlane) -> None:
    clock = ManualClock(0)
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    first, second = (Lease(log, "run", Holder(host, 1, ""), clock) for host in ("a", "b"))
    first.take(refuse_to_wait)
    clock.advance(31_000)
    second.take(refuse_to_wait)
    late = writer(door(other_plane), "run/1", first)
    with pytest.raises(LeaseLostError):
        scaled(late, {})
    assert late.writes == 0


def writer(to: Cluster, mark: str, lease: Lease) -> Writer:
    claim = Claim(mark=mark, check=lease.check)
    return Writer("shanghai", to, claim=claim, writes_per_s=1000, timing=Timing(lambda _: False))


def refuse_to_wait(_seconds: float) -> None:
    pytest.fail("nobody has to wait")
