"""What holds of every plan of every fleet, from raw API objects to the verified plan."""

from __future__ import annotations

import lzma
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import planner
from benches.request import Regime
from planner import core
from planner.fold.project import fleet_at
from planner.fold.snapshots import Snapshots
from tests import fleets
from tests.fleets import Recorded, content, recorded
from tests.shop import SHOP, empty_log, header_of, moves_of, request, rows_of, shop_log, shop_plan

Json = dict[str, Any]

law = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@law(max_examples=30)
@given(fleets.fleets())
def test_every_plan_passes_the_independent_check(fleet: Recorded) -> None:
    log = fleet.log()
    plan = fleet.plan(log)
    assert len(plan) > 0
    assert planner.verify(log, plan) == []


@law(max_examples=20)
@given(fleets.fleets())
def test_a_plan_that_is_carried_out_leaves_only_what_it_calls_unmovable(fleet: Recorded) -> None:
    log = fleet.log()
    plan = fleet.plan(log)
    before = planner.diff(log, fleet.wanted())["totals"]
    assert before["moves"] == len(plan)
    assert before["differ"] == len(plan) + before["unmovable"]
    after = planner.diff(fleet.applied(moves_of(plan)).log(), fleet.wanted())["totals"]
    assert (after["moves"], after["differ"]) == (0, before["unmovable"])


def header_that_holds(fleet: Recorded) -> Json | None:
    """The header of the plan of a fleet, which breaks no rule; None where there is none."""
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        return None
    assert planner.verify(log, plan) == []
    return header_of(plan)


def holds_within_bounds(fleet: Recorded) -> None:
    """Its plan, if there is one, breaks no rule, and is no shorter than its bounds."""
    header = header_that_holds(fleet)
    if header is None:
        return
    assert header["waves_bound"] <= header["waves"]
    assert header["seconds_bound"] <= header["seconds"]


@law(max_examples=40, phases=[Phase.generate])
@given(fleets.paced_fleets())
def test_plans_keep_the_rates_of_their_request(fleet: Recorded) -> None:
    holds_within_bounds(fleet)


@law(max_examples=30, phases=[Phase.generate])
@given(fleets.pulling_fleets())
def test_plans_keep_the_rates_of_registries(fleet: Recorded) -> None:
    holds_within_bounds(fleet)


@law(max_examples=60, phases=[Phase.generate])
@given(fleets.troubled_fleets())
def test_plans_of_fleets_in_trouble_break_no_rule(fleet: Recorded) -> None:
    header = header_that_holds(fleet)
    if header is None:
        return
    totals = header["totals"]
    assert totals["differ"] == totals["moves"] + totals["unmovable"]
    assert all(each["reason"] and each["remedy"] for each in header["unmovable"])
    assert header["waves_bound"] <= header["waves"]


def plan_if_any(fleet: Recorded, log: planner.Log) -> planner.Plan | None:
    """The plan; a fleet without one is told by a conflict that names what to change."""
    try:
        return fleet.plan(log)
    except planner.InfeasibleError as error:
        told = error
    assert told.conflict
    assert told.remedy
    return None


@law(max_examples=15, phases=[Phase.generate])
@given(fleets.troubled_fleets())
def test_planning_again_after_a_plan_is_carried_out_moves_nothing(fleet: Recorded) -> None:
    plan = plan_if_any(fleet, fleet.log())
    done = fleet.applied(moves_of(plan) if plan else [])
    assert not plan_if_any(done, done.log())


@law(max_examples=10)
@given(fleets.fleets(), st.data())
def test_after_some_waves_the_rest_of_the_moves_is_left(
    fleet: Recorded, data: st.DataObject
) -> None:
    moves = moves_of(fleet.plan())
    wave = data.draw(st.integers(0, moves[-1]["wave"]), label="wave")
    done = [move for move in moves if move["wave"] <= wave]
    after = planner.diff(fleet.applied(done).log(), fleet.wanted())["totals"]
    assert after["moves"] == len(moves) - len(done)


@law(max_examples=20)
@given(fleets.fleets())
def test_the_same_input_gives_the_same_bytes(fleet: Recorded) -> None:
    log = fleet.log()
    assert fleet.plan(log).to_bytes() == fleet.plan(log).to_bytes()
    assert fleet.plan(log).to_bytes() == fleet.plan(fleet.log()).to_bytes()


