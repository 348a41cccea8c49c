"""Whatever is changed behind the log's back is found, with its position."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from planner.errors import ChainBrokenError
from planner.log import EventLog, NewCommit, Stream

HANGZHOU = Stream("cluster", "hangzhou")
PAYLOAD = b"one payload"

Change = Callable[[int, str, object], None]
Cut = Callable[[int], None]


@pytest.fixture(autouse=True)
def _three_commits(log: EventLog) -> None:
    for begin in (0, 10, 20):
        batch = NewCommit(codec="observations/1", payload=PAYLOAD, events=10, author="us")
        log.append(HANGZHOU, [batch], expected_version=begin)
    assert log.verify().position == 30


def broken_position(log: EventLog) -> int:
    with pytest.raises(ChainBrokenError) as caught:
        log.verify()
    assert caught.value.exit_code == 6
    assert f"position {caught.value.position}" in str(caught.value)
    return caught.value.position


def flipped(value: bytes, bit: int) -> bytes:
    number = int.from_bytes(value, "big") ^ (1 << bit)
    return number.to_bytes(len(value), "big")


@pytest.mark.parametrize("bit", [0, 7, 40, len(PAYLOAD) * 8 - 1])
def test_flipped_bit_of_a_payload_is_found(log: EventLog, change: Change, bit: int) -> None:
    change(11, "payload", flipped(PAYLOAD, bit))
    assert broken_position(log) == 11


@pytest.mark.parametrize("kept", [0, 1, len(PAYLOAD) - 1])
def test_truncated_payload_is_found(log: EventLog, change: Change, kept: int) -> None:
    change(11, "payload", PAYLOAD[:kept])
    assert broken_position(log) == 11


def test_reader_does_not_get_a_changed_payload(log: EventLog, change: Change) -> None:
    change(11, "payload", flipped(PAYLOAD, 3))
    reader = log.read()
    assert next(reader).position_first == 1
    with pytest.raises(ChainBrokenError) as caught:
        next(reader)
    assert caught.value.position == 11


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("position_last", 21),
        ("stream_kind", "run"),
        ("stream_name", "shanghai"),
        ("expected_version", 11),
        ("commit_id", bytes(32)),
        ("time_ms", 1),
        ("author", "somebody else"),
        ("codec", "observations/2"),
        ("payload_sha256", bytes(32)),
        ("digest", bytes(32)),
    ],
)
def test_change_of_any_column_is_found(
    log: EventLog, change: Change, column: str, value: object
) -> None:
    change(11, column, value)
    assert broken_position(log) == 11


def test_changed_first_position_leaves_a_gap(log: EventLog, change: Change) -> None:
    change(11, "position_first", 12)
    assert broken_position(log) == 11


@pytest.mark.parametrize("position", [1, 11])
def test_commit_that_was_taken_out_is_missed(log: EventLog, cut: Cut, position: int) -> None:
    cut(position)
    assert broken_position(log) == position


def test_commits_that_were_cut_off_the_end_are_missed(log: EventLog, cut: Cut) -> None:
    cut(21)
    cut(11)
    assert broken_position(log) == 11


def test_commit_behind_the_noted_end_is_found(log: EventLog, change: Change, cut: Cut) -> None:
    cut(21)
    change(11, "position_last", 40)
    assert broken_position(log) == 11


def test_payload_that_was_changed_with_its_digest_breaks_the_chain(
    log: EventLog, change: Change
) -> None:
    change(11, "payload", b"forged")
    change(11, "payload_sha256", sha256(b"forged").digest())
    assert broken_position(log) == 11
