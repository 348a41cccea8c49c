"""What the commands that ask a plan questions print about the recorded shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from planner.model.bottlenecks import Bottlenecks
from planner.model.eta import Eta
from planner.model.lint import Lint, Rule
from planner.model.plan_diff import PlanDiff
from planner.model.way_back import WayBack
from tests.cli.test_output import TextExtension
from tests.cli.test_shapes import assert_published
from tests.shop import REQUEST

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Run

OTHERWISE = {
    "{name: fleet, maxUnavailable: 3%}": "{name: fleet, maxUnavailable: 4%}",
    "scope: node, maxUnavailable: 2}": "scope: node, maxUnavailable: 1}",
    "        - {namespace: trade, name: pricing}\n": "",
    "      - {from: registry.example.com/cart, to: registry.example.com/cart:1.2.0}\n": "",
    "    - selector: {matchLabels: {app: etcd}}\n": "    - selector: {matchLabels: {app: web}}\n",
}


@pytest.fixture
def told(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextExtension)


@pytest.fixture
def other(run: Run, tmp_path: Path) -> str:
    """A plan of a request that asks otherwise, in a file."""
    text = REQUEST.read_text()
    for old, new in OTHERWISE.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "other.yaml").write_text(text)
    assert run("plan", "-f", "other.yaml", "-o", "other.plan").code == 2
    return "other.plan"


def test_plan_diff(run: Run, plan_id: str, other: str, told: SnapshotAssertion) -> None:
    ran = run("plan-diff", plan_id, other)
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_plan_diff_of_a_plan_with_itself(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("plan-diff", plan_id, plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_plan_diff_tells_all_of_it_when_asked(run: Run, plan_id: str, other: str) -> None:
    short, whole = run("plan-diff", plan_id, other).out, run("plan-diff", "-v", plan_id, other).out
    assert "planner plan-diff -v" in short
    assert "planner plan-diff -v" not in whole
    diff = json.loads(run("plan-diff", plan_id, other, "--format", "json").out)
    assert all(f"{each['namespace']}/{each['name']}" in whole for each in diff["workloads"])


def test_a_plan_diff_is_as_published(run: Run, plan_id: str, other: str) -> None:
    for pair in ((plan_id, other), (other, plan_id), (plan_id, plan_id)):
        assert_published(json.loads(run("plan-diff", *pair, "--format", "json").out), PlanDiff)


SUPPOSED = {
    "a sidecar set": ["--set", "sidecarset/log-tail=+3"],
    "a budget that forbids": ["--set", "shanghai/pdb/data/kafka=+1"],
    "no canary": ["--unset", "stages.canary", "--set", "budgets.fleet.maxUnavailable=4%"],
    "a new budget": ["--set", "budgets.new={scope: cluster, maxUnavailable: 30}"],
}


@pytest.mark.parametrize("name", SUPPOSED)
def test_whatif(run: Run, plan_id: str, name: str, told: SnapshotAssertion) -> None:
    ran = run("whatif", plan_id, *SUPPOSED[name])
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_a_question_changes_nothing_unless_its_answer_is_to_be_kept(
    run: Run, plan_id: str, tmp_path: Path
) -> None:
    head = run("log", "head").out
    asked = ["whatif", plan_id, "--set", "budgets.fleet.maxUnavailable=4%"]
    assert run(*asked).code == 2
    assert run("log", "head").out == head

    kept = run(*asked, "--keep", "-o", tmp_path / "other.plan").out.split()[-1]
    assert run("log", "head").out != head
    assert run("plan-diff", kept, tmp_path / "other.plan").code == 0
    assert run("verify", kept).code == 0


def test_the_answer_is_what_the_request_would_have_given(run: Run, plan_id: str) -> None:
    old, new = "{name: fleet, maxUnavailable: 3%}", "{name: fleet, maxUnavailable: 40}"
    Path("other.yaml").write_text(REQUEST.read_text().replace(old, new))
    assert run("plan", "-f", "other.yaml", "-o", "planned.plan", "--at", "1904").code == 2
    asked = ("--set", "budgets.fleet.maxUnavailable=40", "-o", "asked.plan")
    assert run("whatif", plan_id, *asked).code == 2
    assert Path("planned.plan").read_bytes() == Path("asked.plan").read_bytes()


MISTAKES = {
    "--set budgets.flet.maxUnavailable=4%": "did you mean fleet?",
    "--set budgets.fleet.maxUnavailabel=4%": "did you mean maxUnavailable?",
    "--set budget.fleet.maxUnavailable=4%": "did you mean budgets?",
    "--set budgets.fleet.maxUnavailable=often": "no percentage",
    "--set budgets.fleet.maxUnavailable": "write PATH=VALUE",
    "--set budgets.fleet.maxUnavailable=": "--unset PATH",
    "--set budgets.fleet.name.first=x": "only a value before first",
    "--set budgets.fleet.maxUnavailable=[": "did not find",
    "--unset budgets.fleet.selector": "nothing is set there",
    "--unset budgets.nothing": "did you mean",
    "--unset metadata.name": "unknown key",
    "--set target.manifests=[]": "write a request",
    "--set pdb/trade/crt=+1": "did you mean pdb/trade/cart?",
    "--set pdb/trade/cart=more": "write +1",
    "--unset pdb/trade/cart": "write --set pdb/trade/cart=+1",
    "--keep --set pdb/trade/cart=+1": "change it in the cluster",
    "--set stages.rest.perWorkload=50% --set stages.tenth.perWorkload=60%": "with what is set",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_question_that_cannot_be_asked_is_one_line_with_the_remedy(
    run: Run, plan_id: str, arguments: str
) -> None:
    ran = run("whatif", plan_id, *arguments.split(" "))
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.count("\n") == 1
    assert MISTAKES[arguments] in ran.err


def test_a_question_that_has_no_plan_is_3(run: Run, plan_id: str) -> None:
    back = "{workload: {namespace: trade, name: payment}, after: [{namespace: trade, name: cart}]}"
    ran = run("whatif", plan_id, "--set", f"dependencies.back={back}")
    assert ran.code == 3
    assert "wait for each other" in ran.err


def test_bottlenecks(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("bottlenecks", plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_bottlenecks_with_a_limit(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("bottlenecks", plan_id, "--limit", "3", "-v")
    assert ran.code == 0
    assert ran.out == told


def test_bottlenecks_are_as_published_and_what_whatif_says(run: Run, plan_id: str) -> None:
    found = json.loads(run("bottlenecks", plan_id, "--format", "json").out)
    assert_published(found, Bottlenecks)
    asked = [each for each in found["savings"] if each["ask"]][:6]
    assert asked
    for each in asked:
        ran = run("whatif", plan_id, "--set", each["ask"], "--format", "json")
        after = json.loads(ran.out)["after"]
        assert (after["waves"], after["seconds"], after["moves"]) == (
            each["with_it"]["waves"],
            each["with_it"]["seconds"],
            each["with_it"]["moves"],
        )


def test_what_a_limit_leaves_out_holds_up_less(run: Run, plan_id: str) -> None:
    every = json.loads(run("bottlenecks", plan_id, "--format", "json").out)
    some = json.loads(run("bottlenecks", plan_id, "--format", "json", "--limit", "5").out)
    assert (len(some["savings"]), some["left"]) == (5, len(every["savings"]) - 5)
    assert all(each in every["savings"] for each in some["savings"])


def test_a_plan_that_nothing_holds_up(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        REQUEST.read_text().split("spec:")[0]
        + "spec: {target: {images: [{workload: {namespace: shop, name: sitemap}, "
        "container: main, to: registry.example.com/sitemap:9.9.9}]}}"
    )
    assert run("plan", "-f", "one.yaml", "-o", "one.plan").code == 2
    ran = run("bottlenecks", "one.plan")
    assert ran.code == 0
    assert "nothing holds anything up" in ran.out


def test_eta(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("eta", plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_eta_of_every_wave_inside_windows(run: Run, told: SnapshotAssertion) -> None:
    text = REQUEST.read_text() + (
        "  start: 2026-11-23T12:00:00Z\n"
        "  deadline: 2026-11-24T15:30:00Z\n"
        "  windows:\n"
        "    - name: nights\n"
        "      cluster: hangzhou\n"
        "      during: [{rrule: FREQ=DAILY;BYHOUR=22, duration: 40m, timeZone: Asia/Shanghai}]\n"
    )
    Path("windowed.yaml").write_text(text)
    assert run("plan", "-f", "windowed.yaml", "-o", "windowed.plan").code == 2
    found = json.loads(run("eta", "windowed.plan", "--format", "json").out)
    assert_published(found, Eta)
    assert run("eta", "windowed.plan", "--samples", "200", "--seed", "3").out == told
    every = run("eta", "windowed.plan", "-v").out
    assert len(every.splitlines()) > len(found["per_wave"])


def test_eta_is_as_published_and_another_with_another_seed(run: Run, plan_id: str) -> None:
    found = run("eta", plan_id, "--format", "json").out
    assert_published(json.loads(found), Eta)
    assert run("eta", plan_id, "--format", "json").out == found
    other = json.loads(run("eta", plan_id, "--seed", "1", "--format", "json").out)
    assert other["end"] != json.loads(found)["end"]


def streams(run: Run, plan_id: str, *others: str) -> str:
    """Write the same plan without barriers, in a file."""
    ran = run("whatif", plan_id, "--set", "streaming=true", *others, "-o", "streams.plan")
    assert (ran.code, ran.err) == (2, "")
    return "streams.plan"


def test_eta_without_barriers(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("eta", streams(run, plan_id, "--unset", "stages.canary.approval"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_eta_where_everything_waits_for_approvals(
    run: Run, plan_id: str, told: SnapshotAssertion
) -> None:
    plan = streams(run, plan_id)
    assert run("eta", plan, "--samples", "150").out == told
    found = run("eta", plan, "--samples", "2", "--format", "json").out
    assert_published(json.loads(found), Eta)


def test_eta_of_a_plan_that_moves_nothing(run: Run) -> None:
    Path("none.yaml").write_text(
        REQUEST.read_text().split("spec:")[0]
        + "spec: {target: {images: [{from: example.com/no, to: example.com/no:1}]}}"
    )
    assert run("plan", "-f", "none.yaml", "-o", "none.plan").code == 0
    assert "nothing to do" in run("eta", "none.plan").out
    assert_published(json.loads(run("eta", "none.plan", "--format", "json").out), Eta)
    assert run("way-back", "none.plan").code == 0


def test_way_back(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("way-back", plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_way_back_from_chosen_waves(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("way-back", plan_id, "--wave", "2", "--wave", "0", "-v")
    assert ran.code == 0
    assert ran.out == told
    found = json.loads(run("way-back", plan_id, "--format", "json", "--wave", "2").out)
    assert_published(found, WayBack)
    assert [each["wave"] for each in found["after"]] == [2]


def test_a_wave_that_is_none_is_one_line(run: Run, plan_id: str) -> None:
    ran = run("way-back", plan_id, "--wave", "90")
    assert (ran.code, ran.out) == (64, "")
    assert "has no wave 90; give one from 0 to 89" in ran.err


WRONG = """
apiVersion: planner/v1
kind: UpgradeRequest
metadata: {name: much-to-no-effect}
spec:
  target:
    images:
      - {from: registry.example.com/web, to: registry.example.com/web:1.2.0}
      - {from: registry.example.com/catalog, to: registry.example.com/catalog:1.2.0}
      - {from: registry.example.com/product, to: registry.example.com/product:1.2.0}
      - {from: registry.example.com/coupon, to: registry.example.com/coupon:1.2.0}
      - {from: registry.example.com/kafka, to: registry.example.com/kafka:2.4.0}
      - {from: registry.example.com/nowhere, to: registry.example.com/nowhere:1.2.0}
  dependencies:
    - workload: {namespace: shop, name: web}
      after: [{namespace: shop, name: catalog}, {namespace: shop, name: product}]
    - {workload: {namespace: shop, name: catalog}, after: [{namespace: shop, name: product}]}
    - {workload: {namespace: shop, name: web}, after: [{namespace: shop, name: cupon}]}
    - {workload: {namespace: trade, name: cart}, after: [{namespace: shop, name: product}]}
    - {workload: {namespace: shop, name: coupon}, after: [{namespace: trade, name: cart}]}
    - workload: {namespace: shop, name: coupon}
      after: [{namespace: shop, name: web}]
      ready: 0%
  budgets:
    - {name: team, selector: {matchLabels: {team: storefrnt}}, maxUnavailable: 5%}
    - {name: per-workload, scope: workload, maxUnavailable: 5%}
    - {name: fleet, maxUnavailable: 60}
    - {name: again, maxUnavailable: 60}
    - {name: wide, maxUnavailable: 90%}
    - {name: none, selector: {matchLabels: {app: kafka}}, maxUnavailable: 0}
    - {name: etcd, selector: {matchLabels: {app: etcd}}, maxUnavailable: 1}
  rates:
    - {name: api, writesPerSecond: 20}
    - {name: shanghai, cluster: shanghai, writesPerSecond: 50}
  stages:
    - {name: canary, perWorkload: 2, soak: 10m}
    - {name: small, perWorkload: 2}
    - {name: half, perWorkload: 50%, soak: 5m}
  exclude:
    - selector: {matchLabels: {app: etcd}}
    - selector: {matchLabels: {app: nothing}}
