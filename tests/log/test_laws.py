"""Laws that hold for any sequence of appends."""

from collections.abc import Callable
from itertools import accumulate

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.log import EventLog, NewCommit, Stream

STREAMS = [Stream("cluster", "hangzhou"), Stream("cluster", "shanghai"), Stream("run", "1")]

batches = st.builds(
    NewCommit,
    codec=st.just("observations/1"),
    payload=st.binary(max_size=20),
    events=st.one_of(st.integers(1, 4), st.integers(1, 65_536)),
    author=st.sampled_from(["us", "them"]),
)
appends = st.tuples(st.sampled_from(STREAMS), st.lists(batches, min_size=1, max_size=3))


# Databases are made anew for each example, so there are few examples.
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(appends, max_size=6))
def test_any_history_is_gapless_verifies_and_is_read_from_anywhere(
    fresh_log: Callable[[], EventLog], history: list[tuple[Stream, list[NewCommit]]]
) -> None:
    flat = [(stream, batch) for stream, given_batches in history for batch in given_batches]
    with fresh_log() as log:
        heads = [
            log.append(stream, given_batches, expected_version=log.version(stream))
            for stream, given_batches in history
        ]
        commits = list(log.read())

        ends = list(accumulate((batch.events for _, batch in flat), initial=0))
        assert [each.position_first - 1 for each in commits] == ends[:-1]
        assert [each.position_last for each in commits] == ends[1:]
        assert [(each.stream, each.payload) for each in commits] == [
            (stream, batch.payload) for stream, batch in flat
        ]
        assert log.verify() == (heads[-1] if heads else log.head())
        for index, end in enumerate(ends):
            assert list(log.read(after=end)) == commits[index:]
            assert list(log.read(until=end)) == commits[:index]
        for stream in STREAMS:
            own = [batch.events for each, batch in flat if each == stream]
            assert log.version(stream) == sum(own)
