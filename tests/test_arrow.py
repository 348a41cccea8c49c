"""Tables are handed over as Arrow, and say what the rows and the JSON lines say."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc
import pytest

from planner import core
from planner.verify.arrow import read_table
from planner.verify.observed import EVENTS, RESOURCES
from planner.verify.written import Written, of_objects, of_table
from tests.shop import SHOP, empty_log, shop_log, shop_moves, shop_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture(scope="module")
def batches() -> Sequence[core.Batch]:
    """Lists, then watch events: every sort of row."""
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    log.import_recorded("hangzhou", SHOP / "hangzhou-watch.jsonl.xz")
    return [core.Batch.from_bytes(commit.payload) for commit in log.events.read()]


def test_a_batch_as_arrow_says_what_its_rows_say(batches: Sequence[core.Batch]) -> None:
    seen = set()
    for batch in batches:
        part = batch.slice(0, 4000)
        table = pa.record_batch(part)
        assert table.num_rows == len(part)
        for record, row in zip(table.to_pylist(), part.rows(), strict=True):
            seen.add(row["event"])
            assert plain(record) == row
    assert seen >= {"list_begun", "observed", "list_completed", "gone", "time_passed"}


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record of Arrow as `rows` writes it: names for codes, and no nulls."""
    kept = {name: value for name, value in record.items() if value is not None}
    kept["event"] = EVENTS[kept["event"]]
    kept["resource"] = RESOURCES[kept["resource"]]
    if "uid" in kept:
        kept["uid"] = str(uuid.UUID(bytes=kept["uid"]))
    return kept


def same(value: Any) -> Any:  # noqa: ANN401
    return value


READ: dict[str, Callable[[Any], Any]] = {
    "event": EVENTS.__getitem__,
    "resource": RESOURCES.__getitem__,
}


def test_the_arrays_of_a_batch_say_what_its_rows_say(batches: Sequence[core.Batch]) -> None:
    seen: set[str] = set()
    for batch in batches:
        part = batch.slice(3, 4000)
        # Ours begins where its first row is, and that of others may say where it is.
        for table in (read_table(part), read_table(pa.record_batch(batch).slice(3, 4000))):
            found = {name: [READ.get(name, same)(it) for it in table[name]] for name in table}
            for at, row in enumerate(part.rows()):
                # Where a row has no value an array has nothing, or zero.
                assert {name: found[name][at] for name in row} == row
                seen |= row.keys()
    assert seen >= {"uid", "name", "document", "node", "labels", "flags", "resource_version"}


def test_the_columns_of_a_plan_say_what_its_lines_say() -> None:
    said, told = of_table(shop_plan()), of_objects(shop_moves())
    columns = {each.name for each in fields(Written)} - {"starts"}
    for name in columns:
        assert list(getattr(said, name)) == list(getattr(told, name)), name
    assert said.starts is told.starts is None


def test_a_slice_is_the_rows_that_it_says(batches: Sequence[core.Batch]) -> None:
    batch = batches[0]
    rows = batch.rows()
    assert batch.slice(10, 5).rows() == rows[10:15]
    assert pa.record_batch(batch.slice(10, 5)).to_pylist() == (
        pa.record_batch(batch).slice(10, 5).to_pylist()
    )
    assert len(batch.slice(len(rows) - 2, 100)) == 2


def test_a_payload_is_the_same_batch_again(batches: Sequence[core.Batch]) -> None:
    for batch in batches:
        again = core.Batch.from_bytes(batch.to_bytes())
        assert pa.record_batch(again).equals(pa.record_batch(batch))
        assert again.to_bytes() == batch.to_bytes()


def test_the_pods_of_a_fleet_are_those_that_were_observed(batches: Sequence[core.Batch]) -> None:
    fleet = core.fold(core.Fleet.empty(), [("shanghai", 1, batches[0])])
    table = pa.record_batch(fleet.pods()).to_pylist()
    observed = [
        row for row in batches[0].rows() if row["resource"] == "pods" and row["event"] == "observed"
    ]
    shared = ("name", "namespace", "node", "owner", "labels", "spec", "status", "flags")
    assert [record["cluster"] for record in table] == ["shanghai"] * len(observed)
    assert sorted(pick(record, shared) for record in table) == sorted(
        pick(row, shared) for row in observed
    )


def pick(row: dict[str, Any], names: Sequence[str]) -> list[str]:
    return [str(row[name]) for name in names]


def test_the_pods_of_the_shop_can_be_counted() -> None:
    table = pa.Table.from_batches([pa.record_batch(shop_log().fleet().pods())])
    counts = table.group_by("cluster").aggregate([("name", "count")]).to_pylist()
    assert {row["cluster"]: row["name_count"] for row in counts} == {
        "hangzhou": 1233,
        "shanghai": 328,
    }


def test_a_plan_as_arrow_says_what_its_lines_say() -> None:
    table = pa.record_batch(shop_plan())
    assert table.num_rows == len(shop_plan()) == len(shop_moves())
    for record, move in zip(table.to_pylist(), shop_moves(), strict=True):
        for name in ("wave", "stage", "cluster", "namespace", "pod", "node", "kind"):
            assert record[name] == move[name]
        assert str(uuid.UUID(bytes=record["uid"])) == move["uid"]
        assert {"kind": record["workload_kind"], "name": record["workload"]} == move["workload"]
        assert json.loads(record["containers"]) == move["containers"]
        assert ([record["because"]] if record["because"] else []) == move["because"]


def test_a_plans_file_is_an_arrow_file_that_anybody_reads() -> None:
    file = pyarrow.ipc.open_file(io.BytesIO(shop_plan().to_bytes()))
    table = file.read_all()
    assert table.num_rows == len(shop_plan())
    kept = {key.decode(): value for key, value in (file.metadata or {}).items()}
    (header,) = [value for value in kept.values() if value.startswith(b"{")]
    assert json.loads(header) == json.loads(shop_plan().header())


def test_lines_can_be_taken_from_anywhere() -> None:
    plan = shop_plan()
    lines = plan.jsonl(0, len(plan)).splitlines()
    assert plan.jsonl(100, 3).splitlines() == lines[100:103]
    assert plan.jsonl(len(plan) - 1, 100).splitlines() == lines[-1:]
    assert plan.jsonl(len(plan), 10) == b""
