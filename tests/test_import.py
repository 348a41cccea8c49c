"""Recorded input goes into the log whole or not at all."""

from __future__ import annotations

import json
import lzma
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import planner
from planner import core
from planner.errors import CodecError, InputError
from planner.log import NewCommit, Stream
from planner.log.open import open_log
from tests.objects import pod, pod_list
from tests.shop import IDENTITY, SHOP, clock, empty_log

if TYPE_CHECKING:
    from pathlib import Path


def with_restarts(count: object) -> dict[str, Any]:
    broken = pod(2)
    broken["status"]["containerStatuses"][0]["restartCount"] = count
    return broken


@pytest.fixture
def log() -> planner.Log:
    """A log with something in it already."""
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    return log


def refused(log: planner.Log, *paths: Path) -> InputError:
    """The one error; nothing was appended."""
    before = log.events.head()
    with pytest.raises(InputError) as caught:
        log.import_recorded("hangzhou", *paths)
    assert log.events.head() == before
    assert log.events.streams("cluster") == [Stream("cluster", "shanghai")]
    assert log.events.verify() == before
    assert "\n" not in str(caught.value)
    return caught.value


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "an id that is none": (pod(2, uid="cart"), "not a UUID"),
    "no name": (pod(2, name=None), "metadata.name"),
    "a time that is none": (pod(2, creationTimestamp="yesterday"), "timestamp"),
    "a version that is none": (pod(2, resourceVersion="seven"), "not a decimal"),
    "a version out of range": (pod(2, resourceVersion=str(1 << 64)), "not a decimal"),
    "restarts below zero": (with_restarts(-1), "negative"),
    "restarts out of range": (with_restarts(1 << 31), "i32"),
    "restarts that are no number": (with_restarts("many"), "invalid type"),
    "the same pod twice": (pod(1), "twice"),
    "two pods of one name": (pod(2, name="cart-1"), "two uids"),
    "another kind of object": ({"kind": "Node", "apiVersion": "v1", **pod(2)}, "in a list of pods"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_object_is_named_by_its_byte(log: planner.Log, tmp_path: Path, name: str) -> None:
    broken, message = BROKEN[name]
    text = pod_list(pod(1), broken)
    path = tmp_path / "pods.json"
    path.write_text(text)
    error = refused(log, path)
    assert message in error.message
    assert (error.source, error.offset) == (str(path), text.rindex(json.dumps(broken)))
    assert str(error).startswith(f"{path}: byte {error.offset}: ")


def test_an_offset_counts_from_the_beginning_of_the_file(log: planner.Log, tmp_path: Path) -> None:
    text = "\ufeff" + pod_list(pod(1), pod(1))
    path = tmp_path / "pods.json"
    path.write_text(text, encoding="utf-8")
    assert refused(log, path).offset == text.encode().rindex(json.dumps(pod(1)).encode())


def test_a_file_that_is_cut_off_is_refused_where_it_ends(log: planner.Log, tmp_path: Path) -> None:
    text = pod_list(pod(1), pod(2))
    path = tmp_path / "pods.json"
    for end in (1, 20, len(text) // 2, len(text) - 1):
        path.write_text(text[:end])
        assert refused(log, path).offset == end


def test_a_packed_file_that_is_cut_off_is_refused_where_it_ends(
    log: planner.Log, tmp_path: Path
) -> None:
    whole = (SHOP / "hangzhou" / "pods.json.xz").read_bytes()
    path = tmp_path / "pods.json.xz"
    path.write_bytes(whole[:5000])
    assert refused(log, path).offset == 5000


def test_a_byte_that_is_not_text_is_refused_where_it_is(log: planner.Log, tmp_path: Path) -> None:
    text = pod_list(pod(1)).encode()
    at = text.index(b"trade")
    path = tmp_path / "pods.json"
    path.write_bytes(text[:at] + b"\xff" + text[at + 1 :])
    assert refused(log, path).source == str(path)


def test_the_good_files_of_a_folder_do_not_go_in_without_the_bad_one(
    log: planner.Log, tmp_path: Path
) -> None:
    folder = tmp_path / "hangzhou"
    shutil.copytree(SHOP / "hangzhou", folder)
    (folder / "zz-last.json").write_text(pod_list(pod(1))[:-1])
    assert refused(log, folder).source == str(folder / "zz-last.json")


def test_a_page_without_the_next_is_refused(log: planner.Log, tmp_path: Path) -> None:
    page = json.loads(pod_list(pod(1)))
    page["metadata"] = {"continue": "page-2", "remainingItemCount": 7}
    path = tmp_path / "pods.json"
    path.write_text(json.dumps(page))
    assert refused(log, path).source == str(path)


def test_what_the_api_server_refused_is_quoted(log: planner.Log, tmp_path: Path) -> None:
    status = {"kind": "Status", "apiVersion": "v1", "message": "pods is forbidden for User x"}
    path = tmp_path / "pods.json"
    path.write_text(json.dumps(status))
    error = refused(log, path)
    assert "pods is forbidden for User x" in error.message
    assert error.offset == 0


def test_nothing_that_the_planner_uses_is_an_error(log: planner.Log, tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"kind": "SecretList", "apiVersion": "v1", "items": []}')
    before = log.events.head()
    with pytest.raises(InputError, match="no object of a kind that the planner uses"):
        log.import_recorded("hangzhou", path)
    assert log.events.head() == before


def test_a_payload_of_an_unknown_codec_is_refused_by_name(log: planner.Log) -> None:
    newer = NewCommit(codec="observations/999", payload=b"?", events=1, author="planner 9")
    log.events.append(Stream("cluster", "later"), [newer], expected_version=0)
    with pytest.raises(CodecError, match="observations/999"):
        log.fleet()
    assert log.fleet(at="465").position == 465


@pytest.mark.parametrize("at", [0, 1, 100, -1])
def test_a_damaged_batch_is_refused(at: int) -> None:
    payload = bytearray(batches_of(SHOP / "shanghai")[0].to_bytes())
    payload[at] ^= 0xFF
    with pytest.raises(CodecError):
        core.Batch.from_bytes(bytes(payload))


def batches_of(path: Path) -> list[core.Batch]:
    log = empty_log()
    log.import_recorded("x", path)
    return [core.Batch.from_bytes(commit.payload) for commit in log.events.read()]


def test_importing_the_same_again_changes_nothing_in_the_fleet() -> None:
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    once = log.fleet()
    done = log.import_recorded("shanghai", SHOP / "shanghai")
    assert done.position == 2 * once.position
    assert pods_of(log.fleet()) == pods_of(once)
    later, sooner = planner.status(log), planner.status(log, at=str(once.position))
    assert {**later, "position": 0} == {**sooner, "position": 0}
    assert log.events.verify().position == done.position


def pods_of(fleet: core.Fleet) -> list[str]:
    return sorted(map(str, pa.record_batch(fleet.pods()).to_pylist()))


def test_what_a_later_import_does_not_mention_is_gone(tmp_path: Path) -> None:
    log = empty_log()
    three, two = tmp_path / "three.json", tmp_path / "two.json"
    three.write_text(pod_list(pod(1), pod(2), pod(3)))
    two.write_text(pod_list(pod(1), pod(3)))
    log.import_recorded("hangzhou", three)
    log.import_recorded("hangzhou", two)
    assert len(log.fleet().pods()) == 2
    assert len(log.fleet(at="5").pods()) == 3


def test_what_a_partial_import_does_not_mention_stays(tmp_path: Path) -> None:
    log = empty_log()
    two, one = tmp_path / "two.json", tmp_path / "one.json"
    two.write_text(pod_list(pod(1), pod(2)))
    one.write_text(pod_list(pod(3)))
    log.import_recorded("hangzhou", two)
    done = log.import_recorded("hangzhou", one, partial=True)
    assert done.events == 1
    assert len(log.fleet().pods()) == 3


def test_clusters_do_not_mix(tmp_path: Path) -> None:
    log = empty_log()
    path = tmp_path / "pods.json"
    path.write_text(pod_list(pod(1)))
    log.import_recorded("hangzhou", path)
    log.import_recorded("shanghai", path)
    assert len(log.fleet().pods()) == 2


def test_the_forms_in_which_one_list_may_come_are_one_fleet(tmp_path: Path) -> None:
    items = [{"kind": "Pod", "apiVersion": "v1", **pod(number)} for number in (1, 2)]
    kubectl = {"kind": "List", "apiVersion": "v1", "items": items}
    (tmp_path / "list.json").write_text(pod_list(pod(1), pod(2)))
    (tmp_path / "kubectl.json").write_text(json.dumps(kubectl))
    (tmp_path / "packed.json.xz").write_bytes(lzma.compress(pod_list(pod(1), pod(2)).encode()))
    digests = {
        path.name: digest_of(path)
        for path in (tmp_path / name for name in ("list.json", "kubectl.json", "packed.json.xz"))
    }
    assert len(set(digests.values())) == 1, digests


def digest_of(path: Path) -> bytes:
    log = empty_log()
    log.import_recorded("hangzhou", path)
    return log.fleet().digest()


def test_an_import_that_is_refused_leaves_no_byte_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "planner.db"
    events = open_log(f"sqlite:///{path}", clock=clock(), new_identity=lambda: IDENTITY)
    bad = tmp_path / "pods.json"
    bad.write_text(pod_list(pod(1), pod(1)))
    with planner.Log(events) as log, pytest.raises(InputError):
        log.import_recorded("hangzhou", bad)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM commits").fetchone() == (0,)
    connection.close()
