"""What decides how to go on is read from raw answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import ClusterError
from planner.observe.follow import _until_error
from planner.observe.wire import read_page, read_version, serves, whole_lines

EVENT = b'{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"12"}}}\n'
ERROR = (
    b'{"type":"ERROR","object":{"kind":"Status","metadata":{},"status":"Failure",'
    b'"message":"too old resource version: 1 (9)","reason":"Expired","code":410}}\n'
)


def test_a_page_tells_its_version_and_the_next_one() -> None:
    page = b'{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"abc"},"items":[]}'
    assert read_page(page) == ("7", "abc")
    assert read_page(page.replace(b',"continue":"abc"', b"")) == ("7", "")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"metadata":null}', b"\xff"])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    with pytest.raises(ClusterError, match="not what an API server sends"):
        read_page(body)


def test_a_list_without_a_version_is_an_error() -> None:
    with pytest.raises(ClusterError, match="no resourceVersion"):
        read_page(b'{"kind":"PodList","metadata":{"continue":"abc"},"items":[]}')


def test_a_kind_is_served_when_it_can_be_watched() -> None:
    body = (
        b'{"resources":[{"name":"clonesets","verbs":["list","watch"]},'
        b'{"name":"clonesets/status","verbs":["get"]},{"name":"old","verbs":["list"]}]}'
    )
    assert serves(body, "clonesets")
    assert not serves(body, "old")
    assert not serves(body, "sidecarsets")


def test_an_event_tells_its_version_and_an_error_is_one() -> None:
    assert read_version(EVENT) == "12"
    with pytest.raises(ClusterError) as caught:
        read_version(ERROR)
    assert (caught.value.status, caught.value.reason) == (410, "Expired")


def test_events_before_an_error_are_kept() -> None:
    text, reached, error = _until_error(EVENT + ERROR)
    assert (text, reached) == (EVENT, "12")
    assert error is not None
    assert _until_error(EVENT + EVENT)[2] is None


@given(st.lists(st.binary(max_size=20)), st.data())
def test_lines_are_whole_however_they_were_cut(lines: list[bytes], data: st.DataObject) -> None:
    whole = [line.replace(b"\n", b"") + b"\n" for line in lines]
    text = b"".join(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    begins, ends = [0, *cuts], [*cuts, len(text)]
    pieces = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    given_ = list(whole_lines([*pieces, b"cut off"]))
    assert b"".join(given_) == text
    assert all(each.endswith(b"\n") for each in given_)
