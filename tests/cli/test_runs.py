"""`planner runs`, and what `planner apply` and its companions refuse before they act."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

import planner
from planner.apply.events import Back, Ended, LetGo, Started, Stopped, WaveBegun, Written
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.log.open import open_log
from planner.model.progress import Fidelity
from planner.model.runs import Runs
from tests.cli.test_shapes import assert_published
from tests.shop import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planner.log import EventLog
    from tests.cli.conftest import Ran, Run

HELD = "hangzhou/trade/CloneSet/cart: 3 pods stay at another version"


@pytest.fixture
def log(log_path: Path) -> Iterator[EventLog]:
    """The log that the commands read, a minute later at every commit."""
    later = clock()
    log = open_log(f"sqlite:///{log_path}", clock=later, create=False)
    # The id of the first run comes after that of the second: runs are listed as they began.
    first = Journal(log, "b")
    first.append(Started(plan="p", by="me", policy={}))
    first.append(WaveBegun(wave=1, moves="0-4"), LetGo(wave=1, moves="0-4"))
    first.append(Written(wave=1, writes=6), Back(wave=1, moves="0-1"))
    went = Fidelity(moves=5, as_planned=2, expected_s=60.0, took_s=61.5)
    first.append(Ended(outcome="aborted", held=(HELD,), fidelity=went))
    later.advance(60_000)
    second = Journal(log, "a")
    second.append(Started(plan="q", by="me", policy={}))
    second.append(Stopped(reason="failures", text="2 pods failed in this run, 0 may"))
    Lease(log, "a", Holder.this(), later).take(lambda _: None)
    yield log
    log.close()


TABLE = """\
RUN  PLAN  BEGAN                 STATE    WAVE  MOVED  FAILED  AS PLANNED
b    p     2026-11-23T10:00:00Z  aborted     1      2       0      40.0 %
a    q     2026-11-23T10:01:00Z  stopped     0      0       0
  a  2 pods failed in this run, 0 may
"""


@pytest.mark.usefixtures("log")
def test_runs_are_listed_as_they_began_with_why_they_stopped(run: Run) -> None:
    ran = run("runs")
    assert (ran.code, ran.err) == (0, "")
    assert trimmed(ran.out) == TABLE


@pytest.mark.usefixtures("log")
def test_what_a_run_left_held_is_told_to_who_asks(run: Run) -> None:
    assert f"  b  held: {HELD}\n" in trimmed(run("runs", "-v").out)


def trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def test_programs_and_python_get_the_published_shape(run: Run, log: EventLog) -> None:
    told = json.loads(run("runs", "--format", "json").out)
    assert_published(told, Runs)
    assert planner.Log(log).runs() == told["runs"]
    assert [(each["run"], each["writes"]) for each in told["runs"]] == [("b", 6), ("a", 0)]


def test_a_log_without_runs_says_how_to_begin_one(run: Run) -> None:
    assert run("runs").out == "No run has begun; `planner apply PLAN` begins one.\n"
    assert msgspec.json.decode(run("runs", "--format", "json").out, type=Runs).runs == ()


NO_CONTEXTS = "apiVersion: v1\nkind: Config\n"
ONE_CONTEXT = """
apiVersion: v1
kind: Config
clusters: [{name: hz, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: hz, context: {cluster: hz, user: hz}}]
users: [{name: hz, user: {}}]
"""
REFUSED = {
    "clusters that are not named": ([], NO_CONTEXTS, "which clusters?"),
    "a cluster without a context": (["hangzhou"], NO_CONTEXTS, "write NAME=CONTEXT"),
    "a context that is not there": (["hangzhou=hz"], NO_CONTEXTS, "context hz of "),
    "a cluster without a door": (["hangzhou=hz"], ONE_CONTEXT, "give --cluster shanghai=CONTEXT"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_needs_a_door_to_each_of_its_clusters(
    run: Run, plan_id: str, tmp_path: Path, name: str
) -> None:
    clusters, text, said = REFUSED[name]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(text)
    named = [word for each in clusters for word in ("--cluster", each)]
    for options in ([], ["--dry-run"]):
        ran = run("apply", plan_id, "--kubeconfig", kubeconfig, *named, *options)
        assert_refused(ran, said)
    assert json.loads(run("runs", "--format", "json").out)["runs"] == [], "nothing has begun"


def test_failures_are_a_number_or_a_percentage(run: Run, plan_id: str) -> None:
    ran = run("apply", plan_id, "--cluster", "hangzhou=hz", "--failures", "few")
    assert_refused(ran, "few: give a number of pods or a percentage")
    assert json.loads(run("runs", "--format", "json").out)["runs"] == [], "nothing has begun"


def assert_refused(ran: Ran, said: str) -> None:
    assert ran.code == 64, ran
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err