"""


CIRCLE = """
apiVersion: planner/v1
kind: UpgradeRequest
metadata: {name: in-a-circle}
spec:
  target:
    images:
      - {from: registry.example.com/web, to: registry.example.com/web:1.2.0}
      - {from: registry.example.com/catalog, to: registry.example.com/catalog:1.2.0}
  dependencies:
    - {workload: {namespace: shop, name: web}, after: [{namespace: shop, name: catalog}]}
  sequences:
    - {name: web first, phases: [{name: web, selector: {matchLabels: {app: web}}}]}
"""


def test_lint(run: Run, told: SnapshotAssertion) -> None:
    Path("wrong.yaml").write_text(WRONG)
    ran = run("lint", "-f", "wrong.yaml")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_lint_of_moves_that_would_wait_in_a_circle(run: Run, told: SnapshotAssertion) -> None:
    Path("circle.yaml").write_text(CIRCLE)
    ran = run("lint", "-f", "circle.yaml")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_lint_of_a_request_of_which_everything_counts(run: Run) -> None:
    ran = run("lint", "-f", REQUEST)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Nothing found")


def test_findings_are_as_published(run: Run) -> None:
    rules = set()
    for text in (WRONG, CIRCLE):
        Path("wrong.yaml").write_text(text)
        found = json.loads(run("lint", "-f", "wrong.yaml", "--format", "json").out)
        assert_published(found, Lint)
        rules |= {each["rule"] for each in found["findings"]}
    assert rules == set(get_args(Rule))
