"""A feed of a live cluster and an import of its recording give the same fleet."""

from __future__ import annotations

import json
import lzma
from typing import TYPE_CHECKING, Any

import pytest

from planner import core
from planner.errors import InputError
from tests.objects import pod
from tests.shop import IDENTITY, SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator

SALT = IDENTITY.salt
CLUSTER = "hangzhou"
PAGE_ITEMS = 100


def folded(batches: list[core.Batch]) -> core.Fleet:
    events, position = [], 1
    for batch in batches:
        events.append((CLUSTER, position, batch))
        position += len(batch)
    return core.fold(core.Fleet.empty(), events)


def lists() -> Iterator[bytes]:
    for path in sorted((SHOP / CLUSTER).glob("*.xz")):
        yield lzma.decompress(path.read_bytes())


def pages(text: bytes) -> Iterator[bytes]:
    """The same list in pages."""
    whole = json.loads(text)
    items = whole.pop("items", None)
    if items is None:
        yield text
        return
    begins = range(0, max(1, len(items)), PAGE_ITEMS)
    for begin in begins:
        metadata = dict(whole["metadata"])
        if begin != begins[-1]:
            metadata["continue"] = str(begin)
        page = {**whole, "metadata": metadata, "items": items[begin : begin + PAGE_ITEMS]}
        yield json.dumps(page).encode()


def watched() -> Iterator[dict[str, Any]]:
    lines = lzma.decompress((SHOP / f"{CLUSTER}-watch.jsonl.xz").read_bytes()).splitlines()
    yield from (json.loads(line) for line in lines[:4000])


def test_the_recording_is_the_same_by_both_ways() -> None:
    intake = core.Intake(salt=SALT)
    for text in lists():
        intake.add("list", text)
    lines = "\n".join(json.dumps(each) for each in watched()).encode()
    intake.add("watch", lines)

    batches: list[core.Batch] = []
    for text in lists():
        for number, page in enumerate(pages(text)):
            # Each page in a commit of its own, as when the log is quick.
            feed = core.Feed(salt=SALT)
            feed.add("page", page, time_ms=1, begins=number == 0)
            batches += feed.finish()
    feed = core.Feed(salt=SALT)
    for each in watched():
        event = json.dumps(each["event"]).encode()
        feed.add("watch", event, time_ms=round(each["t"] * 1000))
    batches += feed.finish()

    imported, observed = folded(intake.finish()), folded(batches)
    assert observed.cluster_digest(CLUSTER) == imported.cluster_digest(CLUSTER)
    assert len(observed.pods()) > 1000
    assert observed.cluster_digest("shanghai") is None


def test_one_change_is_another_digest() -> None:
    text = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod(1)]})

    def digest(text: str) -> bytes | None:
        feed = core.Feed(salt=SALT)
        feed.add("page", text.encode(), time_ms=1, begins=True)
        return folded(feed.finish()).cluster_digest(CLUSTER)

    assert digest(text) == digest(text)
    assert digest(text) != digest(text.replace("cart-1", "cart-2"))


def test_rows_keep_the_order_in_which_things_came() -> None:
    feed = core.Feed(salt=SALT)
    seen = {"apiVersion": "v1", "kind": "Pod", **pod(1)}
    event = json.dumps({"type": "ADDED", "object": seen})
    page = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod(2)]})
    feed.add("watch", event.encode(), time_ms=5)
    feed.add("list", page.encode(), time_ms=7, begins=True)
    (batch,) = feed.finish()
    assert [(row["event"], row["time_ms"]) for row in batch.rows()] == [
        ("observed", 5),
        ("list_begun", 7),
        ("observed", 7),
        ("list_completed", 7),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"type":"ERROR","object":{"kind":"Status","message":"no"}}', "answered with an error"),
        (b'{"kind":"Status","message":"no"}', "answered with an error"),
        (b'{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1"}}', "no metadata"),
        (b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"x"}}', "decimal"),
    ],
)
def test_what_is_no_answer_is_an_error_with_its_source(text: bytes, message: str) -> None:
    feed = core.Feed(salt=SALT)
    with pytest.raises(InputError, match=message) as caught:
        feed.add("hangzhou pods", text, time_ms=1)
    assert caught.value.source == "hangzhou pods"


def test_kinds_that_are_not_used_are_counted() -> None:
    feed = core.Feed(salt=SALT)
    feed.add("x", b'{"kind":"SecretList","apiVersion":"v1","items":[{},{}]}', time_ms=1)
    assert feed.finish() == []
    assert feed.skipped == {"SecretList": 2}
