"""The inbox keeps order and is bounded, whoever is slow."""

from __future__ import annotations

from threading import Thread

import pytest

from planner.observe.inbox import Closed, Inbox, Received

SIZE = 100


def received(number: int, size: int = SIZE) -> Received:
    return Received(cluster="a", source="a pods", text=b"x" * size, time_ms=number)


def take(inbox: Inbox, wanted: int = 1000) -> list[int]:
    taken = inbox.take(bytes_wanted=wanted, wait_s=5, linger_s=0)
    return [each.time_ms for each in taken]


def test_what_comes_first_is_taken_first_and_only_once() -> None:
    inbox = Inbox(bytes_max=10 * SIZE)
    for number in range(5):
        inbox.put(received(number))
    assert take(inbox, 3 * SIZE) == [0, 1, 2]
    assert take(inbox) == [3, 4]
    assert inbox.take(bytes_wanted=1, wait_s=0, linger_s=0) == []


def test_many_writers_never_put_in_more_than_there_is_room_for() -> None:
    inbox = Inbox(bytes_max=3 * SIZE)

    def write(begin: int) -> None:
        for number in range(begin, begin + 50):
            inbox.put(received(number))

    writers = [Thread(target=write, args=(begin,)) for begin in (0, 100, 200)]
    for writer in writers:
        writer.start()
    taken: list[int] = []
    while len(taken) < 150:
        taken += take(inbox, SIZE)
    for writer in writers:
        writer.join()
    # Each writer's own order is kept.
    for begin in (0, 100, 200):
        assert [each for each in taken if begin <= each < begin + 50] == list(
            range(begin, begin + 50)
        )
    assert inbox.bytes_peak == 3 * SIZE


def test_what_is_taken_counts_until_the_next_time() -> None:
    inbox = Inbox(bytes_max=2 * SIZE)
    inbox.put(received(0))
    inbox.put(received(1))
    assert take(inbox) == [0, 1]
    waiting = Thread(target=inbox.put, args=(received(2),))
    waiting.start()
    assert inbox.bytes_peak == 2 * SIZE
    assert take(inbox) == [2]
    waiting.join()


def test_a_piece_larger_than_the_room_is_let_in_alone() -> None:
    inbox = Inbox(bytes_max=SIZE)
    inbox.put(received(0, 5 * SIZE))
    waiting = Thread(target=inbox.put, args=(received(1),))
    waiting.start()
    assert take(inbox) == [0]
    assert take(inbox) == [1]
    waiting.join()


def test_closing_lets_go_of_those_who_wait() -> None:
    inbox = Inbox(bytes_max=SIZE)
    inbox.put(received(0))
    told: list[str] = []

    def write() -> None:
        try:
            inbox.put(received(1))
        except Closed:
            told.append("closed")

    waiting = Thread(target=write)
    waiting.start()
    inbox.close()
    waiting.join()
    assert told == ["closed"]
    assert take(inbox) == [0]


def test_whoever_takes_learns_that_a_watch_broke() -> None:
    inbox = Inbox(bytes_max=SIZE)
    inbox.fail(ValueError("nobody foresaw this"))
    with pytest.raises(ValueError, match="nobody foresaw"):
        take(inbox)