@law(max_examples=20)
@given(fleets.fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_no_plan(fleet: Recorded, random: Any) -> None:  # noqa: ANN401
    names = sorted(fleet.lists)
    shuffled = random.sample(names, len(names))
    assert content(fleet.plan(fleet.log(shuffled))) == content(fleet.plan())


@law(max_examples=15)
@given(fleets.fleets())
def test_a_plan_survives_its_file(fleet: Recorded) -> None:
    plan = fleet.plan()
    again = core.Plan.from_bytes(plan.to_bytes())
    assert (again.id, again.header(), again.jsonl(0, 1000)) == (
        plan.id,
        plan.header(),
        plan.jsonl(0, 1000),
    )
    assert again.to_bytes() == plan.to_bytes()


@law(max_examples=20)
@given(fleets.fleets())
def test_other_names_of_cluster_and_namespaces_change_nothing_but_names(fleet: Recorded) -> None:
    def rename(name: str, item: Json) -> None:
        metadata = item["metadata"]
        if "namespace" in metadata:
            metadata["namespace"] = "q-" + metadata["namespace"]
        if name == "namespaces.json":
            metadata["name"] = "q-" + metadata["name"]

    def refer(spec: Json) -> None:
        for dependency in spec["dependencies"]:
            for reference in (dependency["workload"], *dependency["after"]):
                reference["namespace"] = "q-" + reference["namespace"]

    other = replace(fleet.with_objects(rename).with_request(refer), cluster="moved")
    header, moves = content(fleet.plan())
    header_renamed, moves_renamed = content(other.plan())
    for move in moves_renamed:
        assert move["cluster"] == "moved"
        move |= {"cluster": "hangzhou", "namespace": move["namespace"].removeprefix("q-")}
    assert without_names(moves_renamed) == without_names(moves)
    assert waves_of(header_renamed) == waves_of(header)


def without_names(moves: list[Json]) -> list[Json]:
    """Causes name budgets and dependencies by the names that were changed."""
    return [{key: move[key] for key in move if key != "because"} for move in moves]


def waves_of(header: Json) -> Json:
    numbers = ("waves", "waves_bound", "seconds", "seconds_bound", "totals")
    waves = [{key: wave[key] for key in wave if key != "approvals"} for wave in header["per_wave"]]
    return {"per_wave": waves, **{key: header[key] for key in numbers}}


def rename_workload(name: str, item: Json) -> None:
    """Call a workload otherwise, in every object that belongs to it."""
    metadata, owners = item["metadata"], item["metadata"].get("ownerReferences", [])
    of_a_sidecar_set = owners and owners[0]["kind"] == "SidecarSet"
    if name.startswith(("nodes", "namespaces", "sidecarsets", "version")) or of_a_sidecar_set:
        return
    old = owners[0]["name"] if owners else metadata["name"]
    metadata["name"] = "q-" + metadata["name"]
    for owner in owners:
        owner["name"] = "q-" + owner["name"]
    if "targetRef" in item.get("spec", {}):
        item["spec"]["targetRef"]["name"] = "q-" + item["spec"]["targetRef"]["name"]
    rename_revisions(metadata.get("labels", {}), ["controller-revision-hash"], old)
    rename_revisions(item.get("status", {}), ["updateRevision", "currentRevision"], old)


def rename_revisions(fields: Json, names: list[str], workload: str) -> None:
    """Some controllers write a revision's whole name, which begins with the workload's."""
    for name in names:
        if fields.get(name, "").startswith(workload + "-"):
            fields[name] = "q-" + fields[name]


@law(max_examples=15)
@given(fleets.fleets())
def test_other_names_of_workloads_change_nothing_but_names(fleet: Recorded) -> None:
    def refer(spec: Json) -> None:
        for dependency in spec["dependencies"]:
            for reference in (dependency["workload"], *dependency["after"]):
                reference["name"] = "q-" + reference["name"]

    header, moves = content(fleet.plan())
    header_renamed, moves_renamed = content(
        fleet.with_objects(rename_workload).with_request(refer).plan()
    )
    for move in moves_renamed:
        move["pod"] = move["pod"].removeprefix("q-")
        move["workload"]["name"] = move["workload"]["name"].removeprefix("q-")
    assert without_names(moves_renamed) == without_names(moves)
    assert waves_of(header_renamed) == waves_of(header)


@law(max_examples=25)
@given(fleets.fleets(), st.data())
def test_a_larger_budget_never_raises_the_bound(fleet: Recorded, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(fleet.wanted().spec.budgets) - 1), label="budget")

    def loosen(spec: Json) -> None:
        share = spec["budgets"][index]["maxUnavailable"]
        loose = f"{int(share[:-1]) + 20}%" if isinstance(share, str) else share + 3
        spec["budgets"][index]["maxUnavailable"] = loose

    log = fleet.log()
    tight, loose = header_of(fleet.plan(log)), header_of(fleet.with_request(loosen).plan(log))
    assert loose["waves_bound"] <= tight["waves_bound"]
    assert loose["seconds_bound"] <= tight["seconds_bound"]
    for header in (tight, loose):
        assert 1 <= header["waves_bound"] <= header["waves"]
        assert 0 < header["seconds_bound"] <= header["seconds"]


