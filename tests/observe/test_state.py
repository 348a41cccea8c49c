"""What follows from an answer of an API server."""

from __future__ import annotations

import pytest

from planner.errors import ClusterError
from planner.observe.state import Finding, Listing, State, Watching, after_error, after_page

PATH = "/api/v1/pods"
LISTING = Listing(path=PATH, page="abc")
WATCHING = Watching(path=PATH, reached="9")
BEGIN = Listing(path=PATH)

EXPIRED = ClusterError(410, "too old resource version: 9 (12)", reason="Expired")
EXPIRED_WITHOUT_CODE = ClusterError(0, "too old", reason="Gone")
AHEAD = ClusterError(504, "Too large resource version: 9, current: 7", reason="Timeout")
GONE = ClusterError(404, "the server could not find the requested resource", reason="NotFound")
BUSY = ClusterError(429, "try again later", reason="TooManyRequests", retry_after_s=2)
FORBIDDEN = ClusterError(403, "forbidden", reason="Forbidden")
CUT = ClusterError(0, "connection reset")
BROKEN = ClusterError(500, "etcd is away", reason="InternalError")


def test_pages_follow_each_other_and_then_comes_the_watch() -> None:
    second = after_page(BEGIN, page="abc", version="7")
    assert second == LISTING
    assert isinstance(second, Listing)
    assert after_page(second, page="", version="7") == Watching(path=PATH, reached="7")


@pytest.mark.parametrize("error", [EXPIRED, EXPIRED_WITHOUT_CODE, AHEAD])
@pytest.mark.parametrize("state", [LISTING, WATCHING])
def test_what_the_server_does_not_know_is_listed_from_the_first_page(
    state: State, error: ClusterError
) -> None:
    assert after_error(state, error) == BEGIN


@pytest.mark.parametrize("error", [BUSY, FORBIDDEN, CUT, BROKEN])
@pytest.mark.parametrize("state", [Finding(), Finding(reached="9"), LISTING, WATCHING])
def test_any_other_failure_is_tried_again_where_it_was(state: State, error: ClusterError) -> None:
    assert after_error(state, error) == state


def test_a_path_that_is_gone_is_looked_for_again() -> None:
    assert after_error(WATCHING, GONE) == Finding(reached="9")
    assert after_error(LISTING, GONE) == Finding()
