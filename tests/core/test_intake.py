"""Observed rows as Python sees them, and errors with the place where the input is wrong."""

import json
from typing import Any

import pyarrow as pa
import pytest

from planner import core
from planner.errors import CodecError, InputError, ObservationError

SALT = bytes(32)
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "cart-0",
        "namespace": "trade",
        "uid": "401598b1-3f34-4eee-afe2-d156af76fff5",
        "resourceVersion": "7",
        "creationTimestamp": "2026-11-23T09:34:00Z",
        "labels": {"app": "cart", "statefulset.kubernetes.io/pod-name": "cart-0"},
    },
    "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "cart:1"}]},
    "status": {"phase": "Running"},
}


def _batch(*documents: object) -> core.Batch:
    intake = core.Intake(salt=SALT)
    for document in documents:
        intake.add("pods.json", json.dumps(document).encode())
    [batch] = intake.finish()
    return batch


def test_a_row_has_the_columns_of_its_event() -> None:
    begun, observed, completed = _batch({"kind": "List", "items": [POD]}).rows()
    assert begun == {
        "event": "list_begun",
        "resource": "pods",
        "time_ms": 1_795_426_440_000,
        "resource_version": 0,
    }
    assert observed == {
        "event": "observed",
        "resource": "pods",
        "time_ms": 1_795_426_440_000,
        "resource_version": 7,
        "uid": "401598b1-3f34-4eee-afe2-d156af76fff5",
        "namespace": "trade",
        "name": "cart-0",
        "node": "node-1",
        "owner": "",
        "revision": "",
        "labels": '{"app":"cart"}',
        "annotations": "{}",
        "spec": '{"containers":[{"name":"main","image":"cart:1"}],"initContainers":[],'
        '"readinessGates":[],"terminationGracePeriodSeconds":30,"requests":{"cpu":0,"memory":0}}',
        "status": "[]",
        "created_s": 1_795_426_440,
        "ready_since_s": 0,
        "restarts": 0,
        "flags": 1 << 3 | 1 << 10,
    }
    assert completed["event"] == "list_completed"


def test_an_error_names_its_source_and_byte() -> None:
    text = b'{"kind": "Pod", "apiVersion": "v1", "metadata": oops}'
    with pytest.raises(InputError) as caught:
        core.Intake(salt=SALT).add("pods.json", text)
    assert (caught.value.source, caught.value.offset) == ("pods.json", text.index(b"oops"))


@pytest.mark.parametrize("count", [2**31, -1, 1.5, "three"])
def test_a_count_out_of_range_is_refused_with_its_object(count: object) -> None:
    metadata = {**POD["metadata"], "name": "cart"}
    cart = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    listed = {"kind": "List", "items": [{**cart, "spec": {"replicas": count}}]}
    with pytest.raises(
        InputError, match=r"Deployment cart: spec\.replicas .* is no integer"
    ) as told:
        _batch(listed)
    assert told.value.offset == json.dumps(listed).index('{"apiVersion"')


def test_the_total_of_an_old_unavailable_budget_is_kept() -> None:
    annotations = {"pub.kruise.io/protect-total-replicas": "8", "secret": "s3cret"}
    metadata = {**POD["metadata"], "name": "cart", "annotations": annotations}
    api = {"apiVersion": "policy.kruise.io/v1alpha1", "kind": "PodUnavailableBudget"}
    rows = _batch({**api, "metadata": metadata, "spec": {"maxUnavailable": 1}}).rows()
    kept = json.loads(str(next(row["document"] for row in rows if row["event"] == "observed")))
    assert kept["metadata"]["annotations"]["pub.kruise.io/protect-total-replicas"] == "8"
    assert "s3cret" not in str(kept)


def test_arrow_reads_a_batch_without_a_copy() -> None:
    batch = _batch(POD)
    table = pa.table(batch)
    assert table.column("name").to_pylist() == ["cart-0"]
    assert table.schema.metadata == {b"codec": core.CODEC.encode()}
    first, second = (pa.record_batch(batch).column("flags").buffers()[1] for _ in range(2))
    assert first.address == second.address


def test_a_payload_is_an_arrow_stream_for_others_too() -> None:
    batch = _batch(POD)
    with pa.ipc.open_stream(batch.to_bytes()) as stream:
        assert stream.read_all().column("name").to_pylist() == ["cart-0"]
    assert core.Batch.from_bytes(batch.to_bytes()).rows() == batch.rows()


def test_damaged_bytes_are_a_codec_error() -> None:
    payload = bytearray(_batch(POD).to_bytes())
    payload[len(payload) // 2] ^= 1
    with pytest.raises(CodecError, match="checksum"):
        core.Batch.from_bytes(bytes(payload))
    with pytest.raises(CodecError, match="snapshot"):
        core.Fleet.from_bytes(bytes(payload))


def test_folding_leaves_the_fleet_that_it_started_from() -> None:
    empty = core.Fleet.empty()
    fleet = core.fold(empty, [("hangzhou", 1, _batch(POD))])
    assert (empty.position, fleet.position) == (0, 1)
    assert pa.table(fleet.pods()).select(["cluster", "name"]).to_pylist() == [
        {"cluster": "hangzhou", "name": "cart-0"}
    ]
    assert core.Fleet.from_bytes(fleet.to_bytes()).digest() == fleet.digest() != empty.digest()


def test_positions_that_come_twice_are_an_error() -> None:
    batch = _batch(POD)
    with pytest.raises(ObservationError, match="position 1"):
        core.fold(core.Fleet.empty(), [("hangzhou", 1, batch), ("hangzhou", 1, batch)])
