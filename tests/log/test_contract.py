"""What every log keeps, wherever it keeps its commits."""

from collections.abc import Callable

import pytest

from planner.errors import ConflictError, LogError
from planner.log import Commit, EventLog, LogIdentity, NewCommit, Stream
from planner.model.clock import ManualClock

HANGZHOU = Stream("cluster", "hangzhou")
SHANGHAI = Stream("cluster", "shanghai")
PLAN = Stream("plan", "9f86d081884c7d65")


def new(
    payload: bytes = b"payload", events: int = 1, commit_id: bytes | None = None, author: str = "us"
) -> NewCommit:
    return NewCommit(
        codec="observations/1", payload=payload, events=events, author=author, commit_id=commit_id
    )


def places(commits: list[Commit]) -> list[tuple[int, int, str]]:
    return [(each.position_first, each.position_last, str(each.stream)) for each in commits]


def test_empty_log_ends_at_position_0(log: EventLog) -> None:
    assert log.head().position == 0
    assert log.verify() == log.head()
    assert list(log.read()) == []
    assert log.version(HANGZHOU) == 0
    assert log.streams("cluster") == []


def test_commit_is_read_as_it_was_appended(log: EventLog, clock: ManualClock) -> None:
    head = log.append(HANGZHOU, [new(b"\x00\xff", events=3)], expected_version=0)
    (commit,) = log.read()
    assert (commit.position_first, commit.position_last, commit.events) == (1, 3, 3)
    assert commit.stream == HANGZHOU
    assert (commit.expected_version, commit.version) == (0, 3)
    assert (commit.author, commit.codec, commit.payload) == ("us", "observations/1", b"\x00\xff")
    assert commit.time_ms == clock.now_ms()
    assert (commit.position_last, commit.digest) == (head.position, head.digest)
    assert log.head() == head


def test_positions_are_gapless_over_all_streams(log: EventLog) -> None:
    log.append(HANGZHOU, [new(events=10), new(events=5)], expected_version=0)
    log.append(SHANGHAI, [new(events=2)], expected_version=0)
    log.append(HANGZHOU, [new(events=1)], expected_version=15)
    assert places(list(log.read())) == [
        (1, 10, "cluster/hangzhou"),
        (11, 15, "cluster/hangzhou"),
        (16, 17, "cluster/shanghai"),
        (18, 18, "cluster/hangzhou"),
    ]
    assert (log.version(HANGZHOU), log.version(SHANGHAI)) == (16, 2)


def test_append_on_an_older_version_is_a_conflict_and_changes_nothing(log: EventLog) -> None:
    before = log.append(HANGZHOU, [new(events=2)], expected_version=0)
    with pytest.raises(ConflictError, match="cluster/hangzhou: expected 0 events, but there are 2"):
        log.append(HANGZHOU, [new(b"other")], expected_version=0)
    assert log.head() == before


def test_append_on_a_version_that_is_not_yet_is_a_conflict(log: EventLog) -> None:
    with pytest.raises(ConflictError):
        log.append(HANGZHOU, [new()], expected_version=1)
    assert log.head().position == 0


def test_append_without_expected_version_takes_any(log: EventLog) -> None:
    log.append(HANGZHOU, [new()], expected_version=None)
    log.append(HANGZHOU, [new()], expected_version=None)
    assert log.version(HANGZHOU) == 2


def test_append_is_all_or_nothing(log: EventLog) -> None:
    taken = bytes(16)
    before = log.append(SHANGHAI, [new(commit_id=taken)], expected_version=0)
    with pytest.raises(ConflictError, match="1 of 2 commits are in the log already"):
        log.append(HANGZHOU, [new(b"first"), new(commit_id=taken)], expected_version=0)
    assert log.head() == before
    assert log.version(HANGZHOU) == 0


def test_append_of_nothing_changes_nothing(log: EventLog) -> None:
    before = log.append(HANGZHOU, [new()], expected_version=0)
    assert log.append(HANGZHOU, [], expected_version=1) == before
    assert log.verify() == before


def test_repeated_append_gives_the_first_result_and_writes_nothing(log: EventLog) -> None:
    batches = [new(b"a", events=2), new(b"b", events=3)]
    first = log.append(HANGZHOU, batches, expected_version=0)
    last = log.append(HANGZHOU, [new(b"c")], expected_version=5)
    assert log.append(HANGZHOU, batches, expected_version=0) == first
    assert log.head() == last


def test_repeated_append_by_id_succeeds_on_any_version(log: EventLog) -> None:
    batch = new(commit_id=bytes(range(16)))
    first = log.append(HANGZHOU, [batch], expected_version=0)
    assert log.append(HANGZHOU, [batch], expected_version=1) == first
    assert log.append(HANGZHOU, [batch], expected_version=None) == first
    assert log.version(HANGZHOU) == 1


@pytest.mark.parametrize(
    ("stream", "batch"),
    [
        (HANGZHOU, new(b"other", commit_id=bytes(16))),
        (HANGZHOU, new(events=2, commit_id=bytes(16))),
        (HANGZHOU, new(author="them", commit_id=bytes(16))),
        (SHANGHAI, new(commit_id=bytes(16))),
    ],
)
def test_one_id_for_two_contents_is_a_conflict(
    log: EventLog, stream: Stream, batch: NewCommit
) -> None:
    before = log.append(HANGZHOU, [new(commit_id=bytes(16))], expected_version=0)
    with pytest.raises(ConflictError, match="use a new id"):
        log.append(stream, [batch], expected_version=None)
    assert log.head() == before


