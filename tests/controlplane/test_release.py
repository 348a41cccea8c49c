"""The whole release of a shop on two control planes, under an auditor of its own rules."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.controlplane.plane import ControlPlane
from tests.controlplane.released import begun, pods, to, versions
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.auditing import Event
    from tests.controlplane.released import Planes
    from tests.controlplane.running import Running

KILLS = 30


def test_the_release_goes_as_planned_and_breaks_no_rule(filled: Planes, folder: Path) -> None:
    count = pods(filled)
    operator, plan = begun(folder, filled, to("1.1.0"))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert running.audit["disrupted"] == count
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == count
    print(went(ended))  # noqa: T201 `pytest -s` shows it
    assert ended["held"] == []
    assert versions(filled) == {"1.1.0"}


def went(ended: Event) -> str:
    """The row of docs/apply.md of a run; `pytest -s` prints it."""
    numbers = ended["fidelity"]
    return (
        f"\n{ended['moved']} of {numbers['moves']} | {numbers['as_planned']} as planned"
        f" | {ended['writes']} writes | {numbers['took_s']} s, {numbers['expected_s']} s"
    )


def has_done(running: Running, events: int) -> bool:
    return len(running.events) >= events or running.process.poll() is not None


def test_it_does_so_although_its_executor_is_killed_and_an_api_server_restarts(
    filled: Planes, folder: Path
) -> None:
    count = pods(filled)
    operator, plan = begun(folder, filled, to("1.2.0"))
    random = Random(1)
    kills = 0
    with operator.audited() as auditor:
        while True:
            with operator.apply(plan) as running:
                if kills == KILLS:
                    assert running.end() == 0, running.errors
                    break
                # At a random moment of what it does, wherever it is.
                running.wait_for("run")
                seen = len(running.events) + random.randrange(1, 8)
                until("it did so much", partial(has_done, running, seen))
                hangzhou = filled["hangzhou"]
                if kills == KILLS // 2 and isinstance(hangzhou, ControlPlane):
                    hangzhou.restart_api_server()
            kills += 1
        audit = auditor.found()
    # Whoever is killed between two writes may disrupt the pods of a wave twice, and nothing else.
    twice = [each for each in audit["violations"] if each.endswith(("twice", "disrupted again"))]
    assert audit["violations"] == twice
    assert len(twice) < 0.01 * count, twice
    assert audit["disrupted"] == count
    (ended,) = running.said("ended")
    assert ended["moved"] == count
    print(went(ended), f"| {kills} kills, {len(twice)} pods twice")  # noqa: T201 as above
    assert ended["fidelity"]["as_planned"] >= 0.99 * count
    assert versions(filled) == {"1.2.0"}
