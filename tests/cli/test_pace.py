"""A long step says how fast it goes, and for how long still."""

from planner.cli.pace import paced


def test_a_rate_is_told_when_there_is_one() -> None:
    times = iter((100.0, 101.0, 104.0, 110.0))
    told: list[str] = []
    tell = paced(told.append, "solving", clock=lambda: next(times))
    for done in (0, 3, 2_000, 5_000):
        tell(done, 6_000)
    assert told == [
        "solving: 0 of 6,000",
        "solving: 3 of 6,000",
        "solving: 2,000 of 6,000, 500.0 a second, 8s left",
        "solving: 5,000 of 6,000, 500.0 a second, 2s left",
    ]
