"""What programs read is JSON of the published shapes: nothing missing, nothing unpublished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from planner.model.plan import Move, PlanHeader, Report
from planner.model.published import SCHEMAS
from planner.model.request import UpgradeRequest
from planner.model.simulation import Simulation
from tests.shop import REQUEST, SHOP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def assert_published(value: Any, shape: type[msgspec.Struct]) -> None:  # noqa: ANN401
    """The value has the shape, and every key of it is one that the shape publishes."""
    again = msgspec.to_builtins(msgspec.convert(value, shape, strict=True))
    assert differences("", value, again) == []


def differences(path: str, value: Any, again: Any) -> list[str]:  # noqa: ANN401
    """Paths of what a shape dropped; what it added are defaults."""
    if isinstance(value, dict):
        return [
            each
            for key, inner in value.items()
            for each in (
                differences(f"{path}.{key}", inner, again[key])
                if key in again
                else [f"{path}.{key}"]
            )
        ]
    if isinstance(value, list):
        assert len(value) == len(again), path
        pairs = zip(value, again, strict=True)
        return [
            each
            for index, (one, other) in enumerate(pairs)
            for each in differences(f"{path}[{index}]", one, other)
        ]
    return [] if value == again else [path]


def test_a_key_that_is_not_published_would_be_noticed() -> None:
    report = {"apiVersion": "planner/v1", "kind": "Report", "plan": "x", "holds": True}
    assert_published({**report, "violations": []}, Report)
    with pytest.raises(AssertionError):
        assert_published({**report, "violations": [], "mood": "good"}, Report)
    with pytest.raises(msgspec.ValidationError):
        assert_published(report, Report)


@pytest.mark.parametrize("command", ["plan", "show"])
def test_the_header_of_a_plan_is_as_published(run: Run, plan_id: str, command: str) -> None:
    ran = (
        run("plan", "-f", REQUEST, "--format", "json")
        if command == "plan"
        else run("show", plan_id, "-o", "json")
    )
    assert_published(json.loads(ran.out), PlanHeader)


def test_the_header_of_a_plan_that_nothing_holds_back_is_as_published(
    run: Run, tmp_path: Path
) -> None:
    """One pod in one wave: no bottleneck, no stage, no budget that is full."""
    change = {
        "workload": {"kind": "Deployment", "namespace": "shop", "name": "sitemap"},
        "container": "main",
        "to": "registry.example.com/sitemap:9.9.9",
    }
    path = request_of([change], tmp_path)
    assert run("plan", "-f", path, "-o", "one.plan").code == 2
    header = json.loads(run("show", "one.plan", "-o", "json").out)
    assert header["waves"] == 1
    assert_published(header, PlanHeader)
    for form in ("text", "jsonl", "html"):
        assert run("show", "one.plan", "-o", form).code == 0
    assert run("explain", "one.plan", "plan").code == 0


def test_a_plan_without_moves_is_as_published_and_can_be_read(run: Run, tmp_path: Path) -> None:
    nowhere = {"from": "registry.example.com/nowhere", "to": "registry.example.com/nowhere:1"}
    path = request_of([nowhere], tmp_path)
    assert run("plan", "-f", path, "-o", "no.plan").code == 0
    assert_published(json.loads(run("show", "no.plan", "-o", "json").out), PlanHeader)
    assert run("show", "no.plan", "-o", "jsonl").out == ""
    for form in ("text", "html"):
        assert run("show", "no.plan", "-o", form).code == 0
    assert run("explain", "no.plan", "plan").code == 0
    assert run("verify", "no.plan").code == 0


def request_of(images: list[dict[str, Any]], folder: Path) -> Path:
    path = folder / "request.json"
    spec = {"target": {"images": images}}
    head = {"apiVersion": "planner/v1", "kind": "UpgradeRequest", "metadata": {"name": "test"}}
    path.write_text(json.dumps({**head, "spec": spec}))
    return path


def test_every_move_is_as_published(run: Run, plan_id: str) -> None:
    lines = run("show", plan_id, "-o", "jsonl").out.splitlines()
    header = json.loads(run("show", plan_id, "-o", "json").out)
    assert len(lines) == header["totals"]["moves"]
    for line in lines:
        assert_published(json.loads(line), Move)


def test_moves_come_by_wave_then_by_place(run: Run, plan_id: str) -> None:
    moves = [json.loads(line) for line in run("show", plan_id, "-o", "jsonl").out.splitlines()]
    places = [(move["wave"], move["cluster"], move["namespace"]) for move in moves]
    assert places == sorted(places)
    assert len({(move["cluster"], move["uid"]) for move in moves}) == len(moves)


def test_a_report_is_as_published(run: Run, plan_id: str) -> None:
    ran = run("verify", plan_id, "--format", "json")
    assert_published(json.loads(ran.out), Report)


def test_a_simulation_is_as_published(run: Run, plan_id: str) -> None:
    ran = run("simulate", plan_id, "--faults", "node-loss=1", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert_published(json.loads(ran.out), Simulation)


def test_the_request_in_a_plan_is_the_request(run: Run, plan_id: str) -> None:
    header = json.loads(run("show", plan_id, "-o", "json").out)
    read = msgspec.convert(header["request"], UpgradeRequest, strict=True)
    assert read.metadata.name == "shop-before-the-sale"


JSON_COMMANDS = {
    "import": (
        ["import", str(SHOP / "shanghai"), "--cluster", "copy"],
        {"cluster", "events", "position", "objects", "skipped"},
    ),
    "status": (["status"], {"position", "time", "clusters", "trouble"}),
    "diff": (["diff", "-f", str(REQUEST)], {"totals", "workloads", "unmovable", "warnings"}),
    "log head": (["log", "head"], {"position", "digest"}),
}


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_a_command_for_programs_prints_one_json_object(run: Run, name: str) -> None:
    arguments, keys = JSON_COMMANDS[name]
    ran = run(*arguments, "--format", "json")
    assert ran.err == ""
    assert ran.out.endswith("}\n")
    assert keys <= json.loads(ran.out).keys()


def test_an_explanation_for_programs_names_subject_facts_and_chain(run: Run, plan_id: str) -> None:
    answers = json.loads(run("explain", plan_id, "trade/cart", "--format", "json").out)
    assert [set(each) for each in answers] == [{"subject", "kind", "facts", "chain", "remedies"}]
    assert answers[0]["chain"][0]["because"] == "nothing"
    waves = [link["wave"] for link in answers[0]["chain"]]
    assert waves == list(range(1, waves[-1] + 1))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_json_and_describes_every_field(run: Run, name: str) -> None:
    schema = json.loads(run("schema", name).out)
    assert schema["$id"] == f"planner/v1/{name}"
    assert all(part["description"] for part in schema["$defs"].values())


def test_an_export_is_one_observation_a_line(run: Run) -> None:
    rows = [json.loads(line) for line in run("log", "export").out.splitlines()]
    assert len(rows) == 1904
    assert {row["cluster"] for row in rows} == {"hangzhou", "shanghai"}
    assert {row["event"] for row in rows} == {"list_begun", "observed", "list_completed"}


def test_every_pod_of_the_plan_can_be_explained(run: Run, plan_id: str) -> None:
    """One pod of each workload: hundreds would say the same."""
    moves = [json.loads(line) for line in run("show", plan_id, "-o", "jsonl").out.splitlines()]
    pods = {
        (move["cluster"], move["namespace"], move["workload"]["name"]): move["uid"]
        for move in moves
    }
    for uid in list(pods.values())[::5]:
        (answer,) = json.loads(run("explain", plan_id, uid, "--format", "json").out)
        assert answer["kind"] == "pod"
        assert answer["facts"]
