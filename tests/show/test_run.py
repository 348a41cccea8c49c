"""What a person reads while a run goes on, and at its end."""

from msgspec.json import encode
from msgspec.structs import replace

from planner.model.progress import Ended, Fidelity, LettingGo, Moving, Tightest, Tried, Wave
from planner.show.run import event_text, is_passing

MOVING = Moving(
    wave=3, of=9, moves=40, moving=10, back=29, failed=1, moved=129, total=400, left_s=1260,
    tightest=Tightest(name="pdb/trade/cart", taken=2, limit=3), why="pdb/trade/cart has no room",
)  # fmt: skip
ENDED = Ended(
    run="r", ending="incomplete", why="", moved=399, failed=1, writes=420, plans=("p", "q"),
    held=("hz/trade/Deployment/cart: 1 pod stays at another version",),
    fidelity=Fidelity(moves=400, as_planned=396, expected_s=120.0, took_s=240.0),
)  # fmt: skip


def test_the_line_that_changes_says_how_far_it_is_and_how_long_it_takes_still() -> None:
    assert is_passing(MOVING)
    assert event_text(MOVING) == (
        "wave 3/9 · 29/40 back · 10 moving · 1 failed · 129/400 in all · about 21m to go"
        " · tightest pdb/trade/cart 2 of 3 · pdb/trade/cart has no room"
    )


def test_a_streaming_run_has_no_waves_and_a_part_for_every_gate() -> None:
    """Of a run without gates all that is to be told is how much of everything is back."""
    whole = replace(MOVING, streaming=True, wave=1, of=1, moves=400, back=129, why="")
    assert event_text(whole) == (
        "129/400 back · 10 moving · 1 failed · about 21m to go · tightest pdb/trade/cart 2 of 3"
    )
    part = replace(MOVING, streaming=True, why="")
    assert event_text(part).startswith("part 3/9 · 29/40 back · 10 moving")
    assert event_text(LettingGo(wave=3, moves=7, streaming=True)) == "letting 7 pods go"
    begins = Wave(wave=1, of=2, moves=40, workloads=("a",), left_s=60, streaming=True)
    assert event_text(begins).startswith("Part 1 of 2: 40 pods of a")
    assert event_text(replace(begins, of=1)).startswith("Streaming: 40 pods of a")
    assert b"streaming" not in encode(MOVING), "others do not speak of it"


def test_a_dry_run_that_a_budget_has_no_room_for_does_not_say_that_all_goes_now() -> None:
    all_goes = "Every cluster would take every write of the plan"
    assert event_text(Tried(plan="p", refused_for_now=0)) == all_goes
    waits = ", for 1,200 pods once a budget has room"
    assert event_text(Tried(plan="p", refused_for_now=1200)) == all_goes + waits


def test_a_run_that_left_pods_behind_is_not_called_done() -> None:
    assert event_text(ENDED) == (
        "Run r is over and incomplete: planned pods stay at another version; "
        "`planner apply p` moves them once they can move\n"
        "  399 pods moved, 1 failed, by 420 writes\n"
        "  396 of 400 planned moves (99.0 %) went in the wave and in the way that the plan said\n"
        "  its waves took 4m, expected were 2m\n"
        "  held: hz/trade/Deployment/cart: 1 pod stays at another version"
    )