def test_one_id_for_two_commits_of_an_append_is_a_conflict(log: EventLog) -> None:
    twice = new(commit_id=bytes(16))
    with pytest.raises(ConflictError, match="same id"):
        log.append(HANGZHOU, [twice, twice], expected_version=0)
    assert log.head().position == 0


def test_same_content_at_another_version_is_another_commit(log: EventLog) -> None:
    log.append(HANGZHOU, [new(), new()], expected_version=0)
    log.append(HANGZHOU, [new()], expected_version=2)
    assert log.version(HANGZHOU) == 3


def test_read_gives_whole_commits_that_hold_a_position_of_interest(log: EventLog) -> None:
    log.append(HANGZHOU, [new(events=10), new(events=10), new(events=10)], expected_version=0)
    firsts = [
        [commit.position_first for commit in log.read(after=after, until=until)]
        for after, until in [(0, None), (9, None), (10, None), (10, 20), (10, 21), (0, 0), (30, 40)]
    ]
    assert firsts == [[1, 11, 21], [1, 11, 21], [11, 21], [11], [11, 21], [], []]


def test_read_keeps_to_a_kind_or_a_stream(log: EventLog) -> None:
    for stream in (HANGZHOU, PLAN, SHANGHAI, HANGZHOU):
        log.append(stream, [new()], expected_version=None)
    assert [each.position_last for each in log.read(kind="plan")] == [2]
    assert [each.position_last for each in log.read(kind="cluster", after=1)] == [3, 4]
    assert [each.position_last for each in log.read(stream=HANGZHOU)] == [1, 4]
    assert [each.position_last for each in log.read(stream=HANGZHOU, kind="plan")] == []


def test_append_while_reading_disturbs_nobody(log: EventLog) -> None:
    log.append(HANGZHOU, [new(), new()], expected_version=0)
    reader = log.read()
    first = next(reader)
    log.append(HANGZHOU, [new()], expected_version=2)
    assert [first.position_first, *(each.position_first for each in reader)][:2] == [1, 2]
    assert log.head().position == 3


def test_streams_are_listed_by_name(log: EventLog) -> None:
    for stream in (SHANGHAI, PLAN, HANGZHOU, SHANGHAI):
        log.append(stream, [new()], expected_version=None)
    assert log.streams("cluster") == [HANGZHOU, SHANGHAI]
    assert log.streams("plan") == [PLAN]
    assert log.streams("run") == []


def test_position_at_a_time_is_the_last_one_appended_by_then(
    log: EventLog, clock: ManualClock
) -> None:
    begin_ms = clock.now_ms()
    log.append(HANGZHOU, [new(events=5)], expected_version=0)
    clock.advance(1000)
    log.append(HANGZHOU, [new(events=5)], expected_version=5)
    asked_ms = [begin_ms - 1, begin_ms, begin_ms + 999, begin_ms + 1000, begin_ms + 10**9]
    assert [log.position_at(each) for each in asked_ms] == [0, 5, 5, 10, 10]


def test_clock_that_goes_back_does_not_reorder_the_log(log: EventLog, clock: ManualClock) -> None:
    begin_ms = clock.now_ms()
    log.append(HANGZHOU, [new()], expected_version=0)
    clock.advance(-5000)
    log.append(HANGZHOU, [new()], expected_version=1)
    assert [each.time_ms for each in log.read()] == [begin_ms, begin_ms]


def test_digest_at_a_position_is_that_of_its_commit(log: EventLog) -> None:
    empty = log.head().digest
    first = log.append(HANGZHOU, [new(events=5)], expected_version=0)
    second = log.append(HANGZHOU, [new(events=5)], expected_version=5)
    assert [log.digest_at(each) for each in (0, 1, 5, 6, 10)] == [
        empty,
        first.digest,
        first.digest,
        second.digest,
        second.digest,
    ]
    with pytest.raises(LogError, match="position 11: the log ends at 10"):
        log.digest_at(11)


def test_another_reader_sees_what_was_appended(
    log: EventLog, open_again: Callable[[], EventLog], identity: LogIdentity
) -> None:
    head = log.append(HANGZHOU, [new()], expected_version=0)
    other = open_again()
    assert other.identity == identity
    assert other.head() == head
    assert list(other.read()) == list(log.read())


def test_largest_batch_and_a_payload_of_megabytes_are_kept(log: EventLog) -> None:
    payload = bytes(range(256)) * 10_000
    log.append(HANGZHOU, [new(payload, events=65_536)], expected_version=0)
    (commit,) = log.read()
    assert commit.payload == payload
    assert commit.events == 65_536
    assert log.verify().position == 65_536


@pytest.mark.parametrize("events", [0, 65_537])
def test_batch_out_of_range_is_refused(events: int) -> None:
    with pytest.raises(LogError, match="a commit holds 1 to 65,536 events"):
        new(events=events)
