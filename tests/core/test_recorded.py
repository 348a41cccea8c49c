"""The recorded watch leads from the list before it to the list after it."""

import lzma
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from planner import core

SHOP = Path(__file__).parents[2] / "examples" / "shop"
SALT = bytes(32)
MARKS = {"event", "time_ms"}
Objects = dict[tuple[str, str], dict[str, Any]]


def _batches(*names: str) -> list[core.Batch]:
    intake = core.Intake(salt=SALT)
    for name in names:
        path = SHOP / name
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            intake.add(file.name, lzma.decompress(file.read_bytes()))
    return intake.finish()


def _folded(batches: list[core.Batch]) -> core.Fleet:
    position, events = 1, []
    for batch in batches:
        events.append(("hangzhou", position, batch))
        position += len(batch)
    return core.fold(core.Fleet.empty(), events)


def _objects(batches: list[core.Batch]) -> Objects:
    """What exists after rows, told without the fold of the core."""
    known: Objects = {}
    for row in (row for batch in batches for row in batch.rows()):
        if row["event"] in {"observed", "gone"}:
            key = (row["resource"], row["uid"])
            if row["event"] == "gone":
                known.pop(key, None)
            elif key not in known or row["resource_version"] > known[key]["resource_version"]:
                known[key] = {name: value for name, value in row.items() if name not in MARKS}
    return known


@pytest.fixture(scope="module")
def watched() -> list[core.Batch]:
    """The list before the upgrade, then everything that the watch saw."""
    return _batches("hangzhou", "hangzhou-watch.jsonl.xz")


def test_the_watch_leads_to_the_list_after_it(watched: list[core.Batch]) -> None:
    # Nobody watched the revisions.
    def told(objects: Objects) -> Objects:
        return {key: row for key, row in objects.items() if key[0] != "controllerrevisions"}

    after = told(_objects(_batches("hangzhou-after")))
    assert told(_objects(watched)) == after
    assert len(after) == 1394


def test_the_fleet_holds_the_pods_that_exist(watched: list[core.Batch]) -> None:
    expected = {
        uid: row for (resource, uid), row in _objects(watched).items() if resource == "pods"
    }
    found = {}
    for pod in pa.table(_folded(watched).pods()).to_pylist():
        uid = str(UUID(bytes=pod.pop("uid")))
        assert pod.pop("cluster") == "hangzhou"
        found[uid] = pod | {"resource": "pods", "uid": uid}
    assert found == expected


def test_a_log_may_be_cut_anywhere(watched: list[core.Batch]) -> None:
    pieces = [batch.slice(at, 97) for batch in watched for at in range(0, len(batch), 97)]
    whole = _folded(watched)
    assert _folded(pieces).digest() == whole.digest()
    assert core.Fleet.from_bytes(whole.to_bytes()).digest() == whole.digest()


def test_a_list_replaces_what_was_known(watched: list[core.Batch]) -> None:
    after = _batches("hangzhou-after")
    led, listed = _folded([*watched, *after]), _folded(after)
    names = ["uid", "resource_version", "node", "status"]
    tables = [pa.table(fleet.pods()).select(names).sort_by("uid") for fleet in (led, listed)]
    assert tables[0].to_pylist() == tables[1].to_pylist()
