"""How long a plan takes: by its deadline and windows, by what runs taught, beside finished runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import planner
from planner import forecast
from planner.apply.course import Course
from planner.apply.events import Ended, Replanned, Started, WaveBegun, WaveEnded
from planner.apply.journal import Journal
from planner.forecast import RUNS_MAX, SAMPLES, SAMPLES_MIN, samples_of
from planner.model.clock import ManualClock
from tests.apply.test_learnt import cart
from tests.shop import IDENTITY, SALE_MS, SHOP, request, shop_log, shop_plan
from tests.test_windows import TIMES, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.apply.events import AnyEvent
    from planner.model.request import UpgradeRequest

Json = dict[str, Any]


@cache
def streaming() -> planner.Plan:
    """The shop without any barrier."""
    return planner.plan(shop_log(), _without_approvals(), keep=False)


def _without_approvals(**times: object) -> UpgradeRequest:
    stages = msgspec.to_builtins(request().spec)["stages"]
    stages = [{**it, "approval": None} for it in stages]
    return timed(streaming=True, stages=stages, **times)


@cache
def windowed() -> planner.Plan:
    return planner.plan(shop_log(), timed(**TIMES), keep=False)


def test_a_deadline_is_missed_as_often_as_the_plan_ends_after_it() -> None:
    plan = windowed()
    found = planner.eta(shop_log(), plan, samples=400)
    assert (found["start"], found["deadline"]) == (TIMES["start"], TIMES["deadline"])
    ends = sorted(found["end"].values())
    # In the draws a median and a 90th percentile lie on either side of these two deadlines.
    for between, low, high in (
        ((ends[0] + ends[1]) / 2, 0.1, 0.5),
        ((ends[1] + ends[2]) / 2, 0.01, 0.1),
    ):
        late = planner.eta(shop_log(), _due(between), samples=400)["late"]
        assert low <= late <= high


def _due(seconds: float) -> planner.Plan:
    """The same with a deadline so many seconds after its start."""
    due = datetime.fromisoformat(TIMES["start"]) + timedelta(seconds=round(seconds))
    times = {**TIMES, "deadline": f"{due:%Y-%m-%dT%H:%M:%SZ}"}
    return planner.plan(shop_log(), timed(**times), keep=False)


def test_a_wave_that_fills_its_window_runs_past_it() -> None:
    found = planner.eta(shop_log(), windowed(), samples=400)
    header = msgspec.json.decode(windowed().header())
    windows = [it.get("calendars", []) for it in header["workloads"]]
    for wave, drawn in zip(header["per_wave"], found["per_wave"], strict=True):
        has_window = any(windows[index] for index, _ in wave["workloads"])
        assert (drawn["past_window"] is not None) == has_window
    assert 0 < found["past_window"] <= 1
    assert found["past_window"] >= max(it["past_window"] or 0 for it in found["per_wave"])


def test_the_moves_of_a_plan_are_slower_than_one_move_is_expected_to_be() -> None:
    """Of several the slowest counts, and half of single moves take longer than expected."""
    found = planner.eta(shop_log(), shop_plan(), samples=400)
    assert found["seen_moves"] == 0
    assert found["end"]["p50_s"] > found["planned_s"]
    assert all(it["takes"]["p50_s"] >= it["planned_s"] * 0.95 for it in found["per_wave"])


def test_who_waits_for_no_wave_is_through_sooner() -> None:
    waves = planner.eta(shop_log(), shop_plan(), samples=60)
    found = planner.eta(shop_log(), streaming(), samples=60)
    header = msgspec.json.decode(streaming().header())
    assert found["planned_s"] == header["streaming"]["seconds"] < waves["planned_s"]
    assert found["end"]["p99_s"] < waves["end"]["p50_s"]
    assert found["end"] == found["moving"]
    (leg,) = found["per_leg"]
    assert (leg["last_wave"], leg["end"]) == (header["waves"], found["end"])
    assert "per_leg" not in waves


CLUSTERS: Json = {
    "sequences": [{"name": "clusters", "phases": [{"name": "first", "cluster": "shanghai"}]}],
    "dependencies": [],
}


@pytest.mark.parametrize(
    "wanted",
    [partial(timed, streaming=True), lambda: _without_approvals(**CLUSTERS)],
    ids=["somebody has to approve", "a phase begins"],
)
def test_everything_waits_where(wanted: Callable[[], UpgradeRequest]) -> None:
    plan = planner.plan(shop_log(), wanted(), keep=False)
    legs = Course(plan).legs
    found = planner.eta(shop_log(), plan, samples=60)
    assert len(found["per_leg"]) == len(legs) > 1
    assert [it["last_wave"] for it in found["per_leg"]] == [
        Course(plan).last_wave(leg) for leg in range(1, len(legs) + 1)
    ]
    # No move of a leg begins before all of the one before are over.
    ends = [it["end"]["p50_s"] for it in found["per_leg"]]
    for leg, (before, after) in enumerate(pairwise(ends), 1):
        assert after > before + (legs[leg].soaks_s or 0)
    assert found["end"]["p50_s"] > found["planned_s"]


def test_a_move_may_run_past_its_window() -> None:
    plan = planner.plan(shop_log(), _without_approvals(**TIMES), keep=False)
    found = planner.eta(shop_log(), plan, samples=60)
    assert 0 < found["past_window"] <= 1
    assert found["past_window"] >= max(it["past_window"] or 0 for it in found["per_wave"])
    assert found["unfinished"] == 0


def test_budgets_are_those_that_were_supposed() -> None:
    """The clusters allow none of these pods to go, so that they would wait for ever."""
    plan = planner.whatif(shop_log(), streaming(), {"pdb/search/ranker": "+1"})
    assert len(plan) > len(streaming())
    assert planner.eta(shop_log(), plan, samples=9)["unfinished"] == 0


def test_a_large_plan_that_streams_is_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    assert samples_of(shop_plan()) == samples_of(streaming()) == SAMPLES
    monkeypatch.setattr(forecast, "MOVES_DRAWN", 300 * len(streaming()))
    assert samples_of(shop_plan()) == SAMPLES
    assert samples_of(streaming()) == planner.eta(shop_log(), streaming())["samples"] == 300
    monkeypatch.setattr(forecast, "MOVES_DRAWN", 0)
    assert samples_of(streaming()) == SAMPLES_MIN
    assert planner.eta(shop_log(), streaming(), samples=7)["samples"] == 7


class Past:
    """A log with runs that took as long as it is said."""

    def __init__(self) -> None:
        self.clock = ManualClock(SALE_MS)
        self.log = planner.Log.in_memory(clock=self.clock, identity=IDENTITY)
        self.log.import_recorded("hangzhou", SHOP / "hangzhou")

    def run(self, name: str, plan: planner.Plan, wave_ms: int, *last: AnyEvent) -> None:
        journal, course = Journal(self.log.events, name), Course(plan)
        journal.append(Started(plan=plan.id, by="me", policy={}))
        for wave in course.legs:
            journal.append(WaveBegun(wave=wave.wave, moves="", streams=course.streams))
            self.clock.advance(wave_ms)
            took = tuple((index, "in-place", wave_ms) for index, _ in wave.workloads)
            journal.append(WaveEnded(wave=wave.wave, took=took))
        journal.append(*(last or (Ended(outcome="done"),)))


def test_without_a_finished_run_nobody_knows_how_good_it_is() -> None:
    past = Past()
    plan = planner.plan(past.log, cart())
    past.run("open", plan, 20_000, WaveBegun(wave=1, moves=""))
    past.run("aborted", plan, 20_000, Ended(outcome="aborted"))
    past.run("replanned", plan, 20_000, Replanned(plan=plan.id, why=()), Ended(outcome="done"))
    found = planner.eta(past.log, plan, samples=20)
    assert (found["runs"], found["error"]) == ([], None)
    assert {it["run"]: it["why"] for it in found["left_out"]} == {
        "aborted": "it was aborted",
        "replanned": "it went over to another plan",
    }


@pytest.mark.parametrize(("wave_s", "within"), [(1, (1.0, 1.0)), (500, (0.0, 0.0))])
def test_a_finished_run_stands_beside_what_was_foretold(
    wave_s: int, within: tuple[float, float]
) -> None:
    past = Past()
    plan = planner.plan(past.log, cart())
    past.run("first", plan, wave_s * 1000)
    found = planner.eta(past.log, plan, samples=100)
    (run,) = found["runs"]
    waves = len(Course(plan).waves)
    assert (run["run"], run["plan"], run["waves"]) == ("first", plan.id, waves)
    assert run["took_s"] == wave_s * waves
    assert (run["waves_within_p50"] / waves, run["waves_within_p90"] / waves) == within
    assert found["error"] == pytest.approx(abs(run["took_s"] / run["p50_s"] - 1))
    # What is foretold of the run is what was foretold of its plan, and not what it taught.
    assert (run["p50_s"], run["p90_s"]) == (found["moving"]["p50_s"], found["moving"]["p90_s"])


def test_a_finished_run_that_streamed_stands_beside_its_legs() -> None:
    past = Past()
    plan = planner.plan(past.log, cart(streaming=True))
    legs = len(Course(plan).legs)
    assert legs < len(Course(plan).waves)
    past.run("first", plan, 1_000)
    found = planner.eta(past.log, plan, samples=100)
    (run,) = found["runs"]
    assert (run["took_s"], run["waves"], run["streams"]) == (legs, legs, True)
    assert (run["p50_s"], run["p90_s"]) == (found["moving"]["p50_s"], found["moving"]["p90_s"])
    assert run["waves_within_p50"] == run["waves_within_p90"] == legs


def test_what_runs_taught_is_foretold_of_the_next_plan_and_of_no_former_run() -> None:
    past = Past()
    first = planner.plan(past.log, cart())
    past.run("first", first, 90_000)
    before = planner.eta(past.log, first, samples=100)
    past.log.import_recorded("hangzhou", SHOP / "hangzhou")
    second = planner.plan(past.log, cart())
    assert first.id != second.id
    found = planner.eta(past.log, second, samples=100)
    assert found["seen_moves"] == found["moves"] == len(second)
    # Every wave took as long, so that they are expected to: within what few waves can tell.
    for wave in found["per_wave"]:
        assert wave["takes"]["p50_s"] == pytest.approx(90, rel=0.35)
    assert found["runs"] == before["runs"]


def test_only_the_last_runs_are_foretold() -> None:
    past = Past()
    plan = planner.plan(past.log, cart())
    for number in range(RUNS_MAX + 2):
        past.run(f"run-{number}", plan, 20_000)
    found = planner.eta(past.log, plan, samples=5)
    newest = [f"run-{number}" for number in range(RUNS_MAX + 1, 1, -1)]
    assert [it["run"] for it in found["runs"]] == newest
    assert {it["why"] for it in found["left_out"]} == {"there are enough later ones"}


def test_the_way_back_stops_at_every_stage_the_middle_and_the_end() -> None:
    found = planner.way_back(shop_log(), shop_plan())
    header = msgspec.json.decode(shop_plan().header())
    ends: dict[str, int] = {}
    for workload in header["workloads"]:
        for stage in workload["stages"]:
            ends[stage["name"]] = max(ends.get(stage["name"], 0), stage["last_wave"] or 0)
    said = {name: it["wave"] for it in found["after"] for name in it["at"]}
    last = header["waves"]
    stages = {f"stage {name}": wave for name, wave in ends.items()}
    assert said == {**stages, "the middle": last // 2, "the end": last}
    assert found["after"][-1]["moved"] == len(shop_plan())
    assert request().spec.stages


def test_the_way_back_streams_as_the_way_there_does() -> None:
    found = planner.way_back(shop_log(), streaming())["after"][-1]
    in_waves = planner.way_back(shop_log(), shop_plan())["after"][-1]
    assert (found["moves"], found["waves"]) == (in_waves["moves"], in_waves["waves"])
    assert found["seconds_bound"] <= found["seconds"] < in_waves["seconds"]
    assert found["seconds"] < found["takes"]["p90_s"] < in_waves["takes"]["p50_s"]


def test_dependencies_are_turned_round_on_the_way_back() -> None:
    """A plan that waits for much the way there has a way back of as many groups in a chain."""
    found = planner.way_back(shop_log(), shop_plan())["after"][-1]
    alone = planner.plan(shop_log(), _without_dependencies(), keep=False)
    free = planner.way_back(shop_log(), alone)["after"][-1]
    assert free["waves"] < found["waves"]


def _without_dependencies() -> Any:  # noqa: ANN401 a request
    return timed(dependencies=[])