@law(max_examples=20)
@given(st.data())
def test_folding_a_log_in_two_parts_is_folding_it_whole(data: st.DataObject) -> None:
    log = shop_log()
    end = 1904
    at = data.draw(st.integers(0, end), label="at")
    parts = []
    for commit in log.events.read(after=at, kind="cluster"):
        first = max(at + 1, commit.position_first)
        rows = core.Batch.from_bytes(commit.payload)
        rest = rows.slice(first - commit.position_first, commit.position_last - first + 1)
        parts.append((commit.stream.name, first, rest))
    whole = fleet_at(log.events, until=end, snapshots=None)
    assert core.fold(log.fleet(at=str(at)), parts).digest() == whole.digest()


@law(max_examples=10)
@given(st.integers(1, 1904))
def test_a_fold_goes_on_from_a_snapshot_within_a_commit(at: int) -> None:
    log = shop_log()
    with TemporaryDirectory() as folder:
        snapshots = Snapshots(folder=Path(folder))
        snapshots.store(log.fleet(at=str(at)), log.events.digest_at(at))
        assert snapshots.positions(1904) == [at]
        resumed = fleet_at(log.events, until=1904, snapshots=snapshots)
    assert resumed.digest() == fleet_at(log.events, until=1904, snapshots=None).digest()


@law(max_examples=15)
@given(st.integers(0, 1904))
def test_a_snapshot_at_any_position_is_the_fleet(at: int) -> None:
    fleet = shop_log().fleet(at=str(at))
    again = core.Fleet.from_bytes(fleet.to_bytes())
    assert (again.digest(), again.position) == (fleet.digest(), at)
    assert again.to_bytes() == fleet.to_bytes()


@law(max_examples=10)
@given(st.integers(1, 30), st.sampled_from(["100", "whole"]))
def test_an_old_position_gives_the_old_plan(seed: int, later: str) -> None:
    fleet = recorded(100, seed, Regime.LOOSE)
    log = fleet.log()
    position = log.events.head().position
    old = fleet.plan(log)
    moves = moves_of(old)
    done = moves if later == "whole" else moves[: len(moves) // 2]
    fleet.applied(done).append_to(log)
    assert fleet.plan(log).to_bytes() != old.to_bytes()
    again = planner.plan(log, fleet.wanted(), at=str(position), keep=False)
    assert again.to_bytes() == old.to_bytes()


def test_the_shops_plan_of_an_old_position_is_the_plan_of_then() -> None:
    log = empty_log()
    log.import_recorded("hangzhou", SHOP / "hangzhou")
    then = planner.plan(log, request(), keep=False)
    log.import_recorded("shanghai", SHOP / "shanghai")
    again = planner.plan(log, request(), at="1439", keep=False)
    assert again.to_bytes() == then.to_bytes()


def test_the_shops_plan_carried_out_leaves_what_it_calls_unmovable() -> None:
    moves = moves_of(shop_plan())
    log = empty_log()
    for cluster in ("hangzhou", "shanghai"):
        lists = {
            path.name.removesuffix(".xz"): lzma.decompress(path.read_bytes()).decode()
            for path in (SHOP / cluster).iterdir()
        }
        before = Recorded(lists=lists, request="", cluster=cluster)
        before.applied(move for move in moves if move["cluster"] == cluster).append_to(log)
    header = header_of(shop_plan())
    (warning,) = header["warnings"]
    partly = int(warning.removesuffix(PARTLY))
    left = planner.diff(log, request())["totals"]
    assert left["differ"] == header["totals"]["unmovable"] + partly
    with pytest.raises(planner.InfeasibleError, match="cannot move"):
        planner.plan(log, request(), keep=False)


PARTLY = " pods get only a part of their target: a partition or a SidecarSet keeps the rest back"


def test_the_watch_events_lead_to_the_lists_recorded_after_them() -> None:
    """Two ways to know the same cluster: a list and what came after it, or the list at the end."""
    watched, listed = empty_log(), empty_log()
    watched.import_recorded("hangzhou", SHOP / "hangzhou")
    watched.import_recorded("hangzhou", SHOP / "hangzhou-watch.jsonl.xz")
    listed.import_recorded("hangzhou", SHOP / "hangzhou-after")
    assert workload_rows(watched) == workload_rows(listed)


def workload_rows(log: planner.Log) -> set[tuple[str, str, str]]:
    newest: dict[str, tuple[str, str, str]] = {}
    for row in rows_of(log.events):
        if row["resource"] == "pods" and "uid" in row:
            newest.pop(row["uid"], None)
            if row["event"] == "observed":
                newest[row["uid"]] = (row["uid"], row["name"], row["spec"])
    return set(newest.values())


@pytest.mark.parametrize("at", ["0", "1"])
def test_a_fleet_of_nothing_has_nothing_to_do(at: str) -> None:
    plan = planner.plan(shop_log(), request(), at=at, keep=False)
    assert len(plan) == 0
    assert planner.verify(shop_log(), plan) == []
