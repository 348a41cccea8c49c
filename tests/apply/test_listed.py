"""A run in short: what it waits for, at every point at which somebody may look."""

from planner.apply.events import (
    AbortAsked,
    AnyEvent,
    ApprovalAsked,
    Approved,
    Ended,
    Leased,
    Paused,
    Replanned,
    Resumed,
    Started,
    Stopped,
    WaveBegun,
    WaveEnded,
)
from planner.apply.listed import listed
from planner.apply.state import Run, fold
from planner.model.runs import ListedRun

GATED: tuple[AnyEvent, ...] = (
    WaveBegun(wave=1, moves="0-4"),
    WaveEnded(wave=1),
    ApprovalAsked(wave=1, what=("canary",)),
    Stopped(reason="gate", text="an approval is asked for"),
)
DRIFTED = Stopped(reason="drift", text="trade/cart is gone")


def after(*events: AnyEvent) -> ListedRun:
    run = fold(Run(), [Started(plan="p", by="me", policy={}), *events], 1_795_428_000_000)
    return listed("r", run)


def test_a_run_that_has_begun_is_open_and_says_since_when() -> None:
    run = after()
    assert (run.state, run.wave, run.began) == ("open", 0, "2026-11-23T10:00:00Z")


def test_it_says_that_an_approval_is_missing_and_no_longer_when_it_is_given() -> None:
    assert after(*GATED).state == "approval"
    given = after(*GATED, Approved(by="me"))
    assert (given.state, given.why) == ("open", ""), "no executor came since, and none has to"


def test_it_says_why_it_stopped_until_somebody_takes_it_in_hand() -> None:
    approved = (*GATED, Approved(by="me"), DRIFTED)
    assert (after(*approved).state, after(*approved).why) == ("stopped", "trade/cart is gone")
    taken = after(*approved, Leased(epoch=2, holder="me"))
    assert (taken.state, taken.why) == ("open", "")


def test_what_people_asked_for_is_said() -> None:
    assert after(Paused(by="me")).state == "paused"
    assert after(Paused(by="me"), Resumed(by="me")).state == "open"
    assert after(Paused(by="me"), AbortAsked(by="me")).state == "ending"


def test_a_run_that_is_over_says_what_it_left_held_whatever_was_before() -> None:
    held = ("trade/cart: 3 pods stay at another version",)
    over = after(*GATED, AbortAsked(by="me"), Ended(outcome="aborted", held=held))
    assert (over.state, over.held) == ("aborted", held)


def test_it_names_every_plan_that_it_has_followed() -> None:
    run = after(WaveBegun(wave=1, moves="0-4"), Replanned(plan="q", why=("x",)))
    assert (run.plans, run.wave) == (("p", "q"), 0)
